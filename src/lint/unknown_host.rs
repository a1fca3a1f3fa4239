//! `unknown-host` (MR0301; istioctl's IST0101, R-M-188).
//!
//! **What it does**: finds destinations and mirrors whose host is no service that clients in the VirtualService's namespace
//! can see. It is silent where no service is known at all.
//!
//! **Why is this bad**: there is no such cluster: requests are answered 503, and connections closed (R-M-139).
//!
//! **Example**
//! ```yaml
//! http:
//! - route: [{destination: {host: reveiws}}]
//! ```
//! **Use instead**: the name of a service. A name with a dot is final: `reviews.prod` is not completed to
//! `reviews.prod.svc.cluster.local` (R-M-008). For a host outside of the mesh add a ServiceEntry.

use crate::diagnostic::{Code, Report, nearest};

use super::references::references;
use super::{Facts, author, finding};

/// In a larger mesh only so many services are compared, so that many unknown hosts cost little.
const MAX_CANDIDATES: usize = 2000;

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    if facts.registry.is_open() {
        return;
    }
    for from in &facts.mesh.virtual_services {
        for reference in references(from) {
            let host = &*reference.destination.host;
            let named = facts.registry.named(host);
            if named.iter().any(|one| {
                one.visibility.includes(&from.resource().namespace)
                    || !one.visibility.is_disjoint(&from.visibility)
            }) {
                continue;
            }
            let noun = reference.noun();
            let (message, help) = match named.first() {
                Some(hidden) => (
                    format!(
                        "the {noun} `{host}` is not exported to the VirtualService's namespace"
                    ),
                    format!("add the namespace to `exportTo` of `{}`", hidden.resource),
                ),
                None => (
                    format!("no service is named `{host}`, the {noun}"),
                    help(facts, host),
                ),
            };
            report.push(
                finding(
                    Code::UNKNOWN_HOST,
                    author(reference.author),
                    reference.field.field("host"),
                    message,
                )
                .with_help(help),
            );
        }
    }
}

fn help(facts: &Facts<'_>, host: &str) -> String {
    let domain = &facts.mesh.config.domain;
    let completed = format!("{host}.svc.{domain}");
    if !facts.registry.named(&completed).is_empty() {
        return format!("a name with a dot is not completed: write `{completed}`");
    }
    match near(facts, host) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "add the Service, or a ServiceEntry".to_owned(),
    }
}

/// The service whose name differs a little in its first label only.
fn near<'a>(facts: &'a Facts<'_>, host: &str) -> Option<&'a str> {
    let (label, domain) = host.split_once('.')?;
    let siblings: Vec<(&str, &str)> = facts
        .mesh
        .services
        .iter()
        .take(MAX_CANDIDATES)
        .filter_map(|one| Some((one.hostname.split_once('.')?, &*one.hostname)))
        .filter(|((_, other), _)| *other == domain)
        .map(|((label, _), hostname)| (label, hostname))
        .collect();
    let label = nearest(label, siblings.iter().map(|(label, _)| *label))?;
    siblings
        .iter()
        .find(|(other, _)| *other == label)
        .map(|(_, hostname)| *hostname)
}
