//! What one or several merged DestinationRules say of a host, with the policy of every possible cluster worked out.

use std::sync::Arc;
use std::time::Duration;

use super::super::destination_rule::Subset;
use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;
use crate::terms::route_policy::HashKey;
use crate::terms::traffic_policy::{
    ConsistentHash, LoadBalancer, RuleTrafficPolicy, TrafficPolicy, Tunnel, merge,
};

/// Merged DestinationRules of one host before their policies are worked out.
#[derive(Clone, Debug)]
pub(crate) struct MergedRule {
    pub host: Arc<str>,
    /// The rules that it was merged from, the one that decides first.
    pub sources: Vec<ResourceName>,
    /// Raw `exportTo`, sorted and without repeats; exactly `.` where there is a selector (R-M-076).
    pub export_to: Box<[Box<str>]>,
    pub workload_selector: Option<Labels>,
    pub traffic_policy: Option<Arc<RuleTrafficPolicy>>,
    pub subsets: Vec<Arc<Subset>>,
}

/// What holds for a host: the outcome of merging its DestinationRules (R-M-077, R-M-078).
#[derive(Debug)]
pub(crate) struct EffectiveRule {
    merged: MergedRule,
    by_name: HashMap<Arc<str>, usize>,
    top_level: Arc<PortPolicies>,
    /// In the order of the subsets.
    of_subsets: Box<[Arc<PortPolicies>]>,
}

/// The finished policies of one cluster family (no subset, or one subset), shared by every view.
#[derive(Debug)]
struct PortPolicies {
    /// Of the ports that no port-level entry names.
    other: Option<Arc<TrafficPolicy>>,
    /// Of the ports that one names, by port.
    named: Box<[(u16, Option<Arc<TrafficPolicy>>)]>,
}

/// What a DestinationRule says to a TCP route (R-M-115, R-M-120).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TcpSettings {
    /// A connection without traffic for so long is closed; unset: Envoy's hour; zero: never.
    pub idle_timeout: Option<Duration>,
    /// Longest life of a connection; unset: none.
    pub max_connection_duration: Option<Duration>,
    /// The client's address is hashed.
    pub hash_source_ip: bool,
    /// The tunnel that the connection goes through.
    pub tunnel: Option<Arc<Tunnel>>,
}

impl EffectiveRule {
    /// Works out the policies of `merged`; `mesh_default` fills them (R-M-084).
    pub(crate) fn new(merged: MergedRule, mesh_default: Option<&TrafficPolicy>) -> Self {
        let top = merged.traffic_policy.as_deref();
        let top_level = Arc::new(PortPolicies::new(top, None, mesh_default));
        let of_subsets = merged
            .subsets
            .iter()
            .map(|subset| match subset.traffic_policy.as_deref() {
                None => top_level.clone(),
                Some(own) => Arc::new(PortPolicies::new(top, Some(own), mesh_default)),
            })
            .collect();
        let mut by_name = HashMap::default();
        for (place, subset) in merged.subsets.iter().enumerate() {
            by_name.entry(subset.name.clone()).or_insert(place);
        }
        EffectiveRule {
            merged,
            by_name,
            top_level,
            of_subsets,
        }
    }

    /// FQDN or wildcard that it is for; case as written.
    pub(crate) fn host(&self) -> &str {
        &self.merged.host
    }

    /// The DestinationRules that it was merged from, the one that decides first.
    pub(crate) fn sources(&self) -> &[ResourceName] {
        &self.merged.sources
    }

    /// Namespace of its sources: a merge never crosses namespaces.
    pub(crate) fn namespace(&self) -> &str {
        self.merged
            .sources
            .first()
            .map_or("", |source| &source.namespace)
    }

    /// The client workloads that it is for; `None`: all.
    pub(crate) fn workload_selector(&self) -> Option<&Labels> {
        self.merged.workload_selector.as_ref()
    }

    /// Whether clients in `namespace` may see it, being exported (R-M-080).
    pub(super) fn is_exported_to(&self, namespace: &str) -> bool {
        let set = &self.merged.export_to;
        set.is_empty()
            || set
                .iter()
                .any(|entry| &**entry == "*" || &**entry == namespace)
    }

