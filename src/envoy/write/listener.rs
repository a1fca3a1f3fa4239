//! Listeners: filter chains, and the network filters that route.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::route::{CORS, FAULT};
use super::{Writer, metadata};
use crate::envoy::model::*;
use crate::router::{self, Filter, RouteConfigId, Transport};
use crate::terms::connection_manager::{ConnectionManager, ForwardClientCert, Underscores};
use crate::terms::path_normalization::EscapedSlashes as Escaped;
use crate::terms::traffic_policy::TunnelProtocol;

const MANAGER: (&str, &str) = (
    "envoy.filters.network.http_connection_manager",
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
);
const TCP_PROXY: (&str, &str) = (
    "envoy.filters.network.tcp_proxy",
    "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
);
const ROUTER: (&str, &str) = (
    "envoy.filters.http.router",
    "envoy.extensions.filters.http.router.v3.Router",
);
const CORS_FILTER: (&str, &str) = (CORS.0, "envoy.extensions.filters.http.cors.v3.Cors");
const TLS: (&str, &str) = (
    "envoy.transport_sockets.tls",
    "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
);
const TLS_INSPECTOR: (&str, &str) = (
    "envoy.filters.listener.tls_inspector",
    "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
);
const HTTP_INSPECTOR: (&str, &str) = (
    "envoy.filters.listener.http_inspector",
    "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
);

/// Whose listeners are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A sidecar's: connections are handed on to them by the one that takes all.
    Mesh,
    /// A gateway's; marked as such where the proxy is a sidecar, too.
    Gateway { is_marked: bool },
}

impl Writer<'_> {
    /// The listeners of the side. The guard against loops and the listener that gets what no other claims are one in Envoy.
    pub(super) fn listeners(&self, side: Side) -> Vec<Listener> {
        let fallback = self.view.fallback();
        let is_guard = |listener: &router::Listener| {
            fallback.is_some_and(|fallback| fallback.name == listener.name)
        };
        let listeners = self.view.listeners().iter();
        let mut out: Vec<Listener> = listeners
            .filter(|listener| !is_guard(listener))
            .map(|listener| self.listener(listener, side))
            .collect();
        if let Some(fallback) = fallback {
            let guard = self
                .view
                .listeners()
                .iter()
                .find(|listener| is_guard(listener));
            out.push(self.fallback(fallback, guard.map(|guard| &**guard)));
        }
        out
    }

    fn listener(&self, listener: &router::Listener, side: Side) -> Listener {
        let (chains, default_chain) = listener.parts();
        let inspectors = inspectors(chains);
        Listener {
            name: listener.name().to_owned(),
            address: address(listener.address(), listener.port()),
            filter_chains: chains.iter().map(|chain| self.chain(chain)).collect(),
            default_filter_chain: default_chain.map(|chain| self.chain(chain)),
            bind_to_port: (side == Side::Mesh).then_some(false),
            continue_on_listener_filters_timeout: side == Side::Mesh,
            listener_filters_timeout: (side == Side::Mesh).then_some(Span(Duration::ZERO)),
            listener_filters: inspectors,
            traffic_direction: Some(TrafficDirection::Outbound),
            metadata: match side {
                Side::Gateway { is_marked: true } => {
                    let gateway = serde_json::json!({ "side": "gateway" });
                    Some(Metadata {
                        filter_metadata: [("meshroute".to_owned(), gateway)].into(),
                    })
                }
                _ => None,
            },
            use_original_dst: None,
        }
    }

    fn fallback(&self, fallback: &router::Listener, guard: Option<&router::Listener>) -> Listener {
        let (chains, default_chain) = fallback.parts();
        let inspectors = inspectors(chains);
        let mut filter_chains = Vec::new();
        let port = guard.map_or(0, router::Listener::port);
        for chain in guard.into_iter().flat_map(router::Listener::chains) {
            filter_chains.push(FilterChain {
                filter_chain_match: Some(FilterChainMatch {
                    destination_port: Some(port.into()),
                    ..FilterChainMatch::default()
                }),
                ..self.chain(chain)
            });
        }
        for chain in chains {
            let mut chain = self.chain(chain);
            // Nobody looks for TLS there: everything is plain text.
            if let Some(matches) = &mut chain.filter_chain_match {
                matches.transport_protocol.clear();
            }
            filter_chains.push(chain);
        }
        filter_chains.extend(default_chain.map(|chain| self.chain(chain)));
        Listener {
            name: fallback.name().to_owned(),
            address: address(fallback.address(), port),
            filter_chains,
            use_original_dst: Some(true),
            listener_filters: inspectors,
            traffic_direction: Some(TrafficDirection::Outbound),
            ..Listener::default()
        }
    }

    fn chain(&self, chain: &router::FilterChain) -> FilterChain {
        let (filter, origin) = match chain.filter() {
            Filter::Http(id) => (named(MANAGER, &self.manager(*id)), None),
            Filter::Tcp(proxy) => (named(TCP_PROXY, &self.tcp_proxy(proxy)), proxy.origin()),
        };
        FilterChain {
            name: chain.name().to_owned(),
            filter_chain_match: Some(chain_match(&chain.matches))
                .filter(|matches| *matches != FilterChainMatch::default()),
            filters: vec![filter],
            transport_socket: chain
                .terminates_tls()
                .then(|| named(TLS, &DownstreamTlsContext::default())),
            metadata: origin.map(metadata),
        }
    }

    fn manager(&self, id: RouteConfigId) -> HttpConnectionManager {
        let config = self.view.route_config(id);
        let manager: ConnectionManager = self.view.manager();
        let is_own = self
            .view
            .fallback()
            .is_some_and(|fallback| fallback.route_config() == Some(id));
        let escaped = match manager.path.escaped_slashes {
            Escaped::Keep => EscapedSlashes::KeepUnchanged,
            Escaped::Reject => EscapedSlashes::RejectRequest,
            Escaped::Redirect => EscapedSlashes::UnescapeAndRedirect,
            Escaped::Forward => EscapedSlashes::UnescapeAndForward,
        };
        let router = HttpRouter {
            suppress_envoy_headers: manager.hides_itself,
        };
        let underscores = match manager.underscores {
            Underscores::Allow => None,
            Underscores::Reject => Some(UnderscoresAction::RejectRequest),
            Underscores::Drop => Some(UnderscoresAction::DropHeader),
        };
        let fault = named((FAULT.0, FAULT.1), &HttpFault::default());
        HttpConnectionManager {
            stat_prefix: config.name().to_owned(),
            rds: (!is_own).then(|| Rds {
                config_source: super::from_server(),
                route_config_name: config.name().to_owned(),
            }),
            route_config: is_own.then(|| self.route_config(config)),
            http_filters: vec![fault, named(CORS_FILTER, &Empty {}), named(ROUTER, &router)],
            append_x_forwarded_port: manager.appends_port,
            common_http_protocol_options: underscores.map(|action| DownstreamHttpOptions {
                headers_with_underscores_action: Some(action),
            }),
            use_remote_address: Some(manager.is_edge),
            xff_num_trusted_hops: manager.trusted_hops,
            normalize_path: Some(manager.path.normalizes),
            merge_slashes: manager.path.merges_slashes,
            path_with_escaped_slashes_action: Some(escaped),
            forward_client_cert_details: match manager.client_certificate {
                ForwardClientCert::Sanitize => None,
                ForwardClientCert::ForwardOnly => Some(ForwardClientCertDetails::ForwardOnly),
                ForwardClientCert::AppendForward => Some(ForwardClientCertDetails::AppendForward),
                ForwardClientCert::SanitizeSet => Some(ForwardClientCertDetails::SanitizeSet),
                ForwardClientCert::AlwaysForwardOnly => {
                    Some(ForwardClientCertDetails::AlwaysForwardOnly)
                }
            },
        }
    }

    fn tcp_proxy(&self, proxy: &router::TcpProxy) -> TcpProxy {
        let split = proxy.split();
        let first = split
            .clusters()
            .next()
            .map(|entry| self.cluster_name(entry.cluster()));
        let weighted = split.is_weighted().then(|| WeightedTcpClusters {
            clusters: split
                .clusters()
                .map(|entry| TcpClusterWeight {
                    name: self.cluster_name(entry.cluster()),
                    weight: entry.weight(),
                })
                .collect(),
        });
        let hash = TcpHashPolicy {
            source_ip: Some(Empty {}),
        };
        TcpProxy {
            stat_prefix: first.clone().unwrap_or_default(),
            cluster: first.filter(|_| weighted.is_none()),
            weighted_clusters: weighted,
            idle_timeout: proxy.idle_timeout().map(Span),
            max_downstream_connection_duration: proxy.max_connection_duration().map(Span),
            hash_policy: proxy
                .hashes_source_ip()
                .then_some(hash)
                .into_iter()
                .collect(),
            tunneling_config: proxy.tunnel().map(|tunnel| TunnelingConfig {
                hostname: format!("{}:{}", tunnel.target_host, tunnel.target_port),
                use_post: tunnel.protocol == TunnelProtocol::Post,
            }),
        }
    }
}

