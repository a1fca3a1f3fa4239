//! Which listeners and services a route attaches to.

use super::listeners::Listener;
use super::{GROUP, name, or};
use crate::spec::names::{is_subset, overlap};
use crate::spec::world::namespace;
use crate::spec::{Yaml, list, number, text, texts};

/// A parent that has accepted a route.
pub(super) enum Parent<'a> {
    Listener {
        listener: &'a Listener,
        /// Other listeners beside it (R-G-035): port, protocol, hostname.
        others: Vec<(u64, String, String)>,
    },
    /// Services of the mesh by their hosts, and the port asked for, 0 for all.
    Mesh { hosts: Vec<String>, port: u64 },
}

impl Parent<'_> {
    /// What parents are ordered by (R-G-029).
    pub(super) fn internal_name(&self) -> String {
        match self {
            Parent::Listener { listener, .. } => listener.internal_name(),
            Parent::Mesh { .. } => "mesh".to_owned(),
        }
    }

    /// R-G-035: does the listener leave the route's hostname to none more specific?
    pub(super) fn may_have(&self, hostname: &str) -> bool {
        let Parent::Listener { listener, others } = self else {
            return true;
        };
        let own = listener.hostname.as_str();
        if !own.is_empty() && !own.starts_with('*') {
            return true;
        }
        if !own.is_empty() && !overlap(hostname, own) {
            return false;
        }
        !others.iter().any(|(port, protocol, other)| {
            *port == listener.port
                && *protocol == listener.protocol
                && other.len() >= own.len()
                && is_subset(hostname, other)
        })
    }
}

/// The hostnames of a route, `*` if it names none.
pub(super) fn hostnames(route: &Yaml) -> Vec<String> {
    match texts(&route["spec"], "hostnames") {
        all if all.is_empty() => vec!["*".to_owned()],
        all => all,
    }
}

/// R-G-025..R-G-029: the parents that accept the route, ordered.
pub(super) fn accepting<'a>(
    resources: &[Yaml],
    listeners: &'a [Listener],
    route: &Yaml,
) -> Vec<Parent<'a>> {
    let mut out = Vec::new();
    for reference in list(&route["spec"], "parentRefs") {
        let owner = or(reference, "namespace", namespace(route));
        let named = text(reference, "name");
        let (group, kind) = (
            or(reference, "group", GROUP),
            or(reference, "kind", "Gateway"),
        );
        match (group, kind) {
            (GROUP, "Gateway" | "ListenerSet") => {
                let of_parent = || listeners.iter().filter(|one| one.is_of(kind, owner, named));
                for listener in of_parent().filter(|one| accepts(one, reference, route)) {
                    let others = of_parent().filter(|other| other.name != listener.name);
                    let others = others
                        .filter(|other| !other.hostname.is_empty())
                        .map(|o| (o.port, o.protocol.clone(), o.hostname.clone()));
                    out.push(Parent::Listener {
                        listener,
                        others: others.collect(),
                    });
                }
            }
            ("", "Service") | ("networking.istio.io", "ServiceEntry") => {
                let target = resources.iter().find(|one| {
                    text(one, "kind") == kind && namespace(one) == owner && name(one) == named
                });
                let Some(target) = target else { continue };
                let hosts = match kind {
                    "Service" => vec![format!("{named}.{owner}.svc.cluster.local")],
                    _ => texts(&target["spec"], "hosts"),
                };
                let port = number(reference, "port");
                out.push(Parent::Mesh { hosts, port });
            }
            _ => {}
        }
    }
    out.sort_by_key(Parent::internal_name);
    out
}

/// R-G-026.
fn accepts(listener: &Listener, reference: &Yaml, route: &Yaml) -> bool {
    let port = number(reference, "port");
    let section = text(reference, "sectionName");
    let own = namespace(route);
    let is_open = |host: &&String| {
        let owner = host.split_once('/').map_or("*", |(owner, _)| owner);
        owner == "*" || owner == own
    };
    let bare = |host: &String| {
        host.split_once('/')
            .map_or(host.clone(), |(_, name)| name.to_owned())
    };
    let hosts: Vec<String> = listener.hosts.iter().filter(is_open).map(bare).collect();
    let wanted = hostnames(route);
    (port == 0 || port == listener.port)
        && (section.is_empty() || section == listener.name)
        && hosts
            .iter()
            .any(|host| wanted.iter().any(|other| overlap(host, other)))
        && takes_kind(listener, text(route, "kind"))
}

/// R-G-027.
fn takes_kind(listener: &Listener, kind: &str) -> bool {
    let by_protocol: &[&str] = match listener.protocol.as_str() {
        "HTTP" | "HTTPS" => &["HTTPRoute", "GRPCRoute"],
        "TCP" => &["TCPRoute"],
        "TLS" if listener.tls_mode == "Passthrough" => &["TLSRoute"],
        "TLS" => &["TLSRoute", "TCPRoute"],
        _ => &[],
    };
    let allowed = &listener.kinds;
    by_protocol.contains(&kind)
        && (allowed.is_empty()
            || allowed
                .iter()
                .any(|one| or(one, "group", GROUP) == GROUP && text(one, "kind") == kind))
}
