//! Settling: what a plain `GET /` comes to for each domain at each gateway, found by the walk itself when a router is made.
//!
//! The last step of every compilation and of every update: tables without it are not yet a router.

mod answers;
mod domains;
#[cfg(test)]
mod update_tests;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::router::host_table::{GATEWAYS, SimpleTable, SimpleTableBuilder};
use crate::router::{
    Arrivals, Counts, GatewayId, KnownDomains, Router, SimpleDoor, Tables, Unsettled, place_of,
};
use crate::terms::host::is_wildcard;

use answers::Answers;
use domains::{Collector, Domains};

/// So many picks and actions more than at first may be there, beside as many as there were at first.
const SPARE: u32 = if cfg!(test) { 4 } else { 1024 };
/// A host that is nobody's name and fits `*` alone.
const OTHER: &str = "~";

impl Router {
    /// A router over finished tables.
    ///
    /// # Complexity
    /// Linear in the domains of each gateway.
    pub(crate) fn new(mut tables: Tables) -> Self {
        tables.arrivals = Arrivals::new(&tables);
        tables.door = settle(&tables);
        Router {
            tables: Arc::new(tables),
        }
    }

    /// A router over `tables`, whose arrivals and simple door are those of tables that differ from these as `changed` says.
    /// `known` are the domains of the router before, if they were asked for already.
    ///
    /// # Complexity
    /// In proportion to the number of domains and of those that their wildcards cover; as [`new`](Self::new) where more than
    /// these have changed, when a wildcard is first among them, and once in a while, when picks that nothing names any more
    /// outnumber the others.
    pub(crate) fn resettled(
        mut tables: Tables,
        changed: &Unsettled<'_>,
        known: &mut Option<KnownDomains>,
    ) -> Self {
        if changed.is_everywhere || is_crowded(&tables.door) || tables.arrivals.is_crowded() {
            *known = None;
            return Router::new(tables);
        }
        let mut domains: BTreeSet<Arc<str>> = BTreeSet::new();
        let wildcards = changed.domains.iter();
        let mut wildcards = wildcards.filter(|domain| is_wildcard(domain)).peekable();
        if wildcards.peek().is_some() {
            let known = known.get_or_insert_with(|| KnownDomains::new(&tables));
            wildcards.for_each(|domain| domains.extend(known.covered(domain).cloned()));
        }
        let mut names: Vec<&str> = changed.domains.iter().copied().collect();
        names.extend(changed.patterns.iter().copied());
        names.extend(domains.iter().map(|domain| &**domain));
        // Wildcards come first, those around others before these: it depends on them whether a name needs a record.
        names.sort_unstable_by_key(|name| match is_wildcard(name) {
            true => (false, name.len(), *name),
            false => (true, 0, *name),
        });
        names.dedup();
        tables.arrivals = tables.arrivals.update(&tables, &names, &changed.listeners);
        tables.door = resettle(&tables, &names);
        if let Some(known) = known
            && !known.extend(&names)
        {
            *known = KnownDomains::new(&tables);
        }
        Router {
            tables: Arc::new(tables),
        }
    }
}

fn settle(tables: &Tables) -> SimpleDoor {
    let gateways: Vec<GatewayId> = tables.arrivals.ids().collect();
    let hosts = gateways
        .iter()
        .map(|&gateway| tables.arrivals.hosts(gateway));
    let hosts: Vec<Vec<String>> = hosts.collect();
    let mut answers = Answers::new(tables, Counts::default());
    let mut collector = Collector::new(tables, gateways.len());
    let mut made = Vec::new();
    for (gateways, hosts) in gateways.chunks(GATEWAYS).zip(hosts.chunks(GATEWAYS)) {
        let mut domains = Domains::default();
        for (&gateway, hosts) in gateways.iter().zip(hosts) {
            collector.collect(gateway, hosts, &mut answers, &mut domains);
        }
        made.push(table(&domains));
    }
    let Answers { picks, actions, .. } = answers;
    SimpleDoor {
        tables: made.into(),
        at_first: Counts {
            picks: picks.len() as u32,
            actions: actions.len() as u32,
        },
        picks: picks.into_iter().collect(),
        actions: actions.into_iter().collect(),
    }
}

fn table(domains: &Domains<'_>) -> SimpleTable {
    let wildcards = domains.entries();
    let wildcards = wildcards
        .filter(|entry| entry.domain.starts_with('*'))
        .count();
    let mut builder = SimpleTableBuilder::new(domains.entries().len() - wildcards, wildcards);
    domains.entries().for_each(|entry| builder.push(entry));
    builder.finish()
}

/// Whether too much is there that nothing names any more.
fn is_crowded(door: &SimpleDoor) -> bool {
    let Counts { picks, actions } = counts(door);
    let is_crowded = |now: u32, at_first: u32| now - at_first > at_first + SPARE;
    is_crowded(picks, door.at_first.picks) || is_crowded(actions, door.at_first.actions)
}

fn counts(door: &SimpleDoor) -> Counts {
    Counts {
        picks: door.picks.len() as u32,
        actions: door.actions.len() as u32,
    }
}

/// The door of `tables` where only `names` answer otherwise than by the door that is there; wildcards first, those around
/// others before these.
fn resettle(tables: &Tables, names: &[&str]) -> SimpleDoor {
    let door = &tables.door;
    let taken = counts(door);
    let mut answers = Answers::new(tables, taken);
    let mut made = door.tables.to_vec();
    let length = |name: &str| is_wildcard(name).then_some(name.len());
    for names in names.chunk_by(|a, b| length(a) == length(b)) {
        let mut domains: Vec<Domains<'_>> = Vec::new();
        domains.resize_with(made.len(), Domains::default);
        for gateway in tables.arrivals.ids() {
            if tables.side_of(gateway).is_none() {
                continue;
            }
            let (table, bit) = place_of(gateway);
            for &name in names {
                let answer = answers.of(gateway, &host_of(name));
                if !made[table].answers_anyway(name, bit, answer) {
                    domains[table].add(name, bit, || answer);
                }
            }
        }
        for (table, domains) in made.iter_mut().zip(&domains) {
            *table = table.update(names.iter().copied(), domains.entries());
        }
    }
    SimpleDoor {
        tables: made.into(),
        picks: {
            let new = (taken.picks as usize..).zip(answers.picks);
            door.picks.with(new)
        },
        actions: {
            let new = (taken.actions as usize..).zip(answers.actions);
            door.actions.with(new)
        },
        at_first: door.at_first,
    }
}

/// A host that fits the domain, and no other that does not fit all hosts of the domain.
fn host_of(domain: &str) -> Cow<'_, str> {
    match domain.strip_prefix('*') {
        Some(suffix) => Cow::Owned(format!("{OTHER}{suffix}")),
        None => Cow::Borrowed(domain),
    }
}
