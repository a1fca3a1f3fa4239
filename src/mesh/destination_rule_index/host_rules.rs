//! Rules by host: exact hosts by hash, wildcards by the suffixes of the host that is asked for (R-M-011).

use std::sync::Arc;

use crate::terms::host;

use super::{EffectiveRule, FixedMap};

/// The rules of one place of the index. Several rules of one host stand in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostRules {
    exact: FixedMap<Arc<str>, Vec<Arc<EffectiveRule>>>,
    /// By what follows the `*`.
    wildcard: FixedMap<Box<str>, Vec<Arc<EffectiveRule>>>,
    /// The distinct lengths of those tails, the longest first.
    tail_lengths: Vec<usize>,
}

impl HostRules {
    /// Adds `rule` behind the others of its host.
    pub(crate) fn push(&mut self, rule: Arc<EffectiveRule>) {
        match rule.host().strip_prefix('*') {
            None => self.exact.entry(rule.shared_host()).or_default().push(rule),
            Some(tail) => {
                let place = self
                    .tail_lengths
                    .binary_search_by(|length| tail.len().cmp(length));
                if let Err(place) = place {
                    self.tail_lengths.insert(place, tail.len());
                }
                self.wildcard.entry(tail.into()).or_default().push(rule);
            }
        }
    }

    /// The rules of the most specific host that covers `hostname`, which may be a wildcard itself (Istio:
    /// `MostSpecificHostMatch`).
    ///
    /// # Complexity
    /// One hash lookup for an exact host, and one per distinct length of a wildcard.
    pub(crate) fn most_specific(&self, hostname: &str) -> Option<&[Arc<EffectiveRule>]> {
        let needle = if host::is_wildcard(hostname) {
            &hostname[1..]
        } else if let Some(rules) = self.exact.get(hostname) {
            return Some(rules);
        } else {
            hostname
        };
        self.tail_lengths
            .iter()
            .filter_map(|length| needle.len().checked_sub(*length))
            .filter_map(|start| needle.get(start..))
            .find_map(|tail| self.wildcard.get(tail))
            .map(Vec::as_slice)
    }
}
