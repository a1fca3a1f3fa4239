//! Literals anywhere in a text: which of many strings occur in it, in one pass, without an automaton.
//!
//! Each literal is filed under its rarest window of up to four bytes. The pass looks each window of the text up in a bit
//! set, then in a table, and compares the whole literal around it. Building costs some 100 ns a literal, whatever there
//! are; a multi-pattern automaton over the regexes would cost milliseconds each.

use std::collections::HashMap;

const WIDTH: usize = 4;

/// A set of literals (none of them empty), each with a number.
#[derive(Clone, Debug)]
pub(super) struct LiteralFilter {
    /// By width of the window, 1 to 4.
    windows: [Windows; WIDTH],
    literals: Box<[u8]>,
}

#[derive(Clone, Debug, Default)]
struct Windows {
    /// A bit for each hash of a window; a power of two of them.
    bits: Box<[u64]>,
    /// Sorted by window.
    filed: Box<[Filed]>,
    /// Where the windows of one hash begin in `filed`, as a half-full index: window hash -> first place, plus one.
    slots: Box<[u32]>,
}

#[derive(Clone, Copy, Debug)]
struct Filed {
    window: u32,
    literal: u32,
    length: u32,
    /// Of the window in the literal.
    offset: u32,
    number: u32,
}

impl LiteralFilter {
    /// The filter of these literals.
    pub(super) fn new(literals: &[(&[u8], u32)]) -> Self {
        let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
        let mut counts: HashMap<u32, u32, _> = HashMap::with_hasher(hasher);
        for (literal, _) in literals {
            for window in literal.windows(width_of(literal)) {
                *counts.entry(word(window)).or_default() += 1;
            }
        }
        let mut filed: [Vec<Filed>; WIDTH] = Default::default();
        let mut arena = Vec::new();
        for (literal, number) in literals {
            let width = width_of(literal);
            let windows = literal.windows(width).enumerate();
            let Some((offset, window)) = windows.min_by_key(|(_, window)| counts[&word(window)])
            else {
                continue;
            };
            filed[width - 1].push(Filed {
                window: word(window),
                literal: arena.len() as u32,
                length: literal.len() as u32,
                offset: offset as u32,
                number: *number,
            });
            arena.extend_from_slice(literal);
        }
        LiteralFilter {
            windows: filed.map(Windows::new),
            literals: arena.into(),
        }
    }

    /// Calls `visit` with the number of each literal that occurs in `text`, perhaps more than once, in no order.
    #[inline]
    pub(super) fn for_each(&self, text: &[u8], mut visit: impl FnMut(u32)) {
        for (windows, width) in self.windows.iter().zip(1..) {
            if windows.filed.is_empty() {
                continue;
            }
            for (at, window) in text.windows(width).enumerate() {
                let window = word(window);
                if !windows.may_have(window) {
                    continue;
                }
                for filed in windows.of(window) {
                    let literal = &self.literals
                        [filed.literal as usize..(filed.literal + filed.length) as usize];
                    let Some(start) = at.checked_sub(filed.offset as usize) else {
                        continue;
                    };
                    if text[start..].starts_with(literal) {
                        visit(filed.number);
                    }
                }
            }
        }
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        let windows = self.windows.iter().map(|windows| {
            size_of_val(&*windows.bits)
                + size_of_val(&*windows.filed)
                + size_of_val(&*windows.slots)
        });
        windows.sum::<usize>() + self.literals.len()
    }
}

impl Windows {
    fn new(mut filed: Vec<Filed>) -> Self {
        if filed.is_empty() {
            return Windows::default();
        }
        filed.sort_by_key(|filed| filed.window);
        // Sixteen bits for each literal.
        let mut bits = vec![0; (filed.len() / 4).next_power_of_two().max(4)];
        let mut slots = vec![0; (2 * filed.len()).next_power_of_two()];
        for (place, entry) in filed.iter().enumerate() {
            if place > 0 && filed[place - 1].window == entry.window {
                continue;
            }
            let hash = mixed(entry.window);
            let word = hash >> 6 & (bits.len() - 1);
            bits[word] |= 1 << (hash & 63);
            let mask = slots.len() - 1;
            let mut slot = hash & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = place as u32 + 1;
        }
        Windows {
            bits: bits.into(),
            filed: filed.into(),
            slots: slots.into(),
        }
    }

    #[inline]
    fn may_have(&self, window: u32) -> bool {
        let hash = mixed(window);
        self.bits[hash >> 6 & (self.bits.len() - 1)] >> (hash & 63) & 1 == 1
    }

    fn of(&self, window: u32) -> impl Iterator<Item = &Filed> {
        let mask = self.slots.len() - 1;
        let mut slot = mixed(window) & mask;
        let start = loop {
            match self.slots[slot] {
                0 => break self.filed.len(),
                place if self.filed[place as usize - 1].window == window => {
                    break place as usize - 1;
                }
                _ => slot = (slot + 1) & mask,
            }
        };
        self.filed[start..]
            .iter()
            .take_while(move |filed| filed.window == window)
    }
}

fn width_of(literal: &[u8]) -> usize {
    literal.len().clamp(1, WIDTH)
}

#[inline]
fn word(window: &[u8]) -> u32 {
    match window {
        [a, b, c, d] => u32::from_le_bytes([*a, *b, *c, *d]),
        _ => window
            .iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u32::from(byte)),
    }
}

#[inline]
fn mixed(window: u32) -> usize {
    (u64::from(window).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_literal_that_occurs_is_found(literals in prop::collection::vec("[ab]{1,7}", 0..20), text in "[abc]{0,30}") {
            let numbered: Vec<(&[u8], u32)> = literals.iter().map(|literal| literal.as_bytes()).zip(0..).collect();
            let mut found = std::collections::BTreeSet::new();
            LiteralFilter::new(&numbered).for_each(text.as_bytes(), |number| {
                found.insert(number as usize);
            });
            let expected: std::collections::BTreeSet<usize> = (0..literals.len()).filter(|&at| text.contains(&literals[at])).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
