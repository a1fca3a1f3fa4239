//! DestinationRules, typed.

use std::sync::Arc;

use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;
use crate::terms::traffic_policy::RuleTrafficPolicy;

/// A DestinationRule.
#[derive(Clone, Debug)]
pub(crate) struct DestinationRule {
    /// Its name.
    pub resource: ResourceName,
    /// Seconds since the epoch; 0 where unset.
    pub creation: i64,
    /// FQDN or wildcard; case as written.
    pub host: Arc<str>,
    /// `exportTo` as written: merging compares these strings (R-M-076).
    pub export_to: Vec<Box<str>>,
    /// The client workloads that it is for.
    pub workload_selector: Option<Labels>,
    /// Top-level policy.
    pub traffic_policy: Option<Arc<RuleTrafficPolicy>>,
    /// Subsets in order.
    pub subsets: Vec<Arc<Subset>>,
}

/// A subset of a DestinationRule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Subset {
    /// Its name.
    pub name: Arc<str>,
    /// The labels of its endpoints.
    pub labels: Arc<Labels>,
    /// Its policy.
    pub traffic_policy: Option<Arc<RuleTrafficPolicy>>,
}
