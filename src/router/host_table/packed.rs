//! Records in one arena, sorted by bucket, and a 32-bit index word for each bucket: a lookup costs one touch of a small index
//! and one of the record, however many hosts there are; what is not there mostly ends at the index.
//!
//! ```text
//! index:  [ marks | offset ] [ marks | offset ] ...      one word a bucket, one bucket a record; its records end where the
//!                                                        next begin; marks: two bits set for each record in it
//! record: [ value | gates | kind | length ] key ... payload ...          in words of eight bytes
//! ```
//! The key follows the first word and the payload the key, so that where they stand depends on what is looked for alone: the
//! processor fetches all lines of a record at once.
//!
//! The table is cut into shards by the hash, each behind an `Arc`: a changed host rebuilds its shard, the others are
//! shared with the table before.

use std::sync::Arc;

use super::authority::Authority;
use crate::router::words;

/// How many records a shard should have. Small enough to be rebuilt in some 100 us, large enough that the list of
/// shards of a million hosts stays in the first-level caches.
const SHARD: usize = 1024;

/// All gates.
pub(super) const ALL: u16 = u16::MAX;

/// A table from lower-case keys to records.
#[derive(Clone, Debug, Default)]
pub(super) struct Packed {
    shards: Box<[Shard]>,
    records: usize,
}

#[derive(Clone, Debug)]
struct Shard {
    /// The index, two words in one, then the records.
    words: Arc<[u64]>,
    buckets: u32,
    /// Bits of an index word that are the offset of the first record in `words`; the rest are marks.
    offset_bits: u32,
}

/// What is stored beside a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'t> {
    /// A number for the owner of the table.
    pub(super) value: u32,
    /// Who may find it.
    pub(super) gates: u16,
    /// A number for the owner below 8: no payload; 8 + n: as many words as 2 to the power of n + 1.
    pub(super) kind: u8,
    pub(super) payload: &'t [u64],
}

impl Record<'static> {
    /// For everybody, without payload.
    pub(super) fn number(value: u32) -> Self {
        Record {
            value,
            gates: ALL,
            kind: 0,
            payload: &[],
        }
    }
}

/// The kind of records with so many words of payload, a power of two from 2 to 256.
pub(super) fn kind_of_payload(words: usize) -> u8 {
    7 + words.trailing_zeros() as u8
}

/// A change of a table.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    /// Takes all records of the key away.
    Remove,
    /// Adds a record.
    Insert(Record<'a>),
}

/// A table that is being written.
pub(super) struct Builder {
    shards: Vec<Draft>,
}

impl Builder {
    /// For about so many records.
    pub(super) fn new(expected: usize) -> Self {
        let shards = match expected {
            few if few <= 4 * SHARD => 1,
            many => (many / SHARD).next_power_of_two(),
        };
        let draft = || Draft::with_capacity(expected / shards + expected / shards / 8);
        Builder {
            shards: std::iter::repeat_with(draft).take(shards).collect(),
        }
    }

    /// Adds a record. Several may have the same key (lower case), and are then found in the order of the calls.
    pub(super) fn push(&mut self, key: &str, record: Record<'_>) {
        let hash = hash_of(key);
        let shard = shard_of(hash, self.shards.len());
        self.shards[shard].push(hash, key, record);
    }

    /// The table.
    pub(super) fn finish(self) -> Packed {
        let records = self.shards.iter().map(|draft| draft.places.len()).sum();
        let table = Packed {
            shards: self.shards.iter().map(Draft::finish).collect(),
            records,
        };
        if table.is_crowded() {
            return table.resharded();
        }
        table
    }
}

impl Packed {
    fn is_crowded(&self) -> bool {
        self.records > 4 * SHARD * self.shards.len()
    }

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
        if table.is_crowded() {
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

    /// The first record of this key that one of `gates` may find.
    #[inline]
    pub(super) fn find(&self, authority: &Authority<'_>, gates: u16) -> Option<Record<'_>> {
        let (hash, host) = (authority.hash(), authority.host());
        let shard = self.shards.get(shard_of(hash, self.shards.len()))?;
        let bucket = bucket_of(hash, shard.buckets);
        let (first, next) = (shard.index(bucket), shard.index(bucket + 1));
        let marks = marks_of(hash, shard.offset_bits);
        if first & marks != marks {
            return None;
        }
        let offset = |index: u32| (index & !(u32::MAX << shard.offset_bits)) as usize;
        let (mut at, end) = (offset(first), offset(next));
        while at < end {
            let header = Header(shard.words[at]);
            let key = at + 1..at + 1 + host.len().div_ceil(8);
            if header.length() == host.len()
                && header.gates() & gates != 0
                && let Some(key) = shard.words.get(key)
                && words::equals::<true>(host, key)
            {
                return Some(shard.record(at));
            }
            at += header.size();
        }
        None
    }

    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.records
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        // Each `Arc` has two counters.
        let shard = |shard: &Shard| {
            size_of::<Shard>() + size_of_val(&*shard.words) + 2 * size_of::<usize>()
        };
        self.shards.iter().map(shard).sum()
    }

    /// Keys and records; those of one key in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (String, Record<'_>)> {
        self.shards.iter().flat_map(Shard::iter)
    }
}

/// The first word of a record.
#[derive(Clone, Copy)]
struct Header(u64);

impl Header {
    /// The longest key. No header of this length reaches a proxy, so a longer one would never be found.
    const LONGEST: usize = 0xFFF;

    fn new(record: &Record<'_>, length: usize) -> Self {
        Header(
            u64::from(record.value) << 32
                | u64::from(record.gates) << 16
                | u64::from(record.kind & 0xF) << 12
                | length as u64,
        )
    }

