//! Which policy holds for a cluster, given what the DestinationRule says at its top level and in the subset
//! (R-M-083, R-M-085, R-M-086).
//!
//! Istio: `util.GetPortLevelTrafficPolicy`, `util.MergeSubsetTrafficPolicy`.

use super::{RuleTrafficPolicy, TrafficPolicy};

/// What holds at one place for `port`, and whether a port-level entry said it: such an entry replaces everything
/// (R-M-083).
fn at_port(policy: &RuleTrafficPolicy, port: u16) -> (TrafficPolicy, bool) {
    match policy.port(port) {
        None => (policy.settings.clone(), false),
        Some(entry) => (entry.settings.clone(), true),
    }
}

/// The policy of a cluster: `port` of the service, in the subset that says `subset` (or in none).
///
/// Returns `None` where neither place says anything. The mesh's default policy is not applied yet; see
/// [`fill_from_mesh`].
pub fn cluster_policy(
    top_level: Option<&RuleTrafficPolicy>,
    subset: Option<&RuleTrafficPolicy>,
    port: u16,
) -> Option<TrafficPolicy> {
    let base = top_level.map(|policy| at_port(policy, port).0);
    let Some(subset) = subset else {
        return base;
    };
    let (own, replaces) = at_port(subset, port);
    let Some(mut merged) = base else {
        return Some(own);
    };
    if replaces {
        merged = TrafficPolicy {
            tunnel: merged.tunnel,
            proxy_protocol: merged.proxy_protocol,
            retry_budget: merged.retry_budget,
            ..TrafficPolicy::default()
        };
    }
    Some(TrafficPolicy {
        load_balancer: own.load_balancer.or(merged.load_balancer),
        connection_pool: own.connection_pool.or(merged.connection_pool),
        outlier_detection: own.outlier_detection.or(merged.outlier_detection),
        tls: own.tls.or(merged.tls),
        tunnel: own.tunnel.or(merged.tunnel),
        proxy_protocol: own.proxy_protocol.or(merged.proxy_protocol),
        retry_budget: own.retry_budget.or(merged.retry_budget),
    })
}

