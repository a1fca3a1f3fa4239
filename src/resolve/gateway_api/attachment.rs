//! Which of its parents a route attaches to (section "Parents" of the rule book; R-G-024..R-G-029).

use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::resource::gateway_api::ParentReference;
use crate::terms::host;

use super::super::Sink;
use super::World;
use super::grants::GROUP;
use super::owner::ParentListener;
use super::parents::Parents;

/// What matters of a route when it asks to attach.
pub(super) struct Route<'r> {
    pub kind: &'static str,
    pub namespace: &'r str,
    pub hostnames: &'r [String],
    pub parents: &'r [ParentReference],
}

/// What a route attaches to.
pub(super) enum Attached<'p> {
    /// A listener, among all listeners of the same object.
    Listener(&'p ParentListener, &'p [ParentListener]),
    /// Services of the mesh: their hosts, and the only port that is meant.
    Mesh(Vec<Arc<str>>, Option<u32>),
}

impl Attached<'_> {
    /// Whether it is the mesh.
    pub(super) fn is_mesh(&self) -> bool {
        matches!(self, Attached::Mesh(..))
    }

    /// The name that istiod sorts it by.
    fn sort_key(&self) -> String {
        match self {
            Attached::Listener(listener, _) => listener.internal_name(),
            Attached::Mesh(..) => "mesh".to_owned(),
        }
    }
}

/// What a route attaches to, in istiod's order. Of each parent to which it does not, it is said why.
pub(super) fn attached<'p>(
    route: &Route<'_>,
    parents: &'p Parents,
    world: &World<'_>,
    sink: &mut Sink<'_>,
) -> Vec<Attached<'p>> {
    let at = At::ROOT.field("spec");
    let at = at.field("parentRefs");
    let mut out = Vec::new();
    if route.parents.is_empty() {
        let message = "the route names no parent, so that it has no effect";
        sink.push(&at, Code::NO_MATCHING_PARENT, message);
    }
    for (index, reference) in route.parents.iter().enumerate() {
        let at = at.index(index);
        let group = reference.group.as_deref().unwrap_or(GROUP);
        let kind = reference.kind.as_deref().unwrap_or("Gateway");
        let namespace = reference.namespace.as_deref().unwrap_or(route.namespace);
        let refused = match (group, kind) {
            (GROUP, "Gateway") => {
                to_listeners(route, reference, "Gateway", namespace, parents, &mut out)
            }
            (GROUP, "ListenerSet") => to_listeners(
                route,
                reference,
                "ListenerSet",
                namespace,
                parents,
                &mut out,
            ),
            ("" | "core", "Service") => {
                let service = world.registry.service(namespace, &reference.name);
                let hosts = service.into_iter().map(|one| Arc::clone(&one.hostname));
                to_mesh(reference, namespace, hosts.collect(), &mut out)
            }
            ("networking.istio.io", "ServiceEntry") => {
                let services = world.registry.entry(namespace, &reference.name);
                let hosts = services.iter().map(|one| Arc::clone(&one.hostname));
                to_mesh(reference, namespace, hosts.collect(), &mut out)
            }
            _ => Some((
                Code::NO_MATCHING_PARENT,
                format!("a `{kind}` is nothing that Istio attaches routes to"),
            )),
        };
        if let Some((code, message)) = refused {
            sink.push(&at, code, message);
        }
    }
    out.sort_by_cached_key(Attached::sort_key);
    out
}

/// Why nothing was attached to.
type Refused = Option<(Code, String)>;

