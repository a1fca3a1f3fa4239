//! The simple door is a table of what the full one answers: `route_with` is its definition, whatever host is asked for at
//! whatever gateway, over random configurations.
//!
//! `MESHROUTE_CASES=20 cargo test --release --test random simple_door` runs longer.

use std::collections::BTreeSet;

use meshroute::{Destination, Mesh, Proxy, Request, Resources, RouteError, Router, Severity};
use serde_json::json;

mod definition;

use crate::generate::dice::Dice;
use crate::generate::{GATEWAYS, INSIDE, OUTSIDE, generate, resource};
use crate::spec::Yaml;
use definition::Definition;

fn cases(default: u64) -> u64 {
    let factor = std::env::var("MESHROUTE_CASES")
        .ok()
        .and_then(|factor| factor.parse().ok());
    default * factor.unwrap_or(1)
}

/// Every text of a configuration: hosts, names, ports and what not.
fn texts(value: &Yaml, out: &mut BTreeSet<String>) {
    match value {
        Yaml::String(text) => {
            let name = text.rsplit('/').next().unwrap_or(text);
            if name.len() < 100 && !name.contains(' ') {
                out.insert(name.to_owned());
            }
        }
        Yaml::Array(all) => all.iter().for_each(|value| texts(value, out)),
        Yaml::Object(fields) => fields.values().for_each(|value| texts(value, out)),
        _ => {}
    }
}

/// Ways to write a host, and hosts that are nearly the same.
fn written(dice: &mut Dice, host: &str) -> String {
    let host = host.strip_prefix('*').map_or(host.to_owned(), |suffix| {
        format!("{}{suffix}", dice.pick(&["", "x", "a.b", "shop", "*"]))
    });
    let host = match dice.number(0, 8) {
        0 => host.to_ascii_uppercase(),
        1 => host.replacen(['a', 'o'], "O", 1),
        2 => format!("{host}."),
        3 => format!("x.{host}"),
        4 => format!("x{host}"),
        5 => host.split_once('.').map_or("", |(_, rest)| rest).to_owned(),
        _ => host,
    };
    let port = dice.pick(&["", "", ":80", ":8080", ":x", ":", ":123456", ":80:80"]);
    format!("{host}{port}")
}

/// What the generator does not write: draws of faults, tests of the authority, splits of all sizes into clusters that are there
/// and that are not, services with listeners of their own, many gateways.
fn spiced(dice: &mut Dice, resources: &mut Vec<Yaml>) {
    for service in resources.iter_mut() {
        if service["kind"] != "VirtualService" {
            continue;
        }
        let Some(rules) = service["spec"]["http"].as_array_mut() else {
            continue;
        };
        for rule in rules.iter_mut() {
            if rule["delegate"].is_object() {
                continue;
            }
            if dice.one_in(6) {
                let value = dice.pick(&[0, 50, 100]);
                rule["fault"] =
                    json!({"abort": {"httpStatus": 418, "percentage": {"value": value}}});
            }
            if dice.one_in(5) {
                let host = dice.pick(&["shop.example.com", "other.org", "web"]);
                let mut asked = json!([{"authority": {"exact": host}}]);
                dice.maybe(2, &mut asked[0], "uri", |_| json!({"prefix": "/nowhere"}));
                rule["match"] = asked;
            } else if dice.one_in(2) {
                rule.as_object_mut().expect("a rule").remove("match");
            }
            if rule["route"].is_array() && dice.one_in(3) {
                let count = dice.pick(&[2, 3, 5, 9, 20]);
                let destination = |at: u64, dice: &mut Dice| {
                    let host = dice.pick(&["web", "api.prod.svc.cluster.local", "single"]);
                    let mut destination =
                        json!({"host": host, "port": {"number": dice.pick(&[80, 8080, 80])}});
                    dice.maybe(12, &mut destination, "subset", |_| "v1".into());
                    json!({"destination": destination, "weight": at + dice.number(0, 1)})
                };
                let routes: Vec<Yaml> = (1..=count).map(|at| destination(at, dice)).collect();
                rule["route"] = json!(routes);
            }
        }
    }
    for (name, namespace, address) in [("det", "default", "10.7.0.1"), ("det", "prod", "10.7.0.2")]
    {
        let ports = json!([{"name": "any", "port": 7777}, {"name": "http", "port": 7778}]);
        let spec = json!({"clusterIP": address, "selector": {"app": name}, "ports": ports});
        resources.push(resource("Service", name, namespace, spec));
        let host = format!("{name}.{namespace}.svc.cluster.local");
        let route = json!([{"route": [{"destination": {"host": host, "port": {"number": 7777}}}]}]);
        let spec = json!({"hosts": [host], "http": route});
        if dice.one_in(2) {
            resources.push(resource("VirtualService", name, namespace, spec));
        }
    }
    for number in 0..dice.pick(&[0, 0, 5, 40]) {
        let mut hosts: Vec<&str> = OUTSIDE.to_vec();
        hosts.extend(["*", "*.org", "*e.com"]);
        let (port, protocol) = dice.pick(&[(80, "HTTP"), (8080, "HTTP"), (8443, "HTTPS")]);
        let hosts = dice.some(&hosts, 1, 3);
        let mut server = json!({"port": {"number": port, "name": format!("p{number}"), "protocol": protocol}, "hosts": hosts});
        if protocol == "HTTPS" {
            server["tls"] = json!({"mode": "SIMPLE", "credentialName": "cred"});
        }
        let spec = json!({"selector": {"istio": "ingressgateway"}, "servers": [server]});
        let namespace = dice.pick(&["default", "prod", "istio-system"]);
        resources.push(resource(
            "Gateway",
            &format!("more{number}"),
            namespace,
            spec,
        ));
    }
}

