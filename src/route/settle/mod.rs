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
use crate::router::{Arrivals, Counts, GatewayId, Router, SimpleDoor, Tables, place_of};

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

    /// A router over `tables`, whose arrivals and simple door are those of tables that differ from these in the virtual hosts
    /// of route configurations alone: listeners and gateways are the same. `names`: all domains, in lower case, whose
    /// virtual host is another one now, is gone or new; for a service with a listener of its own, all its names.
    ///
    /// # Complexity
    /// In proportion to the number of names; as [`new`](Self::new) where a wildcard is among them, and once in a while, when
    /// picks that nothing names any more outnumber the others.
    pub(crate) fn resettled<'a>(
        mut tables: Tables,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let names: BTreeSet<&str> = names.into_iter().collect();
        let names: Vec<&str> = names.into_iter().collect();
        if is_crowded(&tables.door) || names.iter().any(|name| name.starts_with('*')) {
            return Router::new(tables);
        }
        tables.arrivals = tables.arrivals.update(&tables, &names);
        tables.door = resettle(&tables, &names);
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

/// The door of `tables` where only hosts called `names` answer otherwise than by the door that is there.
fn resettle(tables: &Tables, names: &[&str]) -> SimpleDoor {
    let door = &tables.door;
    let taken = counts(door);
    let mut answers = Answers::new(tables, taken);
    let mut domains: Vec<Domains<'_>> = Vec::new();
    domains.resize_with(door.tables.len(), Domains::default);
    for gateway in tables.arrivals.ids() {
        if tables.side_of(gateway).is_none() {
            continue;
        }
        let (table, bit) = place_of(gateway);
        for &name in names {
            let answer = answers.of(gateway, name);
            if !door.tables[table].answers_anyway(name, bit, answer) {
                domains[table].add(name, bit, || answer);
            }
        }
    }
    let changed = door.tables.iter().zip(&domains);
    let changed =
        changed.map(|(table, domains)| table.update(names.iter().copied(), domains.entries()));
    SimpleDoor {
        tables: changed.collect(),
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
