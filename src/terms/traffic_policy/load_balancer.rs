//! `loadBalancer`: how an endpoint is chosen (R-M-088..R-M-091).

use crate::terms::route_policy::HashKey;

use super::locality::{LocalityLoadBalancing, ZoneAwareLoadBalancing};
use super::warmup::Warmup;

/// `loadBalancer`.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct LoadBalancer {
    /// `simple` or `consistentHash`. Ignored where the service is reached by its original destination (R-M-088).
    pub balancing: LoadBalancing,
    /// `localityLbSetting`: replaces the mesh's setting as a whole (R-M-093); unset: the mesh's.
    pub locality: Option<LocalityLoadBalancing>,
    /// `zoneAwareLbSetting`: beats `locality` (R-M-094).
    pub zone_aware: Option<ZoneAwareLoadBalancing>,
    /// `warmup`, or the deprecated `warmupDurationSecs`; acts on round robin and least request only (R-M-092).
    pub warmup: Option<Warmup>,
}

short_debug! { LoadBalancer {balancing, locality, zone_aware, warmup} }

/// The algorithm.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum LoadBalancing {
    /// The endpoint with the fewest requests under way: `LEAST_REQUEST`, the deprecated `LEAST_CONN`, and what an unset
    /// algorithm means.
    #[default]
    LeastRequest,
    /// `RANDOM`.
    Random,
    /// `ROUND_ROBIN`.
    RoundRobin,
    /// `PASSTHROUGH`: the address that the client meant; the endpoints are not used.
    Passthrough,
    /// `consistentHash`.
    ConsistentHash(ConsistentHash),
}

short_debug! { enum LoadBalancing {LeastRequest, Random, RoundRobin, Passthrough, ConsistentHash(part)} }

/// `consistentHash`.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ConsistentHash {
    /// What is hashed; `None`: nothing, so that the choice is random (R-M-089).
    pub key: Option<HashKey>,
    /// How the hash chooses.
    pub algorithm: HashAlgorithm,
}

short_debug! { ConsistentHash {key, algorithm} }

/// The hash algorithm (R-M-091).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// A hash ring of at least so many virtual nodes: 1024 where no algorithm is named; `None`: Envoy's default.
    RingHash {
        /// Virtual nodes.
        minimum_size: Option<u64>,
    },
    /// Maglev with a table of so many entries, a prime; `None`: 65 537.
    Maglev {
        /// Entries.
        table_size: Option<u64>,
    },
}

impl LoadBalancer {
    /// `consistentHash`, if that is the algorithm.
    pub fn consistent_hash(&self) -> Option<&ConsistentHash> {
        match &self.balancing {
            LoadBalancing::ConsistentHash(hash) => Some(hash),
            _ => None,
        }
    }
}
