//! A record that comes or goes in a shard: only the run of records that it stands in is written anew.

use std::sync::Arc;

use super::packed::Change;
use super::shard::{Header, MORE, Shard, filter_bits, filter_word, hash_of, place_of, tag_of};
use crate::router::words;

/// A record that has no place yet.
struct Loose {
    hash: u64,
    words: Vec<u64>,
}

impl Loose {
    fn new(hash: u64, key: &str, record: &super::shard::Record<'_>) -> Self {
        let mut all = vec![Header::new(record, key.len()).0];
        words::push(key.as_bytes(), &mut all);
        all.extend_from_slice(record.payload);
        Loose { hash, words: all }
    }

    fn places(&self) -> usize {
        self.words.len().div_ceil(2)
    }
}

impl Shard {
    /// Adds or removes records of one key, with how many records more there are; `None`: the shard is to be written anew, since
    /// there is too little room. Whoever shares the shard keeps what was.
    pub(super) fn change(&mut self, hash: u64, key: &str, change: &Change<'_>) -> Option<isize> {
        let named = place_of(hash, self.places);
        let (begin, mut end) = self.run(named);
        let mut records = Vec::new();
        self.loosen(begin, end, &mut records);
        let before = records.len();
        match change {
            Change::Remove => {
                let mut wanted = Vec::new();
                words::push(key.as_bytes(), &mut wanted);
                records.retain(|record| {
                    let length = Header(record.words[0]).length();
                    !(length == key.len() && record.words[1..].starts_with(&wanted))
                });
                if records.len() == before {
                    return Some(0);
                }
            }
            Change::Insert(_) if key.len() > Header::LONGEST => return Some(0),
            Change::Insert(_) if self.records >= 9 * self.filter => return None,
            Change::Insert(record) => {
                let is_before = |other: &Loose| place_of(other.hash, self.places) <= named;
                let at = records.partition_point(is_before);
                records.insert(at, Loose::new(hash, key, record));
            }
        }
        let more = records.len() as isize - before as isize;
        let mut begins = Vec::with_capacity(records.len());
        let mut next = begin;
        while let Some(record) = records.get(begins.len()) {
            let place = place_of(record.hash, self.places).max(next);
            next = place + record.places();
            begins.push(place);
            // It reaches into the run behind, which moves.
            let behind = (end..next).find(|&place| place < self.last() && !self.is_free(place));
            if let Some(behind) = behind {
                let (from, to) = self.run(behind);
                self.loosen(from, to, &mut records);
                end = to;
            }
        }
        if next > self.last() {
            return None;
        }
        let filter = self.filter as usize;
        let start = self.start as usize;
        let words = Arc::make_mut(&mut self.words);
        let set_control = |words: &mut [u64], place: usize, byte: u8| {
            let (at, shift) = (filter + place / 8, 8 * (place % 8));
            words[at] = words[at] & !(0xFF << shift) | u64::from(byte) << shift;
        };
        (begin..end).for_each(|place| set_control(words, place, 0));
        for (record, place) in records.iter().zip(begins) {
            let at = start + 2 * place;
            words[at..at + record.words.len()].copy_from_slice(&record.words);
            words[filter_word(record.hash, filter)] |= filter_bits(record.hash);
            set_control(words, place, tag_of(record.hash));
            for place in place + 1..place + record.places() {
                set_control(words, place, MORE);
            }
        }
        self.records = self.records.saturating_add_signed(more as i32);
        Some(more)
    }

    /// How many places there are.
    fn last(&self) -> usize {
        (self.words.len() - self.start as usize) / 2
    }

    fn is_free(&self, place: usize) -> bool {
        self.control(place) as u8 == 0
    }

    /// The places around one that are not free, up to the next free ones; nothing if it is free itself.
    fn run(&self, place: usize) -> (usize, usize) {
        let last = self.last();
        let is_taken = |place: &usize| *place < last && !self.is_free(*place);
        let before = (0..place).rev().take_while(is_taken).count();
        let behind = (place..last).take_while(is_taken).count();
        match behind {
            0 => (place, place),
            _ => (place - before, place + behind),
        }
    }

    /// Adds the records of a run.
    fn loosen(&self, begin: usize, end: usize, records: &mut Vec<Loose>) {
        let mut place = begin;
        while place < end {
            let at = self.word_of(place);
            let size = Header(self.words[at]).size();
            let record = Loose {
                hash: hash_of(&self.key(at)),
                words: self.words[at..at + size].to_vec(),
            };
            place += record.places();
            records.push(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shard::{ALL, Record, ShardBuilder};
    use super::*;
    use proptest::prelude::*;

    fn found(shard: &Shard, key: &str) -> Option<(u32, Vec<u64>)> {
        let record = shard.find(hash_of(key), key.as_bytes(), ALL)?;
        Some((record.value, record.payload.to_vec()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 256 }))]

        #[test]
        fn a_shard_that_changes_is_one_that_is_written_anew(
            first in prop::collection::vec((0_u32..200, any::<bool>()), 0..120),
            changes in prop::collection::vec((0_u32..200, prop::option::of((0_u32..9, any::<bool>()))), 0..120),
        ) {
            let payload = [3, 4];
            let record = |value: u32, has_payload: bool| Record {
                value,
                kind: if has_payload { super::super::shard::kind_of_payload(2) } else { 0 },
                payload: if has_payload { &payload } else { &[] },
                ..Record::number(0)
            };
            let key = |number: u32| format!("{}.host-{number}", "a".repeat(number as usize % 21));
            let mut model: Vec<(u32, u32, bool)> = Vec::new();
            let mut builder = ShardBuilder::with_capacity(first.len());
            for (number, has_payload) in first {
                builder.push(hash_of(&key(number)), &key(number), record(77, has_payload));
                model.push((number, 77, has_payload));
            }
            let mut shard = builder.finish();
            for (number, change) in changes {
                let before = shard.clone();
                let (written, hash) = (key(number), hash_of(&key(number)));
                let count = model.len();
                let change = match change {
                    None => {
                        model.retain(|(other, _, _)| *other != number);
                        Change::Remove
                    }
                    Some((value, has_payload)) => {
                        model.push((number, value, has_payload));
                        Change::Insert(record(value, has_payload))
                    }
                };
                match shard.change(hash, &written, &change) {
                    Some(more) => prop_assert_eq!(more, model.len() as isize - count as isize),
                    None => {
                        let mut builder = ShardBuilder::from_shard(&before);
                        builder.push(hash, &written, record(model[count].1, model[count].2));
                        shard = builder.finish();
                    }
                }
                prop_assert_eq!(shard.iter().count(), model.len());
                for number in 0..200 {
                    let first = model.iter().find(|(other, _, _)| *other == number);
                    let expected = first.map(|&(_, value, has_payload)| {
                        (value, if has_payload { payload.to_vec() } else { Vec::new() })
                    });
                    prop_assert_eq!(found(&shard, &key(number)), expected);
                }
            }
        }
    }
}
