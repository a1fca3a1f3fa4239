//! Where a request ends: a cluster with the policy and the workloads that Istio resolved for it.

use std::sync::Arc;

use crate::terms::cluster::ClusterName;
use crate::terms::labels::Labels;
use crate::terms::traffic_policy::TrafficPolicy;

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
}

/// A destination as resolved for one proxy.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Envoy's name: `outbound|80|v1|reviews.default.svc.cluster.local`, `PassthroughCluster`, `BlackHoleCluster`.
    pub(crate) name: Box<str>,
    pub(crate) kind: ClusterKind,
    /// Host, port and subset; `None` for passthrough and black hole.
    pub(crate) destination: Option<ClusterName>,
    /// Whether Envoy would have it: otherwise a request that is routed here is answered 503 (R-M-139).
    pub(crate) exists: bool,
    /// What selects the workloads behind it: the service's selector and the subset's labels together.
    pub(crate) labels: Arc<Labels>,
    /// `namespace/name` of the workloads (Deployment, Pod, WorkloadEntry) behind it that the configuration holds.
    pub(crate) workloads: Arc<[Box<str>]>,
    /// The DestinationRule policy that applies to it, merged and resolved; `None`: no DestinationRule says anything.
    pub(crate) traffic_policy: Option<Arc<TrafficPolicy>>,
}
