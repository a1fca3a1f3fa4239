//! What Istio's admission asks of ingress listeners (R-M-185). They have no effect on outbound routing, which is said too.

use std::collections::HashSet;

use super::port_checks;
use crate::diagnostic::{At, Code};
use crate::mesh::service::Protocol;
use crate::resolve::Sink;
use crate::resolve::check::network;
use crate::resolve::destination_rule::connection_pool;
use crate::resolve::service::workload_entry::unix_path;
use crate::resource::{
    ConnectionPoolSettings, IstioIngressListener, ServerTlsMode, ServerTlsSettings, ServicePort,
    Sidecar,
};

/// Pushes everything that is wrong with the inbound side of a Sidecar.
pub(super) fn check(spec: &Sidecar, at: &At<'_>, sink: &mut Sink<'_>) {
    let list = at.field("ingress");
    let mut ports = HashSet::new();
    for (index, listener) in spec.ingress.iter().enumerate() {
        let at = list.index(index);
        let Some(port) = &listener.port else {
            let message = "an ingress listener needs a port";
            sink.push(&at.field("port"), Code::MISSING_FIELD, message);
            continue;
        };
        check_listener(listener, port, &at, sink);
        if !ports.insert(port.number) {
            let message = format!("another ingress listener has the port `{}`", port.number);
            sink.push(&at.field("port"), Code::DUPLICATE_LISTENER, message);
        }
    }
    for (field, is_set) in [
        ("ingress", !spec.ingress.is_empty()),
        (
            "inboundConnectionPool",
            spec.inbound_connection_pool.is_some(),
        ),
    ] {
        if is_set {
            let message = format!("`{field}` has no effect on outbound routing");
            sink.push(&at.field(field), Code::FIELD_WITHOUT_EFFECT, message);
        }
    }
    if let Some(pool) = &spec.inbound_connection_pool {
        check_pool(pool, None, &at.field("inboundConnectionPool"), sink);
    }
}

fn check_listener(
    listener: &IstioIngressListener,
    port: &ServicePort,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    let port_at = at.field("port");
    port_checks::check_names(port, &port_at, sink);
    let number_at = port_at.field("number");
    sink.check(&number_at, Code::INVALID_PORT, network::port(port.number));
    port_checks::check_target(port, &port_at, sink);
    if !listener.bind.is_empty() {
        let bind_at = at.field("bind");
        sink.check(&bind_at, Code::INVALID_ADDRESS, network::ip(&listener.bind));
    }
    let endpoint_at = at.field("defaultEndpoint");
    sink.check(
        &endpoint_at,
        Code::INVALID_ADDRESS,
        default_endpoint(&listener.default_endpoint),
    );
    let protocol = Protocol::parse(&port.protocol);
    if let Some(tls) = &listener.tls {
        check_tls(tls, protocol, &at.field("tls"), sink);
    }
    if let Some(pool) = &listener.connection_pool {
        check_pool(pool, Some(protocol), &at.field("connectionPool"), sink);
    }
}

/// Empty, a Unix socket, or a port of an address of the workload itself.
fn default_endpoint(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    if let Some(path) = text.strip_prefix("unix://") {
        return unix_path(path);
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(format!("`{text}` has no port"));
    };
    if !matches!(host, "" | "127.0.0.1" | "0.0.0.0" | "[::1]" | "[::]") {
        return Err(format!(
            "`{text}` is neither a Unix socket nor a port of `127.0.0.1`, `0.0.0.0`, `[::1]` or `[::]`"
        ));
    }
    match port.parse() {
        Ok(number) => network::port(number),
        Err(_) => Err(format!("`{port}` is not a port number")),
    }
}

fn check_tls(tls: &ServerTlsSettings, protocol: Protocol, at: &At<'_>, sink: &mut Sink<'_>) {
    let refused = [
        ("httpsRedirect", tls.https_redirect),
        ("subjectAltNames", !tls.subject_alt_names.is_empty()),
        ("credentialName", !tls.credential_name.is_empty()),
        ("credentialNames", !tls.credential_names.is_empty()),
    ];
    for (field, is_set) in refused {
        if is_set {
            let message = format!("`{field}` is not supported in a Sidecar");
            sink.push(&at.field(field), Code::UNSUPPORTED_BY_ISTIO, message);
        }
    }
    let mode = tls.mode;
    let unsupported = matches!(
        mode,
        ServerTlsMode::IstioMutual | ServerTlsMode::AutoPassthrough
    );
    if unsupported {
        let message = "the mode cannot be `ISTIO_MUTUAL` or `AUTO_PASSTHROUGH` in a Sidecar";
        sink.push(&at.field("mode"), Code::UNSUPPORTED_BY_ISTIO, message);
    }
    if !protocol.is_tls() {
        let message = "TLS settings need a port of the protocol HTTPS or TLS";
        sink.push(at, Code::CONFLICTING_FIELDS, message);
    }
}

fn check_pool(
    pool: &ConnectionPoolSettings,
    protocol: Option<Protocol>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    // Typed for its checks only: inbound traffic is not routed here.
    let _ = connection_pool::resolve(pool, at, sink);
    let is_tcp = protocol == Some(Protocol::Tcp);
    if is_tcp && pool.http.is_some() {
        let message = "HTTP settings have no effect on a TCP port";
        sink.push(&at.field("http"), Code::WITHOUT_EFFECT, message);
    }
}
