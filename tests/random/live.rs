//! A router that follows changes == a router compiled anew, over random sequences of changes.
//!
//! `MESHROUTE_LIVE=5000 cargo test --release --test random live` runs longer; `MESHROUTE_SEED=7` starts elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use meshroute::live::{Changes, LiveRouter, Reach};
use meshroute::resource::{Kind, Resource};
use meshroute::router::{ClusterId, RouteConfig};
use meshroute::terms::proxy::ProxyKind;
use meshroute::{Mesh, Proxy, Resources, Router};
use serde_json::json;

#[allow(dead_code, unused_imports)] // each test uses its part
use crate::generate::dice::Dice;
use crate::generate::{Generated, generate_mixed};
use crate::support::Yaml;
use crate::support::case::Call;
use crate::support::engine::ask;

/// Changes of one configuration.
const CHANGES: usize = 8;

/// Hosts that no wildcard of the vocabulary is needed for; full names, so that they mean the same in every namespace.
const EXACT: &[&str] = &[
    "shop.example.com",
    "other.org",
    "api.other.org",
    "a.shop.example.com",
    "web.default.svc.cluster.local",
    "api.prod.svc.cluster.local",
    "single.default.svc.cluster.local",
    "cache.shared.svc.cluster.local",
    "ext.example.com",
    "192.168.7.7",
];

fn read(documents: &[Yaml], mesh: &Yaml) -> Resources {
    let texts: Vec<String> = documents.iter().map(Yaml::to_string).collect();
    let mut builder = Resources::builder().yaml("generated", texts.join("\n---\n"));
    if mesh.is_object() {
        builder = builder.mesh_config("mesh", mesh.to_string());
    }
    let (resources, report) = builder.build_lenient();
    assert!(!report.has_errors(), "{report}");
    resources
}

fn key(document: &Yaml) -> (String, String, String) {
    let text = |value: &Yaml| value.as_str().unwrap_or_default().to_owned();
    let meta = &document["metadata"];
    let of_kubernetes = text(&document["apiVersion"]).starts_with("gateway.networking.k8s.io/");
    let kind = match text(&document["kind"]) {
        kind if kind == "Gateway" && of_kubernetes => KUBERNETES_GATEWAY.to_owned(),
        kind => kind,
    };
    (kind, text(&meta["namespace"]), text(&meta["name"]))
}

fn proxy(generated: &Generated, seed: u64) -> Proxy {
    let said = &generated.proxy;
    let namespace = crate::support::text(said, "namespace");
    let mut proxy = match (seed % 4, crate::support::text(said, "type")) {
        // One that stands for everything: both sides at once.
        (0, _) => return Proxy::default(),
        (_, "gateway") => Proxy::gateway(namespace),
        _ => Proxy::sidecar(namespace),
    };
    proxy = proxy.with_locality("r1/z1");
    for (name, value) in said["labels"].as_object().into_iter().flatten() {
        proxy = proxy.label(name, value.as_str().unwrap_or_default());
    }
    proxy
}

/// What one step of a sequence changes: documents that come or go, all of one kind.
struct Change {
    kind: &'static str,
    documents: Vec<(Yaml, bool)>,
    /// Settings that come.
    mesh: Yaml,
}

/// A Gateway of the Gateway API.
const KUBERNETES_GATEWAY: &str = "Gateway of Kubernetes";

/// Kinds of changes, the commoner ones several times.
const KINDS: [&str; 29] = [
    KUBERNETES_GATEWAY,
    "ListenerSet",
    "ReferenceGrant",
    "BackendTLSPolicy",
    "HTTPRoute",
    "HTTPRoute",
    "HTTPRoute",
    "GRPCRoute",
    "TCPRoute",
    "TLSRoute",
    "Node",
    "Pod",
    "PeerAuthentication",
    "Gateway",
    "MeshConfig",
    "Sidecar",
    "Service",
    "Service",
    "ServiceEntry",
    "EndpointSlice",
    "EndpointSlice",
    "DestinationRule",
    "DestinationRule",
    "DestinationRule",
    "VirtualService",
    "VirtualService",
    "VirtualService",
    "VirtualService",
    "VirtualService",
];

