//! Checks of single values that several kinds of resource share (R-M-142..R-M-145): each takes one value as written and
//! says in words what is wrong with it. They push nothing: the caller knows the field.

pub(crate) mod domain;
pub(crate) mod export_to;
pub(crate) mod header;
pub(crate) mod kubernetes;
pub(crate) mod labels;
pub(crate) mod network;
pub(crate) mod quantity;

/// What a check says: nothing, or what is wrong (lowercase, no full stop, the user's text in backticks).
pub(crate) type Verdict = Result<(), String>;
