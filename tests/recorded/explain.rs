//! What people asked in public: who brings the configuration to `explain` or `check` is told the cause.

use meshroute::check::{Allowed, Input, ReadOptions, View, Workspace};
use meshroute::{Explanation, Router};

use crate::support::case::{self, Case};
use crate::support::engine::{Asked, proxy, with_asked};
use crate::support::list;

/// Case, call (empty: what `check` says), and the words that tell the cause.
const CAUSES: &[(&str, &str, &[&str])] = &[
    (
        "01",
        "reused connection",
        &[
            "`portal.corp.test`, and the connection was opened for `docs.corp.test`",
            "one Gateway with all",
        ],
    ),
    ("03", "1999 canary", &["rule 0 `by-port`", "matches"]),
    ("01", "", &["MR0323", "`wild` is also that of the server"]),
    ("07", "", &["MR0330", "without the header `version`"]),
    ("09", "", &["MR0324", "`/commona` becomes `/a`"]),
    (
        "27",
        "",
        &[
            "MR0325",
            "asks for the method `POST`",
            "asks for the header `x-team`",
        ],
    ),
    ("31", "", &["MR0326", "takes `tcp` rules"]),
    ("33", "", &["MR0327", "drawn anew for each request"]),
    ("63", "", &["MR0329", "7002 (tcp-80)"]),
    (
        "03",
        "80 plain",
        &[
            "`http[0].match[0]` is for port 1999, and the request came to port 80",
            "header `cookie` does not match",
            "absent",
        ],
    ),
    (
        "05",
        "",
        &[
            "MR0122",
            "abort without `percentage` never happens",
            "percentage: {value: 100}",
        ],
    ),
    ("07", "b missing", &["it is absent, which counts as empty"]),
    ("09", "double", &["path upstream: //api?x=1"]),
    ("09", "glued", &["path upstream: /place"]),
    (
        "11",
        "",
        &[
            "MR0203",
            "conflicts with every match of this rule; it is dropped",
        ],
    ),
    (
        "13",
        "port",
        &[
            "`http[0].match[0]` is for port 9080, and the request came to port 80",
            "does not exist for it",
        ],
    ),
    (
        "15",
        "books",
        &[
            "no service is named `www.example.test`",
            "covers it by `*.example.test`",
            "only the pattern itself has a cluster",
        ],
    ),
    (
        "15",
        "",
        &["MR0301", "only the pattern itself has a cluster"],
    ),
    (
        "17",
        "8081",
        &[
            "alias (ExternalName) of `b.default.svc.cluster.local`",
            "not on port 8081",
            "name `b.default.svc.cluster.local` as the destination",
        ],
    ),
    (
        "19",
        "whole",
        &["DestinationRule: default/d: loadBalancer Random, tls Simple"],
    ),
    (
        "19",
        "subset",
        &["DestinationRule: default/d: loadBalancer Random, tls Simple"],
    ),
    (
        "21",
        "client",
        &[
            "namespace `policies` is neither the client's `default`, nor the service's `shop`, nor the root `istio-system`",
        ],
    ),
    ("23", "", &["MR0143"]),
    ("25", "foo with header", &["rule 0 `set-header`", "matches"]),
    (
        "27",
        "preflight, other origin",
        &["the origin is not among `allowOrigins`"],
    ),
    (
        "27",
        "preflight of method route",
        &["header `:method` is not `POST`; it is `OPTIONS` (the closest miss)"],
    ),
    ("29", "off", &["retries: none"]),
    ("29", "default", &["retries: 2 on connect-failure"]),
    (
        "31",
        "b0",
        &["terminates TLS and forwards bytes: it takes `tcp` rules"],
    ),
    (
        "33",
        "split",
        &[
            "the weights are drawn anew for each request",
            "hash policy: cookie prod, cookie canary",
        ],
    ),
    ("35", "", &["MR0109", "`:uri` is not a header name"]),
    (
        "43",
        "",
        &[
            "path `/a/b/x` is covered by prefix `/a/b` of match 0 in rule 1",
            "prefix `/a/b/c` is covered by prefix `/a/b`",
        ],
    ),
    (
        "45",
        "",
        &[
            "MR0320",
            "one of its hosts has TLS settings in Gateway `edge/a`",
        ],
    ),
    (
        "47",
        "81",
        &["no service has the host: the mesh knows it on port 80 only"],
    ),
    (
        "53",
        "whole",
        &["DestinationRule `mtls/default` (host `*`) does, which is found first"],
    ),
    (
        "53",
        "subset of the owner's rule",
        &[
            "DestinationRule `mtls/default` (host `*`) holds for this client, and has no subsets, not `v2`",
        ],
    ),
    ("55", "", &["MR0301", "no service is named `*.apis.test`"]),
    ("55", "named", &["no service is named `*.apis.test`"]),
    (
        "57",
        "bar",
        &[
            "the service is `*.foo.test`, and rules hold for the host of the service, not for the one that a request names",
        ],
    ),
    ("57", "", &["MR0314"]),
    ("61", "tls outside", &["PassthroughCluster"]),
    (
        "63",
        "tcp",
        &[
            "port 7002 forwards bytes: it is declared as TCP",
            "appProtocol: http",
        ],
    ),
];

