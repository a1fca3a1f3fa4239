//! R1 and R2 for the whole of `decide`: the same realistic tables, as VirtualServices and compiled. D1: the whole, for two
//! rules, beside its parts.

use std::hint::black_box;

use meshroute::internals::HostTable;
use meshroute::terms::weighted::AliasTable;
use meshroute::{Connection, Outcome, Request};

use crate::compiled::{HOST, request, requests, router};
use crate::measure::{Report, alone, chain, compare, exponent, operations_for};
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
            // What is beside the rules is on both sides.
            100 => report.faster("R1", &what, pair, 1.8),
            1_000 => report.faster("R1", &what, pair, 11.0),
            10_000 => report.faster("R1", &what, pair, 200.0),
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

/// D1: what the parts of a walk cost, each alone, one after the other: the listener by `decide_connection`, the path by a loop
/// over its bytes, the host by its table, the rule by a scan of both, a pick by an alias table.
pub fn parts(report: &mut Report) {
    const ASKED: usize = 2_000;
    let table = tables::realistic(2);
    let router = router(&table.rules);
    let texts = requests(&table);
    let requests: Vec<Request<'_>> = texts.iter().map(request).collect();
    // What a listener detects on a connection with a request on it.
    let to_port = |port| {
        Connection::to_port(port)
            .gateway("mesh")
            .alpn(&["http/1.1"])
    };
    let hosts = HostTable::new([(HOST, 0), ("*", 1)]);
    let split = AliasTable::new([1, 2]).expect("weights");
    for (request, (url, plain)) in requests.iter().zip(&texts) {
        let position = router.decide(request, 1).position();
        assert_eq!(position, plain.scan(&table.rules), "{request:?}");
        assert!(is_plain(path_of(url)), "{url}");
    }
    let outcome = router.decide_connection(&to_port(80), 1).outcome();
    assert!(matches!(outcome, Outcome::AwaitRequest));
    assert_eq!((hosts.find(HOST), hosts.find("x")), (Some(0), Some(1)));
    let number = |position: Option<usize>| position.map_or(u32::MAX, |position| position as u32);
    let listener = alone(report, || {
        chain(ASKED, |_, zero| {
            let connection = to_port(80 + zero as u16);
            u32::from(router.decide_connection(&connection, 1).cluster().is_some())
        })
    });
    let path = alone(report, || {
        chain(ASKED, |at, zero| {
            let (url, _) = &texts[(at + zero) % texts.len()];
            u32::from(is_plain(path_of(url)))
        })
    });
    let host = alone(report, || {
        chain(ASKED, |_, zero| {
            hosts.find(&HOST[zero..]).unwrap_or(u32::MAX)
        })
    });
    let rule = alone(report, || {
        chain(ASKED, |at, zero| {
            number(texts[(at + zero) % texts.len()].1.scan(&table.rules))
        })
    });
    let pick = alone(report, || {
        chain(ASKED, |at, zero| split.pick((at + zero) as u64) as u32)
    });
    let sum = listener + path + host + rule + pick;
    let pair = compare(
        report,
        || {
            chain(ASKED, |at, zero| {
                let request = &requests[(at + zero) % requests.len()];
                number(router.decide(request, 1).position())
            })
        },
        || sum,
    );
    let what = format!(
        "decide, 2 rules, vs {listener:.0} listener + {path:.0} path + {host:.0} host + {rule:.0} rule + {pick:.0} pick"
    );
    report.at_most("D1", &what, pair, 1.25);
}

/// Path and query of a URL of the host.
fn path_of(url: &str) -> &str {
    &url["http://".len() + HOST.len()..]
}

/// Whether nothing in a path is escaped, doubled or hidden.
fn is_plain(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default().as_bytes();
    let is_odd = |pair: &[u8]| pair[0] == b'/' && matches!(pair[1], b'/' | b'.');
    path.first() == Some(&b'/')
        && !path.iter().any(|byte| matches!(byte, b'%' | b'\\' | b'#'))
        && !path.windows(2).any(is_odd)
}
