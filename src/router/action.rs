//! What a rule does with a request that it matches.

use std::sync::Arc;

use crate::terms::header_operations::HeaderChanges;
use crate::terms::route_policy::{DirectResponse, HashKey, Redirect, RoutePolicy};
use crate::terms::weighted::{AliasTable, FractionalPercent};

use super::cluster::ClusterId;

/// What a rule does.
#[derive(Clone)]
#[non_exhaustive]
pub enum Action {
    /// Sends the request to a cluster.
    Forward(Forward),
    /// Answers with a `location`.
    Redirect(Redirection),
    /// Answers directly.
    Respond(LocalReply),
}

short_debug! { enum Action {Forward(part), Redirect(part), Respond(part)} }

/// Sends the request to one cluster of a split.
#[derive(Clone)]
pub struct Forward {
    pub(crate) split: Split,
    pub(crate) policy: Arc<RoutePolicy>,
    /// Header changes of the route level.
    pub(crate) headers: Option<Arc<HeaderChanges>>,
    pub(crate) mirrors: Box<[Mirror]>,
    pub(crate) hash_policy: Box<[HashKey]>,
}

short_debug! { Forward {split, policy, headers, mirrors, hash_policy} }

/// The weighted clusters of a rule: at least one.
#[derive(Clone)]
pub struct Split {
    first: WeightedCluster,
    others: Option<Box<Others>>,
    /// The rule lists two destinations or more: then zero-weight entries are gone and the destination's header changes
    /// run before the route's (R-H-122); with one, both run as one, route first (R-H-121).
    is_weighted: bool,
}

short_debug! { Split {first, others, is_weighted} }

/// What a split of several clusters has beside the first.
#[derive(Clone, Debug)]
struct Others {
    clusters: Box<[WeightedCluster]>,
    /// Over all clusters, the first one too.
    table: AliasTable,
}

/// One cluster of a split.
#[derive(Clone)]
pub struct WeightedCluster {
    pub(crate) cluster: ClusterId,
    pub(crate) weight: u32,
    /// Header changes of the destination level.
    pub(crate) headers: Option<Arc<HeaderChanges>>,
}

short_debug! { WeightedCluster {cluster, weight, headers} }

/// A cluster that gets a shadow of the request.
#[derive(Clone)]
pub struct Mirror {
    pub(crate) cluster: ClusterId,
    pub(crate) percentage: FractionalPercent,
}

short_debug! { Mirror {cluster, percentage} }

/// A redirect with what compile settled of it.
#[derive(Clone)]
pub struct Redirection {
    pub(crate) redirect: Arc<Redirect>,
    /// Written into the location: given or derived, and not the default of the scheme (R-H-136).
    pub(crate) port: Option<u16>,
    /// Route-level changes; the response ones apply (R-H-125).
    pub(crate) headers: Option<Arc<HeaderChanges>>,
    /// The policy beside it: rewrite has no meaning here, faults do.
    pub(crate) policy: Arc<RoutePolicy>,
}

short_debug! { Redirection {redirect, port, headers, policy} }

/// A direct response, with what the rule does beside it.
#[derive(Clone)]
pub struct LocalReply {
    pub(crate) response: Arc<DirectResponse>,
    /// Route-level changes; the response ones apply (R-H-125).
    pub(crate) headers: Option<Arc<HeaderChanges>>,
    /// The policy beside it.
    pub(crate) policy: Arc<RoutePolicy>,
}

