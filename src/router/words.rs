//! Texts read eight bytes at a time: hashing and comparing with keys that are stored as words, with or without ASCII
//! case, in registers and without a copy.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
/// Odd words without structure (digits of the square roots of 2 and 3).
const SEEDS: [u64; 2] = [0x6A09_E667_F3BC_C909, 0xBB67_AE85_84CA_A73B];

/// The hash of a text (of its lower-case form with `FOLD`), and marks that are zero unless `watched` is among its bytes.
#[inline]
pub(super) fn hash<const FOLD: bool>(bytes: &[u8], watched: u8) -> (u64, u64) {
    let watched = LOW * u64::from(watched);
    let mut state = SEEDS[0] ^ bytes.len() as u64;
    let mut marks = 0;
    let mut absorb = |first: u64, second: u64| {
        marks |= zero_byte_marks(first ^ watched) | zero_byte_marks(second ^ watched);
        state = folded_multiply(fold::<FOLD>(first) ^ state, fold::<FOLD>(second) ^ SEEDS[1]);
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
    (folded_multiply(state, SEEDS[1]), marks)
}

/// Whether a text (its lower-case form with `FOLD`) is this key. The caller has compared the lengths in bytes.
#[inline]
pub(super) fn equals<const FOLD: bool>(bytes: &[u8], key: &[u64]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    if key.len() != words.len() + usize::from(!rest.is_empty()) {
        return false;
    }
    for (word, stored) in words.iter().zip(key) {
        if fold::<FOLD>(u64::from_le_bytes(*word)) != *stored {
            return false;
        }
    }
    rest.is_empty() || fold::<FOLD>(last_word(bytes, rest.len())) == key[key.len() - 1]
}

/// Writes a key as words padded with zeros.
pub(super) fn push(key: &[u8], words: &mut Vec<u64>) {
    let (whole, rest) = key.as_chunks::<8>();
    words.extend(whole.iter().map(|word| u64::from_le_bytes(*word)));
    if !rest.is_empty() {
        words.push(last_word(key, rest.len()));
    }
}

/// The place of the last `byte`, unless a `bar` follows it.
#[inline]
pub(super) fn last_of_tail(bytes: &[u8; 8], byte: u8, bar: u8) -> Option<u32> {
    let word = u64::from_le_bytes(*bytes);
    let marks = zero_byte_marks(word ^ (LOW * u64::from(byte)));
    let bars = zero_byte_marks(word ^ (LOW * u64::from(bar)));
    (marks > bars).then(|| marks.ilog2() / 8)
}

/// Whether `byte` is among the bytes of a text.
#[inline]
pub(super) fn contains(bytes: &[u8], byte: u8) -> bool {
    let pattern = LOW * u64::from(byte);
    let (words, rest) = bytes.as_chunks::<8>();
    let mut marks = 0;
    for word in words {
        marks |= zero_byte_marks(u64::from_le_bytes(*word) ^ pattern);
    }
    if !rest.is_empty() {
        let last = bytes.last_chunk::<8>().copied();
        // With a byte behind a short text that is surely another one.
        let last = last.map_or_else(
            || short_word(bytes) | u64::from(!byte) << 56,
            u64::from_le_bytes,
        );
        marks |= zero_byte_marks(last ^ pattern);
    }
    marks != 0
}

/// Bit `n` is set where byte `n` of the text is `byte`. Only the first 64 bytes count.
#[inline]
pub(super) fn positions(bytes: &[u8], byte: u8) -> u64 {
    let pattern = LOW * u64::from(byte);
    let (words, rest) = bytes.as_chunks::<8>();
    let mut found = 0;
    for (at, word) in words.iter().take(8).enumerate() {
        found |= zero_bytes(u64::from_le_bytes(*word) ^ pattern) << (8 * at);
    }
    if !rest.is_empty() && words.len() < 8 {
        found |= zero_bytes(last_word(bytes, rest.len()) ^ pattern) << (8 * words.len());
    }
    found
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

#[inline]
fn fold<const FOLD: bool>(word: u64) -> u64 {
    if FOLD { lower(word) } else { word }
}

/// ASCII upper case to lower case in each byte.
#[inline]
fn lower(word: u64) -> u64 {
    let low_bits = word & !HIGH;
    let from_a = low_bits + LOW * (0x80 - b'A' as u64);
    let after_z = low_bits + LOW * (0x7F - b'Z' as u64);
    word | (((from_a ^ after_z) & !word & HIGH) >> 2)
}

/// The high bit of each byte that is zero; exact.
#[inline]
pub(super) fn zero_byte_marks(word: u64) -> u64 {
    !(((word & !HIGH) + !HIGH) | word | !HIGH)
}

/// One bit for each byte that is zero, lowest byte first.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    (zero_byte_marks(word) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn folding_compares_without_case(text in "[a-cA-C@\\[`{\u{e9}\u{c9}]{0,40}", other in "[a-b]{0,20}") {
            let folded = text.to_ascii_lowercase();
            let mut words = Vec::new();
            push(folded.as_bytes(), &mut words);
            prop_assert!(equals::<true>(text.as_bytes(), &words));
            prop_assert_eq!(equals::<false>(text.as_bytes(), &words), text == folded);
            prop_assert_eq!(hash::<true>(text.as_bytes(), 0).0, hash::<false>(folded.as_bytes(), 0).0);
            if other.len() == folded.len() {
                prop_assert_eq!(equals::<true>(other.as_bytes(), &words), other == folded);
            }
        }

        #[test]
        fn watched_bytes_and_positions(text in "[a:.]{0,64}") {
            prop_assert_eq!(hash::<true>(text.as_bytes(), b':').1 != 0, text.contains(':'));
            let expected = text.bytes().enumerate().filter(|(_, byte)| *byte == b'.').fold(0_u64, |bits, (at, _)| bits | 1 << at);
            prop_assert_eq!(positions(text.as_bytes(), b'.'), expected);
            prop_assert_eq!(contains(text.as_bytes(), b':'), text.contains(':'));
            if let Some(tail) = text.as_bytes().last_chunk::<8>() {
                let end = &text[text.len() - 8..];
                let colon = end.rfind(':').filter(|at| !end[*at..].contains('.'));
                prop_assert_eq!(last_of_tail(tail, b':', b'.'), colon.map(|at| at as u32));
            }
        }
    }
}
