//! The hash of a request: what each hash policy gives, and how several become one (R-B-01..R-B-05).

use smallvec::SmallVec;
use twox_hash::XxHash64;

use super::cookie;

/// xxHash64 with seed 0, which Envoy hashes keys and values with.
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(0, bytes)
}

pub(crate) fn hash_with_seed(seed: u64, bytes: &[u8]) -> u64 {
    XxHash64::oneshot(seed, bytes)
}

/// The hash of a request while its policies are asked, in their order.
///
/// # Examples
/// ```
/// use meshroute::terms::request_hash::{RequestHash, hash_bytes};
///
/// let mut hash = RequestHash::default();
/// hash.add(Some(hash_bytes(b"jane")));
/// hash.add(None); // no such cookie: nothing changes
/// assert_eq!(hash.value(), Some(hash_bytes(b"jane")));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestHash(Option<u64>);

impl RequestHash {
    /// What one more policy gives; `None` where it gives nothing (R-B-01).
    pub fn add(&mut self, given: Option<u64>) {
        if let Some(given) = given {
            self.0 = Some(match self.0 {
                Some(before) => before.rotate_left(1) ^ given,
                None => given,
            });
        }
    }

    /// The hash; `None` where no policy gave one: then a hash balancer takes a random word instead (R-B-06).
    pub fn value(self) -> Option<u64> {
        self.0
    }

    /// The hash of a header with these lines; of none there is none. Several lines are hashed sorted, one on top of the other,
    /// so that their order does not matter (R-B-02).
    pub fn of_header<'v>(lines: impl IntoIterator<Item = &'v [u8]>) -> Option<u64> {
        let mut lines: SmallVec<[&[u8]; 4]> = lines.into_iter().collect();
        lines.sort_unstable();
        match lines.as_slice() {
            [] => None,
            [only] => Some(hash_bytes(only)),
            several => Some(
                several
                    .iter()
                    .fold(0, |seed, line| hash_with_seed(seed, line)),
            ),
        }
    }

    /// The hash of the first cookie called `name` over all `cookie` lines. Double quotes around its value are cut; an empty one
    /// counts as absent (R-B-03).
    pub fn of_cookie<'v>(lines: impl IntoIterator<Item = &'v [u8]>, name: &str) -> Option<u64> {
        let value = lines
            .into_iter()
            .find_map(|line| cookie::value(line, name))?;
        (!value.is_empty()).then(|| hash_bytes(value))
    }

    /// The hash of the first query parameter called `name` in a request target, as it stands there (R-B-04).
    pub fn of_query_parameter(target: &str, name: &str) -> Option<u64> {
        let (_, query) = target.split_once('?')?;
        let query = query.split('#').next().unwrap_or_default();
        let mut parameters = query.split('&');
        let value = parameters.find_map(|parameter| match parameter.split_once('=') {
            Some((key, value)) => (key == name).then_some(value),
            None => (parameter == name).then_some(""),
        })?;
        Some(hash_bytes(value.as_bytes()))
    }

    /// The hash of the client's address, as text without its port (R-B-05).
    pub fn of_source(address: std::net::IpAddr) -> u64 {
        use std::io::Write;
        // The longest IPv6 address has 45 characters.
        let mut text = [0_u8; 64];
        let mut rest = &mut text[..];
        let written = write!(rest, "{address}").map(|()| 64 - rest.len());
        hash_bytes(&text[..written.unwrap_or(0)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_b_01_later_policies_rotate_and_mix() {
        let mut hash = RequestHash::default();
        assert_eq!(hash.value(), None);
        hash.add(Some(0x8000_0000_0000_0001));
        hash.add(None);
        hash.add(Some(0b100));
        assert_eq!(hash.value(), Some(0b111));
    }

    #[test]
    fn r_b_02_lines_of_a_header_are_hashed_sorted() {
        let hash = RequestHash::of_header([&b"a"[..], b"b"]);
        assert_eq!(hash, RequestHash::of_header([&b"b"[..], b"a"]));
        assert_eq!(hash, Some(hash_with_seed(hash_bytes(b"a"), b"b")));
        assert_eq!(RequestHash::of_header([]), None);
    }

    #[test]
    fn r_b_03_the_first_cookie_of_a_name() {
        let lines = [&b"a=1; sess=\"x y\""[..], b"sess=other"];
        let hash = |name| RequestHash::of_cookie(lines, name);
        assert_eq!(hash("sess"), Some(hash_bytes(b"x y")));
        assert_eq!(hash("ses"), None);
        assert_eq!(RequestHash::of_cookie([&b"sess="[..]], "sess"), None);
    }

    #[test]
    fn r_b_04_a_query_parameter_as_it_stands() {
        let hash = |target| RequestHash::of_query_parameter(target, "q");
        assert_eq!(hash("/?q=%20a&q=b"), Some(hash_bytes(b"%20a")));
        assert_eq!(hash("/?q"), Some(hash_bytes(b"")));
        assert_eq!(hash("/?Q=1"), None);
        assert_eq!(hash("/"), None);
    }

    #[test]
    fn r_b_05_the_address_as_text() {
        let hash = RequestHash::of_source("10.99.99.99".parse().expect("an address"));
        assert_eq!(hash, hash_bytes(b"10.99.99.99"));
    }
}
