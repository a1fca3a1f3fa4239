//! Records in one arena, found through an open-addressed index of 32-bit words: a lookup costs one touch of the index
//! and one of the record, however many hosts there are; a miss costs the index alone.
//!
//! ```text
//! filter: one byte a record, three bits of it set        what is not there ends here
//! index:  [ tag | offset ] [ 0 = free ] ...          half full, probed linearly
//! arena:  [ key bytes | payload words | kind | value ] payload ... key ...   [ ... ]
//! ```
//! The table is cut into shards by the hash, each behind an `Arc`: a changed host rebuilds its shard, the others are
//! shared with the table before.

use std::sync::Arc;

use super::authority::Authority;
use crate::router::words;

/// How many records a shard should have. Small enough to be rebuilt in some 100 us, large enough that the list of
/// shards of a million hosts stays in the first-level caches.
const SHARD: usize = 1024;

/// A table from lower-case keys to records.
#[derive(Clone, Debug, Default)]
pub(super) struct Packed {
    shards: Box<[Shard]>,
    records: usize,
}

#[derive(Clone, Debug)]
struct Shard {
    /// A Bloom filter of single words: small enough to stay in the caches when the index does not.
    filter: Arc<[u64]>,
    index: Arc<[u32]>,
    arena: Arc<[u64]>,
    /// Bits of an index word that are the offset of the record, in words; the rest is the tag.
    offset_bits: u32,
}

/// What is stored beside a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'t> {
    /// A number for the owner of the table.
    pub(super) value: u32,
    /// A small number for the owner.
    pub(super) kind: u8,
    /// At most 255 words.
    pub(super) payload: &'t [u64],
}

/// A change of a table.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    /// Takes all records of the key away.
    Remove,
    /// Adds a record.
    Insert(Record<'a>),
}

/// A table that is being written: records in one arena, in the order of the calls, cut into shards at the end.
pub(super) struct Builder {
    all: Draft,
}

impl Builder {
    /// For about so many records.
    pub(super) fn new(expected: usize) -> Self {
        Builder {
            all: Draft::with_capacity(expected),
        }
    }

    /// Adds a record. Several may have the same key (lower case), and are then found in the order of the calls.
    pub(super) fn push(&mut self, key: &str, record: Record<'_>) {
        self.all.push(hash_of(key), key, record);
    }

    /// The table.
    pub(super) fn finish(self) -> Packed {
        let Draft { places, arena } = self.all;
        let records = places.len();
        if records <= 4 * SHARD {
            let shards = Box::new([finish_shard(&places, &arena)]);
            return Packed { shards, records };
        }
        let shards = (records / SHARD).next_power_of_two();
        // A counting sort by shard; stable.
        let mut ends = vec![0_usize; shards + 1];
        for (hash, _) in &places {
            ends[shard_of(*hash, shards) + 1] += 1;
        }
        for shard in 0..shards {
            ends[shard + 1] += ends[shard];
        }
        let mut sorted = vec![(0, 0); records];
        let mut next = ends.clone();
        for place in places {
            let at = &mut next[shard_of(place.0, shards)];
            sorted[*at] = place;
            *at += 1;
        }
        let shards = ends
            .windows(2)
            .map(|ends| finish_shard(&sorted[ends[0]..ends[1]], &arena));
        Packed {
            shards: shards.collect(),
            records,
        }
    }
}

