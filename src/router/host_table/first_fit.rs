//! A host table that finds, for each host, not the closest pattern but the first one that fits it.

use std::collections::BTreeMap;

use super::HostTable;
use crate::terms::hash::HashMap;

impl HostTable {
    /// A table that finds, for each host, the least number of all the lower-case patterns that fit it.
    ///
    /// # Complexity
    /// Linear in the patterns, for each length of a wildcard.
    pub(crate) fn first_fit<'a>(patterns: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let mut exact: HashMap<&str, u32> = HashMap::default();
        // Shorter suffixes, which fit all that a longer one fits, come first.
        let mut wildcards: BTreeMap<(usize, &str), u32> = BTreeMap::new();
        for (pattern, number) in patterns {
            let least = match pattern.starts_with('*') {
                true => wildcards.entry((pattern.len(), pattern)).or_insert(number),
                false => exact.entry(pattern).or_insert(number),
            };
            *least = number.min(*least);
        }
        let mut suffixes: HashMap<&str, u32> = HashMap::default();
        let mut lengths: Vec<usize> = Vec::new();
        let least_around = |host: &str, suffixes: &HashMap<&str, u32>, lengths: &[usize]| {
            let fitting = lengths.iter().rev().filter(|&&length| length < host.len());
            let mut fitting = fitting.filter_map(|length| host.get(host.len() - length..));
            fitting.find_map(|suffix| suffixes.get(suffix).copied())
        };
        let mut all: Vec<(&str, u32)> = Vec::with_capacity(exact.len() + wildcards.len());
        for ((_, pattern), number) in wildcards {
            let suffix = &pattern[1..];
            // The pattern itself stands for the hosts that it fits: its `*` is the one character more that a wildcard needs.
            let around = least_around(pattern, &suffixes, &lengths);
            let least = number.min(around.unwrap_or(number));
            suffixes.insert(suffix, least);
            if lengths.last() != Some(&suffix.len()) {
                lengths.push(suffix.len());
            }
            all.push((pattern, least));
        }
        for (host, number) in exact {
            let around = least_around(host, &suffixes, &lengths);
            all.push((host, number.min(around.unwrap_or(number))));
        }
        HostTable::new(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::host::fit;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_least_of_all_patterns_that_fit(
            patterns in proptest::collection::vec("(\\*|\\*\\.|)[ab]{0,2}(\\.[ab]{1,2}){0,2}", 0..12),
            hosts in proptest::collection::vec("[ab]{1,3}(\\.[ab]{1,2}){0,3}", 20),
        ) {
            let patterns: Vec<(&str, u32)> = patterns.iter().map(String::as_str).filter(|pattern| !pattern.is_empty()).zip(0..).collect();
            let table = HostTable::first_fit(patterns.iter().rev().copied());
            for host in &hosts {
                let expected = patterns.iter().find(|(pattern, _)| fit(pattern, host).is_some());
                prop_assert_eq!(table.find_host(host), expected.map(|(_, place)| *place), "{} {:?}", host, &patterns);
            }
        }
    }
}
