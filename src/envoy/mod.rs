//! Envoy's own configuration, written and read. [`Router::to_envoy`](crate::Router::to_envoy) says in Envoy's v3 API (as
//! protobuf's JSON) what a router's tables hold, as istiod would say it to an Envoy;
//! [`Router::from_envoy`](crate::Router::from_envoy) makes the same tables of what istiod says.
//!
//! The messages are declared as far as they have to do with routing: what they do not declare is not honoured, and never
//! overlooked.

mod bootstrap;
mod json;
mod model;
mod read;
mod unread;
mod write;

pub use bootstrap::{Bootstrap, StaticResources};
pub use model::*;

use serde::Serialize;

/// What an Envoy is configured with: listeners, route configurations, clusters and their endpoints.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EnvoyConfig {
    /// LDS.
    pub listeners: Vec<Listener>,
    /// RDS: what HTTP connection managers name.
    pub routes: Vec<RouteConfiguration>,
    /// CDS: what routes name. None at all: nothing is known of them, and all are there.
    pub clusters: Vec<Cluster>,
    /// EDS: the endpoints of clusters that do not say theirs.
    pub endpoints: Vec<ClusterLoadAssignment>,
    /// What the text had besides.
    #[serde(skip)]
    unread: Vec<unread::Unread>,
}
