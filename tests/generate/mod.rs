//! Random configurations and requests from a small vocabulary, so that names, hosts, ports and paths collide all the time.
//! Everything that comes out is meant to be accepted by Istio's admission.

use serde_json::json;

use dice::Dice;
use rules::Side;

pub mod connections;
pub mod dice;
pub mod gateway_api;
pub mod proxies;
pub mod rules;

/// A YAML value as written.
pub type Yaml = serde_json::Value;

/// A configuration, a proxy and requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    pub resources: Vec<Yaml>,
    pub mesh: Yaml,
    pub proxy: Yaml,
    pub requests: Vec<Yaml>,
}

pub const NAMESPACES: &[&str] = &["default", "prod", "shared"];

/// Hosts that no service has.
pub const OUTSIDE: &[&str] = &[
    "shop.example.com",
    "*.shop.example.com",
    "*.example.com",
    "Mixed.Example.com",
    "other.org",
    "api.other.org",
];

/// Hosts of services: short, full, wrong, and of ServiceEntries.
pub const INSIDE: &[&str] = &[
    "web",
    "web.default.svc.cluster.local",
    "web.prod.svc.cluster.local",
    "api.prod.svc.cluster.local",
    "single",
    "single.default.svc.cluster.local",
    "cache.shared.svc.cluster.local",
    "ext.example.com",
    "Partner.Example.org",
    "odd",
    "plain.prod.svc.cluster.local",
    "UPPER.ext.test",
    "bare",
];

pub const GATEWAYS: &[&str] = &["default/gw0", "istio-system/gw1", "prod/gw2"];

/// The configuration and the requests of a seed, every third one with resources of the Gateway API beside the others.
pub fn generate_mixed(seed: u64) -> Generated {
    let mut generated = generate(seed);
    if seed.is_multiple_of(3) {
        gateway_api::add(&mut Dice::new(!seed), &mut generated);
    }
    generated
}

/// The configuration and the requests of a seed.
pub fn generate(seed: u64) -> Generated {
    let dice = &mut Dice::new(seed);
    let is_gateway = dice.one_in(2);
    let mut resources = services(dice);
    resources.extend(service_entries(dice));
    resources.extend(destination_rules(dice));
    if is_gateway {
        resources.extend(proxies::gateways(dice));
    } else if dice.one_in(3) {
        resources.extend(proxies::sidecars(dice));
    }
    let side = if is_gateway {
        Side::Gateway
    } else {
        Side::Mesh
    };
    resources.extend(virtual_services(dice, side));
    for resource in &mut resources {
        if !dice.one_in(5) {
            let second = dice.number(0, 6);
            resource["metadata"]["creationTimestamp"] =
                format!("2026-01-01T00:00:0{second}Z").into();
        }
    }
    let mut resources = dice.shuffled(&resources);
    let proxy = if is_gateway {
        json!({
            "type": "gateway",
            "namespace": dice.pick(&["istio-system", "default", "prod"]),
            "labels": {"istio": "ingressgateway"},
        })
    } else {
        json!({
            "type": "sidecar",
            "namespace": dice.pick(&["default", "prod"]),
            "labels": {"app": "client", "version": "v1"},
        })
    };
    let requests = (0..dice.number(8, 16))
        .map(|_| match dice.one_in(4) {
            true => connections::connection(dice, side),
            false => rules::request(dice, side),
        })
        .collect();
    let mut mesh = mesh(dice);
    cap_visibility(
        &mut Dice::new(seed.rotate_left(32)),
        &mut mesh,
        &mut resources,
    );
    Generated {
        resources,
        mesh,
        proxy,
        requests,
    }
}

