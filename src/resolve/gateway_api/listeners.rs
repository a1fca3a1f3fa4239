//! Listeners: what may attach to each, and the Gateway that istiod makes of it (R-G-007..R-G-015).

use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::mesh;
use crate::mesh::gateway::{Server, ServerHost};
use crate::mesh::service::Protocol;
use crate::resource::gateway_api as raw;
use crate::terms::name::GatewayName;

use super::super::{Sink, creation};
use super::grants::GROUP;
use super::listener_conflicts::Conflicts;
use super::owner::{Owner, ParentListener, internal_name, of_nobody};
use super::{World, tls};

/// All listeners of an owner; the Gateways of valid ones are added to `made`.
pub(super) fn resolve(
    owner: &Owner<'_>,
    listeners: &[raw::Listener],
    conflicts: &mut Conflicts,
    world: &World<'_>,
    made: &mut Vec<Arc<mesh::Gateway>>,
    sink: &mut Sink<'_>,
) -> Vec<ParentListener> {
    let at = At::ROOT.field("spec");
    let at = at.field("listeners");
    let mut out = Vec::with_capacity(listeners.len());
    for (index, listener) in listeners.iter().enumerate() {
        let at = at.index(index);
        let port = port(owner, listener, &at, sink);
        let hosts = hosts(owner, listener, world, &at, sink);
        let server = server(owner, listener, port, &hosts, world, &at, sink);
        let gateway = internal_name(owner.meta, &listener.name);
        let is_free = conflicts.add(listener, port.unwrap_or(0), &at, sink);
        if let (Some(server), Some(services), true) = (server, owner.services, is_free)
            && let GatewayName::Named(resource) = &gateway
        {
            made.push(Arc::new(mesh::Gateway {
                resource: resource.clone(),
                creation: creation(owner.meta),
                selector: None,
                services: Some(services.clone()),
                servers: vec![server],
            }));
        }
        out.push(ParentListener {
            gateway,
            name: (&*listener.name).into(),
            port: port.unwrap_or(0),
            protocol: (&*listener.protocol).into(),
            hostname: listener.hostname.as_deref().map(Box::from),
            hosts,
            kinds: kinds(listener, &at, sink),
        });
    }
    out
}

/// Its number; a ListenerSet may leave it to the protocol (R-G-022). `None`: it has none.
fn port(
    owner: &Owner<'_>,
    listener: &raw::Listener,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<u16> {
    let written = listener.port.unwrap_or(0);
    match (written, owner.kind, &*listener.protocol) {
        (0, "ListenerSet", "HTTP") => Some(80),
        (0, "ListenerSet", "HTTPS") => Some(443),
        (0, _, protocol) => {
            let message = format!("a listener for `{protocol}` needs a port");
            sink.push(at, Code::LISTENER_NOT_SERVED, message);
            None
        }
        (port, _, _) => u16::try_from(port).ok(),
    }
}

/// The server that it becomes; `None`: it is not served, which is said.
fn server(
    owner: &Owner<'_>,
    listener: &raw::Listener,
    port: Option<u16>,
    hosts: &[ServerHost],
    world: &World<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<Server> {
    let protocol = &*listener.protocol;
    if !matches!(protocol, "HTTP" | "HTTPS" | "TLS" | "TCP") {
        let upper = protocol.to_ascii_uppercase();
        let at = at.field("protocol");
        let message = format!("protocol `{protocol}` is not one that Istio serves");
        match &*upper {
            "HTTP" | "HTTPS" | "TLS" | "TCP" => {
                let help = format!("write `{upper}`");
                sink.push_with_help(&at, Code::LISTENER_NOT_SERVED, message, help);
            }
            _ => sink.push(&at, Code::LISTENER_NOT_SERVED, message),
        }
        return None;
    }
    if matches!(protocol, "HTTPS" | "TLS") && listener.tls.is_none() {
        let message = format!("a listener for `{protocol}` needs `tls`");
        sink.push(at, Code::LISTENER_NOT_SERVED, message);
        return None;
    }
    let tls = tls::server_tls(owner, listener, world, at, sink)?;
    Some(Server {
        port: port?,
        port_name: "default".into(),
        protocol: Protocol::parse(protocol),
        protocol_text: protocol.into(),
        hosts: hosts.to_vec(),
        bind: None,
        tls,
    })
}

/// Who may claim its host (R-G-010).
fn hosts(
    owner: &Owner<'_>,
    listener: &raw::Listener,
    world: &World<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Vec<ServerHost> {
    let host = match listener.hostname.as_deref() {
        None | Some("") => "*",
        Some(host) => host,
    };
    let of = |namespace: Option<&str>| ServerHost {
        namespace: namespace.map(Box::from),
        host: host.into(),
    };
    let allowed = listener.allowed_routes.as_ref();
    let allowed = allowed.and_then(|routes| routes.namespaces.as_ref());
    let from = allowed.and_then(|namespaces| namespaces.from.as_deref());
    match from {
        None | Some("Same") => vec![of(Some(&owner.meta.namespace))],
        Some("All") => vec![of(None)],
        Some(_) => {
            let Some(selector) = allowed.and_then(|one| one.selector.as_ref()) else {
                return vec![of(None)];
            };
            let selected = world.namespaces.selected(selector).unwrap_or_default();
            if selected.is_empty() {
                let at = at.field("allowedRoutes");
                let message = "no namespace is selected: no route may attach";
                sink.push(&at.field("namespaces"), Code::WITHOUT_EFFECT, message);
                return vec![of_nobody(host)];
            }
            selected.into_iter().map(|one| of(Some(one))).collect()
        }
    }
}

/// The kinds of routes that its protocol serves, as far as it allows them.
fn kinds(listener: &raw::Listener, at: &At<'_>, sink: &mut Sink<'_>) -> Vec<&'static str> {
    let is_terminated = listener
        .tls
        .as_ref()
        .is_none_or(|tls| tls.mode.as_deref() != Some("Passthrough"));
    let served: &[&'static str] = match &*listener.protocol {
        "HTTP" | "HTTPS" => &["HTTPRoute", "GRPCRoute"],
        "TCP" => &["TCPRoute"],
        "TLS" if is_terminated => &["TLSRoute", "TCPRoute"],
        "TLS" => &["TLSRoute"],
        _ => &[],
    };
    let written = listener.allowed_routes.as_ref();
    let written = written.map_or(&[][..], |routes| &routes.kinds);
    if written.is_empty() {
        return served.to_vec();
    }
    let is_of = |kind: &str, one: &raw::RouteGroupKind| {
        one.group.as_deref().unwrap_or(GROUP) == GROUP && one.kind == kind
    };
    let routes = at.field("allowedRoutes");
    let at = routes.field("kinds");
    for (index, one) in written.iter().enumerate() {
        if !served.iter().any(|kind| is_of(kind, one)) {
            let message = format!(
                "a listener for `{}` serves no `{}`",
                listener.protocol, one.kind
            );
            sink.push(&at.index(index), Code::INVALID_ROUTE_KIND, message);
        }
    }
    let mut served = served.to_vec();
    served.retain(|kind| written.iter().any(|one| is_of(kind, one)));
    served
}
