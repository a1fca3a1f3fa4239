//! `unused-subset` (MR0307).
//!
//! **What it does**: notes subsets that no VirtualService routes or mirrors to.
//!
//! **Why is this bad**: a subset is reached by name only; its policy has no effect on anyone (clients that pick the subset by
//! SNI, at an `AUTO_PASSTHROUGH` gateway, excepted).
//!
//! **Example**
//! ```yaml
//! subsets:
//! - {name: v2, labels: {version: v2}}   # all VirtualServices name v1
//! ```
//! **Use instead**: remove the subset, or route to it.

use std::collections::HashSet;

use crate::diagnostic::{Code, FieldPath, Report};
use crate::terms::host;

use super::references::references;
use super::{Facts, destination_rule, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let mut used: HashSet<(&str, &str)> = HashSet::new();
    let mut used_names: HashSet<&str> = HashSet::new();
    for from in &facts.mesh.virtual_services {
        for reference in references(from) {
            if let Some(subset) = &reference.destination.subset {
                used.insert((&reference.destination.host, subset));
                used_names.insert(subset);
            }
        }
    }
    for rule in &facts.mesh.destination_rules {
        for (index, subset) in rule.subsets.iter().enumerate() {
            let is_used = if host::is_wildcard(&rule.host) {
                used_names.contains(&*subset.name)
            } else {
                used.contains(&(&*rule.host, &*subset.name))
            };
            if is_used {
                continue;
            }
            let message = format!(
                "no VirtualService routes to subset `{}` of `{}`",
                subset.name, rule.host
            );
            let field = FieldPath::from("spec").field("subsets").index(index);
            report.push(finding(
                Code::UNUSED_SUBSET,
                destination_rule(&rule.resource),
                field,
                message,
            ));
        }
    }
}
