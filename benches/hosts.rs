//! The simple door of a router by number of hosts: exact, wildcard and unknown hosts, beside an ahash map of strings with arrays.
//!
//! Each look-up begins when the one before has ended, and asks another host. `cargo bench --bench hosts`; add `-- --test`
//! for a quick check of the answers only.

#[path = "tables/doors.rs"]
mod doors;
#[path = "tables/mod.rs"]
mod tables;

use std::hint::black_box;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use doors::{Authorities, Host, MapDoor, named, router, through, with_splits};
use rand::seq::SliceRandom;

/// A chain of look-ups, each begun when the one before has ended.
fn chain(look_ups: u64, asked: &Authorities, find: &impl Fn(&str, u64) -> u32) -> u32 {
    let (mut zero, mut place) = (0, 0);
    for _ in 0..look_ups {
        place = (place + 1 + zero) % asked.len();
        // Answers are below 2^31, or all ones.
        zero = (find(
            asked.at(place),
            (place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15),
        )
        .wrapping_add(1)
            >> 31) as usize;
    }
    zero as u32
}

fn measure(
    criterion: &mut Criterion,
    kind: &str,
    hosts: &[Host],
    is_found: bool,
    write: impl Fn(&str) -> String,
) {
    let mut order: Vec<usize> = (0..hosts.len()).collect();
    order.shuffle(&mut tables::random(7));
    let asked = Authorities::new(order.iter().map(|&at| write(&hosts[at].domain)));
    let (router, map) = (router(hosts), MapDoor::new(hosts));
    let this = |authority: &str, word| through(&router, authority, word);
    let that = |authority: &str, word| map.find(authority, 1, word);
    for place in 0..asked.len().min(1000) {
        let host = &hosts[order[place]];
        for answer in [named(&router, asked.at(place), 1), that(asked.at(place), 1)] {
            assert_eq!(
                host.destinations.contains(&answer),
                is_found,
                "{}",
                asked.at(place)
            );
        }
    }
    let mut group = criterion.benchmark_group(kind);
    let time = |look_ups: u64, find: &dyn Fn(&str, u64) -> u32| {
        let start = Instant::now();
        black_box(chain(look_ups, &asked, &find));
        start.elapsed()
    };
    group.bench_function(BenchmarkId::new("meshroute", hosts.len()), |b| {
        b.iter_custom(|n| time(n, &this))
    });
    group.bench_function(BenchmarkId::new("ahash map", hosts.len()), |b| {
        b.iter_custom(|n| time(n, &that))
    });
    group.finish();
}

fn hosts(criterion: &mut Criterion) {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let sizes: &[usize] = if is_test {
        &[10, 1_000]
    } else {
        &[10, 1_000, 100_000, 1_000_000]
    };
    for &size in sizes {
        let exact = with_splits(tables::hosts(size));
        measure(criterion, "exact host:port", &exact, true, |domain| {
            format!("{domain}:8080")
        });
        measure(criterion, "unknown host", &exact, false, |domain| {
            format!("{domain}.x")
        });
        let wildcards = with_splits(tables::wildcards(size));
        measure(criterion, "wildcard host", &wildcards, true, |domain| {
            domain.replacen('*', "shop", 1)
        });
    }
}

criterion_group!(benches, hosts);
criterion_main!(benches);
