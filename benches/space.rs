//! Two routers compared over all requests: how long it takes, and that nothing is told but what is there.
//!
//! `cargo bench --bench space`; add `-- --test` for a quick check of the answers only.

#[path = "tables/mod.rs"]
mod tables;

#[path = "tables/compiled.rs"]
mod compiled;

use std::time::Instant;

use compiled::{HOST, http_match, mesh};
use meshroute::space::{self, Changes};
use meshroute::terms::condition::RequestMatch;
use meshroute::{Proxy, Router};
use rand::RngExt;
use serde_json::{Value, json};

/// A rule and the number of its destination.
type Row = (RequestMatch, usize);

fn route((rule, destination): &Row) -> Value {
    json!({
        "match": [http_match(rule)],
        "route": [{"destination": {"host": format!("to-{destination}.example.com"), "port": {"number": 80}}}],
    })
}

fn virtual_service(name: &str, host: &str, rows: &[Row]) -> String {
    let http: Vec<Value> = rows.iter().map(route).collect();
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"hosts": [host], "gateways": ["gw"], "http": http},
    })
    .to_string()
}

/// The gateway's router of these VirtualServices.
fn router(documents: impl IntoIterator<Item = String>) -> Router {
    let gateway = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
        "metadata": {"name": "gw", "namespace": "default"},
        "spec": {"servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]},
    });
    Router::compile(
        &mesh([gateway.to_string()].into_iter().chain(documents)),
        &Proxy::default(),
    )
}

fn measure(name: &str, before: &Router, after: &Router) -> Changes {
    let start = Instant::now();
    let changes = space::diff(before, after);
    println!(
        "{name:<60} {:>10.1} ms, {} changes",
        start.elapsed().as_secs_f64() * 1e3,
        changes.changes().len()
    );
    assert!(changes.not_proved().is_empty(), "{changes}");
    changes
}

/// The same rules, those in another order of which no request passes two: by the first two segments of their paths.
fn permuted(rows: &[Row]) -> Vec<Row> {
    let mut random = tables::random(7);
    let group = |row: &Row| {
        let text = format!("{:?}", row.0.path);
        let start = text.find('/').unwrap_or_default();
        text[start..]
            .splitn(4, '/')
            .take(3)
            .collect::<Vec<_>>()
            .join("/")
    };
    let mut groups: std::collections::BTreeMap<String, (u64, Vec<Row>)> =
        std::collections::BTreeMap::new();
    for row in rows {
        let (_, own) = groups
            .entry(group(row))
            .or_insert_with(|| (random.random(), Vec::new()));
        own.push(row.clone());
    }
    let mut groups: Vec<(u64, Vec<Row>)> = groups.into_values().collect();
    groups.sort_by_key(|(order, _)| *order);
    groups.into_iter().flat_map(|(_, rows)| rows).collect()
}

fn table(name: &str, rows: Vec<Row>, can_be_permuted: bool) {
    let count = rows.len();
    let whole = |rows: &[Row]| router([virtual_service("shop", HOST, rows)]);
    let before = whole(&rows);
    assert!(
        measure(
            &format!("{name}, {count} rules, read anew"),
            &before,
            &whole(&rows)
        )
        .is_empty()
    );
    if can_be_permuted {
        let last = rows.len() - 1;
        let mut others = permuted(&rows[..last]);
        others.push(rows[last].clone());
        assert!(
            measure(
                &format!("{name}, {count} rules, permuted"),
                &before,
                &whole(&others)
            )
            .is_empty()
        );
        let parts = others.chunks(count.div_ceil(8)).enumerate();
        let parts = parts.map(|(part, rows)| virtual_service(&format!("shop-{part}"), HOST, rows));
        assert!(
            measure(
                &format!("{name}, {count} rules, permuted and split"),
                &before,
                &router(parts)
            )
            .is_empty()
        );
    }
    let mut changed = rows.clone();
    changed[count / 2].1 += 1;
    let changes = measure(
        &format!("{name}, {count} rules, one changed"),
        &before,
        &whole(&changed),
    );
    println!("    {} classes", changes.changes().len());
}

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let (size, hosts) = if is_test { (200, 20) } else { (10_000, 1000) };
    let numbered = |rules: Vec<RequestMatch>| -> Vec<Row> {
        let numbered = rules.into_iter().enumerate();
        numbered.map(|(number, rule)| (rule, number % 50)).collect()
    };
    let small = numbered(tables::realistic(50).rules);
    let all = |changed: Option<usize>| {
        let documents = (0..hosts).map(|host| {
            let mut rows = small.clone();
            if changed == Some(host) {
                rows[20].1 += 1;
            }
            virtual_service(
                &format!("shop-{host}"),
                &format!("h{host}.example.com"),
                &rows,
            )
        });
        router(documents)
    };
    let changes = measure(
        &format!("{hosts} hosts x 50 rules, one changed"),
        &all(None),
        &all(Some(hosts / 2)),
    );
    assert!(!changes.is_empty());
    table("realistic", numbered(tables::realistic(size).rules), true);
    let mut keyed = numbered(tables::header_keyed(size).rules);
    table("keyed on one header", keyed.clone(), false);
    let before = router([virtual_service("shop", HOST, &keyed)]);
    keyed.reverse();
    let after = router([virtual_service("shop", HOST, &keyed)]);
    assert!(measure("keyed on one header, reversed", &before, &after).is_empty());
    for shape in 0..4 {
        table(
            &format!("nested prefixes, shape {shape}"),
            numbered(tables::nested(size, shape).rules),
            false,
        );
    }
}
