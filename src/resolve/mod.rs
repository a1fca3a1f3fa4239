//! Verb 2: raw resources in, typed and linked mesh out, every problem in a report.
pub(crate) mod destination_rule;
