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
    /// Over `clusters`, index for index; `None` where there is nothing to draw: one cluster, or none.
    pub(crate) table: Option<AliasTable>,
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

impl Action {
    /// The policy beside it: timeouts, retries, faults, CORS.
    pub fn policy(&self) -> &RoutePolicy {
        match self {
            Action::Forward(forward) => &forward.policy,
            Action::Redirect(redirection) => &redirection.policy,
            Action::Respond(response) => &response.policy,
        }
    }

    /// The forward, if it is one.
    pub fn as_forward(&self) -> Option<&Forward> {
        match self {
            Action::Forward(forward) => Some(forward),
            _ => None,
        }
    }

    /// Header changes of the route level.
    pub(crate) fn headers(&self) -> Option<&HeaderChanges> {
        match self {
            Action::Forward(forward) => forward.headers.as_deref(),
            Action::Redirect(redirection) => redirection.headers.as_deref(),
            Action::Respond(response) => response.headers.as_deref(),
        }
    }
}

impl Forward {
    /// Where it sends the request.
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// Timeouts, retries, faults, CORS, rewrite.
    pub fn policy(&self) -> &RoutePolicy {
        &self.policy
    }

    /// Who else may get a copy.
    pub fn mirrors(&self) -> &[Mirror] {
        &self.mirrors
    }

    /// What consistent hashing looks at, in order (R-H-115).
    pub fn hash_policy(&self) -> &[HashKey] {
        &self.hash_policy
    }
}

impl Split {
    /// The cluster that an entropy word of the split draw picks (R-H-113).
    ///
    /// # Complexity
    /// Constant.
    pub(crate) fn pick(&self, word: u64) -> Option<&WeightedCluster> {
        match &self.table {
            None => self.clusters.first(),
            Some(table) => self.clusters.get(table.pick(word)),
        }
    }

    /// The clusters in the order in which they are listed.
    pub fn clusters(&self) -> &[WeightedCluster] {
        &self.clusters
    }

    /// The sum of all weights.
    pub fn total(&self) -> u64 {
        let weights = self.clusters.iter().map(|one| u64::from(one.weight));
        weights.sum()
    }

    /// Whether the rule lists two destinations or more; those of weight zero are gone (R-H-112).
    pub fn is_weighted(&self) -> bool {
        self.weighted
    }
}

impl WeightedCluster {
    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Its share of the sum of all weights; meaningless where it is the only one.
    pub fn weight(&self) -> u32 {
        self.weight
    }
}

impl Mirror {
    /// The cluster that gets the copy.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// How often.
    pub fn percentage(&self) -> FractionalPercent {
        self.percentage
    }
}

impl Redirection {
    /// What was asked for.
    pub fn redirect(&self) -> &Redirect {
        &self.redirect
    }

    /// The port that is written into the location (R-H-136).
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

impl Response {
    /// Whether the answer names the location that was asked for: 201 and 3xx (R-H-139).
    pub fn has_location(&self) -> bool {
        matches!(self.response.status, 201 | 300..400)
    }

    /// Status and body.
    pub fn response(&self) -> &DirectResponse {
        &self.response
    }
}