fn named((name, kind): (&str, &str), settings: &impl serde::Serialize) -> NamedConfig {
    NamedConfig {
        name: name.to_owned(),
        typed_config: Any::of(kind, settings),
    }
}

fn address(address: Option<IpAddr>, port: u16) -> Address {
    let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    Address {
        socket_address: SocketAddress {
            address: address.to_string(),
            port_value: port.into(),
        },
    }
}

/// What looks at the first bytes, as far as chains ask about them.
fn inspectors(chains: &[router::FilterChain]) -> Vec<NamedConfig> {
    let is_terminated = chains.iter().any(router::FilterChain::terminates_tls);
    let matches = || chains.iter().map(|chain| &chain.matches);
    let is_tls = |matches: &router::ChainMatch| {
        !matches.server_names.is_empty() || matches.transport == Some(Transport::Tls)
    };
    let is_http = |matches: &router::ChainMatch| {
        matches.transport != Some(Transport::Tls) && !matches.application_protocols.is_empty()
    };
    let mut out = Vec::new();
    if is_terminated || matches().any(is_tls) {
        out.push(named(TLS_INSPECTOR, &Empty {}));
    }
    if matches().any(is_http) {
        out.push(named(HTTP_INSPECTOR, &Empty {}));
    }
    out
}

fn chain_match(matches: &router::ChainMatch) -> FilterChainMatch {
    let texts = |all: &[Box<str>]| all.iter().map(|text| text.to_string()).collect();
    let range = |range: &ipnet::IpNet| CidrRange {
        address_prefix: range.addr().to_string(),
        prefix_len: Some(range.prefix_len().into()),
    };
    FilterChainMatch {
        destination_port: None,
        prefix_ranges: matches.destinations.iter().map(range).collect(),
        server_names: texts(&matches.server_names),
        transport_protocol: match matches.transport {
            None => String::new(),
            Some(Transport::Plaintext) => "raw_buffer".to_owned(),
            Some(Transport::Tls) => "tls".to_owned(),
        },
        application_protocols: texts(&matches.application_protocols),
    }
}
