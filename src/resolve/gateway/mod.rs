//! Gateway: servers typed, hosts normalised, everything checked that Istio's admission checks (R-M-015, R-M-177..R-M-181).

use std::collections::HashSet;

use crate::diagnostic::{At, Code};
use crate::mesh;
use crate::mesh::gateway::Server;
use crate::resource as raw;
use crate::resource::{self, Document};
use crate::terms::name::ResourceName;

use super::check::{domain, labels};
use super::{Context, Sink};

mod hosts;
mod port;
mod tls;

/// The Gateway of a document. `None` after an error was pushed.
pub(crate) fn gateway(
    document: &Document<resource::Gateway>,
    _cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<mesh::Gateway> {
    let meta = &document.meta;
    let written = &document.spec;
    let at = At::ROOT;
    let spec = at.field("spec");
    if !domain::is_label(&meta.name) {
        sink.push(
            &at.field("metadata").field("name"),
            Code::INVALID_NAME,
            format!(
                "`{}` is not the name of a gateway: one label without dots",
                meta.name
            ),
        );
    }
    check_selector(written, &spec, sink);
    let list = spec.field("servers");
    if written.servers.is_empty() {
        sink.push(
            &list,
            Code::MISSING_FIELD,
            "a gateway needs at least one server",
        );
    }
    let mut names = HashSet::new();
    let servers = written
        .servers
        .iter()
        .enumerate()
        .filter_map(|(index, server)| {
            let at = list.index(index);
            let name = server.port.as_ref().map_or("", |port| &port.name);
            if !name.is_empty() && !names.insert(name) {
                sink.push(
                    &at.field("port").field("name"),
                    Code::INVALID_NAME,
                    format!("port name `{name}` is used by another server of this gateway"),
                );
            }
            resolve_server(server, &meta.namespace, &at, sink)
        })
        .collect();
    (!sink.failed()).then(|| mesh::Gateway {
        resource: ResourceName::new(&meta.namespace, &meta.name),
        creation: meta.creation_timestamp.unwrap_or(0),
        selector: Some(
            written
                .selector
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
        )
        .filter(|_| !written.selector.is_empty()),
        services: None,
        servers,
    })
}

fn check_selector(written: &resource::Gateway, spec: &At<'_>, sink: &mut Sink<'_>) {
    let at = spec.field("selector");
    for (key, value) in &written.selector {
        let at = at.key(key);
        sink.check(&at, Code::INVALID_LABEL, labels::key(key));
        sink.check(&at, Code::INVALID_LABEL, labels::value(value));
    }
}

fn resolve_server(
    written: &raw::Server,
    namespace: &str,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<Server> {
    hosts::check(written, at, sink);
    let bind = port::check_bind(written, at, sink);
    if !written.default_endpoint.is_empty() {
        sink.push(
            &at.field("defaultEndpoint"),
            Code::FIELD_WITHOUT_EFFECT,
            "`defaultEndpoint` has no effect in Istio",
        );
    }
    let Some(port) = &written.port else {
        sink.push(
            &at.field("port"),
            Code::MISSING_FIELD,
            "a server needs a port",
        );
        return None;
    };
    let protocol = port::check(port, bind.is_socket, &at.field("port"), sink);
    let tls = tls::resolve(written, protocol, at, sink);
    let number = u16::try_from(port.number).ok()?;
    Some(Server {
        port: number,
        port_name: port.name.as_str().into(),
        protocol,
        protocol_text: port.protocol.as_str().into(),
        hosts: hosts::typed(&written.hosts, namespace),
        bind: bind.address,
        tls,
    })
}
