//! Who gets which domain on one port of a sidecar: of all who claim it the first (R-H-045, R-H-051).
//!
//! A claim is one virtual host that somebody wants: its name, its domains and its rules. Of the claims of one name only the
//! first counts; of those that count, the first has a domain. So when some claims go and others come, only the virtual
//! hosts that win or lose by it are made anew.

use std::collections::BTreeSet;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::router::{RuleList, VirtualHost, VirtualHostKind};
use crate::terms::hash::HashMap;

use super::rank::{ServiceRank, VirtualServiceRank};

/// A virtual host that somebody wants.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub rank: ClaimRank,
    pub name: Box<str>,
    pub kind: VirtualHostKind,
    pub wants: Vec<Want>,
    pub rules: Arc<RuleList>,
}

/// A domain that a claim wants.
#[derive(Clone, Debug)]
pub(super) struct Want {
    /// Lower case.
    pub domain: Arc<str>,
    /// A derived short form, in its own case: it gives way to another service's real name (R-H-051).
    pub derived: Option<Arc<str>>,
}

/// Whose claim counts first: VirtualServices before services that none claims, each in the order in which the proxy sees
/// them, and what is left for all others last; then the claims of one in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClaimRank {
    pub author: Author,
    pub at: u32,
}

/// Who claims.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Author {
    VirtualService(VirtualServiceRank),
    Service(ServiceRank),
    /// What a host gets that nobody claims (R-H-052).
    Fallback,
}

/// The number of a claim while it is there.
pub(super) type ClaimId = u32;

/// All claims of a port, and who has what.
#[derive(Clone, Debug, Default)]
pub(super) struct Arbitration {
    claims: Vec<Option<Standing>>,
    free: Vec<ClaimId>,
    /// Who claims each name, the first first.
    names: HashMap<Box<str>, SmallVec<[ClaimId; 1]>>,
    domains: HashMap<Arc<str>, Domain>,
}

/// A claim and what it has got.
#[derive(Clone, Debug)]
struct Standing {
    claim: Claim,
    host: Option<Arc<VirtualHost>>,
}

/// Those that want a domain, of the claims that count, the first first.
#[derive(Clone, Debug, Default)]
struct Domain {
    owner: Option<ClaimId>,
    wanted: SmallVec<[(ClaimId, Option<Arc<str>>); 1]>,
}

/// Virtual hosts that go, and those that come.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    pub removed: Vec<Arc<VirtualHost>>,
    pub added: Vec<Arc<VirtualHost>>,
}

impl Arbitration {
    /// Adds a claim behind all that are there. `is_real` says whether a name is a service's own on this port.
    pub(super) fn append(&mut self, claim: Claim, is_real: &dyn Fn(&str) -> bool) -> ClaimId {
        let id = self.stand(claim);
        let Some(Standing { claim, host }) = &mut self.claims[id as usize] else {
            return id;
        };
        let same_name = self.names.entry(claim.name.clone()).or_default();
        same_name.push(id);
        if same_name.len() > 1 {
            return id;
        }
        let mut own: Vec<Box<str>> = Vec::with_capacity(claim.wants.len());
        for want in &claim.wants {
            let domain = self.domains.entry(Arc::clone(&want.domain)).or_default();
            if !domain.add_last(id, want) || domain.owner.is_some() {
                continue;
            }
            if want
                .derived
                .as_ref()
                .is_none_or(|derived| !is_real(derived))
            {
                domain.owner = Some(id);
                own.push((&*want.domain).into());
            }
        }
        *host = claim.host_of(own);
        id
    }

