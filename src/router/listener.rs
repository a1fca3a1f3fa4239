//! Listeners and their filter chains, chosen as Envoy chooses them (R-M-068).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::terms::name::ResourceName;

use super::action::Split;
use super::route_config::RouteConfig;

/// A port (and perhaps an address) that a proxy listens on.
#[derive(Clone, Debug)]
pub struct Listener {
    /// `0.0.0.0_80`, `10.0.0.4_3306`, `virtualOutbound`.
    pub(crate) name: Box<str>,
    /// `None`: every address.
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
    pub(crate) chains: Vec<FilterChain>,
    /// Taken when no chain matches.
    pub(crate) default_chain: Option<Box<FilterChain>>,
}

/// What a connection is protected with, as the listener filters detect it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `raw_buffer`.
    Plaintext,
    /// `tls`.
    Tls,
}

/// Addresses with a common prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// Any address within.
    pub address: IpAddr,
    /// Length of the prefix in bits.
    pub prefix: u8,
}

impl Cidr {
    /// Whether `address` lies within.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let shift = 32u32.saturating_sub(u32::from(self.prefix));
                (u64::from(a.to_bits()) >> shift) == (u64::from(b.to_bits()) >> shift)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let shift = 128u32.saturating_sub(u32::from(self.prefix));
                shift >= 128 || (a.to_bits() >> shift) == (b.to_bits() >> shift)
            }
            _ => false,
        }
    }

    /// The range by its first address, so that equal ranges are equal however they are written.
    pub fn network(&self) -> (IpAddr, u8) {
        let first = match self.address {
            IpAddr::V4(address) => {
                let shift = 32u32.saturating_sub(u32::from(self.prefix));
                let bits = u64::from(address.to_bits()) >> shift << shift;
                IpAddr::V4(std::net::Ipv4Addr::from_bits(bits as u32))
            }
            IpAddr::V6(address) => {
                let shift = 128u32.saturating_sub(u32::from(self.prefix));
                let bits = address.to_bits().checked_shr(shift).unwrap_or(0);
                IpAddr::V6(std::net::Ipv6Addr::from_bits(
                    bits.checked_shl(shift).unwrap_or(0),
                ))
            }
        };
        (first, self.prefix)
    }
}

/// What a filter chain asks of a connection; an empty list asks nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainMatch {
    /// Destination address.
    pub(crate) destinations: Vec<Cidr>,
    /// Lower-case server names, exact or `*.suffix`.
    pub(crate) server_names: Vec<Box<str>>,
    /// Detected transport protocol.
    pub(crate) transport: Option<Transport>,
    /// Offered or detected application protocols.
    pub(crate) application_protocols: Vec<Box<str>>,
}

/// A filter chain: what it asks, and what it does.
#[derive(Clone, Debug)]
pub struct FilterChain {
    pub(crate) name: Box<str>,
    pub(crate) matches: ChainMatch,
    /// It terminates TLS.
    pub(crate) terminates_tls: bool,
    pub(crate) filter: Filter,
}

/// What a filter chain does with a connection.
#[derive(Clone, Debug)]
pub enum Filter {
    /// Routes HTTP requests.
    Http(Arc<RouteConfig>),
    /// Forwards bytes.
    Tcp(TcpProxy),
}

/// Forwards bytes to one cluster of a split.
#[derive(Clone, Debug)]
pub struct TcpProxy {
    pub(crate) split: Split,
    pub(crate) virtual_service: Option<ResourceName>,
    /// From the top-level traffic policy (R-M-120).
    pub(crate) idle_timeout: Option<Duration>,
    /// From the top-level traffic policy (R-M-120).
    pub(crate) max_connection_duration: Option<Duration>,
    /// Consistent hashing by source address (R-M-120).
    pub(crate) hash_source_ip: bool,
    /// R-M-115.
    pub(crate) tunnel: Option<Arc<crate::terms::traffic_policy::Tunnel>>,
}
