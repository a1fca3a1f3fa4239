//! Random Gateways and Sidecars, from the same vocabulary as [`generate`](super::generate).

use serde_json::json;

use super::Yaml;
use super::connections;
use super::dice::Dice;
use super::{GATEWAYS, OUTSIDE, resource};

/// Gateways that select the proxy.
pub fn gateways(dice: &mut Dice) -> Vec<Yaml> {
    let mut out = Vec::new();
    for full in dice.some(GATEWAYS, 1, 3) {
        let (namespace, name) = full.split_once('/').unwrap_or(("default", full));
        let servers: Vec<Yaml> = (0..dice.number(1, 3))
            .map(|number| {
                let mut hosts: Vec<String> =
                    OUTSIDE.iter().map(|host| (*host).to_owned()).collect();
                hosts.extend(["*", "web.default.svc.cluster.local", "*.org"].map(str::to_owned));
                let mut hosts = dice.some(&hosts, 1, 3);
                for host in &mut hosts {
                    if dice.one_in(4) {
                        *host = format!("{}/{host}", dice.pick(&[".", "*", "prod", "default"]));
                    }
                }
                let port = dice.pick(&[80u64, 80, 8080]);
                let protocol = dice.pick(&["HTTP", "HTTP", "HTTP2"]);
                let mut server = json!({
                    "port": {"number": port, "name": format!("p{number}"), "protocol": protocol},
                    "hosts": hosts,
                });
                dice.maybe(8, &mut server, "tls", |_| json!({"httpsRedirect": true}));
                server
            })
            .collect();
        let spec = json!({"selector": {"istio": "ingressgateway"}, "servers": servers});
        out.push(resource("Gateway", name, namespace, spec));
    }
    // A TLS server now and then, on a port of its own: overlapping chains are refused by Envoy.
    if dice.one_in(3) {
        let server = json!({
            "port": {"number": 443, "name": "tls", "protocol": "HTTPS"},
            "hosts": dice.some(&["shop.example.com", "*.example.com", "other.org", "Mixed.Example.com"], 1, 2),
            "tls": {"mode": "SIMPLE", "credentialName": "cred"},
        });
        out[0]["spec"]["servers"]
            .as_array_mut()
            .expect("servers")
            .push(server);
    }
    if dice.one_in(2) {
        let server = connections::server(dice, 0);
        out[0]["spec"]["servers"]
            .as_array_mut()
            .expect("servers")
            .push(server);
    }
    out
}

/// Sidecars.
pub fn sidecars(dice: &mut Dice) -> Vec<Yaml> {
    let mut out = Vec::new();
    for (number, namespace) in dice
        .some(&["default", "prod", "istio-system"], 1, 2)
        .into_iter()
        .enumerate()
    {
        let forms = [
            "*/*",
            "./*",
            "prod/*",
            "default/*",
            "shared/*",
            "*/*.example.com",
            "*/web.default.svc.cluster.local",
            "./web.prod.svc.cluster.local",
            "*/*.svc.cluster.local",
            "~prod/*",
        ];
        let hosts = match dice.one_in(4) {
            true => vec!["*/*"],
            false => dice.some(&forms[1..], 1, 3),
        };
        let mut egress: Vec<Yaml> = Vec::new();
        for number in 0..dice.number(0, 2) {
            let port = json!({
                "number": dice.pick(&[80, 8080, 9080, 7777]),
                "name": format!("e{number}"),
                "protocol": dice.pick(&["HTTP", "GRPC", "TCP", "TLS", "HTTP_PROXY"]),
            });
            // Several ports of one VirtualService come to an HTTP proxy in no order: Istio itself rolls dice.
            let of_one_port = ["*/web.prod.svc.cluster.local", "./nowhere.test"];
            let hosts = match port["protocol"] == "HTTP_PROXY" {
                true => dice.some(&of_one_port, 1, 2),
                false => dice.some(&forms, 1, 2),
            };
            let mut listener = json!({"port": port, "hosts": hosts});
            dice.maybe(3, &mut listener, "bind", |dice| {
                dice.pick(&["0.0.0.0", "10.0.0.1", "10.0.0.99"]).into()
            });
            dice.maybe(4, &mut listener, "captureMode", |dice| {
                dice.pick(&["DEFAULT", "IPTABLES", "NONE"]).into()
            });
            let port = |one: &Yaml| one["port"]["number"].clone();
            if !egress.iter().any(|other| port(other) == port(&listener)) {
                egress.push(listener);
            }
        }
        if egress.is_empty() || !dice.one_in(4) {
            egress.push(json!({"hosts": hosts}));
        }
        let mut spec = json!({"egress": egress});
        dice.maybe(3, &mut spec, "outboundTrafficPolicy", |dice| {
            let mode = dice.pick(&["ALLOW_ANY", "REGISTRY_ONLY", "ALLOW_ANY_DYNAMIC_DNS"]);
            let mut policy = json!({"mode": mode});
            if mode == "ALLOW_ANY" && dice.one_in(3) {
                policy["egressProxy"] = json!({
                    "host": "web.default.svc.cluster.local",
                    "port": {"number": 80},
                });
            }
            policy
        });
        if namespace != "istio-system" {
            dice.maybe(
                3,
                &mut spec,
                "workloadSelector",
                |dice| json!({"labels": {"app": dice.pick(&["client", "other"])}}),
            );
        }
        out.push(resource("Sidecar", &format!("sc{number}"), namespace, spec));
    }
    out
}
