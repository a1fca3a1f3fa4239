//! B1 for the whole of `Router::compile`: up to a million rules, in one virtual host and spread over many.

use std::hint::black_box;
use std::time::Instant;

use meshroute::terms::condition::{PathMatch, RequestMatch};
use meshroute::{Mesh, Proxy, Request, Router};

use crate::compiled::{self, HOST};
use crate::measure::{Report, exponent};
use crate::tables;

pub fn measure(report: &mut Report) {
    let sizes: &[usize] = match report.is_test {
        true => &[100, 200],
        false => &[1_000, 10_000, 100_000, 1_000_000],
    };
    let regexes: &[usize] = match report.is_test {
        true => &[100],
        false => &[1_000, 10_000, 100_000],
    };
    growth(report, "in one host", sizes, 2.0, |size| {
        let rules = plain(size);
        let mesh = compiled::mesh([compiled::virtual_service("shop", HOST, &rules)]);
        let asked = [0, size / 2, size - 2].map(|at| (HOST.to_owned(), at, rules[at].clone()));
        (mesh, asked)
    });
    let fewer = &sizes[..sizes.len().min(3)];
    for (what, sizes, length) in [("ten", sizes, 10), ("a hundred", fewer, 100)] {
        in_hosts_of(report, what, sizes, length);
    }
    growth(
        report,
        "in one host, 5 % of them regexes",
        regexes,
        25.0,
        |size| {
            let rules = tables::realistic(size).rules;
            let mesh = compiled::mesh([compiled::virtual_service("shop", HOST, &rules)]);
            let asked = [0, size / 2, size - 2].map(|at| (HOST.to_owned(), at, rules[at].clone()));
            (mesh, asked)
        },
    );
}

/// Spread over VirtualServices of `length` rules.
fn in_hosts_of(report: &Report, what: &str, sizes: &[usize], length: usize) {
    growth(report, &format!("in hosts of {what}"), sizes, 2.0, |size| {
        let rules = plain(size);
        let host = |at: usize| format!("s{at}.example.com");
        let documents = rules
            .chunks(length)
            .enumerate()
            .map(|(at, rules)| compiled::virtual_service(&format!("s{at}"), &host(at), rules));
        let mesh = compiled::mesh(documents);
        let asked =
            [0, size / 2, size - 2].map(|at| (host(at / length), at % length, rules[at].clone()));
        (mesh, asked)
    });
}

/// So many rules without regexes.
fn plain(size: usize) -> Vec<RequestMatch> {
    let rules = tables::realistic(size + size / 10 + 10).rules;
    let is_plain = |rule: &RequestMatch| !matches!(rule.path, PathMatch::Regex(_));
    rules.into_iter().filter(is_plain).take(size).collect()
}

type Asked = (String, usize, RequestMatch);

fn growth(
    report: &Report,
    what: &str,
    sizes: &[usize],
    target: f64,
    make: impl Fn(usize) -> (Mesh, [Asked; 3]),
) {
    let proxy = Proxy::sidecar("default");
    let mut points = Vec::new();
    for &size in sizes {
        let (mesh, asked) = make(size);
        check(&Router::compile(&mesh, &proxy), &asked);
        let times = (0..rounds(size)).map(|_| {
            let start = Instant::now();
            let router = black_box(Router::compile(&mesh, &proxy));
            let time = start.elapsed().as_secs_f64();
            drop(router);
            1e6 * time / size as f64
        });
        let microseconds = times.fold(f64::MAX, f64::min);
        points.push((size, microseconds * size as f64));
        let what = format!("compile, us a rule, {size} rules {what}");
        report.value("B1", &what, microseconds, target);
    }
    if points.len() > 1 && !report.is_test {
        let what = format!("growth of compile, rules {what}, exponent");
        report.value("B1", &what, exponent(&points), 1.1);
    }
}

fn rounds(size: usize) -> usize {
    (1_000_000 / size).clamp(2, 15)
}

/// A path that a rule fits is answered by that rule, or by one that comes before and fits, too.
fn check(router: &Router, asked: &[Asked]) {
    for (host, position, rule) in asked {
        let path = match &rule.path {
            PathMatch::Exact { value, .. } | PathMatch::Prefix { value, .. } => &**value,
            PathMatch::SeparatedPrefix(_) | PathMatch::Regex(_) => continue,
        };
        let url = format!("http://{host}{path}");
        let request = Request::get(&url);
        let decision = router.decide(&request, 1);
        assert_eq!(
            decision.position(),
            router.decide_by_scan(&request, 1).position()
        );
        if rule.conditions.is_empty() {
            assert!(
                decision.position() <= Some(*position) && decision.position().is_some(),
                "{url}"
            );
        }
    }
}
