//! The API as written: one struct per message of Istio, with Istio's names and the author's strings. No meaning is given
//! here: an absent field is its protobuf default, a host is text, a regex is text.
//!
//! A [`Document`] is one resource with its metadata and its place in the source; [`Resources`] is what was read, in the order
//! in which it was written, with the diagnostics of reading it.

mod credentials;
mod destination_rule;
mod gateway;
pub mod gateway_api;
mod kind;
mod kubernetes;
mod mesh_config;
mod metadata;
mod peer_authentication;
mod resources;
mod service_entry;
mod sidecar;
mod virtual_service;
mod workload_entry;

pub use credentials::*;
pub use destination_rule::*;
pub use gateway::*;
pub use kind::{Kind, Resource};
pub(crate) use kind::{Named, each_kind};
pub use kubernetes::*;
pub use mesh_config::*;
pub use metadata::{Document, Metadata};
pub use peer_authentication::*;
pub use resources::Resources;
pub use service_entry::*;
pub use sidecar::*;
pub use virtual_service::*;
pub use workload_entry::*;

/// Labels, selectors and annotations as written.
pub type Labels = std::collections::BTreeMap<String, String>;

/// Bytes, which are base64 in the text.
#[derive(Clone, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a wrapper")]
pub struct Bytes(pub Vec<u8>);

short_debug! { Bytes(list) }
