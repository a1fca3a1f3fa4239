//! A list in chunks behind `Arc`s: a changed copy shares every chunk that no change touches.

use std::collections::BTreeMap;
use std::ops::Index;
use std::sync::Arc;

/// Elements of a chunk: so few that one is copied in about a microsecond, so many that the chunks of a million elements
/// stay in the caches.
const CHUNK: usize = 128;

/// An immutable list, cheap to copy with changes.
#[derive(Clone)]
pub(crate) struct Chunked<T> {
    /// All full but the last.
    chunks: Vec<Arc<[T]>>,
    len: usize,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Chunked {
            chunks: Vec::new(),
            len: 0,
        }
    }
}

impl<T> Chunked<T> {
    /// The element at `place`. Two loads, of which the first is of a small array.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> Option<&T> {
        self.chunks.get(place / CHUNK)?.get(place % CHUNK)
    }

    /// Number of elements.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The elements in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// Heap bytes of the list itself.
    pub(crate) fn memory_usage(&self) -> usize {
        // Each `Arc` has two counters.
        let chunk = |chunk: &Arc<[T]>| size_of_val(&**chunk) + 2 * size_of::<usize>();
        self.chunks.capacity() * size_of::<Arc<[T]>>()
            + self.chunks.iter().map(chunk).sum::<usize>()
    }
}

impl<T: Clone> Chunked<T> {
    /// The same list with other elements in some places. A place at the end, or behind it if the places before it are
    /// given too, makes the list longer; other places outside are passed over.
    ///
    /// # Complexity
    /// A copy of each chunk with a change, and of the list of chunks.
    pub(crate) fn with(&self, changes: impl IntoIterator<Item = (usize, T)>) -> Self {
        let mut by_chunk: BTreeMap<usize, BTreeMap<usize, T>> = BTreeMap::new();
        for (place, value) in changes {
            let chunk = by_chunk.entry(place / CHUNK).or_default();
            chunk.insert(place % CHUNK, value);
        }
        let mut out = self.clone();
        for (chunk, changes) in by_chunk {
            let old = out.chunks.get(chunk).map_or(&[][..], |chunk| chunk);
            let mut new = old.to_vec();
            for (place, value) in changes {
                if place < new.len() {
                    new[place] = value;
                } else if place == new.len() {
                    new.push(value);
                }
            }
            let added = new.len() - old.len();
            if chunk < out.chunks.len() {
                out.chunks[chunk] = new.into();
            } else if chunk == out.chunks.len() && added > 0 {
                out.chunks.push(new.into());
            } else {
                continue;
            }
            out.len += added;
        }
        out
    }
}

impl<T> Index<usize> for Chunked<T> {
    type Output = T;

    fn index(&self, place: usize) -> &T {
        &self.chunks[place / CHUNK][place % CHUNK]
    }
}

impl<T> FromIterator<T> for Chunked<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut elements = elements.into_iter();
        let mut out = Chunked::default();
        loop {
            let chunk: Arc<[T]> = elements.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                return out;
            }
            out.len += chunk.len();
            out.chunks.push(chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_changed_copy_is_what_a_changed_vector_is(
            len in 0_usize..400,
            changes in proptest::collection::vec((0_usize..400, any::<u32>()), 0..20),
            pushed in 0_usize..300,
        ) {
            let before: Vec<u32> = (0..len as u32).collect();
            let list: Chunked<u32> = before.iter().copied().collect();
            let mut after = before.clone();
            let mut all = Vec::new();
            for (place, value) in changes {
                if let Some(slot) = after.get_mut(place) {
                    *slot = value;
                    all.push((place, value));
                }
            }
            for value in 0..pushed as u32 {
                all.push((after.len(), value));
                after.push(value);
            }
            let changed = list.with(all);
            prop_assert_eq!(changed.iter().copied().collect::<Vec<u32>>(), after.clone());
            prop_assert_eq!(changed.len(), after.len());
            for place in 0..after.len() + 2 {
                prop_assert_eq!(changed.get(place), after.get(place));
            }
            prop_assert_eq!(list.iter().copied().collect::<Vec<u32>>(), before);
        }
    }

    #[test]
    fn chunks_without_a_change_are_shared() {
        let list: Chunked<u32> = (0..1000).collect();
        let changed = list.with([(300, 7)]);
        let shared = list.chunks.iter().zip(&changed.chunks);
        assert_eq!(shared.filter(|(a, b)| !Arc::ptr_eq(a, b)).count(), 1);
        assert_eq!((changed[300], changed[301], list[300]), (7, 301, 300));
    }
}
