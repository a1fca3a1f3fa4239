//! Filter chains: what each asks of a connection, how well that fits, and what the chain does with it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::terms::host;
use crate::terms::origin::Origin;
use crate::terms::traffic_policy::Tunnel;

use super::action::Split;

/// What a connection is protected with, as the listener filters detect it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// `raw_buffer`.
    Plaintext,
    /// `tls`.
    Tls,
}

/// What a filter chain asks of a connection; an empty list asks nothing.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct ChainMatch {
    /// Destination address.
    pub(crate) destinations: Vec<IpNet>,
    /// Lower-case server names, exact or `*.suffix`.
    pub(crate) server_names: Vec<Box<str>>,
    /// Detected transport protocol.
    pub(crate) transport: Option<Transport>,
    /// Offered or detected application protocols.
    pub(crate) application_protocols: Vec<Box<str>>,
}

short_debug! { ChainMatch {destinations, server_names, transport, application_protocols} }

/// A filter chain: what it asks, and what it does.
#[derive(Clone)]
pub struct FilterChain {
    pub(crate) name: Box<str>,
    pub(crate) matches: ChainMatch,
    /// It terminates TLS.
    pub(crate) terminates_tls: bool,
    pub(crate) filter: Filter,
}

/// What a filter chain does with a connection.
#[derive(Clone)]
#[non_exhaustive]
pub enum Filter {
    /// Routes HTTP requests by a route configuration of the same side of the proxy.
    Http(RouteConfigId),
    /// Forwards bytes.
    Tcp(TcpProxy),
}

short_debug! { enum Filter {Http(part), Tcp(part)} }

/// Names a route configuration, as chains do: listeners stay what they are when routes change (in Envoy: LDS and RDS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteConfigId(pub(crate) u32);

/// Forwards bytes to one cluster of a split.
#[derive(Clone)]
pub struct TcpProxy {
    pub(crate) split: Split,
    pub(crate) origin: Option<Origin>,
    /// From the top-level traffic policy (R-M-120).
    pub(crate) idle_timeout: Option<Duration>,
    /// From the top-level traffic policy (R-M-120).
    pub(crate) max_connection_duration: Option<Duration>,
    /// Consistent hashing by source address (R-M-120).
    pub(crate) hash_source_ip: bool,
    /// R-M-115.
    pub(crate) tunnel: Option<Arc<Tunnel>>,
}

short_debug! { TcpProxy {split, origin, idle_timeout, max_connection_duration, hash_source_ip, tunnel} }

/// What a filter chain is chosen by, once the listener filters have looked at the first bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainFacts<'a> {
    /// Destination address; `None`: one that belongs to nobody.
    pub address: Option<IpAddr>,
    /// Server name (SNI), in any case.
    pub server_name: Option<&'a str>,
    pub transport: Transport,
    /// Offered (ALPN) or detected application protocols, in order.
    pub application_protocols: &'a [&'a str],
}

impl ChainMatch {
    /// How well each of the four asks fits: 0 not at all, 1 nothing is asked, more is more specific. What follows a 0
    /// does not count.
    pub(super) fn score(&self, facts: &ChainFacts<'_>) -> [u32; 4] {
        let mut score = [0; 4];
        score[0] = self.destination_score(facts);
        if score[0] > 0 {
            score[1] = self.server_name_score(facts);
        }
        if score[1] > 0 {
            [score[2], score[3]] = self.protocol_score(facts);
        }
        score
    }

    /// The last two of the four.
    pub(super) fn protocol_score(&self, facts: &ChainFacts<'_>) -> [u32; 2] {
        match self.transport_score(facts) {
            0 => [0, 0],
            transport => [transport, self.application_protocol_score(facts)],
        }
    }

    fn destination_score(&self, facts: &ChainFacts<'_>) -> u32 {
        if self.destinations.is_empty() {
            return 1;
        }
        let fits = self.destinations.iter().filter(|range| {
            let is_within = |address: IpAddr| range.contains(&address);
            range.prefix_len() == 0 || facts.address.is_some_and(is_within)
        });
        fits.map(|range| 1 + u32::from(range.prefix_len()))
            .max()
            .unwrap_or(0)
    }

    fn server_name_score(&self, facts: &ChainFacts<'_>) -> u32 {
        if self.server_names.is_empty() {
            return 1;
        }
        let host = facts.server_name.unwrap_or_default();
        let fits = self.server_names.iter();
        fits.filter_map(|name| host::fit(name, host))
            .max()
            .map_or(0, |fit| 1 + fit)
    }

    fn transport_score(&self, facts: &ChainFacts<'_>) -> u32 {
        match self.transport {
            None => 1,
            Some(transport) if transport == facts.transport => 2,
            Some(_) => 0,
        }
    }

    fn application_protocol_score(&self, facts: &ChainFacts<'_>) -> u32 {
        if self.application_protocols.is_empty() {
            return 1;
        }
        let wanted = |protocol: &&str| {
            self.application_protocols
                .iter()
                .any(|own| **own == **protocol)
        };
        match facts.application_protocols.iter().position(wanted) {
            // The first one offered wins.
            Some(place) => u32::MAX - place as u32,
            None => 0,
        }
    }
}

impl FilterChain {
    /// Envoy's name of it; may be empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it terminates TLS.
    pub fn terminates_tls(&self) -> bool {
        self.terminates_tls
    }

    /// The route configuration that it routes by, if it routes HTTP requests.
    #[cfg(feature = "envoy")]
    pub(crate) fn route_config(&self) -> Option<RouteConfigId> {
        match self.filter {
            Filter::Http(config) => Some(config),
            Filter::Tcp(_) => None,
        }
    }

    /// The server names that it asks for; none: it asks for none.
    pub fn server_names(&self) -> impl Iterator<Item = &str> {
        self.matches.server_names.iter().map(|name| &**name)
    }

    /// What it does with a connection.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The proxy of bytes, where it is one.
    pub(crate) fn tcp(&self) -> Option<&TcpProxy> {
        match &self.filter {
            Filter::Tcp(proxy) => Some(proxy),
            Filter::Http(_) => None,
        }
    }
}

impl TcpProxy {
    /// Where it sends the connection.
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// Where it was written; `None` for the own filter of a service, and where nothing is routed.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// How long a connection may be idle (R-M-120).
    pub fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout
    }

    /// How long a connection may live (R-M-120).
    pub fn max_connection_duration(&self) -> Option<Duration> {
        self.max_connection_duration
    }

    /// Whether the client's address is hashed for consistent balancing (R-M-120).
    pub fn hashes_source_ip(&self) -> bool {
        self.hash_source_ip
    }

    /// The HTTP proxy that it goes through (R-M-115).
    pub fn tunnel(&self) -> Option<&Tunnel> {
        self.tunnel.as_deref()
    }
}
