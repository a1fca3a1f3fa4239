//! From a router's tables to Envoy's configuration.

mod base64;
mod listener;
mod matches;
mod route;

use std::collections::BTreeSet;

use super::EnvoyConfig;
use crate::router::{ClusterId, ClusterSide, RouteConfigId, Router, Tables, View};
use crate::terms::origin::Origin;

use super::model::{Cluster, Metadata, RouteConfiguration};

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
            let (side, cluster_side) = match is_gateway {
                true => {
                    let is_marked = has_both;
                    (listener::Side::Gateway { is_marked }, ClusterSide::Gateway)
                }
                false => (listener::Side::Mesh, ClusterSide::Mesh),
            };
            let writer = Writer {
                tables,
                view,
                side: cluster_side,
            };
            config.listeners.extend(writer.listeners(side));
            config.routes.extend(writer.routes());
            config.clusters.extend(writer.clusters());
        }
        config
    }
}

/// The cluster that leads nowhere.
const BLACK_HOLE: &str = "BlackHoleCluster";

/// Writes one side of a proxy.
struct Writer<'r> {
    tables: &'r Tables,
    view: &'r View,
    side: ClusterSide,
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

    /// The clusters of the side that are there; the one that leads nowhere always is, as in every Envoy of istiod's.
    fn clusters(&self) -> Vec<Cluster> {
        let all = self.tables.clusters.iter();
        let own = all.filter(|(id, _)| id.side() == self.side as usize);
        let there = own
            .map(|(_, cluster)| cluster)
            .filter(|cluster| cluster.exists());
        let named = |name: &str| Cluster {
            name: name.to_owned(),
        };
        let mut out: Vec<Cluster> = there.map(|cluster| named(cluster.name())).collect();
        if !out.iter().any(|cluster| cluster.name == BLACK_HOLE) {
            out.push(named(BLACK_HOLE));
        }
        out
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
