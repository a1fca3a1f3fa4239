//! The conformance runner: asks this crate what a recorded request was answered with, and compares every field.
//!
//! ```text
//! cargo run --release --example conformance -- [--json] [--strict] [--pending] [--cluster-domain NAME] [--via WAY] PATH...
//! ```
//!
//! Each PATH is a file of the form `routing-case/v1`, an archive of such cases (`*.jsonl.gz`, as JSON, one a line), or a
//! directory that is searched for both. For each failing
//! call it prints the case, the field, what was expected and what this crate says; at the end one line
//! `N passed, N failed, N skipped` (calls). The exit code is 1 if a call failed, 2 if nothing could be read.
//!
//! A call with something that cannot be checked (a field of `expect` that this runner does not know, a need that lies
//! outside routing) is skipped and named; under `--strict` it has failed. `--json` prints one line for each call
//! instead, with the full decision. `--pending` counts the failures of the cases that the tests list as not right yet
//! (`tests/data/pending/router` and `clusters`) apart; a listed case that passes has failed.
//!
//! `--via envoy` asks the router that is read back from what the compiled one writes for an Envoy; `--via xds=DIR` the one that is
//! read from what istiod sent (archives of dumps, such as `tests/data/xds`), and only the cases that have a dump. Both need the
//! feature `envoy`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

mod via;

#[allow(dead_code)] // the tests use the rest
#[path = "../../tests/support/mod.rs"]
mod support;

use support::Yaml;
use support::case::{self, Case};
use support::clusters;
use support::compare::{self, Difference, Verdict};
use support::engine;
use support::pending::Pending;
use via::Via;

/// What the command line asks for.
struct Arguments {
    json: bool,
    strict: bool,
    pending: bool,
    cluster_domain: String,
    via: Via,
    paths: Vec<PathBuf>,
}

/// Calls by how they ended.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// Failed, as the lists of the tests say.
    pending: usize,
}

const USAGE: &str = "usage: conformance [--json] [--strict] [--pending] [--cluster-domain NAME] [--via envoy|xds=DIR] PATH...";

fn arguments() -> Result<Arguments, String> {
    let mut out = Arguments {
        json: false,
        strict: false,
        pending: false,
        cluster_domain: "cluster.local".to_owned(),
        via: Via::Yaml,
        paths: vec![],
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--json" => out.json = true,
            "--strict" => out.strict = true,
            "--pending" => out.pending = true,
            "--cluster-domain" => out.cluster_domain = words.next().ok_or(USAGE)?,
            "--via" => out.via = Via::parse(&words.next().ok_or(USAGE)?)?,
            "--help" | "-h" => return Err(USAGE.to_owned()),
            option if option.starts_with("--") => {
                return Err(format!("unknown option `{option}`\n{USAGE}"));
            }
            path => out.paths.push(path.into()),
        }
    }
    if out.paths.is_empty() {
        return Err(USAGE.to_owned());
    }
    Ok(out)
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let mut files = Vec::new();
    for path in &arguments.paths {
        if let Err(error) = case::files(path, &mut files) {
            eprintln!("{}: {error}", path.display());
            return ExitCode::from(2);
        }
    }
    let mut tally = Tally::default();
    let mut cases = 0;
    let pending = ["router", "clusters"].map(|judge| match arguments.pending {
        true => Pending::of(judge),
        false => Pending::none(judge),
    });
    for file in &files {
        match case::read(file) {
            Ok(read) => {
                cases += read.len();
                for case in &read {
                    run(case, &arguments, &pending, &mut tally);
                }
            }
            Err(error) => {
                eprintln!("{}: {error}", file.display());
                tally.failed += 1;
            }
        }
    }
    if cases == 0 && tally.failed == 0 {
        eprintln!("no file of the form routing-case/v1 found");
        return ExitCode::from(2);
    }
    let mut summary = format!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.skipped
    );
    if arguments.pending {
        summary += &format!(", {} pending", tally.pending);
    }
    if arguments.json {
        eprintln!("{summary}");
    } else {
        println!("{summary}");
    }
    if tally.failed > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Runs a case. The failures of a listed one are known, and it must have some.
fn run(case: &Case, arguments: &Arguments, pending: &[Pending], tally: &mut Tally) {
    let mut listed = pending.iter();
    let Some(reason) = listed.find_map(|lists| lists.listed(&case.topic, &case.id)) else {
        return ask(case, arguments, tally);
    };
    let mut own = Tally::default();
    ask(case, arguments, &mut own);
    tally.pending += own.failed;
    tally.passed += own.passed;
    tally.skipped += own.skipped;
    if own.failed == 0 {
        println!("{} passes, and is listed ({reason})", case.id);
        tally.failed += 1;
    }
}

