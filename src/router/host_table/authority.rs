//! An authority as it was sent: the port is cut, ASCII case is folded while hashing and comparing, in registers (R-H-076,
//! R-H-077).

use crate::router::words;
use crate::terms::host::without_port;

/// Suffixes of so many bytes are found by masks of one word.
pub(super) const SHORT: usize = 64;

/// The host of an authority, without port, in whatever case it was sent.
#[derive(Clone, Copy)]
pub(super) struct Authority<'a> {
    host: &'a [u8],
}

impl<'a> Authority<'a> {
    /// Cuts the port at the last `:` outside brackets.
    #[inline]
    pub(super) fn new(authority: &'a str) -> Self {
        let bytes = authority.as_bytes();
        let tail = bytes.last_chunk::<8>();
        let colon = tail.and_then(|tail| words::last_of_tail(tail, b':', b']'));
        match colon {
            Some(colon) => Self::without_port(&bytes[..bytes.len() - 8 + colon as usize]),
            None if words::contains(bytes, b':') => Self::with_unusual_port(authority),
            None => Self::without_port(bytes),
        }
    }

    /// A host that the caller has already freed of its port, such as a domain.
    #[inline]
    pub(super) fn without_port(host: &'a [u8]) -> Self {
        Authority { host }
    }

    /// An address in brackets, a long port, or a short name with one.
    #[cold]
    fn with_unusual_port(authority: &'a str) -> Self {
        Self::without_port(without_port(authority).as_bytes())
    }

    pub(super) fn host(&self) -> &'a [u8] {
        self.host
    }

    /// Bit `64 - length` is set for each suffix that begins with a dot. For hosts of 1 to `SHORT` bytes.
    #[inline]
    pub(super) fn dotted_suffixes(&self) -> u64 {
        words::positions(self.host, b'.') << (SHORT - self.host.len())
    }
}

/// The hash of the lower-case form of a host.
#[inline]
pub(super) fn hash_of(host: &[u8]) -> u64 {
    words::hash::<true>(host, 0).0
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
            prop_assert_eq!(hash_of(authority.host()), hash_of(host.to_ascii_lowercase().as_bytes()));
            if host.len() <= SHORT && !host.is_empty() {
                prop_assert_eq!(authority.dotted_suffixes(), Authority::without_port(host.as_bytes()).dotted_suffixes());
            }
        }

        #[test]
        fn dots_are_found_from_the_end(host in "[a.]{1,64}") {
            let at = |length: usize| host.as_bytes()[host.len() - length] == b'.';
            let expected = (1..=host.len()).filter(|&length| at(length)).fold(0_u64, |mask, length| mask | 1 << (64 - length));
            prop_assert_eq!(Authority::new(&host).dotted_suffixes(), expected);
        }
    }

    #[test]
    fn r_h_076_brackets_and_unusual_ports() {
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
