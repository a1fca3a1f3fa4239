//! An endpoint by its address.

use std::fmt;
use std::net::SocketAddr;

use crate::terms::request_hash::hash_bytes;

/// Names an endpoint of a cluster by its address: it means the same one in the states that [follow](super::State::carry).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(u64);

impl EndpointId {
    pub(super) fn of(target: &Target) -> Self {
        EndpointId(hash_bytes(target.to_string().as_bytes()))
    }
}

/// Where an endpoint is reached. Prints as Envoy writes it: `10.0.0.1:80`, `[fd00::1]:80`, `db.example.com:80`, the path of a
/// Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// An IP address and a port.
    Socket(SocketAddr),
    /// A name that the caller resolves, and a port.
    Host(Box<str>, u16),
    /// A Unix socket.
    Unix(Box<str>),
}

impl Target {
    /// The socket address; `None` where there is a name or a Unix socket.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self {
            Target::Socket(address) => Some(*address),
            Target::Host(..) | Target::Unix(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Socket(address) => address.fmt(f),
            Target::Host(host, port) => write!(f, "{host}:{port}"),
            Target::Unix(path) => f.write_str(path),
        }
    }
}
