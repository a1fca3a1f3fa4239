//! The hashes of an endpoint that rings and tables are filled by: each is made once in the life of a pool, however often health
//! changes and whichever thread asks first.

use std::sync::OnceLock;

use crate::terms::request_hash::{hash_bytes, hash_with_seed};

/// Later spans of a ring: each is as long as all before it.
const SPANS: usize = 24;

/// What the endpoints of a pool are hashed by, in the order of its endpoints.
#[derive(Debug)]
pub(super) enum Keys {
    /// Nobody asks.
    None,
    Ring(Box<[RingKey]>),
    Maglev(Box<[MaglevKey]>),
}

type Hashes = Box<[u64]>;

/// The entries of one endpoint on a ring: `hash("{key}_{number}")` by number (R-B-30).
#[derive(Debug, Default)]
pub(super) struct RingKey {
    /// As many as the first ring had.
    first: OnceLock<Hashes>,
    /// What later rings had more.
    more: OnceLock<Box<[OnceLock<Hashes>]>>,
}

impl RingKey {
    /// Hands the first `count` entries to `visit`; `hash` makes those that nobody has asked for yet.
    pub(super) fn for_each(
        &self,
        count: usize,
        mut hash: impl FnMut(u64) -> u64,
        mut visit: impl FnMut(u64),
    ) {
        let mut span = |from: usize, to: usize| -> Hashes {
            (from as u64..to as u64).map(&mut hash).collect()
        };
        let first = self.first.get_or_init(|| span(0, count));
        first.iter().take(count).for_each(|&entry| visit(entry));
        let mut begin = first.len();
        if count <= begin {
            return;
        }
        let spans = self.more.get_or_init(|| {
            let empty = (0..SPANS).map(|_| OnceLock::new());
            empty.collect()
        });
        for cell in spans {
            let end = (begin * 2).max(16);
            let entries: &[u64] = cell.get_or_init(|| span(begin, end));
            let wanted = count - begin;
            entries.iter().take(wanted).for_each(|&entry| visit(entry));
            begin = end;
            if count <= begin {
                return;
            }
        }
        // Longer than any ring can be.
        (begin as u64..count as u64).map(hash).for_each(visit);
    }
}

/// Where an endpoint begins in a Maglev table, and how it goes on (R-B-40).
#[derive(Clone, Copy, Debug)]
pub(super) struct MaglevKey {
    pub offset: u64,
    pub skip: u64,
    /// Place of the endpoint when all are ordered by key.
    pub rank: u32,
}

impl MaglevKey {
    /// The keys of endpoints in a table of `size` slots, 2 at least.
    pub(super) fn of<K: AsRef<str>>(keys: &[K], size: u64) -> Box<[MaglevKey]> {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by_key(|&at| keys[at].as_ref());
        let mut ranks = vec![0; keys.len()];
        for (rank, at) in (0..).zip(order) {
            ranks[at] = rank;
        }
        let keys = keys.iter().zip(ranks).map(|(key, rank)| {
            let key = key.as_ref().as_bytes();
            MaglevKey {
                offset: hash_bytes(key) % size,
                skip: hash_with_seed(1, key) % (size - 1) + 1,
                rank,
            }
        });
        keys.collect()
    }
}

/// The entry of `key` with this number; `text` is a buffer.
pub(super) fn ring_entry(text: &mut String, key: &str, number: u64) -> u64 {
    text.clear();
    text.push_str(key);
    text.push('_');
    push_number(text, number);
    hash_bytes(text.as_bytes())
}

fn push_number(text: &mut String, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn no_entry_is_hashed_twice() {
        let key = RingKey::default();
        let mut hashed: BTreeMap<u64, u32> = BTreeMap::new();
        for count in [3, 0, 2, 3, 10, 4, 200, 17, 5_000, 5_000] {
            let mut entries = Vec::new();
            let hash = |number| {
                *hashed.entry(number).or_default() += 1;
                number * 7
            };
            key.for_each(count, hash, |entry| entries.push(entry));
            let expected: Vec<u64> = (0..count as u64).map(|number| number * 7).collect();
            assert_eq!(entries, expected);
        }
        assert!(hashed.values().all(|times| *times == 1));
        // At most twice as many as were asked for.
        assert!(hashed.len() <= 10_000, "{}", hashed.len());
    }

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in [0, 7, 10, 1_023, u64::MAX] {
            let mut text = String::new();
            push_number(&mut text, number);
            assert_eq!(text, number.to_string());
        }
    }
}
