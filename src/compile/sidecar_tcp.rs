//! Filter chains of a service port that carries bytes: `tls` routes by server name, `tcp` routes by subnet, and the
//! service's own cluster for the rest (R-M-065, R-M-066).

use ipnet::IpNet;
use std::collections::HashSet;
use std::sync::Arc;

use crate::mesh::service::Service;
use crate::mesh::virtual_service::{L4Match, VirtualService};
use crate::router::{ChainMatch, Filter, FilterChain, TcpProxy};
use crate::terms::name::GatewayName;
use crate::terms::origin::{MatchIndex, Origin};
use crate::terms::proxy::Proxy;

use super::gateway_tcp::{TcpFilters, server_names};

/// One service port that gets TCP chains.
pub(super) struct TcpPort<'a> {
    pub service: &'a Service,
    /// The listener's port; the service's own may differ on a Sidecar's explicit listener.
    pub port: u16,
    /// The port of the service's own cluster.
    pub cluster_port: u16,
    /// The listener is bound to every address and the service has no address of its own.
    pub shares_wildcard: bool,
    /// Address ranges of the service, where the listener is bound to every address because of them.
    pub ranges: Vec<IpNet>,
    /// Names that the service answers to in SNI: host name, aliases and their short forms.
    pub server_names: Vec<Box<str>>,
    pub proxy: &'a Proxy,
}

/// Makes the filter of a service without a route of its own.
pub(super) trait ServiceFilters: TcpFilters {
    /// The filter that forwards to the service's cluster at `port`.
    fn service_filter(&self, service: &Service, port: u16) -> TcpProxy;
}

impl TcpPort<'_> {
    /// Chains for a TLS port: one for each distinct match of the `tls` rules of all VirtualServices of the host; without
    /// any, the service itself (R-M-065).
    pub(super) fn tls_chains(
        &self,
        virtual_services: &[&Arc<VirtualService>],
        filters: &dyn ServiceFilters,
    ) -> Vec<FilterChain> {
        let mut out = Vec::new();
        let mut seen = HashSet::new();
        // One match's subnets stay for every later match that has none of its own: Istio keeps them in one variable.
        let mut ranges = self.ranges.clone();
        for service in virtual_services {
            for rule in service.tls.iter().filter(|rule| !rule.route.is_empty()) {
                for entry in rule
                    .matches
                    .iter()
                    .filter(|entry| applies(&entry.l4, self.port, self.proxy))
                {
                    if !entry.l4.destination_subnets.is_empty() && self.port > 0 {
                        ranges.clone_from(&entry.l4.destination_subnets);
                    }
                    let predicate = (
                        entry.sni_hosts.clone(),
                        entry.l4.destination_subnets.clone(),
                    );
                    if !seen.insert(predicate) {
                        continue;
                    }
                    out.push(FilterChain {
                        name: "".into(),
                        matches: ChainMatch {
                            destinations: ranges.clone(),
                            server_names: server_names(&entry.sni_hosts),
                            ..ChainMatch::default()
                        },
                        terminates_tls: false,
                        filter: Filter::Tcp(filters.filter(
                            &rule.route,
                            self.port,
                            Origin::new(&rule.origin, entry.l4.index),
                        )),
                    });
                }
            }
        }
        if out.is_empty() {
            let by_name = !ranges.is_empty() || self.shares_wildcard;
            out.push(FilterChain {
                name: "".into(),
                matches: ChainMatch {
                    destinations: ranges,
                    server_names: if by_name {
                        server_names(&self.server_names)
                    } else {
                        Vec::new()
                    },
                    ..ChainMatch::default()
                },
                terminates_tls: false,
                filter: Filter::Tcp(filters.service_filter(self.service, self.cluster_port)),
            });
        }
        out
    }

    /// Chains for any other port: the first rule that does not ask for subnets ends the search; those that do make a
    /// chain each (R-M-066).
    pub(super) fn tcp_chains(
        &self,
        virtual_services: &[&Arc<VirtualService>],
        filters: &dyn ServiceFilters,
    ) -> Vec<FilterChain> {
        let mut out = Vec::new();
        let mut own_chain = true;
        for service in virtual_services {
            for rule in service.tcp.iter().filter(|rule| !rule.route.is_empty()) {
                let chain = |destinations, index| FilterChain {
                    name: "".into(),
                    matches: ChainMatch {
                        destinations,
                        ..ChainMatch::default()
                    },
                    terminates_tls: false,
                    filter: Filter::Tcp(filters.filter(
                        &rule.route,
                        self.port,
                        Origin::new(&rule.origin, index),
                    )),
                };
                let mut applying = rule
                    .matches
                    .iter()
                    .filter(|entry| applies(entry, self.port, self.proxy));
                let whole =
                    |entry: &&L4Match| entry.destination_subnets.is_empty() || self.port == 0;
                let ends = match rule.matches.is_empty() {
                    true => Some(MatchIndex::default()),
                    false => applying.clone().find(whole).map(|entry| entry.index),
                };
                if let Some(index) = ends {
                    out.push(chain(self.ranges.clone(), index));
                    return out;
                }
                let Some(first) = applying.clone().next() else {
                    continue;
                };
                let subnets: Vec<IpNet> = applying
                    .by_ref()
                    .flat_map(|entry| entry.destination_subnets.iter().copied())
                    .collect();
                own_chain &= sorted(&subnets) != sorted(&self.ranges);
                out.push(chain(subnets, first.index));
            }
        }
        if own_chain {
            out.push(FilterChain {
                name: "".into(),
                matches: ChainMatch {
                    destinations: self.ranges.clone(),
                    ..ChainMatch::default()
                },
                terminates_tls: false,
                filter: Filter::Tcp(filters.service_filter(self.service, self.cluster_port)),
            });
        }
        out
    }
}

/// Gateways, source labels, port and source namespace must all fit (R-M-058).
fn applies(entry: &L4Match, port: u16, proxy: &Proxy) -> bool {
    (entry.gateways.is_empty() || entry.gateways.contains(&GatewayName::Mesh))
        && entry.source_labels.selects(proxy.labels())
        && entry.port.is_none_or(|wanted| wanted == u32::from(port))
        && proxy.is_in(entry.source_namespace.as_deref())
}

fn sorted(ranges: &[IpNet]) -> Vec<IpNet> {
    let mut out = ranges.to_vec();
    out.sort_unstable();
    out
}

#[cfg(all(test, feature = "yaml"))]
mod tests {
    use super::*;

    /// Istio's own cases.
    #[test]
    fn r_m_058_istios_cases_of_source_namespaces() {
        for name in ["match-tcp", "match-tls"] {
            let file = format!("peer-cases/units/{name}.yaml");
            let Some(file) = crate::beside::find(&file) else {
                return;
            };
            let text = std::fs::read_to_string(file).expect("a file");
            let cases: serde_json::Value = serde_yaml::from_str(&text).expect("YAML");
            let cases = cases["cases"].as_array().expect("a list");
            assert_eq!(cases.len(), 3);
            for case in cases {
                let entry = L4Match {
                    source_namespace: case["match"]["sourceNamespace"]
                        .as_str()
                        .filter(|name| !name.is_empty())
                        .map(Box::from),
                    ..L4Match::default()
                };
                let proxy = Proxy::sidecar(case["namespace"].as_str().expect("a name"));
                let want = case["want"].as_bool().expect("a verdict");
                assert_eq!(
                    applies(&entry, 80, &proxy),
                    want,
                    "{name}: {}",
                    case["name"]
                );
            }
        }
    }
}
