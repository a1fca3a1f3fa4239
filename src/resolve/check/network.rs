//! Ports and addresses (R-M-143).

use std::net::IpAddr;

use super::Verdict;
use crate::terms::subnet;

/// A port number, 1 to 65535.
pub(crate) fn port(number: u32) -> Verdict {
    if (1..=65535).contains(&number) {
        Ok(())
    } else {
        Err(format!(
            "port number `{number}` is not in the range 1 to 65535"
        ))
    }
}

/// An IPv4 or IPv6 address.
pub(crate) fn ip(text: &str) -> Verdict {
    match text.parse::<IpAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("`{text}` is not an IP address")),
    }
}

/// An address, or a block such as `10.0.0.0/8`.
pub(crate) fn subnet(text: &str) -> Verdict {
    match subnet::parse(text) {
        Some(_) => Ok(()),
        None if text.contains('/') => Err(format!("`{text}` is not a CIDR block")),
        None => ip(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_m_143_ports_addresses_and_blocks() {
        assert!(port(0).is_err() && port(65536).is_err());
        assert!(port(1).is_ok() && port(65535).is_ok());
        assert_eq!(subnet("10.0.0.0/8"), Ok(()));
        assert!(subnet("10.0.0.0/33").is_err() && subnet("10.0.0").is_err());
    }
}