fn step(dice: &mut Dice, present: &BTreeMap<(String, String, String), Yaml>, seed: u64) -> Change {
    let kind = dice.pick(&KINDS);
    // Some kinds are in some configurations only.
    let sources = (0..40).map(|more| generate_mixed(seed + more * 7_919));
    let mut change = Change {
        kind,
        documents: Vec::new(),
        mesh: Yaml::Null,
    };
    let make = match kind {
        "EndpointSlice" => Some(endpoints as fn(&mut Dice) -> Yaml),
        "Node" => Some(node as _),
        "Pod" => Some(pod as _),
        "PeerAuthentication" => Some(peer_authentication as _),
        _ => None,
    };
    if let Some(make) = make {
        let comes = !dice.one_in(8);
        change.documents.push((make(dice), comes));
        return change;
    }
    if kind == "MeshConfig" {
        let settings = sources.map(|source| source.mesh);
        let mut some = settings.filter(|mesh| mesh.as_object().is_some_and(|it| !it.is_empty()));
        change.mesh = some.next().unwrap_or(json!({}));
        return change;
    }
    let of_kind = |document: &&Yaml| key(document).0 == kind;
    let known: Vec<Yaml> = present.values().filter(of_kind).cloned().collect();
    let new = sources.map(|source| -> Vec<Yaml> {
        let all = source.resources.iter();
        all.filter(of_kind).cloned().collect()
    });
    let new = { new }.find(|some| !some.is_empty()).unwrap_or_default();
    for _ in 0..dice.number(1, 2) {
        match dice.number(0, 5) {
            0 | 1 if !known.is_empty() => change.documents.push((dice.pick(&known), false)),
            // What another one says under a name that is there.
            2 | 3 if !known.is_empty() && !new.is_empty() => {
                let mut document = dice.pick(&new);
                document["metadata"] = dice.pick(&known)["metadata"].clone();
                change.documents.push((document, true));
            }
            _ if !new.is_empty() => change.documents.push((dice.pick(&new), true)),
            _ => {}
        }
    }
    change
}

/// Whether a change of this kind may reach everything: settings, Gateways, Sidecars and PeerAuthentications; of
/// services the first one and the last
/// one, those that a gateway workload stands behind, and one that a Sidecar sends unknown traffic to.
fn may_reach_everything(
    kind: &str,
    proxy: &Proxy,
    [before, after]: [&BTreeMap<(String, String, String), Yaml>; 2],
) -> bool {
    let makes_services = |kind: &str| ["Service", "ServiceEntry"].contains(&kind);
    let all = || before.values().chain(after.values());
    let is_there = |present: &BTreeMap<_, Yaml>| {
        let mut kinds = present.values().map(|one| one["kind"].as_str());
        kinds.any(|kind| kind.is_some_and(makes_services))
    };
    let has = |field: &str| all().any(|one| !one["spec"][field].is_null());
    match kind {
        "Gateway" | "Sidecar" | "MeshConfig" | "PeerAuthentication" => true,
        KUBERNETES_GATEWAY | "ListenerSet" | "ReferenceGrant" | "BackendTLSPolicy" => true,
        // What policies are merged with, and what routes ask for.
        "DestinationRule" if all().any(|one| one["kind"] == "BackendTLSPolicy") => true,
        "Service" | "ServiceEntry" if all().any(is_of_gateway_api) => true,
        _ => {
            is_there(before) != is_there(after)
                || (makes_services(kind) && proxy.kind() != ProxyKind::Sidecar && has("servers"))
                || (has("outboundTrafficPolicy") && proxy.kind() != ProxyKind::Gateway)
        }
    }
}

