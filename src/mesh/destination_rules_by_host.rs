//! DestinationRules by namespace and host: those that are merged with each other.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::terms::hash::HashMap;

use super::destination_rule::DestinationRule;

/// The DestinationRules of a mesh by namespace and host; those of one host in the order in which Istio processes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct DestinationRulesByHost {
    groups: HashMap<Key, SmallVec<[Arc<DestinationRule>; 1]>>,
}

/// Namespace and host.
type Key = (Arc<str>, Arc<str>);

impl DestinationRulesByHost {
    /// Groups all of a mesh, which are in order. O(n).
    pub(crate) fn new(rules: &[Arc<DestinationRule>]) -> Self {
        let mut groups = DestinationRulesByHost::default();
        for rule in rules {
            groups
                .groups
                .entry(key(rule))
                .or_default()
                .push(Arc::clone(rule));
        }
        groups
    }

    /// Puts `new` in the place of `old`; either may be missing.
    pub(crate) fn replace(
        &mut self,
        old: Option<&DestinationRule>,
        new: Option<&Arc<DestinationRule>>,
    ) {
        if let Some(old) = old
            && let Some(group) = self.groups.get_mut(&key(old))
        {
            group.retain(|rule| rule.resource != old.resource);
            if group.is_empty() {
                self.groups.remove(&key(old));
            }
        }
        if let Some(new) = new {
            let group = self.groups.entry(key(new)).or_default();
            let place = group.partition_point(|other| order(other) < order(new));
            group.insert(place, Arc::clone(new));
        }
    }

    /// The rules that are merged with `rule`, itself included if it is there.
    pub(crate) fn group(&self, rule: &DestinationRule) -> &[Arc<DestinationRule>] {
        self.groups
            .get(&key(rule))
            .map_or(&[], |group| group.as_slice())
    }
}

fn key(rule: &DestinationRule) -> Key {
    (Arc::clone(&rule.resource.namespace), Arc::clone(&rule.host))
}

/// The order in which Istio processes rules: those with a workload selector first, then by creation, name, namespace
/// (R-M-075).
pub(crate) fn order(rule: &DestinationRule) -> (bool, i64, &str, &str) {
    let resource = &rule.resource;
    (
        rule.workload_selector.is_none(),
        rule.creation,
        &resource.name,
        &resource.namespace,
    )
}
