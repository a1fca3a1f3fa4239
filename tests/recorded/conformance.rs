//! The recorded answers of real istiod and real Envoy: every field of every call and every
//! cluster of every case in `tests/data/recorded`.

use std::collections::BTreeSet;

use crate::support::archive::archives;
use crate::support::case::{self, Case};
use crate::support::clusters;
use crate::support::compare::judge;
use crate::support::engine::{Engine, compile};
use crate::support::pending::{Pending, is_asked};

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

    fn needs(need: Option<&str>) -> Self {
        let mut out = Findings::default();
        let text = format!("needs {}", need.unwrap_or_default());
        out.add(&text, text.clone());
        out
    }

    fn reason(&self) -> String {
        let kinds: Vec<&str> = self.kinds.iter().map(String::as_str).collect();
        kinds.join(", ")
    }
}

/// What differs of the clusters.
fn judged_clusters(case: &Case, engine: &Engine) -> Findings {
    let mut out = Findings::default();
    let expected = &case.raw["expect_clusters"];
    for difference in clusters::differences(&engine.router, expected) {
        let (expected, got) = (&difference.expected, &difference.got);
        let field = &difference.field;
        out.add(
            field.split(' ').next().unwrap_or(field),
            format!("{field}: expected {expected}, got {got}"),
        );
    }
    out
}

fn judged(case: &Case, engine: &Engine) -> Findings {
    let mut out = Findings::default();
    if !case.raw["virtual_hosts"].is_null() {
        out.add("virtual_hosts", "virtual_hosts is not checked".to_owned());
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
        let verdict = judge(case, engine, call);
        for what in &verdict.unchecked {
            out.add(what, format!("{}: {what} is not checked", call.name));
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

#[test]
fn everything_is_answered_as_recorded() {
    let mut pending = Pending::of("router");
    let mut pending_clusters = Pending::of("clusters");
    let mut calls = 0;
    for archive in archives("recorded") {
        let cases = case::read(&archive);
        let cases = cases.unwrap_or_else(|why| panic!("{}: {why}", archive.display()));
        for case in cases.iter().filter(|case| is_asked(&case.id)) {
            calls += case.calls.len();
            // What a case is about may not be there at all: how else it differs then says nothing.
            let need = case.unmet_needs().next();
            let engine = need.is_none().then(|| compile(case, "cluster.local"));
            let found = match &engine {
                Some(engine) => judged(case, engine),
                None => Findings::needs(need),
            };
            let reason = found.reason();
            pending.note(&case.topic, &case.id, &reason, found.lines);
            let found = match &engine {
                _ if case.raw["expect_clusters"].is_null() => continue,
                Some(engine) => judged_clusters(case, engine),
                None => Findings::needs(need),
            };
            let reason = found.reason();
            pending_clusters.note(&case.topic, &case.id, &reason, found.lines);
        }
    }
    pending.finish();
    pending_clusters.finish();
    assert!(calls > 30_000 || std::env::var_os("MESHROUTE_ONLY").is_some());
}
