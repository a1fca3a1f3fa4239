//! Clusters: where a rule's destination ends, by Envoy's name and with what Istio resolved for it.

use std::fmt;

/// The name of an outbound cluster: prints `outbound|port|subset|host` (R-H-107, R-M-136).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct ClusterName {
    /// Service port.
    pub port: u16,
    /// Subset.
    pub subset: Option<Box<str>>,
    /// Host as the destination names it.
    pub host: Box<str>,
}

short_debug! { ClusterName {port, subset, host} }

impl ClusterName {
    /// The cluster of `host` at `port`, or that of one of its subsets.
    pub fn new(host: &str, port: u16, subset: Option<&str>) -> Self {
        ClusterName {
            port,
            subset: subset.map(Into::into),
            host: host.into(),
        }
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subset = self.subset.as_deref().unwrap_or_default();
        write!(f, "outbound|{}|{subset}|{}", self.port, self.host)
    }
}
