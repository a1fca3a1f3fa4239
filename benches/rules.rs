//! The first match by number of rules, beside the naive scan: realistic tables and hostile ones.
//!
//! Each request begins when the one before has ended. `cargo bench --bench rules`; add `-- --test` for a quick check of the
//! answers only.

#[path = "tables/mod.rs"]
mod tables;

use std::hint::black_box;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use meshroute::internals::RuleIndex;
use tables::{Plain, Table};

/// A chain of requests, each begun when the one before has ended.
fn chain(requests: u64, table: &Table, first: &impl Fn(&Plain) -> Option<usize>) -> usize {
    let (mut zero, mut place) = (0, 0);
    for _ in 0..requests {
        place = (place + 1 + zero) % table.requests.len();
        // There are fewer than 2^31 rules.
        zero = first(&table.requests[place]).unwrap_or(0) >> 31;
    }
    zero
}

fn measure(criterion: &mut Criterion, kind: &str, table: &Table) {
    let index = RuleIndex::build(&table.rules);
    let scan = |request: &Plain| request.scan(&table.rules);
    let indexed = |request: &Plain| match &index {
        Some(index) => index.first(request),
        None => scan(request),
    };
    for request in table.requests.iter().take(64) {
        assert_eq!(indexed(request), scan(request), "{request:?}");
    }
    let mut group = criterion.benchmark_group(kind);
    let time = |requests: u64, first: &dyn Fn(&Plain) -> Option<usize>| {
        let start = Instant::now();
        black_box(chain(requests, table, &first));
        start.elapsed()
    };
    let size = table.rules.len();
    group.bench_function(BenchmarkId::new("meshroute", size), |b| {
        b.iter_custom(|n| time(n, &indexed))
    });
    group.bench_function(BenchmarkId::new("scan", size), |b| {
        b.iter_custom(|n| time(n, &scan))
    });
    group.finish();
}

fn rules(criterion: &mut Criterion) {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let sizes: &[usize] = if is_test {
        &[10, 100]
    } else {
        &[10, 100, 1_000, 10_000]
    };
    for &size in sizes {
        measure(criterion, "realistic rules", &tables::realistic(size));
        measure(
            criterion,
            "rules keyed on one header",
            &tables::header_keyed(size),
        );
        measure(
            criterion,
            "rules that share one prefix",
            &tables::one_prefix(size),
        );
        measure(
            criterion,
            "nested prefixes with failing conditions",
            &tables::nested(size, 2),
        );
        if size <= 1_000 {
            measure(
                criterion,
                "regexes that contain a word",
                &tables::contains(size),
            );
        }
    }
}

criterion_group!(benches, rules);
criterion_main!(benches);
