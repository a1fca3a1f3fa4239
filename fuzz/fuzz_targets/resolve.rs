//! Any YAML: resolving and linting never panic, the same resources give the same report, and strict agrees with lenient.
//!
//! `cargo +nightly fuzz run resolve fuzz/corpus/resolve fuzz/seeds/decide`, or `.ci/fuzz resolve`

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshroute::lint::lint;
use meshroute::{Mesh, Resources};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (resources, _) = Resources::from_yaml_lenient(text);
    let (mesh, report) = Mesh::resolve_lenient(resources.clone());
    let said = report.to_string();
    let (_, again) = Mesh::resolve_lenient(resources.clone());
    assert_eq!(said, again.to_string());
    assert_eq!(Mesh::resolve(resources.clone()).is_err(), report.has_errors(), "{said}");
    let found = lint(&mesh);
    drop(resources.locate(found).to_string());
});
