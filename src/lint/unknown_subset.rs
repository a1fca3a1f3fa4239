//! `unknown-subset` (MR0305; istioctl's IST0101, R-M-192).
//!
//! **What it does**: finds destinations and mirrors whose subset the DestinationRule that holds for their host, as clients in
//! the VirtualService's namespace see it, does not have.
//!
//! **Why is this bad**: there is no such cluster: requests are answered 503, and connections closed (R-M-139). It is not
//! enough that some DestinationRule has the subset: one of the client's own namespace hides that of the service's
//! namespace, even if its host is a wildcard (R-M-080).
//!
//! **Example**
//! ```yaml
//! - destination: {host: reviews, subset: v3}   # the DestinationRule has v1 and v2
//! ```
//! **Use instead**: a subset of the rule that holds, or add the subset to it.

use std::sync::Arc;

use crate::diagnostic::{Code, Report};
use crate::mesh::DestinationRule;
use crate::terms::hash::{HashMap, HashSet};
use crate::terms::host_index::HostSet;

use super::references::references;
use super::{Facts, author, destination_rule, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let owners = Owners::new(&facts.mesh.destination_rules);
    for from in &facts.mesh.virtual_services {
        for reference in references(from) {
            let host = &*reference.destination.host;
            let Some(subset) = reference.destination.subset.as_deref() else {
                continue;
            };
            let namespace = &*from.resource().namespace;
            let rule = facts.registry.rule(host, namespace);
            if rule.is_some_and(|rule| rule.subset(subset).is_some())
                || owners.selecting.contains(&(namespace, host, subset))
            {
                continue;
            }
            let noun = reference.noun();
            let elsewhere = owners.first.get(&(host, subset));
            // Nobody here has rules for the host: they may be in another repository.
            if rule.is_none() && elsewhere.is_none() && !owners.hosts.covers(host) {
                continue;
            }
            let message = match rule {
                None => format!(
                    "no DestinationRule of `{host}` is seen from `{namespace}`: the {noun} has no subset `{subset}`"
                ),
                Some(_) => format!("`{host}` has no subset `{subset}`"),
            };
            let mut diagnostic = finding(
                Code::UNKNOWN_SUBSET,
                author(reference.author),
                reference.field.field("subset"),
                message,
            );
            if let Some(rule) = rule {
                let name = &rule.sources()[0];
                diagnostic =
                    diagnostic.with_related(destination_rule(name), "is the rule that holds", None);
            }
            if let Some(other) = elsewhere {
                let role = "has the subset, and does not hold here";
                diagnostic = diagnostic.with_related(destination_rule(&other.resource), role, None);
            }
            report.push(diagnostic);
        }
    }
}

/// Who has which subset of a host.
struct Owners<'m> {
    /// By host and subset: the first rule.
    first: HashMap<(&'m str, &'m str), &'m Arc<DestinationRule>>,
    /// Every host that has a rule.
    hosts: HostSet,
    /// Namespace, host and subset of the rules for some workloads.
    selecting: HashSet<(&'m str, &'m str, &'m str)>,
}

impl<'m> Owners<'m> {
    fn new(rules: &'m [Arc<DestinationRule>]) -> Self {
        let mut owners = Owners {
            first: HashMap::default(),
            hosts: rules.iter().map(|rule| &*rule.host).collect(),
            selecting: HashSet::default(),
        };
        for rule in rules {
            for subset in &rule.subsets {
                owners
                    .first
                    .entry((&rule.host, &subset.name))
                    .or_insert(rule);
                if rule.workload_selector.is_some() {
                    let namespace = &*rule.resource.namespace;
                    owners
                        .selecting
                        .insert((namespace, &rule.host, &subset.name));
                }
            }
        }
        owners
    }
}
