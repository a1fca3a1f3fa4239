//! `shadowed-catch-all` (MR0313; R-H-061..R-H-064).
//!
//! **What it does**: finds two VirtualServices with one host at one Gateway that both have a rule for every request.
//!
//! **Why is this bad**: a gateway concatenates their rules, and moves those for every request to the end: only the first of
//! them, the older VirtualService's, is ever reached.
//!
//! **Example**
//! ```yaml
//! metadata: {name: old}
//! spec: {hosts: [shop.example.com], gateways: [public], http: [{route: ...}]}
//! ---
//! metadata: {name: new}
//! spec: {hosts: [shop.example.com], gateways: [public], http: [{match: [{uri: {prefix: /new}}], ...}, {route: ...}]}
//! ```
//! **Use instead**: leave the rule for every request to one of them.

use std::sync::Arc;

use crate::diagnostic::{Code, Report};
use crate::mesh::VirtualService;
use crate::mesh::virtual_service::HttpRoute;
use crate::terms::hash::HashMap;
use crate::terms::name::GatewayName;

use super::{Facts, Work, author, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let mut owners: HashMap<(&GatewayName, &str), &Arc<VirtualService>> = HashMap::default();
    let mut work = Work::default();
    for virtual_service in &facts.mesh.virtual_services {
        let mut told: Option<&Arc<VirtualService>> = None;
        let catch_alls = CatchAlls::new(&virtual_service.http);
        for gateway in virtual_service
            .gateways
            .iter()
            .filter(|gateway| **gateway != GatewayName::Mesh)
        {
            let Some(rule) = catch_alls.first_at(gateway) else {
                continue;
            };
            if !work.spend(virtual_service.hosts.len()) {
                return report.push(Work::stopped("shadowed-catch-all"));
            }
            for host in &virtual_service.hosts {
                let owner = *owners.entry((gateway, host)).or_insert(virtual_service);
                let is_told = told.is_some_and(|told| Arc::ptr_eq(told, owner));
                if Arc::ptr_eq(owner, virtual_service)
                    || is_told
                    || owner.visibility.is_disjoint(&virtual_service.visibility)
                {
                    continue;
                }
                told = Some(owner);
                let message = format!(
                    "the rule for every request is never reached for `{host}` at Gateway `{gateway}`: VirtualService `{}` has one already",
                    owner.resource()
                );
                report.push(
                    finding(
                        Code::SHADOWED_CATCH_ALL,
                        author(&rule.origin.author),
                        rule.origin.field().path(),
                        message,
                    )
                    .with_help("leave the rule for every request to one of them")
                    .with_related(
                        author(&owner.author),
                        "has the rule that is used",
                        None,
                    ),
                );
            }
        }
    }
}

/// The first rules that take every request on every port.
struct CatchAlls<'m> {
    rules: &'m [HttpRoute],
    /// At every gateway.
    everywhere: Option<usize>,
    /// At one that a match names.
    named: HashMap<&'m GatewayName, usize>,
}

impl<'m> CatchAlls<'m> {
    fn new(rules: &'m [HttpRoute]) -> Self {
        let mut all = CatchAlls {
            rules,
            everywhere: None,
            named: HashMap::default(),
        };
        for (place, rule) in rules.iter().enumerate() {
            if rule.matches.is_empty() {
                all.everywhere.get_or_insert(place);
            }
            let catch_all = rule.matches.iter().filter(|entry| {
                entry.port.is_none()
                    && entry.source_namespace.is_none()
                    && entry.source_labels.is_empty()
                    && entry.request.is_catch_all()
            });
            for entry in catch_all {
                if entry.gateways.is_empty() {
                    all.everywhere.get_or_insert(place);
                }
                for gateway in &entry.gateways {
                    all.named.entry(gateway).or_insert(place);
                }
            }
        }
        all
    }

    fn first_at(&self, gateway: &GatewayName) -> Option<&'m HttpRoute> {
        let named = self.named.get(gateway).copied();
        let place = self.everywhere.into_iter().chain(named).min()?;
        self.rules.get(place)
    }
}
