//! What Istio's admission asks of egress listeners (R-M-185).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::port_checks;
use crate::diagnostic::{At, Code};
use crate::resolve::Sink;
use crate::resolve::check::{domain, network};
use crate::resolve::service::workload_entry::unix_path;
use crate::resource::{CaptureMode, Destination, IstioEgressListener, ServicePort};

/// Pushes everything that is wrong with the egress listeners of a Sidecar in `namespace`.
pub(super) fn check(
    namespace: &str,
    egress: &[IstioEgressListener],
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    let list = at.field("egress");
    let mut ports = HashSet::new();
    let mut sockets = HashSet::new();
    for (index, listener) in egress.iter().enumerate() {
        let at = list.index(index);
        match &listener.port {
            None if index + 1 < egress.len() => sink.push(
                &at,
                Code::CATCH_ALL_NOT_LAST,
                "an egress listener without a port must be the last one",
            ),
            None => {}
            Some(port) => {
                check_listener_port(listener, port, &at, sink);
                let is_new = if port.number == 0 {
                    sockets.insert(listener.bind.as_str())
                } else {
                    ports.insert(port.number)
                };
                if !is_new {
                    let message = match port.number {
                        0 => format!("another egress listener has the socket `{}`", listener.bind),
                        number => format!("another egress listener has the port `{number}`"),
                    };
                    sink.push(&at.field("port"), Code::DUPLICATE_LISTENER, message);
                }
            }
        }
        if listener.capture_mode != CaptureMode::Default {
            sink.push(
                &at.field("captureMode"),
                Code::FIELD_WITHOUT_EFFECT,
                "`captureMode` has no effect on routing",
            );
        }
        check_hosts(namespace, &listener.hosts, &at.field("hosts"), sink);
    }
}

fn check_listener_port(
    listener: &IstioEgressListener,
    port: &ServicePort,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    let port_at = at.field("port");
    port_checks::check_names(port, &port_at, sink);
    port_checks::check_target(port, &port_at, sink);
    let bind_at = at.field("bind");
    if port.number != 0 {
        let number_at = port_at.field("number");
        sink.check(&number_at, Code::INVALID_PORT, network::port(port.number));
        if !listener.bind.is_empty() {
            sink.check(&bind_at, Code::INVALID_ADDRESS, network::ip(&listener.bind));
        }
        return;
    }
    match listener.bind.strip_prefix("unix://") {
        None => sink.push(
            &bind_at,
            Code::INVALID_ADDRESS,
            "a listener without a port number needs a Unix socket (`unix://`) as `bind`",
        ),
        Some(path) => {
            sink.check(&bind_at, Code::INVALID_ADDRESS, unix_path(path));
        }
    }
    if listener.capture_mode == CaptureMode::Iptables {
        sink.push(
            &at.field("captureMode"),
            Code::CONFLICTING_FIELDS,
            "a Unix socket cannot be captured by iptables",
        );
    }
}

fn check_hosts(namespace: &str, hosts: &[String], at: &At<'_>, sink: &mut Sink<'_>) {
    if hosts.is_empty() {
        sink.push(
            at,
            Code::MISSING_FIELD,
            "an egress listener needs at least one host",
        );
    }
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (index, text) in hosts.iter().enumerate() {
        let at = at.index(index);
        let Some((written, host)) = text.split_once('/') else {
            let message = format!("`{text}` does not have the form `namespace/host`");
            sink.push(&at, Code::INVALID_HOST, message);
            continue;
        };
        if let Err(message) = check_host(written, host) {
            sink.push(&at, Code::INVALID_HOST, message);
        }
        if written.starts_with('~') {
            continue;
        }
        let own = if written == "." { namespace } else { written };
        let of_namespace = seen.entry(own).or_default();
        let covered = match host {
            "*" => !of_namespace.is_empty(),
            _ => of_namespace.contains("*") || of_namespace.contains(host),
        };
        if covered {
            let message = format!("`{text}` overlaps another host of this namespace");
            sink.push(&at, Code::REDUNDANT_EGRESS_HOST, message);
        }
        of_namespace.insert(host);
    }
    let imports_all = seen.get("*").is_some_and(|hosts| hosts.contains("*"));
    if imports_all && seen.len() > 1 {
        sink.push(
            at,
            Code::REDUNDANT_EGRESS_HOST,
            "`*/*` imports everything; the other hosts add nothing",
        );
    }
}

fn check_host(namespace: &str, host: &str) -> Result<(), String> {
    if namespace.is_empty() || host.is_empty() {
        return Err("neither the namespace nor the host can be empty".to_owned());
    }
    let name = namespace.strip_prefix('~').unwrap_or(namespace);
    let is_pattern = matches!(name, "*" | "." | "");
    if !is_pattern && !is_namespace(name) {
        return Err(format!("`{namespace}` is not a namespace"));
    }
    if host != "*" && !host.contains('.') {
        return Err(format!("`{host}` is a short name; write the full one"));
    }
    if host.starts_with('*') && host != "*" && !host.starts_with("*.") {
        return Err(format!(
            "`{host}` is a partial wildcard; a wildcard stands for whole labels: `*.example.com`"
        ));
    }
    domain::wildcard_domain(host)
}

fn is_namespace(text: &str) -> bool {
    domain::is_label(text)
}

/// A destination with a port, a host, and perhaps a subset (R-M-158).
pub(super) fn check_egress_proxy(proxy: &Destination, at: &At<'_>, sink: &mut Sink<'_>) {
    let host_at = at.field("host");
    if proxy.host == "*" {
        sink.push(&host_at, Code::INVALID_HOST, "a destination cannot be `*`");
    } else {
        sink.check(&host_at, Code::INVALID_HOST, domain::fqdn(&proxy.host));
    }
    if !proxy.subset.is_empty() && !domain::is_label(&proxy.subset) {
        let message = format!("`{}` is not the name of a subset", proxy.subset);
        sink.push(&at.field("subset"), Code::INVALID_NAME, message);
    }
    let port_at = at.field("port");
    match &proxy.port {
        None => sink.push(&port_at, Code::MISSING_FIELD, "`egressProxy` needs a port"),
        Some(port) => {
            let number_at = port_at.field("number");
            sink.check(&number_at, Code::INVALID_PORT, network::port(port.number));
        }
    }
}
