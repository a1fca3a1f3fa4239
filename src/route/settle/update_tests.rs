//! An updated door answers what a door made anew answers, over random sequences of changes.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::compile::Compiled;
use crate::decision::RouteError;
use crate::mesh::Mesh;
use crate::resource::Resources;
use crate::router::{KnownDomains, Router, RouterIds, Tables, Unsettled};
use crate::terms::host;
use crate::terms::proxy::Proxy;

const HOSTS: [&str; 10] = [
    "web.default.svc.cluster.local",
    "det.default.svc.cluster.local",
    "shop.example.com",
    "a.example.com",
    "other.org",
    "b.other.org",
    "*.other.org",
    "*.example.com",
    "*.org",
    "*",
];

/// Services, one of them with a listener of its own; more than a few shared listeners; gateways; wildcards that stay.
const FIXED: &str = r#"
{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"default"},"spec":{"clusterIP":"10.0.0.1","selector":{"app":"web"},"ports":[
  {"name":"http-1","port":81},{"name":"http-2","port":82},{"name":"http-3","port":83},{"name":"http-4","port":84},{"name":"http","port":80}]}}
{"apiVersion":"v1","kind":"Service","metadata":{"name":"det","namespace":"default"},"spec":{"clusterIP":"10.0.0.2","selector":{"app":"det"},"ports":[{"name":"any","port":7777}]}}
{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"one","namespace":"default"},"spec":{"servers":[{"port":{"number":80,"name":"http","protocol":"HTTP"},"hosts":["*"]}]}}
{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"two","namespace":"default"},"spec":{"servers":[{"port":{"number":8080,"name":"http","protocol":"HTTP"},"hosts":["*.example.com","other.org"]}]}}
{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"wild","namespace":"default"},"spec":{"hosts":["*.example.com"],"gateways":["mesh","one","two"],"http":[{"route":[{"destination":{"host":"web","port":{"number":80}}}]}]}}
"#;

/// One VirtualService: which host, at which gateways, with which rules.
#[derive(Clone, Debug, PartialEq)]
struct Written {
    host: usize,
    /// It is for `web` too, and then on all of its ports.
    and_web: bool,
    gateways: &'static str,
    weights: Vec<u32>,
    status: Option<u16>,
    asks: bool,
}

