//! U2: one change of each kind among twenty thousand services, against compiling all. U3: what the routers of a thousand
//! sidecars cost beside one.

use std::hint::black_box;
use std::time::Instant;

use meshroute::live::{Changes, LiveRouter, Reach};
use meshroute::resource::Resource;
use meshroute::{Compiler, Limits, Mesh, Proxy, Resources, Router};
use serde_json::{Value, json};

use crate::measure::{Pair, Report, alone};

/// Namespaces of the services.
const NAMESPACES: usize = 20;
/// Services that one wildcard covers.
const COVERED: usize = 20;

/// Which listeners and virtual hosts a change may make anew.
#[derive(Clone, Copy)]
enum Reaches {
    Hosts(usize),
    Listeners(usize),
}

/// One kind of change: two versions of a resource, taken in turns; the second may be that it is not there.
struct Row {
    what: &'static str,
    versions: [Value; 2],
    comes_and_goes: bool,
    reaches: Reaches,
}

pub fn measure(report: &mut Report) {
    let size = if report.is_test { 200 } else { 20_000 };
    let setting = [
        ("sidecar", Proxy::sidecar("ns0"), sidecar_rows()),
        ("gateway", Proxy::gateway("ns0"), gateway_rows()),
    ];
    for (side, proxy, rows) in setting {
        let resources = read(documents(size, side == "gateway"));
        let (mut live, said) = LiveRouter::new(resources, proxy.clone());
        assert!(!said.has_errors(), "{said}");
        let compiling = (0..if report.is_test { 1 } else { 5 }).map(|_| {
            let start = Instant::now();
            black_box(Router::compile(live.mesh(), &proxy));
            start.elapsed().as_nanos() as f64
        });
        let compiling = compiling.fold(f64::MAX, f64::min);
        for row in rows {
            let versions = row.versions.clone().map(|version| one(&version));
            let mut turn = 0;
            let cost = alone(report, || {
                turn += 1;
                timed(&mut live, &row, &versions[turn % 2], turn)
            });
            let pair = Pair {
                this: cost,
                that: compiling,
                ratio: cost / compiling,
            };
            let what = format!("{}, of {size} services ({side})", row.what);
            let target = if report.is_test { 0.0 } else { 1_000.0 };
            report.faster("U2", &what, pair, target);
        }
    }
}

/// Nanoseconds that an update took; how far it reached is checked afterwards.
fn timed(live: &mut LiveRouter, row: &Row, version: &Resource, turn: usize) -> f64 {
    let goes = row.comes_and_goes && turn.is_multiple_of(2);
    let changes = match goes {
        true => {
            let meta = version.meta();
            Changes::new().delete(version.kind(), &meta.namespace, &meta.name)
        }
        false => Changes::new().apply(version.clone()),
    };
    let start = Instant::now();
    let update = live.update(changes);
    let cost = start.elapsed().as_nanos() as f64;
    let update = update.unwrap_or_else(|report| panic!("{}: {report}", row.what));
    match (row.reaches, update.reach) {
        (Reaches::Hosts(most), Reach::VirtualHosts(count)) => {
            assert!(count <= most, "{}: {count} virtual hosts", row.what);
        }
        (Reaches::Listeners(most), Reach::Listeners(count)) => {
            assert!(count <= most, "{}: {count} listeners", row.what);
        }
        (_, reach) => panic!("{}: {reach:?}", row.what),
    }
    cost
}

