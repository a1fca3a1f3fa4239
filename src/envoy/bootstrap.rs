//! A configuration that a plain Envoy runs: everything in one file, nothing from a server.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::EnvoyConfig;
use super::model::message::messages;
use super::model::*;
use super::unread::Kind;
use crate::diagnostic::{Code, Diagnostic, Report, ResourceRef};

messages! {
    /// `envoy.config.bootstrap.v3.Bootstrap`: what an Envoy is started with.
    Bootstrap {
        /// What does not come from a server.
        static_resources: StaticResources,
    }

    /// `Bootstrap.StaticResources`.
    StaticResources {
        /// Where it listens, each with its route configurations.
        listeners: Vec<Listener>,
        /// Where requests end, each with its endpoints.
        clusters: Vec<Cluster>,
    }
}

impl EnvoyConfig {
    /// The same routing as the static configuration of a plain Envoy, which `envoy -c` runs without a server.
    ///
    /// `listeners` says by the names of listeners at which addresses they are to listen; the others are left out. Route
    /// configurations stand in the listeners that name them, and WebSockets may be opened there. `endpoints` says by the names of clusters where their requests go, in plain
    /// text, by the versions of HTTP that the cluster has; a cluster that is not among them keeps the endpoints that it has.
    ///
    /// The report has a warning (`MR0504`, `MR0506`) for each name that there is not, and for what a plain Envoy cannot serve: filter
    /// chains that need a certificate, and clusters whose endpoints a cache of DNS answers finds, which get none. A listener
    /// of which no chain is left is left out.
    ///
    /// # Complexity
    /// Linear in the configuration.
    pub fn bootstrap(
        &self,
        listeners: &BTreeMap<String, SocketAddr>,
        endpoints: &BTreeMap<String, Vec<SocketAddr>>,
    ) -> (Bootstrap, Report) {
        let mut maker = Maker {
            routes: by_name(&self.routes, |config| &config.name),
            endpoints: by_name(&self.endpoints, |found| &found.cluster_name),
            report: Report::new(),
        };
        let mut out = StaticResources::default();
        let mut seen = BTreeSet::new();
        for listener in &self.listeners {
            let Some(&address) = listeners.get(&listener.name) else {
                continue;
            };
            // Of listeners of one name the first is served: an Envoy refuses the second.
            if seen.insert(listener.name.as_str()) {
                out.listeners.extend(maker.listener(listener, address));
            }
        }
        for name in listeners.keys().filter(|name| !seen.contains(&***name)) {
            maker.warn(Code::NOT_GIVEN, Kind::Listener, name, "there is none");
        }
        let mut seen = BTreeSet::new();
        for cluster in &self.clusters {
            if seen.insert(cluster.name.as_str()) {
                let addresses = endpoints.get(&cluster.name).map(Vec::as_slice);
                out.clusters.push(maker.cluster(cluster, addresses));
            }
        }
        for name in endpoints.keys().filter(|name| !seen.contains(&***name)) {
            maker.warn(Code::NOT_GIVEN, Kind::Cluster, name, "there is none");
        }
        let bootstrap = Bootstrap {
            static_resources: out,
        };
        (bootstrap, maker.report)
    }
}

fn by_name<T>(all: &[T], name: impl Fn(&T) -> &str) -> BTreeMap<&str, &T> {
    all.iter().rev().map(|part| (name(part), part)).collect()
}

struct Maker<'c> {
    routes: BTreeMap<&'c str, &'c RouteConfiguration>,
    endpoints: BTreeMap<&'c str, &'c ClusterLoadAssignment>,
    report: Report,
}

