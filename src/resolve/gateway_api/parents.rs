//! What routes attach to at gateways: the listeners of Gateways and ListenerSets, and the Gateways that istiod makes of those
//! that are valid (R-G-007..R-G-023).

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::{At, Code, Report};
use crate::mesh;
use crate::mesh::gateway::GatewayServices;
use crate::resource::gateway_api as raw;
use crate::resource::{Document, Metadata};

use super::super::Sink;
use super::World;
use super::classes::{Class, Classes};
use super::listener_conflicts::Conflicts;
use super::owner::{Owner, ParentListener};
use super::{listener_sets, listeners};

type Gateway = Document<raw::KubernetesGateway>;

/// The listeners of each Gateway and ListenerSet that istiod serves, by kind, namespace and name.
#[derive(Default)]
pub(super) struct Parents {
    by_name: HashMap<Key, Vec<ParentListener>>,
}

/// Kind, namespace and name.
type Key = (&'static str, Box<str>, Box<str>);

impl Parents {
    /// The listeners of one of them; `None`: istiod knows no such object.
    pub(super) fn listeners(
        &self,
        kind: &'static str,
        namespace: &str,
        name: &str,
    ) -> Option<&[ParentListener]> {
        let key = (kind, namespace.into(), name.into());
        self.by_name.get(&key).map(Vec::as_slice)
    }

    fn add(&mut self, kind: &'static str, meta: &Metadata, listeners: Vec<ParentListener>) {
        let key = (kind, (&*meta.namespace).into(), (&*meta.name).into());
        self.by_name.insert(key, listeners);
    }
}

/// The parents of all routes, and the Gateways that are made of them.
pub(super) fn parents(
    classes: &[&Document<raw::GatewayClass>],
    gateways: &[&Gateway],
    sets: &[&Document<raw::ListenerSet>],
    world: &World<'_>,
    made: &mut Vec<Arc<mesh::Gateway>>,
    report: &mut Report,
) -> Parents {
    let classes = Classes::new(classes);
    let mut sets = listener_sets::by_gateway(sets, report);
    let mut parents = Parents::default();
    for gateway in gateways {
        let mut sink = Sink::of(gateway, report);
        let class = class(gateway, &classes, &mut sink);
        let own_sets = sets.remove(&(&*gateway.meta.namespace, &*gateway.meta.name));
        let own_sets = own_sets.unwrap_or_default();
        if !matches!(class, Some(Class::Gateway)) {
            continue;
        }
        let services = services(gateway, world, &mut sink);
        let mut conflicts = Conflicts::default();
        let owner = Owner {
            kind: "Gateway",
            meta: &gateway.meta,
            gateway: &gateway.spec,
            services: services.as_ref(),
        };
        let listeners = &gateway.spec.listeners;
        let found = listeners::resolve(&owner, listeners, &mut conflicts, world, made, &mut sink);
        parents.add("Gateway", &gateway.meta, found);
        drop(sink);
        for set in own_sets {
            let mut sink = Sink::of(set, report);
            if !listener_sets::is_allowed(gateway, set, world, &mut sink) {
                continue;
            }
            let owner = Owner {
                kind: "ListenerSet",
                meta: &set.meta,
                gateway: &gateway.spec,
                services: services.as_ref(),
            };
            let listeners = &set.spec.listeners;
            let found =
                listeners::resolve(&owner, listeners, &mut conflicts, world, made, &mut sink);
            parents.add("ListenerSet", &set.meta, found);
        }
    }
    for set in sets.into_values().flatten() {
        let at = At::ROOT.field("spec");
        let parent = &set.spec.parent_ref;
        let message = format!("there is no Gateway `{}` that Istio serves", parent.name);
        let mut sink = Sink::of(set, report);
        sink.push(&at.field("parentRef"), Code::NO_MATCHING_PARENT, message);
    }
    parents
}

fn class(gateway: &Gateway, classes: &Classes<'_>, sink: &mut Sink<'_>) -> Option<Class> {
    let name = &*gateway.spec.gateway_class_name;
    let class = classes.of(name);
    let message = match class {
        Some(Class::Gateway) => return class,
        Some(Class::Remote) => {
            format!("class `{name}` is of another cluster: nothing is served here")
        }
        Some(Class::Waypoint) => {
            format!("class `{name}` is a waypoint's: its listeners are no servers")
        }
        None => format!("class `{name}` is not one that Istio serves"),
    };
    let at = At::ROOT.field("spec");
    sink.push(
        &at.field("gatewayClassName"),
        Code::GATEWAY_NOT_SERVED,
        message,
    );
    class
}

/// The Services whose workloads serve a Gateway (R-G-016); `None`: there is none, and it has no effect.
fn services(gateway: &Gateway, world: &World<'_>, sink: &mut Sink<'_>) -> Option<GatewayServices> {
    const NAME_OVERRIDE: &str = "gateway.istio.io/name-override";
    let (meta, spec) = (&gateway.meta, &gateway.spec);
    let domain = &world.cx.config.domain;
    let complete = |name: &str| format!("{name}.{}.svc.{domain}", meta.namespace);
    let kind = |address: &raw::GatewayAddress| match address.r#type.as_deref() {
        Some("Hostname") => Some(true),
        None | Some("IPAddress") => Some(false),
        Some(_) => None,
    };
    let is_managed = match spec.addresses.as_slice() {
        [] => true,
        [only] => kind(only) == Some(false),
        _ => false,
    };
    let mut hosts: Vec<Arc<str>> = Vec::new();
    if is_managed {
        let name = match meta.annotations.get(NAME_OVERRIDE) {
            Some(name) => name.clone(),
            None => format!("{}-{}", meta.name, spec.gateway_class_name),
        };
        hosts.push(complete(&name).into());
    }
    let addresses = spec.addresses.iter().enumerate().filter(|_| !is_managed);
    for (index, address) in addresses {
        match kind(address) {
            Some(true) if address.value.contains('.') => hosts.push((&*address.value).into()),
            Some(true) => hosts.push(complete(&address.value).into()),
            _ => {
                let at = At::ROOT.field("spec");
                let at = at.field("addresses");
                let message =
                    "only addresses of the type `Hostname` name the workload of a Gateway";
                sink.push(&at.index(index), Code::WITHOUT_EFFECT, message);
            }
        }
    }
    (!hosts.is_empty()).then(|| GatewayServices {
        gateway: meta.qualified_name(),
        hosts,
        is_managed,
    })
}
