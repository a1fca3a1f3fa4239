//! Where a request ends: a cluster with the policy and the workloads that Istio resolved for it. Rules name it by its id.

use std::fmt;
use std::sync::Arc;

use crate::terms::cluster::ClusterName;
use crate::terms::endpoint::Endpoint;
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;
use crate::terms::route_error::RouteError;
use crate::terms::traffic_policy::TrafficPolicy;

/// Names a cluster of a router, as rules do: routes stay what they are when clusters change (in Envoy: RDS and CDS).
/// It means the same cluster in a router and in those that [follow](crate::live) it, until one is made anew.
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

/// A destination as resolved for one proxy.
#[derive(Clone)]
pub struct Cluster {
    /// Envoy's name: `outbound|80|v1|reviews.default.svc.cluster.local`, `PassthroughCluster`, `BlackHoleCluster`.
    pub(crate) name: Box<str>,
    pub(crate) kind: ClusterKind,
    /// Host, port and subset; `None` for passthrough and black hole.
    pub(crate) destination: Option<ClusterName>,
    /// Whether Envoy would have it: otherwise a request that is routed here is answered 503, or what its rule says (R-M-139).
    pub(crate) exists: bool,
    /// What selects the workloads behind it: the service's selector and the subset's labels together.
    pub(crate) labels: Arc<Labels>,
    /// The endpoints of the service; `members` are the cluster's.
    pub(crate) pool: Arc<[Endpoint]>,
    /// Indexes in `pool`; `None`: all.
    pub(crate) members: Option<Box<[u32]>>,
    /// Name of the service port: what endpoints are asked by.
    pub(crate) port_name: Box<str>,
    /// The DestinationRule policy that applies to it, merged and resolved; `None`: no DestinationRule says anything.
    pub(crate) traffic_policy: Option<Arc<TrafficPolicy>>,
}

impl Cluster {
    /// A cluster that exists, of which nothing but its name is known.
    pub(crate) fn outbound(destination: ClusterName) -> Self {
        Cluster {
            name: destination.to_string().into(),
            destination: Some(destination),
            ..Cluster::unnamed(ClusterKind::Outbound)
        }
    }

    /// `PassthroughCluster`.
    pub(crate) fn passthrough() -> Self {
        Cluster {
            name: "PassthroughCluster".into(),
            ..Cluster::unnamed(ClusterKind::Passthrough)
        }
    }

    /// `AllowAnyDynamicDNSCluster`.
    pub(crate) fn dynamic_dns() -> Self {
        Cluster {
            name: "AllowAnyDynamicDNSCluster".into(),
            ..Cluster::unnamed(ClusterKind::DynamicDns)
        }
    }

    /// `BlackHoleCluster`.
    pub(crate) fn black_hole() -> Self {
        Cluster {
            name: "BlackHoleCluster".into(),
            ..Cluster::unnamed(ClusterKind::BlackHole)
        }
    }

    /// `UnknownService`: where a destination without a host leads (R-M-137).
    pub(crate) fn unknown_service() -> Self {
        Cluster {
            name: "UnknownService".into(),
            exists: false,
            ..Cluster::unnamed(ClusterKind::Outbound)
        }
    }

    fn unnamed(kind: ClusterKind) -> Self {
        Cluster {
            name: Box::default(),
            kind,
            destination: None,
            exists: true,
            labels: Arc::default(),
            pool: Arc::default(),
            members: None,
            port_name: Box::default(),
            traffic_policy: None,
        }
    }

    /// Envoy's name: `outbound|80|v1|reviews.default.svc.cluster.local`, `PassthroughCluster`, `BlackHoleCluster`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is.
    pub fn kind(&self) -> ClusterKind {
        self.kind
    }

    /// Host of the service; empty for passthrough and black hole.
    pub fn host(&self) -> &str {
        self.destination.as_ref().map_or("", |name| &name.host)
    }

    /// Port of the service; `None` for passthrough and black hole.
    pub fn port(&self) -> Option<u16> {
        self.destination.as_ref().map(|name| name.port)
    }

    /// The subset, if it is one.
    pub fn subset(&self) -> Option<&str> {
        let name = self.destination.as_ref()?;
        (!name.subset.is_empty()).then_some(&*name.subset)
    }

    /// Why a host that leads here by the simple door leads nowhere; `None`: it is a destination.
    pub(crate) fn refusal(&self) -> Option<RouteError> {
        match self.kind {
            ClusterKind::Passthrough | ClusterKind::DynamicDns => Some(RouteError::Passthrough),
            ClusterKind::BlackHole => Some(RouteError::Blocked),
            ClusterKind::Outbound if self.exists && self.destination.is_some() => None,
            ClusterKind::Outbound => Some(RouteError::NoSuchDestination),
        }
    }

    /// Whether a proxy would have it: a request that is routed to one that does not exist is answered 503, or what its rule says (R-M-139).
    pub fn exists(&self) -> bool {
        self.exists
    }

    /// What selects the workloads behind it: the service's selector and the subset's labels together.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The endpoints behind it that the configuration holds, in its order.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        let (all, some) = match &self.members {
            None => (&self.pool[..], &[][..]),
            Some(members) => (&[][..], &members[..]),
        };
        let some = some.iter().filter_map(|at| self.pool.get(*at as usize));
        all.iter().chain(some)
    }

    /// The port of `endpoint` that serves this cluster.
    pub fn endpoint_port(&self, endpoint: &Endpoint) -> Option<u16> {
        endpoint.port(&self.port_name)
    }

    /// The workloads (Deployment, Pod, WorkloadEntry) behind it that the configuration holds, in its order.
    pub fn workloads(&self) -> impl Iterator<Item = &ResourceName> {
        self.endpoints()
            .filter_map(|endpoint| endpoint.workload.as_ref())
    }

    /// The DestinationRule policy that applies to it, merged and resolved; `None`: nothing says anything.
    pub fn traffic_policy(&self) -> Option<&Arc<TrafficPolicy>> {
        self.traffic_policy.as_ref()
    }
}
