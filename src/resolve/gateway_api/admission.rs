//! What the API server of a cluster refuses of listeners and of routes for connections: the rules of the CRDs, those in CEL
//! included (R-G-002).

use std::collections::HashSet;

use crate::diagnostic::{At, Code};
use crate::resolve::check::kubernetes;
use crate::resource::gateway_api as raw;

use super::super::Sink;
use super::grants::GROUP;

/// The most rules of a route.
const MOST_RULES: usize = 16;

/// A Gateway.
pub(super) fn gateway(spec: &raw::KubernetesGateway, sink: &mut Sink<'_>) {
    let at = At::ROOT.field("spec");
    required(
        &spec.gateway_class_name,
        &at.field("gatewayClassName"),
        sink,
    );
    listeners(&spec.listeners, true, &at.field("listeners"), sink);
    let addresses = at.field("addresses");
    most(spec.addresses.len(), 16, &addresses, sink);
    for (index, address) in spec.addresses.iter().enumerate() {
        let at = addresses.index(index);
        let value = &*address.value;
        match address.r#type.as_deref() {
            None | Some("IPAddress") => {
                if !value.is_empty() && value.parse::<std::net::IpAddr>().is_err() {
                    let message = format!("`{value}` is not an IP address");
                    sink.push(&at.field("value"), Code::INVALID_ADDRESS, message);
                }
            }
            Some("Hostname") => hostname(value, true, &at.field("value"), sink),
            Some(other) => {
                if !other.contains('/') {
                    let known = ["IPAddress", "Hostname"];
                    one_of(other, &known, &at.field("type"), sink);
                }
            }
        }
    }
    if let Some(allowed) = &spec.allowed_listeners
        && let Some(namespaces) = &allowed.namespaces
    {
        let from = namespaces.from.as_deref().unwrap_or("None");
        let at = at.field("allowedListeners");
        let at = at.field("namespaces");
        one_of(
            from,
            &["All", "Selector", "Same", "None"],
            &at.field("from"),
            sink,
        );
    }
}

/// A ListenerSet.
pub(super) fn listener_set(spec: &raw::ListenerSet, sink: &mut Sink<'_>) {
    let at = At::ROOT.field("spec");
    required(
        &spec.parent_ref.name,
        &at.field("parentRef").field("name"),
        sink,
    );
    listeners(&spec.listeners, false, &at.field("listeners"), sink);
}

fn listeners(all: &[raw::Listener], needs_port: bool, at: &At<'_>, sink: &mut Sink<'_>) {
    if all.is_empty() && !needs_port {
        let message = "at least one listener is needed";
        sink.push(at, Code::MISSING_FIELD, message);
    }
    most(all.len(), 64, at, sink);
    let mut names = HashSet::new();
    let mut places = HashSet::new();
    for (index, one) in all.iter().enumerate() {
        let at = at.index(index);
        required(&one.name, &at.field("name"), sink);
        if !one.name.is_empty() {
            let verdict = kubernetes::subdomain(&one.name);
            sink.check(&at.field("name"), Code::INVALID_NAME, verdict);
            if !names.insert(&one.name) {
                let message = format!("another listener has the name `{}`", one.name);
                sink.push(&at.field("name"), Code::INVALID_NAME, message);
            }
        }
        required(&one.protocol, &at.field("protocol"), sink);
        match one.port {
            None | Some(0) if !needs_port => {}
            Some(1..=65535) => {}
            None => sink.push(
                &at.field("port"),
                Code::MISSING_FIELD,
                "a listener needs a port",
            ),
            Some(port) => {
                let message = format!("`{port}` is not a port");
                sink.push(&at.field("port"), Code::INVALID_PORT, message);
            }
        }
        let host = one.hostname.as_deref().unwrap_or_default();
        if one.hostname.is_some() {
            hostname(host, true, &at.field("hostname"), sink);
        }
        let is_stream = matches!(&*one.protocol, "TCP" | "UDP");
        if is_stream && !host.is_empty() {
            let message = format!("a listener for `{}` has no host", one.protocol);
            sink.push(&at.field("hostname"), Code::CONFLICTING_FIELDS, message);
        }
        let place = (one.port.unwrap_or(0), &*one.protocol, host);
        if one.port.is_some_and(|port| port != 0) && !places.insert(place) {
            let message = "another listener has the same port, protocol and host";
            sink.push(&at, Code::CONFLICTING_FIELDS, message);
        }
        listener_tls(one, is_stream, &at, sink);
        allowed_routes(one, &at.field("allowedRoutes"), sink);
    }
}

