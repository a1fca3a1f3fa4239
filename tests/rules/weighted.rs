//! The weighted split and the draws: that shares are exact, that weight 0 is nothing, that draws are independent.

use meshroute::terms::weighted::{AliasTable, Draw, FractionalPercent, WeightError, split_entropy};
use proptest::prelude::*;

/// The share of the 2^64 words that a weight deserves, rounded down and up.
fn fair_words(weight: u32, total: u64) -> (u128, u128) {
    let numerator = u128::from(weight) << 64;
    let total = u128::from(total);
    (numerator / total, numerator.div_ceil(total))
}

/// Every destination gets its share rounded down or up, and every word is handed out.
fn assert_exact(weights: &[u32]) {
    let table = AliasTable::new(weights.iter().copied()).expect("a valid split");
    let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    assert_eq!(table.total(), total);
    assert_eq!(table.weights(), weights);
    // Counting word by word needs all slots per destination, so large lists are sampled.
    let step = (weights.len() / 512).max(1);
    let mut handed_out = 0;
    for (index, &weight) in weights.iter().enumerate().step_by(step) {
        let words = table.words(index);
        let (low, high) = fair_words(weight, total);
        assert!(
            words == low || words == high,
            "{index}: {words} is not {low} or {high}"
        );
        handed_out += words;
    }
    if step == 1 {
        assert_eq!(handed_out, 1 << 64);
    }
}

#[test]
fn r_h_112_a_sum_that_is_a_power_of_two_is_split_without_any_rounding() {
    for weights in [
        vec![1, 1],
        vec![3, 1],
        vec![5, 0, 2, 1],
        vec![1; 1024],
        vec![u32::MAX, 1],
    ] {
        let table = AliasTable::new(weights.iter().copied()).unwrap();
        for (index, &weight) in weights.iter().enumerate() {
            assert_eq!(
                table.words(index) * u128::from(table.total()),
                u128::from(weight) << 64
            );
        }
    }
}

#[test]
fn r_h_112_shares_are_exact_to_the_last_word_for_every_small_split() {
    for first in 0..=12 {
        for second in 0..=12 {
            for third in 0..=12 {
                for fourth in [0, 1, 7] {
                    if first + second + third + fourth > 0 {
                        assert_exact(&[first, second, third, fourth]);
                    }
                }
            }
        }
    }
}

