//! `unknown-host` (MR0301; istioctl's IST0101, R-M-188).
//!
//! **What it does**: finds destinations and mirrors whose host is no service that clients in the VirtualService's namespace
//! can see. It is silent where the half of the configuration that would have the host is not given: no service of the namespace that
//! the host names, or no ServiceEntry at all for a host outside of the cluster. A wildcard ServiceEntry does not have the hosts below
//! it: only the pattern itself is a cluster.
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
use crate::mesh::virtual_service::Semantics;
use crate::terms::hash::HashMap;

use super::references::references;
use super::{Facts, author, finding};

/// How many names all unknown hosts are compared with, so that many of them cost little: those after have no suggestion.
const MOST_COMPARED: usize = 20_000;

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    if facts.registry.is_open() {
        return;
    }
    let mut suggestions = Suggestions::default();
    // Backends of routes of the Gateway API were told of when these were resolved.
    let all = facts.mesh.virtual_services.iter();
    for from in all.filter(|from| from.semantics == Semantics::VirtualService) {
        for reference in references(from) {
            let host = &*reference.destination.host;
            // A pattern has a cluster of its own; a host below it has none.
            let named = facts.mesh.service_index.named(host);
            if named.iter().any(|service| {
                service.visibility.includes(&from.resource().namespace)
                    || !service.visibility.is_disjoint(&from.visibility)
            }) {
                continue;
            }
            let noun = reference.noun();
            if named.is_empty() && !facts.registry.has_half_of(host) {
                continue;
            }
            let (message, help) = match named.first() {
                Some(hidden) => (
                    format!(
                        "the {noun} `{host}` is not exported to the VirtualService's namespace"
                    ),
                    format!("add the namespace to `exportTo` of `{}`", hidden.resource),
                ),
                None => (
                    format!("no service is named `{host}`, the {noun}"),
                    help(facts, &mut suggestions, host),
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

fn help<'m>(facts: &Facts<'m>, suggestions: &mut Suggestions<'m>, host: &str) -> String {
    let domain = &facts.mesh.config.domain;
    let completed = format!("{host}.svc.{domain}");
    if let Some(pattern) = facts.registry.covering(host) {
        return format!(
            "ServiceEntry `{}` covers it by `{}`, and only the pattern itself has a cluster: add a ServiceEntry with the host",
            pattern.resource, pattern.hostname
        );
    }
    if !facts.registry.named(&completed).is_empty() {
        return format!("a name with a dot is not completed: write `{completed}`");
    }
    match suggestions.near(facts, host) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "add the Service, or a ServiceEntry".to_owned(),
    }
}

/// The names that unknown hosts are compared with.
#[derive(Default)]
struct Suggestions<'m> {
    /// First label and host name of each service, by the rest of the name; made when it is asked for.
    siblings: Option<HashMap<&'m str, Vec<(&'m str, &'m str)>>>,
    compared: usize,
}

impl<'m> Suggestions<'m> {
    /// The service whose name differs a little in its first label only.
    fn near(&mut self, facts: &Facts<'m>, host: &str) -> Option<&'m str> {
        let (label, domain) = host.split_once('.')?;
        let siblings = self.siblings.get_or_insert_with(|| {
            let mut siblings: HashMap<&str, Vec<(&str, &str)>> = HashMap::default();
            for service in &facts.mesh.services {
                if let Some((label, domain)) = service.hostname.split_once('.') {
                    let list = siblings.entry(domain).or_default();
                    list.push((label, &service.hostname));
                }
            }
            siblings
        });
        let siblings = siblings.get(domain)?;
        let left = MOST_COMPARED.saturating_sub(self.compared);
        self.compared += siblings.len().min(left);
        let siblings = &siblings[..siblings.len().min(left)];
        let label = nearest(label, siblings.iter().map(|(label, _)| *label))?;
        siblings
            .iter()
            .find(|(other, _)| *other == label)
            .map(|(_, hostname)| *hostname)
    }
}
