//! An authority as it was sent, read eight bytes at a time: the port is cut, ASCII case folded and the hash taken in one
//! pass over registers. Nothing is copied: the comparison with a stored key folds the same way (R-H-076, R-H-077).

use crate::terms::host::without_port;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
const COLONS: u64 = LOW * b':' as u64;
const DOTS: u64 = LOW * b'.' as u64;
/// Odd words without structure (digits of the square roots of 2 and 3).
const SEEDS: [u64; 2] = [0x6A09_E667_F3BC_C909, 0xBB67_AE85_84CA_A73B];

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
        let (hash, has_colon) = hash_folded(host);
        if has_colon {
            return Self::with_odd_port(authority);
        }
        Authority { host, hash }
    }

    /// A host that the caller has already freed of its port, such as a suffix of another one.
    #[inline]
    pub(super) fn without_port(host: &'a [u8]) -> Self {
        let (hash, _) = hash_folded(host);
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

    /// Whether the lower-case form is this key, given as words padded with zeros, of the same length in bytes.
    #[inline]
    pub(super) fn equals(&self, key: &[u64]) -> bool {
        let (words, rest) = self.host.as_chunks::<8>();
        if key.len() != words.len() + usize::from(!rest.is_empty()) {
            return false;
        }
        for (word, stored) in words.iter().zip(key) {
            if lower(u64::from_le_bytes(*word)) != *stored {
                return false;
            }
        }
        rest.is_empty() || lower(last_word(self.host, rest.len())) == key[key.len() - 1]
    }

    /// Bit `length - 1` is set for each suffix that starts at a dot, the dot included. Only for hosts of up to 64 bytes.
    #[inline]
    pub(super) fn dotted_suffixes(&self) -> u64 {
        let (words, rest) = self.host.as_chunks::<8>();
        let mut dots = 0;
        for (at, word) in words.iter().take(8).enumerate() {
            dots |= zero_bytes(u64::from_le_bytes(*word) ^ DOTS) << (8 * at);
        }
        if !rest.is_empty() && words.len() < 8 {
            dots |= zero_bytes(last_word(self.host, rest.len()) ^ DOTS) << (8 * words.len());
        }
        // From "bit = position" to "bit = length - 1".
        dots.reverse_bits() >> (64 - self.host.len()).min(63)
    }
}

/// Writes `key` (lower case already) as words padded with zeros.
pub(super) fn push_words(key: &str, words: &mut Vec<u64>) {
    let (whole, rest) = key.as_bytes().as_chunks::<8>();
    words.extend(whole.iter().map(|word| u64::from_le_bytes(*word)));
    if !rest.is_empty() {
        words.push(last_word(key.as_bytes(), rest.len()));
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

/// The hash of the lower-case bytes, and whether there is a colon among them.
#[inline]
fn hash_folded(bytes: &[u8]) -> (u64, bool) {
    let mut state = SEEDS[0] ^ bytes.len() as u64;
    let mut colons = 0;
    let mut absorb = |first: u64, second: u64| {
        colons |= zero_byte_marks(first ^ COLONS) | zero_byte_marks(second ^ COLONS);
        state = folded_multiply(lower(first) ^ state, lower(second) ^ SEEDS[1]);
    };
    let (blocks, rest) = bytes.as_chunks::<16>();
    for block in blocks {
        let (first, second) = halves(block);
        absorb(first, second);
    }
    match bytes.last_chunk::<16>() {
        _ if rest.is_empty() => {}
        // Overlaps bytes that were read before, which costs less than assembling the rest.
        Some(block) => {
            let (first, second) = halves(block);
            absorb(first, second);
        }
        None => match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            (Some(first), Some(second)) => {
                absorb(u64::from_le_bytes(*first), u64::from_le_bytes(*second))
            }
            _ => absorb(short_word(bytes), 0),
        },
    }
    (folded_multiply(state, SEEDS[1]), colons != 0)
}

#[inline]
fn halves(block: &[u8; 16]) -> (u64, u64) {
    let block = u128::from_le_bytes(*block);
    (block as u64, (block >> 64) as u64)
}

/// The last `rest` bytes (1 to 7), in the low bytes of a word.
#[inline]
fn last_word(bytes: &[u8], rest: usize) -> u64 {
    match bytes.last_chunk::<8>() {
        Some(word) => u64::from_le_bytes(*word) >> (8 * (8 - rest)),
        None => short_word(&bytes[bytes.len() - rest..]),
    }
}

/// Up to seven bytes in the low bytes of a word.
#[inline]
fn short_word(bytes: &[u8]) -> u64 {
    let mut word = 0;
    for (at, &byte) in bytes.iter().take(8).enumerate() {
        word |= u64::from(byte) << (8 * at);
    }
    word
}

#[inline]
fn folded_multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// ASCII upper case to lower case in each byte.
#[inline]
fn lower(word: u64) -> u64 {
    let low_bits = word & !HIGH;
    let from_a = low_bits + LOW * (0x80 - b'A' as u64);
    let after_z = low_bits + LOW * (0x7F - b'Z' as u64);
    word | ((from_a ^ after_z) & !word & HIGH) >> 2
}

/// The high bit of each byte that is zero; exact.
#[inline]
fn zero_byte_marks(word: u64) -> u64 {
    !((word & !HIGH) + !HIGH | word | !HIGH)
}

/// One bit for each byte that is zero, lowest byte first.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    ((zero_byte_marks(word) >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn r_h_076_077_port_and_case_do_not_change_the_key(host in "[a-zA-Z0-9.\u{e9}-]{0,80}", port in "(:[0-9]{0,7}|:[a-z]{1,9}|)") {
            let key = host.to_ascii_lowercase();
            let sent = format!("{host}{port}");
            let mut words = Vec::new();
            push_words(&key, &mut words);
            let authority = Authority::new(&sent);
            prop_assert_eq!(authority.host(), host.as_bytes());
            prop_assert!(authority.equals(&words));
            prop_assert_eq!(authority.hash(), Authority::without_port(key.as_bytes()).hash());
        }

        #[test]
        fn keys_of_one_length_are_told_apart(a in "[a-f.]{0,20}", b in "[a-f.]{0,20}") {
            let mut words = Vec::new();
            push_words(&b, &mut words);
            if a.len() == b.len() {
                prop_assert_eq!(Authority::new(&a).equals(&words), a == b);
            }
        }

        #[test]
        fn dots_are_found_from_the_end(host in "[a.]{1,64}") {
            let expected = (1..=host.len()).filter(|&length| host.as_bytes()[host.len() - length] == b'.').fold(0_u64, |mask, length| mask | 1 << (length - 1));
            prop_assert_eq!(Authority::new(&host).dotted_suffixes(), expected);
        }
    }

    #[test]
    fn r_h_076_brackets_and_odd_ports() {
        for (sent, host) in [
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("foo:bar", "foo"),
            ("a:b:1", "a:b"),
            (":80", ""),
            ("", ""),
        ] {
            assert_eq!(Authority::new(sent).host(), host.as_bytes(), "{sent}");
        }
    }
}
