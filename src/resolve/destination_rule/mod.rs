//! DestinationRules: from the resource as written to a typed rule, and from all rules to the index that views ask.

pub(crate) mod index;
#[cfg(test)]
mod index_tests;
pub(crate) mod merge;
