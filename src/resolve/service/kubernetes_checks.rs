//! What Kubernetes' API server refuses of the fields that are read here, whatever istiod would make of it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::diagnostic::{At, Code};
use crate::resolve::Sink;
use crate::resolve::check::{kubernetes, network};
use crate::resource::{self as raw, IntOrString};

const SERVICE_TYPES: [&str; 4] = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"];
const ADDRESS_TYPES: [&str; 3] = ["IPv4", "IPv6", "FQDN"];
const TRAFFIC_DISTRIBUTIONS: [&str; 3] = ["PreferClose", "PreferSameZone", "PreferSameNode"];

/// Pushes everything that is wrong with a Service.
pub(super) fn service(spec: &raw::Service, at: &At<'_>, sink: &mut Sink<'_>) {
    one_of("type", &spec.r#type, &SERVICE_TYPES, at, sink);
    let distribution = &spec.traffic_distribution;
    one_of(
        "trafficDistribution",
        distribution,
        &TRAFFIC_DISTRIBUTIONS,
        at,
        sink,
    );
    cluster_ip(&spec.cluster_ip, &at.field("clusterIP"), sink);
    let list = at.field("clusterIPs");
    for (index, text) in spec.cluster_ips.iter().enumerate() {
        cluster_ip(text, &list.index(index), sink);
    }
    if spec.r#type == "ExternalName" {
        let at = at.field("externalName");
        match spec.external_name.as_str() {
            "" => sink.push(
                &at,
                Code::MISSING_FIELD,
                "an `ExternalName` service needs a name",
            ),
            name => drop(sink.check(&at, Code::INVALID_HOST, kubernetes::dns_name(name))),
        }
    }
    labels(&spec.selector, &at.field("selector"), sink);
    let list = at.field("ports");
    let mut taken = BTreeSet::new();
    for (index, port) in spec.ports.iter().enumerate() {
        let at = list.index(index);
        if !port.name.is_empty() {
            let verdict = kubernetes::label(&port.name);
            sink.check(&at.field("name"), Code::INVALID_NAME, verdict);
        }
        protocol(&port.protocol, &at, sink);
        let transport = match port.protocol.as_str() {
            "" => "TCP",
            transport => transport,
        };
        if !taken.insert((transport, port.port)) {
            let message = format!("port `{}` of {transport} is there already", port.port);
            sink.push(&at.field("port"), Code::DUPLICATE_PORT, message);
        }
        let target = at.field("targetPort");
        match &port.target_port {
            Some(IntOrString::Int(number)) if *number != 0 => {
                number_of(*number, &target, sink);
            }
            Some(IntOrString::String(name)) if !name.is_empty() => {
                sink.check(&target, Code::INVALID_NAME, kubernetes::port_name(name));
            }
            _ => {}
        }
        if port.node_port != 0 {
            number_of(port.node_port, &at.field("nodePort"), sink);
        }
    }
}

/// Pushes everything that is wrong with a Pod.
pub(super) fn pod(pod: &raw::Pod, sink: &mut Sink<'_>) {
    containers(&pod.spec, &At::ROOT.field("spec"), sink);
    if !pod.status.pod_ip.is_empty() {
        let status = At::ROOT.field("status");
        let verdict = network::ip(&pod.status.pod_ip);
        sink.check(&status.field("podIP"), Code::INVALID_ADDRESS, verdict);
    }
}

/// Pushes everything that is wrong with a Deployment.
pub(super) fn deployment(spec: &raw::Deployment, sink: &mut Sink<'_>) {
    let at = At::ROOT.field("spec");
    if let Some(replicas) = spec.replicas.filter(|replicas| *replicas < 0) {
        let message = format!("`{replicas}` is no number of pods");
        sink.push(&at.field("replicas"), Code::INVALID_NUMBER, message);
    }
    if let Some(selector) = &spec.selector {
        let at = at.field("selector");
        labels(&selector.match_labels, &at.field("matchLabels"), sink);
    }
    if let Some(template) = &spec.template {
        let at = at.field("template");
        let metadata = at.field("metadata");
        labels(&template.metadata.labels, &metadata.field("labels"), sink);
        containers(&template.spec, &at.field("spec"), sink);
    }
}

