//! Verb 3: one mesh, one proxy, one immutable router. Cannot fail.
//!
//! ```text
//! Mesh + Proxy -> Scope (what it sees) -> Clusters (where that ends)
//!              -> sidecar:  listeners, virtual hosts: the first VirtualService of a host owns it
//!              -> gateway:  merged servers, virtual hosts: VirtualServices of a host are joined
//! ```
//! Each fact that depends on the proxy is settled here: visibility, selectors, `match.gateways`, `port`,
//! `sourceLabels`, default ports, clusters and their policies. What does not is shared from the mesh.

use std::cell::RefCell;
use std::sync::Arc;

use crate::mesh::Mesh;
use crate::router::{Router, Tables};
use crate::terms::proxy::{Proxy, ProxyKind};

mod bound_services;
mod clusters;
mod domains;
mod gateway;
mod gateway_hosts;
mod gateway_tcp;
mod http_rules;
mod scope;
mod sidecar;
mod sidecar_hosts;
mod sidecar_listeners;
mod sidecar_port;
mod sidecar_tcp;
mod tcp_filters;
mod update;

use clusters::Clusters;
use gateway::Gateway;
use scope::Scope;
use sidecar::Sidecar;

impl Router {
    /// Compiles what `proxy` sees of `mesh` into an immutable table.
    ///
    /// # Complexity
    /// Linear in the resources that the proxy's namespace sees.
    pub fn compile(mesh: &Mesh, proxy: &Proxy) -> Router {
        let mut tables = Tables {
            namespace: proxy.namespace().into(),
            ..Tables::default()
        };
        if proxy.kind() != ProxyKind::Gateway {
            let scope = Scope::sidecar(mesh, proxy);
            let clusters = RefCell::new(Clusters::new(&scope));
            tables.mesh = Some(Sidecar::new(proxy, &scope, &clusters).view());
            tables.http_ports = http_ports(&scope);
        }
        if proxy.kind() != ProxyKind::Sidecar {
            let scope = Scope::gateway(mesh, proxy);
            let clusters = RefCell::new(Clusters::new(&scope));
            let (view, bindings) = Gateway::new(proxy, &scope, &clusters).view();
            tables.gateway = Some(view);
            tables.bindings = bindings.into();
        }
        Router::new(tables)
    }
}

/// The first HTTP (or detected) port of each service, for the simple door.
fn http_ports(scope: &Scope<'_>) -> Arc<[(Box<str>, u16)]> {
    use crate::mesh::service::Protocol;
    let mut ports: Vec<(Box<str>, u16)> = scope
        .services()
        .iter()
        .filter_map(|service| {
            let port = service
                .ports()
                .iter()
                .find(|port| port.protocol.is_http() || port.protocol == Protocol::Unsupported)?;
            Some((service.hostname().to_ascii_lowercase().into(), port.number))
        })
        .collect();
    // Of equal names the first counts.
    ports.sort_by(|(a, _), (b, _)| a.cmp(b));
    ports.dedup_by(|(later, _), (first, _)| later == first);
    ports.into()
}