/// Every listener of the object is tried; if none admits the route, why not the one that came nearest to it.
fn to_listeners<'p>(
    route: &Route<'_>,
    reference: &ParentReference,
    kind: &'static str,
    namespace: &str,
    parents: &'p Parents,
    out: &mut Vec<Attached<'p>>,
) -> Refused {
    let name = &*reference.name;
    let Some(all) = parents.listeners(kind, namespace, name) else {
        let message = format!("there is no {kind} `{namespace}/{name}` that Istio serves");
        return Some((Code::NO_MATCHING_PARENT, message));
    };
    let mut refused = (
        0,
        Code::NO_MATCHING_PARENT,
        format!("{kind} `{namespace}/{name}` has no listener of that name and port"),
    );
    let mut is_attached = false;
    for listener in all {
        let is_port = reference
            .port
            .is_none_or(|port| port == i32::from(listener.port));
        let section = reference.section_name.as_deref();
        if !is_port || section.is_some_and(|section| *section != *listener.name) {
            continue;
        }
        let why = refusal(route, listener);
        match why {
            None => {
                is_attached = true;
                out.push(Attached::Listener(listener, all));
            }
            Some(why) if why.0 > refused.0 => refused = why,
            Some(_) => {}
        }
    }
    let (_, code, message) = refused;
    (!is_attached).then_some((code, message))
}

/// Why a listener does not take a route, and how far it came.
fn refusal(route: &Route<'_>, listener: &ParentListener) -> Option<(u8, Code, String)> {
    let overlaps = |namespace: Option<&str>| {
        let hosts = listener
            .hosts
            .iter()
            .filter(|one| namespace.is_none_or(|namespace| one.open_to(namespace).is_some()));
        hosts.into_iter().any(|one| match route.hostnames {
            [] => host::overlaps("*", &one.host),
            names => names.iter().any(|name| host::overlaps(name, &one.host)),
        })
    };
    let name = &listener.name;
    if !overlaps(None) {
        let message = format!("listener `{name}` has none of the hosts of the route");
        return Some((1, Code::NO_MATCHING_LISTENER_HOSTNAME, message));
    }
    if !overlaps(Some(route.namespace)) {
        let namespace = route.namespace;
        let message = format!("listener `{name}` takes no route of namespace `{namespace}`");
        return Some((2, Code::NOT_ALLOWED_BY_LISTENERS, message));
    }
    if !listener.kinds.contains(&route.kind) {
        let message = format!("listener `{name}` takes no `{}`", route.kind);
        return Some((3, Code::NOT_ALLOWED_BY_LISTENERS, message));
    }
    None
}

fn to_mesh(
    reference: &ParentReference,
    namespace: &str,
    hosts: Vec<Arc<str>>,
    out: &mut Vec<Attached<'_>>,
) -> Refused {
    if hosts.is_empty() {
        let kind = reference.kind.as_deref().unwrap_or_default();
        let message = format!("there is no {kind} `{namespace}/{}`", reference.name);
        return Some((Code::NO_MATCHING_PARENT, message));
    }
    let port = reference.port.and_then(|port| u32::try_from(port).ok());
    out.push(Attached::Mesh(hosts, port));
    None
}

/// The hosts of a route that it has at a listener: others of the same object may be meant for some of them (R-G-035).
pub(super) fn hosts_at<'r>(
    hostnames: &'r [String],
    listener: &ParentListener,
    all: &[ParentListener],
) -> Vec<&'r str> {
    let own = listener.hostname.as_deref().filter(|host| !host.is_empty());
    let wanted: Vec<&str> = match hostnames {
        [] => vec!["*"],
        names => names.iter().map(String::as_str).collect(),
    };
    if own.is_some_and(|own| !host::is_wildcard(own)) {
        return wanted;
    }
    let is_elsewhere = |wanted: &str| {
        let mut others = all.iter().filter(|other| {
            other.port == listener.port
                && other.protocol == listener.protocol
                && other.name != listener.name
        });
        others.any(|other| {
            let other = other.hostname.as_deref().unwrap_or_default();
            !other.is_empty()
                && other.len() >= own.map_or(0, str::len)
                && host::is_subset_of(wanted, other)
        })
    };
    let fits =
        |wanted: &&str| own.is_none_or(|own| host::overlaps(own, wanted)) && !is_elsewhere(wanted);
    wanted.into_iter().filter(fits).collect()
}