short_debug! { LocalReply {response, headers, policy} }

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
    /// A split over these clusters; `None` where nothing can be drawn: there is none, or several of which none has a
    /// weight.
    pub(crate) fn new(
        clusters: impl IntoIterator<Item = WeightedCluster>,
        is_weighted: bool,
    ) -> Option<Self> {
        let mut clusters = clusters.into_iter();
        let first = clusters.next()?;
        let others: Box<[WeightedCluster]> = clusters.collect();
        if others.is_empty() {
            return Some(Split {
                first,
                others: None,
                is_weighted,
            });
        }
        let weights = std::iter::once(&first).chain(&others);
        let table = AliasTable::new(weights.map(|weighted| weighted.weight)).ok()?;
        Some(Split {
            first,
            others: Some(Box::new(Others {
                clusters: others,
                table,
            })),
            is_weighted,
        })
    }

    /// Everything to one cluster.
    pub(crate) fn single(cluster: ClusterId) -> Self {
        Split {
            first: WeightedCluster {
                cluster,
                weight: 1,
                headers: None,
            },
            others: None,
            is_weighted: false,
        }
    }

    /// The cluster that an entropy word of the split draw picks (R-H-113).
    ///
    /// # Complexity
    /// Constant.
    pub(crate) fn pick(&self, word: u64) -> &WeightedCluster {
        let Some(others) = &self.others else {
            return &self.first;
        };
        let place = others.table.pick(word).checked_sub(1);
        let other = place.and_then(|place| others.clusters.get(place));
        other.unwrap_or(&self.first)
    }

    /// The cluster at a place in the list.
    pub(crate) fn at(&self, place: usize) -> Option<&WeightedCluster> {
        match place.checked_sub(1) {
            None => Some(&self.first),
            Some(place) => self.others.as_ref()?.clusters.get(place),
        }
    }

    /// Where in the list a cluster of this split stands.
    pub(crate) fn place_of(&self, cluster: &WeightedCluster) -> usize {
        let others = self.others.as_ref();
        others.map_or(0, |others| {
            place_in(&others.clusters, cluster).map_or(0, |at| at + 1)
        })
    }

    /// What draws; `None`: there is but one cluster.
    pub(crate) fn table(&self) -> Option<&AliasTable> {
        self.others.as_ref().map(|others| &others.table)
    }

    /// The clusters in the order in which they are listed: at least one.
    pub fn clusters(&self) -> impl Iterator<Item = &WeightedCluster> + Clone {
        let others = self.others.iter().flat_map(|others| &others.clusters);
        std::iter::once(&self.first).chain(others)
    }

    /// Heap bytes.
    pub(crate) fn memory_usage(&self) -> usize {
        let others = self.others.as_deref().map(|others| {
            size_of_val(others) + size_of_val(&*others.clusters) + others.table.memory_usage()
        });
        others.unwrap_or(0)
    }

    /// The sum of all weights.
    pub fn total(&self) -> u64 {
        let weights = self.clusters().map(|weighted| u64::from(weighted.weight));
        weights.sum()
    }

    /// Whether the rule lists two destinations or more; those of weight zero are gone (R-H-112).
    pub fn is_weighted(&self) -> bool {
        self.is_weighted
    }
}

/// Where an element stands in its list: found by its address, without a look at any other.
pub(super) fn place_in<T>(list: &[T], element: &T) -> Option<usize> {
    let start = std::ptr::from_ref(list.first()?).addr();
    let place = std::ptr::from_ref(element).addr().checked_sub(start)? / size_of::<T>().max(1);
    let found = list.get(place)?;
    std::ptr::eq(found, element).then_some(place)
}

impl WeightedCluster {
    /// The cluster, which [`Router::cluster`](super::Router::cluster) has.
    pub fn cluster(&self) -> ClusterId {
        self.cluster
    }

    /// Its share of the sum of all weights; meaningless where it is the only one.
    pub fn weight(&self) -> u32 {
        self.weight
    }
}

impl Mirror {
    /// The cluster that gets the copy, which [`Router::cluster`](super::Router::cluster) has.
    pub fn cluster(&self) -> ClusterId {
        self.cluster
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

impl LocalReply {
    /// Whether the answer names the location that was asked for: 201 and 3xx (R-H-139).
    pub fn has_location(&self) -> bool {
        matches!(self.response.status, 201 | 300..400)
    }

    /// Status and body.
    pub fn response(&self) -> &DirectResponse {
        &self.response
    }
}
