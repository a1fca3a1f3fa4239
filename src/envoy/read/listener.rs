//! Listeners: filter chains, and the network filters that route.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::clusters::Names;
use super::context::Context;
use super::{manager, route_config};
use crate::diagnostic::At;
use crate::envoy::EnvoyConfig;
use crate::envoy::model::{
    self, CidrRange, FilterChainMatch, HttpConnectionManager, NamedConfig, RouteConfiguration,
    TrafficDirection,
};
use crate::envoy::unread::Kind;
use crate::router::{
    ChainMatch, ClusterSide, Filter, FilterChain, Listener, RouteConfig, RouteConfigId, Split,
    TcpProxy, Transport, View, WeightedCluster,
};
use crate::terms::connection_manager::ConnectionManager;
use crate::terms::path_normalization::PathHandling;
use crate::terms::traffic_policy::{Tunnel, TunnelProtocol};

/// Network filters that do nothing about where connections go: the parts of their names after the last dot.
const KNOWN_FILTERS: &[&str] = &[
    "metadata_exchange",
    "mongo_proxy",
    "mysql_proxy",
    "sni_dynamic_forward_proxy",
];

/// The listeners of each side that there is, inbound ones aside.
pub(super) fn sides(config: &EnvoyConfig) -> Vec<(ClusterSide, Vec<&model::Listener>)> {
    let is_outbound =
        |listener: &&model::Listener| listener.traffic_direction != Some(TrafficDirection::Inbound);
    let listeners: Vec<&model::Listener> = config.listeners.iter().filter(is_outbound).collect();
    let is_sidecar = listeners
        .iter()
        .any(|listener| listener.use_original_dst == Some(true));
    let is_gateways = |listener: &model::Listener| {
        let metadata = listener.metadata.as_ref();
        let said = metadata.and_then(|metadata| metadata.filter_metadata.get("meshroute"));
        said.is_some_and(|said| said["side"] == "gateway")
    };
    let (mesh, gateway): (Vec<_>, Vec<_>) = listeners
        .into_iter()
        .partition(|listener| is_sidecar && !is_gateways(listener));
    let mut out = Vec::new();
    if is_sidecar {
        out.push((ClusterSide::Mesh, mesh));
    }
    if !gateway.is_empty() || !is_sidecar {
        out.push((ClusterSide::Gateway, gateway));
    }
    out
}

/// A side of a proxy with these listeners.
pub(super) fn view(
    side: ClusterSide,
    listeners: &[&model::Listener],
    context: &mut Context<'_>,
    names: &mut Names<'_>,
) -> View {
    let mut reader = Reader {
        side,
        context,
        names,
        by_name: HashMap::new(),
        configs: Vec::new(),
        manager: None,
    };
    if listeners.is_empty() {
        return reader.without_listeners();
    }
    let (mut own, mut fallback) = (Vec::new(), None);
    for listener in listeners {
        let before = reader.context.about(Kind::Listener, &listener.name);
        reader.listener(listener, &mut own, &mut fallback);
        reader.context.back_to(before);
    }
    let mut manager = reader.manager.unwrap_or_default();
    // Virtual hosts and routes say these, and all of a proxy say the same.
    let hosts = reader.context.config.routes.iter();
    let hosts = hosts.flat_map(|config| &config.virtual_hosts);
    for host in hosts.filter(|host| !host.routes.is_empty()) {
        manager.hides_attempts |= !host.include_request_attempt_count;
        let mut actions = host.routes.iter().filter_map(|route| route.route.as_ref());
        manager.appends_host |= actions.any(|action| action.append_x_forwarded_host);
    }
    View::new(own, fallback, reader.configs, manager)
}

struct Reader<'r, 'c, 'n> {
    side: ClusterSide,
    context: &'r mut Context<'c>,
    names: &'r mut Names<'n>,
    /// Of what RDS gives.
    by_name: HashMap<String, RouteConfigId>,
    configs: Vec<Arc<RouteConfig>>,
    /// What all connection managers of the side do.
    manager: Option<ConnectionManager>,
}

