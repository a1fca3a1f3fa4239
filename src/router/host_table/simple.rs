//! The host table of the simple door: one record brings the key, the gateways, the alias slots and the destinations.

#![expect(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "for this crate and its benches"
)]

use super::authority::Authority;
use super::packed::{Builder, Change, Packed};
use super::shard::{Record, kind_of_payload};
use super::suffixes::Suffixes;
use crate::terms::weighted::AliasTable;

/// Splits with more slots than this are kept elsewhere.
const INLINE: usize = 8;
/// How many gateways a table tells apart.
pub(crate) const GATEWAYS: usize = u16::BITS as usize;

// Kinds of records; those with slots are numbered by `kind_of_payload`, from 8 on.
const SINGLE: u8 = 0;
const ELSEWHERE: u8 = 1;
const NOWHERE: u8 = 2;
const WALK: u8 = 3;

/// What a host answers for a plain `GET /`.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// Always this destination.
    Destination(u32),
    /// One of what the owner of the table keeps from this number on, place for place with the weights of the table.
    Split(&'a AliasTable, u32),
    /// What the owner of the table keeps under this number.
    Elsewhere(u32),
    /// No destination; the number says why.
    Nowhere(u32),
    /// It depends on more than the host.
    Walk,
}

/// One domain of a [`SimpleTable`].
#[derive(Clone, Copy, Debug)]
pub struct SimpleEntry<'a> {
    /// Lower case: a name, `*suffix` or `*`.
    pub domain: &'a str,
    /// The gateways at which it answers so, one bit each.
    pub gateways: u16,
    /// What it answers.
    pub answer: Answer<'a>,
}

/// Where the simple door leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// To a destination: the number of a [`Answer::Destination`].
    Destination(u32),
    /// To one of a split: its place behind the first number of an [`Answer::Split`].
    Picked(u32),
    /// To what the owner of the table keeps under this number.
    Elsewhere(u32),
    /// To no destination; the number says why.
    Nowhere(u32),
    /// To the full walk.
    Walk,
}

/// From a host and a gateway to a destination, in one record.
#[derive(Clone, Default)]
pub struct SimpleTable {
    exact: Packed,
    wildcards: Packed,
    suffixes: Suffixes,
    /// The records of `*`; of equal gateways the first counts.
    any: Vec<AnyHost>,
}

/// What a host answers that no other domain fits.
#[derive(Clone, Debug)]
struct AnyHost {
    gateways: u16,
    kind: u8,
    value: u32,
    payload: Box<[u64]>,
}

impl AnyHost {
    fn new(record: &Record<'_>) -> Self {
        AnyHost {
            gateways: record.gateways,
            kind: record.kind,
            value: record.value,
            payload: record.payload.into(),
        }
    }
}

/// A [`SimpleTable`] that is being written.
pub struct SimpleTableBuilder {
    exact: Builder,
    wildcards: Builder,
    suffixes: Suffixes,
    any: Vec<AnyHost>,
}

impl SimpleTableBuilder {
    /// For about so many names and so many wildcards.
    pub fn new(names: usize, wildcards: usize) -> Self {
        SimpleTableBuilder {
            exact: Builder::new(names),
            wildcards: Builder::new(wildcards),
            suffixes: Suffixes::default(),
            any: Vec::new(),
        }
    }

    /// Adds a domain; a domain may come once for each of its gateways, or for several at once.
    pub fn push(&mut self, entry: SimpleEntry<'_>) {
        let record = record(&entry);
        match entry.domain.strip_prefix('*') {
            None => self.exact.push(entry.domain, record),
            Some("") => self.any.push(AnyHost::new(&record)),
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
            suffixes: self.suffixes,
            any: self.any,
        }
    }
}

fn record<'a>(entry: &SimpleEntry<'a>) -> Record<'a> {
    let (kind, value, payload): (u8, u32, &[u64]) = match entry.answer {
        Answer::Destination(destination) => (SINGLE, destination, &[]),
        Answer::Split(table, first) => (kind_of_payload(table.slots().len()), first, table.slots()),
        Answer::Elsewhere(number) => (ELSEWHERE, number, &[]),
        Answer::Nowhere(why) => (NOWHERE, why, &[]),
        Answer::Walk => (WALK, 0, &[]),
    };
    Record {
        value,
        gateways: entry.gateways,
        kind,
        payload,
    }
}

impl SimpleTable {
    /// Whether a record can hold this split.
    pub fn holds(split: &AliasTable) -> bool {
        split.slots().len() <= INLINE
    }

