//! What Istio's admission asks of a ServiceEntry (R-M-182, R-M-183).

use std::collections::BTreeSet;

use crate::diagnostic::{At, Code};
use crate::mesh::service::Protocol;
use crate::resolve::Sink;
use crate::resolve::check::{domain, export_to, network};
use crate::resource::{
    Metadata, ServiceEntry, ServiceEntryLocation, ServiceEntryResolution, ServicePort,
};

use super::workload_entry::{self, Addresses, check_port_name};

/// Pushes everything that is wrong with `entry`.
pub(super) fn check(meta: &Metadata, entry: &ServiceEntry, at: &At<'_>, sink: &mut Sink<'_>) {
    check_selector(entry, at, sink);
    check_hosts(entry, at, sink);
    check_addresses(entry, at, sink);
    check_ports(entry, at, sink);
    match entry.resolution {
        ServiceEntryResolution::None => check_none(entry, at, sink),
        ServiceEntryResolution::Static => check_endpoints(entry, Addresses::IpOrUnix, at, sink),
        ServiceEntryResolution::Dns | ServiceEntryResolution::DnsRoundRobin => {
            check_dns(entry, at, sink);
        }
        ServiceEntryResolution::DynamicDns => check_dynamic_dns(meta, entry, at, sink),
    }
    check_hosts_told_apart(entry, at, sink);
    let list = at.field("exportTo");
    export_to::entries(&entry.export_to, &meta.namespace, true, |index, message| {
        sink.push(&list.index(index), Code::INVALID_EXPORT_TO, message);
    });
}

fn check_selector(entry: &ServiceEntry, at: &At<'_>, sink: &mut Sink<'_>) {
    let Some(selector) = &entry.workload_selector else {
        return;
    };
    let at = at.field("workloadSelector");
    check_selector_labels(&selector.labels, &at.field("labels"), sink);
    if selector.labels.is_empty() {
        sink.push(
            &at,
            Code::SELECTOR_WITHOUT_LABELS,
            "a selector without labels selects every workload of the namespace",
        );
    }
    if !entry.endpoints.is_empty() {
        sink.push(
            &at,
            Code::CONFLICTING_FIELDS,
            "`workloadSelector` and `endpoints` cannot both be set",
        );
    }
    if entry.resolution == ServiceEntryResolution::None {
        sink.push(
            &at,
            Code::WITHOUT_EFFECT,
            "`workloadSelector` has no effect with the resolution `NONE`",
        );
    }
}

/// Labels of a `workloadSelector`: no empty key, no wildcard (R-M-169).
pub(in crate::resolve) fn check_selector_labels(
    labels: &crate::resource::Labels,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    for (key, value) in labels {
        if key.is_empty() {
            let message = format!("the selector has an empty key, for `{value}`");
            sink.push(at, Code::INVALID_LABEL, message);
        } else if key.contains('*') || value.contains('*') {
            let message = format!("`{key}: {value}` has a wildcard, which selectors do not know");
            sink.push(&at.key(key), Code::INVALID_LABEL, message);
        }
    }
}

fn check_hosts(entry: &ServiceEntry, at: &At<'_>, sink: &mut Sink<'_>) {
    let list = at.field("hosts");
    if entry.hosts.is_empty() {
        let message = "a service entry needs at least one host";
        sink.push(&list, Code::MISSING_FIELD, message);
    }
    for (index, host) in entry.hosts.iter().enumerate() {
        let at = list.index(index);
        if host == "*" {
            let message = "the host of a service entry cannot be `*`";
            sink.push(&at, Code::INVALID_HOST, message);
            continue;
        }
        let valid = sink.check(&at, Code::INVALID_HOST, domain::wildcard_domain(host));
        if valid && host.starts_with('*') && !host.starts_with("*.") {
            let message = format!("`{host}` has a wildcard for a part of a label");
            sink.push(&at, Code::PARTIAL_WILDCARD, message);
        }
    }
}

fn check_addresses(entry: &ServiceEntry, at: &At<'_>, sink: &mut Sink<'_>) {
    let list = at.field("addresses");
    let takes_blocks = matches!(
        entry.resolution,
        ServiceEntryResolution::None | ServiceEntryResolution::Static
    );
    for (index, address) in entry.addresses.iter().enumerate() {
        let at = list.index(index);
        sink.check(&at, Code::INVALID_ADDRESS, network::subnet(address));
        if address.contains('/') && !takes_blocks {
            let message = format!("`{address}`: a block needs the resolution `NONE` or `STATIC`");
            sink.push(&at, Code::INVALID_ADDRESS, message);
        }
    }
}

fn check_ports(entry: &ServiceEntry, at: &At<'_>, sink: &mut Sink<'_>) {
    let list = at.field("ports");
    let mut names = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for (index, port) in entry.ports.iter().enumerate() {
        let at = list.index(index);
        if !names.insert(port.name.as_str()) {
            let message = format!("port name `{}` is used by another port", port.name);
            sink.push(&at.field("name"), Code::DUPLICATE_PORT, message);
        }
        if !numbers.insert(port.number) {
            let message = format!("port number `{}` is used by another port", port.number);
            sink.push(&at.field("number"), Code::DUPLICATE_PORT, message);
        }
        check_port_name(&port.name, &at.field("name"), sink);
        check_protocol(&port.protocol, &at.field("protocol"), sink);
        let number_at = at.field("number");
        sink.check(&number_at, Code::INVALID_PORT, network::port(port.number));
        if port.target_port != 0 {
            let target_at = at.field("targetPort");
            sink.check(
                &target_at,
                Code::INVALID_PORT,
                network::port(port.target_port),
            );
        }
        let is_tcp = port.protocol.is_empty() || Protocol::parse(&port.protocol) == Protocol::Tcp;
        if is_tcp && entry.addresses.is_empty() {
            sink.push_with_help(
                &at,
                Code::TCP_WITHOUT_ADDRESS,
                format!(
                    "port `{}` is TCP, and the service has no address",
                    port.number
                ),
                "give it `addresses`; istiod may allocate one by itself, which is not done here",
            );
        }
    }
}

