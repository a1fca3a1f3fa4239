//! Chance made exact: the weighted split, percentages, and the draws that feed them.
//!
//! A caller hands over one random 64-bit word (the *entropy*) per request. [`split_entropy`] turns it into
//! one independent word per [`Draw`]; [`AliasTable::pick`] maps such a word to a destination and
//! [`FractionalPercent::holds`] to yes or no. Nothing here is random itself, rounds a float, or allocates
//! after construction.
//!
//! # What exact means
//!
//! There are 2⁶⁴ entropy words. A destination of weight *w* out of a sum *S* deserves *w·2⁶⁴/S* of them, which
//! is in general not a whole number. [`AliasTable`] gives it that number rounded down or up, never anything
//! else, and hands out every word: no method that reads one word can be closer. If *S* is a power of two the
//! split is exact without rounding.
//!
//! # How
//!
//! The table has 2ᵏ slots, the next power of two from the number of destinations, so that each slot owns exactly
//! 2⁶⁴⁻ᵏ words: the low *k* bits of a word name its slot, the rest is its place in the slot. Vose's alias method
//! then runs on *word counts* (integers whose sum is 2⁶⁴) instead of on probabilities, so that it ends without
//! a remainder. A slot is one `u64`: its high bits say at which place the slot's own share ends, its low *k* bits name
//! the destination of the rest.

/// Why a list of weights is not a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum WeightError {
    /// There is no destination at all.
    #[error("a weighted split needs at least one destination")]
    Empty,
    /// Destinations are listed, but all of them have weight 0 (R-H-112).
    #[error("the weights of a split must not all be 0")]
    AllZero,
}

/// A weighted split over a list of destinations: integers only, one entropy word per pick.
///
/// Destinations of weight 0 are never picked (R-H-112) and keep their place in the list, so that an index always
/// means the weight at that place in the list given to [`AliasTable::new`].
///
/// ```
/// # use meshroute::terms::weighted::AliasTable;
/// let table = AliasTable::new([75, 0, 25])?;
/// assert_eq!(table.pick(0), 0);
/// assert_eq!(table.words(2), 1 << 62);
/// assert_eq!(table.words(1), 0);
/// # Ok::<(), meshroute::terms::weighted::WeightError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AliasTable {
    /// 2ᵏ entries, at least two: `threshold << k | alias`.
    slots: Box<[u64]>,
    weights: Box<[u32]>,
    total: u64,
}

short_debug! { AliasTable {weights, total, slots} }

impl AliasTable {
    /// Builds the table for these weights, which need not sum to anything in particular.
    ///
    /// # Errors
    ///
    /// [`WeightError::Empty`] without destinations, [`WeightError::AllZero`] if every weight is 0. (A single
    /// destination takes everything whatever its weight, R-H-111: that needs no table.)
    ///
    /// # Complexity
    ///
    /// Linear in the number of destinations, once.
    pub fn new(weights: impl IntoIterator<Item = u32>) -> Result<Self, WeightError> {
        let weights: Box<[u32]> = weights.into_iter().collect();
        let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
        if weights.is_empty() {
            return Err(WeightError::Empty);
        }
        if total == 0 {
            return Err(WeightError::AllZero);
        }
        let slots = fill_slots(&word_counts(&weights, total));
        Ok(Self {
            slots,
            weights,
            total,
        })
    }

    /// The destination of this entropy word, as an index into the list of weights.
    ///
    /// # Complexity
    ///
    /// Constant: one load, no division, no unpredictable branch.
    #[inline]
    #[must_use]
    pub fn pick(&self, entropy: u64) -> usize {
        Self::pick_from(&self.slots, entropy)
    }

    /// What [`pick`](Self::pick) answers for the table with these slots, for a caller that keeps them elsewhere.
    #[inline]
    pub(crate) fn pick_from(slots: &[u64], entropy: u64) -> usize {
        let slot_bits = slots.len() as u64 - 1;
        let own = entropy & slot_bits;
        // In bounds: a power of two less one is a mask of valid indices.
        let slot = slots[own as usize];
        // place < threshold, with the bits below them all set on the left and any on the right.
        let is_own = entropy | slot_bits < slot;
        std::hint::select_unpredictable(is_own, own, slot & slot_bits) as usize
    }

    /// The slots, for [`pick_from`](Self::pick_from).
    pub(crate) fn slots(&self) -> &[u64] {
        &self.slots
    }

    /// Heap bytes.
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        size_of_val(&*self.slots) + size_of_val(&*self.weights)
    }

    /// The weights as given, zeros included.
    #[must_use]
    pub fn weights(&self) -> &[u32] {
        &self.weights
    }

    /// The sum of the weights, never 0.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The share of one destination, 0.0 to 1.0, for people to read; 0.0 for an index that is not in the list.
    #[must_use]
    pub fn probability(&self, index: usize) -> f64 {
        self.weights
            .get(index)
            .map_or(0.0, |&weight| f64::from(weight) / self.total as f64)
    }

    /// How many of the 2⁶⁴ entropy words pick this destination, counted from the table itself.
    ///
    /// Equals `weight · 2⁶⁴ / total` rounded down or up.
    ///
    /// # Complexity
    ///
    /// Linear in the number of destinations: meant for explanations and proofs.
    #[must_use]
    pub fn words(&self, index: usize) -> u128 {
        let slot_count = self.slots.len() as u64;
        let slot_size = (1_u128 << u64::BITS) / u128::from(slot_count);
        let mut words = 0;
        for (own, &slot) in self.slots.iter().enumerate() {
            let (threshold, alias) = (u128::from(slot / slot_count), slot % slot_count);
            if own == index {
                words += threshold;
            }
            if alias == index as u64 {
                words += slot_size - threshold;
            }
        }
        words
    }
}