fn is_of_gateway_api(document: &Yaml) -> bool {
    let version = document["apiVersion"].as_str();
    version.is_some_and(|version| version.starts_with("gateway.networking.k8s.io/"))
}

/// A node in some zone.
fn node(dice: &mut Dice) -> Yaml {
    let zone = dice.pick(&["z1", "z2", ""]);
    let labels =
        json!({"topology.kubernetes.io/region": "r1", "topology.kubernetes.io/zone": zone});
    let name = dice.pick(&["node0", "node1"]);
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
}

/// A pod that slices list.
fn pod(dice: &mut Dice) -> Yaml {
    let labels = json!({
        "app": "web",
        "version": dice.pick(&["v1", "v2"]),
        "security.istio.io/tlsMode": dice.pick(&["istio", "disabled"]),
    });
    let namespace = dice.pick(&["default", "prod"]);
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web-0", "namespace": namespace, "labels": labels},
        "spec": {"nodeName": dice.pick(&["node0", "node1"]), "serviceAccountName": dice.pick(&["a", "b"])},
        "status": {"phase": "Running", "podIP": "10.9.0.1"},
    })
}

fn peer_authentication(dice: &mut Dice) -> Yaml {
    let mut spec = json!({"mtls": {"mode": dice.pick(&["STRICT", "DISABLE", "UNSET"])}});
    if dice.one_in(2) {
        spec["selector"] = json!({"matchLabels": {"app": "web"}});
        spec["portLevelMtls"] = json!({"80": {"mode": "DISABLE"}});
    }
    json!({
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "peers", "namespace": dice.pick(&["default", "prod", "istio-system"])},
        "spec": spec,
    })
}

/// Endpoints of a service, as a slice of their own or in a ServiceEntry.
fn endpoints(dice: &mut Dice) -> Yaml {
    let address = |dice: &mut Dice| format!("10.9.0.{}", dice.number(1, 3));
    if dice.one_in(3) {
        let endpoints =
            json!([{"address": address(dice), "labels": {"version": dice.pick(&["v1", "v2"])}}]);
        return crate::generate::resource(
            "ServiceEntry",
            "ext",
            dice.pick(&["default", "prod"]),
            json!({
                "hosts": ["ext.example.com"],
                "location": "MESH_EXTERNAL",
                "resolution": dice.pick(&["STATIC", "DNS"]),
                "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
                "endpoints": endpoints,
            }),
        );
    }
    let (name, namespace, port) = dice.pick(&[
        ("web", "default", 80),
        ("web", "prod", 80),
        ("single", "default", 8080),
        ("cache", "shared", 80),
    ]);
    let mut ready: Vec<Yaml> = (0..dice.number(0, 2))
        .map(|_| json!({"addresses": [address(dice)], "conditions": {"ready": true}}))
        .collect();
    if name == "web" && dice.one_in(2) {
        ready.push(
            json!({"addresses": ["10.9.0.1"], "targetRef": {"kind": "Pod", "name": "web-0"}}),
        );
    }
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": format!("{name}-0"), "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": ready,
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
    })
}

/// Every virtual host of a route configuration, in an order of its own.
fn dump(router: &Router, config: &RouteConfig) -> Vec<String> {
    let host = |host: &meshroute::router::VirtualHost| {
        let domains: BTreeSet<&str> = host.domains().collect();
        let rules = format!("{:#?}", host.rules());
        // The thread that uses a regex is no part of it.
        let rules = rules
            .lines()
            .filter(|line| !line.trim_start().starts_with("owner: "));
        let rules: Vec<String> = rules.map(|line| with_cluster(router, line)).collect();
        format!(
            "{} {domains:?} {} {}",
            host.name(),
            host.requires_tls(),
            rules.join("\n")
        )
    };
    let mut all: Vec<String> = config.virtual_hosts().map(host).collect();
    all.sort();
    all
}

