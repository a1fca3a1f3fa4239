//! What is printed for `{:?}` fits a line of a log, however large the configuration is: at most some 500 bytes, and nothing
//! of the table.

use std::fmt::Debug;

use meshroute::live::{Changes, LiveRouter};
use meshroute::{Mesh, Proxy, Request, Resources, Router};

const MOST: usize = 500;

fn yaml(rules: usize) -> String {
    let long = "x".repeat(60);
    let mut text = format!(
        "
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: default}}
spec: {{clusterIP: 10.0.0.1, selector: {{app: web}}, ports: [{{name: http, port: 80}}, {{name: tcp, port: 90}}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: web, namespace: default}}
spec:
  hosts: [web, {long}.{long}.{long}.example.com]
  http:
"
    );
    for number in 0..rules {
        text += &format!(
            "  - {{name: '{long}{long}{number}', match: [{{uri: {{prefix: /{number}/}}}}], fault: {{abort: {{httpStatus: 418, percentage: {{value: 1}}}}}}, route: [{{destination: {{host: web, subset: {long}}}, weight: 1}}, {{destination: {{host: web}}, weight: 2}}]}}\n"
        );
    }
    for number in 0..rules {
        text += &format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}, namespace: default, labels: {{app: web}}}}\nstatus: {{podIP: 10.0.1.1}}\n"
        );
    }
    text
}

fn is_short(value: &impl Debug) {
    // On lines of their own, fields are indented.
    for (text, most) in [
        (format!("{value:?}"), MOST),
        (format!("{value:#?}"), 2 * MOST),
    ] {
        assert!(text.len() <= most, "{} bytes: {text:.2000}", text.len());
        assert!(!text.contains("podIP") && !text.contains("10.0.1.1"));
    }
}

#[test]
fn debug_is_a_line_and_no_table() {
    let resources = Resources::from_yaml(&yaml(600)).unwrap_or_else(|report| panic!("{report}"));
    is_short(&resources);
    let changes = Changes::new().apply_all(resources.clone());
    is_short(&changes);
    let (live, _) = LiveRouter::new(resources.clone(), Proxy::default());
    is_short(&live);
    let (mesh, _) = Mesh::resolve_lenient(resources);
    is_short(&mesh);
    let router = Router::compile(&mesh, &Proxy::default());
    is_short(&router);
    is_short(&router.route_with("web", "mesh", 1));
    let mut seen = 0;
    for (host, path) in [
        ("web", "/599/x"),
        ("web", "/none"),
        ("nobody.org", "/"),
        ("", "/"),
    ] {
        let request = Request::get(path).authority(host).port(80);
        for entropy in 0..64_u64 {
            let entropy = entropy.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let decision = router.decide(&request, entropy);
            is_short(&decision);
            is_short(&decision.outcome());
            decision.split().for_each(|(cluster, _)| is_short(cluster));
        }
        let explanation = router.explain(&request, 1);
        is_short(&explanation);
        let decision = explanation.decision();
        if let (Some(listener), Some(config)) = (decision.listener(), decision.route_config()) {
            is_short(listener);
            is_short(config);
            seen += 1;
        }
        if let Some(host) = decision.virtual_host() {
            is_short(host);
            is_short(host.rule_list());
        }
    }
    assert_eq!(seen, 4);
}

#[test]
fn a_decision_says_what_was_decided() {
    let resources = Resources::from_yaml(&yaml(2)).unwrap_or_else(|report| panic!("{report}"));
    let (mesh, _) = Mesh::resolve_lenient(resources);
    let router = Router::compile(&mesh, &Proxy::default());
    let request = Request::get("/none").authority("web").port(80);
    let decision = router.decide(&request, 0);
    let text = format!("{decision:?}");
    for part in ["NotFound(NoRule)", "Mesh", "0.0.0.0_80", "web.default.svc"] {
        assert!(text.contains(part), "{text}");
    }
}