/// A protocol that Istio knows; empty: detected from the bytes.
pub(in crate::resolve) fn check_protocol(text: &str, at: &At<'_>, sink: &mut Sink<'_>) {
    if !text.is_empty() && Protocol::parse(text) == Protocol::Unsupported {
        let message = format!("`{text}` is not a protocol that Istio knows");
        sink.push(at, Code::UNSUPPORTED_PROTOCOL, message);
    }
}

fn check_none(entry: &ServiceEntry, at: &At<'_>, sink: &mut Sink<'_>) {
    if !entry.endpoints.is_empty() {
        sink.push(
            &at.field("endpoints"),
            Code::CONFLICTING_FIELDS,
            "a service entry with the resolution `NONE` cannot have endpoints",
        );
    }
}

fn check_endpoints(entry: &ServiceEntry, addresses: Addresses, at: &At<'_>, sink: &mut Sink<'_>) {
    let ports: BTreeSet<&str> = entry.ports.iter().map(|port| port.name.as_str()).collect();
    let list = at.field("endpoints");
    for (index, endpoint) in entry.endpoints.iter().enumerate() {
        workload_entry::check(endpoint, addresses, Some(&ports), &list.index(index), sink);
    }
}

fn check_dns(entry: &ServiceEntry, at: &At<'_>, sink: &mut Sink<'_>) {
    if entry.endpoints.is_empty() {
        let list = at.field("hosts");
        for (index, host) in entry.hosts.iter().enumerate() {
            if let Err(reason) = domain::fqdn(host) {
                let message =
                    format!("without endpoints, DNS must be able to resolve the host: {reason}");
                sink.push(&list.index(index), Code::INVALID_HOST, message);
            }
        }
    }
    if entry.resolution == ServiceEntryResolution::DnsRoundRobin && entry.endpoints.len() > 1 {
        sink.push(
            &at.field("endpoints"),
            Code::CONFLICTING_FIELDS,
            "a service entry with the resolution `DNS_ROUND_ROBIN` has at most one endpoint",
        );
    }
    check_endpoints(entry, Addresses::IpOrHost, at, sink);
    // What Istio calls TCP: everything that it routes by address and server name.
    let has_tcp = entry.ports.iter().any(|port| {
        matches!(
            protocol(port),
            Protocol::Tcp
                | Protocol::Https
                | Protocol::Tls
                | Protocol::Mongo
                | Protocol::Redis
                | Protocol::Mysql
        )
    });
    if !entry.addresses.is_empty() && entry.hosts.len() > 1 && has_tcp {
        sink.push(
            &at.field("addresses"),
            Code::WITHOUT_EFFECT,
            "several hosts share an address: TCP traffic to it goes to one of them",
        );
    }
}

fn check_dynamic_dns(meta: &Metadata, entry: &ServiceEntry, at: &At<'_>, sink: &mut Sink<'_>) {
    let hosts_at = at.field("hosts");
    for (index, host) in entry.hosts.iter().enumerate() {
        if !host.starts_with('*') {
            let message = format!("`{host}`: the resolution `DYNAMIC_DNS` is for wildcards");
            sink.push(&hosts_at.index(index), Code::INVALID_HOST, message);
        }
    }
    for (field, is_set) in [
        ("addresses", !entry.addresses.is_empty()),
        ("endpoints", !entry.endpoints.is_empty()),
    ] {
        if is_set {
            let message = format!("`{field}` cannot be set with the resolution `DYNAMIC_DNS`");
            sink.push(&at.field(field), Code::CONFLICTING_FIELDS, message);
        }
    }
    let ports_at = at.field("ports");
    for (index, port) in entry.ports.iter().enumerate() {
        let allowed = matches!(
            protocol(port),
            Protocol::Http | Protocol::Http2 | Protocol::Grpc | Protocol::Tls
        );
        if !allowed {
            let message = format!("`{}` cannot be resolved by `DYNAMIC_DNS`", port.protocol);
            let at = ports_at.index(index);
            sink.push(&at.field("protocol"), Code::UNSUPPORTED_PROTOCOL, message);
        }
    }
    let uses_waypoint = meta.labels.contains_key("istio.io/use-waypoint");
    if entry.location == ServiceEntryLocation::MeshInternal && uses_waypoint {
        sink.push(
            &at.field("location"),
            Code::CONFLICTING_FIELDS,
            "a service entry with the resolution `DYNAMIC_DNS` and a waypoint cannot be `MESH_INTERNAL`",
        );
    }
}

/// Several hosts of one port: HTTP tells them apart by the authority, TLS by the server name, others not at all (R-M-183).
fn check_hosts_told_apart(entry: &ServiceEntry, at: &At<'_>, sink: &mut Sink<'_>) {
    if entry.resolution == ServiceEntryResolution::None || entry.hosts.len() < 2 {
        return;
    }
    let list = at.field("ports");
    for (index, port) in entry.ports.iter().enumerate() {
        if !protocol(port).is_http() && !protocol(port).is_tls() {
            sink.push(
                &list.index(index),
                Code::HOSTS_NOT_TOLD_APART,
                format!(
                    "several hosts share port `{}`, which is neither HTTP nor TLS",
                    port.number
                ),
            );
        }
    }
}

fn protocol(port: &ServicePort) -> Protocol {
    Protocol::parse(&port.protocol)
}