fn ask(case: &Case, arguments: &Arguments, tally: &mut Tally) {
    let mut engine = engine::compile(case, &arguments.cluster_domain);
    match arguments.via.router(case, &engine.router) {
        Ok(Some(router)) => engine.router = router,
        Ok(None) => return,
        Err(why) => {
            println!("{}: {why}", case.id);
            tally.failed += case.calls.len();
            return;
        }
    }
    let expected = &case.raw["expect_clusters"];
    if !expected.is_null() && case.unmet_needs().next().is_none() {
        let verdict = Verdict {
            differences: clusters::differences(&engine.router, expected),
            ..empty()
        };
        count(case, "expect_clusters", &verdict, arguments, tally);
    }
    if let Some(expected) = &case.expect_invalid {
        let verdict = refusals(expected, &engine.refused);
        count(case, "expect_invalid", &verdict, arguments, tally);
    } else if case.calls.is_empty() {
        let mut verdict = empty();
        let what = if case.raw["virtual_hosts"].is_object() {
            "virtual_hosts"
        } else {
            "no calls"
        };
        verdict.unchecked.push(what.to_owned());
        count(case, "-", &verdict, arguments, tally);
    }
    for (index, call) in case.calls.iter().enumerate() {
        let mut verdict = compare::judge(case, &engine, call);
        if index == 0 && case.recorded {
            // A real control plane took these resources.
            for (resource, reason) in &engine.refused {
                verdict.differences.push(Difference {
                    field: "resources".to_owned(),
                    expected: format!("{resource} accepted"),
                    got: reason.clone(),
                });
            }
        }
        count(case, &call.name, &verdict, arguments, tally);
    }
}

fn empty() -> Verdict {
    Verdict {
        differences: vec![],
        unchecked: vec![],
        notes: vec![],
        decision: Yaml::Null,
        entropy: 0,
    }
}

/// Were these resources refused? What else is refused is told.
fn refusals(expected: &[String], refused: &[(String, String)]) -> Verdict {
    let mut verdict = empty();
    for wanted in expected
        .iter()
        .filter(|wanted| !refused.iter().any(|(name, _)| name == *wanted))
    {
        verdict.differences.push(Difference {
            field: "expect_invalid".to_owned(),
            expected: format!("{wanted} refused"),
            got: "accepted".to_owned(),
        });
    }
    for (name, reason) in refused.iter().filter(|(name, _)| !expected.contains(name)) {
        verdict
            .notes
            .push(format!("{name} is refused, too: {reason}"));
    }
    verdict.decision = json!({"refused": refused.iter().map(|(name, _)| name).collect::<Vec<_>>()});
    verdict
}

fn count(case: &Case, call: &str, verdict: &Verdict, arguments: &Arguments, tally: &mut Tally) {
    let unread = !verdict.unchecked.is_empty();
    let result = match (verdict.agrees(), unread) {
        (false, false) => "failed",
        (true, false) => "passed",
        (_, true) if arguments.strict => "failed",
        (_, true) => "skipped",
    };
    match result {
        "passed" => tally.passed += 1,
        "failed" => tally.failed += 1,
        _ => tally.skipped += 1,
    }
    if arguments.json {
        let differences: Vec<Yaml> = verdict
            .differences
            .iter()
            .map(|d| json!({"field": d.field, "expected": d.expected, "got": d.got}))
            .collect();
        let line = json!({
            "case": case.id,
            "file": case.file.display().to_string(),
            "call": call,
            "result": result,
            "differences": differences,
            "unchecked": verdict.unchecked,
            "notes": verdict.notes,
            "entropy": verdict.entropy,
            "decision": verdict.decision,
        });
        println!("{line}");
        return;
    }
    if result == "failed" {
        for difference in &verdict.differences {
            println!("{} {call}: {}", case.id, difference.field);
            println!("    expected {}", difference.expected);
            println!("    got      {}", difference.got);
        }
    }
    if result != "passed" {
        for name in &verdict.unchecked {
            println!("{} {call}: not checked: {name}", case.id);
        }
    }
    for note in &verdict.notes {
        println!("{} {call}: note: {note}", case.id);
    }
}
