//! Where a request ends: a cluster with the policy and the workloads that Istio resolved for it. Rules name it by its id.

use std::fmt;
use std::sync::Arc;

use crate::terms::cluster::ClusterName;
use crate::terms::endpoint::Endpoint;
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;
use crate::terms::route_error::RouteError;
use crate::terms::traffic_policy::{ProxyProtocol, TrafficPolicy};

use super::cluster_settings::{ClusterSettings, Discovery, UpstreamProtocol};
use super::endpoint_set::{EndpointSet, LbEndpoint};
use super::upstream_tls::{ClusterTls, UpstreamTls};

/// Names a cluster of a router, as rules do: routes stay what they are when clusters change (in Envoy: RDS and CDS).
///
/// It means the same cluster in a router and in those that [follow](crate::live) it for as long as they have that cluster. The
/// id of one that is gone names none for at least one update, and may then name another: who keeps something by id drops what
/// [`Router::cluster`](super::Router::cluster) does not know after each update, or compares [names](Cluster::name).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(u32);

impl ClusterId {
    /// The lowest bit says which side of a proxy it is a cluster of: both see services in their own way.
    pub(crate) fn new(side: ClusterSide, index: u32) -> Self {
        ClusterId(index << 1 | side as u32)
    }

    /// As a number, which means nothing by itself.
    pub fn number(self) -> u32 {
        self.0
    }

    /// Of a [`number`](Self::number).
    pub fn from_number(number: u32) -> Self {
        ClusterId(number)
    }

    /// The side, as a place of a list of both.
    pub(crate) fn side(self) -> usize {
        (self.0 & 1) as usize
    }

    /// The place among the clusters of the side.
    pub(crate) fn index(self) -> usize {
        (self.0 >> 1) as usize
    }
}

impl fmt::Debug for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterId({})", self.0)
    }
}

/// A side of a proxy, which has its own clusters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ClusterSide {
    /// The outbound side of a sidecar.
    #[default]
    Mesh,
    /// A gateway.
    Gateway,
}

/// What a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClusterKind {
    /// A port of a service, perhaps a subset of it.
    Outbound,
    /// The original destination of the connection.
    Passthrough,
    /// Nowhere: the connection is closed.
    BlackHole,
    /// Where the request's host resolves to (`ALLOW_ANY_DYNAMIC_DNS`).
    DynamicDns,
}

/// A destination as resolved for one proxy: what it is, and its endpoints, each of which changes without the other (in Envoy:
/// CDS and EDS). Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) facts: Arc<ClusterFacts>,
    pub(crate) endpoints: Arc<EndpointSet>,
}

/// What a cluster is, without its endpoints.
#[derive(Clone, PartialEq)]
pub(crate) struct ClusterFacts {
    /// Envoy's name: `outbound|80|v1|reviews.default.svc.cluster.local`, `PassthroughCluster`, `BlackHoleCluster`.
    pub name: Box<str>,
    pub kind: ClusterKind,
    /// Host, port and subset; `None` for passthrough and black hole.
    pub destination: Option<ClusterName>,
    /// Whether Envoy would have it: otherwise a request that is routed here is answered 503, or what its rule says (R-M-139).
    pub exists: bool,
    /// What selects the workloads behind it: the service's selector and the subset's labels together.
    pub labels: Arc<Labels>,
    pub settings: Arc<ClusterSettings>,
    pub tls: ClusterTls,
    pub proxy_protocol: Option<ProxyProtocol>,
    /// The DestinationRule that istiod says it came from.
    pub destination_rule: Option<ResourceName>,
    /// The DestinationRule policy that applies to it, merged and resolved; `None`: no DestinationRule says anything.
    pub traffic_policy: Option<Arc<TrafficPolicy>>,
}

impl ClusterFacts {
    /// Of a cluster that exists, of which nothing but its name is known.
    pub(crate) fn outbound(destination: ClusterName) -> Self {
        ClusterFacts {
            name: destination.to_string().into(),
            destination: Some(destination),
            ..ClusterFacts::named("", ClusterKind::Outbound)
        }
    }

    /// Of a cluster that is no service's.
    pub(crate) fn named(name: &str, kind: ClusterKind) -> Self {
        ClusterFacts {
            name: name.into(),
            kind,
            destination: None,
            exists: true,
            labels: Arc::default(),
            settings: Arc::default(),
            tls: ClusterTls::Plain,
            proxy_protocol: None,
            destination_rule: None,
            traffic_policy: None,
        }
    }
}