    /// Whether every namespace that sees `other`, being exported, sees this rule too.
    pub(crate) fn is_seen_wherever(&self, other: &EffectiveRule) -> bool {
        let (own, other_set) = (&self.merged.export_to, &other.merged.export_to);
        self.is_public()
            || (!other.is_public()
                && other_set
                    .iter()
                    .all(|namespace| own.binary_search(namespace).is_ok()))
    }

    /// The namespaces that see it, being exported; `None`: every one does.
    pub(crate) fn seen_in(&self) -> impl Iterator<Item = Option<&str>> {
        let everyone = self.is_public().then_some(None);
        let names = match everyone {
            Some(_) => &[][..],
            None => &self.merged.export_to,
        };
        everyone
            .into_iter()
            .chain(names.iter().map(|namespace| Some(&**namespace)))
    }

    fn is_public(&self) -> bool {
        let set = &self.merged.export_to;
        set.is_empty() || set.iter().any(|namespace| &**namespace == "*")
    }

    /// What it says at its top level.
    pub(crate) fn traffic_policy(&self) -> Option<&RuleTrafficPolicy> {
        self.merged.traffic_policy.as_deref()
    }

    /// Its subsets; of two rules with a subset of one name the first one's is here (R-M-078).
    pub(crate) fn subsets(&self) -> &[Arc<Subset>] {
        &self.merged.subsets
    }

    /// The subset `name`.
    pub(crate) fn subset(&self, name: &str) -> Option<&Arc<Subset>> {
        self.by_name
            .get(name)
            .map(|place| &self.merged.subsets[*place])
    }

    /// The policy of the cluster `outbound|port|subset|host` (R-M-083..R-M-085). `None`: neither
    /// this rule nor the mesh says anything, or there is no such subset.
    ///
    /// Two calls for one cluster give the same `Arc`. A host without any rule has the policy of
    /// [`MeshConfig::default_traffic_policy`](crate::mesh::MeshConfig::default_traffic_policy).
    pub(crate) fn policy(&self, subset: Option<&str>, port: u16) -> Option<Arc<TrafficPolicy>> {
        let policies = match subset {
            None => &self.top_level,
            Some(name) => &self.of_subsets[*self.by_name.get(name)?],
        };
        policies.of_port(port)
    }

    /// What a subset says itself.
    fn own_policy(&self, subset: Option<&str>) -> Option<&RuleTrafficPolicy> {
        self.subset(subset?)?.traffic_policy.as_deref()
    }

    /// What HTTP requests to a destination are hashed by (R-M-121, R-H-115).
    ///
    /// `port` is the destination's own port, `None` where it names none: port-level entries count only where it does. For
    /// a service without a VirtualService it is the listener's port.
    pub(crate) fn hash_key(&self, subset: Option<&str>, port: Option<u16>) -> Option<&HashKey> {
        let top = self.merged.traffic_policy.as_deref();
        let own = self.own_policy(subset);
        let hash = own
            .and_then(|policy| hash_of_port(policy, port))
            .or_else(|| own.and_then(|policy| hash_of(policy.settings.load_balancer.as_ref())))
            .or_else(|| top.and_then(|policy| hash_of_port(policy, port)))
            .or_else(|| top.and_then(|policy| hash_of(policy.settings.load_balancer.as_ref())))?;
        hash.key.as_ref()
    }

    /// The first port whose port-level entry hashes something for `subset`.
    pub(crate) fn port_with_hash(&self, subset: Option<&str>) -> Option<u16> {
        let own = self.own_policy(subset);
        let top = self.merged.traffic_policy.as_deref();
        [own, top]
            .into_iter()
            .flatten()
            .flat_map(|policy| policy.ports.iter())
            .find(|entry| {
                hash_of(entry.settings.load_balancer.as_ref())
                    .is_some_and(|hash| hash.key.is_some())
            })
            .map(|entry| entry.port)
    }