fn listener_tls(one: &raw::Listener, is_stream: bool, at: &At<'_>, sink: &mut Sink<'_>) {
    let at = at.field("tls");
    let Some(tls) = &one.tls else {
        return;
    };
    if is_stream || one.protocol == "HTTP" {
        let message = format!("a listener for `{}` has no TLS", one.protocol);
        sink.push(&at, Code::CONFLICTING_FIELDS, message);
    }
    let mode = tls.mode.as_deref().unwrap_or("Terminate");
    one_of(mode, &["Terminate", "Passthrough"], &at.field("mode"), sink);
    if one.protocol == "HTTPS" && mode != "Terminate" {
        let message = "a listener for `HTTPS` terminates TLS";
        sink.push(&at.field("mode"), Code::CONFLICTING_FIELDS, message);
    }
    if mode == "Terminate" && tls.certificate_refs.is_empty() && tls.options.is_empty() {
        let message = "where TLS is terminated, `certificateRefs` or `options` are needed";
        sink.push(&at, Code::MISSING_FIELD, message);
    }
    let refs = at.field("certificateRefs");
    most(tls.certificate_refs.len(), 64, &refs, sink);
    for (index, one) in tls.certificate_refs.iter().enumerate() {
        required(&one.name, &refs.index(index).field("name"), sink);
    }
    most(tls.options.len(), 16, &at.field("options"), sink);
}

fn allowed_routes(one: &raw::Listener, at: &At<'_>, sink: &mut Sink<'_>) {
    let Some(allowed) = &one.allowed_routes else {
        return;
    };
    if let Some(namespaces) = &allowed.namespaces {
        let from = namespaces.from.as_deref().unwrap_or("Same");
        let at = at.field("namespaces");
        one_of(from, &["All", "Selector", "Same"], &at.field("from"), sink);
    }
    let at = at.field("kinds");
    most(allowed.kinds.len(), 8, &at, sink);
    for (index, kind) in allowed.kinds.iter().enumerate() {
        required(&kind.kind, &at.index(index).field("kind"), sink);
    }
}

/// A TLSRoute.
pub(super) fn tls_route(spec: &raw::TlsRoute, sink: &mut Sink<'_>) {
    let at = At::ROOT.field("spec");
    parent_refs(&spec.parent_refs, &at.field("parentRefs"), sink);
    hostnames(&spec.hostnames, &at.field("hostnames"), sink);
    stream_rules(&spec.rules, &at.field("rules"), sink);
}

/// A TCPRoute.
pub(super) fn tcp_route(spec: &raw::TcpRoute, sink: &mut Sink<'_>) {
    let at = At::ROOT.field("spec");
    parent_refs(&spec.parent_refs, &at.field("parentRefs"), sink);
    stream_rules(&spec.rules, &at.field("rules"), sink);
}

fn stream_rules(rules: &[raw::StreamRouteRule], at: &At<'_>, sink: &mut Sink<'_>) {
    if rules.is_empty() {
        sink.push(at, Code::MISSING_FIELD, "a route needs a rule");
    }
    most(rules.len(), MOST_RULES, at, sink);
    rule_names(rules.iter().map(|rule| rule.name.as_deref()), at, sink);
    for (index, rule) in rules.iter().enumerate() {
        let at = at.index(index);
        let at = at.field("backendRefs");
        if rule.backend_refs.is_empty() {
            sink.push(&at, Code::MISSING_FIELD, "a rule needs a backend");
        }
        most(rule.backend_refs.len(), 16, &at, sink);
        for (index, one) in rule.backend_refs.iter().enumerate() {
            let (group, kind) = (one.group.as_deref(), one.kind.as_deref());
            let target = (group, kind, &*one.name, one.port);
            backend(target, one.weight, &at.index(index), sink);
        }
    }
}

/// A ReferenceGrant.
pub(super) fn reference_grant(spec: &raw::ReferenceGrant, sink: &mut Sink<'_>) {
    let at = At::ROOT.field("spec");
    for (field, count) in [("from", spec.from.len()), ("to", spec.to.len())] {
        let at = at.field(field);
        if count == 0 {
            sink.push(&at, Code::MISSING_FIELD, format!("`{field}` is needed"));
        }
        most(count, 16, &at, sink);
    }
    let from = at.field("from");
    for (index, one) in spec.from.iter().enumerate() {
        let at = from.index(index);
        required(&one.kind, &at.field("kind"), sink);
        required(&one.namespace, &at.field("namespace"), sink);
    }
    let to = at.field("to");
    for (index, one) in spec.to.iter().enumerate() {
        required(&one.kind, &to.index(index).field("kind"), sink);
    }
}

