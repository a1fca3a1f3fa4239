//! `tunnel`: TCP through an HTTP proxy (R-M-115, R-M-176).

use std::fmt;

/// `tunnel`: acts on TCP and TLS routes only.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tunnel {
    /// How the proxy is asked.
    pub protocol: TunnelProtocol,
    /// Where the tunnel ends: FQDN or IP address.
    pub target_host: Box<str>,
    /// Where the tunnel ends.
    pub target_port: u16,
}

short_debug! { Tunnel {protocol, target_host, target_port} }

/// `tunnel.protocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TunnelProtocol {
    /// `CONNECT`, also where it is unset.
    #[default]
    Connect,
    /// `POST`.
    Post,
}

impl fmt::Display for TunnelProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TunnelProtocol::Connect => "CONNECT",
            TunnelProtocol::Post => "POST",
        })
    }
}
