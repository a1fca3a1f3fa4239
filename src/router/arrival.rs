//! The connection on which a host is asked for.

use std::net::IpAddr;

use super::{Listener, ServedServer};
use crate::terms::request::Connection;

/// The connection on which a host is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Arrival {
    pub port: u16,
    /// `None`: one that belongs to nobody.
    pub address: Option<IpAddr>,
    pub tls: bool,
}

impl Arrival {
    /// In plain text, at a listener.
    pub(super) fn at(listener: &Listener) -> Self {
        Arrival {
            address: listener.address(),
            ..Arrival::at_port(listener.port())
        }
    }

    /// In plain text, at no address in particular.
    pub(super) fn at_port(port: u16) -> Self {
        Arrival {
            port,
            address: None,
            tls: false,
        }
    }

    /// The connection of a request for `host`, without its port.
    pub(crate) fn connection<'h>(&self, host: &'h str) -> Connection<'h> {
        let mut connection = Connection::to_port(self.port);
        if let Some(address) = self.address {
            connection = connection.address(address);
        }
        match self.tls {
            true => connection.sni(host),
            false => connection,
        }
    }
}

impl From<&ServedServer> for Arrival {
    fn from(server: &ServedServer) -> Self {
        Arrival {
            port: server.port,
            address: server.bind,
            tls: server.tls,
        }
    }
}
