//! U1: one changed VirtualService among many, against compiling all.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use meshroute::live::{Changes, LiveRouter, Reach};
use meshroute::resource::{Kind, Resource};
use meshroute::{Proxy, Resources, Router};

use crate::measure::{Pair, Report, alone};

/// A configuration of `n` VirtualServices, one host each, and how a host of it is asked for.
struct Setting {
    what: &'static str,
    proxy: Proxy,
    gateway: &'static str,
    /// Whether each host is a Service.
    services: bool,
}

fn settings() -> [Setting; 2] {
    [
        Setting {
            what: "sidecar, a Service each",
            proxy: Proxy::sidecar("ns0"),
            gateway: "mesh",
            services: true,
        },
        Setting {
            what: "gateway",
            proxy: Proxy::gateway("ns0"),
            gateway: "ns0/edge",
            services: false,
        },
    ]
}

fn host(n: usize) -> String {
    format!("s{n}.ns{}.svc.cluster.local", n % 20)
}

/// The VirtualService of one host, with a few rules; `version` is where the last one leads.
fn virtual_service(n: usize, version: &str, gateway: &str) -> String {
    let host = host(n);
    format!(
        r#"{{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{{"name":"s{n}","namespace":"ns{}"}},"spec":{{"gateways":["{gateway}"],"hosts":["{host}"],"http":[{{"match":[{{"uri":{{"prefix":"/a"}},"headers":{{"x-user":{{"exact":"jane"}}}}}}],"route":[{{"destination":{{"host":"{host}","port":{{"number":80}}}}}}]}},{{"route":[{{"destination":{{"host":"{version}.{host}","port":{{"number":80}}}}}}]}}]}}}}"#,
        n % 20
    )
}

fn resources(setting: &Setting, size: usize) -> Resources {
    let mut all = Resources::new();
    let mut add = |text: &str| {
        let some = Resources::from_json(text).unwrap_or_else(|report| panic!("{report}"));
        all.documents.extend(some.documents);
    };
    let mut out = String::new();
    for n in 0..size {
        // One text has a limit.
        if out.len() > 1_000_000 {
            add(&std::mem::take(&mut out));
        }
        let _ = writeln!(out, "{}", virtual_service(n, "v1", setting.gateway));
        for version in ["", "v1.", "v2."] {
            // Destinations must exist; only the first of the three is asked for.
            if setting.services && (version.is_empty() || n == 0) {
                let _ = writeln!(
                    out,
                    r#"{{"apiVersion":"networking.istio.io/v1","kind":"ServiceEntry","metadata":{{"name":"{version}s{n}","namespace":"ns{}"}},"spec":{{"hosts":["{version}{}"],"ports":[{{"name":"http","number":80,"protocol":"HTTP"}}],"resolution":"STATIC"}}}}"#,
                    n % 20,
                    host(n)
                );
            }
        }
    }
    if !setting.services {
        out += r#"{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"edge","namespace":"ns0"},"spec":{"servers":[{"port":{"number":80,"name":"http","protocol":"HTTP"},"hosts":["*"]}]}}"#;
    }
    add(&out);
    all
}

fn one(text: &str) -> Resource {
    let mut resources = Resources::from_json(text).unwrap_or_else(|report| panic!("{report}"));
    resources.documents.remove(0)
}

fn leads_to(router: &Router, setting: &Setting) -> String {
    let found = router.route_with(&host(0), setting.gateway, 0);
    found.map_or_else(
        |why| why.to_string(),
        |destination| destination.host().to_owned(),
    )
}

/// A DestinationRule of the service of the first host.
fn destination_rule(connections: u32) -> String {
    format!(
        r#"{{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{{"name":"s0","namespace":"ns0"}},"spec":{{"host":"{}","trafficPolicy":{{"connectionPool":{{"tcp":{{"maxConnections":{connections}}}}}}}}}}}"#,
        host(0)
    )
}

/// Nanoseconds that an update took; what it made is asked afterwards.
fn timed(live: &mut LiveRouter, resource: &Resource, version: &str, setting: &Setting) -> f64 {
    let changes = Changes::new().apply(resource.clone());
    let start = Instant::now();
    let update = live.update(changes);
    let cost = start.elapsed().as_nanos() as f64;
    let update = update.unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(update.reach, Reach::VirtualHosts(1));
    let expected = format!("{version}.{}", host(0));
    assert_eq!(leads_to(live.router(), setting), expected);
    cost
}

pub fn measure(report: &mut Report) {
    let sizes: &[usize] = if report.is_test {
        &[1_000]
    } else {
        &[1_000, 10_000, 100_000]
    };
    for setting in settings() {
        for &size in sizes {
            let resources = resources(&setting, size);
            let (mut live, said) = LiveRouter::new(resources, setting.proxy.clone());
            assert!(!said.has_errors(), "{said}");
            let versions = ["v1", "v2"].map(|version| {
                let text = virtual_service(0, version, setting.gateway);
                (version, one(&text))
            });
            let mut turn = 0;
            let changing = alone(report, || {
                turn += 1;
                let (version, resource) = &versions[turn % 2];
                timed(&mut live, resource, version, &setting)
            });
            let adding = alone(report, || {
                let changes = Changes::new().delete(Kind::VirtualService, "ns0", "s0");
                let gone = live.update(changes);
                assert_eq!(
                    gone.map(|update| update.reach).ok(),
                    Some(Reach::VirtualHosts(1))
                );
                let (version, resource) = &versions[0];
                timed(&mut live, resource, version, &setting)
            });
            let ruling = setting.services.then(|| {
                let rules = [10, 20].map(|connections| one(&destination_rule(connections)));
                alone(report, || {
                    turn += 1;
                    let (version, _) = &versions[0];
                    timed(&mut live, &rules[turn % 2], version, &setting)
                })
            });
            // Nobody needs a thousand of these.
            let compiling = (0..3).map(|_| {
                let start = Instant::now();
                let router = black_box(Router::compile(live.mesh(), &setting.proxy));
                let cost = start.elapsed().as_nanos() as f64;
                assert_eq!(
                    leads_to(&router, &setting),
                    leads_to(live.router(), &setting)
                );
                cost
            });
            let compiling = compiling.fold(f64::MAX, f64::min);
            // Where all are compiled within milliseconds, it is enough not to be slower.
            let target = if size < 100_000 { 1.0 } else { 1_000.0 };
            let ruling = ruling.map(|cost| ("DestinationRule", cost));
            for (what, cost) in [("changed", changing), ("added", adding)]
                .into_iter()
                .chain(ruling)
            {
                let pair = Pair {
                    this: cost,
                    that: compiling,
                    ratio: cost / compiling,
                };
                let what = format!("one {what} among {size} ({}), vs compiling", setting.what);
                report.faster("U1", &what, pair, target);
            }
        }
    }
}
