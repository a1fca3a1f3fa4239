//! A table of records by key, cut into shards by the hash, each behind an `Arc`: a changed host rebuilds its shard, the others
//! are shared with the table before.

use super::authority;
use super::shard::{Record, Shard, ShardBuilder, hash_of};

/// How many records a shard should have. Small enough to be rebuilt in some 100 us, large enough that the list of
/// shards of a million hosts stays in the first-level caches.
const SHARD: usize = 1024;

/// Up to so many changes, a shard is not written anew but changed.
const FEW: usize = 32;

/// A table from lower-case keys to records.
#[derive(Clone, Debug, Default)]
pub(super) struct Packed {
    shards: Box<[Shard]>,
    records: usize,
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
    shards: Vec<ShardBuilder>,
}

impl Builder {
    /// For about so many records.
    pub(super) fn new(expected: usize) -> Self {
        let shards = match expected {
            few if few <= 4 * SHARD => 1,
            many => (many / SHARD).next_power_of_two(),
        };
        let builder = || ShardBuilder::with_capacity(expected / shards + expected / shards / 8);
        Builder {
            shards: std::iter::repeat_with(builder).take(shards).collect(),
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
        let records = self.shards.iter().map(|builder| builder.len()).sum();
        let table = Packed {
            // A builder makes room for the next shards.
            shards: self
                .shards
                .into_iter()
                .map(|builder| builder.finish())
                .collect(),
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
        // Those of one key stay in their order.
        sorted.sort_by_key(|change| (change.0, change.1));
        for changes in sorted.chunk_by(|a, b| a.0 == b.0) {
            let shard = &mut table.shards[changes[0].0];
            let mut written_over = shard.clone();
            let is_written_over = changes.chunks(2).all(|pair| match pair {
                [
                    (_, hash, key, Change::Remove),
                    (_, _, other, Change::Insert(record)),
                ] => key == other && written_over.replace(*hash, key, record),
                _ => false,
            });
            if is_written_over {
                *shard = written_over;
                continue;
            }
            let mut changed = shard.clone();
            let few = changes.iter().take(FEW);
            let more = few.map(|(_, hash, key, change)| changed.change(*hash, key, change));
            let more: Option<isize> = more.sum();
            if let Some(more) = more
                && changes.len() <= FEW
            {
                *shard = changed;
                table.records = table.records.saturating_add_signed(more);
                continue;
            }
            let mut builder = ShardBuilder::from_shard(shard);
            table.records -= builder.len();
            for (_, hash, key, change) in changes {
                match change {
                    Change::Remove => builder.remove(*hash, key),
                    Change::Insert(record) => builder.push(*hash, key, *record),
                }
            }
            table.records += builder.len();
            *shard = builder.finish();
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

    /// The first record of this key, in whatever case, that one of `gateways` may find.
    #[inline]
    pub(super) fn find(&self, host: &[u8], gateways: u16) -> Option<Record<'_>> {
        if self.records == 0 {
            return None;
        }
        let hash = authority::hash_of(host);
        let shard = self.shards.get(shard_of(hash, self.shards.len()))?;
        shard.find(hash, host, gateways)
    }

    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.records
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        self.shards.iter().map(Shard::memory_usage).sum()
    }

    /// Keys and records; those of one key in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (String, Record<'_>)> {
        self.shards.iter().flat_map(Shard::iter)
    }
}

// The top bits of the hash name the shard; they decide nothing within.
#[inline]
fn shard_of(hash: u64, shards: usize) -> usize {
    (((hash >> 44) * shards as u64) >> 20) as usize
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
        let changed = pairs.filter(|(a, b)| !a.is_same(b)).count();
        assert_eq!((changed, after.len()), (1, 19_999));
        assert!(before.shards.len() > 10);
    }
    #[test]
    fn a_record_of_the_same_size_is_written_over() {
        let split = |value, payload| Record {
            value,
            kind: super::super::shard::kind_of_payload(2),
            payload,
            ..Record::number(0)
        };
        let mut builder = Builder::new(3_000);
        for n in 0..3_000 {
            let key = format!("host-{n}");
            match n % 3 {
                0 => builder.push(&key, Record::number(n)),
                1 => builder.push(&key, split(n, &[7, 8])),
                // Two of one key: for different gateways, say.
                _ => (0..2).for_each(|_| builder.push(&key, Record::number(n))),
            }
        }
        let before = builder.finish();
        let value = |table: &Packed, n: u32| {
            let found = table.find(format!("host-{n}").as_bytes(), super::super::shard::ALL);
            found.map(|record| (record.value, record.payload.to_vec()))
        };
        // In place, in place with a payload, another size, and one instead of two.
        for (n, record) in [
            (0, Record::number(90)),
            (1, split(91, &[1, 2])),
            (3, split(93, &[3, 4])),
            (2, Record::number(92)),
        ] {
            let key = format!("host-{n}");
            let changes = [Change::Remove, Change::Insert(record)];
            let after = before.update(changes.map(|change| (&*key, change)));
            assert_eq!(
                value(&after, n),
                Some((record.value, record.payload.to_vec()))
            );
            let others = (0..3_000).filter(|other| *other != n);
            for other in others {
                assert_eq!(value(&after, other), value(&before, other));
            }
            assert_ne!(value(&before, n), value(&after, n));
            let lost = usize::from(n == 2);
            assert_eq!(
                (after.len(), after.iter().count()),
                (before.len() - lost, before.len() - lost)
            );
        }
    }
}
