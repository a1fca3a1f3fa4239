//! The pool of a cluster: its endpoints by priority, with what each algorithm needs, made once.

use std::collections::BTreeMap;

use super::maglev::Maglev;
use super::priority::{self, Count, Eligible, Load};
use super::ring::Ring;
use super::weights::{self, LocalityShare, Share};

/// How an endpoint is chosen by a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// A ring of at least and at most so many entries.
    RingHash {
        /// Envoy's `minimum_ring_size`.
        minimum: u64,
        /// Envoy's `maximum_ring_size`.
        maximum: u64,
    },
    /// A table of so many slots, a prime.
    Maglev {
        /// Envoy's `table_size`.
        table_size: u64,
    },
}

impl Algorithm {
    /// A ring with Envoy's limits: 1 024 and 8 388 608 entries.
    pub fn ring_hash() -> Self {
        Algorithm::RingHash {
            minimum: 1_024,
            maximum: 8_388_608,
        }
    }

    /// A Maglev table of Envoy's size: 65 537.
    pub fn maglev() -> Self {
        Algorithm::Maglev { table_size: 65_537 }
    }
}

/// How a pool chooses.
#[derive(Clone, PartialEq)]
pub struct Settings {
    algorithm: Algorithm,
    locality_weighted: bool,
    panic_threshold: f64,
}

short_debug! { Settings {algorithm, locality_weighted, panic_threshold} }

impl Settings {
    /// By this algorithm, without weights of localities, and never in panic (what istiod asks for, R-B-13).
    pub fn new(algorithm: Algorithm) -> Self {
        Settings {
            algorithm,
            locality_weighted: false,
            panic_threshold: 0.0,
        }
    }

    /// Localities share a priority by their weights (R-B-21).
    #[must_use]
    pub fn locality_weighted(mut self, yes: bool) -> Self {
        self.locality_weighted = yes;
        self
    }

    /// Below this share of healthy endpoints, in percent, all are eligible (R-B-13).
    #[must_use]
    pub fn panic_threshold(mut self, percent: f64) -> Self {
        self.panic_threshold = percent;
        self
    }
}

/// Whether an endpoint takes requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It does.
    #[default]
    Healthy,
    /// It does when too few are healthy.
    Degraded,
    /// It does in panic only.
    Unhealthy,
}

/// An endpoint of a pool.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    address: Box<str>,
    hash_key: Option<Box<str>>,
    weight: u32,
    health: Health,
}

short_debug! { Endpoint {address, hash_key, weight, health} }

impl Endpoint {
    /// A healthy endpoint of weight 1 at `address:port` (IPv6 in brackets).
    pub fn new(address: impl Into<Box<str>>) -> Self {
        Endpoint {
            address: address.into(),
            hash_key: None,
            weight: 1,
            health: Health::Healthy,
        }
    }

    /// Its weight; 0 counts as 1, as in Envoy.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight.max(1);
        self
    }

    /// Its health.
    #[must_use]
    pub fn health(mut self, health: Health) -> Self {
        self.health = health;
        self
    }

    /// What it is hashed by instead of its address (Envoy: `hash_key` of its `envoy.lb` metadata, R-B-30).
    #[must_use]
    pub fn hash_key(mut self, key: impl Into<Box<str>>) -> Self {
        self.hash_key = Some(key.into());
        self
    }

    /// `address:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn key(&self) -> &str {
        self.hash_key.as_deref().unwrap_or(&self.address)
    }
}

/// Endpoints of one locality and priority.
#[derive(Clone, PartialEq, Eq)]
pub struct Locality {
    name: Box<str>,
    priority: u32,
    weight: u32,
    endpoints: Vec<Endpoint>,
}

short_debug! { Locality {name, priority, weight, endpoints} }

impl Locality {
    /// Endpoints of priority 0 in `region/zone/sub_zone` (empty: nowhere in particular), whose locality weighs 1.
    pub fn new(name: impl Into<Box<str>>, endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        Locality {
            name: name.into(),
            priority: 0,
            weight: 1,
            endpoints: endpoints.into_iter().collect(),
        }
    }

    /// Its priority: 0 comes first.
    #[must_use]
    pub fn priority(mut self, priority: u32) -> Self {
        self.priority = priority;
        self
    }

    /// The weight of the locality; 0 takes no traffic where localities are weighted.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }
}

/// What a hash is looked up in.
#[derive(Clone, Debug)]
enum Table {
    Ring(Ring),
    Maglev(Maglev),
}

/// One priority: tables for its healthy endpoints, its degraded ones, and for all of them.
#[derive(Clone, Debug)]
struct Priority {
    healthy: Table,
    degraded: Option<Table>,
    all: Option<Table>,
}

/// The endpoints of a cluster, ready to be chosen from. Immutable; share it by `Arc`.
#[derive(Clone)]
pub struct Pool {
    endpoints: Box<[Endpoint]>,
    priorities: Box<[Priority]>,
    loads: Box<[Load]>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("endpoints", &self.endpoints.len())
            .field("priorities", &self.priorities.len())
            .finish_non_exhaustive()
    }
}

/// A locality of a priority, by the places of its endpoints in the pool.
struct Placed<'s> {
    name: &'s str,
    weight: u32,
    endpoints: Vec<u32>,
}

