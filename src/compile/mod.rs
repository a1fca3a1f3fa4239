//! Verb 3: one mesh, one proxy, one immutable router. Cannot fail.
//!
//! ```text
//! Mesh + Proxy -> Scope (what it sees) -> Clusters (where that ends)
//!              -> sidecar:  listeners, virtual hosts: the first VirtualService of a host owns it
//!              -> gateway:  merged servers, virtual hosts: VirtualServices of a host are joined
//! ```
//! Each fact that depends on the proxy is settled here: visibility, selectors, `match.gateways`, `port`,
//! `sourceLabels`, default ports, clusters and their policies. What does not is shared from the mesh.

use crate::mesh::Mesh;
use crate::router::Router;
use crate::terms::proxy::Proxy;

mod arbitration;
mod clusters;
mod compiled;
mod compiler;
mod domains;
mod gateway;
mod gateway_hosts;
mod gateway_routes;
mod gateway_tables;
mod gateway_tcp;
mod http_rules;
mod on_port;
mod openers;
mod outbound_listeners;
mod rank;
mod reached;
mod references;
mod scope;
mod sidecar;
mod sidecar_hosts;
mod sidecar_listeners;
mod sidecar_port;
mod sidecar_tables;
mod sidecar_tcp;
mod stale;
mod tcp_filters;

pub(crate) use compiled::{Compiled, Extent};
pub use compiler::Compiler;

impl Router {
    /// Compiles what `proxy` sees of `mesh` into an immutable table.
    ///
    /// # Complexity
    /// Linear in the resources that the proxy's namespace sees. With the feature `parallel`, the two views of a proxy that is
    /// sidecar and gateway, and the indexes of many rule lists, are made on several threads.
    pub fn compile(mesh: &Mesh, proxy: &Proxy) -> Router {
        Compiled::new(mesh, proxy).into_router()
    }
}