/// U3: time and heap of the routers of a thousand sidecars of twenty namespaces, each of its own labels, beside one.
pub fn sidecars(report: &mut Report) {
    let (services, sidecars) = if report.is_test {
        (100, 40)
    } else {
        (5_000, 1_000)
    };
    let mesh = Mesh::resolve(read(documents(services, false)));
    let mesh = mesh.unwrap_or_else(|report| panic!("{report}"));
    let proxy = |number: usize| Proxy::sidecar(&namespace(number)).label("app", &name(number));
    // A router is weighed when it is made: later ones of its kind share all of its memory.
    let timed = |count: usize| {
        let (mut took, mut heap) = (0.0, 0);
        let mut compiler = Compiler::new(&mesh);
        for number in 0..count {
            let known = compiler.compiled();
            let start = Instant::now();
            let router = compiler.compile(&proxy(number));
            took += start.elapsed().as_nanos() as f64;
            if compiler.compiled() > known {
                heap += router.memory_usage().total();
            }
        }
        (took, heap as f64)
    };
    let (mut time, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..if report.is_test { 1 } else { 3 } {
        let (one, one_held) = timed(1);
        let (all, all_held) = timed(sidecars);
        time.push((all, one));
        memory.push((all_held, one_held));
    }
    for (what, mut pairs) in [("time", time), ("heap (bytes)", memory)] {
        pairs.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (this, that) = pairs[pairs.len() / 2];
        let pair = Pair {
            this,
            that,
            ratio: this / that,
        };
        let what = format!("{what}: routers of {sidecars} sidecars, vs one");
        report.at_most("U3", &what, pair, 25.0);
    }
}

fn read(documents: Vec<Value>) -> Resources {
    let mut limits = Limits::default();
    limits.bytes = usize::MAX;
    let text: Vec<String> = documents.iter().map(Value::to_string).collect();
    let resources = Resources::builder().limits(limits);
    let resources = resources.json("bench", text.join("\n")).build();
    resources.unwrap_or_else(|report| panic!("{report}"))
}

fn one(document: &Value) -> Resource {
    read(vec![document.clone()]).documents.remove(0)
}

fn name(number: usize) -> String {
    format!("s{number}")
}

fn namespace(number: usize) -> String {
    format!("ns{}", number % NAMESPACES)
}

fn host(number: usize) -> String {
    format!("{}.{}.svc.cluster.local", name(number), namespace(number))
}

fn resource(kind: &str, name: &str, namespace: &str, spec: Value) -> Value {
    let group = match kind {
        "Service" => "v1",
        _ => "networking.istio.io/v1",
    };
    json!({
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    })
}

/// Services with a slice each, half of them with a VirtualService, a quarter with a DestinationRule; a wildcard over some
/// hosts; a VirtualService that delegates; streams.
fn documents(size: usize, at_gateway: bool) -> Vec<Value> {
    let mut all = Vec::new();
    for number in 0..size {
        all.push(service(number, "v1"));
        all.push(slice(number, 1));
        if number % 2 == 0 {
            all.push(virtual_service(number, "v1", at_gateway));
        }
        if number % 4 == 0 {
            all.push(destination_rule(number, 10));
        }
    }
    for number in 0..COVERED {
        all.push(covered(number));
    }
    all.push(wildcard("v1", at_gateway));
    all.push(root(at_gateway));
    all.push(delegate("v1"));
    all.extend(["tls", "tcp"].map(|kind| stream(kind, 1, at_gateway)));
    if at_gateway {
        all.push(edge());
    }
    all
}

/// Ports for HTTP, bytes and TLS.
fn service(number: usize, version: &str) -> Value {
    let address = format!(
        "10.{}.{}.{}",
        1 + number / 62_500,
        number / 250 % 250,
        1 + number % 250
    );
    let mut ports = vec![json!({"name": "http", "port": 80, "targetPort": 8080})];
    match number % 10 {
        0 => ports.push(json!({"name": "tcp", "port": 5432})),
        1 => ports.push(json!({"name": "tls", "port": 8443})),
        _ => {}
    }
    if version == "v2" {
        ports.push(json!({"name": "http-more", "port": 8080}));
    }
    let selector = json!({"app": name(number)});
    let spec = json!({"clusterIP": address, "selector": selector, "ports": ports});
    resource("Service", &name(number), &namespace(number), spec)
}

fn slice(number: usize, version: usize) -> Value {
    let endpoint = |at: usize| json!({"addresses": [format!("10.200.{version}.{at}")]});
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": format!("{}-0", name(number)),
            "namespace": namespace(number),
            "labels": {"kubernetes.io/service-name": name(number)},
        },
        "addressType": "IPv4",
        "endpoints": [endpoint(1), endpoint(2)],
        "ports": [{"name": "http", "port": 8080}],
    })
}

fn gateways(at_gateway: bool) -> Value {
    json!([if at_gateway { "ns0/edge" } else { "mesh" }])
}

fn rules(host: &str, version: &str) -> Value {
    let to = json!([{"destination": {"host": host, "port": {"number": 80}}}]);
    json!([
        {"match": [{"uri": {"prefix": format!("/{version}")}}], "route": to},
        {"match": [{"headers": {"x-user": {"exact": "jane"}}}], "route": to},
        {"route": to},
    ])
}

fn virtual_service(number: usize, version: &str, at_gateway: bool) -> Value {
    let spec = json!({
        "hosts": [host(number)],
        "gateways": gateways(at_gateway),
        "http": rules(&host(number), version),
    });
    resource("VirtualService", &name(number), &namespace(number), spec)
}

fn destination_rule(number: usize, connections: usize) -> Value {
    let policy = json!({"connectionPool": {"tcp": {"maxConnections": connections}}});
    let spec = json!({"host": host(number), "trafficPolicy": policy});
    resource("DestinationRule", &name(number), &namespace(number), spec)
}

fn covered(number: usize) -> Value {
    let spec = json!({
        "hosts": [format!("w{number}.wild.example.com")],
        "ports": [{"name": "http", "number": 80, "protocol": "HTTP"}],
        "resolution": "DNS",
    });
    resource("ServiceEntry", &format!("w{number}"), "ns1", spec)
}

fn wildcard(version: &str, at_gateway: bool) -> Value {
    let spec = json!({
        "hosts": ["*.wild.example.com"],
        "gateways": gateways(at_gateway),
        "http": rules(&host(7), version),
    });
    resource("VirtualService", "wild", "ns1", spec)
}