fn mesh(dice: &mut Dice) -> Yaml {
    let mut mesh = json!({});
    dice.maybe(
        8,
        &mut mesh,
        "outboundTrafficPolicy",
        |dice| json!({"mode": dice.pick(&["REGISTRY_ONLY", "ALLOW_ANY_DYNAMIC_DNS"])}),
    );
    dice.maybe(16, &mut mesh, "defaultVirtualServiceExportTo", |_| {
        json!(["."])
    });
    dice.maybe(16, &mut mesh, "defaultDestinationRuleExportTo", |_| {
        json!(["."])
    });
    dice.maybe(16, &mut mesh, "defaultServiceExportTo", |_| json!(["."]));
    dice.maybe(12, &mut mesh, "rootNamespace", |dice| {
        dice.pick(NAMESPACES).into()
    });
    dice.maybe(12, &mut mesh, "pathNormalization", |dice| {
        let mode = dice.pick(&["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]);
        json!({"normalization": mode})
    });
    dice.maybe(6, &mut mesh, "defaultConfig", |dice| {
        let details = dice.pick(&["SANITIZE", "FORWARD_ONLY", "ALWAYS_FORWARD_ONLY"]);
        let hops = dice.number(0, 3);
        let mut config = json!({
            "gatewayTopology": {"numTrustedProxies": hops, "forwardClientCertDetails": details},
        });
        dice.maybe(2, &mut config, "proxyHeaders", |dice| {
            let mut headers = json!({});
            for name in ["attemptCount", "envoyDebugHeaders"] {
                dice.maybe(
                    2,
                    &mut headers,
                    name,
                    |dice| json!({"disabled": dice.one_in(2)}),
                );
            }
            for name in ["xForwardedHost", "xForwardedPort"] {
                dice.maybe(
                    2,
                    &mut headers,
                    name,
                    |dice| json!({"enabled": !dice.one_in(4)}),
                );
            }
            headers
        });
        dice.maybe(2, &mut config, "connectionSettings", |dice| {
            let mut settings = json!({});
            dice.maybe(3, &mut settings, "profile", |dice| {
                dice.pick(&["EDGE", "SIDECAR"]).into()
            });
            dice.maybe(2, &mut settings, "httpMergeSlashes", |dice| {
                dice.one_in(2).into()
            });
            dice.maybe(
                2,
                &mut settings,
                "httpPathWithEscapedSlashesAction",
                |dice| {
                    let actions = [
                        "KEEP_UNCHANGED",
                        "REJECT_REQUEST",
                        "UNESCAPE_AND_REDIRECT",
                        "UNESCAPE_AND_FORWARD",
                    ];
                    dice.pick(&actions).into()
                },
            );
            dice.maybe(
                2,
                &mut settings,
                "httpHeadersWithUnderscoresAction",
                |dice| {
                    let action = dice.pick(&["ALLOW", "REJECT_REQUEST", "DROP_HEADER"]);
                    format!("HEADERS_WITH_UNDERSCORES_{action}").into()
                },
            );
            settings
        });
        config
    });
    dice.maybe(
        12,
        &mut mesh,
        "defaultHttpRetryPolicy",
        |_| json!({"attempts": 5, "retryOn": "5xx"}),
    );
    if mesh.as_object().is_some_and(|mesh| mesh.is_empty()) {
        Yaml::Null
    } else {
        mesh
    }
}

/// Once in ten times the mesh caps who sees ServiceEntries.
fn cap_visibility(dice: &mut Dice, mesh: &mut Yaml, resources: &mut Vec<Yaml>) {
    if !dice.one_in(10) {
        return;
    }
    let cap = |dice: &mut Dice| dice.pick(&["PUBLIC", "NAMESPACE", "NONE"]);
    let rule = |dice: &mut Dice| {
        let name = dice.pick(NAMESPACES);
        let team = dice.pick(&["a", "b"]);
        dice.pick(&[
            json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}),
            json!({"namespaceSelector": {"matchLabels": {"team": team}}}),
            json!({"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}}),
            json!({"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": [team]}]}}),
            json!({"namespaceSelector": {}}),
            json!({}),
        ])
    };
    let policies: Vec<Yaml> = (0..dice.number(0, 2))
        .map(|_| {
            let rules: Vec<Yaml> = (0..dice.number(0, 2)).map(|_| rule(dice)).collect();
            json!({"visibility": cap(dice), "matchingRules": rules})
        })
        .collect();
    if mesh.is_null() {
        *mesh = json!({});
    }
    mesh["serviceEntryVisibility"] = json!({
        "applyToSidecars": !dice.one_in(4),
        "defaultVisibility": cap(dice),
        "policies": policies,
    });
    for name in dice.some(NAMESPACES, 0, 2) {
        let labels = json!({"team": dice.pick(&["a", "b"])});
        resources.push(json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels},
        }));
    }
}