/// Cases that `check` must not say these words of.
const FALSE_ALARMS: &[(&str, &str)] = &[
    ("39", "MR0310"),
    ("41", "MR0312"),
    ("43", "`/q/w` is covered"),
];

fn cases() -> Vec<Case> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("tests/data/recorded/reported.jsonl.gz");
    case::read(&file).expect("the archive of public reports")
}

fn workspace(case: &Case) -> Workspace {
    let mut inputs: Vec<Input> = case
        .resources
        .iter()
        .map(|(name, text)| Input::Text(name.clone(), text.clone()))
        .collect();
    if case.mesh.is_object() {
        let map = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": case.mesh.to_string()}});
        inputs.push(Input::Text("mesh".to_owned(), map.to_string()));
    }
    Workspace::read(&inputs, &ReadOptions::default())
}

/// What is told of a call, or by `check`.
fn told(case: &Case, call: &str) -> String {
    let workspace = workspace(case);
    if call.is_empty() {
        return workspace.findings(&Allowed::new()).to_string();
    }
    let call = case.calls.iter().find(|one| one.name == call);
    let call = call.unwrap_or_else(|| panic!("{} has no such call", case.id));
    let view = View::new("the proxy", proxy(case));
    let router = Router::compile(workspace.mesh(), &view.proxy);
    with_asked(call, |asked| match asked {
        Asked::Connection(connection) => workspace
            .explain_connection(&view, &router, connection, 0)
            .to_string(),
        Asked::Request(request) => {
            let explained = workspace.explain(&view, &router, request, 0);
            let decided = router.decide(request, 0);
            let explanation: &Explanation<'_> = explained.explanation();
            assert_eq!(explanation.decision().record(), decided.record());
            let json = serde_json::to_value(&explained).expect("JSON");
            assert_eq!(json["schema"], "meshroute/explain/v1");
            explained.to_string()
        }
    })
}

#[test]
fn each_public_report_is_told_its_cause() {
    let cases = cases();
    let find = |number: &str| {
        let named = format!("bugs/{number}-");
        let mut all = cases.iter();
        all.find(|case| case.id.starts_with(&named))
            .unwrap_or_else(|| panic!("no case {number}"))
    };
    let mut problems = Vec::new();
    for (number, call, words) in CAUSES {
        let told = told(find(number), call);
        for word in *words {
            if !told.contains(word) {
                problems.push(format!("{number} {call}: `{word}` is not in\n{told}\n"));
            }
        }
    }
    for (number, words) in FALSE_ALARMS {
        let told = told(find(number), "");
        if told.contains(words) {
            problems.push(format!("{number}: `{words}` is in\n{told}\n"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_recorded_request_is_explained_as_it_is_decided() {
    let mut count = 0;
    for case in cases() {
        for call in &case.calls {
            told(&case, &call.name);
            count += 1;
        }
        assert!(list(&case.raw, "calls").len() == case.calls.len());
    }
    assert!(count > 50, "{count} calls");
}
