//! An authority as it was sent: the port is cut, ASCII case folded and the hash taken in one pass over registers
//! (R-H-076, R-H-077).

use crate::router::words;
use crate::terms::host::without_port;

/// The host of an authority, without port, in whatever case it was sent, and the hash of its lower-case form.
#[derive(Clone, Copy)]
pub(super) struct Authority<'a> {
    host: &'a [u8],
    hash: u64,
}

impl<'a> Authority<'a> {
    /// Cuts the port at the last `:` outside brackets and hashes the rest.
    #[inline]
    pub(super) fn new(authority: &'a str) -> Self {
        let bytes = authority.as_bytes();
        let host = &bytes[..end_of_host(bytes)];
        let (hash, colons) = words::hash::<true>(host, b':');
        if colons != 0 {
            return Self::with_odd_port(authority);
        }
        Authority { host, hash }
    }

    /// A host that the caller has already freed of its port, such as a suffix of another one.
    #[inline]
    pub(super) fn without_port(host: &'a [u8]) -> Self {
        let (hash, _) = words::hash::<true>(host, b':');
        Authority { host, hash }
    }

    /// An address in brackets, or a port that is no number.
    #[cold]
    fn with_odd_port(authority: &'a str) -> Self {
        Self::without_port(without_port(authority).as_bytes())
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) fn host(&self) -> &'a [u8] {
        self.host
    }

    /// Bit `length - 1` is set for each suffix that starts at a dot, the dot included. For hosts of 1 to 64 bytes.
    #[inline]
    pub(super) fn dotted_suffixes(&self) -> u64 {
        // From "bit = position" to "bit = length - 1".
        words::positions(self.host, b'.').reverse_bits() >> (64 - self.host.len()).min(63)
    }
}

/// Where `:8080` begins, if the authority ends like that; the general case is found out by the hash pass.
#[inline]
fn end_of_host(bytes: &[u8]) -> usize {
    for (back, byte) in bytes.iter().rev().take(6).enumerate() {
        match byte {
            b'0'..=b'9' => {}
            b':' => return bytes.len() - back - 1,
            _ => break,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn r_h_076_077_port_and_case_do_not_change_the_key(host in "[a-zA-Z0-9.\u{e9}-]{0,80}", port in "(:[0-9]{0,7}|:[a-z]{1,9}|)") {
            let sent = format!("{host}{port}");
            let authority = Authority::new(&sent);
            prop_assert_eq!(authority.host(), host.as_bytes());
            prop_assert_eq!(authority.hash(), Authority::without_port(host.to_ascii_lowercase().as_bytes()).hash());
        }

        #[test]
        fn dots_are_found_from_the_end(host in "[a.]{1,64}") {
            let at = |length: usize| host.as_bytes()[host.len() - length] == b'.';
            let expected = (1..=host.len()).filter(|&length| at(length)).fold(0_u64, |mask, length| mask | 1 << (length - 1));
            prop_assert_eq!(Authority::new(&host).dotted_suffixes(), expected);
        }
    }

    #[test]
    fn r_h_076_brackets_and_odd_ports() {
        let cases = [
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("foo:bar", "foo"),
            ("a:b:1", "a:b"),
            (":80", ""),
            ("", ""),
        ];
        for (sent, host) in cases {
            assert_eq!(Authority::new(sent).host(), host.as_bytes(), "{sent}");
        }
    }
}
