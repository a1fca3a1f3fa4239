//! `unverified-server` (MR0315; istioctl's IST0128 and IST0129, R-M-199, R-M-200).
//!
//! **What it does**: finds DestinationRules, at their top level and in `portLevelSettings`, whose TLS towards the service is
//! `SIMPLE` or `MUTUAL` and names no authority that has signed the server's certificate.
//!
//! **Why is this bad**: unless the proxy falls back to the system's authorities, anyone can pose as the server.
//!
//! **Example**
//! ```yaml
//! tls: {mode: SIMPLE}
//! ```
//! **Use instead**: `caCertificates`, or, with a workload selector, `credentialName`. One who means it writes
//! `insecureSkipVerify: true`.

use crate::diagnostic::{Code, FieldPath, Report, Severity};
use crate::mesh::DestinationRule;
use crate::terms::traffic_policy::{ClientTls, ClientTlsMode};

use super::{Facts, destination_rule, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for rule in &facts.mesh.destination_rules {
        let Some(policy) = &rule.traffic_policy else {
            continue;
        };
        let at = FieldPath::from("spec").field("trafficPolicy");
        let top = [(policy.settings.tls.as_deref(), at.clone())];
        let ports = policy.ports.iter().enumerate().map(|(index, entry)| {
            (
                entry.settings.tls.as_deref(),
                at.field("portLevelSettings").index(index),
            )
        });
        for (tls, at) in top.into_iter().chain(ports) {
            if tls.is_some_and(|tls| is_unverified(tls, rule)) {
                report.push(
                    finding(
                        Code::UNVERIFIED_SERVER,
                        destination_rule(&rule.resource),
                        at.field("tls"),
                        format!(
                            "the certificate of `{}` is checked against the system's authorities only, not against named ones",
                            rule.host
                        ),
                    )
                    .with_severity(Severity::Note)
                    .with_help(
                        "add `caCertificates`, or `insecureSkipVerify: true` if that is meant",
                    ),
                );
            }
        }
    }
}

fn is_unverified(tls: &ClientTls, rule: &DestinationRule) -> bool {
    let has_credential = tls.credential_name.is_some() && rule.workload_selector.is_some();
    matches!(tls.mode, ClientTlsMode::Simple | ClientTlsMode::Mutual)
        && tls.ca_certificates.is_none()
        && tls.insecure_skip_verify != Some(true)
        && !has_credential
}
