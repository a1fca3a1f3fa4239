//! DestinationRules: from the resource as written to a typed rule, and from all rules to the index that views ask.

pub(crate) mod index;
pub(crate) mod merge;