fn root(at_gateway: bool) -> Value {
    let spec = json!({
        "hosts": [host(3)],
        "gateways": gateways(at_gateway),
        "http": [{"match": [{"uri": {"prefix": "/"}}], "delegate": {"name": "leaf", "namespace": "ns2"}}],
    });
    resource("VirtualService", "root", "ns3", spec)
}

fn delegate(version: &str) -> Value {
    let spec = json!({"http": rules(&host(3), version)});
    resource("VirtualService", "leaf", "ns2", spec)
}

/// A `tcp` or `tls` rule: on a service's own address and port, or at a server of the gateway.
fn stream(kind: &str, weight: u32, at_gateway: bool) -> Value {
    let (number, port) = if kind == "tcp" {
        (10, 5432)
    } else {
        (11, 8443)
    };
    let to = |number: usize, weight: u32| json!({"destination": {"host": host(number), "port": {"number": port}}, "weight": weight});
    let route = json!([to(number, weight), to(number + 10, 100 - weight)]);
    let matches = match kind {
        "tcp" => json!([{"port": port}]),
        _ => json!([{"port": port, "sniHosts": [host(number)]}]),
    };
    let spec = json!({
        "hosts": [host(number)],
        "gateways": gateways(at_gateway),
        kind: [{"match": matches, "route": route}],
    });
    resource("VirtualService", kind, &namespace(number), spec)
}

fn edge() -> Value {
    let server = |number: u16, protocol: &str, tls: Value| {
        json!({
            "port": {"number": number, "name": format!("{protocol}-{number}"), "protocol": protocol},
            "hosts": ["*/*"],
            "tls": tls,
        })
    };
    let servers = json!([
        server(80, "HTTP", Value::Null),
        server(5432, "TCP", Value::Null),
        server(8443, "TLS", json!({"mode": "PASSTHROUGH"})),
    ]);
    resource("Gateway", "edge", "ns0", json!({"servers": servers}))
}

fn row(what: &'static str, versions: [Value; 2], reaches: Reaches) -> Row {
    Row {
        what,
        versions,
        comes_and_goes: false,
        reaches,
    }
}

fn added(what: &'static str, version: Value, reaches: Reaches) -> Row {
    Row {
        comes_and_goes: true,
        ..row(what, [version.clone(), version], reaches)
    }
}

fn sidecar_rows() -> Vec<Row> {
    let of = |number: usize| ["v1", "v2"].map(|version| service(number, version));
    let streams = |kind: &str| [1, 2].map(|weight| stream(kind, weight, false));
    let mut rows = common_rows(false);
    rows.extend([
        row("Service", of(6), Reaches::Listeners(1)),
        added("Service added", service(1_000_002, "v1"), Reaches::Hosts(1)),
        added(
            "Service with bytes added",
            service(1_000_000, "v1"),
            Reaches::Listeners(1),
        ),
        row("tcp rule", streams("tcp"), Reaches::Listeners(1)),
        row("tls rule", streams("tls"), Reaches::Listeners(1)),
    ]);
    rows
}

fn gateway_rows() -> Vec<Row> {
    let of = |number: usize| ["v1", "v2"].map(|version| service(number, version));
    let streams = |kind: &str| [1, 2].map(|weight| stream(kind, weight, true));
    let mut rows = common_rows(true);
    rows.extend([
        row("Service", of(6), Reaches::Hosts(1)),
        added("Service added", service(1_000_000, "v1"), Reaches::Hosts(0)),
        row("tcp rule", streams("tcp"), Reaches::Listeners(1)),
        row("tls rule", streams("tls"), Reaches::Listeners(1)),
    ]);
    rows
}

fn common_rows(at_gateway: bool) -> Vec<Row> {
    let hosts = |version: &str| virtual_service(8, version, at_gateway);
    vec![
        row(
            "EndpointSlice",
            [1, 2].map(|at| slice(5, at)),
            Reaches::Hosts(0),
        ),
        row("VirtualService", ["v1", "v2"].map(hosts), Reaches::Hosts(1)),
        added(
            "VirtualService added",
            virtual_service(13, "v1", at_gateway),
            Reaches::Hosts(1),
        ),
        row(
            "DestinationRule",
            [1, 2].map(|most| destination_rule(12, most)),
            Reaches::Hosts(1),
        ),
        added(
            "DestinationRule added",
            destination_rule(14, 7),
            Reaches::Hosts(1),
        ),
        row("delegate", ["v1", "v2"].map(delegate), Reaches::Hosts(1)),
        row(
            "wildcard",
            ["v1", "v2"].map(|version| wildcard(version, at_gateway)),
            Reaches::Hosts(COVERED),
        ),
        added(
            "wildcard added",
            wildcard("v1", at_gateway),
            Reaches::Hosts(COVERED),
        ),
    ]
}
