//! From a router's tables to Envoy's configuration.

mod cluster;
mod endpoints;
mod listener;
mod matches;
mod route;
mod upstream;

use std::collections::BTreeSet;
use std::time::Duration;

use super::EnvoyConfig;
use crate::router::{ClusterId, ClusterSide, Discovery, RouteConfigId, Router, Tables, View};
use crate::terms::name::ResourceName;
use crate::terms::origin::Origin;

use super::model::{ConfigSource, Empty, Metadata, RouteConfiguration, Span};

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
            writer.clusters(&mut config);
        }
        config
    }
}

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

    /// The clusters of the side that are there, and the endpoints of those that do not say theirs; the one that leads nowhere
    /// always is, as in every Envoy of istiod's.
    fn clusters(&self, config: &mut EnvoyConfig) {
        let all = self.tables.clusters.iter();
        let own = all.filter(|(id, _)| id.side() == self.side as usize);
        for (_, found) in own.filter(|(_, cluster)| cluster.exists()) {
            config.clusters.push(cluster::cluster(found));
            if found.discovery() == Discovery::Eds {
                config.endpoints.push(endpoints::assignment(found));
            }
        }
        if !config
            .clusters
            .iter()
            .any(|cluster| cluster.name == cluster::BLACK_HOLE)
        {
            config.clusters.push(cluster::black_hole());
        }
    }

    fn cluster_name(&self, id: ClusterId) -> String {
        self.tables.clusters.cluster(id).name().to_owned()
    }
}

/// Where a route was written, as istiod says it.
fn metadata(origin: &Origin) -> Metadata {
    let author = origin.root();
    let kind = match author.kind() {
        "VirtualService" => "virtual-service",
        kind => kind,
    };
    istio_metadata(kind, author.resource())
}

/// A resource of Istio's, as istiod names it.
fn istio_metadata(kind: &str, resource: &ResourceName) -> Metadata {
    let (namespace, name) = (&resource.namespace, &resource.name);
    let config = format!("/apis/networking.istio.io/v1/namespaces/{namespace}/{kind}/{name}");
    let istio = serde_json::json!({ "config": config });
    Metadata {
        filter_metadata: [("istio".to_owned(), istio)].into(),
    }
}

/// From the server that everything comes from.
fn from_server() -> ConfigSource {
    ConfigSource {
        ads: Some(Empty {}),
        resource_api_version: Some("V3".to_owned()),
        initial_fetch_timeout: Some(Span(Duration::ZERO)),
    }
}