/// A document.
pub fn resource(kind: &str, name: &str, namespace: &str, spec: Yaml) -> Yaml {
    let group = if kind == "Service" {
        "v1"
    } else {
        "networking.istio.io/v1"
    };
    json!({"apiVersion": group, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

fn services(dice: &mut Dice) -> Vec<Yaml> {
    type Ports = &'static [(&'static str, u64)];
    let known: &[(&str, &str, &str, Ports)] = &[
        ("web", "default", "10.0.0.1", &[("http", 80)]),
        ("web", "prod", "10.0.0.2", &[("http", 80)]),
        (
            "api",
            "prod",
            "10.0.0.3",
            &[("http", 80), ("http-alt", 8080)],
        ),
        ("single", "default", "10.0.0.4", &[("http", 8080)]),
        (
            "cache",
            "shared",
            "10.0.0.5",
            &[("http", 80), ("tcp-sync", 7000)],
        ),
    ];
    let mut out = Vec::new();
    for (name, namespace, address, ports) in known {
        if dice.one_in(12) {
            continue;
        }
        let ports: Vec<Yaml> = ports
            .iter()
            .map(|(name, port)| json!({"name": name, "port": port, "targetPort": port, "protocol": "TCP"}))
            .collect();
        let spec = json!({"clusterIP": address, "selector": {"app": name}, "ports": ports});
        let mut service = resource("Service", name, namespace, spec);
        if dice.one_in(10) {
            let to = dice.pick(&[".", "default", "*", "~", "prod,default"]);
            service["metadata"]["annotations"] = json!({"networking.istio.io/exportTo": to});
        }
        out.push(service);
    }
    for (name, namespace, address, port_name, port) in connections::SERVICES {
        let ports =
            json!([{"name": port_name, "port": port, "targetPort": port, "protocol": "TCP"}]);
        let spec = json!({"clusterIP": address, "selector": {"app": name}, "ports": ports});
        out.push(resource("Service", name, namespace, spec));
    }
    out
}

fn service_entries(dice: &mut Dice) -> Vec<Yaml> {
    let mut out = Vec::new();
    for (name, host) in [
        ("ext", "ext.example.com"),
        ("partner", "Partner.Example.org"),
        ("wild", "*.wild.example.com"),
    ] {
        for namespace in dice.some(NAMESPACES, 0, 1) {
            let mut spec = json!({
                "hosts": [host],
                "location": "MESH_EXTERNAL",
                "resolution": if host.starts_with('*') { "NONE" } else { "STATIC" },
                "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
            });
            if !host.starts_with('*') {
                spec["endpoints"] = json!([{"address": "10.9.0.1"}]);
            }
            dice.maybe(4, &mut spec, "exportTo", |dice| {
                json!([dice.pick(&[".", "*", "default"])])
            });
            out.push(resource("ServiceEntry", name, namespace, spec));
        }
    }
    // More of hosts that are there already, and others: ports that collide, protocols that differ, capitals.
    for number in 0..dice.number(0, 2) {
        let from = [
            "ext.example.com",
            "Partner.Example.org",
            "web.default.svc.cluster.local",
            "UPPER.ext.test",
            "bare",
        ];
        let port = |dice: &mut Dice, name: &str| {
            json!({
                "number": dice.pick(&[80, 8080, 9080]),
                "name": name,
                "protocol": dice.pick(&["HTTP", "GRPC", "TLS", ""]),
            })
        };
        let (first, second) = (port(dice, "p0"), port(dice, "p1"));
        let ports = match first["number"] == second["number"] {
            true => vec![first],
            false => vec![first, second],
        };
        let spec = json!({
            "hosts": dice.some(&from, 1, 1),
            "location": dice.pick(&["MESH_EXTERNAL", "MESH_INTERNAL"]),
            "resolution": "STATIC",
            "ports": ports,
            "endpoints": [{"address": "10.9.0.3"}],
        });
        let namespace = dice.pick(NAMESPACES);
        out.push(resource(
            "ServiceEntry",
            &format!("more{number}"),
            namespace,
            spec,
        ));
    }
    for (name, namespace, spec) in connections::service_entries(dice) {
        out.push(resource("ServiceEntry", name, namespace, spec));
    }
    out
}

fn destination_rules(dice: &mut Dice) -> Vec<Yaml> {
    let mut out = Vec::new();
    for number in 0..dice.number(0, 5) {
        let namespace = dice.pick(NAMESPACES);
        let mut hosts = INSIDE.to_vec();
        hosts.extend(["*.default.svc.cluster.local", "*.svc.cluster.local"]);
        let subsets: Vec<Yaml> = dice
            .some(&["v1", "v2", "v3"], 0, 3)
            .into_iter()
            .map(|name| {
                let mut subset = json!({"name": name, "labels": {"version": name}});
                dice.maybe(6, &mut subset, "trafficPolicy", |_| hash("x-user"));
                subset
            })
            .collect();
        let mut spec = json!({"host": dice.pick(&hosts), "subsets": subsets});
        let selects = dice.one_in(8);
        if selects {
            spec["workloadSelector"] =
                json!({"matchLabels": {"app": dice.pick(&["client", "other"])}});
        } else {
            dice.maybe(3, &mut spec, "exportTo", |dice| {
                json!([dice.pick(&[".", "*", "prod"])])
            });
        }
        dice.maybe(6, &mut spec, "trafficPolicy", |dice| {
            let mut policy = hash("x-env");
            dice.maybe(2, &mut policy, "portLevelSettings", |_| {
                let mut level = hash("cookie-like");
                level["port"] = json!({"number": 80});
                json!([level])
            });
            policy
        });
        out.push(resource(
            "DestinationRule",
            &format!("dr{number}"),
            namespace,
            spec,
        ));
    }
    out
}

fn hash(header: &str) -> Yaml {
    json!({"loadBalancer": {"consistentHash": {"httpHeaderName": header}}})
}

fn virtual_services(dice: &mut Dice, side: Side) -> Vec<Yaml> {
    let mut out = Vec::new();
    let delegates = dice.number(0, 2);
    for number in 0..delegates {
        let namespace = dice.pick(NAMESPACES);
        let rules: Vec<Yaml> = (0..dice.number(1, 2))
            .map(|_| rules::rule(dice, Side::Delegate))
            .collect();
        let mut spec = json!({"http": rules});
        dice.maybe(5, &mut spec, "exportTo", |dice| {
            json!([dice.pick(&[".", "*", "prod"])])
        });
        out.push(resource(
            "VirtualService",
            &format!("delegate{number}"),
            namespace,
            spec,
        ));
    }
    let references: Vec<Yaml> = out
        .iter()
        .map(|delegate| delegate["metadata"].clone())
        .collect();
    for number in 0..dice.number(1, 5) {
        let namespace = dice.pick(NAMESPACES);
        let name = format!("{}-vs{number}", dice.pick(&["a", "b", "z"]));
        let mut spec = json!({"hosts": hosts(dice, side)});
        if side == Side::Gateway {
            let mut bound: Vec<String> = dice
                .some(GATEWAYS, 1, 2)
                .into_iter()
                .map(str::to_owned)
                .collect();
            if dice.one_in(8) {
                bound.push("gw0".to_owned());
            }
            spec["gateways"] = json!(bound);
        } else {
            dice.maybe(6, &mut spec, "gateways", |dice| {
                dice.pick(&[json!(["mesh"]), json!(["gw0", "mesh"]), json!(["gw0"])])
            });
        }
        dice.maybe(5, &mut spec, "exportTo", |dice| {
            json!([dice.pick(&[".", "*", "prod", "default"])])
        });
        let rules: Vec<Yaml> = (0..dice.number(1, 4))
            .map(|_| match references.is_empty() || !dice.one_in(4) {
                true => rules::rule(dice, side),
                false => rules::root(dice, &references, side),
            })
            .collect();
        spec["http"] = json!(rules);
        if dice.one_in(3) {
            connections::add_sections(dice, &mut spec, side);
        }
        out.push(resource("VirtualService", &name, namespace, spec));
    }
    out
}

/// Hosts of one VirtualService; those that overlap each other are refused, so there is at most one wildcard.
fn hosts(dice: &mut Dice, side: Side) -> Vec<String> {
    let mut from: Vec<&str> = OUTSIDE.to_vec();
    if side == Side::Mesh {
        from.extend(INSIDE);
        from.extend([
            "*.svc.cluster.local",
            "*.prod.svc.cluster.local",
            "one.wild.example.com",
            "*.wild.example.com",
        ]);
    } else {
        from.extend(["*", "*.org", "web.default.svc.cluster.local"]);
    }
    let mut out: Vec<String> = Vec::new();
    for host in dice.some(&from, 1, 3) {
        let clash = |other: &String| crate::spec::names::overlap(host, other);
        if !out.iter().any(clash) {
            out.push(host.to_owned());
        }
    }
    out
}
