//! Words that every layer shares: hosts, names, labels, requests, conditions, clusters, policies, proxies.
//!
//! Nothing here knows a configuration resource or a table. The hot path speaks only these words.

#[macro_use]
pub(crate) mod short;

pub mod address;
pub(crate) mod base64;
pub mod claims;
pub mod cluster;
pub mod condition;
pub mod connection_manager;
pub(crate) mod cookie;
pub mod duration;
pub mod endpoint;
pub mod field_path;
pub mod format;
pub(crate) mod hash;
pub mod header_list;
pub mod header_operations;
pub mod host;
pub(crate) mod host_index;
pub(crate) mod inline_list;
pub mod labels;
pub mod name;
pub mod origin;
pub(crate) mod overlap_index;
pub mod path_normalization;
pub mod proxy;
pub mod proxy_config;
pub mod regex;
pub mod request;
pub mod request_hash;
pub mod route_error;
pub mod route_policy;
pub(crate) mod selector_index;
pub mod source;
pub(crate) mod subnet;
pub(crate) mod threads;
pub mod traffic_policy;
pub mod weighted;