impl Reader<'_, '_, '_> {
    /// Route configurations alone: each answers at the port that its name ends with, the first one everywhere.
    fn without_listeners(mut self) -> View {
        let routes = &self.context.config.routes;
        let (mut own, mut fallback) = (Vec::new(), None);
        for config in routes {
            let id = self.add(config);
            let chain = FilterChain {
                name: "".into(),
                matches: ChainMatch::default(),
                terminates_tls: false,
                filter: Filter::Http(id),
            };
            let port = config
                .name
                .rsplit([':', '.'])
                .next()
                .and_then(|port| port.parse().ok());
            if let Some(port) = port {
                own.push(Arc::new(Listener::new(
                    config.name.as_str(),
                    None,
                    port,
                    vec![chain.clone()],
                    None,
                )));
            }
            fallback.get_or_insert_with(|| {
                Arc::new(Listener::new(
                    config.name.as_str(),
                    None,
                    0,
                    vec![chain],
                    None,
                ))
            });
        }
        let manager = ConnectionManager {
            path: PathHandling::NONE,
            ..ConnectionManager::default()
        };
        View::new(own, fallback, self.configs, manager)
    }

    fn listener(
        &mut self,
        listener: &model::Listener,
        own: &mut Vec<Arc<Listener>>,
        fallback: &mut Option<Arc<Listener>>,
    ) {
        let socket = &listener.address.socket_address;
        let at = At::ROOT.field("address");
        let Ok(port) = u16::try_from(socket.port_value) else {
            return self
                .context
                .invalid(&at, format_args!("{} is no port", socket.port_value));
        };
        let Ok(address) = socket.address.parse::<IpAddr>() else {
            return self
                .context
                .not_honoured(&at, "a listener at anything but an IP address and a port");
        };
        let address = Some(address).filter(|address| !address.is_unspecified());
        let takes_all = listener.use_original_dst == Some(true);
        let sees_tls = listener
            .listener_filters
            .iter()
            .any(|filter| filter.name.ends_with("tls_inspector"));
        let chains_at = At::ROOT.field("filterChains");
        let (mut chains, mut guard, mut is_plain) = (Vec::new(), None, false);
        for (index, chain) in listener.filter_chains.iter().enumerate() {
            let at = chains_at.index(index);
            let to_port = chain
                .filter_chain_match
                .as_ref()
                .and_then(|matches| matches.destination_port);
            let Some(mut read) = self.chain(&at, chain) else {
                continue;
            };
            let looks_alone =
                read.matches.transport.is_none() && !read.matches.application_protocols.is_empty();
            if !sees_tls && looks_alone {
                // Nobody looks into TLS there: what it offers is not known.
                read.matches.transport = Some(Transport::Plaintext);
                is_plain = true;
            }
            match to_port {
                None => chains.push(read),
                Some(asked) if takes_all && asked == u32::from(port) && guard.is_none() => {
                    guard = Some(read)
                }
                Some(_) => {
                    let at = at.field("filterChainMatch");
                    self.context.not_honoured(
                        &at.field("destinationPort"),
                        "the port that a connection was made to",
                    );
                }
            }
        }
        let default = listener.default_filter_chain.as_ref();
        let mut default =
            default.and_then(|chain| self.chain(&At::ROOT.field("defaultFilterChain"), chain));
        // Where only the protocol tells chains apart, one that asks nothing is the default.
        let asks_nothing = |chain: &FilterChain| chain.matches == ChainMatch::default();
        if let Some(place) = chains.iter().position(asks_nothing)
            && is_plain
            && default.is_none()
        {
            default = Some(chains.remove(place));
        }
        let name = listener.name.as_str();
        if takes_all {
            *fallback = Some(Arc::new(Listener::new(name, None, 0, chains, default)));
            own.extend(guard.map(|guard| {
                Arc::new(Listener::new(name, address, port, Vec::new(), Some(guard)))
            }));
        } else {
            own.push(Arc::new(Listener::new(
                name, address, port, chains, default,
            )));
        }
    }

    /// `None`: it was said why not.
    fn chain(&mut self, at: &At<'_>, chain: &model::FilterChain) -> Option<FilterChain> {
        let matches = match &chain.filter_chain_match {
            Some(matches) => self.chain_match(&at.field("filterChainMatch"), matches)?,
            None => ChainMatch::default(),
        };
        let terminates_tls = match &chain.transport_socket {
            None => false,
            Some(socket) if socket.name.ends_with("raw_buffer") => false,
            Some(socket) if socket.name.ends_with(".tls") => true,
            Some(socket) => {
                let at = at.field("transportSocket");
                self.context
                    .not_looked_at(&at, format_args!("the transport socket `{}`", socket.name));
                false
            }
        };
        let filters_at = at.field("filters");
        let mut filter = None;
        for (index, named) in chain.filters.iter().enumerate() {
            let at = filters_at.index(index);
            let settings = at.field("typedConfig");
            match named
                .typed_config
                .type_name()
                .rsplit('.')
                .next()
                .unwrap_or_default()
            {
                "HttpConnectionManager" => filter = self.http(&settings, named).map(Filter::Http),
                "TcpProxy" => filter = self.tcp(&settings, named, chain).map(Filter::Tcp),
                _ => {
                    let kind = named.name.rsplit('.').next().unwrap_or_default();
                    if !KNOWN_FILTERS.contains(&kind) {
                        self.context
                            .not_looked_at(&at, format_args!("the filter `{}`", named.name));
                    }
                }
            }
        }
        if filter.is_none() {
            self.context.not_honoured(
                &filters_at,
                "a filter chain that neither routes HTTP nor forwards bytes",
            );
        }
        Some(FilterChain {
            name: chain.name.as_str().into(),
            matches,
            terminates_tls,
            filter: filter?,
        })
    }

    fn chain_match(&mut self, at: &At<'_>, matches: &FilterChainMatch) -> Option<ChainMatch> {
        let transport = match matches.transport_protocol.as_str() {
            "" => None,
            "raw_buffer" => Some(Transport::Plaintext),
            "tls" => Some(Transport::Tls),
            other => {
                self.context
                    .not_honoured(&at.field("transportProtocol"), format_args!("`{other}`"));
                return None;
            }
        };
        let ranges_at = at.field("prefixRanges");
        let mut destinations = Vec::new();
        for (index, range) in matches.prefix_ranges.iter().enumerate() {
            match net(range) {
                Some(range) => destinations.push(range),
                None => {
                    let why = format!("`{}` is no address", range.address_prefix);
                    self.context.invalid(&ranges_at.index(index), why);
                    return None;
                }
            }
        }
        // Envoy reads them without case.
        let server_names = matches
            .server_names
            .iter()
            .map(|name| name.to_ascii_lowercase());
        Some(ChainMatch {
            destinations,
            server_names: server_names.map(Into::into).collect(),
            transport,
            application_protocols: matches
                .application_protocols
                .iter()
                .map(|text| text.as_str().into())
                .collect(),
        })
    }

    fn http(&mut self, at: &At<'_>, named: &NamedConfig) -> Option<RouteConfigId> {
        let read: HttpConnectionManager = self.context.settings(at, &named.typed_config)?;
        let manager = manager::settings(self.context, at, &read);
        let first = *self.manager.get_or_insert(manager);
        if first != manager {
            self.context.not_honoured(
                at,
                "a connection manager that does other things than another one of this proxy",
            );
        }
        if let Some(config) = &read.route_config {
            return Some(self.add(config));
        }
        let Some(rds) = &read.rds else {
            self.context
                .not_honoured(at, "a connection manager without a route configuration");
            return None;
        };
        let name = &rds.route_config_name;
        if let Some(known) = self.by_name.get(name) {
            return Some(*known);
        }
        let routes = &self.context.config.routes;
        let id = match routes.iter().find(|config| config.name == *name) {
            Some(config) => self.add(config),
            None => {
                self.context.not_given(
                    &at.field("rds"),
                    format_args!("the route configuration `{name}`"),
                );
                self.add(&RouteConfiguration {
                    name: name.clone(),
                    ..RouteConfiguration::default()
                })
            }
        };
        self.by_name.insert(name.clone(), id);
        Some(id)
    }

    fn add(&mut self, config: &RouteConfiguration) -> RouteConfigId {
        let read = route_config::read(self.context, self.names, self.side, config);
        let id = RouteConfigId(self.configs.len() as u32);
        self.configs.push(Arc::new(read));
        id
    }

    fn tcp(
        &mut self,
        at: &At<'_>,
        named: &NamedConfig,
        chain: &model::FilterChain,
    ) -> Option<TcpProxy> {
        let read: model::TcpProxy = self.context.settings(at, &named.typed_config)?;
        let split = match (&read.cluster, &read.weighted_clusters) {
            (Some(cluster), None) => Some(Split::single(self.names.id(cluster))),
            (None, Some(weighted)) => {
                let clusters = weighted.clusters.iter().filter(|entry| entry.weight > 0);
                let clusters = clusters.map(|entry| WeightedCluster {
                    cluster: self.names.id(&entry.name),
                    weight: entry.weight,
                    headers: None,
                });
                Split::new(clusters, true)
            }
            _ => None,
        };
        let Some(split) = split else {
            self.context.not_honoured(
                at,
                "a connection to anything but one cluster or weighted ones",
            );
            return None;
        };
        if read.hash_policy.iter().any(|key| key.source_ip.is_none()) {
            self.context.not_honoured(
                &at.field("hashPolicy"),
                "a key of consistent hashing that is not the client's address",
            );
        }
        let tunnel = match &read.tunneling_config {
            None => None,
            Some(tunnel) => {
                let place = tunnel.hostname.rsplit_once(':');
                let place = place.and_then(|(host, port)| Some((host, port.parse().ok()?)));
                let Some((target_host, target_port)) = place else {
                    self.context.not_honoured(
                        &at.field("tunnelingConfig"),
                        "a tunnel to anything but a host and a port",
                    );
                    return None;
                };
                Some(Arc::new(Tunnel {
                    protocol: match tunnel.use_post {
                        true => TunnelProtocol::Post,
                        false => TunnelProtocol::Connect,
                    },
                    target_host: target_host.into(),
                    target_port,
                }))
            }
        };
        Some(TcpProxy {
            split,
            origin: self.context.origin(chain.metadata.as_ref()),
            idle_timeout: read.idle_timeout.map(|span| span.0),
            max_connection_duration: read.max_downstream_connection_duration.map(|span| span.0),
            hash_source_ip: !read.hash_policy.is_empty(),
            tunnel,
        })
    }
}

fn net(range: &CidrRange) -> Option<IpNet> {
    let address: IpAddr = range.address_prefix.parse().ok()?;
    let length = u8::try_from(range.prefix_len.unwrap_or(0)).ok()?;
    IpNet::new(address, length).ok()
}
