//! Random resources of the Gateway API, from the same vocabulary as [`generate`](super::generate): Gateways with their
//! Services, ListenerSets, routes of every kind, grants and policies.

use serde_json::json;

use super::dice::Dice;
use super::rules::Side;
use super::{Generated, NAMESPACES, OUTSIDE, Yaml};

/// The Gateways: namespace and name.
const EDGES: &[(&str, &str)] = &[("default", "edge"), ("prod", "edge"), ("prod", "rim")];

/// Services that routes go to and, in the mesh, belong to: name, namespace, ports.
const BACKENDS: &[(&str, &str, &[u64])] = &[
    ("web", "default", &[80]),
    ("web", "prod", &[80]),
    ("api", "prod", &[80, 8080]),
    ("single", "default", &[8080]),
    ("cache", "shared", &[80]),
    ("db", "default", &[3306]),
    ("missing", "default", &[80]),
];

const PATHS: &[&str] = &[
    "/", "/foo", "/foo/", "/foobar", "/api", "/api/v1", "/API", "/x.png",
];
const REGEXES: &[&str] = &["/.*", "/foo.*", "/(foo|api)(/.*)?", ".*"];
const METHODS: &[(&str, &str)] = &[
    ("shop.Cart", "Get"),
    ("shop.Cart", ""),
    ("", "Get"),
    ("shop", ""),
    ("", ""),
];

/// The kinds of routes.
pub const ROUTES: &[&str] = &["HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"];

/// A resource of the Gateway API.
pub fn resource(kind: &str, name: &str, namespace: &str, spec: Yaml) -> Yaml {
    let version = match kind {
        "ReferenceGrant" => "v1beta1",
        _ => "v1",
    };
    json!({
        "apiVersion": format!("gateway.networking.k8s.io/{version}"),
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    })
}

/// Adds them to a configuration, beside what is there, and requests that they are about.
pub fn add(dice: &mut Dice, generated: &mut Generated) {
    let side = match generated.proxy["type"] == "gateway" {
        true => Side::Gateway,
        false => Side::Mesh,
    };
    let mut more = namespaces(dice);
    if side == Side::Gateway {
        more.extend(gateways(dice));
        more.extend(listener_sets(dice));
    }
    for number in 0..dice.number(1, 5) {
        let kind = match dice.number(0, 9) {
            0..=5 => "HTTPRoute",
            6 | 7 => "GRPCRoute",
            8 => "TCPRoute",
            _ => "TLSRoute",
        };
        more.push(route(dice, kind, number, side));
    }
    more.extend(grants(dice));
    more.extend(policies(dice));
    for resource in &mut more {
        if !dice.one_in(5) {
            let second = dice.number(0, 6);
            resource["metadata"]["creationTimestamp"] =
                format!("2026-01-01T00:00:0{second}Z").into();
        }
    }
    generated.resources.extend(more);
    generated.resources = dice.shuffled(&generated.resources);
    if side == Side::Gateway {
        generated.proxy["namespace"] = dice.pick(&["default", "prod"]).into();
    }
    for _ in 0..dice.number(4, 8) {
        let request = request(dice, side);
        generated.requests.push(request);
    }
}

fn namespaces(dice: &mut Dice) -> Vec<Yaml> {
    let all = dice.some(NAMESPACES, 2, 3).into_iter();
    let namespace = |name: &str, team: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"team": team}},
        })
    };
    all.map(|name| namespace(name, dice.pick(&["a", "b"])))
        .collect()
}

