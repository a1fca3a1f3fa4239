//! Which DestinationRule holds for a service, as one proxy sees it: built once, asked by every view.
//!
//! DestinationRules of one host are merged first (R-M-077, R-M-078); what results is an [`EffectiveRule`], kept in up to
//! three places by who may see it (R-M-076):
//!
//! ```text
//!            asked in this order; the first that answers ends the search (R-M-080)
//! local      of the client's namespace: the rules in it that it may see      (not for clients in the root namespace)
//! root_local of the root namespace: its private rules                        (only for clients in the root namespace)
//! exported   of the service's namespace: the rules in it that others may see
//! exported   of the root namespace
//! ```
//! Within one place the most specific host wins, exact before wildcard (R-M-011). `resolve` builds it.

use std::sync::Arc;

use crate::terms::hash::HashMap;
use crate::terms::host_index::HostIndex;
use crate::terms::labels::Labels;

mod effective_rule;

pub(crate) use effective_rule::EffectiveRule;
pub(crate) use effective_rule::MergedRule;

/// The rules of one place by host; those of one host in the order in which they were made.
pub(crate) type HostRules = HostIndex<Vec<Arc<EffectiveRule>>>;

/// The DestinationRules of a mesh, merged, by who may see them.
#[derive(Clone, Debug, Default)]
pub(crate) struct DestinationRuleIndex {
    pub(crate) root_namespace: Box<str>,
    pub(crate) local: HashMap<Arc<str>, HostRules>,
    pub(crate) root_local: HostRules,
    pub(crate) exported: HashMap<Arc<str>, HostRules>,
}

impl DestinationRuleIndex {
    /// The rule that holds for the service `hostname` of `service_namespace`, for a proxy with these labels in
    /// `proxy_namespace` (R-M-080, R-M-081).
    ///
    /// # Complexity
    /// A constant number of hash lookups, and one more per distinct length of a wildcard host in the namespaces asked.
    pub(crate) fn lookup(
        &self,
        hostname: &str,
        service_namespace: &str,
        proxy_namespace: &str,
        proxy_labels: &Labels,
    ) -> Option<&Arc<EffectiveRule>> {
        let own = if proxy_namespace == &*self.root_namespace {
            Some(&self.root_local)
        } else {
            self.local.get(proxy_namespace)
        };
        if let Some(rules) = own.and_then(|place| place.most_specific(hostname)) {
            return select(rules.iter(), proxy_namespace, proxy_labels);
        }
        for namespace in [service_namespace, &self.root_namespace] {
            let Some(rules) = self
                .exported
                .get(namespace)
                .and_then(|place| place.most_specific(hostname))
            else {
                continue;
            };
            let visible = || {
                rules
                    .iter()
                    .filter(|rule| rule.is_exported_to(proxy_namespace))
            };
            if visible().next().is_some() {
                return select(visible(), proxy_namespace, proxy_labels);
            }
        }
        None
    }
}

/// Of several rules for one host: the first whose workload selector selects the proxy, else the last without a selector
/// (R-M-081).
fn select<'a>(
    rules: impl Iterator<Item = &'a Arc<EffectiveRule>>,
    proxy_namespace: &str,
    proxy_labels: &Labels,
) -> Option<&'a Arc<EffectiveRule>> {
    let mut general = None;
    for rule in rules {
        match rule.workload_selector() {
            None => general = Some(rule),
            Some(selector) => {
                if rule.namespace() == proxy_namespace && selector.selects(proxy_labels) {
                    return Some(rule);
                }
            }
        }
    }
    general
}
