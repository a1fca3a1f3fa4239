//! From a router's tables to Envoy's configuration.

mod base64;
mod listener;
mod matches;
mod route;

use std::collections::BTreeSet;

use super::EnvoyConfig;
use crate::router::{ClusterId, RouteConfigId, Router, Tables, View};
use crate::terms::origin::Origin;

use super::model::{Metadata, RouteConfiguration};

impl Router {
    /// Envoy's configuration of the same routing, in the v3 API: what istiod would send to an Envoy of this proxy, without
    /// what has nothing to do with routing (certificates, access logs, tracing, statistics, Istio's own filters).
    ///
    /// A router of both sides, as the default [`Proxy`](crate::Proxy) has, says of each listener of its gateways that it is
    /// theirs (metadata `meshroute`, `side`).
    ///
    /// # Complexity
    /// Linear in what the router holds.
    pub fn to_envoy(&self) -> EnvoyConfig {
        let tables = &*self.tables;
        let mut config = EnvoyConfig::default();
        let has_both = tables.mesh.is_some() && tables.gateway.is_some();
        for (view, is_gateway) in [(&tables.mesh, false), (&tables.gateway, true)] {
            let Some(view) = view else { continue };
            let writer = Writer { tables, view };
            let side = if is_gateway {
                listener::Side::Gateway {
                    is_marked: has_both,
                }
            } else {
                listener::Side::Mesh
            };
            config.listeners.extend(writer.listeners(side));
            config.routes.extend(writer.routes());
        }
        config
    }
}

/// Writes one side of a proxy.
struct Writer<'r> {
    tables: &'r Tables,
    view: &'r View,
}

impl Writer<'_> {
    /// The route configurations that listeners name, each once.
    fn routes(&self) -> Vec<RouteConfiguration> {
        let mut seen: BTreeSet<RouteConfigId> = BTreeSet::new();
        let chains = self
            .view
            .listeners()
            .iter()
            .flat_map(|listener| listener.chains());
        let ids = chains.filter_map(|chain| chain.route_config());
        ids.filter(|id| seen.insert(*id))
            .map(|id| self.route_config(self.view.route_config(id)))
            .collect()
    }

    fn cluster_name(&self, id: ClusterId) -> String {
        self.tables.clusters.cluster(id).name().to_owned()
    }
}

/// Where a route was written, as istiod says it.
fn metadata(origin: &Origin) -> Metadata {
    let author = origin.root();
    let resource = author.resource();
    let kind = match author.kind() {
        "VirtualService" => "virtual-service",
        kind => kind,
    };
    let config = format!(
        "/apis/networking.istio.io/v1/namespaces/{}/{kind}/{}",
        resource.namespace, resource.name
    );
    let istio = serde_json::json!({ "config": config });
    Metadata {
        filter_metadata: [("istio".to_owned(), istio)].into(),
    }
}
