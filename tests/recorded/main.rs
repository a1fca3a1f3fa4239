//! What real proxies and other authors' tests say: the recordings of `tests/data`, asked of the crate and of the executable
//! specification, and the cases of other projects, where they lie beside the checkout.

mod balance;
mod conformance;
mod explain;
mod peer_cases;
mod recordings;
mod specification;
mod validation;
#[cfg(feature = "envoy")]
mod xds;

#[allow(dead_code)] // each binary uses its part
#[path = "../spec/mod.rs"]
mod spec;
#[allow(dead_code)] // each binary uses its part
#[path = "../support/mod.rs"]
mod support;
