//! The answer of the simple door: a destination, or why there is none.

use std::fmt;

use serde::Serialize;

use crate::router::Cluster;
use crate::terms::endpoint::Endpoint;
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;
use crate::terms::traffic_policy::TrafficPolicy;

/// Where a host leads: a port of a service, perhaps a subset of it, and the workloads behind. Prints
/// `host:port` or `host:port subset`.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'r> {
    pub(crate) cluster: &'r Cluster,
    pub(crate) port: u16,
}

impl<'r> Destination<'r> {
    /// `None` where the cluster has no host and port: passthrough, black hole.
    pub(crate) fn new(cluster: &'r Cluster) -> Option<Self> {
        let port = cluster.port()?;
        Some(Destination { cluster, port })
    }

    /// Fully qualified host of the service.
    pub fn host(&self) -> &'r str {
        self.cluster.host()
    }

    /// The subset, if it is one.
    pub fn subset(&self) -> Option<&'r str> {
        self.cluster.subset()
    }

    /// Port of the service.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What selects the workloads: the service's selector and the subset's labels together.
    pub fn labels(&self) -> &'r Labels {
        self.cluster.labels()
    }

    /// The workloads (Deployment, Pod, WorkloadEntry) behind it that the configuration holds, in its order.
    pub fn workloads(&self) -> impl Iterator<Item = &'r ResourceName> + use<'r> {
        self.cluster.workloads()
    }

    /// The endpoints behind it that the configuration holds, in its order.
    pub fn endpoints(&self) -> impl Iterator<Item = &'r Endpoint> + use<'r> {
        self.cluster.endpoints()
    }

    /// What the DestinationRules say for it; `None`: nothing.
    pub fn traffic_policy(&self) -> Option<&'r TrafficPolicy> {
        self.cluster.traffic_policy().map(|policy| &**policy)
    }

    /// The cluster: the same destination in Envoy's words.
    pub fn cluster(&self) -> &'r Cluster {
        self.cluster
    }

    /// The same in a form that lives on its own.
    pub fn to_owned(&self) -> OwnedDestination {
        OwnedDestination {
            host: self.host().into(),
            port: self.port,
            subset: self.subset().map(Into::into),
            cluster: self.cluster.name().into(),
            labels: self
                .labels()
                .iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
            workloads: self.workloads().map(ToString::to_string).collect(),
        }
    }
}

impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host(), self.port)?;
        match self.subset() {
            Some(subset) => write!(f, " {subset}"),
            None => Ok(()),
        }
    }
}

/// A [`Destination`] that lives on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OwnedDestination {
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

/// Why a host leads nowhere by the simple door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// No Gateway of that name is bound to this proxy.
    #[error("no gateway of this name is bound to this proxy")]
    UnknownGateway,
    /// The Gateway has no server with HTTP routes for the host.
    #[error("no server of the gateway admits the host")]
    HostNotAdmitted,
    /// Nothing listens where the host would be asked for.
    #[error("nothing listens for this connection")]
    NoListener,
    /// No virtual host answers for the host.
    #[error("no virtual host answers for the host")]
    NoVirtualHost,
    /// No rule of the virtual host takes `GET /`.
    #[error("no rule of the host takes `GET /`")]
    NoRule,
    /// The host name cannot be asked for at all.
    #[error("this is no host name")]
    BadHost,
    /// The rule redirects.
    #[error("the rule redirects with status {0}")]
    Redirect(u16),
    /// The rule answers directly, as a sidecar does for an unknown host under `REGISTRY_ONLY`.
    #[error("the rule answers directly with status {0}")]
    DirectResponse(u16),
    /// An injected fault answers.
    #[error("an injected fault answers with status {0}")]
    Fault(u16),
    /// Nothing claims the host, so a sidecar lets the connection through to wherever it was going.
    #[error("nothing claims the host: the connection passes through to its original destination")]
    Passthrough,
    /// The connection is closed, as it is for an unknown destination under `REGISTRY_ONLY`.
    #[error("the connection is closed")]
    Blocked,
    /// The rule names a service, port or subset that does not exist: 503.
    #[error("the destination does not exist")]
    NoSuchDestination,
}
