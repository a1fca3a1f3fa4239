//! Records that stand where their hash says, or soon behind: what a look-up needs is fetched from memory at once, and not
//! one after the other, however many hosts there are.
//!
//! ```text
//! filter:  one byte a record, three bits of it set                what is not there ends here
//! control: one byte a place of 16 bytes: free, a record's tag where it begins, or more of a record
//! places:  [ value | gateways | kind | length ] key ... payload ...  in words of eight bytes, two a place
//! ```
//! A record begins at the place that its hash names, or at the first free one behind; records are in the order of these
//! places, so that a free place on the way says that there is none. A quarter of the places is free. The control bytes say
//! where to look, but the processor need not wait for them: the lines behind the named place are touched beside.

use std::hint::black_box;
use std::sync::Arc;

use super::authority;
use crate::router::words;

/// The control byte of a place that is not the first of its record. That of a free one is zero.
pub(super) const MORE: u8 = 1;
/// One in each byte.
const LOW: u64 = 0x0101_0101_0101_0101;
const LOW_HALF: u64 = 0xFFFF_FFFF;

/// All gateways.
pub(super) const ALL: u16 = u16::MAX;

/// A part of a table.
#[derive(Clone, Debug)]
pub(super) struct Shard {
    /// Filter, control bytes, places.
    pub(super) words: Arc<[u64]>,
    /// Words of the filter.
    pub(super) filter: u32,
    /// Where the places begin.
    pub(super) start: u32,
    /// How many places a hash can name; more follow, for what is behind the last one.
    pub(super) places: u32,
    pub(super) records: u32,
}

/// What is stored beside a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'t> {
    /// A number for the owner of the table.
    pub(super) value: u32,
    /// Who may find it.
    pub(super) gateways: u16,
    /// A number for the owner below 8: no payload; 8 + n: as many words as 2 to the power of n + 1.
    pub(super) kind: u8,
    pub(super) payload: &'t [u64],
}

impl Record<'static> {
    /// For everybody, without payload.
    pub(super) fn number(value: u32) -> Self {
        Record {
            value,
            gateways: ALL,
            kind: 0,
            payload: &[],
        }
    }
}

/// The kind of records with so many words of payload, a power of two from 2 to 256.
pub(super) fn kind_of_payload(words: usize) -> u8 {
    7 + words.trailing_zeros() as u8
}

/// The first word of a record.
#[derive(Clone, Copy)]
pub(super) struct Header(pub(super) u64);

impl Header {
    /// The longest key. No header of this length reaches a proxy, so a longer one would never be found.
    pub(super) const LONGEST: usize = 0xFFF;

    pub(super) fn new(record: &Record<'_>, length: usize) -> Self {
        Header(
            u64::from(record.value) << 32
                | u64::from(record.gateways) << 16
                | u64::from(record.kind & 0xF) << 12
                | length as u64,
        )
    }

    /// Bytes of the key.
    #[inline]
    pub(super) fn length(self) -> usize {
        self.0 as usize & Self::LONGEST
    }

    #[inline]
    fn gateways(self) -> u16 {
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
    pub(super) fn size(self) -> usize {
        1 + self.length().div_ceil(8) + self.payload()
    }
}

impl Shard {
    /// The first record of this key, in whatever case, that one of `gateways` may find.
    #[inline]
    pub(super) fn find(&self, hash: u64, host: &[u8], gateways: u16) -> Option<Record<'_>> {
        let at = self.first(hash, host, |header| header.gateways() & gateways != 0)?;
        Some(self.record(at))
    }

    /// Writes `record` over the only one of this key, if there is one and it has as much payload. Whoever shares the shard
    /// keeps what was.
    pub(super) fn replace(&mut self, hash: u64, key: &str, record: &Record<'_>) -> bool {
        let mut count = 0;
        let key = key.as_bytes();
        let last = self.first(hash, key, |_| {
            count += 1;
            count == 2
        });
        let only = self.first(hash, key, |_| last.is_none());
        let new = Header::new(record, key.len());
        match only {
            Some(at) if Header(self.words[at]).payload() == new.payload() => {
                let payload = at + 1 + key.len().div_ceil(8);
                let words = Arc::make_mut(&mut self.words);
                words[at] = new.0;
                words[payload..payload + record.payload.len()].copy_from_slice(record.payload);
                true
            }
            _ => false,
        }
    }

