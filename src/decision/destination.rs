//! The answer of the simple door: a destination, or why there is none.

use std::fmt;

use serde::Serialize;

use crate::router::{Cluster, ClusterId, ClusterTable};
use crate::terms::endpoint::Endpoint;
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;
use crate::terms::short::Short;
use crate::terms::traffic_policy::TrafficPolicy;

/// Where a host leads: a port of a service, perhaps a subset of it, and the workloads behind. Prints
/// `host:port` or `host:port subset`.
#[derive(Clone, Copy)]
pub struct Destination<'r> {
    clusters: &'r ClusterTable,
    /// Not followed before something is asked: where the cluster is in no cache, to find it costs more than to route.
    id: ClusterId,
}

impl<'r> Destination<'r> {
    /// Of a cluster that has a host and a port.
    #[inline]
    pub(crate) fn new(clusters: &'r ClusterTable, id: ClusterId) -> Self {
        Destination { clusters, id }
    }

    /// A number that depends on the answer, without a look at the cluster. For benches.
    #[doc(hidden)]
    pub fn place(&self) -> usize {
        self.id.number() as usize
    }

    /// Names the cluster: found without a look at it.
    pub fn id(&self) -> ClusterId {
        self.id
    }

    /// Fully qualified host of the service.
    pub fn host(&self) -> &'r str {
        self.cluster().host()
    }

    /// The subset, if it is one.
    pub fn subset(&self) -> Option<&'r str> {
        self.cluster().subset()
    }

    /// Port of the service.
    pub fn port(&self) -> u16 {
        // A destination always has one.
        self.cluster().port().unwrap_or_default()
    }

    /// What selects the workloads: the service's selector and the subset's labels together.
    pub fn labels(&self) -> &'r Labels {
        self.cluster().labels()
    }

    /// The workloads (Deployment, Pod, WorkloadEntry) behind it that the configuration holds, in its order.
    pub fn workloads(&self) -> impl Iterator<Item = &'r ResourceName> + use<'r> {
        self.cluster().workloads()
    }

    /// The endpoints behind it that the configuration holds, in its order.
    pub fn endpoints(&self) -> impl Iterator<Item = &'r Endpoint> + use<'r> {
        self.cluster().endpoints()
    }

    /// What the DestinationRules say for it; `None`: nothing.
    pub fn traffic_policy(&self) -> Option<&'r TrafficPolicy> {
        self.cluster().traffic_policy().map(|policy| &**policy)
    }

    /// The cluster: the same destination in Envoy's words.
    pub fn cluster(&self) -> &'r Cluster {
        self.clusters.cluster(self.id)
    }

    /// What it says, as a record that lives on its own.
    pub fn record(&self) -> DestinationRecord {
        DestinationRecord {
            host: self.host().into(),
            port: self.port(),
            subset: self.subset().map(Into::into),
            cluster: self.cluster().name().into(),
            labels: self
                .labels()
                .iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
            workloads: self.workloads().map(ToString::to_string).collect(),
        }
    }
}

impl fmt::Debug for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Destination({:?})", Short(self.cluster().name()))
    }
}

impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host(), self.port())?;
        match self.subset() {
            Some(subset) => write!(f, " {subset}"),
            None => Ok(()),
        }
    }
}

/// A [`Destination`] that lives on its own.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DestinationRecord {
    /// Fully qualified host of the service.
    pub host: String,
    /// Port of the service.
    pub port: u16,
    /// The subset, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subset: Option<String>,
    /// Envoy's name of the cluster.
    pub cluster: String,
    /// What selects the workloads.
    pub labels: std::collections::BTreeMap<String, String>,
    /// `namespace/name` of the workloads behind it.
    pub workloads: Vec<String>,
}

short_debug! { DestinationRecord {host, port, subset, cluster, labels, workloads} }
