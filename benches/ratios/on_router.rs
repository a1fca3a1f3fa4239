//! R1 and R2 for the whole of `decide`: the same realistic tables, as VirtualServices and compiled.

use std::hint::black_box;

use meshroute::Request;

use crate::compiled::{request, requests, router};
use crate::measure::{Report, chain, compare, exponent, operations_for};
use crate::tables;

pub fn decide(report: &mut Report) {
    let sizes: &[usize] = if report.is_test {
        &[10, 100]
    } else {
        &[2, 4, 7, 10, 12, 16, 100, 1_000, 10_000]
    };
    let mut points = Vec::new();
    for &size in sizes {
        let table = tables::realistic(size);
        let router = router(&table.rules);
        let texts = requests(&table);
        let requests: Vec<Request<'_>> = texts.iter().map(request).collect();
        for (request, (_, plain)) in requests.iter().zip(&texts) {
            let expected = plain.scan(&table.rules);
            assert_eq!(
                (
                    router.decide(request, 1).position(),
                    router.decide_by_scan(request, 1).position()
                ),
                (expected, expected),
                "{request:?}"
            );
        }
        let place = |position: Option<usize>| position.map_or(u32::MAX, |position| position as u32);
        let timed = |by_scan: bool| {
            let decide = |at: usize| {
                let request = &requests[at % requests.len()];
                let decision = if by_scan {
                    router.decide_by_scan(request, 1)
                } else {
                    router.decide(request, 1)
                };
                place(decision.position())
            };
            let operations = operations_for(|at| {
                black_box(decide(at));
            });
            let mut start = 0;
            let (router, requests) = (&router, &requests);
            move || {
                start += operations;
                chain(operations, |at, zero| {
                    let request = &requests[(start + at + zero) % requests.len()];
                    let decision = if by_scan {
                        router.decide_by_scan(request, 1)
                    } else {
                        router.decide(request, 1)
                    };
                    place(decision.position())
                })
            }
        };
        let pair = compare(report, timed(false), timed(true));
        let what = format!("decide, {size} realistic rules, vs rule by rule");
        match size {
            100 => report.faster("R1", &what, pair, 6.0),
            1_000 => report.faster("R1", &what, pair, 43.0),
            10_000 => report.faster("R1", &what, pair, 500.0),
            _ => report.at_most("R1", &what, pair, 1.25),
        }
        if [10, 100, 1_000, 10_000].contains(&size) {
            points.push((size, pair.this));
        }
    }
    report.value(
        "R2",
        "growth of decide with the number of rules, exponent",
        exponent(&points),
        0.25,
    );
}
