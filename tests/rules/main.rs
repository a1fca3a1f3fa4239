//! Small suites: each rule of the specification by itself, from a text to what it means.

mod json;
mod regex;
mod rule_book;
mod weighted;

#[cfg(feature = "yaml")]
mod debug;
#[cfg(feature = "yaml")]
mod destination_rule;
#[cfg(feature = "yaml")]
mod diagnostics;
#[cfg(feature = "yaml")]
mod discovery;
#[cfg(feature = "envoy")]
mod envoy;
#[cfg(feature = "yaml")]
mod lint;
#[cfg(feature = "yaml")]
mod parse;
#[cfg(all(feature = "yaml", unix))]
mod paths;
#[cfg(feature = "yaml")]
mod proxy_config;
#[cfg(feature = "yaml")]
mod reach;
#[cfg(feature = "yaml")]
mod refused;
#[cfg(feature = "yaml")]
mod request;
#[cfg(feature = "yaml")]
mod seed;
#[cfg(feature = "yaml")]
mod service_entry_visibility;
mod space;
#[cfg(feature = "yaml")]
mod traffic_policy;
#[cfg(feature = "yaml")]
mod units;

#[cfg(feature = "yaml")]
#[allow(dead_code)] // each binary uses its part
#[path = "../support/mod.rs"]
mod support;