/// A line of a dump, with a cluster in place of its id: ids are each router's own.
fn with_cluster(router: &Router, line: &str) -> String {
    let Some((before, id)) = line.split_once("ClusterId(") else {
        return line.to_owned();
    };
    let number = id
        .trim_end_matches(['(', ')', ','])
        .parse()
        .expect("a number");
    let cluster = router.cluster(ClusterId::from_number(number));
    let cluster = cluster.expect("a cluster of this router");
    let endpoints: Vec<_> = cluster.endpoints().collect();
    let (exists, policy) = (cluster.exists(), cluster.traffic_policy());
    let (name, labels) = (cluster.name(), cluster.labels());
    format!("{before}{name} {exists} {labels} {policy:#?} {endpoints:#?}")
}

fn calls(generated: &Generated) -> Vec<Call> {
    let mut requests = generated.requests.clone();
    let hosts = EXACT.iter().copied();
    let more = [
        "web",
        "web.prod",
        "web.default.svc",
        "x.shop.example.com",
        "partner.example.org",
        "nobody.net",
        "10.0.0.1",
    ];
    for host in hosts.chain(more) {
        for port in [80, 8080, 443, 8443, 9000] {
            requests.push(json!({"host": host, "port": port, "method": "GET", "path": "/"}));
            requests
                .push(json!({"host": host, "port": port, "tls": "tls", "sni": host, "path": "/"}));
        }
    }
    let call = |request: &Yaml| Call {
        name: String::new(),
        request: request.clone(),
        expect: Yaml::Null,
    };
    requests.iter().map(call).collect()
}

/// All that is known of each cluster that exists, by name.
fn clusters(router: &Router) -> BTreeMap<String, String> {
    let existing = router.clusters().filter(|(_, cluster)| cluster.exists());
    let said = existing.map(|(_, cluster)| {
        let groups = cluster.endpoint_set().groups();
        let groups: Vec<_> = groups
            .map(|group| (format!("{group:?}"), group.endpoints().collect::<Vec<_>>()))
            .collect();
        let all = cluster.endpoints().count();
        let text = format!(
            "{:?} {:?} {:?} {:?} {} {groups:?} {all}",
            cluster.settings(),
            cluster.tls(),
            cluster.proxy_protocol(),
            cluster.destination_rule(),
            cluster.labels(),
        );
        (cluster.name().to_owned(), text)
    });
    said.collect()
}

/// Asks both routers everything; panics where they differ.
fn compare(seed: u64, step: usize, live: &Router, anew: &Router, calls: &[Call]) {
    let (these, those) = (clusters(live), clusters(anew));
    for name in these.keys().chain(those.keys()) {
        let (this, that) = (these.get(name), those.get(name));
        assert_eq!(this, that, "seed {seed}, step {step}: {name}");
    }
    let mut compared = BTreeSet::new();
    for call in calls {
        let (this, that) = (ask(live, call, seed), ask(anew, call, seed));
        assert_eq!(this, that, "seed {seed}, step {step}: {}", call.request);
        let host = crate::support::text(&call.request, "host");
        for gateway in ["mesh", "gw0", "default/gw0", "gw1", "gw2"] {
            let (this, that) = (
                live.route_with(host, gateway, seed),
                anew.route_with(host, gateway, seed),
            );
            assert_eq!(
                this.map(|decision| decision.record()),
                that.map(|decision| decision.record()),
                "seed {seed}, step {step}: {host} at {gateway}"
            );
        }
        let port = call.request["port"].as_u64().unwrap_or(80) as u16;
        for gateway in ["mesh", "gw0", "gw1", "gw2"] {
            let request = meshroute::Request::get("/")
                .authority(host)
                .port(port)
                .gateway(gateway);
            let (this, that) = (live.decide(&request, 0), anew.decide(&request, 0));
            let (Some(this), Some(that)) = (this.route_config(), that.route_config()) else {
                continue;
            };
            if compared.insert((gateway, this.name().to_owned())) {
                let only = |ours: &[String], theirs: &[String]| -> Vec<String> {
                    let ours = ours.iter();
                    ours.filter(|host| !theirs.contains(host))
                        .cloned()
                        .collect()
                };
                let (ours, theirs) = (dump(live, this), dump(anew, that));
                let (more, fewer) = (only(&ours, &theirs), only(&theirs, &ours));
                assert!(
                    more.is_empty() && fewer.is_empty(),
                    "seed {seed}, step {step}: {}\nlive only: {}\nanew only: {}",
                    this.name(),
                    more.join("\n"),
                    fewer.join("\n")
                );
            }
        }
    }
}