    /// What TCP connections to a destination are told (R-M-115, R-M-120); port-level entries say nothing here.
    ///
    /// `subset` is the destination's; `None` where it has none, and for the first destination of several, whatever it
    /// names.
    pub(crate) fn tcp_settings(&self, subset: Option<&str>) -> TcpSettings {
        let top = self.merged.traffic_policy.as_deref();
        let own = self.own_policy(subset);
        let pool = top
            .and_then(|policy| policy.settings.connection_pool.as_deref())
            .and_then(|pool| pool.tcp.as_ref());
        let balancer = own
            .and_then(|policy| policy.settings.load_balancer.as_ref())
            .or_else(|| top.and_then(|policy| policy.settings.load_balancer.as_ref()));
        let tunnel_of = if subset.is_none() { top } else { own };
        TcpSettings {
            idle_timeout: pool.and_then(|tcp| tcp.idle_timeout),
            max_connection_duration: pool.and_then(|tcp| tcp.max_connection_duration),
            hash_source_ip: hash_of(balancer)
                .is_some_and(|hash| hash.key == Some(HashKey::SourceIp)),
            tunnel: tunnel_of.and_then(|policy| policy.settings.tunnel.clone()),
        }
    }
}

fn hash_of(balancer: Option<&Arc<LoadBalancer>>) -> Option<&ConsistentHash> {
    balancer.and_then(|balancer| balancer.consistent_hash())
}

fn hash_of_port(policy: &RuleTrafficPolicy, port: Option<u16>) -> Option<&ConsistentHash> {
    hash_of(policy.port(port?)?.settings.load_balancer.as_ref())
}

impl PortPolicies {
    fn new(
        top: Option<&RuleTrafficPolicy>,
        subset: Option<&RuleTrafficPolicy>,
        mesh_default: Option<&TrafficPolicy>,
    ) -> Self {
        let finished = |port| {
            merge::fill_from_mesh(merge::cluster_policy(top, subset, port), mesh_default)
                .map(Arc::new)
        };
        let mut ports: Vec<u16> = [top, subset]
            .into_iter()
            .flatten()
            .flat_map(|policy| policy.ports.iter().map(|entry| entry.port))
            .collect();
        ports.sort_unstable();
        ports.dedup();
        PortPolicies {
            // Port 0 has no entry: a port-level entry needs a valid port (R-M-170).
            other: finished(0),
            named: ports
                .into_iter()
                .map(|port| (port, finished(port)))
                .collect(),
        }
    }

