//! H1-H4, W1, and the host part of B1 and M1.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant;

use meshroute::terms::weighted::AliasTable;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::weighted::WeightedAliasIndex;

use meshroute::Router;

use crate::doors::{
    Authorities, Host, MapDoor, fold, named, router, simple_table, strip, through, with_splits,
};
use crate::measure::{Pair, Report, alone, chain, compare};
use crate::tables;

/// Asked in a round.
const ASKED: usize = 20_000;

fn sizes(report: &Report) -> &'static [usize] {
    if report.is_test {
        &[10, 1_000]
    } else {
        &[10, 1_000, 100_000, 1_000_000]
    }
}

/// A random word for a place: the same for all contenders.
fn word(place: usize) -> u64 {
    (place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Random hosts of a table in the order in which they are asked, long enough that a large table is never warm.
fn asked(
    hosts: &[Host],
    random: &mut impl rand::Rng,
    write: impl Fn(&str) -> String,
) -> Authorities {
    let mut order: Vec<usize> = (0..hosts.len()).collect();
    order.shuffle(random);
    let count = ASKED.max(hosts.len().min(16 * ASKED));
    Authorities::new((0..count).map(|at| write(&hosts[order[at % order.len()]].domain)))
}

fn against_map(report: &Report, hosts: &[Host], asked: &Authorities, found: bool) -> Pair {
    let (router, map) = (router(hosts), MapDoor::new(hosts));
    check(&router, &map, asked, found);
    let (mut at, mut at_too) = (0, 0);
    let step = |at: &mut usize| {
        *at = (*at + ASKED) % asked.len();
        *at
    };
    let part = ASKED.min(asked.len());
    compare(
        report,
        || {
            let start = step(&mut at);
            chain(part, |place, zero| {
                let place = (start + place + zero) % asked.len();
                through(&router, asked.at(place), word(place))
            })
        },
        || {
            let start = step(&mut at_too);
            chain(part, |place, zero| {
                let place = (start + place + zero) % asked.len();
                map.find(asked.at(place), 1, word(place))
            })
        },
    )
}

/// Both know the same hosts, and send each to the same destinations.
fn check(router: &Router, map: &MapDoor, asked: &Authorities, found: bool) {
    for place in 0..asked.len().min(1000) {
        let authority = asked.at(place);
        let all = |find: &dyn Fn(u64) -> u32| -> BTreeSet<u32> {
            let words = (0..64_u64).map(|turn| turn << 58);
            words.map(find).collect()
        };
        let this = all(&|word| named(router, authority, word));
        let that = all(&|word| map.find(authority, 1, word));
        assert_eq!(this, that, "{authority}");
        assert_eq!(this.contains(&u32::MAX), !found, "{authority}");
    }
}

pub fn measure(report: &mut Report) {
    let mut random = tables::random(7);
    for (&size, target) in sizes(report).iter().zip([1.00, 0.90, 0.65, 0.65]) {
        let hosts = with_splits(tables::hosts(size));
        let asked = asked(&hosts, &mut random, |domain| format!("{domain}:8080"));
        let pair = against_map(report, &hosts, &asked, true);
        report.at_most(
            "H1",
            &format!("host:port, exact, {size} hosts, vs ahash map + arrays"),
            pair,
            target,
        );
        if size >= 1000 {
            parts(report, &hosts, &asked);
        }
    }
    // No target is set for ten.
    for (&size, target) in sizes(report).iter().zip([f64::INFINITY, 0.95, 0.75, 0.80]) {
        let hosts = with_splits(tables::wildcards(size));
        let asked = asked(&hosts, &mut random, |domain| {
            domain.replacen('*', "shop", 1)
        });
        let pair = against_map(report, &hosts, &asked, true);
        report.at_most(
            "H2",
            &format!("wildcard host, {size} hosts, vs the same"),
            pair,
            target,
        );
    }
    for (&size, target) in sizes(report).iter().zip([0.75, 0.55, 0.75, 1.05]) {
        let mut domains = tables::hosts(size * 4 / 5);
        domains.extend(tables::wildcards(size / 5));
        let hosts = with_splits(domains);
        let asked = asked(&hosts, &mut random, |domain| {
            format!("{}.x", domain.trim_start_matches("*."))
        });
        let pair = against_map(report, &hosts, &asked, false);
        report.at_most(
            "H3",
            &format!("unknown host, {size} hosts (1/5 wildcards), vs the same"),
            pair,
            target,
        );
    }
}

/// H4: what the parts cost, one after the other. The door and the load take turns, since both need what is in no cache.
fn parts(report: &Report, hosts: &[Host], asked: &Authorities) {
    let part = ASKED.min(asked.len());
    let at = |place: usize, zero: usize| asked.at((place + zero) % asked.len());
    let stripping = alone(report, || {
        chain(part, |place, zero| strip(at(place, zero)).len() as u32)
    });
    let folding = alone(report, || {
        let mut buffer = [0; 256];
        chain(part, |place, zero| {
            fold(at(place, zero), &mut buffer).map_or(0, |folded| u32::from(folded.as_bytes()[3]))
        })
    });
    let state = ahash::RandomState::with_seeds(1, 2, 3, 4);
    let hashing = alone(report, || {
        chain(part, |place, zero| {
            (state.hash_one(at(place, zero)) >> 33) as u32
        })
    });
    let reading = alone(report, || {
        chain(part, |place, zero| u32::from(at(place, zero).as_bytes()[0]))
    });
    let split = AliasTable::new([10, 47, 84]).expect("weights");
    let picking = alone(report, || {
        chain(part, |place, zero| split.pick(word(place + zero)) as u32)
    });
    // Records of as many cache lines as there are hosts, in a random cycle.
    let mut next: Vec<[u32; 16]> = vec![[0; 16]; hosts.len()];
    let mut order: Vec<u32> = (0..hosts.len() as u32).collect();
    order.shuffle(&mut tables::random(3));
    for (place, &record) in order.iter().enumerate() {
        next[record as usize][0] = order[(place + 1) % order.len()];
    }
    // Each of the first three reads its text too; once is enough.
    let others = stripping + folding + hashing - 2.0 * reading + picking;
    let router = router(hosts);
    let (mut start, mut record) = (0, 0);
    let pair = compare(
        report,
        || {
            start = (start + ASKED) % asked.len();
            chain(part, |place, zero| {
                let place = (start + place + zero) % asked.len();
                through(&router, asked.at(place), word(place))
            })
        },
        || {
            let start = Instant::now();
            for _ in 0..part {
                record = next[record as usize][0];
            }
            black_box(record);
            start.elapsed().as_nanos() as f64 / part as f64 + others
        },
    );
    let what = format!(
        "the whole door vs strip+fold+hash+load+pick, {} hosts",
        hosts.len()
    );
    // With a million, three to five misses of which the slowest counts stand against one.
    let target = if hosts.len() < 1_000_000 { 1.25 } else { 1.5 };
    report.at_most("H4", &what, pair, target);
}

/// W1.
pub fn pick(report: &mut Report) {
    let weights = |count: u32| (0..count).map(|at| 1 + at * 37 % 100);
    let mut random = tables::random(11);
    let words: Vec<u64> = (0..ASKED).map(|_| random.random()).collect();
    let (large, small) = (
        AliasTable::new(weights(1000)).expect("weights"),
        AliasTable::new([1, 2]).expect("weights"),
    );
    let picks = |table: &AliasTable| {
        chain(ASKED, |place, zero| {
            table.pick(words[place] ^ zero as u64) as u32
        })
    };
    let pair = compare(report, || picks(&large), || picks(&small));
    report.at_most("W1", "pick among 1000 destinations vs among two", pair, 1.1);
    let theirs = WeightedAliasIndex::new(weights(1000).collect()).expect("weights");
    let mut generator = tables::random(5);
    let pair = compare(
        report,
        || picks(&large),
        || {
            chain(ASKED, |_, zero| {
                (rand_distr::Distribution::sample(&theirs, &mut generator) + zero) as u32
            })
        },
    );
    report.faster(
        "W1",
        "pick among 1000 destinations vs rand_distr's alias table",
        pair,
        1.8,
    );
}

/// B1 and M1, hosts.
pub fn build(report: &mut Report) {
    for &size in sizes(report).iter().skip(1) {
        let hosts = with_splits(tables::hosts(size));
        let nanoseconds = alone(report, || {
            let start = Instant::now();
            black_box(simple_table(&hosts));
            start.elapsed().as_nanos() as f64 / hosts.len() as f64
        });
        report.value(
            "B1",
            &format!("building, ns a host, {size} hosts"),
            nanoseconds,
            150.0,
        );
        let bytes = simple_table(&hosts).memory_usage() as f64 / hosts.len() as f64;
        report.value(
            "M1",
            &format!("bytes a host with gateways and destinations, {size} hosts"),
            bytes,
            100.0,
        );
        let bytes = router(&hosts).memory_usage().simple_door as f64 / hosts.len() as f64;
        report.value(
            "M1",
            &format!("bytes a host of the simple door of a router, {size} hosts"),
            bytes,
            100.0,
        );
    }
}
