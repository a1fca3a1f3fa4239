//! Ports and addresses (R-M-143).

use std::net::IpAddr;

use super::Verdict;

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
    let Some((address, prefix)) = text.split_once('/') else {
        return ip(text);
    };
    let longest = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return Err(format!("`{text}` is not a CIDR block")),
    };
    let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
    match prefix.parse::<u8>() {
        Ok(length) if digits && length <= longest => Ok(()),
        _ => Err(format!("`{text}` is not a CIDR block")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_m_143_ports_addresses_and_blocks() {
        assert!(port(0).is_err() && port(65536).is_err());
        assert!(port(1).is_ok() && port(65535).is_ok());
        for good in ["10.0.0.1", "10.0.0.0/8", "::1", "2001:1::1/64"] {
            assert_eq!(subnet(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "10.0.0",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "::1/129",
            "a/8",
            "1.2.3.4/8/8",
        ] {
            assert!(subnet(bad).is_err(), "{bad}");
        }
    }
}
