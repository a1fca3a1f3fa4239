//! What a rule does with a request that it matches.

use std::sync::Arc;

use crate::terms::header_operations::HeaderChanges;
use crate::terms::route_policy::{DirectResponse, HashKey, Redirect, RoutePolicy};
use crate::terms::weighted::{AliasTable, FractionalPercent};

use super::cluster::Cluster;

/// What a rule does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Sends the request to a cluster.
    Forward(Forward),
    /// Answers with a `location`.
    Redirect(Redirection),
    /// Answers directly.
    Respond(Response),
}

/// Sends the request to one cluster of a split.
#[derive(Clone, Debug)]
pub struct Forward {
    pub(crate) split: Split,
    pub(crate) policy: Arc<RoutePolicy>,
    /// Header changes of the route level.
    pub(crate) headers: Option<Arc<HeaderChanges>>,
    pub(crate) mirrors: Box<[Mirror]>,
    pub(crate) hash_policy: Box<[HashKey]>,
}

/// The weighted clusters of a rule.
#[derive(Clone, Debug)]
pub struct Split {
    /// Over `clusters`, index for index.
    pub(crate) table: AliasTable,
    pub(crate) clusters: Box<[WeightedCluster]>,
    /// The rule lists two destinations or more: then zero-weight entries are gone and the destination's header changes
    /// run before the route's (R-H-122); with one, both run as one, route first (R-H-121).
    pub(crate) weighted: bool,
}

/// One cluster of a split.
#[derive(Clone, Debug)]
pub struct WeightedCluster {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) weight: u32,
    /// Header changes of the destination level.
    pub(crate) headers: Option<Arc<HeaderChanges>>,
}

/// A cluster that gets a shadow of the request.
#[derive(Clone, Debug)]
pub struct Mirror {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) percentage: FractionalPercent,
}

/// A redirect with what compile settled of it.
#[derive(Clone, Debug)]
pub struct Redirection {
    pub(crate) redirect: Arc<Redirect>,
    /// Written into the location: given or derived, and not the default of the scheme (R-H-136).
    pub(crate) port: Option<u16>,
    /// Route-level changes; the response ones apply (R-H-125).
    pub(crate) headers: Option<Arc<HeaderChanges>>,
    /// The policy beside it: rewrite has no meaning here, faults do.
    pub(crate) policy: Arc<RoutePolicy>,
}

/// A direct response.
#[derive(Clone, Debug)]
pub struct Response {
    pub(crate) response: Arc<DirectResponse>,
    /// Route-level changes; the response ones apply (R-H-125).
    pub(crate) headers: Option<Arc<HeaderChanges>>,
    /// The policy beside it.
    pub(crate) policy: Arc<RoutePolicy>,
}
