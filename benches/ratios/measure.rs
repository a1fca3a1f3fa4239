//! Measuring in turns, and the table of what came out.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Prints one line for each target.
pub struct Report {
    pub is_test: bool,
}

impl Report {
    pub fn new(is_test: bool) -> Self {
        println!(
            "{:<5} {:<58} {:>10} {:>10} {:>9}   target",
            "#", "what", "this, ns", "that, ns", "ratio"
        );
        Report { is_test }
    }

    /// A ratio that should be at most `target`.
    pub fn at_most(&self, id: &str, what: &str, pair: Pair, target: f64) {
        let verdict = if pair.ratio <= target { "" } else { "  MISSED" };
        println!(
            "{id:<5} {what:<58} {:>10.1} {:>10.1} {:>9.2}   <= {target}{verdict}",
            pair.this, pair.that, pair.ratio
        );
    }

    /// That is at least `target` times this.
    pub fn faster(&self, id: &str, what: &str, pair: Pair, target: f64) {
        let factor = 1.0 / pair.ratio;
        let verdict = if factor >= target { "" } else { "  MISSED" };
        println!(
            "{id:<5} {what:<58} {:>10.1} {:>10.1} {factor:>9.1}   >= {target}{verdict}",
            pair.this, pair.that
        );
    }

    /// A figure that should be at most `target`.
    pub fn value(&self, id: &str, what: &str, value: f64, target: f64) {
        let verdict = if value <= target { "" } else { "  MISSED" };
        println!(
            "{id:<5} {what:<58} {value:>10.2} {:>10} {:>9}   <= {target}{verdict}",
            "", ""
        );
    }

    /// Rounds of a measurement.
    fn rounds(&self) -> usize {
        if self.is_test { 1 } else { 31 }
    }
}

/// Medians, and the median of the ratios of neighbouring rounds.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub this: f64,
    pub that: f64,
    pub ratio: f64,
}

/// Measures both in turns. Each is given a number of operations to make and answers the time that they took.
pub fn compare(
    report: &Report,
    mut this: impl FnMut() -> f64,
    mut that: impl FnMut() -> f64,
) -> Pair {
    let rounds = report.rounds();
    this();
    that();
    let (mut these, mut those, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (a, b) = (this(), that());
        these.push(a);
        those.push(b);
        ratios.push(a / b);
    }
    Pair {
        this: median(these),
        that: median(those),
        ratio: median(ratios),
    }
}

/// The median of some measurements of one thing.
pub fn alone(report: &Report, mut this: impl FnMut() -> f64) -> f64 {
    this();
    median((0..report.rounds()).map(|_| this()).collect())
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Nanoseconds per operation of a chain: each operation gets a number that is zero, but that the processor knows only
/// when the operation before has ended. What is measured is latency, not how many operations overlap.
pub fn chain(operations: usize, mut operation: impl FnMut(usize, usize) -> u32) -> f64 {
    let start = Instant::now();
    let mut zero = 0;
    for place in 0..operations {
        // Answers are below 2^31, or all ones.
        let answer = operation(place, zero);
        zero = (answer.wrapping_add(1) >> 31) as usize;
    }
    black_box(zero);
    start.elapsed().as_nanos() as f64 / operations as f64
}

/// What one uninterrupted piece of measuring should take. The same for both sides: on a busy machine a longer piece is
/// interrupted more often, and its ratio to a shorter one is worth nothing.
const PIECE: Duration = Duration::from_micros(500);

/// How many operations make a piece, a multiple of four; by the fastest of some tries.
pub fn operations_for(mut once: impl FnMut(usize)) -> usize {
    let fastest = (0..32).map(|at| {
        let start = Instant::now();
        once(4 * at);
        once(4 * at + 1);
        once(4 * at + 2);
        once(4 * at + 3);
        start.elapsed()
    });
    let four = fastest.min().unwrap_or(PIECE).as_nanos().max(1);
    4 * (PIECE.as_nanos() / four).clamp(1, 5_000) as usize
}

/// The exponent of growth: by least squares over the logarithms.
pub fn exponent(points: &[(usize, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points
        .iter()
        .map(|(size, cost)| ((*size as f64).ln(), cost.ln()))
        .collect();
    let count = logs.len() as f64;
    let (mean_x, mean_y) = (
        logs.iter().map(|p| p.0).sum::<f64>() / count,
        logs.iter().map(|p| p.1).sum::<f64>() / count,
    );
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    covariance / logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum::<f64>()
}