    fn of_port(&self, port: u16) -> Option<Arc<TrafficPolicy>> {
        match self.named.binary_search_by_key(&port, |(named, _)| *named) {
            Ok(place) => self.named[place].1.clone(),
            Err(_) => self.other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::traffic_policy::{
        ConnectionPool, HashAlgorithm, LoadBalancing, PortTrafficPolicy, TcpPool,
    };

    fn hashing(key: Option<HashKey>) -> Option<Arc<LoadBalancer>> {
        Some(Arc::new(LoadBalancer {
            balancing: LoadBalancing::ConsistentHash(ConsistentHash {
                key,
                algorithm: HashAlgorithm::RingHash { minimum_size: None },
            }),
            ..LoadBalancer::default()
        }))
    }

    fn header(name: &str) -> Option<HashKey> {
        Some(HashKey::Header(name.into()))
    }

    fn policy(settings: TrafficPolicy, port_80: Option<Option<HashKey>>) -> RuleTrafficPolicy {
        RuleTrafficPolicy {
            settings,
            ports: port_80
                .into_iter()
                .map(|key| PortTrafficPolicy {
                    port: 80,
                    settings: balanced(hashing(key)),
                })
                .collect(),
        }
    }

    fn rule(top: RuleTrafficPolicy, subset: Option<RuleTrafficPolicy>) -> EffectiveRule {
        let merged = MergedRule {
            host: "a".into(),
            sources: vec![ResourceName::new("ns", "a")],
            export_to: Box::default(),
            workload_selector: None,
            traffic_policy: Some(Arc::new(top)),
            subsets: vec![Arc::new(Subset {
                name: "v1".into(),
                labels: Arc::default(),
                traffic_policy: subset.map(Arc::new),
            })],
        };
        EffectiveRule::new(merged, None)
    }

    fn balanced(load_balancer: Option<Arc<LoadBalancer>>) -> TrafficPolicy {
        TrafficPolicy {
            load_balancer,
            ..TrafficPolicy::default()
        }
    }

    fn name(key: Option<&HashKey>) -> &str {
        match key {
            Some(HashKey::Header(name)) => name,
            _ => "",
        }
    }

    #[test]
    fn r_m_121_the_subsets_port_then_the_subset_then_the_port_then_the_top_level() {
        let all = rule(
            policy(balanced(hashing(header("top"))), Some(header("port"))),
            Some(policy(
                balanced(hashing(header("subset"))),
                Some(header("subset-port")),
            )),
        );
        assert_eq!(name(all.hash_key(Some("v1"), Some(80))), "subset-port");
        assert_eq!(name(all.hash_key(Some("v1"), Some(81))), "subset");
        assert_eq!(name(all.hash_key(Some("v1"), None)), "subset");
        assert_eq!(name(all.hash_key(None, Some(80))), "port");
        assert_eq!(name(all.hash_key(None, Some(81))), "top");
        assert_eq!(name(all.hash_key(Some("v9"), None)), "top");
    }

    #[test]
    fn r_m_121_a_port_counts_only_where_the_destination_names_it() {
        let port_only = rule(policy(TrafficPolicy::default(), Some(header("port"))), None);
        assert_eq!(name(port_only.hash_key(None, Some(80))), "port");
        assert_eq!(port_only.hash_key(None, None), None);
        // The cluster hashes all the same.
        let cluster = port_only
            .policy(None, 80)
            .and_then(|policy| policy.load_balancer.clone());
        assert_eq!(cluster, hashing(header("port")));
    }

    #[test]
    fn r_m_121_a_balancer_without_hashing_does_not_cancel_an_outer_hash() {
        let top = policy(balanced(hashing(header("top"))), None);
        let simple = Some(Arc::new(LoadBalancer::default()));
        let rule = rule(top, Some(policy(balanced(simple), None)));
        assert_eq!(name(rule.hash_key(Some("v1"), Some(80))), "top");
    }

    #[test]
    fn r_m_121_hashing_of_nothing_does_cancel_it() {
        let top = policy(balanced(hashing(header("top"))), None);
        let rule = rule(top, Some(policy(balanced(hashing(None)), None)));
        assert_eq!(rule.hash_key(Some("v1"), Some(80)), None);
    }

    #[test]
    fn r_m_120_tcp_timeouts_are_the_top_levels_and_hashing_the_subsets() {
        let pool = |seconds| {
            Some(Arc::new(ConnectionPool {
                tcp: Some(TcpPool {
                    idle_timeout: Some(Duration::from_secs(seconds)),
                    max_connection_duration: Some(Duration::from_secs(seconds + 1)),
                    ..TcpPool::default()
                }),
                http: None,
            }))
        };
        let top = TrafficPolicy {
            connection_pool: pool(1),
            load_balancer: hashing(Some(HashKey::SourceIp)),
            ..TrafficPolicy::default()
        };
        let own = TrafficPolicy {
            connection_pool: pool(5),
            load_balancer: Some(Arc::new(LoadBalancer::default())),
            ..TrafficPolicy::default()
        };
        let rule = rule(policy(top, None), Some(policy(own, None)));
        let settings = rule.tcp_settings(Some("v1"));
        assert_eq!(settings.idle_timeout, Some(Duration::from_secs(1)));
        assert_eq!(
            settings.max_connection_duration,
            Some(Duration::from_secs(2))
        );
        assert!(!settings.hash_source_ip);
        assert!(rule.tcp_settings(None).hash_source_ip);
        assert!(rule.tcp_settings(Some("v9")).hash_source_ip);
    }

    #[test]
    fn r_m_115_a_route_to_a_subset_reads_the_subsets_tunnel_only() {
        let top = TrafficPolicy {
            tunnel: Some(Arc::new(Tunnel::default())),
            ..TrafficPolicy::default()
        };
        let rule = rule(
            policy(top, None),
            Some(policy(TrafficPolicy::default(), None)),
        );
        assert!(rule.tcp_settings(None).tunnel.is_some());
        assert!(rule.tcp_settings(Some("v1")).tunnel.is_none());
        assert!(rule.tcp_settings(Some("v9")).tunnel.is_none());
    }
}