impl Maker<'_> {
    fn warn(&mut self, code: Code, kind: Kind, name: &str, why: &str) {
        let message = format!("{} `{name}`: {why}", kind.as_str());
        let resource = ResourceRef::new(kind.as_str(), "", name);
        self.report
            .push(Diagnostic::new(code, message).with_resource(resource));
    }

    fn listener(&mut self, listener: &Listener, address: SocketAddr) -> Option<Listener> {
        let chains = listener.filter_chains.iter();
        let filter_chains: Vec<FilterChain> = chains
            .filter_map(|chain| self.chain(listener, chain))
            .collect();
        let default = listener.default_filter_chain.as_ref();
        let default_filter_chain = default.and_then(|chain| self.chain(listener, chain));
        if filter_chains.is_empty() && default_filter_chain.is_none() {
            let why = "no filter chain is left, so that it is left out";
            self.warn(Code::NOT_SERVED, Kind::Listener, &listener.name, why);
            return None;
        }
        Some(Listener {
            address: Address {
                socket_address: socket(address),
            },
            filter_chains,
            default_filter_chain,
            // It is called by its own address.
            bind_to_port: None,
            use_original_dst: None,
            ..listener.clone()
        })
    }

    fn chain(&mut self, listener: &Listener, chain: &FilterChain) -> Option<FilterChain> {
        if chain.transport_socket.is_some() {
            let name = &listener.name;
            let why = format!(
                "its filter chain `{}` needs a certificate, which is not here, so that it is left out",
                chain.name
            );
            self.warn(Code::NOT_SERVED, Kind::Listener, name, &why);
            return None;
        }
        let mut chain = chain.clone();
        for filter in &mut chain.filters {
            self.embed(&listener.name, filter);
        }
        Some(chain)
    }

    /// Puts the route configuration where it is named.
    fn embed(&mut self, listener: &str, filter: &mut NamedConfig) {
        let Some(fields) = filter.typed_config.0.as_object_mut() else {
            return;
        };
        let Some(rds) = fields.remove("rds") else {
            return;
        };
        let name = rds["routeConfigName"].as_str().unwrap_or_default();
        let found = self.routes.get(name).map(|found| (*found).clone());
        let config = found.unwrap_or_else(|| {
            let why = format!("names the route configuration `{name}`, which is not given: every request is answered with 404");
            self.warn(Code::NOT_GIVEN, Kind::Listener, listener, &why);
            RouteConfiguration {
                name: name.to_owned(),
                ..RouteConfiguration::default()
            }
        });
        // Messages are maps with text keys: there is nothing about them that JSON cannot say.
        let config = serde_json::to_value(config).unwrap_or_default();
        fields.insert("routeConfig".to_owned(), config);
        // As istiod's connection managers do.
        let upgrades = serde_json::json!([{ "upgradeType": "websocket" }]);
        fields.insert("upgradeConfigs".to_owned(), upgrades);
    }

    fn cluster(&mut self, cluster: &Cluster, addresses: Option<&[SocketAddr]>) -> Cluster {
        let mut out = cluster.clone();
        if let Some(addresses) = addresses {
            fix(&mut out);
            out.transport_socket = None;
            out.transport_socket_matches = Vec::new();
            out.load_assignment = Some(assigned(&out.name, addresses));
            return out;
        }
        if out.cluster_type.is_some() {
            let why = "its endpoints are found by an extension that needs more than is known here: it gets none";
            self.warn(Code::NOT_SERVED, Kind::Cluster, &cluster.name, why);
            fix(&mut out);
            return out;
        }
        let Some(discovered) = out.eds_cluster_config.take() else {
            return out;
        };
        let name = match discovered.service_name.as_str() {
            "" => cluster.name.as_str(),
            name => name,
        };
        let found = self.endpoints.get(name).map(|found| (*found).clone());
        let mut assignment = found.unwrap_or_default();
        assignment.cluster_name.clone_from(&out.name);
        out.kind = Some(match assignment.endpoints.iter().any(has_names) {
            true => DiscoveryType::StrictDns,
            false => DiscoveryType::Static,
        });
        out.load_assignment = Some(assignment);
        out
    }
}

/// Endpoints that are said.
fn fix(cluster: &mut Cluster) {
    cluster.kind = Some(DiscoveryType::Static);
    cluster.cluster_type = None;
    cluster.eds_cluster_config = None;
    cluster.original_dst_lb_config = None;
    if cluster.lb_policy == LbPolicy::ClusterProvided {
        cluster.lb_policy = LbPolicy::default();
    }
    cluster.load_assignment = Some(assigned(&cluster.name, &[]));
}

fn has_names(group: &LocalityLbEndpoints) -> bool {
    let sockets = group.lb_endpoints.iter().filter_map(|endpoint| {
        let address = &endpoint.endpoint.address;
        address.socket_address.as_ref()
    });
    sockets
        .into_iter()
        .any(|socket| socket.address.parse::<IpAddr>().is_err())
}

fn assigned(cluster: &str, addresses: &[SocketAddr]) -> ClusterLoadAssignment {
    let endpoint = |address: &SocketAddr| LbEndpoint {
        endpoint: Endpoint {
            address: EndpointAddress {
                socket_address: Some(socket(*address)),
                pipe: None,
            },
        },
        ..LbEndpoint::default()
    };
    ClusterLoadAssignment {
        cluster_name: cluster.to_owned(),
        endpoints: vec![LocalityLbEndpoints {
            lb_endpoints: addresses.iter().map(endpoint).collect(),
            load_balancing_weight: Some(1),
            ..LocalityLbEndpoints::default()
        }],
    }
}