fn answer(result: Result<Destination<'_>, RouteError>) -> Result<String, RouteError> {
    result.map(|destination| destination.cluster().name().to_owned())
}

fn mesh(resources: &[Yaml], config: &Yaml) -> Mesh {
    resolved(resources, config).0
}

/// With the resources that are not refused.
fn resolved(resources: &[Yaml], config: &Yaml) -> (Mesh, Vec<Yaml>) {
    let documents: Vec<String> = resources.iter().map(Yaml::to_string).collect();
    let mut builder = Resources::builder().yaml("resources", documents.join("\n---\n"));
    if config.is_object() {
        builder = builder.mesh_config("mesh", config.to_string());
    }
    let (mesh, report) = Mesh::resolve_lenient(builder.build_lenient().0);
    let errors = report
        .iter()
        .filter(|diagnostic| diagnostic.severity() == Severity::Error);
    let refused: Vec<_> = errors
        .filter_map(|diagnostic| diagnostic.resource())
        .collect();
    let is_admitted = |document: &&Yaml| {
        let meta = &document["metadata"];
        !refused.iter().any(|refused| {
            document["kind"] == *refused.kind
                && meta["name"] == *refused.name
                && meta["namespace"] == *refused.namespace
        })
    };
    let admitted = resources.iter().filter(is_admitted).cloned();
    (mesh, admitted.collect())
}

#[test]
fn the_simple_door_answers_by_its_definition() {
    let (mut found, mut refused, mut kinds) = (0, 0, BTreeSet::new());
    for seed in 0..cases(250) {
        let mut generated = generate(seed);
        let dice = &mut Dice::new(seed ^ 0xD00F);
        spiced(dice, &mut generated.resources);
        let namespace = dice.pick(&["default", "prod", "istio-system"]);
        let proxy = match dice.number(0, 3) {
            0 => Proxy::default(),
            1 => Proxy::gateway(namespace).label("istio", "ingressgateway"),
            2 => Proxy::sidecar(namespace).label("app", "client"),
            _ if generated.proxy["type"] == "gateway" => {
                Proxy::gateway(namespace).label("istio", "ingressgateway")
            }
            _ => Proxy::sidecar(namespace).label("app", "client"),
        };
        if dice.one_in(12) {
            // An open registry.
            generated
                .resources
                .retain(|one| one["kind"] != "Service" && one["kind"] != "ServiceEntry");
        }
        let (mesh, admitted) = resolved(&generated.resources, &generated.mesh);
        let router = Router::compile(&mesh, &proxy);
        let definition = Definition::new(&router, &admitted, &generated.mesh, &proxy);
        let mut hosts: BTreeSet<String> = INSIDE
            .iter()
            .chain(OUTSIDE)
            .map(|host| (*host).to_owned())
            .collect();
        hosts.extend(
            [
                "",
                "[::1]",
                "10.0.0.1",
                "det",
                "det.default",
                "det.prod.svc",
            ]
            .map(str::to_owned),
        );
        for resource in &generated.resources {
            texts(resource, &mut hosts);
        }
        let hosts: Vec<String> = hosts.into_iter().collect();
        let mut gateways: Vec<String> = ["mesh", "mesh", "mesh", "nobody", "default/nobody", ""]
            .map(str::to_owned)
            .to_vec();
        for name in GATEWAYS {
            gateways.push((*name).to_owned());
            gateways.push(name.rsplit('/').next().unwrap_or(name).to_owned());
        }
        for number in 0..40 {
            gateways.push(format!("more{number}"));
            gateways.push(format!("prod/more{number}"));
        }
        let known: Vec<String> = gateways
            .iter()
            .filter(|name| definition.knows(name))
            .cloned()
            .collect();
        for _ in 0..600 {
            let gateway = match known.is_empty() || dice.one_in(20) {
                true => dice.pick(&gateways),
                false => dice.pick(&known),
            };
            let host = dice.pick(&hosts);
            let host = written(dice, &host);
            for word in [dice.number(0, u64::MAX - 1), 0, u64::MAX] {
                let expected = definition.route(&host, &gateway, word);
                let got = answer(router.route_with(&host, &gateway, word));
                assert_eq!(
                    got, expected,
                    "seed {seed}: {host:?} at {gateway:?}, {word:#x}"
                );
                match expected {
                    Ok(_) => found += 1,
                    Err(why) => {
                        refused += 1;
                        kinds.insert(format!("{why:?}"));
                    }
                }
            }
        }
    }
    assert!(found > 9_500 && refused > 10_000, "{found} {refused}");
    assert!(kinds.len() >= 9, "{kinds:?}");
}