impl Written {
    fn json(&self, number: usize) -> String {
        let host = HOSTS[self.host];
        let and_web = if self.and_web && self.host > 0 && host != "*" {
            r#","web""#
        } else {
            ""
        };
        let destinations: Vec<String> = (0..).zip(&self.weights).map(|(at, weight)| {
            format!(r#"{{"destination":{{"host":"web","port":{{"number":{}}}}},"weight":{weight}}}"#, 80 + at % 5)
        }).collect();
        let action = match self.status {
            Some(status) => format!(r#""directResponse":{{"status":{status}}}"#),
            None => format!(r#""route":[{}]"#, destinations.join(",")),
        };
        let asks = if self.asks {
            r#""match":[{"authority":{"prefix":"W"}}],"#
        } else {
            ""
        };
        format!(
            r#"{{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{{"name":"vs{number}","namespace":"default"}},"spec":{{"hosts":["{host}"{and_web}],"gateways":[{}],"http":[{{{asks}{action}}}]}}}}"#,
            // Nobody may bind all hosts to the mesh.
            if host == "*" {
                r#""one","two""#
            } else {
                self.gateways
            }
        )
    }
}

fn written() -> impl Strategy<Value = Written> {
    let gateways = prop_oneof![
        Just(r#""mesh""#),
        Just(r#""mesh","one""#),
        Just(r#""one","two""#)
    ];
    let weights = prop_oneof![
        proptest::collection::vec(1_u32..4, 1..4),
        proptest::collection::vec(1_u32..4, 9..12)
    ];
    let status = prop_oneof![3 => Just(None), 1 => (200_u16..204).prop_map(Some)];
    (
        0..HOSTS.len(),
        any::<bool>(),
        gateways,
        weights,
        status,
        proptest::bool::weighted(0.15),
    )
        .prop_map(|(host, and_web, gateways, weights, status, asks)| Written {
            host,
            and_web,
            gateways,
            weights,
            status,
            asks,
        })
}

/// `compile` makes a router; all of one test give the clusters the same ids.
fn router(services: &[Option<Written>], compile: &mut dyn FnMut(&Mesh) -> Router) -> Router {
    let written = services.iter().enumerate();
    let written: Vec<String> = written
        .filter_map(|(number, drawn)| Some(drawn.as_ref()?.json(number)))
        .collect();
    let text = format!("{FIXED}\n{}", written.join("\n"));
    let resources = Resources::from_json(&text).unwrap_or_else(|report| panic!("{report}"));
    let mesh = Mesh::resolve(resources).unwrap_or_else(|report| panic!("{report}"));
    compile(&mesh)
}

/// A host, and all other names of it if a service has it.
fn names_of(host: &str) -> Vec<String> {
    if host.starts_with('*') {
        return vec![host.to_owned()];
    }
    let cuts = host.match_indices('.').map(|(at, _)| &host[..at]);
    let short = cuts.filter(|_| host.ends_with(".cluster.local")).take(3);
    let names = short.chain([host]);
    names
        .flat_map(|name| [name.to_owned(), format!("{name}.")])
        .collect()
}

/// The tables of `fresh`, with the arrivals and the door of `before` brought up to date.
fn update<'a>(
    before: &Router,
    fresh: &Router,
    names: impl IntoIterator<Item = &'a str>,
    known: &mut Option<KnownDomains>,
) -> Router {
    let tables = Tables {
        door: before.tables.door.clone(),
        arrivals: before.tables.arrivals.clone(),
        ..(*fresh.tables).clone()
    };
    let domains: BTreeSet<&str> = names.into_iter().collect();
    let changed = Unsettled {
        is_everywhere: domains.contains("*"),
        domains,
        ..Unsettled::default()
    };
    Router::resettled(tables, &changed, known)
}

fn answers(router: &Router) -> Vec<Result<String, RouteError>> {
    let mut out = Vec::new();
    let names = [
        "web",
        "WEB.default:80",
        "det",
        "det.default.svc.",
        "x.example.com",
        "nobody",
    ];
    let hosts = HOSTS.map(|host| host.replace('*', "some"));
    for host in hosts.iter().map(String::as_str).chain(names) {
        for gateway in ["mesh", "one", "default/two"] {
            for word in 0..12_u64 {
                let word = word.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let answer = router.route_with(host, gateway, word);
                out.push(answer.map(|destination| destination.cluster().name().to_owned()));
            }
        }
    }
    out
}

/// A router in which names of clusters have the ids that they had before.
fn compiled(mesh: &Mesh, ids: &mut RouterIds) -> Router {
    let compiled = Compiled::with_ids(mesh, &Proxy::default(), std::mem::take(ids));
    let router;
    (router, *ids) = compiled.into_parts();
    router
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_updated_door_answers_what_a_new_one_does(
        before in proptest::collection::vec(proptest::option::of(written()), 6),
        changes in proptest::collection::vec((0_usize..6, proptest::option::of(written())), 1..12),
    ) {
        let mut services = before;
        let (mut ids, mut known) = Default::default();
        let compile = &mut |mesh: &Mesh| compiled(mesh, &mut ids);
        let mut updated = router(&services, compile);
        for (place, change) in changes {
            let old = std::mem::replace(&mut services[place], change.clone());
            let mut names: Vec<String> = Vec::new();
            for drawn in old.iter().chain(&change) {
                let webs = drawn.and_web.then_some(HOSTS[0]);
                for host in webs.into_iter().chain([HOSTS[drawn.host]]) {
                    names.extend(names_of(host));
                    // A wildcard takes services from the rest.
                    let services = HOSTS[..2].iter().filter(|one| host::fit(host, one).is_some());
                    names.extend(services.flat_map(|one| names_of(one)));
                }
            }
            let fresh = router(&services, compile);
            updated = update(&updated, &fresh, names.iter().map(String::as_str), &mut known);
            prop_assert_eq!(answers(&updated), answers(&fresh));
        }
    }
}

#[test]
fn destinations_that_nothing_names_do_not_pile_up() {
    let service = |weights: &[u32]| {
        Some(Written {
            host: 2,
            and_web: false,
            gateways: r#""one""#,
            weights: weights.to_vec(),
            status: None,
            asks: false,
        })
    };
    let mut ids = Default::default();
    let compile = &mut |mesh: &Mesh| compiled(mesh, &mut ids);
    let first = router(&[service(&[1, 2])], compile);
    let other = router(&[service(&[2, 1])], compile);
    let mut updated = first.clone();
    for turn in 0..100 {
        let fresh = if turn % 2 == 0 { &other } else { &first };
        updated = update(&updated, fresh, ["shop.example.com"], &mut None);
        let count = |router: &Router| router.tables.door.picks.len();
        assert!(count(&updated) <= 2 * count(&first) + 8);
    }
}
