//! What reports look like: every case of `tests/data/diagnostics` beside its snapshot, and every code of reading in one of
//! them. To accept a change: `INSTA_UPDATE=always cargo test --test rules diagnostics`.

use meshroute::Limits;
use meshroute::diagnostic::{Code, Report, Severity};
use meshroute::resource::Resources;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/diagnostics")
}

/// The report on a case, which goes by its file name alone.
fn report_on(file: &Path) -> Report {
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let text =
        std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let builder = Resources::builder();
    let builder = match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => builder.json(name, text),
        _ if name.starts_with("mesh-config") => builder.mesh_config(name, text),
        _ => builder.yaml(name, text),
    };
    builder.build_lenient().1
}

fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data()).expect("the cases are part of the project");
    let mut cases: Vec<_> = entries
        .map(|entry| entry.expect("a readable directory").path())
        .collect();
    cases.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml" || extension == "json")
    });
    cases.sort();
    cases
}

#[test]
fn every_case_has_its_report() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(data());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for case in cases() {
            let name = case
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            insta::assert_snapshot!(name, report_on(&case).to_string());
        }
    });
}

/// Codes that no text of a few lines can show; `tests/parse.rs` has a test for each.
const SHOWN_ELSEWHERE: &[Code] = &[
    Code::UNREADABLE_FILE,
    Code::NOT_UTF8,
    Code::INPUT_TOO_LARGE,
    Code::TOO_MANY_DOCUMENTS,
    Code::LIST_TOO_LONG,
    Code::TOO_MANY_VALUES,
    Code::TOO_MANY_PROBLEMS,
    Code::ENTRY_PASSED_OVER,
];

#[test]
fn every_code_of_reading_is_shown() {
    let mut shown: BTreeSet<Code> = SHOWN_ELSEWHERE.iter().copied().collect();
    for case in cases() {
        shown.extend(report_on(&case).iter().map(|diagnostic| diagnostic.code()));
    }
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| code.id() < "MR0100" && !shown.contains(code))
        .collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

#[test]
fn every_diagnostic_of_reading_says_where() {
    for case in cases() {
        for diagnostic in &report_on(&case) {
            assert!(
                diagnostic.location().is_some(),
                "{}: {diagnostic}",
                case.display()
            );
        }
    }
}

/// House rules: lowercase, no full stop, and what the user wrote in backticks.
#[test]
fn messages_are_written_alike() {
    for case in cases() {
        for diagnostic in &report_on(&case) {
            for text in [Some(diagnostic.message()), diagnostic.help()]
                .into_iter()
                .flatten()
            {
                assert!(!text.ends_with('.'), "{text}");
                assert!(!text.starts_with(char::is_uppercase), "{text}");
                assert_eq!(text.matches('`').count() % 2, 0, "{text}");
            }
        }
    }
}

#[test]
fn a_report_serializes_for_machines() {
    let text = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec:\n  serverz: []\n";
    let report = Resources::builder().yaml("a.yaml", text).build_lenient().1;
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        json,
        serde_json::json!([{
            "severity": "warning",
            "code": "MR0015",
            "name": "unknown-field",
            "message": "unknown field `serverz` in `Gateway`",
            "help": "did you mean `servers`?",
            "resource": {"kind": "Gateway", "namespace": "default", "name": "a"},
            "field": "spec.serverz",
            "location": {"file": "a.yaml", "line": 5, "column": 3},
        }])
    );
}

#[test]
fn a_report_is_an_error() {
    let error: Box<dyn std::error::Error + Send + Sync> =
        Box::new(Resources::from_yaml("a: [").unwrap_err());
    assert!(error.to_string().ends_with("1 error"), "{error}");
    let mut report = Report::new();
    assert!(report.clone().into_result(1) == Ok(1) && !report.has_errors());
    report.append(Resources::from_yaml("a: [").unwrap_err());
    assert_eq!(
        report
            .errors()
            .next()
            .map(|diagnostic| diagnostic.severity()),
        Some(Severity::Error)
    );
    assert_eq!(Limits::default().bytes, 64 << 20);
}

#[test]
fn reports_sort_by_place() {
    let text = "a: 1\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: b}\n---\nc: [\n";
    let (_, mut report) = Resources::from_yaml_lenient(text);
    let (_, other) = Resources::builder().yaml("a.yaml", "x: 1").build_lenient();
    report.append(other);
    report.sort_by_location();
    let places: Vec<_> = report
        .iter()
        .filter_map(|diagnostic| diagnostic.location())
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        places,
        ["<input>:1:1", "<input>:4:7", "<input>:8:1", "a.yaml:1:1"]
    );
}