fn socket(address: SocketAddr) -> SocketAddress {
    SocketAddress {
        address: address.ip().to_string(),
        port_value: address.port().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> EnvoyConfig {
        let text = serde_json::json!({
            "listeners": [
                {"name": "in", "bindToPort": false, "address": {"socketAddress": {"address": "0.0.0.0", "portValue": 80}}, "filterChains": [
                    {"name": "plain", "filters": [{"name": "http", "typedConfig": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                        "rds": {"routeConfigName": "80"},
                    }}]},
                    {"name": "secret", "filters": [], "transportSocket": {"name": "tls", "typedConfig": {"@type": "x/T"}}},
                ]},
                {"name": "other", "filterChains": [{"filters": []}]},
            ],
            "routes": [{"name": "80", "virtualHosts": [{"name": "all", "domains": ["*"]}]}],
            "clusters": [
                {"name": "a", "type": "EDS", "edsClusterConfig": {"serviceName": "of-a"}},
                {"name": "b", "type": "ORIGINAL_DST", "lbPolicy": "CLUSTER_PROVIDED"},
                {"name": "c", "clusterType": {"name": "dns", "typedConfig": {"@type": "x/D"}}, "lbPolicy": "CLUSTER_PROVIDED"},
            ],
            "endpoints": [{"clusterName": "of-a", "endpoints": [{"lbEndpoints": [{"endpoint": {"address": {"socketAddress": {"address": "db.test", "portValue": 9}}}}]}]}],
        });
        EnvoyConfig::from_json(&text.to_string()).expect("a configuration")
    }

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn a_static_configuration_names_nothing_that_a_server_would_send() {
        let listeners = [("in".to_owned(), at(1))].into();
        let endpoints = [("b".to_owned(), vec![at(2)])].into();
        let (bootstrap, _) = config().bootstrap(&listeners, &endpoints);
        let text = serde_json::to_value(&bootstrap).expect("JSON");
        let resources = &text["staticResources"];
        let [listener] = &bootstrap.static_resources.listeners[..] else {
            panic!("only what is asked for listens: {text}");
        };
        assert_eq!(listener.address.socket_address.port_value, 1);
        assert_eq!(listener.bind_to_port, None);
        let manager = &resources["listeners"][0]["filterChains"][0]["filters"][0]["typedConfig"];
        assert_eq!(manager["routeConfig"]["virtualHosts"][0]["name"], "all");
        let clusters = resources["clusters"].as_array().expect("a list");
        let kinds: Vec<_> = clusters.iter().map(|cluster| &cluster["type"]).collect();
        assert_eq!(kinds, ["STRICT_DNS", "STATIC", "STATIC"]);
        let said = text.to_string();
        for word in [
            "\"rds\"",
            "edsClusterConfig",
            "clusterType",
            "CLUSTER_PROVIDED",
            "bindToPort",
        ] {
            assert!(!said.contains(word), "{word}: {said}");
        }
    }

    #[test]
    fn what_a_plain_envoy_cannot_serve_is_said() {
        let listeners = [("in".to_owned(), at(1)), ("nosuch".to_owned(), at(2))].into();
        let endpoints = [("a".to_owned(), vec![]), ("none".to_owned(), vec![])].into();
        let (bootstrap, report) = config().bootstrap(&listeners, &endpoints);
        assert_eq!(
            bootstrap.static_resources.listeners[0].filter_chains.len(),
            1
        );
        let said: Vec<String> = report
            .iter()
            .map(|found| format!("{} {}", found.code().id(), found.message()))
            .collect();
        let begins = [
            "MR0506 Listener `in`: its filter chain `secret`",
            "MR0504 Listener `nosuch`",
            "MR0506 Cluster `c`",
            "MR0504 Cluster `none`",
        ];
        assert_eq!(said.len(), begins.len(), "{said:#?}");
        for (said, begin) in said.iter().zip(begins) {
            assert!(said.starts_with(begin), "{said}");
        }
    }

    #[test]
    fn nothing_makes_an_empty_configuration() {
        let (bootstrap, report) =
            EnvoyConfig::default().bootstrap(&BTreeMap::new(), &BTreeMap::new());
        assert_eq!(bootstrap, Bootstrap::default());
        assert!(report.is_empty());
    }
}
