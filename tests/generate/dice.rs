//! A reproducible source of choices for the generator: one seed, one configuration.

use super::Yaml;

/// A pseudo random sequence (splitmix64), with words for what a generator asks.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number in `low..=high`.
    pub fn number(&mut self, low: u64, high: u64) -> u64 {
        low + self.word() % (high - low + 1)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.word().is_multiple_of(n)
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        let index = self.number(0, all.len() as u64 - 1) as usize;
        all[index].clone()
    }

    /// Between `low` and `high` different ones of these, in random order.
    pub fn some<T: Clone>(&mut self, all: &[T], low: u64, high: u64) -> Vec<T> {
        let mut rest = all.to_vec();
        let count = self.number(low, high.min(all.len() as u64));
        (0..count)
            .map(|_| rest.swap_remove(self.number(0, rest.len() as u64 - 1) as usize))
            .collect()
    }

    /// Sets a field of `value` once in `n` times.
    pub fn maybe(
        &mut self,
        n: u64,
        value: &mut Yaml,
        field: &str,
        make: impl FnOnce(&mut Dice) -> Yaml,
    ) {
        if self.one_in(n) {
            value[field] = make(self);
        }
    }

    /// The same elements in another order.
    pub fn shuffled<T: Clone>(&mut self, all: &[T]) -> Vec<T> {
        let count = all.len() as u64;
        self.some(all, count, count)
    }
}
