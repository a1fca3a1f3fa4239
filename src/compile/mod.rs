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
use crate::router::{ClusterSide, Router, RouterIds, Tables};
use crate::terms::hash::HashMap;
use crate::terms::proxy::{Proxy, ProxyKind};
use crate::terms::threads;

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

/// Two views of a mesh with fewer VirtualServices are made before another thread has started.
const WORTHWHILE: usize = 200;

impl Router {
    /// Compiles what `proxy` sees of `mesh` into an immutable table.
    ///
    /// # Complexity
    /// Linear in the resources that the proxy's namespace sees. With the feature `parallel`, the two views of a proxy that is
    /// sidecar and gateway, and the indexes of many rule lists, are made on several threads.
    pub fn compile(mesh: &Mesh, proxy: &Proxy) -> Router {
        Router::compile_with(mesh, proxy, &mut RouterIds::default())
    }

    /// The same, where names of clusters have the ids that they had before.
    pub(crate) fn compile_with(mesh: &Mesh, proxy: &Proxy, ids: &mut RouterIds) -> Router {
        let mut tables = Tables {
            namespace: proxy.namespace().into(),
            ..Tables::default()
        };
        let sidecar = || {
            let scope = Scope::sidecar(mesh, proxy);
            let clusters = RefCell::new(Clusters::new(&scope, &mut ids.mesh));
            let view = Sidecar::new(proxy, &scope, &clusters).view();
            let all = clusters.borrow_mut().take_all();
            (view, http_ports(&scope), all)
        };
        let gateway = || {
            let scope = Scope::gateway(mesh, proxy);
            let clusters = RefCell::new(Clusters::new(&scope, &mut ids.gateway));
            let (view, bindings) = Gateway::new(proxy, &scope, &clusters).view();
            let all = clusters.borrow_mut().take_all();
            (view, bindings, all)
        };
        let (is_sidecar, is_gateway) = (
            proxy.kind() != ProxyKind::Gateway,
            proxy.kind() != ProxyKind::Sidecar,
        );
        let is_large = mesh.inner.virtual_services.len() > WORTHWHILE;
        let (sidecar, gateway) = threads::both(
            is_sidecar && is_gateway && is_large,
            || is_sidecar.then(sidecar),
            || is_gateway.then(gateway),
        );
        if let Some((view, http_ports, clusters)) = sidecar {
            tables.clusters.set(ClusterSide::Mesh, clusters);
            tables.mesh = Some(view);
            tables.http_ports = http_ports;
        }
        if let Some((view, bindings, clusters)) = gateway {
            tables.clusters.set(ClusterSide::Gateway, clusters);
            tables.gateway = Some(view);
            tables.bindings = bindings.into();
        }
        Router::new(tables)
    }
}

/// The first HTTP (or detected) port of each service, for the simple door.
fn http_ports(scope: &Scope<'_>) -> Arc<HashMap<Box<str>, u16>> {
    use crate::mesh::service::Protocol;
    // Of equal names the first counts.
    let mut ports: HashMap<Box<str>, u16> =
        HashMap::with_capacity_and_hasher(scope.services().len(), Default::default());
    let with_port = scope.services().iter().filter_map(|service| {
        let port = service
            .ports()
            .iter()
            .find(|port| port.protocol.is_http() || port.protocol == Protocol::Unsupported)?;
        Some((service.hostname().to_ascii_lowercase().into(), port.number))
    });
    for (name, port) in with_port {
        ports.entry(name).or_insert(port);
    }
    Arc::new(ports)
}