#[test]
fn following_changes_is_compiling_anew() {
    let number = |name: &str, default: u64| {
        let said = std::env::var(name).ok().and_then(|text| text.parse().ok());
        said.unwrap_or(default)
    };
    let (first, count) = (number("MESHROUTE_SEED", 1), number("MESHROUTE_LIVE", 40));
    let mut reaches: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for seed in first..first + count {
        let mut generated = generate_mixed(seed);
        let calls = calls(&generated);
        let proxy = proxy(&generated, seed);
        let dice = &mut Dice::new(seed ^ 0xFACADE);
        let mut present: BTreeMap<_, Yaml> = generated
            .resources
            .iter()
            .map(|document| (key(document), document.clone()))
            .collect();
        let all = |present: &BTreeMap<_, Yaml>, mesh: &Yaml| {
            let documents: Vec<Yaml> = present.values().cloned().collect();
            read(&documents, mesh)
        };
        let (mut live, _) = LiveRouter::new(all(&present, &generated.mesh), proxy.clone());
        for at in 0..CHANGES {
            let change = step(dice, &present, seed * 1000 + at as u64);
            let kind = change.kind;
            let mut changes = Changes::new().apply_all(read(&[], &change.mesh));
            let mut after = present.clone();
            for (document, comes) in &change.documents {
                let (kind, namespace, name) = key(document);
                if *comes {
                    changes = changes.apply_all(read(std::slice::from_ref(document), &Yaml::Null));
                    after.insert((kind, namespace, name), document.clone());
                } else {
                    changes = changes.delete(kind_of(&kind), &namespace, &name);
                    after.remove(&(kind, namespace, name));
                }
            }
            let reach = match live.update(changes) {
                Ok(update) => {
                    let before = std::mem::replace(&mut present, after);
                    if change.mesh.is_object() {
                        generated.mesh = change.mesh;
                    }
                    match update.reach {
                        Reach::VirtualHosts(0) => "nothing",
                        Reach::VirtualHosts(_) => "virtual hosts",
                        Reach::Listeners(_) => "listeners",
                        _ => {
                            // A cap on its visibility depends on the labels of its namespace.
                            let is_capped = generated.mesh["serviceEntryVisibility"].is_object()
                                && change
                                    .documents
                                    .iter()
                                    .any(|(one, _)| one["kind"] == "ServiceEntry");
                            let documents = change.documents.iter();
                            let mut kinds: Vec<String> =
                                documents.map(|(document, _)| key(document).0).collect();
                            kinds.push(kind.to_owned());
                            let may = |kind: &String| {
                                may_reach_everything(kind, &proxy, [&before, &present])
                            };
                            assert!(
                                is_capped || kinds.iter().any(may),
                                "seed {seed}, step {at}: a change of {kind} reached everything"
                            );
                            "router"
                        }
                    }
                }
                Err(report) => {
                    assert!(report.has_errors());
                    "refused"
                }
            };
            *reaches.entry((kind, reach)).or_default() += 1;
            let (mesh, _) = Mesh::resolve_lenient(all(&present, &generated.mesh));
            compare(
                seed,
                at,
                live.router(),
                &Router::compile(&mesh, &proxy),
                &calls,
            );
        }
    }
    eprintln!("{reaches:?}");
    // What changes nothing or is refused proves little: there is enough else.
    let followed = |kind: &&str| {
        let mut counts = reaches.iter();
        counts.any(|((of, reach), _)| of == kind && !["nothing", "refused"].contains(reach))
    };
    let few = count < 20;
    let kinds: BTreeSet<&str> = KINDS.into_iter().collect();
    // What an EndpointSlice, a Pod or a Node changes is mostly a cluster alone; of routes, HTTPRoutes attach often enough.
    let seldom = [
        "EndpointSlice",
        "Pod",
        "Node",
        "GRPCRoute",
        "TCPRoute",
        "TLSRoute",
    ];
    let mut all = kinds.iter().filter(|kind| !seldom.contains(kind));
    assert!(few || all.all(followed), "{reaches:?}");
}

