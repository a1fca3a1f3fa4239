//! Envoy's own configuration, written and read: [`Router::to_envoy`](crate::Router::to_envoy) says in Envoy's v3 API (as
//! protobuf's JSON) what a router's tables hold, as istiod would say it to an Envoy.
//!
//! The messages are declared as far as they have to do with routing: what they do not declare is not honoured, and never
//! overlooked.

mod model;
mod write;

pub use model::*;

use serde::{Deserialize, Serialize};

/// What an Envoy is configured with: listeners, route configurations, clusters and their endpoints.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EnvoyConfig {
    /// LDS.
    pub listeners: Vec<Listener>,
    /// RDS: what HTTP connection managers name.
    pub routes: Vec<RouteConfiguration>,
}
