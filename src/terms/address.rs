//! Where something listens or is reached.

use std::fmt;
use std::net::IpAddr;

/// An IP address, a host that DNS resolves, or a Unix socket. Prints as it is written.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An IP address.
    Ip(IpAddr),
    /// A host name.
    Host(Box<str>),
    /// The path of a Unix socket, or its name behind `@`; `unix://` stands before it.
    Unix(Box<str>),
}

short_debug! { enum Address {Ip(part), Host(part), Unix(part)} }

impl Address {
    const UNIX: &str = "unix://";

    /// Reads an address; `None` if there is no text.
    pub fn parse(written: &str) -> Option<Self> {
        if written.is_empty() {
            return None;
        }
        Some(match (written.strip_prefix(Self::UNIX), written.parse()) {
            (Some(path), _) => Address::Unix(path.into()),
            (None, Ok(address)) => Address::Ip(address),
            (None, Err(_)) => Address::Host(written.into()),
        })
    }

    /// The IP address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Address::Ip(address) => Some(*address),
            Address::Host(_) | Address::Unix(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Ip(address) => address.fmt(f),
            Address::Host(host) => f.write_str(host),
            Address::Unix(path) => write!(f, "{}{path}", Self::UNIX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart_and_printed_as_written() {
        for (written, is_ip) in [
            ("10.0.0.1", true),
            ("2001:db8::1", true),
            ("a.example.com", false),
            ("unix:///run/a.sock", false),
            ("unix://@a", false),
        ] {
            let address = Address::parse(written).expect("an address");
            assert_eq!(
                (address.ip().is_some(), address.to_string()),
                (is_ip, written.to_owned())
            );
        }
        assert_eq!(
            Address::parse("unix://@a"),
            Some(Address::Unix("@a".into()))
        );
        assert_eq!(Address::parse(""), None);
    }
}
