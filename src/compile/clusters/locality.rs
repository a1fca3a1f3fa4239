//! Which endpoints take the traffic by where they are: the locality setting that holds for a cluster, and what it makes of the
//! groups (R-M-124..R-M-128).
//!
//! Istio: `loadbalancer.GetLocalityLbSetting`, `loadbalancer.ApplyLocalityLoadBalancer`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::mesh::config::MeshConfig;
use crate::mesh::service::{Endpoint, Service, TrafficDistribution};
use crate::terms::labels::Labels;
use crate::terms::traffic_policy::{
    Distribute, Failover, LoadBalancer, LocalityLoadBalancing, ZoneAwareLoadBalancing,
};

/// The labels by which `PreferSameZone` (`PreferClose`) orders endpoints.
const SAME_ZONE: [&str; 4] = [
    "topology.istio.io/network",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.istio.io/subzone",
];
/// Those of `PreferSameNode`.
const SAME_NODE: [&str; 5] = [
    "topology.istio.io/network",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.istio.io/subzone",
    "kubernetes.io/hostname",
];
const NETWORK: &str = "topology.istio.io/network";

/// The labels by which a service's own preference orders endpoints.
pub(in crate::compile) fn near_labels(near: TrafficDistribution) -> &'static [&'static str] {
    match near {
        TrafficDistribution::SameZone => &SAME_ZONE,
        TrafficDistribution::SameNode => &SAME_NODE,
    }
}

/// The setting that holds for a cluster.
#[derive(Clone, Debug)]
pub(super) struct Locality<'a> {
    distribute: &'a [Distribute],
    failover: &'a [Failover],
    priority_labels: Cow<'a, [Box<str>]>,
    /// Failover acts without outlier detection, too.
    is_forced: bool,
    zone_aware: Option<u64>,
}

/// The setting that holds (R-M-124); `None`: localities do not matter.
pub(super) fn effective<'a>(
    config: &'a MeshConfig,
    balancer: Option<&'a LoadBalancer>,
    service: &Service,
) -> Option<Locality<'a>> {
    if let Some(own) = balancer.and_then(|balancer| balancer.zone_aware.as_ref()) {
        return Locality::zone(own);
    }
    if let Some(own) = balancer.and_then(|balancer| balancer.locality.as_ref()) {
        return Locality::of(own);
    }
    if let Some(near) = service.traffic_distribution.map(near_labels) {
        return Some(Locality {
            distribute: &[],
            failover: &[],
            priority_labels: near.iter().map(|label| Box::from(*label)).collect(),
            is_forced: true,
            zone_aware: None,
        });
    }
    match (&config.zone_aware, &config.locality) {
        (Some(of_mesh), _) => Locality::zone(of_mesh),
        (None, of_mesh) => of_mesh.as_ref().and_then(Locality::of),
    }
}

impl<'a> Locality<'a> {
    fn of(setting: &'a LocalityLoadBalancing) -> Option<Self> {
        setting.enabled.then_some(Locality {
            distribute: &setting.distribute,
            failover: &setting.failover,
            priority_labels: Cow::Borrowed(&setting.failover_priority),
            is_forced: false,
            zone_aware: None,
        })
    }

    fn zone(setting: &'a ZoneAwareLoadBalancing) -> Option<Self> {
        setting.enabled.then_some(Locality {
            distribute: &[],
            failover: &setting.failover,
            priority_labels: Cow::Borrowed(&setting.failover_priority),
            is_forced: false,
            zone_aware: Some(setting.min_cluster_size),
        })
    }

    /// Fewest endpoints for which the client's zone is preferred.
    pub(super) fn zone_aware(&self) -> Option<u64> {
        self.zone_aware
    }

    /// Whether localities are chosen by weight, in a cluster with outlier detection or without.
    pub(super) fn weighs_localities(&self, detects_outliers: bool) -> bool {
        let fails_over = !self.failover.is_empty() || !self.priority_labels.is_empty();
        self.zone_aware.is_none()
            && (!self.distribute.is_empty() || self.fails_over(detects_outliers) && fails_over)
    }

    fn fails_over(&self, detects_outliers: bool) -> bool {
        self.is_forced || detects_outliers
    }
}

/// Where a client is, and its labels: what priorities are compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client<'a> {
    pub locality: &'a str,
    pub labels: &'a Labels,
}

/// Endpoints of one locality, before they have priorities.
#[derive(Clone, Debug)]
pub(super) struct LocalityGroup<'a> {
    pub locality: &'a str,
    pub priority: u32,
    pub weight: u32,
    /// Each with its place in the pool.
    pub endpoints: Vec<(u32, &'a Endpoint)>,
}

impl<'a> LocalityGroup<'a> {
    /// Of these endpoints, which are all in one locality.
    pub(super) fn new(locality: &'a str, endpoints: Vec<(u32, &'a Endpoint)>) -> Self {
        let weights = endpoints.iter().map(|(_, endpoint)| endpoint.weight);
        LocalityGroup {
            locality,
            priority: 0,
            weight: weights.fold(0, u32::saturating_add),
            endpoints,
        }
    }
}