impl Packed {
    /// The same table with these changes, in this order. Shards that no change touches are shared.
    ///
    /// # Complexity
    ///
    /// In proportion to the number of changes; once in a while, when the table has outgrown its shards, to its size.
    pub(super) fn update<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a str, Change<'a>)>,
    ) -> Self {
        let mut table = self.clone();
        if table.shards.is_empty() {
            table = Builder::new(0).finish();
        }
        let shards = table.shards.len();
        let mut sorted: Vec<(usize, u64, &str, Change<'_>)> = changes
            .into_iter()
            .map(|(key, change)| {
                let hash = hash_of(key);
                (shard_of(hash, shards), hash, key, change)
            })
            .collect();
        sorted.sort_by_key(|change| change.0);
        for changes in sorted.chunk_by(|a, b| a.0 == b.0) {
            let shard = &mut table.shards[changes[0].0];
            let mut draft = Draft::from_shard(shard);
            table.records -= draft.places.len();
            for (_, hash, key, change) in changes {
                match change {
                    Change::Remove => draft.remove(*hash, key),
                    Change::Insert(record) => draft.push(*hash, key, *record),
                }
            }
            table.records += draft.places.len();
            *shard = draft.finish();
        }
        if table.records > 4 * SHARD * shards {
            return table.resharded();
        }
        table
    }

    fn resharded(&self) -> Self {
        let mut builder = Builder::new(self.records);
        for (key, record) in self.iter() {
            builder.push(&key, record);
        }
        builder.finish()
    }

    /// The first record of this key that is accepted.
    #[inline]
    pub(super) fn find(
        &self,
        authority: &Authority<'_>,
        accept: impl Fn(&Record<'_>) -> bool,
    ) -> Option<Record<'_>> {
        let hash = authority.hash();
        let shard = self.shards.get(shard_of(hash, self.shards.len()))?;
        let bits = filter_bits(hash);
        if shard.filter[filter_word(hash, shard.filter.len())] & bits != bits {
            return None;
        }
        let index = &*shard.index;
        let tag = tag_of(hash, shard.offset_bits);
        let mut slot = slot_of(hash, index.len());
        loop {
            let word = *index.get(slot)?;
            if word == 0 {
                return None;
            }
            if word >> shard.offset_bits == tag {
                let (key, record) = shard.record(word & !(u32::MAX << shard.offset_bits));
                if key.bytes == authority.host().len()
                    && words::equals::<true>(authority.host(), key.words)
                    && accept(&record)
                {
                    return Some(record);
                }
            }
            slot = if slot + 1 == index.len() { 0 } else { slot + 1 };
        }
    }

    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.records
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        let shards = self.shards.iter().map(|shard| {
            // Each of three `Arc`s has two counters.
            size_of::<Shard>()
                + size_of_val(&*shard.index)
                + size_of_val(&*shard.arena)
                + 6 * size_of::<usize>()
                + size_of_val(&*shard.filter)
        });
        shards.sum()
    }

    /// Keys and records; those of one key in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (String, Record<'_>)> {
        self.shards.iter().flat_map(Shard::iter)
    }
}

/// A key as stored.
#[derive(Clone, Copy)]
struct Key<'t> {
    bytes: usize,
    words: &'t [u64],
}