/// The parents of any route.
pub(super) fn parent_refs(all: &[raw::ParentReference], at: &At<'_>, sink: &mut Sink<'_>) {
    most(all.len(), 32, at, sink);
    let mut seen: Vec<(&str, &str, &str, &str, &str, i32)> = Vec::new();
    for (index, one) in all.iter().enumerate() {
        let at = at.index(index);
        required(&one.name, &at.field("name"), sink);
        port(one.port, &at, sink);
        let key = (
            one.group.as_deref().unwrap_or(GROUP),
            one.kind.as_deref().unwrap_or("Gateway"),
            one.namespace.as_deref().unwrap_or_default(),
            &*one.name,
            one.section_name.as_deref().unwrap_or_default(),
            one.port.unwrap_or(0),
        );
        let is_same = |other: &&(&str, &str, &str, &str, &str, i32)| {
            (other.0, other.1, other.2, other.3) == (key.0, key.1, key.2, key.3)
        };
        let clashes = seen.iter().filter(is_same).any(|other| {
            let is_whole =
                |one: &(&str, &str, &str, &str, &str, i32)| one.4.is_empty() && one.5 == 0;
            (other.4, other.5) == (key.4, key.5) || is_whole(other) != is_whole(&key)
        });
        if clashes {
            let message = format!(
                "`{}` is named twice: then each needs another `sectionName` or `port`",
                one.name
            );
            sink.push(&at, Code::CONFLICTING_FIELDS, message);
        }
        seen.push(key);
    }
}

/// The hosts of a route.
pub(super) fn hostnames(all: &[String], at: &At<'_>, sink: &mut Sink<'_>) {
    most(all.len(), 16, at, sink);
    for (index, one) in all.iter().enumerate() {
        hostname(one, true, &at.index(index), sink);
    }
}

/// A host: letters, digits, `-` and dots; perhaps with `*.` in front.
pub(super) fn hostname(text: &str, may_be_wildcard: bool, at: &At<'_>, sink: &mut Sink<'_>) {
    let name = match may_be_wildcard {
        true => text.strip_prefix("*.").unwrap_or(text),
        false => text,
    };
    if text.is_empty() || kubernetes::subdomain(name).is_err() {
        let message = format!("`{text}` is not a host name");
        sink.push(at, Code::INVALID_HOST, message);
    }
}

/// Group, kind, name and port of a backend, and its weight.
pub(super) fn backend(
    (group, kind, name, number): (Option<&str>, Option<&str>, &str, Option<i32>),
    weight: Option<i32>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    required(name, &at.field("name"), sink);
    port(number, at, sink);
    let is_service = group.unwrap_or_default().is_empty() && kind.unwrap_or("Service") == "Service";
    if is_service && number.is_none() {
        sink.push(
            &at.field("port"),
            Code::MISSING_FIELD,
            "a Service needs a port",
        );
    }
    if let Some(weight) = weight
        && !(0..=1_000_000).contains(&weight)
    {
        let message = format!("weight `{weight}` is not in the range 0 to 1000000");
        sink.push(&at.field("weight"), Code::INVALID_WEIGHT, message);
    }
}

/// The names of rules are different.
pub(super) fn rule_names<'n>(
    names: impl Iterator<Item = Option<&'n str>>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    let mut seen = HashSet::new();
    for (index, name) in names.enumerate() {
        if name.is_some_and(|name| !seen.insert(name)) {
            let at = at.index(index);
            let message = format!("another rule has the name `{}`", name.unwrap_or_default());
            sink.push(&at.field("name"), Code::INVALID_NAME, message);
        }
    }
}

/// A text that must be there.
pub(super) fn required(text: &str, at: &At<'_>, sink: &mut Sink<'_>) {
    if text.is_empty() {
        sink.push(at, Code::MISSING_FIELD, "the field is required");
    }
}

/// A port, if there is one.
pub(super) fn port(number: Option<i32>, at: &At<'_>, sink: &mut Sink<'_>) {
    if let Some(number) = number
        && !(1..=65535).contains(&number)
    {
        let message = format!("`{number}` is not a port");
        sink.push(&at.field("port"), Code::INVALID_PORT, message);
    }
}

/// So many elements at most.
pub(super) fn most(count: usize, most: usize, at: &At<'_>, sink: &mut Sink<'_>) {
    if count > most {
        let message = format!("{count} elements are more than the {most} that are allowed");
        sink.push(at, Code::INVALID_LIMIT, message);
    }
}

/// One of some words.
pub(super) fn one_of(text: &str, known: &[&str], at: &At<'_>, sink: &mut Sink<'_>) {
    if !known.contains(&text) {
        let message = format!("`{text}` is not one of {}", known.join(", "));
        sink.push(at, Code::UNKNOWN_ENUM_VALUE, message);
    }
}
