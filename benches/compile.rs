//! Resolve and compile: cost by number of resources, and of many proxies' views of one mesh.
//!
//! Each size is n Services, n VirtualServices (three rules each) and n/2 DestinationRules. What is compiled is asked before
//! it is timed. `cargo bench --bench compile -- --test` runs the small sizes once.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use meshroute::{Mesh, Proxy, Request, Resources, Router};

/// Manifests as JSON lines: reading is not what this bench measures.
fn manifests(services: usize) -> String {
    let mut out = String::new();
    for n in 0..services {
        let namespace = n % 20;
        let _ = write!(
            out,
            r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"s{n}","namespace":"ns{namespace}"}},"spec":{{"clusterIP":"10.{}.{}.{}","selector":{{"app":"s{n}"}},"ports":[{{"name":"http","port":{}}}]}}}}
{{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{{"name":"s{n}","namespace":"ns{namespace}"}},"spec":{{"hosts":["s{n}.ns{namespace}.svc.cluster.local"],"http":[{{"match":[{{"uri":{{"prefix":"/a"}},"headers":{{"x-user":{{"exact":"jane"}}}}}}],"route":[{{"destination":{{"host":"s{n}.ns{namespace}.svc.cluster.local","subset":"v1"}}}}]}},{{"match":[{{"uri":{{"exact":"/b"}}}}],"route":[{{"destination":{{"host":"s{n}.ns{namespace}.svc.cluster.local"}},"weight":10}},{{"destination":{{"host":"s{n}.ns{namespace}.svc.cluster.local","subset":"v1"}},"weight":90}}]}},{{"route":[{{"destination":{{"host":"s{n}.ns{namespace}.svc.cluster.local"}}}}]}}]}}}}
"#,
            n >> 16 & 255,
            n >> 8 & 255,
            n & 255,
            [80, 8080, 9080][n % 3],
        );
        if n % 2 == 0 {
            let _ = writeln!(
                out,
                r#"{{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{{"name":"s{n}","namespace":"ns{namespace}"}},"spec":{{"host":"s{n}.ns{namespace}.svc.cluster.local","trafficPolicy":{{"connectionPool":{{"tcp":{{"maxConnections":100}}}}}},"subsets":[{{"name":"v1","labels":{{"version":"v1"}}}}]}}}}"#
            );
        }
    }
    out
}

fn mesh(services: usize) -> Mesh {
    let resources = Resources::from_json(&manifests(services)).expect("valid JSON");
    Mesh::resolve(resources).unwrap_or_else(|report| panic!("{report}"))
}

fn check(router: &Router, services: usize) {
    for n in [0, services / 2, services - 1] {
        let host = format!("s{n}.ns{}.svc.cluster.local", n % 20);
        let request = Request::get("/b")
            .authority(&host)
            .port([80, 8080, 9080][n % 3] as u16);
        let decision = router.decide(&request, 0);
        let cluster = decision
            .cluster()
            .unwrap_or_else(|| panic!("{host} has no cluster"));
        assert_eq!(cluster.host(), host);
    }
}

fn sizes() -> &'static [usize] {
    if std::env::args().any(|argument| argument == "--test") {
        &[100]
    } else {
        &[100, 1_000, 10_000]
    }
}

fn compile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile/sidecar");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    let proxy = Proxy::sidecar("ns0");
    let mut costs = Vec::new();
    for &size in sizes() {
        let mesh = mesh(size);
        check(&Router::compile(&mesh, &proxy), size);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_with_input(BenchmarkId::from_parameter(size), &mesh, |bencher, mesh| {
            bencher.iter_with_large_drop(|| Router::compile(mesh, &proxy));
        });
        // What is timed is compiling, not freeing what was compiled before.
        let cost = (0..7)
            .map(|_| {
                let start = Instant::now();
                let router = black_box(Router::compile(&mesh, &proxy));
                let cost = start.elapsed();
                drop(router);
                cost.as_secs_f64()
            })
            .fold(f64::MAX, f64::min);
        costs.push((size as f64, cost));
    }
    group.finish();
    if let ([(n1, t1), ..], Some((n2, t2))) = (&costs[..], costs.last())
        && n2 > n1
    {
        println!(
            "compile grows with exponent {:.2} from {n1} to {n2} services",
            (t2 / t1).ln() / (n2 / n1).ln()
        );
    }
}

fn views(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile/views");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    let size = sizes()[0];
    let mesh = mesh(size);
    for count in [10, 100] {
        let proxies: Vec<Proxy> = (0..count)
            .map(|n| Proxy::sidecar(&format!("ns{}", n % 20)).label("app", &format!("s{n}")))
            .collect();
        check(&Router::compile(&mesh, &proxies[0]), size);
        group.bench_with_input(
            BenchmarkId::from_parameter(count),
            &proxies,
            |bencher, proxies| {
                bencher.iter_with_large_drop(|| {
                    let routers: Vec<Router> = proxies
                        .iter()
                        .map(|proxy| Router::compile(&mesh, proxy))
                        .collect();
                    black_box(routers)
                });
            },
        );
    }
    group.finish();
}

criterion_group!(benches, compile, views);
criterion_main!(benches);