#[test]
fn r_h_112_sums_beyond_32_bits_and_ten_thousand_destinations_are_exact() {
    assert_exact(&[u32::MAX, u32::MAX, u32::MAX]);
    assert_exact(&[u32::MAX, 1]);
    assert_exact(&vec![u32::MAX; 10_000]);
    assert_exact(
        &(0..10_000)
            .map(|index| index * 7 % 1_009)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn r_h_112_picks_walked_over_the_whole_range_agree_with_the_counted_words() {
    // The low bits name a slot; in each slot, one word in the middle of each of 2^12 equal stretches of places.
    // A destination has at most two runs of places in a slot, and each run is at most one stretch off.
    for weights in [
        vec![1],
        vec![90, 10],
        vec![1, 2, 3, 4, 5],
        vec![0, 1, 0, 99],
        vec![33, 33, 34],
    ] {
        let table = AliasTable::new(weights.iter().copied()).unwrap();
        let slots = weights.len().next_power_of_two().max(2) as u64;
        let mut picked = vec![0_i64; weights.len()];
        for stretch in 0..1_u64 << 12 {
            for slot in 0..slots {
                picked[table.pick(stretch << 52 | 1 << 51 | slot)] += 1;
            }
        }
        for (index, &count) in picked.iter().enumerate() {
            let counted = ((table.words(index) * u128::from(slots)) >> 52) as i64;
            assert!(
                (count - counted).abs() <= 2 * slots as i64,
                "{weights:?}: {index}"
            );
        }
    }
}

#[test]
fn r_h_112_weight_zero_is_never_picked_and_the_last_one_left_takes_all() {
    let table = AliasTable::new([0, 7, 0]).unwrap();
    assert_eq!(
        [table.words(0), table.words(1), table.words(2)],
        [0, 1 << 64, 0]
    );
    for word in [
        0,
        1,
        u64::MAX / 3,
        u64::MAX / 2,
        u64::MAX / 2 + 1,
        u64::MAX - 1,
        u64::MAX,
    ] {
        assert_eq!(table.pick(word), 1);
        assert_eq!(AliasTable::new([5]).unwrap().pick(word), 0);
    }
}

#[test]
fn r_h_112_no_destination_and_only_zeros_are_refused() {
    assert_eq!(AliasTable::new([]), Err(WeightError::Empty));
    assert_eq!(AliasTable::new([0]), Err(WeightError::AllZero));
    assert_eq!(AliasTable::new([0, 0, 0]), Err(WeightError::AllZero));
}

#[test]
fn probability_is_the_weight_over_the_sum() {
    let table = AliasTable::new([75, 0, 25]).unwrap();
    let shares: Vec<f64> = (0..4).map(|index| table.probability(index)).collect();
    assert_eq!(shares, [0.75, 0.0, 0.25, 0.0]);
}

#[test]
fn r_h_141_percent_values_are_truncated_to_parts_per_million() {
    let parts = |value| FractionalPercent::from_percent_value(value).numerator();
    assert_eq!(parts(0.57), 5_699);
    assert_eq!(parts(0.000_09), 0);
    assert_eq!(parts(0.000_1), 1);
    assert_eq!(parts(50.0), 500_000);
    assert_eq!(
        [parts(100.0), parts(250.0), parts(-1.0), parts(f64::NAN)],
        [1_000_000, 1_000_000, 0, 0]
    );
    assert_eq!(FractionalPercent::from_percent(37).numerator(), 370_000);
    assert_eq!(
        FractionalPercent::from_percent(-5),
        FractionalPercent::NEVER
    );
    assert_eq!(
        FractionalPercent::from_percent(105),
        FractionalPercent::ALWAYS
    );
}

#[test]
fn r_h_141_a_percentage_holds_for_exactly_its_share_of_the_words() {
    for per_million in [0, 1, 5_699, 370_000, 999_999, 1_000_000] {
        let percent = FractionalPercent::per_million(per_million);
        // It holds below the share rounded up, and nowhere else.
        let share = (u128::from(per_million) << 64).div_ceil(1_000_000);
        for word in [
            share.saturating_sub(2),
            share.saturating_sub(1),
            share,
            share + 1,
        ] {
            if let Ok(entropy) = u64::try_from(word) {
                assert_eq!(percent.holds(entropy), word < share, "{per_million} {word}");
            }
        }
        assert_eq!(percent.holds(0), per_million > 0);
        assert_eq!(percent.holds(u64::MAX), per_million == 1_000_000);
    }
}

#[test]
fn draws_of_one_entropy_word_are_independent() {
    // Of 2^16 consecutive entropy words (the worst kind), every pair of draws falls evenly into the 4 x 4 quarters.
    let draws = [
        Draw::Split,
        Draw::FaultDelay,
        Draw::FaultAbort,
        Draw::Mirror(0),
        Draw::Mirror(1),
        Draw::Mirror(9),
    ];
    for (place, &left) in draws.iter().enumerate() {
        for &right in &draws[place + 1..] {
            let mut cells = [0_u32; 16];
            for entropy in 0..1 << 16 {
                let (left, right) = (
                    split_entropy(entropy, left) >> 62,
                    split_entropy(entropy, right) >> 62,
                );
                cells[(left * 4 + right) as usize] += 1;
            }
            // 4096 expected per cell, standard deviation 62.
            assert!(
                cells.iter().all(|count| (3_770..=4_420).contains(count)),
                "{left:?} {right:?} {cells:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r_h_112_shares_are_exact_for_any_weights(
        weights in prop::collection::vec(prop_oneof![Just(0_u32), 1..=100_u32, any::<u32>()], 1..200)
    ) {
        prop_assume!(weights.iter().any(|&weight| weight > 0));
        assert_exact(&weights);
    }

    #[test]
    fn r_h_112_a_pick_is_always_a_destination_with_weight(
        weights in prop::collection::vec(0..5_u32, 1..40), entropy in any::<u64>()
    ) {
        prop_assume!(weights.iter().any(|&weight| weight > 0));
        let table = AliasTable::new(weights.iter().copied()).unwrap();
        prop_assert!(weights[table.pick(entropy)] > 0);
    }

    #[test]
    fn each_draw_is_a_bijection(left in any::<u64>(), right in any::<u64>(), place in any::<u16>()) {
        for draw in [Draw::Split, Draw::Mirror(place), Draw::FaultDelay, Draw::FaultAbort] {
            prop_assert_eq!(split_entropy(left, draw) == split_entropy(right, draw), left == right);
        }
    }
}
