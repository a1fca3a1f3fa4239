//! Changed step by step, an arbitration is what its rules say of all that stands at the end.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Names that services have, so that derived forms give way to them.
type Real = [bool; DOMAINS.len()];

const DOMAINS: [&str; 4] = ["a", "b", "c", "d"];
const NAMES: [&str; 3] = ["x:80", "y:80", "z:80"];

/// Name, and domains that are wanted: their own or derived.
type Written = (usize, Vec<(usize, bool)>);

fn written() -> impl Strategy<Value = Written> {
    let want = (0..DOMAINS.len(), any::<bool>());
    (0..NAMES.len(), prop::collection::vec(want, 0..4))
}

fn claim(at: u32, (name, wants): &Written) -> Claim {
    let want = |&(domain, is_derived): &(usize, bool)| Want {
        domain: DOMAINS[domain].into(),
        derived: is_derived.then(|| DOMAINS[domain].into()),
    };
    Claim {
        rank: ClaimRank {
            author: Author::Fallback,
            at,
        },
        name: NAMES[*name].into(),
        kind: VirtualHostKind::Hosts,
        wants: wants.iter().map(want).collect(),
        rules: Arc::default(),
    }
}

fn is_real(real: Real) -> impl Fn(&str) -> bool {
    move |name| {
        let mut all = DOMAINS.iter().zip(real);
        all.any(|(domain, is_real)| is_real && *domain == name)
    }
}

/// What the rules say: of one name the first claim counts, of those that count the first has a domain.
fn expected(standing: &BTreeMap<u32, Written>, real: Real) -> Vec<(String, Vec<String>)> {
    let mut names: Vec<usize> = Vec::new();
    let mut taken: Vec<usize> = Vec::new();
    let mut hosts = Vec::new();
    for (name, wants) in standing.values() {
        if names.contains(name) {
            continue;
        }
        names.push(*name);
        let mut own: Vec<usize> = Vec::new();
        for &(domain, _) in wants {
            let mut same = wants.iter().filter(|(other, _)| *other == domain);
            let is_able = same.any(|(_, is_derived)| !is_derived || !real[domain]);
            if is_able && !taken.contains(&domain) {
                taken.push(domain);
                own.push(domain);
            }
        }
        if !own.is_empty() {
            own.sort_unstable();
            let domains = own.iter().map(|&domain| DOMAINS[domain].to_owned());
            hosts.push((NAMES[*name].to_owned(), domains.collect()));
        }
    }
    hosts.sort();
    hosts
}

fn described<'h>(hosts: impl Iterator<Item = &'h Arc<VirtualHost>>) -> Vec<(String, Vec<String>)> {
    let hosts = hosts.map(|host| {
        let mut domains: Vec<String> = host.domains().map(str::to_owned).collect();
        domains.sort();
        (host.name().to_owned(), domains)
    });
    let mut hosts: Vec<(String, Vec<String>)> = hosts.collect();
    hosts.sort();
    hosts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 512 }))]

    #[test]
    fn r_h_045_and_r_h_051_hold_after_every_change(
        first in prop::collection::vec(written(), 0..5),
        real in any::<Real>(),
        changes in prop::collection::vec(
            (
                prop::collection::vec(any::<prop::sample::Index>(), 0..3),
                prop::collection::vec((0_u32..1000, written()), 0..3),
                any::<Real>(),
            ),
            0..8,
        ),
    ) {
        let mut real = real;
        let mut arbitration = Arbitration::default();
        let (mut standing, mut ids) = (BTreeMap::new(), BTreeMap::new());
        for (at, written) in (0..).map(|at| 100 * at).zip(first) {
            ids.insert(at, arbitration.append(claim(at, &written), &is_real(real)));
            standing.insert(at, written);
        }
        prop_assert_eq!(described(arbitration.hosts()), expected(&standing, real));
        for (gone, come, next) in changes {
            let before = described(arbitration.hosts());
            let ranks: Vec<u32> = standing.keys().copied().collect();
            let mut leaving: Vec<u32> = Vec::new();
            for index in gone.iter().filter(|_| !ranks.is_empty()) {
                let at = *index.get(&ranks);
                if standing.remove(&at).is_some() {
                    leaving.extend(ids.remove(&at));
                }
            }
            let mut claims = Vec::new();
            let mut new = Vec::new();
            for (at, written) in come {
                if let std::collections::btree_map::Entry::Vacant(free) = standing.entry(at) {
                    claims.push(claim(at, &written));
                    new.push(at);
                    free.insert(written);
                }
            }
            let renamed = DOMAINS.iter().zip(real.iter().zip(next));
            let renamed = renamed.filter(|(_, (old, new))| *old != new);
            let renamed: Vec<Arc<str>> = renamed.map(|(domain, _)| (*domain).into()).collect();
            real = next;
            let (made, replaced) = arbitration.change(leaving, claims, renamed, &is_real(real));
            ids.extend(new.into_iter().zip(made));
            let after = described(arbitration.hosts());
            prop_assert_eq!(&after, &expected(&standing, real));
            // What is told is all that differs, and each domain has one owner at any time.
            let (removed, added) = (described(replaced.removed.iter()), described(replaced.added.iter()));
            let mut told: Vec<_> = before.iter().filter(|host| !removed.contains(host)).cloned().collect();
            told.extend(added);
            told.sort();
            prop_assert_eq!(told, after);
        }
    }
}

#[test]
fn a_claim_that_nothing_touches_keeps_its_virtual_host() {
    let mut arbitration = Arbitration::default();
    let no_name = |_: &str| false;
    let kept = arbitration.append(claim(0, &(0, vec![(0, false)])), &no_name);
    let gone = arbitration.append(claim(1, &(1, vec![(1, false)])), &no_name);
    let host = |arbitration: &Arbitration| arbitration.named(NAMES[0]).map(Arc::as_ptr);
    let before = host(&arbitration);
    let come = vec![claim(2, &(2, vec![(1, false), (0, false)]))];
    let (ids, replaced) = arbitration.change([gone], come, [], &no_name);
    assert_eq!(
        (ids.len(), replaced.removed.len(), replaced.added.len()),
        (1, 1, 1)
    );
    assert_eq!(
        replaced.added[0].domains().collect::<Vec<_>>(),
        [DOMAINS[1]]
    );
    assert_eq!(host(&arbitration), before);
    // Its place is free for the next one.
    assert_ne!(ids[0], kept);
    assert_eq!(ids[0], gone);
}
