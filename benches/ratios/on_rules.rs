//! R1-R6, and the rule part of B1 and M1.

use std::hint::black_box;
use std::time::Instant;

use meshroute::internals::RuleIndex;
use meshroute::terms::condition::{PathMatch, RequestMatch};

use crate::measure::{Pair, Report, alone, chain, compare, exponent, operations_for};
use crate::tables::{self, Plain, Table};

/// The index, or the scan where there is none.
pub struct Matcher<'t> {
    table: &'t Table,
    index: Option<RuleIndex>,
}

impl<'t> Matcher<'t> {
    pub fn new(table: &'t Table) -> Self {
        let matcher = Matcher {
            table,
            index: RuleIndex::build(&table.rules),
        };
        for request in table.requests.iter().take(100) {
            assert_eq!(matcher.first(request), scan(table, request), "{request:?}");
        }
        matcher
    }

    fn first(&self, request: &Plain) -> u32 {
        match &self.index {
            None => scan(self.table, request),
            Some(index) => number(index.first(request)),
        }
    }

    /// Measures nanoseconds a request, again and again.
    pub fn time(&self) -> impl FnMut() -> f64 {
        timed(self.table, |request| self.first(request))
    }
}

fn scan(table: &Table, request: &Plain) -> u32 {
    number(request.scan(&table.rules))
}

fn number(rule: Option<usize>) -> u32 {
    rule.map_or(u32::MAX, |rule| rule as u32)
}

/// The same for the naive scan.
pub fn time_of_scan(table: &Table) -> impl FnMut() -> f64 {
    timed(table, move |request| scan(table, request))
}

fn timed(table: &Table, find: impl Fn(&Plain) -> u32) -> impl FnMut() -> f64 {
    let requests = &table.requests;
    let operations = operations_for(|at| {
        black_box(find(&requests[at % requests.len()]));
    });
    let mut start = 0;
    move || {
        start += operations;
        chain(operations, |place, zero| {
            find(&requests[(start + place + zero) % requests.len()])
        })
    }
}

fn against_scan(report: &Report, table: &Table) -> Pair {
    let matcher = Matcher::new(table);
    compare(report, matcher.time(), time_of_scan(table))
}

fn sizes<'s>(report: &Report, sizes: &'s [usize]) -> &'s [usize] {
    if report.is_test { &sizes[..2] } else { sizes }
}

/// R1, R2.
pub fn realistic(report: &mut Report) {
    for size in [1, 2, 4, 7, 8, 10, 12] {
        if size == 1 {
            continue;
        }
        let pair = against_scan(report, &tables::realistic(size));
        report.at_most(
            "R1",
            &format!("first match, {size} realistic rules, vs the scan"),
            pair,
            1.25,
        );
    }
    let mut points = Vec::new();
    for (&size, target) in sizes(report, &[10, 100, 1_000, 10_000])
        .iter()
        .zip([0.0, 2.2, 25.0, 300.0])
    {
        let pair = against_scan(report, &tables::realistic(size));
        points.push((size, pair.this));
        if size > 10 {
            report.faster(
                "R1",
                &format!("first match, {size} realistic rules, vs the scan"),
                pair,
                target,
            );
        }
    }
    report.value(
        "R2",
        "growth with the number of realistic rules, exponent",
        exponent(&points),
        0.25,
    );
}

/// R3.
pub fn paths(report: &mut Report) {
    for &size in sizes(report, &[10, 100, 1_000, 10_000]) {
        let table = tables::paths(size);
        let matcher = Matcher::new(&table);
        let mut theirs = matchit::Router::new();
        for (number, rule) in table.rules.iter().enumerate() {
            let route = match &rule.path {
                PathMatch::Exact { value, .. } => value.to_string(),
                PathMatch::Prefix { value, .. } => format!("{value}{{*rest}}"),
                PathMatch::SeparatedPrefix(_) | PathMatch::Regex(_) => {
                    unreachable!("there is none among them")
                }
            };
            theirs.insert(route, number as u32).expect("a route");
        }
        let find = |request: &Plain| {
            theirs
                .at(&request.path)
                .map_or(u32::MAX, |found| *found.value)
        };
        for request in &table.requests {
            assert_eq!(find(request), scan(&table, request));
        }
        let pair = compare(report, matcher.time(), timed(&table, find));
        let target = match size {
            100 => 1.7,
            10_000 => 1.6,
            _ => 1.5,
        };
        report.at_most(
            "R3",
            &format!("{size} paths alone, vs matchit"),
            pair,
            target,
        );
    }
}

/// R4-R6.
pub fn hostile(report: &mut Report) {
    let mut points = Vec::new();
    for &size in sizes(report, &[100, 1_000, 10_000]) {
        let pair = against_scan(report, &tables::header_keyed(size));
        points.push((size, pair.this));
        report.faster(
            "R4",
            &format!("{size} rules keyed on one header, vs the scan"),
            pair,
            if size == 10_000 { 1500.0 } else { 1.0 },
        );
    }
    report.value(
        "R4",
        "growth with the number of rules keyed on one header",
        exponent(&points),
        0.1,
    );

    let few = tables::contains(100);
    let many = tables::contains(if report.is_test { 120 } else { 1_000 });
    let (few, many) = (Matcher::new(&few), Matcher::new(&many));
    let pair = compare(report, many.time(), few.time());
    report.at_most("R5", "1000 regexes .*x.* vs 100 of them", pair, 3.0);

    let size = if report.is_test { 200 } else { 10_000 };
    for (shape, what) in ["own value", "same value", "presence", "own prefix"]
        .into_iter()
        .enumerate()
    {
        let pair = against_scan(report, &tables::nested(size, shape));
        report.faster(
            "R6",
            &format!("{size} nested prefixes, failing condition: {what}"),
            pair,
            if report.is_test { 1.0 } else { 30.0 },
        );
    }
    let pair = against_scan(report, &tables::one_prefix(size));
    report.faster(
        "R6",
        &format!("{size} rules that share one prefix"),
        pair,
        if report.is_test { 1.0 } else { 30.0 },
    );
}

/// B1 and M1, rules.
pub fn build(report: &mut Report) {
    let plain = |size: usize| {
        let table = tables::realistic(size);
        let rules = table
            .rules
            .into_iter()
            .filter(|rule| !matches!(rule.path, PathMatch::Regex(_)));
        rules.collect::<Vec<RequestMatch>>()
    };
    for &size in sizes(report, &[1_000, 10_000, 100_000]) {
        let rules = plain(size);
        let nanoseconds = alone(report, || {
            let start = Instant::now();
            black_box(RuleIndex::build(&rules));
            start.elapsed().as_nanos() as f64 / rules.len() as f64
        });
        report.value(
            "B1",
            &format!("building the index, us a plain rule, {size} rules"),
            nanoseconds / 1000.0,
            2.0,
        );
        let bytes = RuleIndex::build(&rules).map_or(0, |index| index.memory_usage());
        report.value(
            "M1",
            &format!("bytes of index a rule, {size} rules"),
            bytes as f64 / rules.len() as f64,
            200.0,
        );
    }
    let size = if report.is_test { 50 } else { 1_000 };
    let start = Instant::now();
    let table = tables::contains(size);
    black_box(RuleIndex::build(&table.rules));
    let microseconds = start.elapsed().as_micros() as f64 / size as f64;
    report.value(
        "R5",
        "building, us a regex .*x.*, with its automaton",
        microseconds,
        250.0,
    );
}