/// Whose routes a listener takes.
fn allowed(dice: &mut Dice) -> Yaml {
    match dice.number(0, 5) {
        0 => json!({"namespaces": {"from": "Same"}}),
        1 => {
            json!({"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}})
        }
        2 => json!({
            "namespaces": {"from": "All"},
            "kinds": [{"kind": dice.pick(&["HTTPRoute", "GRPCRoute", "TCPRoute"])}],
        }),
        3 => json!({}),
        _ => json!({"namespaces": {"from": "All"}}),
    }
}

/// Listeners whose names and ports stand apart as the API server asks.
fn listeners(dice: &mut Dice, prefix: &str) -> Vec<Yaml> {
    let mut out: Vec<Yaml> = Vec::new();
    for number in 0..dice.number(1, 4) {
        let mut listener =
            json!({"name": format!("{prefix}{number}"), "allowedRoutes": allowed(dice)});
        match dice.number(0, 7) {
            0 => {
                listener["port"] = 31400.into();
                listener["protocol"] = "TCP".into();
            }
            1 => {
                listener["port"] = 15443.into();
                listener["protocol"] = "TLS".into();
                listener["tls"] = json!({"mode": "Passthrough"});
            }
            _ => {
                listener["port"] = dice.pick(&[80, 80, 8080]).into();
                listener["protocol"] = "HTTP".into();
            }
        }
        if listener["protocol"] != "TCP" {
            dice.maybe(2, &mut listener, "hostname", |dice| {
                dice.pick(&["*.example.com", "shop.example.com", "*.org", "other.org"])
                    .into()
            });
        }
        let same = |other: &Yaml| {
            ["port", "protocol", "hostname"]
                .iter()
                .all(|field| other[*field] == listener[*field])
        };
        if !out.iter().any(same) {
            out.push(listener);
        }
    }
    out
}

/// Gateways, and for each the Service that leads to the workload.
fn gateways(dice: &mut Dice) -> Vec<Yaml> {
    let mut out = Vec::new();
    for (namespace, name) in dice.some(EDGES, 1, 2) {
        let mut spec = json!({
            "gatewayClassName": dice.pick(&["istio", "istio", "istio", "istio", "istio-remote", "other"]),
            "listeners": listeners(dice, "l"),
        });
        dice.maybe(
            2,
            &mut spec,
            "allowedListeners",
            |dice| json!({"namespaces": {"from": dice.pick(&["All", "Same", "None"])}}),
        );
        let ports = [80, 8080, 31400, 15443];
        let some = dice.some(&ports, 3, 4).into_iter();
        let ports: Vec<Yaml> = some
            .map(|port| json!({"name": format!("tcp-{port}"), "port": port, "targetPort": port}))
            .collect();
        let labels = json!({"istio": "ingressgateway"});
        let service = json!({"clusterIP": "10.97.0.1", "selector": labels, "ports": ports});
        out.push(super::resource(
            "Service",
            &format!("{name}-istio"),
            namespace,
            service,
        ));
        out.push(resource("Gateway", name, namespace, spec));
    }
    out
}

fn listener_sets(dice: &mut Dice) -> Vec<Yaml> {
    let mut out = Vec::new();
    for number in 0..dice.number(0, 2) {
        let (namespace, name) = dice.pick(EDGES);
        let spec = json!({
            "parentRef": {"name": name, "namespace": namespace},
            "listeners": listeners(dice, "s"),
        });
        let own = dice.pick(NAMESPACES);
        out.push(resource("ListenerSet", &format!("set{number}"), own, spec));
    }
    out
}

fn parent(dice: &mut Dice, side: Side) -> Yaml {
    if side == Side::Mesh {
        let (name, namespace, ports) = dice.pick(&BACKENDS[..5]);
        let mut parent =
            json!({"group": "", "kind": "Service", "name": name, "namespace": namespace});
        dice.maybe(2, &mut parent, "port", |dice| dice.pick(ports).into());
        return parent;
    }
    if dice.one_in(4) {
        let name = dice.pick(&["set0", "set1"]);
        let namespace = dice.pick(NAMESPACES);
        return json!({"kind": "ListenerSet", "name": name, "namespace": namespace});
    }
    let (namespace, name) = dice.pick(EDGES);
    let mut parent = json!({"name": name, "namespace": namespace});
    dice.maybe(4, &mut parent, "sectionName", |dice| {
        dice.pick(&["l0", "l1", "l2"]).into()
    });
    dice.maybe(6, &mut parent, "port", |dice| dice.pick(&[80, 8080]).into());
    parent
}

/// Parents of which no two are one: of two with the same name each needs a section or a port of its own.
fn parents(dice: &mut Dice, side: Side) -> Vec<Yaml> {
    let mut out: Vec<Yaml> = Vec::new();
    for _ in 0..dice.number(1, 2) {
        let one = parent(dice, side);
        let same = |other: &Yaml| {
            ["kind", "name", "namespace"]
                .iter()
                .all(|field| other[*field] == one[*field])
        };
        if !out.iter().any(same) {
            out.push(one);
        }
    }
    out
}

fn backend(dice: &mut Dice) -> Yaml {
    let (name, namespace, ports) = dice.pick(BACKENDS);
    let mut out = json!({"name": name, "port": dice.pick(ports)});
    if !dice.one_in(3) {
        out["namespace"] = namespace.into();
    }
    dice.maybe(3, &mut out, "weight", |dice| {
        dice.pick(&[0, 1, 3, 90]).into()
    });
    if dice.one_in(12) {
        out["kind"] = "Hostname".into();
        out["group"] = "networking.istio.io".into();
        out["name"] = format!("{name}.{namespace}.svc.cluster.local").into();
        if !dice.one_in(4) {
            out.as_object_mut().map(|fields| fields.remove("namespace"));
        }
    }
    out
}

fn backends(dice: &mut Dice) -> Vec<Yaml> {
    (0..dice.number(1, 3)).map(|_| backend(dice)).collect()
}

/// A route of one kind.
pub fn route(dice: &mut Dice, kind: &str, number: u64, side: Side) -> Yaml {
    let mut spec = json!({"parentRefs": parents(dice, side)});
    let is_http = kind == "HTTPRoute";
    if kind == "TLSRoute" || (kind != "TCPRoute" && side == Side::Gateway && !dice.one_in(3)) {
        let hosts: Vec<String> = dice
            .some(OUTSIDE, 1, 3)
            .iter()
            .map(|host| host.to_lowercase())
            .collect();
        spec["hostnames"] = json!(hosts);
    }
    let count = match kind {
        "HTTPRoute" | "GRPCRoute" => dice.number(1, 3),
        _ => 1,
    };
    let rules: Vec<Yaml> = (0..count)
        .map(|_| match kind {
            "HTTPRoute" | "GRPCRoute" => http_rule(dice, is_http),
            _ => json!({"backendRefs": backends(dice)}),
        })
        .collect();
    spec["rules"] = json!(rules);
    let name = format!("{}-r{number}", dice.pick(&["a", "m", "z"]));
    let namespace = dice.pick(NAMESPACES);
    resource(kind, &name, namespace, spec)
}

fn http_rule(dice: &mut Dice, is_http: bool) -> Yaml {
    let mut rule = json!({});
    if !dice.one_in(5) {
        let matches: Vec<Yaml> = (0..dice.number(1, 3))
            .map(|_| {
                if is_http {
                    http_match(dice)
                } else {
                    grpc_match(dice)
                }
            })
            .collect();
        rule["matches"] = json!(matches);
    }
    let filters = filters(dice, is_http, &rule["matches"]);
    let redirects = filters
        .iter()
        .any(|filter| filter["type"] == "RequestRedirect");
    if !filters.is_empty() {
        rule["filters"] = json!(filters);
    }
    if !redirects && !dice.one_in(8) {
        rule["backendRefs"] = json!(backends(dice));
    }
    if is_http {
        dice.maybe(6, &mut rule, "timeouts", |dice| {
            dice.pick(&[
                json!({"request": "5s"}),
                json!({"request": "10s", "backendRequest": "2s"}),
                json!({"backendRequest": "2s"}),
                json!({"request": "0s"}),
            ])
        });
        dice.maybe(6, &mut rule, "retry", |dice| {
            dice.pick(&[
                json!({"attempts": 3, "codes": [500, 503]}),
                json!({"attempts": 0}),
                json!({"backoff": "100ms"}),
            ])
        });
    }
    rule
}

fn values(dice: &mut Dice, names: &[&str]) -> Yaml {
    let one = |dice: &mut Dice, name: &str| match dice.one_in(3) {
        true => json!({"name": name, "type": "RegularExpression", "value": "jan.*"}),
        false => json!({"name": name, "value": dice.pick(&["jane", "JANE", "prod"])}),
    };
    let names = dice.some(names, 1, 2);
    names.into_iter().map(|name| one(dice, name)).collect()
}

fn http_match(dice: &mut Dice) -> Yaml {
    let mut out = json!({});
    dice.maybe(1, &mut out, "path", |dice| match dice.number(0, 7) {
        0 | 1 => json!({"type": "Exact", "value": dice.pick(PATHS)}),
        2 => json!({"type": "RegularExpression", "value": dice.pick(REGEXES)}),
        3 => json!({"value": dice.pick(PATHS)}),
        _ => json!({"type": "PathPrefix", "value": dice.pick(PATHS)}),
    });
    dice.maybe(4, &mut out, "headers", |dice| {
        values(dice, &["x-user", "x-env", "X-Trace"])
    });
    dice.maybe(4, &mut out, "queryParams", |dice| {
        values(dice, &["user", "q"])
    });
    dice.maybe(5, &mut out, "method", |dice| {
        dice.pick(&["GET", "POST"]).into()
    });
    if dice.one_in(10) {
        out.as_object_mut().map(|fields| fields.remove("path"));
    }
    out
}

fn grpc_match(dice: &mut Dice) -> Yaml {
    let mut out = json!({});
    let (service, method) = dice.pick(METHODS);
    if !service.is_empty() || !method.is_empty() {
        out["method"] = json!({});
        if !service.is_empty() {
            out["method"]["service"] = service.into();
        }
        if !method.is_empty() {
            out["method"]["method"] = method.into();
        }
        let kind = dice.pick(&["Exact", "Exact", "RegularExpression"]);
        out["method"]["type"] = kind.into();
    }
    dice.maybe(4, &mut out, "headers", |dice| {
        values(dice, &["x-user", "x-env"])
    });
    out
}

fn header_changes(dice: &mut Dice) -> Yaml {
    let mut out = json!({});
    for field in ["set", "add"] {
        dice.maybe(2, &mut out, field, |dice| {
            json!([{"name": dice.pick(&["x-user", "X-Set", "x-add"]), "value": dice.pick(&["a", "b"])}])
        });
    }
    dice.maybe(3, &mut out, "remove", |_| json!(["x-env"]));
    if out == json!({}) {
        out["set"] = json!([{"name": "x-set", "value": "c"}]);
    }
    out
}

/// Filters that stand together as the API server asks: the one with a prefix to replace only after prefix matches.
fn filters(dice: &mut Dice, is_http: bool, matches: &Yaml) -> Vec<Yaml> {
    let mut out = Vec::new();
    if dice.one_in(4) {
        out.push(
            json!({"type": "RequestHeaderModifier", "requestHeaderModifier": header_changes(dice)}),
        );
    }
    if dice.one_in(4) {
        out.push(json!({"type": "ResponseHeaderModifier", "responseHeaderModifier": header_changes(dice)}));
    }
    if dice.one_in(8) {
        let (name, namespace, ports) = dice.pick(BACKENDS);
        let mut mirror =
            json!({"backendRef": {"name": name, "namespace": namespace, "port": ports[0]}});
        dice.maybe(3, &mut mirror, "percent", |dice| {
            dice.pick(&[0, 50, 100]).into()
        });
        out.push(json!({"type": "RequestMirror", "requestMirror": mirror}));
    }
    if !is_http {
        return out;
    }
    let all = matches.as_array().map_or(&[][..], Vec::as_slice);
    let is_prefix = |one: &Yaml| {
        let kind = one["path"]["type"].as_str().unwrap_or("PathPrefix");
        kind == "PathPrefix"
    };
    let may_replace_prefix = all.len() == 1 && all.iter().all(is_prefix);
    let path = |dice: &mut Dice| match dice.one_in(2) && may_replace_prefix {
        true => json!({
            "type": "ReplacePrefixMatch",
            "replacePrefixMatch": dice.pick(&["/", "/new", "/new/", ""]),
        }),
        false => json!({"type": "ReplaceFullPath", "replaceFullPath": dice.pick(&["/full", "/"])}),
    };
    match dice.number(0, 7) {
        0 => {
            let mut said = json!({});
            dice.maybe(2, &mut said, "path", path);
            dice.maybe(2, &mut said, "hostname", |_| "new.example.com".into());
            dice.maybe(2, &mut said, "scheme", |dice| {
                dice.pick(&["http", "https"]).into()
            });
            dice.maybe(3, &mut said, "port", |dice| {
                dice.pick(&[80, 443, 8083]).into()
            });
            dice.maybe(2, &mut said, "statusCode", |dice| {
                dice.pick(&[301, 302]).into()
            });
            out.push(json!({"type": "RequestRedirect", "requestRedirect": said}));
        }
        1 => {
            let mut said = json!({"path": path(dice)});
            dice.maybe(2, &mut said, "hostname", |_| "rewritten.example.com".into());
            out.push(json!({"type": "URLRewrite", "urlRewrite": said}));
        }
        _ => {}
    }
    out
}

fn grants(dice: &mut Dice) -> Vec<Yaml> {
    let mut out = Vec::new();
    for number in 0..dice.number(0, 3) {
        let from: Vec<Yaml> = dice
            .some(NAMESPACES, 1, 2)
            .into_iter()
            .map(|namespace| {
                json!({
                    "group": "gateway.networking.k8s.io",
                    "kind": dice.pick(ROUTES),
                    "namespace": namespace,
                })
            })
            .collect();
        let mut to = json!({"group": "", "kind": "Service"});
        dice.maybe(4, &mut to, "name", |dice| dice.pick(&["web", "api"]).into());
        let spec = json!({"from": from, "to": [to]});
        let namespace = dice.pick(NAMESPACES);
        out.push(resource(
            "ReferenceGrant",
            &format!("grant{number}"),
            namespace,
            spec,
        ));
    }
    out
}

fn policies(dice: &mut Dice) -> Vec<Yaml> {
    let mut out = Vec::new();
    for number in 0..dice.number(0, 2) {
        let (name, namespace, _) = dice.pick(BACKENDS);
        let mut target = json!({"group": "", "kind": "Service", "name": name});
        dice.maybe(3, &mut target, "sectionName", |_| "http".into());
        let spec = json!({
            "targetRefs": [target],
            "validation": {"hostname": "tls.example.com", "wellKnownCACertificates": "System"},
        });
        out.push(resource(
            "BackendTLSPolicy",
            &format!("tls{number}"),
            namespace,
            spec,
        ));
    }
    out
}

/// A request that routes are about.
fn request(dice: &mut Dice, side: Side) -> Yaml {
    let hosts: Vec<String> = match side {
        Side::Mesh => BACKENDS
            .iter()
            .map(|(name, namespace, _)| format!("{name}.{namespace}.svc.cluster.local"))
            .collect(),
        _ => OUTSIDE
            .iter()
            .map(|host| host.replace('*', "one").to_lowercase())
            .collect(),
    };
    let host = dice.pick(&hosts);
    let mut path = match dice.one_in(3) {
        true => format!("/{}/Get", dice.pick(&["shop.Cart", "shop.Other", "shop"])),
        false => dice.pick(PATHS).to_owned(),
    };
    match dice.number(0, 5) {
        0 => path += "/x",
        1 => path += "x",
        2 => path += "?user=jane&q=prod",
        _ => {}
    }
    let mut headers = json!({});
    for name in dice.some(&["x-user", "x-env", "x-trace"], 0, 2) {
        headers[name] = dice.pick(&["jane", "JANE", "prod"]).into();
    }
    json!({
        "host": host,
        "port": dice.pick(&[80, 80, 8080]),
        "protocol": dice.pick(&["http", "http", "grpc"]),
        "tls": "none",
        "method": dice.pick(&["GET", "POST"]),
        "path": path,
        "headers": headers,
    })
}