    /// Where the first record of this key begins that is accepted.
    #[inline]
    fn first(
        &self,
        hash: u64,
        host: &[u8],
        mut accept: impl FnMut(Header) -> bool,
    ) -> Option<usize> {
        let bits = filter_bits(hash);
        if self.words[filter_word(hash, self.filter as usize)] & bits != bits {
            return None;
        }
        let mut place = place_of(hash, self.places);
        self.touch(place);
        let tag = LOW * u64::from(tag_of(hash));
        loop {
            let control = self.control(place);
            let free = words::zero_byte_marks(control);
            // Of the places before the first free one.
            let mut tags = words::zero_byte_marks(control ^ tag) & free.wrapping_sub(1) & !free;
            while tags != 0 {
                let at = self.word_of(place + tags.trailing_zeros() as usize / 8);
                let header = Header(self.words[at]);
                let key = at + 1..at + 1 + host.len().div_ceil(8);
                if header.length() == host.len()
                    && let Some(key) = self.words.get(key)
                    && words::equals::<true>(host, key)
                    && accept(header)
                {
                    return Some(at);
                }
                tags &= tags - 1;
            }
            if free != 0 {
                return None;
            }
            place += 8;
        }
    }

    /// Where a place begins.
    #[inline]
    pub(super) fn word_of(&self, place: usize) -> usize {
        self.start as usize + 2 * place
    }

    /// The control bytes of this place and the seven behind it.
    #[inline]
    pub(super) fn control(&self, place: usize) -> u64 {
        let (at, shift) = (self.filter as usize + place / 8, 8 * (place % 8));
        let (low, high) = (self.words[at], self.words[at + 1]);
        low >> shift | high << 1 << (63 - shift)
    }

    /// Has the lines of a place and of those behind it fetched, whatever the control bytes will say.
    #[inline]
    fn touch(&self, place: usize) {
        let at = self.word_of(place);
        for ahead in [0, 8, 16] {
            black_box(self.words.get(at + ahead).copied());
        }
    }

    #[inline]
    fn record(&self, at: usize) -> Record<'_> {
        let header = Header(self.words[at]);
        let payload = at + 1 + header.length().div_ceil(8);
        Record {
            value: (header.0 >> 32) as u32,
            gateways: header.gateways(),
            kind: header.kind(),
            payload: &self.words[payload..payload + header.payload()],
        }
    }

    /// Heap bytes, and those of the shard itself.
    pub(super) fn memory_usage(&self) -> usize {
        // An `Arc` has two counters.
        size_of::<Shard>() + size_of_val(&*self.words) + 2 * size_of::<usize>()
    }

    /// Whether two are the same piece of memory.
    #[cfg(test)]
    pub(super) fn is_same(&self, other: &Shard) -> bool {
        Arc::ptr_eq(&self.words, &other.words)
    }

    pub(super) fn key(&self, at: usize) -> String {
        let length = Header(self.words[at]).length();
        let words = &self.words[at + 1..at + 1 + length.div_ceil(8)];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(length);
        // Keys were made from `str`.
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (String, Record<'_>)> {
        let places = 0..(self.words.len() - self.start as usize) / 2;
        let begins = places.filter(|&place| self.control(place) as u8 > MORE);
        begins.map(|place| {
            let at = self.word_of(place);
            (self.key(at), self.record(at))
        })
    }
}

/// A shard that is being written.
pub(super) struct ShardBuilder {
    records: usize,
    /// Each record behind the hash of its key, in the order in which they are to be found.
    arena: Vec<u64>,
}

impl ShardBuilder {
    pub(super) fn with_capacity(records: usize) -> Self {
        ShardBuilder {
            records: 0,
            arena: Vec::with_capacity(9 * records),
        }
    }