    /// Bytes of the key.
    #[inline]
    fn length(self) -> usize {
        self.0 as usize & Self::LONGEST
    }

    #[inline]
    fn gates(self) -> u16 {
        (self.0 >> 16) as u16
    }

    #[inline]
    fn kind(self) -> u8 {
        (self.0 >> 12) as u8 & 0xF
    }

    /// Words of the payload.
    #[inline]
    fn payload(self) -> usize {
        match self.kind() {
            0..8 => 0,
            kind => 2 << (kind - 8),
        }
    }

    /// Words of the record.
    #[inline]
    fn size(self) -> usize {
        1 + self.length().div_ceil(8) + self.payload()
    }
}

impl Shard {
    /// The index word of a bucket, or of the end behind the last one.
    #[inline]
    fn index(&self, bucket: u32) -> u32 {
        (self.words[bucket as usize / 2] >> (32 * (bucket % 2))) as u32
    }

    #[inline]
    fn record(&self, at: usize) -> Record<'_> {
        let header = Header(self.words[at]);
        let payload = at + 1 + header.length().div_ceil(8);
        Record {
            value: (header.0 >> 32) as u32,
            gates: header.gates(),
            kind: header.kind(),
            payload: &self.words[payload..payload + header.payload()],
        }
    }

    fn key(&self, at: usize) -> String {
        let length = Header(self.words[at]).length();
        let words = &self.words[at + 1..at + 1 + length.div_ceil(8)];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(length);
        // Keys were made from `str`.
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn iter(&self) -> impl Iterator<Item = (String, Record<'_>)> {
        let mut at = index_words(self.buckets as usize);
        std::iter::from_fn(move || {
            let here = at;
            at += Header(*self.words.get(here)?).size();
            Some((self.key(here), self.record(here)))
        })
    }
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
            arena: Vec::with_capacity(6 * records),
        }
    }

    fn from_shard(shard: &Shard) -> Self {
        let mut draft = Draft::with_capacity(shard.buckets as usize + 1);
        for (key, record) in shard.iter() {
            draft.push(hash_of(&key), &key, record);
        }
        draft
    }

    fn push(&mut self, hash: u64, key: &str, record: Record<'_>) {
        if key.len() > Header::LONGEST {
            return;
        }
        self.places.push((hash, self.arena.len() as u32));
        self.arena.push(Header::new(&record, key.len()).0);
        words::push(key.as_bytes(), &mut self.arena);
        self.arena.extend_from_slice(record.payload);
    }

    fn remove(&mut self, hash: u64, key: &str) {
        let mut words = Vec::new();
        words::push(key.as_bytes(), &mut words);
        let arena = &self.arena;
        self.places.retain(|&(other, offset)| {
            let at = offset as usize;
            let length = Header(arena[at]).length();
            !(other == hash && length == key.len() && arena[at + 1..at + 1 + words.len()] == words)
        });
    }

    fn finish(&self) -> Shard {
        let size = |offset: u32| Header(self.arena[offset as usize]).size();
        let buckets = self.places.len() as u32;
        // Where the records of each bucket begin; the last entry is the end.
        let mut starts = vec![0_usize; buckets as usize + 1];
        for &(hash, offset) in &self.places {
            starts[bucket_of(hash, buckets) as usize + 1] += size(offset);
        }
        let mut total = index_words(buckets as usize);
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        let offset_bits = u32::BITS - (total as u32).leading_zeros();
        let mut words = vec![0_u64; total];
        for (bucket, &start) in starts.iter().enumerate() {
            words[bucket / 2] |= (start as u64) << (32 * (bucket % 2));
        }
        for &(hash, offset) in &self.places {
            let bucket = bucket_of(hash, buckets) as usize;
            words[bucket / 2] |= u64::from(marks_of(hash, offset_bits)) << (32 * (bucket % 2));
            let (from, size) = (offset as usize, size(offset));
            words[starts[bucket]..starts[bucket] + size]
                .copy_from_slice(&self.arena[from..from + size]);
            starts[bucket] += size;
        }
        Shard {
            words: words.into(),
            buckets,
            offset_bits,
        }
    }
}

/// Words of the index of so many buckets, the end included.
fn index_words(buckets: usize) -> usize {
    buckets / 2 + 1
}

fn hash_of(key: &str) -> u64 {
    Authority::without_port(key.as_bytes()).hash()
}

// The top bits of the hash name the shard, the low half the bucket; the bits between them and the lowest ones the marks.

#[inline]
fn shard_of(hash: u64, shards: usize) -> usize {
    (((hash >> 44) * shards as u64) >> 20) as usize
}

#[inline]
fn bucket_of(hash: u64, buckets: u32) -> u32 {
    (((hash & 0xFFFF_FFFF) * u64::from(buckets)) >> 32) as u32
}

#[inline]
fn marks_of(hash: u64, offset_bits: u32) -> u32 {
    let bits = 32 - offset_bits;
    let first = ((hash as u32 & 0xFFFF) * bits) >> 16;
    let second = (((hash >> 32) as u32 & 0xFFF) * bits) >> 12;
    (1 << (offset_bits + first)) | (1 << (offset_bits + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_rebuilds_its_shard_alone() {
        let mut builder = Builder::new(20_000);
        for n in 0..20_000 {
            builder.push(&format!("host-{n}"), Record::number(1));
        }
        let before = builder.finish();
        let after = before.update([("host-7", Change::Remove)]);
        let pairs = before.shards.iter().zip(&after.shards);
        let changed = pairs
            .filter(|(a, b)| !Arc::ptr_eq(&a.words, &b.words))
            .count();
        assert_eq!((changed, after.len()), (1, 19_999));
        assert!(before.shards.len() > 10);
    }
}
