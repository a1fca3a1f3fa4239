//! The recorded answers of real istiod and real Envoy: every field of every call, on the slice in `tests/conformance`
//! and, where it is there, on the whole set beside the checkout.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[allow(dead_code)] // each test uses its part
#[path = "support/mod.rs"]
mod support;

use support::case::{self, Case};
use support::compare::judge;
use support::engine::compile;
use support::pending::{Pending, is_asked};

/// What no runner can check yet: it is counted and named, and fails nothing. The clusters' settings and the endpoint that a
/// hash picks wait for clusters that know their endpoints.
const UNCHECKED: &[&str] = &["expect_clusters", "expect.endpoint"];

/// What is found about a case.
#[derive(Default)]
struct Findings {
    /// Fields that differ or are not checked, in short.
    kinds: BTreeSet<String>,
    /// The same in full, one line for each.
    lines: Vec<String>,
}

impl Findings {
    fn add(&mut self, kind: &str, line: String) {
        self.kinds.insert(kind.to_owned());
        self.lines.push(line);
    }

    fn reason(&self) -> String {
        let kinds: Vec<&str> = self.kinds.iter().map(String::as_str).collect();
        // What the case is about is not there at all: how else it differs says nothing.
        let need = kinds.iter().find(|kind| kind.starts_with("needs "));
        need.map_or_else(|| kinds.join(", "), |need| (*need).to_owned())
    }
}

fn judged(case: &Case, unchecked: &mut BTreeMap<String, usize>) -> Findings {
    let engine = compile(case, "cluster.local");
    let mut out = Findings::default();
    if !case.raw["virtual_hosts"].is_null() {
        out.add("virtual_hosts", "virtual_hosts is not checked".to_owned());
    }
    if !case.raw["expect_clusters"].is_null() {
        *unchecked.entry("expect_clusters".to_owned()).or_default() += 1;
    }
    match &case.expect_invalid {
        Some(expected) => {
            let refused = |wanted: &&String| engine.refused.iter().any(|(name, _)| name == *wanted);
            for name in expected.iter().filter(|wanted| !refused(wanted)) {
                out.add("accepted", format!("{name} is accepted"));
            }
        }
        None => {
            for (name, why) in &engine.refused {
                out.add("refused", format!("{name} is refused: {why}"));
            }
        }
    }
    for call in &case.calls {
        let verdict = judge(case, &engine, call);
        for what in &verdict.unchecked {
            if UNCHECKED.contains(&what.as_str()) {
                *unchecked.entry(what.clone()).or_default() += 1;
            } else {
                out.add(what, format!("{}: {what} is not checked", call.name));
            }
        }
        for difference in &verdict.differences {
            let (expected, got) = (&difference.expected, &difference.got);
            let field = &difference.field;
            out.add(
                field.split('.').next().unwrap_or(field),
                format!(
                    "{} (entropy {}): {field}: expected {expected}, got {got}",
                    call.name, verdict.entropy
                ),
            );
        }
    }
    out
}

/// Asks all cases below a directory, which has a folder for each topic; the number of calls that were asked.
fn run(directory: &Path, pending: &mut Pending) -> usize {
    let mut files = Vec::new();
    case::files(directory, &mut files).expect("the directory can be read");
    let mut calls = 0;
    let mut unchecked = BTreeMap::new();
    for file in &files {
        // A recorded case that is read as something else would be a case that nobody asks.
        let case = case::read(file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        let case = case.unwrap_or_else(|| panic!("{} is no case", file.display()));
        if !is_asked(&case.id) {
            continue;
        }
        let topic = file.parent().and_then(Path::file_name).expect("a topic");
        let found = judged(&case, &mut unchecked);
        let reason = found.reason();
        pending.note(&topic.to_string_lossy(), &case.id, &reason, found.lines);
        calls += case.calls.len();
    }
    for (what, count) in unchecked {
        eprintln!("not checked yet: {what}, {count} times");
    }
    calls
}

#[test]
fn everything_is_answered_as_recorded() {
    let shared = PathBuf::from("../shared/conformance");
    if !shared.is_dir() {
        eprintln!("no recordings beside the checkout: skipped");
        return;
    }
    let mut pending = Pending::of("router");
    let calls = run(&shared, &mut pending);
    pending.finish();
    assert!(calls > 10_000 || std::env::var_os("MESHROUTE_CASES").is_some());
}

#[test]
fn the_slice_is_answered_as_recorded() {
    let mut files = Vec::new();
    case::files(Path::new("tests/conformance"), &mut files).expect("the slice");
    for file in files {
        let case = case::read(&file).expect("readable").expect("a case");
        let found = judged(&case, &mut BTreeMap::new());
        assert!(found.lines.is_empty(), "{}: {:?}", case.id, found.lines);
    }
}