fn kind_of(kind: &str) -> Kind {
    let mut all = Kind::ALL.iter().copied();
    let named = match kind {
        KUBERNETES_GATEWAY => Some(Kind::KubernetesGateway),
        kind => all.find(|known| known.as_str() == kind),
    };
    named.unwrap_or_else(|| panic!("{kind}"))
}

const SHOP: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec: {hosts: [shop.example.com], http: [{route: [{destination: {host: cart}}]}]}
";

#[test]
fn a_refused_change_changes_nothing() {
    let (mut live, report) =
        LiveRouter::new(Resources::from_yaml(SHOP).expect("valid"), Proxy::default());
    assert!(report.is_empty(), "{report}");
    let goes_to = |live: &LiveRouter| {
        let found = live.router().route_with("shop.example.com", "mesh", 0);
        found.expect("routed").host().to_owned()
    };
    for (bad, delegates) in [
        (SHOP.replace("host: cart", "host: ''"), false),
        (
            SHOP.replace("hosts: [shop.example.com]", "hosts: ['']"),
            true,
        ),
    ] {
        let good = SHOP
            .replace("name: shop", "name: other")
            .replace("shop.example.com", "other.example.com");
        let (resources, _) = Resources::builder()
            .yaml("bad", format!("{good}---{bad}"))
            .build_lenient();
        let mut changes = Changes::new().apply_all(resources);
        if delegates {
            // A change of another kind takes the way through everything.
            let gateway = "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: g, namespace: default}, spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}}";
            changes = changes.apply_all(Resources::from_yaml(gateway).expect("valid"));
        }
        let report = live.update(changes).expect_err("invalid");
        assert!(report.has_errors());
        assert_eq!(goes_to(&live), "cart.default.svc.cluster.local");
        assert!(
            live.router()
                .route_with("other.example.com", "mesh", 0)
                .is_err()
        );
    }
    // And what came before goes on.
    let good = SHOP.replace("host: cart", "host: basket");
    let update = live.update(Changes::new().apply_all(Resources::from_yaml(&good).expect("valid")));
    assert_eq!(update.expect("valid").reach, Reach::VirtualHosts(1));
    assert_eq!(goes_to(&live), "basket.default.svc.cluster.local");
}

#[test]
fn the_last_word_on_a_resource_counts() {
    let (mut live, _) = LiveRouter::new(Resources::new(), Proxy::default());
    let resources = Resources::from_yaml(SHOP).expect("valid");
    let shop: Resource = resources.documents[0].clone();
    let changes = Changes::new()
        .apply(shop.clone())
        .delete(Kind::VirtualService, "default", "shop")
        .delete(Kind::VirtualService, "default", "nobody");
    live.update(changes).expect("valid");
    assert!(
        live.router()
            .route_with("shop.example.com", "mesh", 0)
            .is_err()
    );
    let changes = Changes::new()
        .delete(Kind::VirtualService, "default", "shop")
        .apply(shop);
    live.update(changes).expect("valid");
    assert!(
        live.router()
            .route_with("shop.example.com", "mesh", 0)
            .is_ok()
    );
}

