//! Sets of classes: sorted intervals of their numbers.

use std::sync::Arc;

/// A set of numbers below a limit, as sorted half-open intervals that do not touch. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Set {
    spans: Arc<[(u32, u32)]>,
}

impl Set {
    /// All numbers from `start` below `end`.
    pub(super) fn span(start: u32, end: u32) -> Self {
        match start < end {
            true => Set {
                spans: [(start, end)].into(),
            },
            false => Set::default(),
        }
    }

    /// These numbers, in any order, perhaps repeated.
    pub(super) fn of(mut numbers: Vec<u32>) -> Self {
        numbers.sort_unstable();
        Set::of_spans(numbers.into_iter().map(|number| (number, number + 1)))
    }

    /// These intervals, in the order of their starts.
    pub(super) fn of_spans(sorted: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut spans: Vec<(u32, u32)> = Vec::new();
        for (start, end) in sorted {
            if start >= end {
                continue;
            }
            match spans.last_mut() {
                Some(last) if last.1 >= start => last.1 = last.1.max(end),
                _ => spans.push((start, end)),
            }
        }
        Set {
            spans: spans.into(),
        }
    }

    pub(super) fn spans(&self) -> &[(u32, u32)] {
        &self.spans
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many numbers.
    pub(super) fn len(&self) -> u32 {
        self.spans.iter().map(|(start, end)| end - start).sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.spans.iter().flat_map(|&(start, end)| start..end)
    }

    /// Whether it is all numbers below `count`.
    pub(super) fn is_all(&self, count: u32) -> bool {
        *self.spans == [(0, count)]
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        let after = self.spans.partition_point(|&(start, _)| start <= number);
        after > 0 && self.spans[after - 1].1 > number
    }

    /// The numbers below `count` that it has not.
    pub(super) fn complement(&self, count: u32) -> Set {
        let starts = std::iter::once(0).chain(self.spans.iter().map(|&(_, end)| end));
        let ends = self.spans.iter().map(|&(start, _)| start);
        Set::of_spans(starts.zip(ends.chain([count])))
    }

    pub(super) fn union(&self, other: &Set) -> Set {
        let mut spans: Vec<(u32, u32)> = self.spans.iter().chain(&*other.spans).copied().collect();
        spans.sort_unstable();
        Set::of_spans(spans)
    }

    pub(super) fn intersection(&self, other: &Set) -> Set {
        let (mut left, mut right) = (&*self.spans, &*other.spans);
        let mut spans = Vec::new();
        while let ([(start, end), more @ ..], [(other_start, other_end), other_more @ ..]) =
            (left, right)
        {
            spans.push((*start.max(other_start), *end.min(other_end)));
            match end <= other_end {
                true => left = more,
                false => right = other_more,
            }
        }
        Set::of_spans(spans)
    }

    pub(super) fn is_subset_of(&self, other: &Set) -> bool {
        self.intersection(other) == *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_what_their_numbers_are() {
        const COUNT: u32 = 6;
        let all = |mask: u32| (0..COUNT).filter(move |bit| mask >> bit & 1 == 1);
        let set = |mask| Set::of(all(mask).collect());
        for mask in 0..1 << COUNT {
            let one = set(mask);
            assert!(one.iter().eq(all(mask)));
            assert_eq!(one.len(), mask.count_ones());
            assert_eq!(one.complement(COUNT), set(!mask & ((1 << COUNT) - 1)));
            assert_eq!(one.is_all(COUNT), mask == (1 << COUNT) - 1);
            for other in 0..1 << COUNT {
                assert_eq!(one.union(&set(other)), set(mask | other));
                assert_eq!(one.intersection(&set(other)), set(mask & other));
                assert_eq!(one.is_subset_of(&set(other)), mask & !other == 0);
            }
            for number in 0..COUNT {
                assert_eq!(one.contains(number), mask >> number & 1 == 1);
            }
        }
    }
}
