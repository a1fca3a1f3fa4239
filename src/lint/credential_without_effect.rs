//! `credential-without-effect` (MR0316; R-M-113).
//!
//! **What it does**: finds DestinationRules without a workload selector whose TLS takes its certificates from
//! `credentialName`.
//!
//! **Why is this bad**: only gateways read it. A sidecar then uses no TLS at all: its traffic leaves in plain text.
//!
//! **Example**
//! ```yaml
//! trafficPolicy:
//!   tls: {mode: MUTUAL, credentialName: client-cert}
//! ```
//! **Use instead**: paths of files, or a `workloadSelector` for the sidecars that are meant.

use crate::diagnostic::{Code, FieldPath, Report};
use crate::terms::traffic_policy::{ClientTls, ClientTlsMode, RuleTrafficPolicy};

use super::{Facts, destination_rule, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for rule in &facts.mesh.destination_rules {
        if rule.workload_selector.is_some() {
            continue;
        }
        let spec = FieldPath::from("spec");
        let top = [(rule.traffic_policy.as_deref(), spec.clone())];
        let subsets = rule.subsets.iter().enumerate().map(|(index, subset)| {
            (
                subset.traffic_policy.as_deref(),
                spec.field("subsets").index(index),
            )
        });
        for (policy, at) in top.into_iter().chain(subsets) {
            let at = at.field("trafficPolicy");
            for at in policy.into_iter().flat_map(|policy| places(policy, &at)) {
                let message = format!(
                    "sidecars do not read `credentialName` without a workload selector, and send to `{}` in plain text",
                    rule.host
                );
                report.push(
                    finding(
                        Code::CREDENTIAL_WITHOUT_EFFECT,
                        destination_rule(&rule.resource),
                        at,
                        message,
                    )
                    .with_help("name files, or add a `workloadSelector`"),
                );
            }
        }
    }
}

/// Where the policy takes its certificates from a credential.
fn places(policy: &RuleTrafficPolicy, at: &FieldPath) -> Vec<FieldPath> {
    let is_meant = |tls: Option<&ClientTls>| {
        tls.is_some_and(|tls| {
            matches!(tls.mode, ClientTlsMode::Simple | ClientTlsMode::Mutual)
                && tls
                    .credential_name
                    .as_ref()
                    .is_some_and(|name| !name.starts_with("configmap://"))
        })
    };
    let top = is_meant(policy.settings.tls.as_deref()).then(|| at.clone());
    let ports = policy
        .ports
        .iter()
        .enumerate()
        .filter(|(_, entry)| is_meant(entry.settings.tls.as_deref()))
        .map(|(index, _)| at.field("portLevelSettings").index(index));
    top.into_iter()
        .chain(ports)
        .map(|at| at.field("tls").field("credentialName"))
        .collect()
}
