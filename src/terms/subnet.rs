//! Ranges of addresses as the configuration writes them (R-M-143).

use ipnet::IpNet;
use std::net::IpAddr;

/// Reads a block such as `10.0.0.0/8`, or one address, which is the range of itself. The bits behind the prefix stay as they
/// are written.
pub(crate) fn parse(text: &str) -> Option<IpNet> {
    let Some((address, prefix)) = text.split_once('/') else {
        return text.parse::<IpAddr>().ok().map(IpNet::from);
    };
    let is_number = prefix.bytes().all(|digit| digit.is_ascii_digit());
    let prefix = prefix.parse().ok().filter(|_| is_number)?;
    IpNet::new(address.parse().ok()?, prefix).ok()
}

/// Whether it is one address.
pub(crate) fn is_single(subnet: &IpNet) -> bool {
    subnet.prefix_len() == subnet.max_prefix_len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_m_143_addresses_and_blocks() {
        for good in [
            "10.0.0.1",
            "10.0.0.0/8",
            "10.1.2.3/0",
            "::1",
            "2001:1::1/64",
        ] {
            assert!(parse(good).is_some(), "{good}");
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
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(
            parse("10.1.2.3/8").map(|subnet| subnet.to_string()),
            Some("10.1.2.3/8".to_owned())
        );
        assert_eq!(parse("10.1.2.3").as_ref().map(is_single), Some(true));
        assert_eq!(parse("::/127").as_ref().map(is_single), Some(false));
    }
}