/// Pushes everything that is wrong with an EndpointSlice.
pub(super) fn endpoint_slice(slice: &raw::EndpointSlice, sink: &mut Sink<'_>) {
    one_of(
        "addressType",
        &slice.address_type,
        &ADDRESS_TYPES,
        &At::ROOT,
        sink,
    );
    let list = At::ROOT.field("endpoints");
    for (index, endpoint) in slice.endpoints.iter().enumerate() {
        let at = list.index(index);
        let addresses = at.field("addresses");
        if endpoint.addresses.is_empty() {
            let message = "an endpoint needs an address";
            sink.push(&addresses, Code::MISSING_FIELD, message);
        }
        for (index, text) in endpoint.addresses.iter().enumerate() {
            let verdict = address(text, &slice.address_type);
            sink.check(&addresses.index(index), Code::INVALID_ADDRESS, verdict);
        }
    }
    let list = At::ROOT.field("ports");
    let mut names = BTreeSet::new();
    for (index, port) in slice.ports.iter().enumerate() {
        let at = list.index(index);
        if !port.name.is_empty() {
            let verdict = kubernetes::label(&port.name);
            sink.check(&at.field("name"), Code::INVALID_NAME, verdict);
        }
        if !names.insert(&port.name) {
            let message = format!("port name `{}` is used by another port", port.name);
            sink.push(&at.field("name"), Code::DUPLICATE_PORT, message);
        }
        protocol(&port.protocol, &at, sink);
        if let Some(number) = port.port {
            number_of(number, &at.field("port"), sink);
        }
    }
}

fn containers(spec: &raw::PodSpec, at: &At<'_>, sink: &mut Sink<'_>) {
    let list = at.field("containers");
    for (index, container) in spec.containers.iter().enumerate() {
        let at = list.index(index);
        let list = at.field("ports");
        for (index, port) in container.ports.iter().enumerate() {
            let at = list.index(index);
            number_of(port.container_port, &at.field("containerPort"), sink);
            protocol(&port.protocol, &at, sink);
            if !port.name.is_empty() {
                let verdict = kubernetes::port_name(&port.name);
                sink.check(&at.field("name"), Code::INVALID_NAME, verdict);
            }
        }
    }
}

fn one_of(field: &'static str, text: &str, values: &[&str], at: &At<'_>, sink: &mut Sink<'_>) {
    if text.is_empty() || values.contains(&text) {
        return;
    }
    let message = format!("`{text}` is not one of `{}`", values.join("`, `"));
    sink.push(&at.field(field), Code::UNKNOWN_ENUM_VALUE, message);
}

fn cluster_ip(text: &str, at: &At<'_>, sink: &mut Sink<'_>) {
    if !matches!(text, "" | "None") {
        sink.check(at, Code::INVALID_ADDRESS, network::ip(text));
    }
}

fn address(text: &str, address_type: &str) -> Result<(), String> {
    let is_right = match address_type {
        "IPv4" => matches!(text.parse(), Ok(IpAddr::V4(_))),
        "IPv6" => matches!(text.parse(), Ok(IpAddr::V6(_))),
        "FQDN" => return kubernetes::dns_name(text),
        _ => true,
    };
    match is_right {
        true => Ok(()),
        false => Err(format!("`{text}` is not an {address_type} address")),
    }
}

fn protocol(text: &str, at: &At<'_>, sink: &mut Sink<'_>) {
    let verdict = kubernetes::protocol(text);
    sink.check(&at.field("protocol"), Code::UNSUPPORTED_PROTOCOL, verdict);
}

fn number_of(number: i32, at: &At<'_>, sink: &mut Sink<'_>) -> bool {
    let verdict = match u32::try_from(number) {
        Ok(number) => network::port(number),
        Err(_) => Err(format!(
            "port number `{number}` is not in the range 1 to 65535"
        )),
    };
    sink.check(at, Code::INVALID_PORT, verdict)
}

fn labels(all: &raw::Labels, at: &At<'_>, sink: &mut Sink<'_>) {
    for (key, value) in all {
        let at = at.key(key);
        sink.check(&at, Code::INVALID_LABEL, kubernetes::key(key));
        sink.check(&at, Code::INVALID_LABEL, kubernetes::label_value(value));
    }
}
