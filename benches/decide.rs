//! `decide` on a small real configuration (3 hosts, 10 rules; headers and query in use), beside what one would write by hand
//! for exactly these rules: a hash map of hosts and a scan.
//!
//! Both answers are compared for every request before anything is timed.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use meshroute::{Mesh, Proxy, Request, Resources, Router};

const CONFIG: &str = r#"
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec:
  hosts: [shop.example.com]
  http:
  - {match: [{uri: {exact: /healthz}}], route: [{destination: {host: a0}}]}
  - {match: [{uri: {prefix: /cart}, headers: {x-user: {exact: jane}}}], route: [{destination: {host: a1}}]}
  - {match: [{uri: {prefix: /cart}, queryParams: {beta: {exact: "1"}}}], route: [{destination: {host: a2}}]}
  - {match: [{uri: {prefix: /cart}}], route: [{destination: {host: a3}, weight: 90}, {destination: {host: a4}, weight: 10}]}
  - {route: [{destination: {host: a5}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: api, namespace: default}
spec:
  hosts: [api.example.com]
  http:
  - {match: [{uri: {prefix: /v1/}, method: {exact: POST}}], route: [{destination: {host: b0}}]}
  - {match: [{uri: {prefix: /v1/}}], route: [{destination: {host: b1}}]}
  - {match: [{uri: {prefix: /v2/}, headers: {x-env: {prefix: stag}}}], route: [{destination: {host: b2}}]}
  - {match: [{uri: {prefix: /v2/}}], route: [{destination: {host: b3}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: www, namespace: default}
spec:
  hosts: [www.example.com]
  http:
  - {route: [{destination: {host: c0}}]}
"#;

/// One request of the mix: method, authority, path, headers.
type Asked = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const REQUESTS: &[Asked] = &[
    ("GET", "shop.example.com", "/healthz", &[]),
    (
        "GET",
        "shop.example.com",
        "/cart/7",
        &[("accept", "*/*"), ("x-user", "jane")],
    ),
    (
        "GET",
        "shop.example.com:80",
        "/cart/7?beta=1",
        &[("accept", "*/*")],
    ),
    (
        "GET",
        "shop.example.com",
        "/cart/7?beta=2",
        &[("x-user", "john")],
    ),
    ("GET", "shop.example.com", "/", &[("accept", "*/*")]),
    ("POST", "api.example.com", "/v1/things", &[]),
    ("GET", "api.example.com", "/v1/things", &[]),
    (
        "GET",
        "api.example.com",
        "/v2/things",
        &[("x-env", "staging")],
    ),
    ("GET", "api.example.com", "/v2/things", &[]),
    ("GET", "api.example.com", "/v3/things", &[]),
    (
        "GET",
        "www.example.com",
        "/index.html",
        &[("accept", "*/*")],
    ),
    (
        "GET",
        "WWW.example.com",
        "/index.html",
        &[("accept", "*/*")],
    ),
];

/// The same rules by hand.
struct ByHand {
    path: &'static str,
    exact: bool,
    method: Option<&'static str>,
    header: Option<(&'static str, &'static str, bool)>,
    query: Option<(&'static str, &'static str)>,
    to: &'static str,
}

const fn rule(path: &'static str, to: &'static str) -> ByHand {
    ByHand {
        path,
        exact: false,
        method: None,
        header: None,
        query: None,
        to,
    }
}

fn by_hand() -> HashMap<&'static str, Vec<ByHand>> {
    HashMap::from([
        (
            "shop.example.com",
            vec![
                ByHand {
                    exact: true,
                    ..rule("/healthz", "a0")
                },
                ByHand {
                    header: Some(("x-user", "jane", true)),
                    ..rule("/cart", "a1")
                },
                ByHand {
                    query: Some(("beta", "1")),
                    ..rule("/cart", "a2")
                },
                rule("/cart", "a3"),
                rule("/", "a5"),
            ],
        ),
        (
            "api.example.com",
            vec![
                ByHand {
                    method: Some("POST"),
                    ..rule("/v1/", "b0")
                },
                rule("/v1/", "b1"),
                ByHand {
                    header: Some(("x-env", "stag", false)),
                    ..rule("/v2/", "b2")
                },
                rule("/v2/", "b3"),
            ],
        ),
        ("www.example.com", vec![rule("/", "c0")]),
    ])
}

/// Host hash, then a scan.
fn scan(table: &HashMap<&'static str, Vec<ByHand>>, asked: &Asked) -> Option<&'static str> {
    let (method, authority, target, headers) = *asked;
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host)
        .to_ascii_lowercase();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let holds = |rule: &&ByHand| {
        (if rule.exact {
            path == rule.path
        } else {
            path.starts_with(rule.path)
        }) && rule.method.is_none_or(|wanted| wanted == method)
            && rule.header.is_none_or(|(name, value, exact)| {
                headers.iter().any(|(line, found)| {
                    line.eq_ignore_ascii_case(name)
                        && if exact {
                            *found == value
                        } else {
                            found.starts_with(value)
                        }
                })
            })
            && rule.query.is_none_or(|(key, value)| {
                query
                    .split('&')
                    .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
                    == Some(value)
            })
    };
    table
        .get(host.as_str())?
        .iter()
        .find(holds)
        .map(|rule| rule.to)
}

fn request(asked: &Asked) -> Request<'static> {
    let (method, authority, path, headers) = *asked;
    headers.iter().fold(
        Request::new(method, path).authority(authority).port(80),
        |request, (name, value)| request.header(name, *value),
    )
}

fn decide(criterion: &mut Criterion) {
    let resources = Resources::from_yaml(CONFIG).expect("valid YAML");
    let mesh = Mesh::resolve(resources).unwrap_or_else(|report| panic!("{report}"));
    let router = Router::compile(&mesh, &Proxy::sidecar("default"));
    let table = by_hand();
    let requests: Vec<Request<'_>> = REQUESTS.iter().map(request).collect();
    for (asked, request) in REQUESTS.iter().zip(&requests) {
        // The lowest entropy words take the first destination of the split or the second; by hand knows the first.
        let got = router
            .decide(request, 0)
            .cluster()
            .map(|destination| destination.host().to_owned());
        let got = got.as_deref().map(|host| {
            if host.starts_with("a4.") {
                "a3"
            } else {
                &host[..2]
            }
        });
        assert_eq!(got, scan(&table, asked), "{asked:?}");
    }

    let mut group = criterion.benchmark_group("decide/small");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    let mut word = 0_u64;
    group.bench_function("meshroute", |bencher| {
        bencher.iter(|| {
            for request in &requests {
                word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
                black_box(router.decide(request, word).cluster());
            }
        });
    });
    group.bench_function("by hand", |bencher| {
        bencher.iter(|| {
            for asked in REQUESTS {
                black_box(scan(&table, asked));
            }
        });
    });
    group.finish();

    let time = |run: &mut dyn FnMut()| {
        let mut best = f64::MAX;
        for _ in 0..15 {
            let start = Instant::now();
            for _ in 0..2_000 {
                run();
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        best
    };
    let ours = time(&mut || {
        for request in &requests {
            black_box(router.decide(black_box(request), 42).cluster());
        }
    });
    let hand = time(&mut || {
        for asked in REQUESTS {
            black_box(scan(&table, black_box(asked)));
        }
    });
    println!(
        "decide costs {:.2} x the rules written by hand (target: at most 3)",
        ours / hand
    );
}

criterion_group!(benches, decide);
criterion_main!(benches);
