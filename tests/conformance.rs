//! The recorded answers of real istiod and real Envoy: every field of every call, on the slice in `tests/conformance`
//! and, where it is there, on the whole set beside the checkout.

use std::path::{Path, PathBuf};

#[allow(dead_code)] // each test uses its part
#[path = "support/mod.rs"]
mod support;

use support::case::{self, Case};
use support::compare::judge;
use support::engine::compile;

/// What differs in a case, one line for each field.
fn failures(case: &Case) -> Vec<String> {
    let engine = compile(case, "cluster.local");
    let mut out = Vec::new();
    if !case.raw["virtual_hosts"].is_null() {
        out.push(format!("{}: virtual_hosts is not checked", case.id));
    }
    match &case.expect_invalid {
        Some(expected) => {
            let refused = |wanted: &&String| engine.refused.iter().any(|(name, _)| name == *wanted);
            let accepted = expected.iter().filter(|wanted| !refused(wanted));
            out.extend(accepted.map(|name| format!("{}: {name} is accepted", case.id)));
        }
        None => {
            let refused = engine.refused.iter();
            out.extend(refused.map(|(name, why)| format!("{}: {name} is refused: {why}", case.id)));
        }
    }
    for call in &case.calls {
        let verdict = judge(case, &engine, call);
        if verdict.agrees() && verdict.unchecked.is_empty() {
            continue;
        }
        let unchecked = verdict.unchecked.iter();
        out.extend(
            unchecked.map(|what| format!("{} {}: {what} is not checked", case.id, call.name)),
        );
        out.extend(verdict.differences.iter().map(|difference| {
            let (expected, got) = (&difference.expected, &difference.got);
            format!(
                "{} {} (entropy {}): {}: expected {expected}, got {got}",
                case.file.display(),
                call.name,
                verdict.entropy,
                difference.field
            )
        }));
    }
    out
}

/// Runs all cases below a directory; the number of calls that were asked.
fn run(directory: &Path) -> usize {
    let mut files = Vec::new();
    case::files(directory, &mut files).expect("the directory can be read");
    let cases: Vec<Case> = files
        .iter()
        .filter_map(|file| {
            case::read(file).unwrap_or_else(|why| panic!("{}: {why}", file.display()))
        })
        .collect();
    // A recorded case that is read as something else would be a case that nobody asks.
    assert_eq!(
        cases.len(),
        files.len(),
        "files of the form routing-case/v1"
    );
    let failures: Vec<String> = cases.iter().flat_map(failures).collect();
    assert!(
        failures.is_empty(),
        "{} differences:\n{}",
        failures.len(),
        failures.join("\n")
    );
    cases.iter().map(|case| case.calls.len()).sum()
}

#[test]
fn the_slice_is_answered_as_recorded() {
    assert!(run(Path::new("tests/conformance")) > 400);
}

#[test]
fn everything_is_answered_as_recorded() {
    let shared = PathBuf::from("../shared/conformance");
    if shared.is_dir() {
        assert!(run(&shared) > 10_000);
    } else {
        eprintln!("no recordings beside the checkout: skipped");
    }
}
