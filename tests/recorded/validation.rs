//! What Istio's admission refuses, and what it accepts: its own cases (`../shared/peer-cases/validation`), and every resource
//! of the recordings, where `expect_invalid` names those that istiod refused.
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use meshroute::Mesh;
use meshroute::diagnostic::{Code, Report, Severity};
use meshroute::resource::Resources;
use serde_yaml::{Mapping, Value};

use crate::support::pending::{Pending, is_asked};
use crate::support::{archive, beside, list};

/// Cases in which the answer differs from Istio's on purpose, and why.
const KNOWN_DIFFERENCES: &[(&str, &str)] = &[(
    "sidecar:6648",
    "Istio's test validates it in namespace `bar`, where `./*` covers `bar/a.com`; the file has another namespace",
)];

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(yaml_files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Everything that there is to say about a text, from reading and from resolving.
fn report(text: &str) -> Report {
    let (resources, mut report) = Resources::from_yaml_lenient(text);
    report.append(Mesh::resolve_lenient(resources).1);
    report
}

/// Writes out `@REPEAT(a,2097152)`.
fn with_repetitions(mut text: String) -> String {
    while let Some(start) = text.find("@REPEAT(") {
        let end = start + text[start..].find(')').unwrap();
        let arguments = text[start..end].split_once('(').unwrap().1;
        let (unit, count) = arguments.split_once(',').unwrap();
        let repeated = unit.repeat(count.parse().unwrap());
        text.replace_range(start..=end, &repeated);
    }
    text
}

/// A resource of `kind` that holds the fragment of a case which has no resource of its own.
fn wrap_scalar(message: &str, case: &Value) -> Option<(&'static str, Value)> {
    let value = case.get("value").cloned().unwrap_or(Value::Null);
    let text = |yaml: &str| -> Value { serde_yaml::from_str(yaml).unwrap() };
    let mut rule = text("{route: [{destination: {host: a.b}}]}");
    match message {
        "HTTP header name or @jwt claim route key" => {
            let mut headers = Mapping::new();
            headers.insert(value, text("{exact: x}"));
            rule["match"] = Value::Sequence(vec![Value::Mapping(one("headers", headers.into()))]);
        }
        "HTTP header value" => {
            let set = Value::Mapping(one("set", Value::Mapping(one("x-a", value))));
            rule["headers"] = Value::Mapping(one("request", set));
        }
        "HTTP status" => {
            let abort = Value::Mapping(one("httpStatus", value));
            rule["fault"] = Value::Mapping(one("abort", abort));
        }
        "exportTo" => return Some(wrap_export_to(case)),
        _ => return None,
    }
    let mut spec = text("{hosts: [a.b], gateways: [gateway]}");
    spec["http"] = Value::Sequence(vec![rule]);
    Some(("VirtualService", resource("VirtualService", "ns", spec)))
}

fn wrap_export_to(case: &Value) -> (&'static str, Value) {
    let is = |field: &str| case[field].as_bool().unwrap_or(false);
    let (kind, spec) = if is("service_entry") {
        (
            "ServiceEntry",
            "{hosts: [a.b], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}",
        )
    } else if is("destination_rule_with_selector") {
        (
            "DestinationRule",
            "{host: a.b, workloadSelector: {matchLabels: {app: a}}}",
        )
    } else {
        (
            "VirtualService",
            "{hosts: [a.b], http: [{route: [{destination: {host: a.b}}]}]}",
        )
    };
    let mut spec: Value = serde_yaml::from_str(spec).unwrap();
    spec["exportTo"] = case["export_to"].clone();
    (
        kind,
        resource(kind, case["namespace"].as_str().unwrap(), spec),
    )
}

fn one(key: &str, value: Value) -> Mapping {
    let mut map = Mapping::new();
    map.insert(key.into(), value);
    map
}

fn resource(kind: &str, namespace: &str, spec: Value) -> Value {
    let mut resource: Value = serde_yaml::from_str("{apiVersion: networking.istio.io/v1}").unwrap();
    resource["kind"] = kind.into();
    resource["metadata"] = Value::Mapping(one("name", "some-name".into()));
    resource["metadata"]["namespace"] = namespace.into();
    resource["spec"] = spec;
    resource
}

/// R-M-142..R-M-185: what Istio's own tests call valid is accepted, what they call invalid is refused, and what they want
/// warned of is warned of.
#[test]
fn admission_agrees_with_istios_own_cases() {
    let Some(folder) = beside::find("peer-cases/validation") else {
        return;
    };
    let mut seen: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut differences: BTreeSet<&str> = BTreeSet::new();
    for file in yaml_files(&folder) {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        let cases: Value = serde_yaml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let message = cases["message"].as_str().unwrap();
        for case in cases["cases"].as_sequence().unwrap() {
            let given = case.get("resource").or_else(|| case.get("wrapped"));
            let given = given.filter(|given| !given.is_null());
            let (kind, resource) = match given {
                Some(given) => (given["kind"].as_str().unwrap().to_owned(), given.clone()),
                None => match wrap_scalar(message, case) {
                    Some((kind, resource)) => (kind.to_owned(), resource),
                    None => continue, // a null message: nothing to write
                },
            };
            let text = serde_yaml::to_string(&resource).unwrap();
            let report = report(&with_repetitions(text));
            let id = format!("{stem}:{}", case["line"].as_u64().unwrap());
            let valid = case["valid"].as_bool().unwrap();
            let warned = case.get("warning").and_then(Value::as_bool) != Some(true)
                || report.iter().any(|d| d.severity() == Severity::Warning);
            let agrees = valid != report.has_errors() && (warned || !valid);
            let count = seen.entry(kind.clone()).or_default();
            count.0 += usize::from(agrees);
            count.1 += 1;
            match KNOWN_DIFFERENCES.iter().find(|(known, _)| *known == id) {
                Some((known, _)) if !agrees => _ = differences.insert(known),
                _ if agrees => {}
                _ => wrong.push(format!(
                    "{kind} {id} ({}): valid {valid}, warned {warned}\n{report}",
                    case["name"].as_str().unwrap_or("")
                )),
            }
        }
    }
    for (kind, (agreed, all)) in &seen {
        eprintln!("{kind}: {agreed} of {all} cases agree");
    }
    assert_eq!(
        differences.len(),
        KNOWN_DIFFERENCES.len(),
        "a known difference is none any more"
    );
    assert!(
        wrong.is_empty(),
        "{} cases differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Exactly the resources that istiod refused are refused, and none of the others.
#[test]
fn recorded_resources_are_refused_as_recorded() {
    let mut pending = Pending::of("admission");
    let (mut cases, mut refusals) = (0, 0);
    for (topic, case) in archive::recorded() {
        let id = crate::support::text(&case, "id");
        if !is_asked(id) {
            continue;
        }
        let report = report(crate::support::text(&case, "resources"));
        // A recording stops at the first refusal; one case has a duplicate behind it, which is no question of admission.
        let refused: BTreeSet<String> = report
            .errors()
            .filter(|d| d.code() != Code::DUPLICATE_RESOURCE)
            .map(|d| {
                d.resource()
                    .map_or_else(|| "(none)".to_owned(), ToString::to_string)
            })
            .collect();
        let expected: BTreeSet<String> = list(&case, "expect_invalid")
            .iter()
            .filter_map(|entry| entry.as_str()?.split(": ").next().map(str::to_owned))
            .collect();
        cases += 1;
        refusals += expected.len();
        let mut lines = Vec::new();
        let accepted: Vec<&String> = expected.difference(&refused).collect();
        let errors: Report = report.errors().cloned().collect();
        if refused != expected {
            lines.push(format!(
                "refused {refused:?}, recorded {expected:?}\n{errors}"
            ));
        }
        let reason = match accepted.is_empty() {
            true => "refused, and should not be",
            false => "accepted, and should not be",
        };
        pending.note(&topic, id, reason, lines);
    }
    eprintln!("{cases} cases, {refusals} refusals");
    pending.finish();
}
