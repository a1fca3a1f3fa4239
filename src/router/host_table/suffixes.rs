//! Which wildcard suffixes of a host are worth a look: only lengths that exist, only at dots where the wildcards are
//! written so, longest first (R-H-077, R-H-078).

use super::authority::{Authority, SHORT};

/// The lengths of the suffixes behind `*` in a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Suffixes {
    /// Bit `64 - length`: a suffix of that many bytes that begins with a dot.
    dotted: u64,
    /// Bit `labels`: such a suffix has that many labels; all from 63 on share one.
    labels: u64,
    /// Bit `64 - length`: a suffix that begins with something else.
    others: u64,
    /// Lengths above 64, longest first, however they begin.
    long: Vec<u16>,
}

impl Suffixes {
    /// Takes note of one suffix (what follows `*`, not empty).
    pub(super) fn add(&mut self, suffix: &str) {
        match suffix.len() {
            0 => {}
            length @ 1..=SHORT if suffix.starts_with('.') => {
                self.dotted |= bit_of(length);
                let dots = suffix.bytes().filter(|&byte| byte == b'.').count();
                self.labels |= 1 << dots.min(63);
            }
            length @ 1..=SHORT => self.others |= bit_of(length),
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
        if host.len() > SHORT {
            return self.find_in_long(host, probe);
        }
        if host.len() < 2 {
            return None;
        }
        let dots = authority.dotted_suffixes();
        // Shorter than the host.
        let shorter = !1 << (SHORT - host.len());
        let mut candidates = (dots & self.dotted | self.others) & shorter;
        while candidates != 0 {
            let at = candidates.trailing_zeros();
            candidates &= candidates - 1;
            let dots = dots >> at;
            let has_other = self.others >> at & 1 != 0;
            if !has_other && self.labels >> dots.count_ones().min(63) & 1 == 0 {
                continue;
            }
            if let Some(found) = probe(&host[host.len() + at as usize - SHORT..]) {
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
        let short = (1..=SHORT)
            .rev()
            .filter(|&length| (self.dotted | self.others) & bit_of(length) != 0);
        long.chain(short)
            .find_map(|length| probe(&host[host.len() - length..]))
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        self.long.capacity() * size_of::<u16>()
    }
}

/// Longer ones have lower bits, to be found first.
fn bit_of(length: usize) -> u64 {
    1 << (SHORT - length)
}