impl From<ClusterFacts> for Cluster {
    /// Without endpoints.
    fn from(facts: ClusterFacts) -> Self {
        Cluster {
            facts: Arc::new(facts),
            endpoints: Arc::default(),
        }
    }
}

impl Cluster {
    /// Envoy's name: `outbound|80|v1|reviews.default.svc.cluster.local`, `PassthroughCluster`, `BlackHoleCluster`.
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// What it is.
    pub fn kind(&self) -> ClusterKind {
        self.facts.kind
    }

    /// Host of the service; empty for passthrough and black hole.
    pub fn host(&self) -> &str {
        self.destination().map_or("", |name| &name.host)
    }

    /// Port of the service; `None` for passthrough and black hole.
    pub fn port(&self) -> Option<u16> {
        self.destination().map(|name| name.port)
    }

    /// The subset, if it is one.
    pub fn subset(&self) -> Option<&str> {
        let name = self.destination()?;
        name.subset.as_deref()
    }

    fn destination(&self) -> Option<&ClusterName> {
        self.facts.destination.as_ref()
    }

    /// Why a host that leads here by the simple door leads nowhere; `None`: it is a destination.
    pub(crate) fn refusal(&self) -> Option<RouteError> {
        match self.facts.kind {
            ClusterKind::Passthrough | ClusterKind::DynamicDns => Some(RouteError::Passthrough),
            ClusterKind::BlackHole => Some(RouteError::Blocked),
            ClusterKind::Outbound if self.facts.exists && self.facts.destination.is_some() => None,
            ClusterKind::Outbound => Some(RouteError::NoSuchDestination),
        }
    }

    /// Whether a proxy would have it: a request that is routed to one that does not exist is answered 503, or what its rule says (R-M-139).
    pub fn exists(&self) -> bool {
        self.facts.exists
    }

    /// What selects the workloads behind it: the service's selector and the subset's labels together.
    pub fn labels(&self) -> &Labels {
        &self.facts.labels
    }

    /// How it is found, spoken to and balanced over, every default filled in.
    pub fn settings(&self) -> &Arc<ClusterSettings> {
        &self.facts.settings
    }

    /// How its endpoints are found.
    pub fn discovery(&self) -> Discovery {
        self.facts.settings.discovery
    }

    /// What is spoken to its endpoints where it is HTTP.
    pub fn protocol(&self) -> UpstreamProtocol {
        self.facts.settings.protocol
    }

    /// When its endpoints are spoken to by TLS, and how.
    pub fn tls(&self) -> &ClusterTls {
        &self.facts.tls
    }

    /// How `endpoint` is spoken to; `None`: in plain text.
    pub fn tls_of(&self, endpoint: &LbEndpoint<'_>) -> Option<&UpstreamTls> {
        self.facts.tls.of(endpoint.is_mutual_tls())
    }

    /// The version of the PROXY protocol by which endpoints are told the client's address; `None`: they are not.
    pub fn proxy_protocol(&self) -> Option<ProxyProtocol> {
        self.facts.proxy_protocol
    }

    /// `namespace/name` of the DestinationRule that it comes from.
    pub fn destination_rule(&self) -> Option<&ResourceName> {
        self.facts.destination_rule.as_ref()
    }

    /// Its endpoints by locality and priority, as a proxy is told of them. As long as it is the same (`Arc::ptr_eq`), none has
    /// changed.
    pub fn endpoint_set(&self) -> &Arc<EndpointSet> {
        &self.endpoints
    }

    /// The endpoints behind it that the configuration holds: those of the [set](Self::endpoint_set), and those without an
    /// address.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.all()
    }

    /// The port of `endpoint` that serves this cluster.
    pub fn endpoint_port(&self, endpoint: &Endpoint) -> Option<u16> {
        self.endpoints.port_of(endpoint)
    }

    /// The workloads (Deployment, Pod, WorkloadEntry) behind it that the configuration holds.
    pub fn workloads(&self) -> impl Iterator<Item = &ResourceName> {
        self.endpoints()
            .filter_map(|endpoint| endpoint.workload.as_ref())
    }

    /// The DestinationRule policy that applies to it, merged and resolved; `None`: nothing says anything.
    pub fn traffic_policy(&self) -> Option<&Arc<TrafficPolicy>> {
        self.facts.traffic_policy.as_ref()
    }
}