/// Fills connection pool and outlier detection from the mesh's `defaultTrafficPolicy` where they are unset (R-M-084).
/// No other setting of the mesh's policy is read.
pub fn fill_from_mesh(
    policy: Option<TrafficPolicy>,
    mesh_default: Option<&TrafficPolicy>,
) -> Option<TrafficPolicy> {
    let Some(default) = mesh_default else {
        return policy;
    };
    if default.connection_pool.is_none() && default.outlier_detection.is_none() {
        return policy;
    }
    let mut policy = policy.unwrap_or_default();
    if policy.connection_pool.is_none() {
        policy.connection_pool = default.connection_pool.clone();
    }
    if policy.outlier_detection.is_none() {
        policy.outlier_detection = default.outlier_detection.clone();
    }
    Some(policy)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{
        ClientTls, ConnectionPool, LoadBalancer, LoadBalancing, OutlierDetection,
        PortTrafficPolicy, ProxyProtocol, RetryBudget, TcpPool, Tunnel,
    };
    use super::*;

    fn balancer(balancing: LoadBalancing) -> Option<Arc<LoadBalancer>> {
        Some(Arc::new(LoadBalancer {
            balancing,
            ..LoadBalancer::default()
        }))
    }

    fn pool(max_connections: u32) -> Option<Arc<ConnectionPool>> {
        Some(Arc::new(ConnectionPool {
            tcp: Some(TcpPool {
                max_connections: Some(max_connections),
                ..TcpPool::default()
            }),
            http: None,
        }))
    }

    fn everything() -> TrafficPolicy {
        TrafficPolicy {
            load_balancer: balancer(LoadBalancing::RoundRobin),
            connection_pool: pool(1),
            outlier_detection: Some(Arc::new(OutlierDetection::default())),
            tls: Some(Arc::new(ClientTls::default())),
            tunnel: Some(Arc::new(Tunnel::default())),
            proxy_protocol: Some(ProxyProtocol::V1),
            retry_budget: Some(RetryBudget::default()),
        }
    }

    fn at_80(settings: TrafficPolicy) -> PortTrafficPolicy {
        PortTrafficPolicy { port: 80, settings }
    }

    #[test]
    fn r_m_083_a_port_level_entry_replaces_everything() {
        let rule = RuleTrafficPolicy {
            settings: everything(),
            ports: Box::new([
                at_80(TrafficPolicy {
                    load_balancer: balancer(LoadBalancing::Random),
                    ..TrafficPolicy::default()
                }),
                at_80(TrafficPolicy {
                    connection_pool: pool(9),
                    ..TrafficPolicy::default()
                }),
            ]),
        };
        let at_80 = cluster_policy(Some(&rule), None, 80);
        let expected = TrafficPolicy {
            load_balancer: balancer(LoadBalancing::Random),
            ..TrafficPolicy::default()
        };
        assert_eq!(at_80, Some(expected));
        assert_eq!(cluster_policy(Some(&rule), None, 81), Some(everything()));
    }

    #[test]
    fn r_m_085_a_subset_overrides_setting_by_setting() {
        let base = RuleTrafficPolicy {
            settings: everything(),
            ports: Box::new([]),
        };
        let subset = RuleTrafficPolicy {
            settings: TrafficPolicy {
                load_balancer: balancer(LoadBalancing::Random),
                proxy_protocol: Some(ProxyProtocol::V2),
                ..TrafficPolicy::default()
            },
            ports: Box::new([]),
        };
        let expected = TrafficPolicy {
            load_balancer: balancer(LoadBalancing::Random),
            proxy_protocol: Some(ProxyProtocol::V2),
            ..everything()
        };
        assert_eq!(
            cluster_policy(Some(&base), Some(&subset), 80),
            Some(expected)
        );
        assert_eq!(
            cluster_policy(None, Some(&subset), 80),
            Some(subset.settings)
        );
        assert_eq!(
            cluster_policy(Some(&base), None, 80),
            Some(base.settings.clone())
        );
        assert_eq!(cluster_policy(None, None, 80), None);
    }

    #[test]
    fn r_m_085_a_subsets_port_level_entry_replaces_four_settings_even_when_unset() {
        let base = RuleTrafficPolicy {
            settings: everything(),
            ports: Box::new([]),
        };
        let subset = RuleTrafficPolicy {
            settings: TrafficPolicy {
                load_balancer: balancer(LoadBalancing::Random),
                ..TrafficPolicy::default()
            },
            ports: Box::new([at_80(TrafficPolicy {
                connection_pool: pool(5),
                ..TrafficPolicy::default()
            })]),
        };
        let expected = TrafficPolicy {
            connection_pool: pool(5),
            load_balancer: None,
            outlier_detection: None,
            tls: None,
            ..everything()
        };
        assert_eq!(
            cluster_policy(Some(&base), Some(&subset), 80),
            Some(expected)
        );
    }

    #[test]
    fn r_m_085_a_subset_inherits_the_port_level_replacement() {
        let base = RuleTrafficPolicy {
            settings: everything(),
            ports: Box::new([at_80(TrafficPolicy {
                connection_pool: pool(7),
                ..TrafficPolicy::default()
            })]),
        };
        let subset = RuleTrafficPolicy {
            settings: TrafficPolicy {
                load_balancer: balancer(LoadBalancing::Random),
                ..TrafficPolicy::default()
            },
            ports: Box::new([]),
        };
        let expected = TrafficPolicy {
            connection_pool: pool(7),
            load_balancer: balancer(LoadBalancing::Random),
            ..TrafficPolicy::default()
        };
        assert_eq!(
            cluster_policy(Some(&base), Some(&subset), 80),
            Some(expected)
        );
    }

    #[test]
    fn r_m_086_nothing_below_a_setting_is_merged() {
        let base = RuleTrafficPolicy {
            settings: TrafficPolicy {
                connection_pool: pool(1),
                ..TrafficPolicy::default()
            },
            ports: Box::new([]),
        };
        let http_only = Some(Arc::new(ConnectionPool::default()));
        let subset = RuleTrafficPolicy {
            settings: TrafficPolicy {
                connection_pool: http_only.clone(),
                ..TrafficPolicy::default()
            },
            ports: Box::new([]),
        };
        let merged = cluster_policy(Some(&base), Some(&subset), 80);
        assert_eq!(merged.and_then(|policy| policy.connection_pool), http_only);
    }

    #[test]
    fn r_m_084_the_mesh_fills_two_settings() {
        let default = TrafficPolicy {
            connection_pool: pool(3),
            outlier_detection: Some(Arc::new(OutlierDetection::default())),
            load_balancer: balancer(LoadBalancing::Random),
            ..TrafficPolicy::default()
        };
        let own = TrafficPolicy {
            connection_pool: pool(4),
            ..TrafficPolicy::default()
        };
        let filled = fill_from_mesh(Some(own), Some(&default));
        let expected = TrafficPolicy {
            connection_pool: pool(4),
            outlier_detection: default.outlier_detection.clone(),
            ..TrafficPolicy::default()
        };
        assert_eq!(filled, Some(expected));
        let filled = fill_from_mesh(None, Some(&default));
        assert_eq!(
            filled.as_ref().and_then(|p| p.connection_pool.clone()),
            pool(3)
        );
        assert!(filled.is_some_and(|policy| policy.load_balancer.is_none()));
        assert_eq!(fill_from_mesh(None, None), None);
    }
}