impl Locality<'_> {
    /// Gives the groups their weights (R-M-127) or their priorities (R-M-126, R-M-128); `by_label`: whether failover labels
    /// count, which those of DNS clusters do not.
    pub(super) fn apply<'e>(
        &self,
        groups: Vec<LocalityGroup<'e>>,
        client: Client<'_>,
        detects_outliers: bool,
        by_label: bool,
    ) -> Vec<LocalityGroup<'e>> {
        let mut groups = groups;
        if !self.distribute.is_empty() {
            distribute(self.distribute, client.locality, &mut groups);
        } else if self.fails_over(detects_outliers) {
            if self.priority_labels.is_empty() {
                fail_over(self.failover, client.locality, &mut groups);
            } else {
                if by_label && !client.labels.is_empty() {
                    groups = by_labels(&self.priority_labels, client.labels, groups);
                }
                if !self.failover.is_empty() {
                    fail_over(self.failover, client.locality, &mut groups);
                }
            }
        }
        groups
    }
}

/// The shares of the first entry that is about the client's place; groups without one lose their endpoints (R-M-127).
fn distribute(entries: &[Distribute], client: &str, groups: &mut [LocalityGroup<'_>]) {
    let Some(entry) = entries.iter().find(|entry| matches(client, &entry.from)) else {
        return;
    };
    let mut is_left = vec![true; groups.len()];
    for (place, share) in &entry.to {
        let taken: Vec<usize> = (0..groups.len())
            .filter(|&at| is_left[at] && matches(groups[at].locality, place))
            .collect();
        let total = taken
            .iter()
            .fold(0u32, |sum, &at| sum.wrapping_add(groups[at].weight));
        for at in taken {
            is_left[at] = false;
            let weight = f64::from(groups[at].weight.wrapping_mul(*share)) / f64::from(total);
            if weight > 0.0 {
                groups[at].weight = weight.ceil() as u32;
            }
        }
    }
    for (group, is_left) in groups.iter_mut().zip(is_left) {
        if is_left {
            group.endpoints.clear();
        }
    }
}

/// Priorities by how much of the client's place is shared (R-M-126), below those that there are already.
fn fail_over(entries: &[Failover], client: &str, groups: &mut [LocalityGroup<'_>]) {
    let [client_region, ..] = parts(client);
    let entry = entries.iter().find(|entry| *entry.from == *client_region);
    for group in &mut *groups {
        let [region, ..] = parts(group.locality);
        let own = match shared(client, group.locality) {
            0 if entry.is_some_and(|entry| *entry.to != *region) => 4,
            shared => 3 - shared,
        };
        group.priority = group.priority * 5 + own;
    }
    close_gaps(groups);
}

/// Priorities by the first failover label that differs from the client's (R-M-128): groups part by it.
fn by_labels<'e>(
    wanted: &[Box<str>],
    client: &Labels,
    groups: Vec<LocalityGroup<'e>>,
) -> Vec<LocalityGroup<'e>> {
    // `key=value` asks for that value instead of the client's; of two for one key the last one's.
    let labels: Vec<(&str, Option<&str>)> = wanted
        .iter()
        .map(|label| match label.split('=').collect::<Vec<_>>()[..] {
            [key, value] => (key, Some(value)),
            [key, ..] => (key, None),
            [] => ("", None),
        })
        .collect();
    let value_of = |key: &str| {
        let own = labels
            .iter()
            .rev()
            .find(|(name, value)| *name == key && value.is_some());
        match own {
            Some((_, value)) => *value,
            None => client.get(key),
        }
    };
    let lowest = labels.len() as u32;
    let priority = |endpoint: &Endpoint| {
        let mut of_network = 0;
        for (at, (key, _)) in (0..).zip(&labels) {
            if value_of(key).unwrap_or_default() == endpoint.labels.get(key).unwrap_or_default() {
                continue;
            }
            if at == 0 && *key == NETWORK {
                of_network = lowest;
                continue;
            }
            return of_network + lowest - at;
        }
        of_network
    };
    let mut out = Vec::with_capacity(groups.len());
    for group in groups {
        let mut by_priority: BTreeMap<u32, Vec<(u32, &Endpoint)>> = BTreeMap::new();
        for (place, endpoint) in group.endpoints {
            let members = by_priority.entry(priority(endpoint)).or_default();
            members.push((place, endpoint));
        }
        out.extend(
            by_priority
                .into_iter()
                .map(|(priority, endpoints)| LocalityGroup {
                    priority,
                    ..LocalityGroup::new(group.locality, endpoints)
                }),
        );
    }
    close_gaps(&mut out);
    out
}

/// Numbers the priorities from 0 on without a gap.
fn close_gaps(groups: &mut [LocalityGroup<'_>]) {
    let mut all: Vec<u32> = groups.iter().map(|group| group.priority).collect();
    all.sort_unstable();
    all.dedup();
    for group in groups {
        group.priority = all.partition_point(|priority| *priority < group.priority) as u32;
    }
}

/// Region, zone and subzone of a place; empty where it does not say.
fn parts(locality: &str) -> [&str; 3] {
    let mut parts = locality.splitn(3, '/');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// How many of region, zone and subzone are shared, from the left.
fn shared(a: &str, b: &str) -> u32 {
    let both = parts(a).into_iter().zip(parts(b));
    both.take_while(|(a, b)| a == b).count() as u32
}

/// Whether a place is one that a rule names (Istio: `LocalityMatch`).
fn matches(locality: &str, rule: &str) -> bool {
    let [region, zone, subzone] = parts(locality);
    let [rule_region, rule_zone, rule_subzone] = parts(rule);
    let is_of = |own: &str, rule: &str| rule == "*" || rule.is_empty() || own == rule;
    (rule_region == "*" || region == rule_region)
        && is_of(zone, rule_zone)
        && is_of(subzone, rule_subzone)
}