#[test]
fn wildcard_hosts_of_gateways_are_followed() {
    let gateway = "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}
---";
    let service = |name: &str, host: &str, to: &str| {
        SHOP.replace("name: shop", &format!("name: {name}"))
            .replace(
                "hosts: [shop.example.com]",
                &format!("gateways: [edge], hosts: ['{host}']"),
            )
            .replace("host: cart", &format!("host: {to}"))
    };
    let read = |text: &str| Resources::from_yaml(text).expect("valid");
    let first = service("exact", "shop.example.com", "cart");
    for proxy in [Proxy::default(), Proxy::gateway("default")] {
        let (mut live, _) = LiveRouter::new(read(&format!("{gateway}{first}")), proxy);
        let leads_to = |live: &LiveRouter, host: &str| {
            let found = live.router().route_with(host, "edge", 0);
            found.map_or_else(
                |why| why.to_string(),
                |destination| destination.host().to_owned(),
            )
        };
        let nowhere = leads_to(&live, "blog.example.com");
        let steps = [
            (
                service("wild", "*.example.com", "blog"),
                "blog.default.svc.cluster.local",
            ),
            (
                service("wild", "*.example.com", "wiki"),
                "wiki.default.svc.cluster.local",
            ),
            (service("all", "*", "all"), "wiki.default.svc.cluster.local"),
        ];
        for (text, expected) in steps {
            let update = live
                .update(Changes::new().apply_all(read(&text)))
                .expect("valid");
            assert_eq!(update.reach, Reach::VirtualHosts(1));
            assert_eq!(leads_to(&live, "blog.example.com"), expected);
            assert_eq!(
                leads_to(&live, "shop.example.com"),
                "cart.default.svc.cluster.local"
            );
        }
        let mut delete = |name: &str| {
            let gone = Changes::new().delete(Kind::VirtualService, "default", name);
            let update = live.update(gone).expect("valid");
            assert_eq!(update.reach, Reach::VirtualHosts(1));
            leads_to(&live, "blog.example.com")
        };
        assert_eq!(delete("wild"), "all.default.svc.cluster.local");
        assert_eq!(delete("all"), nowhere);
    }
}

#[test]
fn an_update_tells_what_was_noticed_about_what_came() {
    let (mut live, _) = LiveRouter::new(Resources::new(), Proxy::default());
    let text = SHOP.replace(
        "http: [{",
        "http: [{route: [{destination: {host: first}}]}, {",
    );
    let odd =
        format!("{text}---\n{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: s}}}}\n");
    let resources = Resources::from_yaml(&odd).expect("valid");
    let noticed = resources.notes.len();
    let update = live
        .update(Changes::new().apply_all(resources))
        .expect("valid");
    // The second rule can never be reached.
    assert!(
        update.report.warnings().next().is_some(),
        "{}",
        update.report
    );
    assert!(update.report.len() > noticed && noticed > 0, "{noticed}");
}

#[test]
fn a_gateway_that_is_named_twice_is_bound_once() {
    let gateway = "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}
---";
    let twice = SHOP.replace(
        "hosts: [shop.example.com]",
        "gateways: [edge, default/edge], hosts: [shop.example.com]",
    );
    let read = |text: &str| Resources::from_yaml(text).expect("valid");
    let resources = read(&format!("{gateway}{twice}"));
    let (mut live, _) = LiveRouter::new(resources, Proxy::gateway("default"));
    let rules = |router: &Router| {
        let request = meshroute::Request::get("/").authority("shop.example.com");
        let decision = router.decide(&request.port(80).gateway("edge"), 0);
        let config = decision.route_config().expect("routed");
        let hosts = config.virtual_hosts();
        hosts.map(|host| host.rules().len()).collect::<Vec<_>>()
    };
    assert_eq!(rules(live.router()), [1]);
    let changed = read(&twice.replace("host: cart", "host: basket"));
    live.update(Changes::new().apply_all(changed))
        .expect("valid");
    assert_eq!(rules(live.router()), [1]);
}
