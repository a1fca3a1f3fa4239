//! Clusters: where a rule's destination ends, by Envoy's name and with what Istio resolved for it.

use std::fmt;

/// The name of an outbound cluster: prints `outbound|port|subset|host` (R-H-107, R-M-136).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct ClusterName {
    /// Service port.
    pub port: u16,
    /// Subset; empty: none.
    pub subset: Box<str>,
    /// Host as the destination names it.
    pub host: Box<str>,
}

impl ClusterName {
    /// The cluster of `host` at `port` without a subset.
    pub fn new(host: &str, port: u16, subset: &str) -> Self {
        ClusterName {
            port,
            subset: subset.into(),
            host: host.into(),
        }
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "outbound|{}|{}|{}", self.port, self.subset, self.host)
    }
}
