//! The executable specification against the recorded answers of real istiod and real Envoy.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::spec::{Answer, Call, Proxy, World, Yaml, entries, list, possible_answers, text, texts};
use crate::support::case::{self, Case};
use crate::support::gateway_services;
use crate::support::pending::{Pending, is_asked};

fn as_map(value: &Yaml) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .map(|(k, v)| (k.clone(), v.as_str().unwrap_or("").to_owned()))
        .collect()
}

/// Without the headers that a proxy writes by itself, as far as only raw recordings have them.
fn recorded(got: &Yaml, wanted: &Yaml) -> Yaml {
    let own = |name: &str| {
        let begins = ["x-envoy-", "x-forwarded-", "grpc-timeout", "te"];
        begins.iter().any(|begin| name.starts_with(begin))
    };
    let mut got = got.clone();
    let fields = got.as_object_mut().expect("an object");
    if let Some(headers) = fields.get_mut("headers").and_then(Yaml::as_object_mut) {
        headers.retain(|name, _| !own(name) || !wanted["headers"][name].is_null());
        if headers.is_empty() {
            fields.remove("headers");
        }
    }
    if let Some(names) = fields
        .get_mut("removed_headers")
        .and_then(Yaml::as_array_mut)
    {
        let gone = list(wanted, "removed_headers");
        names.retain(|name| gone.contains(name) || !own(name.as_str().unwrap_or("")));
        if names.is_empty() {
            fields.remove("removed_headers");
        }
    }
    got
}

/// The fields in which an answer differs from what was recorded.
fn differences(answer: &Answer, expect: &Yaml, raw: bool) -> Vec<(String, String, String)> {
    let mut out = Vec::new();
    let mut check = |field: &str, want: String, got: String| {
        if want != got {
            out.push((field.to_owned(), want, got));
        }
    };
    let routed = !expect["route_config"].is_null();
    for (field, got) in [
        ("outcome", &answer.outcome),
        ("detail", &answer.detail),
        ("cluster", &answer.cluster),
        ("listener", &answer.listener),
        ("route_config", &answer.route_config),
        ("virtual_host", &answer.virtual_host),
        ("route", &answer.route),
        ("virtual_service", &answer.virtual_service),
        ("body", &answer.body),
    ] {
        if routed || !expect[field].is_null() {
            check(field, text(expect, field).to_owned(), got.clone());
        }
    }
    if routed {
        let position = |p: Option<u64>| format!("{p:?}");
        check(
            "position",
            position(expect["position"].as_u64()),
            position(answer.position.map(|p| p as u64)),
        );
        let split: BTreeMap<String, u64> = entries(expect, "split")
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.as_u64().unwrap_or(0)))
            .collect();
        check("split", format!("{split:?}"), format!("{:?}", answer.split));
        let policy = match &expect["policy"] {
            Yaml::Null => serde_json::json!({}),
            said => said.clone(),
        };
        let got = match &answer.policy {
            Yaml::Null => serde_json::json!({}),
            said => said.clone(),
        };
        check("policy", policy.to_string(), got.to_string());
    }
    if !expect["status"].is_null() && answer.status != 0 {
        check(
            "status",
            expect["status"].to_string(),
            answer.status.to_string(),
        );
        // No recording tells them where the cluster is not there (R-H-159).
        if answer.outcome != "no_such_cluster" || !expect["response_headers"].is_null() {
            let (want, got) = (
                as_map(&expect["response_headers"]),
                &answer.response_headers,
            );
            check("response_headers", format!("{want:?}"), format!("{got:?}"));
        }
    }
    if !expect["upstream_request"].is_null() && !answer.upstream_request.is_null() {
        let got = match raw {
            true => answer.upstream_request.clone(),
            false => recorded(&answer.upstream_request, &expect["upstream_request"]),
        };
        check(
            "upstream_request",
            expect["upstream_request"].to_string(),
            got.to_string(),
        );
    }
    if expect["mirrored_to"].is_array() {
        check(
            "mirrored_to",
            format!("{:?}", texts(expect, "mirrored_to")),
            format!("{:?}", answer.mirrored_to),
        );
    }
    check(
        "tcp",
        (expect["tcp"] == true).to_string(),
        answer.tcp.to_string(),
    );
    out
}

/// `SPEC_CASES` names other archives, files or folders, for which no case is known to differ.
#[test]
fn the_specification_says_what_was_recorded() {
    let elsewhere = std::env::var("SPEC_CASES").ok();
    let root = elsewhere.as_deref().unwrap_or("tests/data/recorded");
    let mut files = Vec::new();
    case::files(Path::new(root), &mut files).expect("the recordings");
    let mut pending = match elsewhere {
        Some(_) => Pending::none("spec"),
        None => Pending::of("spec"),
    };
    for file in files {
        let cases = case::read(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        for case in cases.iter().filter(|case| is_asked(&case.id)) {
            // A specification that gives up on a case does not have it right either.
            let found = std::panic::catch_unwind(|| judged(case));
            let (reason, lines) =
                found.unwrap_or_else(|_| ("panics".to_owned(), vec!["panics".to_owned()]));
            pending.note(&case.topic, &case.id, &reason, lines);
        }
    }
    pending.finish();
}

/// What differs in a case: the fields, and each in full.
fn judged(case: &Case) -> (String, Vec<String>) {
    let resources = text(&case.raw, "resources").to_owned() + &gateway_services::written(case);
    let case = &case.raw;
    let mut fields = BTreeSet::new();
    let mut lines = Vec::new();
    let proxy = Proxy {
        gateway: case["proxy"]["type"] == "gateway",
        namespace: text(&case["proxy"], "namespace").to_owned(),
        labels: case["proxy"]["labels"].clone(),
        address: match text(&case["proxy"], "ip") {
            "" => "1.1.1.1",
            said => said,
        }
        .parse()
        .ok(),
    };
    let world = World::read(&resources, "default", case["mesh"].clone(), proxy);
    for call in list(case, "calls") {
        let name = text(call, "name");
        let answers = possible_answers(&world, &Call::read(&call["request"]));
        let all = answers
            .iter()
            .map(|answer| differences(answer, &call["expect"], call["request"]["raw"] == true));
        let best = all.min_by_key(|d| (d.iter().any(|d| d.0 == "cluster"), d.len()));
        let Some(best) = best else {
            fields.insert("no answer".to_owned());
            lines.push(format!("{name}: no answer"));
            continue;
        };
        for (field, want, got) in best {
            lines.push(format!("{name}: {field}: recorded {want}, specified {got}"));
            fields.insert(field);
        }
    }
    (Vec::from_iter(fields).join(", "), lines)
}
