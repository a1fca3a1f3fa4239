//! One pick of a weighted split, by number of destinations: this crate's alias table beside the scan that Envoy does
//! and beside `rand_distr`'s alias table, in one run.
//!
//! Every pick feeds the next one's entropy, so that what is measured is a pick's latency and not how many
//! picks a processor overlaps. `cargo bench --bench pick`; add `-- --test` for a quick check of the answers only.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use meshroute::terms::weighted::AliasTable;
use rand::TryRng;
use rand_distr::Distribution;
use rand_distr::weighted::WeightedAliasIndex;

const DESTINATIONS: [usize; 4] = [2, 10, 100, 1_000];

/// The next entropy word: depends on the last one and on what was picked with it.
fn next_entropy(entropy: u64, picked: usize) -> u64 {
    (entropy ^ picked as u64)
        .wrapping_mul(0xD134_2543_DE82_EF95)
        .wrapping_add(0x9E37_79B9_7F4A_7C15)
        .rotate_left(32)
}

fn weights(destinations: usize) -> Vec<u32> {
    (0..destinations as u32)
        .map(|index| 1 + index * 37 % 100)
        .collect()
}

/// Envoy's method (R-H-113): reduce the word modulo the sum and walk the list.
fn scan(weights: &[u32], total: u64, entropy: u64) -> usize {
    let mut left = entropy % total;
    for (index, &weight) in weights.iter().enumerate() {
        match left.checked_sub(u64::from(weight)) {
            None => return index,
            Some(rest) => left = rest,
        }
    }
    weights.len() - 1
}

/// A generator for `rand_distr` as cheap as the entropy of the others: one multiplication per word.
struct DependentWords(u64);

impl TryRng for DependentWords {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = next_entropy(self.0, 0);
        Ok(self.0)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0);
        Ok(())
    }
}

/// A chain of picks, each fed by the one before, and the entropy at its end. `pick` takes an entropy word and returns the
/// destination with the last entropy word that it used.
fn chain(picks: u64, mut pick: impl FnMut(u64) -> (usize, u64)) -> u64 {
    let mut entropy = 1;
    for _ in 0..picks {
        let (picked, used) = pick(entropy);
        entropy = next_entropy(used, picked);
    }
    entropy
}

/// Each method gives each destination its share within five standard deviations.
fn check(name: &str, weights: &[u32], pick: impl Fn(u64) -> (usize, u64)) {
    const PICKS: u64 = 1 << 18;
    let total: f64 = weights.iter().copied().map(f64::from).sum();
    let mut counts = vec![0_u32; weights.len()];
    chain(PICKS, |entropy| {
        let (picked, used) = pick(entropy);
        counts[picked] += 1;
        (picked, used)
    });
    for (&weight, &count) in weights.iter().zip(&counts) {
        let share = f64::from(weight) / total;
        let mean = share * PICKS as f64;
        let deviation = (mean * (1.0 - share)).sqrt();
        assert!(
            (f64::from(count) - mean).abs() < 5.0 * deviation,
            "{name}: {weight} of {total}: {count}"
        );
    }
}

/// Checks a method's answers, then times it.
fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    weights: &[u32],
    pick: impl Fn(u64) -> (usize, u64),
) {
    check(name, weights, &pick);
    group.bench_function(BenchmarkId::new(name, weights.len()), |bencher| {
        bencher.iter_custom(|picks| {
            let start = Instant::now();
            black_box(chain(picks, &pick));
            start.elapsed()
        });
    });
}

fn pick(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pick");
    for destinations in DESTINATIONS {
        let weights = weights(destinations);
        let table = AliasTable::new(weights.iter().copied()).expect("positive weights");
        let theirs = WeightedAliasIndex::new(weights.clone()).expect("positive weights");
        let total = table.total();

        measure(&mut group, "alias", &weights, |entropy| {
            (table.pick(entropy), entropy)
        });
        measure(&mut group, "scan", &weights, |entropy| {
            (scan(&weights, total, entropy), entropy)
        });
        measure(&mut group, "rand_distr", &weights, |entropy| {
            let mut words = DependentWords(entropy);
            (theirs.sample(&mut words), words.0)
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(1))
        .warm_up_time(Duration::from_millis(200));
    targets = pick
}
criterion_main!(benches);
