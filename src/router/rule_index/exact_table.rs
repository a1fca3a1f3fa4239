//! Whole texts by hash: a half-full index over an arena of keys.

use crate::router::words;

/// From whole texts to numbers. With `fold`, keys are lower case and ASCII case is ignored.
#[derive(Clone, Debug)]
pub(super) struct ExactTable {
    /// Upper half of the hash, and the offset of the record; offset 0: free.
    slots: Box<[(u32, u32)]>,
    /// Each record: length of the key in bytes and number; the key, padded with zeros.
    arena: Box<[u64]>,
    /// Bit `n`: there is a key of `n` bytes; 63 for all longer ones. Most texts need no hash.
    lengths: u64,
    fold: bool,
}

impl ExactTable {
    /// A table of these keys, each there once.
    pub(super) fn new(keys: &[(&[u8], u32)], fold: bool) -> Self {
        let mut arena = vec![0];
        let mut slots = vec![(0, 0); 2 * keys.len() + 1];
        for (key, number) in keys {
            let (hash, _) = words::hash::<false>(key, 0);
            let mut slot = slot_of(hash, slots.len());
            while slots[slot].1 != 0 {
                slot = if slot + 1 == slots.len() { 0 } else { slot + 1 };
            }
            slots[slot] = ((hash >> 32) as u32, arena.len() as u32);
            arena.push((key.len() as u64) << 32 | u64::from(*number));
            words::push(key, &mut arena);
        }
        ExactTable {
            slots: slots.into(),
            arena: arena.into(),
            lengths: keys
                .iter()
                .fold(0, |lengths, (key, _)| lengths | length_bit(key)),
            fold,
        }
    }

    /// The number of a text.
    #[inline]
    pub(super) fn find(&self, text: &[u8]) -> Option<u32> {
        if self.lengths & length_bit(text) == 0 {
            return None;
        }
        if self.fold {
            self.find_folded::<true>(text)
        } else {
            self.find_folded::<false>(text)
        }
    }

    #[inline]
    fn find_folded<const FOLD: bool>(&self, text: &[u8]) -> Option<u32> {
        let (hash, _) = words::hash::<FOLD>(text, 0);
        let mut slot = slot_of(hash, self.slots.len());
        loop {
            let (tag, offset) = *self.slots.get(slot)?;
            if offset == 0 {
                return None;
            }
            if tag == (hash >> 32) as u32 {
                let record = &self.arena[offset as usize..];
                let length = (record[0] >> 32) as usize;
                if length == text.len()
                    && words::equals::<FOLD>(text, &record[1..=length.div_ceil(8)])
                {
                    return Some(record[0] as u32);
                }
            }
            slot = if slot + 1 == self.slots.len() {
                0
            } else {
                slot + 1
            };
        }
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        size_of_val(&*self.slots) + size_of_val(&*self.arena)
    }
}

#[inline]
fn length_bit(text: &[u8]) -> u64 {
    1 << text.len().min(63)
}

#[inline]
fn slot_of(hash: u64, slots: usize) -> usize {
    (((hash & 0xFFFF_FFFF) * slots as u64) >> 32) as usize
}
