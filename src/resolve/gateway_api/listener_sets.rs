//! ListenerSets: which Gateway they belong to, and whether that takes them (R-G-021).

use std::collections::HashMap;

use crate::diagnostic::{At, Code, Report};
use crate::resource::Document;
use crate::resource::gateway_api as raw;

use super::super::Sink;
use super::grants::GROUP;
use super::{World, merge_key};

type Set = Document<raw::ListenerSet>;

/// ListenerSets by namespace and name of their Gateway, each in the order in which they are merged.
pub(super) fn by_gateway<'a>(
    sets: &[&'a Set],
    report: &mut Report,
) -> HashMap<(&'a str, &'a str), Vec<&'a Set>> {
    let mut sets = sets.to_vec();
    sets.sort_by(|a, b| merge_key(&a.meta).cmp(&merge_key(&b.meta)));
    let mut by_gateway: HashMap<_, Vec<&'a Set>> = HashMap::new();
    for set in sets {
        let parent = &set.spec.parent_ref;
        let group = parent.group.as_deref().unwrap_or(GROUP);
        let kind = parent.kind.as_deref().unwrap_or("Gateway");
        if (group, kind) != (GROUP, "Gateway") {
            let at = At::ROOT.field("spec");
            let message = format!("a ListenerSet belongs to a Gateway, not to a `{kind}`");
            let mut sink = Sink::of(set, report);
            sink.push(&at.field("parentRef"), Code::NO_MATCHING_PARENT, message);
            continue;
        }
        let namespace = parent.namespace.as_deref().unwrap_or(&set.meta.namespace);
        let of_gateway = by_gateway.entry((namespace, &*parent.name)).or_default();
        of_gateway.push(set);
    }
    by_gateway
}

/// Whether a Gateway takes a ListenerSet of this namespace.
pub(super) fn is_allowed(
    gateway: &Document<raw::KubernetesGateway>,
    set: &Set,
    world: &World<'_>,
    sink: &mut Sink<'_>,
) -> bool {
    let allowed = gateway.spec.allowed_listeners.as_ref();
    let allowed = allowed.and_then(|listeners| listeners.namespaces.as_ref());
    let namespace = &*set.meta.namespace;
    let is_allowed = match allowed.and_then(|one| one.from.as_deref()) {
        Some("All") => true,
        Some("Same") => *namespace == *gateway.meta.namespace,
        Some("Selector") => {
            let selector = allowed.and_then(|one| one.selector.as_ref());
            let selected = selector.and_then(|one| world.namespaces.selected(one));
            selected.is_some_and(|all| all.contains(&namespace))
        }
        _ => false,
    };
    if !is_allowed {
        let at = At::ROOT.field("spec");
        let message = format!(
            "Gateway `{}` takes no ListenerSet of namespace `{namespace}`",
            gateway.meta.qualified_name()
        );
        sink.push_with_help(
            &at.field("parentRef"),
            Code::NOT_ALLOWED_BY_LISTENERS,
            message,
            "allow it by `allowedListeners` of the Gateway",
        );
    }
    is_allowed
}
