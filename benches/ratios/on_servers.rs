//! S1: one Gateway with many HTTPS servers, each with a certificate, a host and a VirtualService of its own: the filter chain
//! is found by an index, so that `decide` costs what it costs behind one plain server.

use std::hint::black_box;
use std::time::Instant;

use meshroute::{Mesh, Proxy, Request, Router};
use rand::seq::SliceRandom;
use serde_json::json;

use crate::compiled::mesh;
use crate::measure::{Report, chain, compare, exponent, median};
use crate::tables;

/// Asked in a round.
const ASKED: usize = 2_000;
/// Different hosts that are asked: few, so that what is measured is the way to them and not what lies in no cache.
const HOSTS: usize = 16;

pub fn measure(report: &mut Report) {
    let sizes: &[usize] = match report.is_test {
        true => &[10, 100],
        false => &[10, 100, 1_000, 10_000],
    };
    let (mut decided, mut compiled, mut read) = (Vec::new(), Vec::new(), Vec::new());
    for &size in sizes {
        let (secure, plain) = (mesh(documents(size, true)), mesh(documents(size, false)));
        let timed = |make: &dyn Fn()| {
            let rounds = (0..if report.is_test { 1 } else { 7 }).map(|_| {
                let start = Instant::now();
                make();
                start.elapsed().as_nanos() as f64
            });
            (size, median(rounds.collect()))
        };
        let compile = |mesh: &Mesh| Router::compile(mesh, &Proxy::gateway("default"));
        let (router, single) = (compile(&secure), compile(&plain));
        compiled.push(timed(&|| drop(black_box(compile(&secure)))));
        let texts = documents(size, true);
        read.push(timed(&|| drop(black_box(mesh(texts.clone())))));
        let mut order: Vec<usize> = (0..size).collect();
        order.shuffle(&mut tables::random(7));
        order.truncate(HOSTS);
        let urls = |scheme: &str| -> Vec<String> {
            let hosts = order.iter();
            hosts
                .map(|at| format!("{scheme}://{}/", host(*at)))
                .collect()
        };
        let (secure_urls, plain_urls) = (urls("https"), urls("http"));
        let secure: Vec<Request<'_>> = secure_urls.iter().map(|url| Request::get(url)).collect();
        let plain: Vec<Request<'_>> = plain_urls.iter().map(|url| Request::get(url)).collect();
        for (place, at) in order.iter().enumerate() {
            for (router, request) in [(&router, &secure[place]), (&single, &plain[place])] {
                let decision = router.decide(request, 1);
                let cluster = decision.cluster().map(|cluster| cluster.host());
                assert_eq!(cluster, Some(destination(*at).as_str()), "{request:?}");
            }
        }
        let decide = |router: &Router, requests: &[Request<'_>]| {
            chain(ASKED, |place, zero| {
                let decision = router.decide(&requests[(place + zero) % requests.len()], 1);
                decision
                    .position()
                    .map_or(u32::MAX, |position| position as u32)
            })
        };
        let pair = compare(
            report,
            || decide(&router, &secure),
            || decide(&single, &plain),
        );
        let what = format!("decide, {size} HTTPS servers, vs one plain server");
        report.at_most("S1", &what, pair, 2.0);
        decided.push((size, pair.this));
    }
    report.value(
        "S1",
        "growth of decide with the number of HTTPS servers, exponent",
        exponent(&decided),
        0.1,
    );
    report.value(
        "S1",
        "growth of compiling the same, exponent",
        exponent(&compiled),
        1.1,
    );
    report.value(
        "S1",
        "growth of reading and linking the same, exponent",
        exponent(&read),
        1.1,
    );
}

fn host(number: usize) -> String {
    format!("shop-{number}.example.com")
}

fn destination(number: usize) -> String {
    format!("to-{}.example.com", number % 50)
}

/// A Gateway with a server for each host, or one for all, and a VirtualService for each.
fn documents(size: usize, secure: bool) -> Vec<String> {
    let server = |number: usize| {
        json!({
            "port": {"number": 443, "name": format!("https-{number}"), "protocol": "HTTPS"},
            "hosts": [host(number)],
            "tls": {"mode": "SIMPLE", "credentialName": format!("certificate-{number}")},
        })
    };
    let all = json!({"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]});
    let servers = match secure {
        true => (0..size).map(server).collect(),
        false => vec![all],
    };
    let document = |kind: &str, name: &str, spec: serde_json::Value| {
        json!({
            "apiVersion": "networking.istio.io/v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": "default"},
            "spec": spec,
        })
        .to_string()
    };
    let mut documents = vec![document("Gateway", "edge", json!({"servers": servers}))];
    documents.extend((0..size).map(|number| {
        let route = json!([{"destination": {"host": destination(number), "port": {"number": 80}}}]);
        let spec = json!({
            "hosts": [host(number)],
            "gateways": ["edge"],
            "http": [{"route": route}],
        });
        document("VirtualService", &format!("shop-{number}"), spec)
    }));
    documents
}
