//! `host-claimed-twice` (MR0312; istioctl's IST0109, R-M-196).
//!
//! **What it does**: finds two VirtualServices of the mesh with one host, where some namespace sees both.
//!
//! **Why is this bad**: sidecars do not merge them. The first one owns the host, and the other has no effect: private before
//! exported before public, then the older one (R-M-060, R-M-061). At gateways their rules are concatenated instead.
//!
//! **Example**
//! ```yaml
//! metadata: {name: reviews-team-a}
//! spec: {hosts: [reviews], ...}
//! ---
//! metadata: {name: reviews-team-b}
//! spec: {hosts: [reviews], ...}
//! ```
//! **Use instead**: one VirtualService for the host; split it over files with delegates.

use std::sync::Arc;

use crate::diagnostic::{Code, FieldPath, Report};
use crate::mesh::{VirtualService, Visibility};
use crate::terms::hash::HashMap;

use super::{Facts, author, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let mut claims: HashMap<&str, Claimants<'_>> = HashMap::default();
    let mut hosts = Vec::new();
    for virtual_service in &facts.mesh.virtual_services {
        if !virtual_service.is_in_mesh() {
            continue;
        }
        for (index, host) in virtual_service.hosts.iter().enumerate() {
            let claimants = claims.entry(host).or_default();
            if claimants.all.is_empty() {
                hosts.push(&**host);
            }
            claimants.all.push((virtual_service, index));
        }
    }
    for host in hosts {
        let Some(mut claimants) = claims.remove(host) else {
            continue;
        };
        if claimants.all.len() < 2 {
            continue;
        }
        for (place, (later, index)) in std::mem::take(&mut claimants.all).iter().enumerate() {
            let other = claimants.first_seen_with(later);
            claimants.seen(place, later);
            let Some(other) = other else {
                continue;
            };
            // The older one wins, unless only the newer one is for some namespaces in particular.
            let newer_wins = rank(later) < rank(other);
            let (winner, role) = match newer_wins {
                true => (*later, "is older, and loses where both are seen"),
                false => (other, "owns the host"),
            };
            let message = format!(
                "`{host}` has two VirtualServices in the mesh; sidecars that see both use `{}` only",
                winner.resource()
            );
            let field = FieldPath::from("spec").field("hosts").index(*index);
            report.push(
                finding(
                    Code::HOST_CLAIMED_TWICE,
                    author(&later.author),
                    field,
                    message,
                )
                .with_help("merge them into one, or split the host with delegates")
                .with_related(author(&other.author), role, None),
            );
        }
    }
}

/// The VirtualServices of one host, and of those that were looked at already, which some client sees.
#[derive(Default)]
struct Claimants<'m> {
    all: Vec<(&'m Arc<VirtualService>, usize)>,
    any: Option<(usize, &'m Arc<VirtualService>)>,
    public: Option<(usize, &'m Arc<VirtualService>)>,
    named: HashMap<&'m str, (usize, &'m Arc<VirtualService>)>,
}

impl<'m> Claimants<'m> {
    /// The first one that some client sees who sees `later` too.
    fn first_seen_with(&self, later: &VirtualService) -> Option<&'m Arc<VirtualService>> {
        let first = match &later.visibility {
            Visibility::None => None,
            Visibility::Public => self.any,
            Visibility::Namespaces(namespaces) => namespaces
                .iter()
                .filter_map(|namespace| self.named.get(namespace).copied())
                .chain(self.public)
                .min_by_key(|(place, _)| *place),
        };
        first.map(|(_, virtual_service)| virtual_service)
    }

    fn seen(&mut self, place: usize, virtual_service: &'m Arc<VirtualService>) {
        match &virtual_service.visibility {
            Visibility::None => return,
            Visibility::Public => drop(self.public.get_or_insert((place, virtual_service))),
            Visibility::Namespaces(namespaces) => {
                for namespace in namespaces.iter() {
                    self.named
                        .entry(namespace)
                        .or_insert((place, virtual_service));
                }
            }
        }
        self.any.get_or_insert((place, virtual_service));
    }
}

/// Those for namespaces by name come before public ones.
fn rank(virtual_service: &VirtualService) -> u8 {
    match virtual_service.visibility {
        Visibility::Public => 1,
        Visibility::None | Visibility::Namespaces(_) => 0,
    }
}
