//! `rule-for-unknown-host` (MR0314; istioctl's IST0174, R-M-201).
//!
//! **What it does**: finds DestinationRules whose host is no known service, nor a pattern that covers one. It is silent where
//! no service is known at all.
//!
//! **Why is this bad**: the rule has no effect (R-M-082).
//!
//! **Example**
//! ```yaml
//! metadata: {namespace: default}
//! spec: {host: reviews.prod}   # a name with a dot is not completed
//! ```
//! **Use instead**: `reviews.prod.svc.cluster.local`.

use crate::diagnostic::{Code, FieldPath, Report};
use crate::terms::host::is_wildcard;
use crate::terms::host_index::HostSet;

use super::{Facts, destination_rule, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    if facts.registry.is_open() {
        return;
    }
    let names = facts.mesh.services.iter().map(|service| &*service.hostname);
    let hosts: HostSet = names.collect();
    for rule in &facts.mesh.destination_rules {
        let is_known = !facts.mesh.service_index.named(&rule.host).is_empty()
            || (is_wildcard(&rule.host) && hosts.overlaps(&rule.host));
        if is_known || !facts.registry.has_half_of(&rule.host) {
            continue;
        }
        let completed = format!("{}.svc.{}", rule.host, facts.mesh.config.domain);
        let message = format!(
            "no service is named `{}`: the rule has no effect",
            rule.host
        );
        let field = FieldPath::from("spec").field("host");
        let diagnostic = finding(
            Code::RULE_FOR_UNKNOWN_HOST,
            destination_rule(&rule.resource),
            field,
            message,
        );
        let help = match facts.registry.named(&completed).is_empty() {
            true if facts.registry.covering(&rule.host).is_some() => {
                "a wildcard ServiceEntry covers the host, and rules hold for the service's own host: write the pattern, or add a ServiceEntry with the host".to_owned()
            }
            true => "add the Service, or a ServiceEntry".to_owned(),
            false => format!("a name with a dot is not completed: write `{completed}`"),
        };
        report.push(diagnostic.with_help(help));
    }
}
