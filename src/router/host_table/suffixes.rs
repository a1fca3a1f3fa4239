//! Which wildcard suffixes of a host are worth a look: only lengths that exist, only at dots where the wildcards are
//! written so, longest first (R-H-077, R-H-078).

use super::authority::Authority;

/// Up to so many lengths are looked at one by one.
const FEW: u32 = 12;

/// The lengths of the suffixes behind `*` in a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Suffixes {
    /// Bit `length - 1`: a suffix of that many bytes that begins with a dot.
    dotted: u64,
    /// Bit `labels`: such a suffix has that many labels; all bits from 63 on share one.
    labels: u64,
    /// Bit `length - 1`: a suffix that begins with something else.
    others: u64,
    /// Lengths above 64, longest first, however they begin.
    long: Vec<u16>,
}

impl Suffixes {
    /// Takes note of one suffix (what follows `*`, not empty).
    pub(super) fn add(&mut self, suffix: &str) {
        match suffix.len() {
            0 => {}
            length @ 1..=64 if suffix.starts_with('.') => {
                self.dotted |= 1 << (length - 1);
                self.labels |= 1 << labels_of(suffix.bytes().filter(|&byte| byte == b'.').count());
            }
            length @ 1..=64 => self.others |= 1 << (length - 1),
            length => {
                // A longer one than a header can be is never asked for.
                let Ok(length) = u16::try_from(length) else {
                    return;
                };
                if let Err(at) = self.long.binary_search_by(|other| length.cmp(other)) {
                    self.long.insert(at, length);
                }
            }
        }
    }

    /// Calls `probe` with each suffix of `host` that may be in the table, longest first, until it answers. At least one
    /// byte is left for the `*` (R-H-078).
    #[inline]
    pub(super) fn find<T>(
        &self,
        authority: &Authority<'_>,
        probe: impl Fn(&[u8]) -> Option<T>,
    ) -> Option<T> {
        if self.dotted | self.others == 0 && self.long.is_empty() {
            return None;
        }
        let host = authority.host();
        if host.len() > 64 {
            return self.find_in_long(host, probe);
        }
        let below = match host.len() {
            0 | 1 => return None,
            length => (1_u64 << (length - 1)) - 1,
        };
        let lengths = (self.dotted | self.others) & below;
        if lengths.count_ones() <= FEW {
            return self.find_among_few(host, lengths, probe);
        }
        let dots = authority.dotted_suffixes();
        let mut candidates = (dots & self.dotted | self.others) & below;
        while candidates != 0 {
            let length = (u64::BITS - candidates.leading_zeros()) as usize;
            let bit = 1_u64 << (length - 1);
            candidates ^= bit;
            let labels = (dots & (bit | (bit - 1))).count_ones();
            let is_dotted = dots & bit != 0;
            if is_dotted
                && self.labels >> labels_of(labels as usize) & 1 == 0
                && self.others & bit == 0
            {
                continue;
            }
            if let Some(found) = probe(&host[host.len() - length..]) {
                return Some(found);
            }
        }
        None
    }

    /// Looks at each length in turn: one byte says whether a dotted suffix could begin there.
    #[inline]
    fn find_among_few<T>(
        &self,
        host: &[u8],
        mut lengths: u64,
        probe: impl Fn(&[u8]) -> Option<T>,
    ) -> Option<T> {
        while lengths != 0 {
            let length = (u64::BITS - lengths.leading_zeros()) as usize;
            let bit = 1_u64 << (length - 1);
            lengths ^= bit;
            let suffix = &host[host.len() - length..];
            if (suffix[0] == b'.' || self.others & bit != 0)
                && let Some(found) = probe(suffix)
            {
                return Some(found);
            }
        }
        None
    }

    #[cold]
    fn find_in_long<T>(&self, host: &[u8], probe: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        let long = self
            .long
            .iter()
            .map(|&length| usize::from(length))
            .filter(|&length| length < host.len());
        let short = (1..=64)
            .rev()
            .filter(|length| (self.dotted | self.others) >> (length - 1) & 1 == 1);
        long.chain(short)
            .find_map(|length| probe(&host[host.len() - length..]))
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        self.long.capacity() * size_of::<u16>()
    }
}

fn labels_of(dots: usize) -> u32 {
    dots.min(63) as u32
}
