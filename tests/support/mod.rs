//! Cases of the form `routing-case/v1` and this crate's answers to them: read ([`case`], [`archive`]), asked of the engine
//! ([`engine`], [`picks`]), compared ([`compare`], [`clusters`]), and what is known to
//! differ still ([`pending`]). Shared by the conformance runner and the tests; knows nothing of any single case.

pub mod archive;
#[path = "../../src/beside.rs"]
pub mod beside;
pub mod case;
pub mod clusters;
pub mod compare;
pub mod engine;
pub mod gateway_services;
pub mod pending;
pub mod picks;
pub mod slices;

/// A YAML value as written.
pub type Yaml = serde_json::Value;

/// The text of a field, "" if it is absent.
pub fn text<'a>(value: &'a Yaml, field: &str) -> &'a str {
    value[field].as_str().unwrap_or("")
}

/// The elements of a list field, none if it is absent.
pub fn list<'a>(value: &'a Yaml, field: &str) -> &'a [Yaml] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}