    pub(super) fn from_shard(shard: &Shard) -> Self {
        let mut builder = ShardBuilder::with_capacity(8 * shard.filter as usize);
        for (key, record) in shard.iter() {
            builder.push(hash_of(&key), &key, record);
        }
        builder
    }

    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.records
    }

    pub(super) fn push(&mut self, hash: u64, key: &str, record: Record<'_>) {
        if key.len() > Header::LONGEST {
            return;
        }
        self.records += 1;
        self.arena.push(hash);
        self.arena.push(Header::new(&record, key.len()).0);
        words::push(key.as_bytes(), &mut self.arena);
        self.arena.extend_from_slice(record.payload);
    }

    pub(super) fn remove(&mut self, hash: u64, key: &str) {
        let mut wanted = Vec::new();
        words::push(key.as_bytes(), &mut wanted);
        let mut kept = ShardBuilder::with_capacity(self.records);
        for (at, size) in self.places() {
            let length = Header(self.arena[at]).length();
            let is_it = self.arena[at - 1] == hash
                && length == key.len()
                && self.arena[at + 1..].starts_with(&wanted);
            if !is_it {
                kept.records += 1;
                kept.arena.extend_from_slice(&self.arena[at - 1..at + size]);
            }
        }
        *self = kept;
    }

    /// Where the records begin, each behind its hash, and how many words they have.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut next = 1;
        std::iter::from_fn(move || {
            let at = next;
            let size = Header(*self.arena.get(at)?).size();
            next += size + 1;
            Some((at, size))
        })
    }

    pub(super) fn finish(&self) -> Shard {
        // In the order of the places that the hashes name, and for each of these in that of the calls.
        let mut order: Vec<u64> = Vec::with_capacity(self.records);
        let mut needed = 0;
        for (at, size) in self.places() {
            needed += size.div_ceil(2);
            order.push((self.arena[at - 1] & LOW_HALF) << 32 | at as u64);
        }
        order.sort_unstable();
        let places = (needed + needed / 3 + 1) as u32;
        let records = order.iter().map(|key| {
            let at = (key & LOW_HALF) as usize;
            let record = &self.arena[at..at + Header(self.arena[at]).size()];
            (self.arena[at - 1], record)
        });
        let end = records.clone().fold(0, |end, (hash, record)| {
            place_of(hash, places).max(end) + record.len().div_ceil(2)
        });
        let filter = self.records / 8 + 1;
        let last = end.max(places as usize);
        // One word more of control bytes, all free.
        let start = filter + last / 8 + 2;
        let mut shard = Shard {
            words: std::iter::repeat_n(0, start + 2 * last).collect(),
            filter: filter as u32,
            start: start as u32,
            places,
            records: self.records as u32,
        };
        // Nobody else has it yet.
        if let Some(words) = Arc::get_mut(&mut shard.words) {
            let mut end = 0;
            for (hash, record) in records {
                let begin = place_of(hash, places).max(end);
                end = begin + record.len().div_ceil(2);
                words[filter_word(hash, filter)] |= filter_bits(hash);
                let at = start + 2 * begin;
                words[at..at + record.len()].copy_from_slice(record);
                for place in begin..end {
                    let byte = if place == begin { tag_of(hash) } else { MORE };
                    words[filter + place / 8] |= u64::from(byte) << (8 * (place % 8));
                }
            }
        }
        shard
    }
}

/// Of a key.
pub(super) fn hash_of(key: &str) -> u64 {
    authority::hash_of(key.as_bytes())
}

// The low half of the hash names the place, bits above it the tag; the top bits, which name the shard, say nothing here.

#[inline]
pub(super) fn place_of(hash: u64, places: u32) -> usize {
    (((hash & LOW_HALF) * u64::from(places)) >> 32) as usize
}

#[inline]
pub(super) fn filter_word(hash: u64, words: usize) -> usize {
    ((((hash >> 12) & LOW_HALF) * words as u64) >> 32) as usize
}

/// Up to three bits, from the lowest bits of the hash, which decide nothing else that matters.
#[inline]
pub(super) fn filter_bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << ((hash ^ hash >> 32) >> 12 & 63)
}

/// Neither free nor more of a record.
#[inline]
pub(super) fn tag_of(hash: u64) -> u8 {
    ((hash >> 34) as u8).max(MORE + 1)
}
