//! The simple door: from a host and a gateway to a destination, settled beforehand.
//!
//! For each gate (`mesh`, and the gateways of the proxy), what a plain `GET /` for a host comes to depends on nothing but
//! which domain fits the host best, among all that some step of the walk looks at: server hosts, server names, domains of
//! virtual hosts, names of services with a listener of their own. So each of these domains is asked once, when the router is
//! made, and what it answers stands in a [`SimpleTable`]. Where the answer depends on more (rules that test the authority,
//! faults by chance), the record says so, and the request is walked.

mod domains;
mod gates;
mod own_names;
mod plain;
mod update;
#[cfg(test)]
mod update_tests;
mod writer;

use std::borrow::Cow;
use std::sync::Arc;

use super::host_table::{GATES, SimpleEntry, SimpleTable, SimpleTableBuilder, Target};
use super::{Action, Chunked, ClusterId, ClusterTable, Tables};
use crate::terms::route_error::RouteError;
use crate::terms::weighted::{Draw, split_entropy};

use domains::{Collector, Domains, Texts};
use gates::{Gate, Names};
use writer::{Numbers, Writer};

pub(crate) use gates::Arrival;

/// A host that is nobody's name and fits `*` alone.
const OTHER: &str = "\u{1}";

/// The answers of all gates. Cheap to clone: the parts are shared.
#[derive(Clone, Debug, Default)]
pub(crate) struct SimpleDoor {
    names: Arc<Names>,
    /// Of each [`GATES`] gates.
    tables: Arc<[SimpleTable]>,
    /// What the splits in the tables lead to.
    picks: Chunked<ClusterId>,
    /// Forwards with splits that no record holds.
    actions: Chunked<Arc<Action>>,
    gates: Arc<[Arc<Gate>]>,
    /// How many of the picks and actions were there when the door was made, and not by an update.
    at_first: Numbers,
}

/// Where the simple door leads.
pub(crate) enum Found {
    /// To a destination.
    Destination(ClusterId),
    /// Nowhere.
    Nowhere(RouteError),
    /// It depends on more than the host: walk.
    Walk,
}

impl SimpleDoor {
    /// The door of these tables.
    ///
    /// # Complexity
    /// Linear in the domains of each gate.
    pub fn new(tables: &Tables) -> Self {
        let (names, gates) = gates::gates(tables);
        let texts = Texts::new(&gates);
        let mut writer = Writer::new(tables, Numbers::default());
        let mut collector = Collector::new(tables, gates.len());
        let mut made = Vec::new();
        for (group, texts) in gates.chunks(GATES).zip(texts.names.chunks(GATES)) {
            let mut domains = Domains::default();
            for (at, (gate, names)) in group.iter().zip(texts).enumerate() {
                collector.collect((gate, 1 << at), names, &mut writer, &mut domains);
            }
            made.push(table(&domains));
        }
        let Writer { picks, actions, .. } = writer;
        SimpleDoor {
            names: Arc::new(names),
            tables: made.into(),
            at_first: Numbers {
                picks: picks.len() as u32,
                actions: actions.len() as u32,
            },
            picks: picks.into_iter().collect(),
            actions: actions.into_iter().collect(),
            gates: gates.into_iter().map(Arc::new).collect(),
        }
    }

    /// Where a plain `GET /` for `authority` leads at the gateway of this name.
    ///
    /// # Complexity
    /// As [`SimpleTable::find`]. No allocation.
    #[inline]
    pub fn find(
        &self,
        clusters: &ClusterTable,
        authority: &str,
        gateway: &str,
        entropy: u64,
    ) -> Found {
        let Some(gate) = self.names.find(gateway) else {
            return Found::Nowhere(RouteError::UnknownGateway);
        };
        // Without any authority, a request is refused later than one for an unknown host.
        if authority.is_empty() {
            return Found::Walk;
        }
        let (table, bit) = place_of(gate as usize);
        let word = || split_entropy(entropy, Draw::Split);
        let table = self.tables.get(table);
        match table.and_then(|table| table.find(authority, bit, word)) {
            Some(Target::Destination(number)) => Found::Destination(ClusterId::from_number(number)),
            Some(Target::Picked(number)) => match self.picks.get(number as usize) {
                Some(cluster) => Found::Destination(*cluster),
                None => Found::Walk,
            },
            Some(Target::Nowhere(why)) => Found::Nowhere(RouteError::from_code(why)),
            Some(Target::Elsewhere(number)) => self.elsewhere(clusters, number, word()),
            Some(Target::Walk) | None => Found::Walk,
        }
    }

    #[cold]
    fn elsewhere(&self, clusters: &ClusterTable, number: u32, word: u64) -> Found {
        let action = self.actions.get(number as usize);
        let Some(forward) = action.and_then(|action| action.as_forward()) else {
            return Found::Walk;
        };
        let picked = forward.split.pick(word).cluster;
        match clusters.cluster(picked).refusal() {
            None => Found::Destination(picked),
            Some(why) => Found::Nowhere(why),
        }
    }

    /// Where `host` (without port) is asked for at the gateway of this name.
    ///
    /// # Errors
    /// Where there is no such gateway, or the host is not asked for there.
    pub fn arrival(
        &self,
        tables: &Tables,
        host: &str,
        gateway: &str,
    ) -> Result<Arrival, RouteError> {
        let gate = self.names.find(gateway);
        let gate = gate.and_then(|gate| self.gates.get(gate as usize));
        let gate = gate.ok_or(RouteError::UnknownGateway)?;
        gate.arrival(tables, host).map(|(arrival, _)| arrival)
    }

    /// Heap bytes.
    pub fn memory_usage(&self) -> usize {
        let tables = self.tables.iter().map(SimpleTable::memory_usage);
        let gates = self.gates.iter().map(|gate| gate.memory_usage());
        self.names.memory_usage()
            + tables.sum::<usize>()
            + size_of_val(&*self.tables)
            + gates.sum::<usize>()
            + self.picks.memory_usage()
            + self.actions.memory_usage()
    }
}

fn table(domains: &Domains<'_>) -> SimpleTable {
    let all = domains.entries.iter();
    let wildcards = all.filter(|entry| entry.domain.starts_with('*')).count();
    let mut builder = SimpleTableBuilder::new(domains.entries.len() - wildcards, wildcards);
    for entry in &domains.entries {
        builder.push(SimpleEntry {
            domain: entry.domain,
            gates: entry.gates,
            answer: entry.answer,
        });
    }
    builder.finish()
}

/// Of a gate: the table that it belongs to, and its bit there.
#[inline]
fn place_of(gate: usize) -> (usize, u16) {
    (gate / GATES, 1 << (gate % GATES))
}

/// A host that fits the domain, and no other that does not fit all hosts of the domain.
fn host_of(domain: &str) -> Cow<'_, str> {
    match domain.strip_prefix('*') {
        Some(suffix) => Cow::Owned(format!("{OTHER}{suffix}")),
        None => Cow::Borrowed(domain),
    }
}