impl Pool {
    /// A pool of these localities, in the order of their endpoint assignment.
    ///
    /// # Complexity
    /// That of its rings or tables: a ring of n entries O(n log n), a Maglev table of m slots O(m) where weights are equal.
    pub fn new(settings: Settings, localities: impl IntoIterator<Item = Locality>) -> Self {
        let localities: Vec<Locality> = localities.into_iter().collect();
        let mut endpoints = Vec::new();
        let mut by_priority: BTreeMap<u32, Vec<Placed<'_>>> = BTreeMap::new();
        for locality in &localities {
            let first = endpoints.len() as u32;
            endpoints.extend(locality.endpoints.iter().cloned());
            by_priority
                .entry(locality.priority)
                .or_default()
                .push(Placed {
                    name: &locality.name,
                    weight: locality.weight,
                    endpoints: (first..endpoints.len() as u32).collect(),
                });
        }
        let count = |placed: &[Placed<'_>]| {
            let mut count = Count::default();
            for at in placed.iter().flat_map(|locality| &locality.endpoints) {
                count.all += 1;
                match endpoints[*at as usize].health {
                    Health::Healthy => count.healthy += 1,
                    Health::Degraded => count.degraded += 1,
                    Health::Unhealthy => {}
                }
            }
            count
        };
        let counts: Vec<Count> = by_priority.values().map(|placed| count(placed)).collect();
        let loads = priority::loads(&counts, settings.panic_threshold);
        let priorities = by_priority.values().zip(&loads).map(|(placed, load)| {
            let table = |of: Eligible| settings.table(&endpoints, placed, of);
            Priority {
                healthy: table(Eligible::Healthy),
                degraded: (load.degraded > 0).then(|| table(Eligible::Degraded)),
                all: load.panics.then(|| table(Eligible::All)),
            }
        });
        Pool {
            priorities: priorities.collect(),
            loads: loads.into(),
            endpoints: endpoints.into(),
        }
    }

    /// The endpoint of a request hash; `None`: none is eligible (503, `no healthy upstream`). Retries of one request give
    /// `attempt` 1, 2, ...: each moves on (R-B-32, R-B-41). The hash picks priority and endpoint (R-B-14).
    ///
    /// # Complexity
    /// Ring: logarithmic; Maglev: one load. No allocation.
    #[inline]
    pub fn choose_by_hash(&self, hash: u64, attempt: u32) -> Option<&Endpoint> {
        let (priority, eligible) = priority::choose(&self.loads, hash)?;
        let priority = self.priorities.get(priority)?;
        let table = match eligible {
            Eligible::Healthy => Some(&priority.healthy),
            Eligible::Degraded => priority.degraded.as_ref(),
            Eligible::All => priority.all.as_ref(),
        };
        let at = match table? {
            Table::Ring(ring) => ring.choose(hash, attempt),
            Table::Maglev(maglev) => maglev.choose(hash, attempt),
        };
        self.endpoints.get(at? as usize)
    }

    /// Its endpoints, in the order of the assignment.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }
}

impl Settings {
    /// The table of a priority for those of its endpoints that are eligible.
    fn table(&self, endpoints: &[Endpoint], placed: &[Placed<'_>], of: Eligible) -> Table {
        let is_eligible = |at: &u32| match of {
            Eligible::Healthy => endpoints[*at as usize].health == Health::Healthy,
            Eligible::Degraded => endpoints[*at as usize].health == Health::Degraded,
            Eligible::All => true,
        };
        let weighted = |locality: &Placed<'_>| -> Vec<(u32, u32)> {
            let eligible = locality.endpoints.iter().copied().filter(is_eligible);
            eligible
                .map(|at| (at, endpoints[at as usize].weight))
                .collect()
        };
        let shares: Vec<Share> = if self.locality_weighted {
            let mut sorted: Vec<&Placed<'_>> = placed.iter().collect();
            sorted.sort_by_key(|locality| parts(locality.name));
            let shares: Vec<LocalityShare> = sorted
                .into_iter()
                .map(|locality| LocalityShare {
                    weight: locality.weight,
                    endpoints: locality.endpoints.len(),
                    eligible: weighted(locality),
                })
                .collect();
            weights::of_localities(&shares)
        } else {
            let all: Vec<(u32, u32)> = placed.iter().flat_map(weighted).collect();
            weights::of_endpoints(&all)
        };
        let key = |at: u32| endpoints[at as usize].key();
        match self.algorithm {
            Algorithm::RingHash { minimum, maximum } => {
                Table::Ring(Ring::new(&shares, key, minimum, maximum))
            }
            Algorithm::Maglev { table_size } => {
                Table::Maglev(Maglev::new(&shares, key, table_size))
            }
        }
    }
}

/// Region, zone and sub-zone: localities are ordered part by part (R-B-21).
fn parts(name: &str) -> (&str, &str, &str) {
    let mut parts = name.splitn(3, '/');
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(number: u32) -> Endpoint {
        Endpoint::new(format!("10.0.0.{number}:80"))
    }

    #[test]
    fn r_b_13_nobody_eligible_is_nobody_chosen() {
        let sick = endpoint(1).health(Health::Unhealthy);
        let pool = |threshold| {
            let settings = Settings::new(Algorithm::ring_hash()).panic_threshold(threshold);
            Pool::new(settings, [Locality::new("", [sick.clone()])])
        };
        assert_eq!(pool(0.0).choose_by_hash(1, 0), None);
        assert_eq!(pool(50.0).choose_by_hash(1, 0), Some(&sick));
        let nobody = Pool::new(Settings::new(Algorithm::maglev()), []);
        assert_eq!(nobody.choose_by_hash(1, 0), None);
    }

    #[test]
    fn r_b_12_the_next_priority_takes_what_the_first_cannot() {
        let first = Locality::new("", [endpoint(1), endpoint(2).health(Health::Unhealthy)]);
        let second = Locality::new("", [endpoint(3)]).priority(1);
        let pool = Pool::new(Settings::new(Algorithm::maglev()), [first, second]);
        let chosen = |hash| pool.choose_by_hash(hash, 0).map(Endpoint::address);
        assert_eq!(chosen(69), Some("10.0.0.1:80"));
        assert_eq!(chosen(70), Some("10.0.0.3:80"));
    }
}
