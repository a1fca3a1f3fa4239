//! Values by host pattern, asked for all whose pattern overlaps a given one (R-M-002).
//!
//! Patterns are kept by their bytes in reverse, so that those with a common tail stand together: a wildcard finds what it
//! covers in one range, and a name finds the wildcards that cover it by one look-up per length of tail.

use std::collections::BTreeMap;
use std::ops::Bound;

use smallvec::SmallVec;

/// Values by host pattern; a pattern may have several.
#[derive(Clone, Debug)]
pub(crate) struct OverlapIndex<T> {
    exact: BTreeMap<Box<[u8]>, SmallVec<[T; 1]>>,
    /// By the pattern without its `*`.
    tails: BTreeMap<Box<[u8]>, SmallVec<[T; 1]>>,
    /// How many tails have each length.
    lengths: BTreeMap<usize, usize>,
}

impl<T> Default for OverlapIndex<T> {
    fn default() -> Self {
        OverlapIndex {
            exact: BTreeMap::new(),
            tails: BTreeMap::new(),
            lengths: BTreeMap::new(),
        }
    }
}

impl<T: Clone + PartialEq> OverlapIndex<T> {
    /// Adds a value under `pattern`.
    pub(crate) fn insert(&mut self, pattern: &str, value: T) {
        match pattern.strip_prefix('*') {
            None => self.exact.entry(reverse(pattern)).or_default().push(value),
            Some(tail) => {
                let list = self.tails.entry(reverse(tail)).or_default();
                if list.is_empty() {
                    *self.lengths.entry(tail.len()).or_default() += 1;
                }
                list.push(value);
            }
        }
    }

    /// Takes one such value from under `pattern`.
    pub(crate) fn remove(&mut self, pattern: &str, value: &T) {
        let (map, text) = match pattern.strip_prefix('*') {
            None => (&mut self.exact, pattern),
            Some(tail) => (&mut self.tails, tail),
        };
        let key = reverse(text);
        let Some(list) = map.get_mut(&key) else {
            return;
        };
        if let Some(place) = list.iter().position(|known| known == value) {
            list.swap_remove(place);
        }
        if !list.is_empty() {
            return;
        }
        map.remove(&key);
        if text.len() < pattern.len()
            && let Some(count) = self.lengths.get_mut(&text.len())
        {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&text.len());
            }
        }
    }

    /// The values of exactly this pattern, in no order.
    pub(crate) fn at(&self, pattern: &str) -> &[T] {
        let found = match pattern.strip_prefix('*') {
            None => self.exact.get(&reverse(pattern)),
            Some(tail) => self.tails.get(&reverse(tail)),
        };
        found.map_or(&[], SmallVec::as_slice)
    }

    /// The values of wildcards, other than `host` itself, that cover every host that fits it: the length of each such
    /// wildcard and its values, longest first.
    pub(crate) fn covering<'i>(
        &'i self,
        host: &str,
    ) -> impl Iterator<Item = (usize, &'i [T])> + use<'i, T> {
        let rest = reverse(host.strip_prefix('*').unwrap_or(host));
        // A wildcard does not cover itself here; a name as long as a tail is covered by it.
        let most = rest.len() + usize::from(rest.len() == host.len());
        let lengths = self.lengths.range(..most).rev();
        lengths.filter_map(move |(&length, _)| {
            let list = self.tails.get(&rest[..length])?;
            Some((length + 1, list.as_slice()))
        })
    }

    /// The values of patterns, other than `host` itself, that it covers; none unless it is a wildcard.
    pub(crate) fn covered<'i>(&'i self, host: &str) -> impl Iterator<Item = &'i T> + use<'i, T> {
        let tail = host.strip_prefix('*').map(reverse);
        let exact = tail.clone().map(|tail| {
            let range = self
                .exact
                .range((Bound::Included(tail.clone()), Bound::Unbounded));
            range
                .take_while(move |(key, _)| key.starts_with(&tail))
                .flat_map(|(_, list)| list)
        });
        let tails = tail.map(|tail| {
            let range = self
                .tails
                .range((Bound::Excluded(tail.clone()), Bound::Unbounded));
            range
                .take_while(move |(key, _)| key.starts_with(&tail))
                .flat_map(|(_, list)| list)
        });
        exact
            .into_iter()
            .flatten()
            .chain(tails.into_iter().flatten())
    }

    /// The values of all patterns that overlap `host`: itself, those that cover it, those that it covers.
    pub(crate) fn overlapping<'i>(
        &'i self,
        host: &str,
    ) -> impl Iterator<Item = &'i T> + use<'i, T> {
        let same = self.at(host).iter();
        same.chain(self.covering(host).flat_map(|(_, list)| list))
            .chain(self.covered(host))
    }
}

fn reverse(text: &str) -> Box<[u8]> {
    text.bytes().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::host::{is_subset_of, is_wildcard, overlaps};

    const HOSTS: [&str; 13] = [
        "*",
        "*.com",
        "*.foo.com",
        "*foo.com",
        "foo.com",
        ".foo.com",
        "a.foo.com",
        "barfoo.com",
        "*-x.a",
        "a",
        "*a",
        "b.a",
        "",
    ];

    fn sorted<'a>(found: impl Iterator<Item = &'a &'static str>) -> Vec<&'static str> {
        let mut found: Vec<&str> = found.copied().collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn r_m_002_and_r_m_003_agree_with_the_pairwise_tests() {
        let mut index = OverlapIndex::default();
        for host in HOSTS {
            index.insert(host, host);
        }
        for host in HOSTS {
            let all = |test: &dyn Fn(&str) -> bool| sorted(HOSTS.iter().filter(|name| test(name)));
            assert_eq!(index.at(host), [host]);
            assert_eq!(
                sorted(index.overlapping(host)),
                all(&|name| overlaps(name, host))
            );
            assert_eq!(
                sorted(index.covering(host).flat_map(|(_, list)| list)),
                all(&|name| name != host && is_wildcard(name) && is_subset_of(host, name)),
                "{host}"
            );
            assert_eq!(
                sorted(index.covered(host)),
                all(&|name| name != host && is_wildcard(host) && is_subset_of(name, host)),
                "{host}"
            );
        }
    }

    #[test]
    fn what_is_removed_is_not_found() {
        let mut index = OverlapIndex::default();
        for host in HOSTS {
            index.insert(host, 1);
            index.insert(host, 2);
        }
        for host in HOSTS {
            index.remove(host, &1);
            assert_eq!(index.at(host), [2]);
            index.remove(host, &2);
            index.remove(host, &2);
            assert!(index.at(host).is_empty());
        }
        assert!(index.overlapping("a.foo.com").next().is_none());
    }
}