    /// Where a plain `GET /` for `authority` (as sent) goes at the gateway whose bit is given. `word` is asked for the entropy of
    /// the split draw, if there is a split.
    ///
    /// # Complexity
    ///
    /// As [`HostTable::find`](super::HostTable::find), and then constant. No allocation.
    #[inline]
    pub fn find(&self, authority: &str, gateway: u16, word: impl Fn() -> u64) -> Option<Target> {
        let (target, _) = self.find_known(authority, gateway, word)?;
        Some(target)
    }

    /// The same, and how many bytes of the authority are a name of the table, but for case.
    #[inline]
    pub(crate) fn find_known(
        &self,
        authority: &str,
        gateway: u16,
        word: impl Fn() -> u64,
    ) -> Option<(Target, usize)> {
        let authority = Authority::new(authority);
        if let Some(record) = self.exact.find(authority.host(), gateway) {
            return Some((target(record, word), authority.host().len()));
        }
        let wildcard = self
            .suffixes
            .find(&authority, |suffix| self.wildcards.find(suffix, gateway));
        let record = wildcard.or_else(|| self.any(gateway))?;
        Some((target(record, word), 0))
    }

    #[inline]
    fn any(&self, gateway: u16) -> Option<Record<'_>> {
        let any = self.any.iter().find(|any| any.gateways & gateway != 0)?;
        Some(Record {
            value: any.value,
            gateways: any.gateways,
            kind: any.kind,
            payload: &any.payload,
        })
    }

    /// Whether `domain` (lower case: a name, `*suffix` or `*`) without a record of its own answers so at the gateway whose bit
    /// is given.
    pub(crate) fn answers_anyway(&self, domain: &str, gateway: u16, answer: Answer<'_>) -> bool {
        if domain == "*" {
            return false;
        }
        // The wildcards around a wildcard are those that fit what follows its `*`.
        let host = domain.strip_prefix('*').unwrap_or(domain);
        let authority = Authority::without_port(host.as_bytes());
        let wildcard = self
            .suffixes
            .find(&authority, |suffix| self.wildcards.find(suffix, gateway));
        let entry = SimpleEntry {
            domain,
            gateways: gateway,
            answer,
        };
        wildcard.or_else(|| self.any(gateway)).is_some_and(|found| {
            let wanted = record(&entry);
            (found.kind, found.value, found.payload) == (wanted.kind, wanted.value, wanted.payload)
        })
    }

    /// The same table where the domains `changed` have the records `entries`, in this order, and no others. What the changes
    /// do not touch is shared.
    ///
    /// # Complexity
    ///
    /// In proportion to the number of changes (each rebuilds a shard of about a thousand domains).
    #[must_use]
    pub fn update<'a>(
        &self,
        changed: impl IntoIterator<Item = &'a str>,
        entries: impl IntoIterator<Item = SimpleEntry<'a>>,
    ) -> Self {
        let mut table = self.clone();
        let (mut exact, mut wildcards) = (Vec::new(), Vec::new());
        for domain in changed {
            match domain.strip_prefix('*') {
                None => exact.push((domain, Change::Remove)),
                Some("") => table.any.clear(),
                Some(suffix) => wildcards.push((suffix, Change::Remove)),
            }
        }
        for entry in entries {
            let record = record(&entry);
            match entry.domain.strip_prefix('*') {
                None => exact.push((entry.domain, Change::Insert(record))),
                Some("") => table.any.push(AnyHost::new(&record)),
                Some(suffix) => {
                    // A suffix length that no domain has any more costs a probe and changes nothing.
                    table.suffixes.add(suffix);
                    wildcards.push((suffix, Change::Insert(record)));
                }
            }
        }
        table.exact = self.exact.update(exact);
        table.wildcards = self.wildcards.update(wildcards);
        table
    }

    /// The domains of all records but those of `*`, in no order.
    pub(crate) fn domains(&self) -> impl Iterator<Item = String> {
        let wildcards = self.wildcards.iter();
        let wildcards = wildcards.map(|(suffix, _)| format!("*{suffix}"));
        self.exact.iter().map(|(name, _)| name).chain(wildcards)
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
        let payloads = self.any.iter().map(|any| size_of_val(&*any.payload));
        self.exact.memory_usage()
            + self.wildcards.memory_usage()
            + self.suffixes.memory_usage()
            + self.any.capacity() * size_of::<AnyHost>()
            + payloads.sum::<usize>()
    }
}

#[inline]
fn target(record: Record<'_>, word: impl Fn() -> u64) -> Target {
    match record.kind {
        SINGLE => Target::Destination(record.value),
        ELSEWHERE => Target::Elsewhere(record.value),
        NOWHERE => Target::Nowhere(record.value),
        WALK => Target::Walk,
        _ => Target::Picked(record.value + AliasTable::pick_from(record.payload, word()) as u32),
    }
}
