//! The host table of the simple door: one record brings the key, the gateways, the alias slots and the destinations.

use super::authority::Authority;
use super::packed::{Builder, Packed, Record};
use super::suffixes::Suffixes;
use crate::terms::weighted::AliasTable;

/// Records with more destinations than this keep their split elsewhere.
const INLINE: usize = 4;

// Kinds of records.
const SINGLE: u8 = 0;
const SPLIT: u8 = 1;
const SPILLED: u8 = 2;
const WALK: u8 = 3;

/// What a host answers for a plain `GET /`.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// Always this destination.
    Destination(u32),
    /// One of these destinations, place for place with the weights of the table.
    Split(&'a AliasTable, &'a [u32]),
    /// It depends on more than the host: the full walk decides, beginning at this number.
    Walk(u32),
}

/// One domain of a [`SimpleTable`].
#[derive(Clone, Copy, Debug)]
pub struct SimpleEntry<'a> {
    /// Lower case: a name, `*suffix` or `*`.
    pub domain: &'a str,
    /// The gateways at which it answers so, one bit each.
    pub gateways: u64,
    /// What it answers.
    pub answer: Answer<'a>,
}

/// Where the simple door leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// To a destination.
    Destination(u32),
    /// To the full walk.
    Walk(u32),
}

/// From a host and a gateway to a destination, in one record.
#[derive(Clone, Debug, Default)]
pub struct SimpleTable {
    exact: Packed,
    wildcards: Packed,
    suffixes: Suffixes,
    /// Records of `*`, with the gateways of each; an empty key in a table of their own.
    any: Packed,
    spilled: Vec<(AliasTable, Box<[u32]>)>,
}

/// A [`SimpleTable`] that is being written.
pub struct SimpleTableBuilder {
    exact: Builder,
    wildcards: Builder,
    any: Builder,
    suffixes: Suffixes,
    spilled: Vec<(AliasTable, Box<[u32]>)>,
    payload: Vec<u64>,
}

impl SimpleTableBuilder {
    /// For about so many names and so many wildcards.
    pub fn new(names: usize, wildcards: usize) -> Self {
        SimpleTableBuilder {
            exact: Builder::new(names),
            wildcards: Builder::new(wildcards),
            any: Builder::new(0),
            suffixes: Suffixes::default(),
            spilled: Vec::new(),
            payload: Vec::new(),
        }
    }

    /// Adds a domain; a domain may come once for each of its gateways, or for several at once.
    pub fn push(&mut self, entry: SimpleEntry<'_>) {
        self.payload.clear();
        self.payload.push(entry.gateways);
        let (kind, value) = match entry.answer {
            Answer::Destination(destination) => (SINGLE, destination),
            Answer::Walk(place) => (WALK, place),
            Answer::Split(_, &[destination]) => (SINGLE, destination),
            Answer::Split(table, destinations) if table.slots().len() <= INLINE => {
                self.payload.extend_from_slice(table.slots());
                // Slots without a destination of their own are never picked: they have no share.
                for pair in destinations.chunks(2) {
                    let second = pair.get(1).copied().unwrap_or(0);
                    self.payload
                        .push(u64::from(pair[0]) | u64::from(second) << 32);
                }
                (SPLIT, table.slots().len() as u32)
            }
            Answer::Split(table, destinations) => {
                self.spilled.push((table.clone(), destinations.into()));
                (SPILLED, self.spilled.len() as u32 - 1)
            }
        };
        let record = Record {
            value,
            kind,
            payload: &self.payload,
        };
        match entry.domain.strip_prefix('*') {
            None => self.exact.push(entry.domain, record),
            Some("") => self.any.push("", record),
            Some(suffix) => {
                self.suffixes.add(suffix);
                self.wildcards.push(suffix, record);
            }
        }
    }

    /// The table.
    pub fn finish(self) -> SimpleTable {
        SimpleTable {
            exact: self.exact.finish(),
            wildcards: self.wildcards.finish(),
            any: self.any.finish(),
            suffixes: self.suffixes,
            spilled: self.spilled,
        }
    }
}

impl SimpleTable {
    /// Where a plain `GET /` for `authority` (as sent) goes at the gateway whose bit is given. `word` is the entropy of
    /// the split draw.
    ///
    /// # Complexity
    ///
    /// As [`HostTable::find`](super::HostTable::find), and then constant. No allocation.
    #[inline]
    pub fn find(&self, authority: &str, gateway: u64, word: u64) -> Option<Target> {
        let authority = Authority::new(authority);
        let accept = |record: &Record<'_>| record.payload[0] & gateway != 0;
        if let Some(record) = self.exact.find(&authority, accept) {
            return Some(self.target(record, word));
        }
        let wildcard = self.suffixes.find(&authority, |suffix| {
            self.wildcards
                .find(&Authority::without_port(suffix), accept)
        });
        let record = wildcard.or_else(|| self.any.find(&Authority::without_port(b""), accept))?;
        Some(self.target(record, word))
    }

    #[inline]
    fn target(&self, record: Record<'_>, word: u64) -> Target {
        match record.kind {
            SINGLE => Target::Destination(record.value),
            SPLIT => {
                let (slots, destinations) = record.payload[1..].split_at(record.value as usize);
                let picked = AliasTable::pick_from(slots, word);
                Target::Destination((destinations[picked / 2] >> (32 * (picked % 2))) as u32)
            }
            SPILLED => {
                let (table, destinations) = &self.spilled[record.value as usize];
                Target::Destination(destinations[table.pick(word)])
            }
            _ => Target::Walk(record.value),
        }
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.exact.len() + self.wildcards.len() + self.any.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Heap bytes.
    pub fn memory_usage(&self) -> usize {
        let spilled = self.spilled.iter().map(|(table, destinations)| {
            size_of::<(AliasTable, Box<[u32]>)>()
                + table.memory_usage()
                + size_of_val(&**destinations)
        });
        self.exact.memory_usage()
            + self.wildcards.memory_usage()
            + self.any.memory_usage()
            + self.suffixes.memory_usage()
            + spilled.sum::<usize>()
    }
}
