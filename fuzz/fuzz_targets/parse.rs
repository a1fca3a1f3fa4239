//! Any bytes as YAML: reading never panics, says where each fault is, and the strict door agrees with the lenient one.
//!
//! `cargo +nightly fuzz run parse fuzz/corpus/parse fuzz/seeds/decide`, or `.ci/fuzz parse`

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshroute::Resources;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (resources, report) = Resources::from_yaml_lenient(text);
    // What YAML takes for the end of a line; a carriage return and a line feed may be one.
    let ends = text.matches(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
    let lines = ends.count() + 1;
    for diagnostic in &report {
        if let Some(place) = diagnostic.location() {
            assert!((1..=lines).contains(&(place.line as usize)), "{diagnostic}");
        }
        drop(diagnostic.to_string());
    }
    match Resources::from_yaml(text) {
        Ok(strict) => {
            assert!(!report.has_errors(), "{report}");
            assert_eq!(strict.documents.len(), resources.documents.len());
        }
        Err(refusal) => assert!(refusal.has_errors()),
    }
});
