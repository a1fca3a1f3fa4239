//! The simple door on a whole router, by number of hosts: exact, wildcard and unknown ones; and what compiling costs a host.
//!
//! A tenth of the hosts are wildcards. The answers are checked before anything is timed. `-- --test` runs ten and a thousand hosts.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use meshroute::{Mesh, Proxy, Resources, RouteError, Router};

const PER_RESOURCE: usize = 100;

/// VirtualServices with up to a hundred hosts each; every tenth host is a wildcard.
fn manifests(hosts: usize) -> String {
    let mut out = String::new();
    for first in (0..hosts).step_by(PER_RESOURCE) {
        let names: Vec<String> = (first..hosts.min(first + PER_RESOURCE))
            .map(|n| format!("\"{}\"", pattern(n)))
            .collect();
        let _ = writeln!(
            out,
            r#"{{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{{"name":"vs{first}","namespace":"default"}},"spec":{{"hosts":[{}],"http":[{{"route":[{{"destination":{{"host":"a{first}"}},"weight":10}},{{"destination":{{"host":"b{first}"}},"weight":90}}]}}]}}}}"#,
            names.join(",")
        );
    }
    out
}

fn pattern(n: usize) -> String {
    match n % 10 {
        9 => format!("*.w{n}.example.com"),
        _ => format!("shop-{n}.customer.example.com"),
    }
}

/// The VirtualService that a host belongs to.
fn owner(n: usize) -> usize {
    n / PER_RESOURCE * PER_RESOURCE
}

fn asked(kind: &str, hosts: usize) -> Vec<(String, usize)> {
    (0..hosts.min(4_096))
        .map(|step| step.wrapping_mul(7_919) % hosts)
        .map(|n| match kind {
            "exact" => n - usize::from(n % 10 == 9),
            "wildcard" => (n / 10 * 10 + 9).min(hosts - 1),
            _ => n,
        })
        .map(|n| match kind {
            "exact" => (format!("Shop-{n}.customer.example.com:80"), owner(n)),
            "wildcard" => (format!("eu.w{n}.example.com"), owner(n)),
            _ => (format!("nobody-{n}.elsewhere.test"), owner(n)),
        })
        .collect()
}

fn route(criterion: &mut Criterion) {
    let quick = std::env::args().any(|argument| argument == "--test");
    let sizes: &[usize] = if quick {
        &[10, 1_000]
    } else {
        &[10, 1_000, 100_000, 1_000_000]
    };
    for &hosts in sizes {
        let resources = Resources::from_json(&manifests(hosts)).expect("valid JSON");
        let mesh = Mesh::resolve(resources).unwrap_or_else(|report| panic!("{report}"));
        let start = Instant::now();
        let router = Router::compile(&mesh, &Proxy::sidecar("default"));
        let cost = start.elapsed();
        let memory = allocation_counter::measure(|| {
            drop(black_box(Router::compile(
                &mesh,
                &Proxy::sidecar("default"),
            )));
        });
        println!(
            "{hosts} hosts: compiled in {cost:.1?}, {:.0} ns a host, at most {} bytes a host while compiling",
            cost.as_nanos() as f64 / hosts as f64,
            memory.bytes_max / hosts as u64,
        );
        let mut group = criterion.benchmark_group(format!("route/{hosts}"));
        group
            .sample_size(10)
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_millis(600));
        for kind in ["exact", "wildcard", "unknown"] {
            let asked = asked(kind, hosts);
            for (host, owner) in &asked {
                match router.route_with(host, "mesh", 0) {
                    Ok(destination) => {
                        assert_ne!(kind, "unknown", "{host}");
                        let name = destination.host().split('.').next().unwrap_or_default();
                        assert!(
                            name == format!("a{owner}") || name == format!("b{owner}"),
                            "{host}: {name}"
                        );
                    }
                    Err(why) => {
                        assert_eq!((kind, why), ("unknown", RouteError::Passthrough), "{host}")
                    }
                }
            }
            let mut place = 0;
            group.bench_with_input(
                BenchmarkId::from_parameter(kind),
                &asked,
                |bencher, asked| {
                    bencher.iter(|| {
                        place = (place + 1) % asked.len();
                        black_box(
                            router
                                .route_with(&asked[place].0, "mesh", place as u64)
                                .is_ok(),
                        )
                    });
                },
            );
        }
        group.finish();
    }
}

criterion_group!(benches, route);
criterion_main!(benches);
