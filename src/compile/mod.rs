//! Verb 3: one mesh, one proxy, one immutable router. Cannot fail.

pub(crate) mod clusters;
pub(crate) mod scope;