impl Key<'_> {
    fn text(&self) -> String {
        let mut bytes: Vec<u8> = self
            .words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        bytes.truncate(self.bytes);
        // Keys were made from `str`.
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Shard {
    #[inline]
    fn record(&self, offset: u32) -> (Key<'_>, Record<'_>) {
        let words = &self.arena[offset as usize..];
        let (bytes, payload) = shape(words[0]);
        let record = Record {
            value: (words[0] >> 32) as u32,
            kind: (words[0] >> 24) as u8,
            payload: &words[1..=payload],
        };
        let words = &words[1 + payload..1 + payload + bytes.div_ceil(8)];
        (Key { bytes, words }, record)
    }

    fn iter(&self) -> impl Iterator<Item = (String, Record<'_>)> {
        let mut at = 1;
        std::iter::from_fn(move || {
            let (bytes, payload) = shape(*self.arena.get(at)?);
            let (key, record) = self.record(at as u32);
            at += 1 + payload + bytes.div_ceil(8);
            Some((key.text(), record))
        })
    }
}

/// Bytes of the key and words of the payload, from the first word of a record.
#[inline]
fn shape(first: u64) -> (usize, usize) {
    (usize::from(first as u16), usize::from((first >> 16) as u8))
}

/// A shard that is being written.
struct Draft {
    /// Hash and offset of each record, in the order in which they are to be found.
    places: Vec<(u64, u32)>,
    arena: Vec<u64>,
}

impl Draft {
    fn with_capacity(records: usize) -> Self {
        Draft {
            places: Vec::with_capacity(records),
            arena: Vec::with_capacity(8 * records),
        }
    }

    fn from_shard(shard: &Shard) -> Self {
        let mut draft = Draft::with_capacity(shard.arena.len() / 8);
        for (key, record) in shard.iter() {
            draft.push(hash_of(&key), &key, record);
        }
        draft
    }

    fn push(&mut self, hash: u64, key: &str, record: Record<'_>) {
        // No header of this length reaches a proxy, so a longer key would never be found.
        let Ok(bytes) = u16::try_from(key.len()) else {
            return;
        };
        let payload = record.payload.len().min(255);
        self.places.push((hash, self.arena.len() as u32));
        self.arena.push(
            u64::from(record.value) << 32
                | u64::from(record.kind) << 24
                | (payload as u64) << 16
                | u64::from(bytes),
        );
        self.arena.extend_from_slice(&record.payload[..payload]);
        words::push(key.as_bytes(), &mut self.arena);
    }

    fn remove(&mut self, hash: u64, key: &str) {
        let mut words = Vec::new();
        words::push(key.as_bytes(), &mut words);
        let arena = &self.arena;
        self.places.retain(|&(other, offset)| {
            let (bytes, payload) = shape(arena[offset as usize]);
            let start = offset as usize + 1 + payload;
            !(other == hash && bytes == key.len() && arena[start..start + words.len()] == words)
        });
    }

    fn finish(&self) -> Shard {
        finish_shard(&self.places, &self.arena)
    }
}

/// The shard of some records of an arena.
fn finish_shard(places: &[(u64, u32)], records: &[u64]) -> Shard {
    let words = |offset: u32| {
        let (bytes, payload) = shape(records[offset as usize]);
        1 + payload + bytes.div_ceil(8)
    };
    let total: usize = places.iter().map(|(_, offset)| words(*offset)).sum();
    let mut arena = Vec::with_capacity(total + 1);
    // Offset 0 means that a slot is free.
    arena.push(0);
    let offset_bits = u32::BITS - (total as u32 + 1).leading_zeros();
    let mut index = vec![0; 2 * places.len() + 1];
    let mut filter = vec![0_u64; places.len() / 8 + 1];
    for &(hash, offset) in places {
        let word = filter_word(hash, filter.len());
        filter[word] |= filter_bits(hash);
        let mut slot = slot_of(hash, index.len());
        while index[slot] != 0 {
            slot = if slot + 1 == index.len() { 0 } else { slot + 1 };
        }
        index[slot] = tag_of(hash, offset_bits) << offset_bits | arena.len() as u32;
        arena.extend_from_slice(&records[offset as usize..offset as usize + words(offset)]);
    }
    Shard {
        filter: filter.into(),
        index: index.into(),
        arena: arena.into(),
        offset_bits,
    }
}

fn hash_of(key: &str) -> u64 {
    Authority::without_port(key.as_bytes()).hash()
}

// The top bits of the hash name the shard, the low half the slot, the bits between them the tag.

#[inline]
fn shard_of(hash: u64, shards: usize) -> usize {
    (((hash >> 44) * shards as u64) >> 20) as usize
}

#[inline]
fn slot_of(hash: u64, slots: usize) -> usize {
    (((hash & 0xFFFF_FFFF) * slots as u64) >> 32) as usize
}

#[inline]
fn filter_word(hash: u64, words: usize) -> usize {
    ((((hash >> 12) & 0xFFFF_FFFF) * words as u64) >> 32) as usize
}

/// Up to three bits, from the lowest bits of the hash, which decide nothing else that matters.
#[inline]
fn filter_bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << ((hash ^ hash >> 32) >> 12 & 63)
}

#[inline]
fn tag_of(hash: u64, offset_bits: u32) -> u32 {
    // The lowest bits of the low half decide least about the slot: they make the tag as long as the word allows.
    ((hash >> 16) as u32) << offset_bits >> offset_bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_rebuilds_its_shard_alone() {
        let record = Record {
            value: 1,
            kind: 0,
            payload: &[],
        };
        let mut builder = Builder::new(20_000);
        for n in 0..20_000 {
            builder.push(&format!("host-{n}"), record);
        }
        let before = builder.finish();
        let after = before.update([("host-7", Change::Remove)]);
        let pairs = before.shards.iter().zip(&after.shards);
        let changed = pairs
            .filter(|(a, b)| !Arc::ptr_eq(&a.arena, &b.arena))
            .count();
        assert_eq!((changed, after.len()), (1, 19_999));
        assert!(before.shards.len() > 10);
    }
}
