//! Envoy's own configuration, as far as routing goes: the v3 API in protobuf's JSON. What is not declared here is not honoured;
//! [`EnvoyConfig::from_json`](super::EnvoyConfig::from_json) says what there is of that in a text.

pub(crate) mod message;

mod cluster;
mod filter;
mod listener;
mod route;
mod shared;

pub use cluster::*;
pub use filter::*;
pub use listener::*;
pub use message::{Any, Empty, Int64, Span};
pub use route::*;
pub use shared::*;