    /// The virtual hosts, in the order of their claims if none has gone.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &Arc<VirtualHost>> {
        let standing = self.claims.iter().flatten();
        standing.filter_map(|standing| standing.host.as_ref())
    }

    /// The rules of all claims, also of those that have got nothing.
    pub(super) fn rule_lists(&self) -> impl Iterator<Item = &RuleList> {
        let standing = self.claims.iter().flatten();
        standing.map(|standing| &*standing.claim.rules)
    }

    /// The virtual host of this name.
    pub(super) fn named(&self, name: &str) -> Option<&Arc<VirtualHost>> {
        let first = *self.names.get(name)?.first()?;
        self.claims[first as usize].as_ref()?.host.as_ref()
    }

    /// Some claims go and others come, and some names are a service's own since, or not any more. With the numbers of
    /// those that came.
    ///
    /// # Complexity
    /// In proportion to the claims that go or come and to those that want the same.
    pub(super) fn change(
        &mut self,
        gone: impl IntoIterator<Item = ClaimId>,
        come: Vec<Claim>,
        renamed: impl IntoIterator<Item = Arc<str>>,
        is_real: &dyn Fn(&str) -> bool,
    ) -> (Vec<ClaimId>, Replaced) {
        let mut open: BTreeSet<Arc<str>> = renamed.into_iter().collect();
        let mut touched: BTreeSet<ClaimId> = BTreeSet::new();
        let mut replaced = Replaced::default();
        for id in gone {
            self.lay_down(id, &mut open, &mut replaced);
        }
        let mut ids = Vec::with_capacity(come.len());
        for claim in come {
            let id = self.stand(claim);
            self.take_up(id, &mut open);
            ids.push(id);
            touched.insert(id);
        }
        // A name that another claim has now, or has not any more.
        for domain in open {
            self.settle(&domain, is_real, &mut touched);
        }
        for id in touched {
            self.make(id, &mut replaced);
        }
        (ids, replaced)
    }

    fn stand(&mut self, claim: Claim) -> ClaimId {
        let standing = Some(Standing { claim, host: None });
        match self.free.pop() {
            Some(id) => {
                self.claims[id as usize] = standing;
                id
            }
            None => {
                self.claims.push(standing);
                self.claims.len() as ClaimId - 1
            }
        }
    }

    fn rank(&self, id: ClaimId) -> Option<&ClaimRank> {
        let standing = self.claims[id as usize].as_ref();
        standing.map(|standing| &standing.claim.rank)
    }

    /// A claim goes, and the next one of its name counts.
    fn lay_down(&mut self, id: ClaimId, open: &mut BTreeSet<Arc<str>>, replaced: &mut Replaced) {
        let Some(standing) = &self.claims[id as usize] else {
            return;
        };
        let name = standing.claim.name.clone();
        let mut same = self.names.remove(&name).unwrap_or_default();
        if same.first() == Some(&id) {
            self.withdraw(id, open);
            if let Some(&next) = same.get(1) {
                self.enter(next, open);
            }
        }
        same.retain(|other| *other != id);
        if !same.is_empty() {
            self.names.insert(name, same);
        }
        let gone = self.claims[id as usize].take();
        replaced.removed.extend(gone.and_then(|gone| gone.host));
        self.free.push(id);
    }

    /// A claim comes; if it is the first of its name, it counts instead of the one before.
    fn take_up(&mut self, id: ClaimId, open: &mut BTreeSet<Arc<str>>) {
        let Some(standing) = &self.claims[id as usize] else {
            return;
        };
        let name = standing.claim.name.clone();
        let mut same = self.names.remove(&name).unwrap_or_default();
        let place = same.partition_point(|other| self.rank(*other) <= self.rank(id));
        same.insert(place, id);
        if place == 0 {
            if let Some(&before) = same.get(1) {
                self.withdraw(before, open);
            }
            self.enter(id, open);
        }
        self.names.insert(name, same);
    }

    /// A claim counts.
    fn enter(&mut self, id: ClaimId, open: &mut BTreeSet<Arc<str>>) {
        for want in self.wants(id) {
            let mut domain = self.domains.remove(&want.domain).unwrap_or_default();
            match domain.wanted.iter_mut().find(|(other, _)| *other == id) {
                Some((_, derived)) => {
                    if want.derived.is_none() {
                        *derived = None;
                    }
                }
                None => {
                    let is_before = |other: &(ClaimId, _)| self.rank(other.0) <= self.rank(id);
                    let place = domain.wanted.partition_point(is_before);
                    domain.wanted.insert(place, (id, want.derived.clone()));
                }
            }
            self.domains.insert(Arc::clone(&want.domain), domain);
            open.insert(want.domain);
        }
    }

    /// A claim does not count any more.
    fn withdraw(&mut self, id: ClaimId, open: &mut BTreeSet<Arc<str>>) {
        for want in self.wants(id) {
            if let Some(domain) = self.domains.get_mut(&want.domain) {
                domain.wanted.retain(|(other, _)| *other != id);
                open.insert(want.domain);
            }
        }
    }

    fn wants(&self, id: ClaimId) -> Vec<Want> {
        let standing = self.claims[id as usize].as_ref();
        standing.map_or_else(Vec::new, |standing| standing.claim.wants.clone())
    }

    /// Finds the owner of a domain anew.
    fn settle(
        &mut self,
        domain: &Arc<str>,
        is_real: &dyn Fn(&str) -> bool,
        touched: &mut BTreeSet<ClaimId>,
    ) {
        let Some(entry) = self.domains.get_mut(domain) else {
            return;
        };
        let mut able = entry
            .wanted
            .iter()
            .filter(|(_, derived)| derived.as_ref().is_none_or(|derived| !is_real(derived)));
        let owner = able.next().map(|(id, _)| *id);
        let before = std::mem::replace(&mut entry.owner, owner);
        if entry.wanted.is_empty() {
            self.domains.remove(domain);
        }
        if before != owner {
            touched.extend(before.into_iter().chain(owner));
        }
    }

    /// Makes the virtual host of a claim anew.
    fn make(&mut self, id: ClaimId, replaced: &mut Replaced) {
        let Some(standing) = &self.claims[id as usize] else {
            return;
        };
        let claim = &standing.claim;
        let mut own: Vec<Box<str>> = Vec::with_capacity(claim.wants.len());
        for want in &claim.wants {
            let domain = self.domains.get(&want.domain);
            let is_own = domain.is_some_and(|domain| domain.owner == Some(id));
            if is_own && !own.iter().any(|other| **other == *want.domain) {
                own.push((&*want.domain).into());
            }
        }
        let host = claim.host_of(own);
        if let Some(standing) = &mut self.claims[id as usize] {
            replaced.removed.extend(standing.host.take());
            replaced.added.extend(host.clone());
            standing.host = host;
        }
    }
}

impl Claim {
    /// Its virtual host, if it has got any domain.
    fn host_of(&self, domains: Vec<Box<str>>) -> Option<Arc<VirtualHost>> {
        (!domains.is_empty()).then(|| {
            Arc::new(VirtualHost {
                name: self.name.clone(),
                kind: self.kind.clone(),
                domains: domains.into(),
                require_tls: false,
                rules: Arc::clone(&self.rules),
            })
        })
    }
}

impl Domain {
    /// Notes who wants it behind all others; false: it was the last already.
    fn add_last(&mut self, id: ClaimId, want: &Want) -> bool {
        match self.wanted.last_mut() {
            Some((last, derived)) if *last == id => {
                let both = derived.is_some() && want.derived.is_some();
                *derived = want.derived.clone().filter(|_| both);
                self.owner != Some(id)
            }
            _ => {
                self.wanted.push((id, want.derived.clone()));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests;