/// How many of the 2⁶⁴ words each destination gets: the rounded cumulative sums subtracted from each other, so that
/// each count is the exact share rounded down or up and all counts sum to 2⁶⁴.
fn word_counts(weights: &[u32], total: u64) -> Vec<u128> {
    // The cumulative weight is at most `total`, which is below 2^64: the shift cannot overflow.
    let words_before = |cumulative: u64| (u128::from(cumulative) << u64::BITS) / u128::from(total);
    let mut cumulative = 0_u64;
    let count_of = |&weight: &u32| {
        let before = words_before(cumulative);
        cumulative += u64::from(weight);
        words_before(cumulative) - before
    };
    weights.iter().map(count_of).collect()
}

/// Vose's pairing: each slot that is too small for its size is topped up by one that has more than its size.
fn fill_slots(counts: &[u128]) -> Box<[u64]> {
    // At least two, so that a threshold below the slot size fits beside the alias.
    let slot_count = counts.len().next_power_of_two().max(2);
    let alias_bits = slot_count.trailing_zeros();
    let slot_size = 1_u128 << (u64::BITS - alias_bits);
    let mut remaining = counts.to_vec();
    remaining.resize(slot_count, 0);
    // A slot that is exactly full is its own alias, whatever its threshold.
    let mut slots: Box<[u64]> = (0..slot_count as u64).collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) =
        (0..slot_count).partition(|&slot| remaining[slot] < slot_size);
    // The mean of what remains is `slot_size`, so while one is below it another is above it.
    while let (Some(needy), Some(&donor)) = (small.pop(), large.last()) {
        slots[needy] = ((remaining[needy] as u64) << alias_bits) | donor as u64;
        remaining[donor] -= slot_size - remaining[needy];
        if remaining[donor] < slot_size {
            large.pop();
            small.push(donor);
        }
    }
    slots
}

/// What a decision draws lots for. Each draw of one request is independent of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Draw {
    /// Which destination of a weighted split.
    Split,
    /// Whether the mirror at this place in the rule's list gets a copy.
    Mirror(u16),
    /// Whether the request is delayed.
    FaultDelay,
    /// Whether the request is aborted.
    FaultAbort,
    /// The value of a cookie that a hash policy generates.
    Cookie,
    /// One of the endpoints of a cluster: the draw of this number for the request.
    Endpoint(u16),
}

impl Draw {
    /// A fixed word per draw, far apart in bits. Values are the digits of π (from the second 64 bits on).
    const fn key(self) -> u64 {
        match self {
            Draw::Split => 0x1319_8A2E_0370_7344,
            Draw::FaultDelay => 0xA409_3822_299F_31D0,
            Draw::FaultAbort => 0x082E_FA98_EC4E_6C89,
            Draw::Cookie => 0xBE54_66CF_34E9_0C6C,
            Draw::Endpoint(number) => 0xC0AC_29B7_C97C_50DD_u64
                .wrapping_add((number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            Draw::Mirror(place) => mix(0x4528_21E6_38D0_1377 ^ (place as u64)),
        }
    }
}

/// The entropy word of one draw, made from the entropy word of the request.
///
/// For each draw this is a bijection on the 64-bit words: what is exact over all words of a draw is exact over all
/// entropy words of the caller. Different draws are statistically independent.
#[inline]
#[must_use]
pub const fn split_entropy(entropy: u64, draw: Draw) -> u64 {
    mix(entropy ^ draw.key())
}

/// A strong bijective mixer: xor-shifts and odd multipliers ("variant 13" of D. Stafford's search over
/// MurmurHash3 finalizers).
const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// A chance in parts per million, as Envoy receives it (R-H-141).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FractionalPercent {
    per_million: u32,
}

impl FractionalPercent {
    /// Never.
    pub const NEVER: Self = Self { per_million: 0 };
    /// Always.
    pub const ALWAYS: Self = Self {
        per_million: Self::DENOMINATOR,
    };
    /// The parts that make a whole.
    pub const DENOMINATOR: u32 = 1_000_000;

    /// So many parts per million; more than a million is a million.
    #[must_use]
    pub const fn per_million(per_million: u32) -> Self {
        if per_million > Self::DENOMINATOR {
            Self::ALWAYS
        } else {
            Self { per_million }
        }
    }

    /// From Istio's `Percent.value`, 0.0 to 100.0: truncated, so that 0.57 becomes 5699 parts per million (R-H-141).
    /// Values outside the range are brought into it, and not-a-number is never.
    #[must_use]
    pub fn from_percent_value(value: f64) -> Self {
        // A cast from float to integer truncates and saturates.
        Self::per_million((value * 10_000.0) as u32)
    }

    /// From a whole percentage, 0 to 100; values outside are brought into the range.
    #[must_use]
    pub fn from_percent(percent: i32) -> Self {
        Self::per_million(percent.clamp(0, 100).unsigned_abs() * 10_000)
    }

    /// The chance in parts per million, 0 to 1 000 000.
    #[must_use]
    pub const fn numerator(self) -> u32 {
        self.per_million
    }

    /// Whether the event happens for this entropy word: so for `numerator · 2⁶⁴ / 1 000 000` of all words, rounded up.
    ///
    /// # Complexity
    ///
    /// Constant: one multiplication.
    #[inline]
    #[must_use]
    pub const fn holds(self, entropy: u64) -> bool {
        let part = (entropy as u128 * Self::DENOMINATOR as u128) >> u64::BITS;
        (part as u64) < self.per_million as u64
    }
}
