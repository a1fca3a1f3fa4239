//! WorkloadEntries: workloads outside of Kubernetes, as resources of their own and as `endpoints` of a ServiceEntry
//! (R-M-132, R-M-184).

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::mesh::service::Health;
use crate::resolve::check::{domain, labels, network};
use crate::resolve::{Sink, not_empty};
use crate::resource;
use crate::terms::address::Address;
use crate::terms::labels::Labels;

use super::workloads::{
    NamedPort, PLACE_LABELS, Workload, WorkloadKind, pair, takes_mutual_tls, tls_mode,
};

const UNIX: &str = "unix://";

/// What an address may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addresses {
    /// IP address or Unix socket.
    IpOrUnix,
    /// IP address or host name.
    IpOrHost,
    /// Any of them.
    Any,
}

/// A WorkloadEntry resource; `None` iff it is invalid.
pub(super) fn workload_entry(
    document: &resource::Document<resource::WorkloadEntry>,
    sink: &mut Sink<'_>,
) -> Option<Workload> {
    let entry = &document.spec;
    check(entry, Addresses::Any, None, &At::ROOT.field("spec"), sink);
    let own = entry.labels.iter().map(pair);
    let all = own.chain(document.meta.labels.iter().map(pair));
    let labels = Arc::new(with_derived(all.collect(), entry));
    let workload = Workload {
        kind: WorkloadKind::WorkloadEntry,
        resource: document.meta.qualified_name(),
        address: Address::parse(&entry.address),
        endpoint_labels: Arc::clone(&labels),
        has_sidecar: has_sidecar(&labels, entry),
        labels,
        named_ports: named_ports(entry),
        weight: entry.weight.max(1),
        locality: not_empty(&entry.locality),
        network: not_empty(&entry.network),
        health: Health::Healthy,
        service_account: not_empty(&entry.service_account),
        facts: OnceCell::new(),
    };
    (!sink.failed()).then_some(workload)
}

/// Labels of an inline endpoint with those that follow from its place (R-M-133).
pub(super) fn inline_labels(entry: &resource::WorkloadEntry) -> Labels {
    with_derived(entry.labels.iter().map(pair).collect(), entry)
}

/// Whether a sidecar takes mutual TLS for it: by its label, else by whether it has an identity.
pub(super) fn has_sidecar(labels: &Labels, entry: &resource::WorkloadEntry) -> bool {
    match tls_mode(labels) {
        Some(mode) if !mode.is_empty() => takes_mutual_tls(mode),
        _ => !entry.service_account.is_empty(),
    }
}

fn with_derived(mut labels: Labels, entry: &resource::WorkloadEntry) -> Labels {
    let mut parts = entry.locality.splitn(3, '/');
    for key in PLACE_LABELS {
        if let Some(part) = parts.next().filter(|part| !part.is_empty()) {
            labels.insert(key, part);
        }
    }
    if !entry.network.is_empty() {
        labels.insert("topology.istio.io/network", entry.network.as_str());
    }
    labels
}

fn named_ports(entry: &resource::WorkloadEntry) -> Vec<NamedPort> {
    let ports = entry.ports.iter();
    ports
        .filter_map(|(name, number)| {
            Some(NamedPort {
                name: name.as_str().into(),
                number: u16::try_from(*number).ok()?,
                udp: false,
            })
        })
        .collect()
}

/// Checks a WorkloadEntry; `service_ports` are the port names of the ServiceEntry that it is an endpoint of.
pub(super) fn check(
    entry: &resource::WorkloadEntry,
    addresses: Addresses,
    service_ports: Option<&BTreeSet<&str>>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    let address_at = at.field("address");
    let address = entry.address.as_str();
    if address.is_empty() {
        if entry.network.is_empty() || addresses == Addresses::IpOrHost {
            sink.push(&address_at, Code::INVALID_ADDRESS, "an address is required");
        } else {
            sink.push(
                &address_at,
                Code::ADDRESS_UNSET,
                format!("no address, and network `{}`", entry.network),
            );
        }
        return;
    }
    match address.strip_prefix(UNIX) {
        Some(path) if addresses != Addresses::IpOrHost => {
            check_unix(entry, path, service_ports, at, sink);
        }
        _ => check_address(address, addresses, &address_at, sink),
    }
    let ports_at = at.field("ports");
    for (name, number) in &entry.ports {
        let port_at = ports_at.key(name);
        if service_ports.is_some_and(|ports| !ports.contains(name.as_str())) {
            sink.push(
                &port_at,
                Code::UNDEFINED_ENDPOINT_PORT,
                format!("the service entry has no port named `{name}`"),
            );
        }
        check_port_name(name, &port_at, sink);
        sink.check(&port_at, Code::INVALID_PORT, network::port(*number));
    }
    check_labels(&entry.labels, &at.field("labels"), sink);
}

fn check_address(address: &str, addresses: Addresses, at: &At<'_>, sink: &mut Sink<'_>) {
    if network::ip(address).is_ok() {
        return;
    }
    if addresses == Addresses::IpOrUnix {
        let message = format!("endpoint address `{address}` is not an IP address");
        sink.push(at, Code::INVALID_ADDRESS, message);
    } else if let Err(reason) = domain::fqdn(address) {
        let message = format!(
            "endpoint address `{address}` is neither an IP address nor a host name: {reason}"
        );
        sink.push(at, Code::INVALID_ADDRESS, message);
    }
}

fn check_unix(
    entry: &resource::WorkloadEntry,
    path: &str,
    service_ports: Option<&BTreeSet<&str>>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    let address_at = at.field("address");
    sink.check(&address_at, Code::INVALID_ADDRESS, unix_path(path));
    if !entry.ports.is_empty() {
        let message = format!("Unix socket `{}` cannot have ports", entry.address);
        sink.push(&at.field("ports"), Code::INVALID_ADDRESS, message);
    }
    if service_ports.is_some_and(|ports| ports.len() != 1) {
        sink.push(
            &address_at,
            Code::INVALID_ADDRESS,
            "a Unix socket needs a service entry with exactly one port",
        );
    }
}

/// The path of a Unix socket: absolute and not a directory, or abstract (`@name`).
pub(in crate::resolve) fn unix_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        Err("the path of a Unix socket cannot be empty".to_owned())
    } else if path.starts_with('@') || (path.starts_with('/') && !path.ends_with('/')) {
        Ok(())
    } else {
        Err(format!("`{path}` is not an absolute path of a Unix socket"))
    }
}

/// A port name is one label of a domain name.
pub(in crate::resolve) fn check_port_name(name: &str, at: &At<'_>, sink: &mut Sink<'_>) {
    if !domain::is_label(name) {
        let message = format!("`{name}` is not a port name");
        sink.push(at, Code::INVALID_NAME, message);
    }
}

/// Every key and value is one that Kubernetes accepts (R-M-144).
pub(in crate::resolve) fn check_labels(all: &resource::Labels, at: &At<'_>, sink: &mut Sink<'_>) {
    for (key, value) in all {
        let at = at.key(key);
        sink.check(&at, Code::INVALID_LABEL, labels::key(key));
        sink.check(&at, Code::INVALID_LABEL, labels::value(value));
    }
}
