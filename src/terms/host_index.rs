//! Hosts and host patterns by specificity: exact names in one map, wildcard tails in another (R-M-011).
//!
//! A lookup asks the map once per distinct tail length, longest first, so its cost follows the length of the host that is
//! asked for and not the number of patterns.
//!
//! It says which pattern fits best, and nothing but that: what asks for all that overlap is an `OverlapIndex`, which keeps its
//! patterns in order and is several times slower at this; what a request asks is a `HostTable` of the router, which is packed,
//! folds case and cuts ports.

use super::hash::HashMap;
use super::host::is_wildcard;

/// A value per host pattern; the first value of a pattern stays.
#[derive(Clone, Debug)]
pub(crate) struct HostIndex<T> {
    exact: HashMap<Box<str>, T>,
    /// By the pattern without its `*`.
    tails: HashMap<Box<str>, T>,
    /// Distinct lengths of `tails`, longest first.
    lengths: Vec<usize>,
}

impl<T> Default for HostIndex<T> {
    fn default() -> Self {
        HostIndex {
            exact: HashMap::default(),
            tails: HashMap::default(),
            lengths: Vec::new(),
        }
    }
}

impl<T> HostIndex<T> {
    /// Adds `pattern` unless it is there already.
    pub(crate) fn insert(&mut self, pattern: &str, value: T) {
        match pattern.strip_prefix('*') {
            None => {
                self.exact.entry(pattern.into()).or_insert(value);
            }
            Some(tail) => {
                self.tails.entry(tail.into()).or_insert(value);
                if let Err(at) = self
                    .lengths
                    .binary_search_by(|length| tail.len().cmp(length))
                {
                    self.lengths.insert(at, tail.len());
                }
            }
        }
    }

    /// Removes `pattern`.
    pub(crate) fn remove(&mut self, pattern: &str) {
        match pattern.strip_prefix('*') {
            None => {
                self.exact.remove(pattern);
            }
            // The length stays: it costs a look-up and changes nothing.
            Some(tail) => {
                self.tails.remove(tail);
            }
        }
    }

    /// The value of exactly this pattern.
    pub(crate) fn get(&self, pattern: &str) -> Option<&T> {
        match pattern.strip_prefix('*') {
            None => self.exact.get(pattern),
            Some(tail) => self.tails.get(tail),
        }
    }

    /// The value of the most specific pattern that covers `host`: itself, else the longest wildcard (Istio:
    /// `MostSpecificHostMatch`). A wildcard `host` is covered by itself and by wildcards with a shorter tail.
    pub(crate) fn most_specific(&self, host: &str) -> Option<&T> {
        self.get(host).or_else(|| {
            let rest = host.strip_prefix('*').unwrap_or(host);
            self.lengths
                .iter()
                .filter_map(|length| rest.get(rest.len().checked_sub(*length)?..))
                .find_map(|tail| self.tails.get(tail))
        })
    }

    /// Whether some pattern covers every host that fits `host` (R-M-003).
    pub(crate) fn covers(&self, host: &str) -> bool {
        self.most_specific(host).is_some()
    }
}

/// Host patterns that can be asked whether any of them overlaps a given one (R-M-002), without walking them.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostSet {
    index: HostIndex<()>,
    /// Patterns without their `*`, bytes reversed, sorted: patterns with a common tail stand together.
    reversed: Vec<Box<[u8]>>,
}

impl HostSet {
    /// Whether some pattern covers every host that fits `host` (R-M-003).
    pub(crate) fn covers(&self, host: &str) -> bool {
        self.index.covers(host)
    }

    /// Whether some host fits both `host` and one of the patterns (R-M-002).
    pub(crate) fn overlaps(&self, host: &str) -> bool {
        if self.index.covers(host) {
            return true;
        }
        let Some(tail) = host.strip_prefix('*') else {
            return false;
        };
        let wanted = reverse(tail);
        let at = self.reversed.partition_point(|name| **name < *wanted);
        self.reversed
            .get(at)
            .is_some_and(|name| name.starts_with(&wanted))
    }
}

impl<'a> FromIterator<&'a str> for HostSet {
    fn from_iter<I: IntoIterator<Item = &'a str>>(patterns: I) -> Self {
        let mut set = HostSet::default();
        for pattern in patterns {
            set.index.insert(pattern, ());
            let text = if is_wildcard(pattern) {
                &pattern[1..]
            } else {
                pattern
            };
            set.reversed.push(reverse(text));
        }
        set.reversed.sort_unstable();
        set.reversed.dedup();
        set
    }
}

fn reverse(text: &str) -> Box<[u8]> {
    text.bytes().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::host::{is_subset_of, overlaps};

    const HOSTS: [&str; 11] = [
        "*",
        "*.com",
        "*.foo.com",
        "*foo.com",
        "foo.com",
        "a.foo.com",
        "barfoo.com",
        "*-x.a",
        "a",
        "*a",
        "b.a",
    ];

    #[test]
    fn r_m_011_exact_then_longest_tail_and_the_first_of_equals() {
        let mut index = HostIndex::default();
        for (value, host) in ["*.com", "*.foo.com", "a.foo.com", "*.com"]
            .iter()
            .enumerate()
        {
            index.insert(host, value);
        }
        assert_eq!(index.most_specific("a.foo.com"), Some(&2));
        assert_eq!(index.most_specific("b.foo.com"), Some(&1));
        assert_eq!(index.most_specific("foo.com"), Some(&0));
        assert_eq!(index.most_specific("*.foo.com"), Some(&1));
        assert_eq!(index.most_specific("*.b.foo.com"), Some(&1));
        assert_eq!(index.most_specific("foo.org"), None);
    }

    #[test]
    fn r_m_002_and_r_m_003_agree_with_the_pairwise_tests() {
        for x in HOSTS {
            for y in HOSTS {
                let patterns = [x, y];
                let set: HostSet = patterns.into_iter().collect();
                for host in HOSTS {
                    let covered = patterns.iter().any(|pattern| is_subset_of(host, pattern));
                    let touched = patterns.iter().any(|pattern| overlaps(host, pattern));
                    assert_eq!(set.covers(host), covered, "{patterns:?} covers {host}");
                    assert_eq!(set.overlaps(host), touched, "{patterns:?} overlaps {host}");
                }
            }
        }
    }
}
