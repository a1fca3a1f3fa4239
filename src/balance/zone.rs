//! The client's own zone first: how much traffic stays in it, and where the rest goes (R-M-094).
//!
//! Envoy: `ZoneAwareLoadBalancerBase::regenerateLocalityRoutingStructures`. Shares are counted in ten thousandths, as there.

use std::collections::BTreeMap;

const WHOLE: u64 = 10_000;

/// Proxies of the client's own kind: how many there are in each locality.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    own: Box<str>,
    by_locality: BTreeMap<Box<str>, u64>,
}

impl Peers {
    pub(super) fn new<'p>(own: &str, peers: impl IntoIterator<Item = (&'p str, u32)>) -> Self {
        let mut by_locality = BTreeMap::new();
        for (locality, count) in peers {
            *by_locality.entry(normal(locality)).or_default() += u64::from(count);
        }
        Peers {
            own: normal(own),
            by_locality,
        }
    }

    fn share(&self, locality: &str) -> u64 {
        let all: u64 = self.by_locality.values().sum();
        let here = self
            .by_locality
            .get(&normal(locality))
            .copied()
            .unwrap_or(0);
        (WHOLE * here).checked_div(all).unwrap_or(0)
    }
}

/// `a/b/` and `a/b` are the same place.
fn normal(locality: &str) -> Box<str> {
    let (region, zone, sub_zone) = parts(locality);
    format!("{region}/{zone}/{sub_zone}").into()
}

/// Where the requests of a priority go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ZoneRouting {
    /// The client's own locality, if it has endpoints.
    own: Option<usize>,
    /// How much of the traffic stays there.
    stays: u64,
    /// What each locality takes of the rest, added up.
    rest: Box<[u64]>,
}

impl ZoneRouting {
    /// Of localities, each with its name and how many of its endpoints are healthy; `None`: zones do not matter.
    pub(super) fn new(peers: &Peers, localities: &[(&str, usize)], least: u64) -> Option<Self> {
        let healthy: u64 = localities.iter().map(|(_, count)| *count as u64).sum();
        let peers_have_zones = peers.by_locality.len() > 1;
        if localities.len() < 2 || !peers_have_zones || healthy == 0 || healthy < least {
            return None;
        }
        let theirs = |at: usize| WHOLE * localities[at].1 as u64 / healthy;
        let ours = |at: usize| peers.share(localities[at].0);
        let own = localities
            .iter()
            .position(|(name, _)| normal(name) == peers.own);
        let stays = match own {
            Some(at) if theirs(at) > 0 && theirs(at) >= ours(at) => WHOLE,
            Some(at) => (theirs(at) * WHOLE).checked_div(ours(at)).unwrap_or(0),
            None => 0,
        };
        let mut sum = 0;
        let rest = (0..localities.len()).map(|at| {
            if own != Some(at) {
                sum += theirs(at).saturating_sub(ours(at));
            }
            sum
        });
        Some(ZoneRouting {
            own,
            stays,
            rest: rest.collect(),
        })
    }

    /// The locality of a request, by two random words.
    pub(super) fn choose(&self, first: u64, second: u64) -> usize {
        if let Some(own) = self.own
            && (self.stays == WHOLE || first % WHOLE < self.stays)
        {
            return own;
        }
        match self.rest.last() {
            None | Some(0) => (second % self.rest.len().max(1) as u64) as usize,
            Some(all) => {
                let wanted = second % all;
                let at = self.rest.iter().position(|sum| *sum > wanted);
                at.unwrap_or(0)
            }
        }
    }
}

/// Region, zone and sub-zone: localities are ordered part by part (R-B-21).
pub(super) fn parts(name: &str) -> (&str, &str, &str) {
    let mut parts = name.splitn(3, '/');
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(routing: &ZoneRouting, localities: usize) -> Vec<u64> {
        let mut counts = vec![0; localities];
        for first in 0..100_u64 {
            for second in 0..500 {
                counts[routing.choose(first * 100, second * 20)] += 1;
            }
        }
        counts
    }

    #[test]
    fn r_m_094_all_stays_where_there_is_enough() {
        let peers = Peers::new("r/a", [("r/a", 1), ("r/b", 1)]);
        let routing = ZoneRouting::new(&peers, &[("r/a", 3), ("r/b", 3)], 6).expect("zones");
        assert_eq!(shares(&routing, 2), [50_000, 0]);
    }

    #[test]
    fn r_m_094_what_does_not_fit_goes_where_there_is_room() {
        // A fourth of the endpoints for half of the clients.
        let peers = Peers::new("r/a", [("r/a/", 2), ("r/b", 1), ("r/c", 1)]);
        let endpoints = [("r/a", 2), ("r/b", 4), ("r/c", 2)];
        let routing = ZoneRouting::new(&peers, &endpoints, 6).expect("zones");
        assert_eq!(shares(&routing, 3), [25_000, 25_000, 0]);
    }

    #[test]
    fn r_m_094_zones_do_not_matter_among_few() {
        let peers = Peers::new("r/a", [("r/a", 1), ("r/b", 1)]);
        let none = |localities: &[(&str, usize)], least| {
            ZoneRouting::new(&peers, localities, least).is_none()
        };
        assert!(none(&[("r/a", 3), ("r/b", 2)], 6));
        assert!(none(&[("r/a", 9)], 6));
        assert!(none(&[("r/a", 0), ("r/b", 0)], 0));
        let alone = Peers::new("r/a", [("r/a", 1)]);
        assert!(ZoneRouting::new(&alone, &[("r/a", 9), ("r/b", 9)], 6).is_none());
    }

    #[test]
    fn a_client_from_elsewhere_goes_by_the_room() {
        let peers = Peers::new("r/x", [("r/x", 1), ("r/b", 1)]);
        let routing = ZoneRouting::new(&peers, &[("r/a", 5), ("r/b", 5)], 6).expect("zones");
        assert_eq!(shares(&routing, 2), [50_000, 0]);
        let full = ZoneRouting {
            own: None,
            stays: 0,
            rest: Box::new([0, 0]),
        };
        assert_eq!(full.choose(0, 3), 1);
    }
}
