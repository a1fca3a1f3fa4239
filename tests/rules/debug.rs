//! What is printed for `{:?}` fits a line of a log, however large the configuration is: at most some 500 bytes, and nothing
//! of the table.

use std::fmt::{Debug, Write as _};
use std::time::{Duration, Instant};

use meshroute::diagnostic::At;
use meshroute::live::{Changes, LiveRouter};
use meshroute::resource::{Bytes, IntOrString};
use meshroute::terms::weighted::AliasTable;
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

/// How long it takes to print, at best.
fn cost(value: &dyn Debug) -> Duration {
    let mut text = String::new();
    let mut runs = (0..7).map(|_| {
        let start = Instant::now();
        for _ in 0..8 {
            text.clear();
            write!(text, "{value:?}").expect("a string takes all");
        }
        start.elapsed()
    });
    let first = runs.next().expect("there is one");
    runs.fold(first, Duration::min)
}

/// In bytes, and in time against an escaped text of so many bytes: 5 us where a build is optimised.
fn is_short(value: &dyn Debug) {
    let text = format!("{value:?}");
    assert!(text.len() <= MOST, "{} bytes: {text:.2000}", text.len());
    let escaped = "\n".repeat(MOST / 2);
    let (own, of_text) = (cost(value), cost(&escaped));
    assert!(own <= 10 * of_text, "{own:?}, not {of_text:?}: {text}");
}

/// Nothing of the table, not even on lines of their own, where fields are indented.
fn is_no_table(value: &dyn Debug) {
    is_short(value);
    let text = format!("{value:#?}");
    assert!(text.len() <= 2 * MOST, "{} bytes: {text:.2000}", text.len());
    assert!(!text.contains("podIP") && !text.contains("10.0.1.1"));
}

#[test]
fn what_stands_alone_is_as_short() {
    let long = "x".repeat(10_000);
    let root = At::ROOT.field("spec");
    assert!(root.key(&long).to_path().to_string().len() > MOST);
    is_short(&root.key(&long));
    is_short(&Bytes(vec![7; 10_000]));
    is_short(&IntOrString::String(long));
    is_short(&AliasTable::new((1..10_000).map(|weight| weight % 9)).expect("weights"));
}

#[test]
fn debug_is_a_line_and_no_table() {
    let resources = Resources::from_yaml(&yaml(10_000)).unwrap_or_else(|report| panic!("{report}"));
    is_no_table(&resources);
    let changes = Changes::new().apply_all(resources.clone());
    is_no_table(&changes);
    let (live, report) = LiveRouter::new(resources.clone(), Proxy::default());
    is_no_table(&live);
    is_short(&report);
    report
        .iter()
        .take(3)
        .for_each(|diagnostic| is_short(diagnostic));
    let (mesh, _) = Mesh::resolve_lenient(resources);
    is_no_table(&mesh);
    let router = Router::compile(&mesh, &Proxy::default());
    is_no_table(&router);
    is_no_table(&router.route_with("web", "mesh", 1));
    for (_, cluster) in router.clusters() {
        is_no_table(cluster);
        is_no_table(cluster.endpoint_set());
        is_short(&cluster.traffic_policy());
        cluster
            .endpoints()
            .take(1)
            .for_each(|endpoint| is_short(&endpoint));
    }
    let mut seen = 0;
    for (host, path) in [
        ("web", "/9999/x"),
        ("web", "/none"),
        ("nobody.org", "/"),
        ("", "/"),
    ] {
        let request = Request::get(path).authority(host).port(80);
        for entropy in [0, 1 << 32, 1 << 48, u64::MAX] {
            let decision = router.decide(&request, entropy);
            is_no_table(&decision);
            is_no_table(&decision.outcome());
            is_short(&decision.apply(&request));
            is_short(&decision.record());
            decision
                .split()
                .for_each(|(cluster, _)| is_no_table(cluster));
        }
        let explanation = router.explain(&request, 1);
        is_no_table(&explanation);
        explanation
            .steps()
            .iter()
            .take(3)
            .for_each(|step| is_short(step));
        let decision = explanation.decision();
        if let (Some(listener), Some(config)) = (decision.listener(), decision.route_config()) {
            is_no_table(listener);
            is_no_table(config);
            seen += 1;
        }
        if let Some(rule) = decision.rule() {
            is_short(rule);
            is_short(rule.action());
            is_short(rule.matches());
            is_short(rule.action().policy());
        }
        if let Some(host) = decision.virtual_host() {
            is_no_table(host);
            is_no_table(host.rule_list());
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
