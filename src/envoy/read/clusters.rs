//! Clusters by name: what routes lead to.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::envoy::EnvoyConfig;
use crate::router::{Cluster, ClusterFacts, ClusterId, ClusterKind, ClusterSide};
use crate::terms::cluster::ClusterName;

/// The names of a side, each with its id.
pub(super) struct Names<'c> {
    side: ClusterSide,
    ids: HashMap<Arc<str>, ClusterId>,
    /// In the order of their ids.
    list: Vec<Arc<str>>,
    /// Those that are there; `None`: nobody says.
    given: Option<HashSet<&'c str>>,
}

impl<'c> Names<'c> {
    pub(super) fn new(side: ClusterSide, config: &'c EnvoyConfig) -> Self {
        let names = config.clusters.iter().map(|cluster| cluster.name.as_str());
        Names {
            side,
            ids: HashMap::new(),
            list: Vec::new(),
            given: (!config.clusters.is_empty()).then(|| names.collect()),
        }
    }

    pub(super) fn id(&mut self, name: &str) -> ClusterId {
        if let Some(known) = self.ids.get(name) {
            return *known;
        }
        let id = ClusterId::new(self.side, self.list.len() as u32);
        let name: Arc<str> = name.into();
        self.ids.insert(Arc::clone(&name), id);
        self.list.push(name);
        id
    }

    /// The clusters in the order of their ids.
    pub(super) fn finish(self) -> Vec<Cluster> {
        let exists = |name: &str| self.given.as_ref().is_none_or(|given| given.contains(name));
        let clusters = self.list.iter().map(|name| {
            let mut facts = facts(name);
            facts.exists &= exists(name);
            Cluster::from(facts)
        });
        clusters.collect()
    }
}

/// What a name says.
fn facts(name: &str) -> ClusterFacts {
    if let Some(destination) = destination(name) {
        return ClusterFacts {
            destination: Some(destination),
            ..ClusterFacts::named(name, ClusterKind::Outbound)
        };
    }
    let kind = match name {
        "PassthroughCluster" => ClusterKind::Passthrough,
        "BlackHoleCluster" => ClusterKind::BlackHole,
        "AllowAnyDynamicDNSCluster" => ClusterKind::DynamicDns,
        _ => ClusterKind::Outbound,
    };
    ClusterFacts {
        exists: name != "UnknownService",
        ..ClusterFacts::named(name, kind)
    }
}

/// Of `outbound|port|subset|host`.
fn destination(name: &str) -> Option<ClusterName> {
    let mut parts = name.split('|');
    let ("outbound", port, subset, host) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?)
    else {
        return None;
    };
    let is_whole = parts.next().is_none();
    let subset = Some(subset).filter(|subset| !subset.is_empty());
    is_whole.then_some(ClusterName::new(host, port.parse().ok()?, subset))
}
