//! Random `tls` and `tcp` sections, servers that pass TLS or TCP through, and connections to them, from the same vocabulary
//! as [`generate`](super::generate).

use serde_json::json;

use super::NAMESPACES;
use super::Yaml;
use super::dice::Dice;
use super::rules::Side;

/// Hosts of services and ServiceEntries with TLS or TCP ports.
const HOSTS: &[&str] = &[
    "db.default.svc.cluster.local",
    "secure.prod.svc.cluster.local",
    "cache.shared.svc.cluster.local",
    "secure.ext.org",
    "*.tls.ext.org",
];

/// Services that speak TCP and TLS: `(name, namespace, address, port name, port)`.
pub const SERVICES: &[(&str, &str, &str, &str, u64)] = &[
    ("db", "default", "10.0.0.10", "tcp", 3306),
    ("secure", "prod", "10.0.0.11", "tls", 8443),
    ("odd", "default", "10.0.0.12", "web", 9080),
    ("plain", "prod", "10.0.0.13", "http", 9080),
];

/// ServiceEntries for TLS without addresses of their own.
pub fn service_entries(dice: &mut Dice) -> Vec<(&'static str, &'static str, Yaml)> {
    let mut out = Vec::new();
    for (name, host) in [("sext", "secure.ext.org"), ("swild", "*.tls.ext.org")] {
        for namespace in dice.some(NAMESPACES, 0, 1) {
            let mut spec = json!({
                "hosts": [host],
                "location": "MESH_EXTERNAL",
                "resolution": if host.starts_with('*') { "NONE" } else { "STATIC" },
                "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
            });
            if !host.starts_with('*') {
                spec["endpoints"] = json!([{"address": "10.9.0.2"}]);
            }
            out.push((name, namespace, spec));
        }
    }
    out
}

/// A server of a gateway that routes connections, on a port that HTTP servers leave alone.
pub fn server(dice: &mut Dice, number: u64) -> Yaml {
    let hosts = dice.some(&["secure.ext.org", "*.tls.ext.org", "other.org", "*"], 1, 2);
    if dice.one_in(2) {
        return json!({
            "port": {"number": 31400, "name": format!("tcp{number}"), "protocol": "TCP"},
            "hosts": hosts,
        });
    }
    json!({
        "port": {"number": 15443, "name": format!("pass{number}"), "protocol": "TLS"},
        "hosts": hosts,
        "tls": {"mode": "PASSTHROUGH"},
    })
}

/// Adds `tls` and `tcp` sections to a VirtualService, with a host that they are about.
pub fn add_sections(dice: &mut Dice, spec: &mut Yaml, side: Side) {
    let host = dice.pick(HOSTS);
    let mut hosts = spec["hosts"].as_array().cloned().unwrap_or_default();
    let clash = |other: &Yaml| crate::spec::names::overlap(host, other.as_str().unwrap_or(""));
    if !hosts.iter().any(clash) {
        hosts.push(host.into());
        spec["hosts"] = json!(hosts);
    }
    if dice.one_in(2) {
        let name = host.replace('*', "one");
        let all: Vec<Yaml> = (0..dice.number(1, 2))
            .map(|_| {
                let mut matched =
                    json!({"sniHosts": [dice.pick(&[host.to_owned(), name.clone()])]});
                dice.maybe(3, &mut matched, "port", |dice| {
                    dice.pick(&[443, 8443, 15443]).into()
                });
                restrict(dice, &mut matched);
                json!({"match": [matched], "route": routes(dice)})
            })
            .collect();
        spec["tls"] = json!(all);
    }
    if dice.one_in(2) {
        let all: Vec<Yaml> = (0..dice.number(1, 2))
            .map(|_| {
                let mut rule = json!({"route": routes(dice)});
                if !dice.one_in(3) {
                    let mut matched = json!({});
                    dice.maybe(2, &mut matched, "port", |dice| {
                        dice.pick(&[3306, 7000, 31400]).into()
                    });
                    if side == Side::Mesh {
                        dice.maybe(3, &mut matched, "destinationSubnets", |dice| {
                            json!([dice.pick(&["10.0.0.0/24", "10.0.0.0/28", "10.0.0.10/32"])])
                        });
                    }
                    restrict(dice, &mut matched);
                    rule["match"] = json!([matched]);
                }
                rule
            })
            .collect();
        spec["tcp"] = json!(all);
    }
}

fn restrict(dice: &mut Dice, matched: &mut Yaml) {
    dice.maybe(
        8,
        matched,
        "sourceLabels",
        |dice| json!({"app": dice.pick(&["client", "other"])}),
    );
    dice.maybe(8, matched, "sourceNamespace", |dice| {
        dice.pick(NAMESPACES).into()
    });
    dice.maybe(8, matched, "gateways", |dice| {
        json!([dice.pick(&["mesh", "default/gw0"])])
    });
}

fn routes(dice: &mut Dice) -> Yaml {
    let all: Vec<Yaml> = (0..dice.number(1, 2))
        .map(|_| {
            let hosts = [
                "db.default.svc.cluster.local",
                "secure.prod.svc.cluster.local",
                "cache.shared.svc.cluster.local",
                "missing",
                "secure.ext.org",
            ];
            let mut destination = json!({"host": dice.pick(&hosts)});
            dice.maybe(
                2,
                &mut destination,
                "port",
                |dice| json!({"number": dice.pick(&[3306, 8443, 7000, 443])}),
            );
            dice.maybe(4, &mut destination, "subset", |dice| {
                dice.pick(&["v1", "nosuch"]).into()
            });
            json!({"destination": destination, "weight": dice.pick(&[1, 20, 80])})
        })
        .collect();
    json!(all)
}

/// A connection that carries no HTTP that anybody reads.
pub fn connection(dice: &mut Dice, side: Side) -> Yaml {
    let addresses = ["10.0.0.10", "10.0.0.11", "10.0.0.5", "10.0.0.99"];
    let is_tls = dice.one_in(2);
    let port = match (side, is_tls) {
        (Side::Gateway, true) => 15443,
        (Side::Gateway, false) => 31400,
        (_, true) => dice.pick(&[443, 8443]),
        (_, false) => dice.pick(&[3306, 7000]),
    };
    let mut out = json!({"protocol": "tcp", "tls": "none", "port": port});
    if is_tls {
        out["tls"] = "tls".into();
        out["sni"] = dice
            .pick(&[
                "secure.ext.org",
                "one.tls.ext.org",
                "two.one.tls.ext.org",
                "secure.prod.svc.cluster.local",
                "other.org",
            ])
            .into();
    }
    if !dice.one_in(4) {
        out["address"] = dice.pick(&addresses).into();
    }
    out
}
