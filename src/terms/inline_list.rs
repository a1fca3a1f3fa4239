//! A short list that lives in its owner until it grows. Unlike `SmallVec` it is covariant in its elements, so that a
//! request that borrows for long can be used where one that borrows briefly is asked for.

/// Up to `N` elements in place, the rest on the heap.
#[derive(Clone, Debug)]
pub(crate) struct InlineList<T, const N: usize> {
    first: [T; N],
    len: usize,
    rest: Vec<T>,
}

impl<T: Copy + Default, const N: usize> Default for InlineList<T, N> {
    fn default() -> Self {
        InlineList {
            first: [T::default(); N],
            len: 0,
            rest: Vec::new(),
        }
    }
}

impl<T: Copy, const N: usize> InlineList<T, N> {
    /// Adds an element behind all others.
    pub(crate) fn push(&mut self, element: T) {
        match self.first.get_mut(self.len) {
            Some(place) => {
                *place = element;
                self.len += 1;
            }
            None => self.rest.push(element),
        }
    }

    /// How many elements it has.
    pub(crate) fn len(&self) -> usize {
        self.len + self.rest.len()
    }

    /// Its elements in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + Clone {
        self.first[..self.len].iter().chain(&self.rest).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_keep_their_order_across_the_boundary() {
        let mut list = InlineList::<u8, 2>::default();
        for element in 0..5 {
            list.push(element);
        }
        assert_eq!(list.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }
}
