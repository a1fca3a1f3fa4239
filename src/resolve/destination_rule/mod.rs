//! DestinationRules: from the resource as written to a typed rule, and from all rules to the index that views ask.

pub(crate) mod index;
#[cfg(test)]
mod index_tests;
pub(crate) mod merge;

use std::sync::Arc;

use crate::diagnostic::Report;
use crate::mesh::{DestinationRule, DestinationRuleIndex};
use crate::resource::{self as raw, Document};

use super::Context;

/// All valid DestinationRules in the order in which Istio processes them, and their index.
pub(crate) fn destination_rules(
    documents: &[&Document<raw::DestinationRule>],
    cx: &Context<'_>,
    report: &mut Report,
) -> (Vec<Arc<DestinationRule>>, DestinationRuleIndex) {
    let mut rules: Vec<Arc<DestinationRule>> = super::each(documents, report, |_, _| None);
    index::sort(&mut rules);
    let (index, _facts) = index::build(&rules, cx.config);
    (rules, index)
}