#[test]
fn a_router_says_what_each_part_weighs() {
    let weigh = |hosts: usize| {
        let hosts: Vec<String> = (0..hosts)
            .map(|n| format!("host-{n}.example.com"))
            .collect();
        let spec = json!({"hosts": hosts, "http": [{"route": [{"destination": {"host": "web"}}]}]});
        let resources = [resource("VirtualService", "all", "default", spec)];
        let router = Router::compile(&mesh(&resources, &Yaml::Null), &Proxy::sidecar("default"));
        router.memory_usage()
    };
    let (few, many) = (weigh(100), weigh(1_100));
    // A thousand hosts more, which share their rules.
    assert!((30_000..100_000).contains(&(many.simple_door - few.simple_door)));
    assert!((30_000..100_000).contains(&(many.host_tables - few.host_tables)));
    assert!(many.virtual_hosts - few.virtual_hosts > 100_000);
    assert_eq!((many.rules, many.clusters), (few.rules, few.clusters));
    assert!(few.rules > 0 && few.clusters > 0 && few.listeners > 0);
    let sum = few.simple_door + few.host_tables + few.virtual_hosts + few.rules + few.rule_indexes;
    assert_eq!(few.total(), sum + few.clusters + few.listeners);
}

/// Under every policy for unknown hosts, what a service claims is claimed: its virtual host is known by what it is, not by
/// the name of the one that gets the rest (R-H-052).
#[test]
fn r_h_052_services_are_found_whatever_happens_to_unknown_hosts() {
    let service = |name: &str, port: u16| {
        let ports = json!([{"name": "http", "port": port}]);
        let spec = json!({"clusterIP": format!("10.0.0.{}", port % 100), "selector": {"app": name}, "ports": ports});
        resource("Service", name, "default", spec)
    };
    let gateway = json!({"selector": {"istio": "ingressgateway"}, "servers": [
        {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["shop.example.com"]}]});
    let route = json!([{"route": [{"destination": {"host": "zoo", "port": {"number": 9090}}}]}]);
    let shop = json!({"hosts": ["shop.example.com"], "gateways": ["edge"], "http": route});
    let resources = [
        service("web", 80),
        service("cart", 8080),
        service("zoo", 9090),
        resource("Gateway", "edge", "default", gateway),
        resource("VirtualService", "shop", "default", shop),
    ];
    for mode in ["ALLOW_ANY", "REGISTRY_ONLY", "ALLOW_ANY_DYNAMIC_DNS"] {
        let config = json!({"outboundTrafficPolicy": {"mode": mode}});
        let router = Router::compile(&mesh(&resources, &config), &Proxy::default());
        for (host, port) in [
            ("web", 80),
            ("cart", 8080),
            ("zoo", 9090),
            ("zoo.default", 9090),
        ] {
            let name = host.strip_suffix(".default").unwrap_or(host);
            let cluster = format!("outbound|{port}||{name}.default.svc.cluster.local");
            assert_eq!(
                answer(router.route_with(host, "mesh", 1)),
                Ok(cluster),
                "{mode} {host}"
            );
        }
        let request = Request::get("http://shop.example.com/");
        let decision = router.decide(&request, 1);
        let name = decision.cluster().map(|cluster| cluster.name().to_owned());
        let cluster = "outbound|9090||zoo.default.svc.cluster.local";
        assert_eq!(name.as_deref(), Some(cluster), "{mode}");
    }
}
