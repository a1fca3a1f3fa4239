//! R1 and R2 for the whole of `decide`: the same realistic tables, written as YAML and compiled.

use std::fmt::Write;
use std::hint::black_box;

use meshroute::terms::condition::{Condition, PathMatch, RequestMatch, ValueMatch};
use meshroute::{Mesh, Proxy, Request, Resources, Router};

use crate::measure::{Report, chain, compare, exponent, operations_for};
use crate::tables::{self, Plain, Table};

fn router(rules: &[RequestMatch]) -> Router {
    let mut yaml = String::from(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: shop, namespace: default}\nspec:\n  hosts: [shop.example.com]\n  http:\n",
    );
    let quoted = |text: &str| format!("{text:?}");
    for (number, rule) in rules.iter().enumerate() {
        let (kind, path) = match &rule.path {
            PathMatch::Exact { value, .. } => ("exact", &**value),
            PathMatch::Prefix { value, .. } => ("prefix", &**value),
            PathMatch::Regex(regex) => ("regex", regex.as_str()),
        };
        let _ = write!(yaml, "  - match: [{{uri: {{{kind}: {}}}", quoted(path));
        for condition in &rule.conditions {
            let _ = match condition {
                Condition::Header {
                    name,
                    test: ValueMatch::Exact(value),
                    ..
                } if &**name == ":method" => write!(yaml, ", method: {{exact: {value}}}"),
                Condition::Header {
                    name,
                    test: ValueMatch::Exact(value),
                    ..
                } => write!(yaml, ", headers: {{{name}: {{exact: {value}}}}}"),
                Condition::Query {
                    key,
                    test: ValueMatch::Exact(value),
                } => write!(
                    yaml,
                    ", queryParams: {{{key}: {{exact: {}}}}}",
                    quoted(value)
                ),
                _ => unreachable!("realistic tables have no other conditions"),
            };
        }
        let _ = writeln!(
            yaml,
            "}}]\n    route: [{{destination: {{host: to-{}.example.com, port: {{number: 80}}}}}}]",
            number % 50
        );
    }
    let mesh = Resources::from_yaml(&yaml).and_then(Mesh::resolve);
    Router::compile(
        &mesh.unwrap_or_else(|report| panic!("{report}")),
        &Proxy::default(),
    )
}

fn requests(table: &Table) -> Vec<(String, &Plain)> {
    let target = |request: &Plain| {
        let query: Vec<String> = request
            .query
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!(
            "http://shop.example.com{}{mark}{}",
            request.path,
            query.join("&")
        )
    };
    table
        .requests
        .iter()
        .take(256)
        .map(|request| (target(request), &**request))
        .collect()
}

fn request<'a>((url, plain): &'a (String, &'a Plain)) -> Request<'a> {
    let lines = plain.headers.iter().filter(|(name, _)| name != "host");
    lines.fold(
        Request::new(plain.method, url).gateway("mesh"),
        |request, (name, value)| request.header(name, value.as_bytes()),
    )
}

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
