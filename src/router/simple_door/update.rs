//! A door after a change: only the answers of hosts that the change names are settled again.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::domains::Domains;
use super::gates::Gate;
use super::writer::{Numbers, Writer};
use super::{SimpleDoor, own_names, place_of};
use crate::router::Tables;
use crate::router::host_table::SimpleEntry;

/// So many picks and actions more than at first may be there, beside as many as there were at first.
const SPARE: u32 = if cfg!(test) { 4 } else { 1024 };

impl SimpleDoor {
    /// The door of `tables`, which differ from those that this door was made from, or last updated to, in the virtual hosts
    /// of route configurations alone: listeners and gateways are the same. `names`: all domains, in lower case, whose virtual
    /// host is another one now, is gone or new; for a service with a listener of its own, its full name.
    ///
    /// # Complexity
    /// In proportion to the number of names; as [`new`](Self::new) where a wildcard is among them, and once in a while, when
    /// picks that nothing names any more outnumber the others.
    pub fn update<'a>(
        &self,
        tables: &Tables,
        names: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
    ) -> Self {
        let names = names.into_iter();
        let taken = Numbers {
            picks: self.picks.len() as u32,
            actions: self.actions.len() as u32,
        };
        let is_crowded = |now: u32, at_first: u32| now - at_first > at_first + SPARE;
        if is_crowded(taken.picks, self.at_first.picks)
            || is_crowded(taken.actions, self.at_first.actions)
            || names.clone().any(|name| name.starts_with('*'))
        {
            return SimpleDoor::new(tables);
        }
        let mut all: BTreeSet<String> = BTreeSet::new();
        for name in names {
            let mut meshes = self.gates.iter().filter_map(|gate| gate.as_mesh());
            if meshes.any(|mesh| mesh.own.get(name).is_some()) {
                all.extend(own_names::of_service(name, &tables.namespace));
            }
            all.insert(name.to_owned());
        }
        let names: Vec<&str> = all.iter().map(String::as_str).collect();
        let gates = self.gates.iter().map(|gate| match gate.as_mesh() {
            Some(mesh) => Arc::new(Gate::Mesh(mesh.update(tables, &names))),
            None => Arc::clone(gate),
        });
        let gates: Arc<[Arc<Gate>]> = gates.collect();
        let mut writer = Writer::new(tables, taken);
        let mut domains: Vec<Domains<'_>> = Vec::new();
        domains.resize_with(self.tables.len(), Domains::default);
        for (at, gate) in gates.iter().enumerate() {
            let (table, bit) = place_of(at);
            for &name in &names {
                let answer = writer.answer(gate, name);
                if !self.tables[table].answers_anyway(name, bit, answer) {
                    domains[table].add(name, bit, || answer);
                }
            }
        }
        let changed = self.tables.iter().zip(&domains).map(|(table, domains)| {
            let entries = domains.entries.iter().map(|entry| SimpleEntry {
                domain: entry.domain,
                gates: entry.gates,
                answer: entry.answer,
            });
            table.update(names.iter().copied(), entries)
        });
        let added = |from: u32| from as usize..;
        SimpleDoor {
            names: Arc::clone(&self.names),
            tables: changed.collect(),
            picks: {
                let new = added(taken.picks).zip(writer.picks);
                self.picks.with(new)
            },
            actions: {
                let new = added(taken.actions).zip(writer.actions);
                self.actions.with(new)
            },
            gates,
            at_first: self.at_first,
        }
    }
}
