//! The other way: routers read from what istiod sent, and from what the crate itself writes for an Envoy, answer as was
//! recorded.

use std::collections::BTreeSet;

use meshroute::Router;
use meshroute::envoy::EnvoyConfig;

use super::dumps;
use crate::support::archive::archives;
use crate::support::case::{self, Case};
use crate::support::compare::{Difference, judge};
use crate::support::engine::{Engine, compile};
use crate::support::pending::{Pending, is_asked};

/// The router of a text, without anything to say of it; else what there is to say.
fn read(text: &str) -> Result<Router, Vec<String>> {
    let config = EnvoyConfig::from_json(text).map_err(|report| vec![report.to_string()])?;
    let (router, report) = match Router::from_envoy(&config) {
        Ok(read) => read,
        Err(report) => return Err(report.iter().map(ToString::to_string).collect()),
    };
    match report.is_empty() {
        true => Ok(router),
        false => Err(report.iter().map(ToString::to_string).collect()),
    }
}

/// How the answers of a router differ from what was recorded: fields, and lines.
fn differences(case: &Case, router: Router) -> (BTreeSet<String>, Vec<String>) {
    let engine = Engine {
        router,
        refused: Vec::new(),
    };
    let (mut kinds, mut lines) = (BTreeSet::new(), Vec::new());
    for call in &case.calls {
        // Endpoints are a resource of their own, which no router reads: whose choice hangs on them says nothing here.
        if call.expect["outcome"] == "no_healthy_upstream" {
            continue;
        }
        let differences = judge(case, &engine, call).differences.into_iter();
        let is_of_endpoints = |one: &Difference| one.field == "endpoint" && one.got == "null";
        for difference in differences.filter(|one| !is_of_endpoints(one)) {
            let field = &difference.field;
            kinds.insert(field.split('.').next().unwrap_or(field).to_owned());
            lines.push(format!(
                "{}: {field}: expected {}, got {}",
                call.name, difference.expected, difference.got
            ));
        }
    }
    (kinds, lines)
}

fn note(pending: &mut Pending, topic: &str, case: &Case, read: Result<Router, Vec<String>>) {
    match read {
        Ok(router) => {
            let (kinds, lines) = differences(case, router);
            let reason: Vec<String> = kinds.into_iter().collect();
            pending.note(topic, &case.id, &reason.join(", "), lines);
        }
        Err(said) => {
            let first = said.first().and_then(|text| text.lines().next());
            let first = first.unwrap_or_default().to_owned();
            pending.note(topic, &case.id, &first, said);
        }
    }
}

#[test]
fn what_istiod_sent_is_read_without_a_word_and_answers_as_recorded() {
    let mut pending = Pending::of("xds");
    let mut asked = 0;
    for (topic, case, dump) in dumps().filter(|(_, case, _)| is_asked(&case.id)) {
        note(&mut pending, &topic, &case, read(&dump.to_string()));
        asked += 1;
    }
    pending.finish();
    assert!(asked == 642 || std::env::var_os("MESHROUTE_ONLY").is_some());
}

#[test]
fn what_is_written_for_an_envoy_and_read_back_answers_as_recorded() {
    let mut pending = Pending::of("envoy-back");
    let router = Pending::of("router");
    for archive in archives("recorded") {
        let cases = case::read(&archive).expect("an archive of cases");
        for case in cases.iter().filter(|case| is_asked(&case.id)) {
            // What is not answered as recorded in the first place says nothing here.
            let is_unmet = case.unmet_needs().next().is_some();
            if is_unmet || router.listed(&case.topic, &case.id).is_some() {
                continue;
            }
            let compiled = compile(case, "cluster.local").router;
            let text = serde_json::to_string(&compiled.to_envoy()).expect("JSON");
            note(&mut pending, &case.topic, case, read(&text));
        }
    }
    pending.finish();
}
