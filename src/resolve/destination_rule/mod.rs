//! DestinationRules: from the resource as written to a typed rule, and from all rules to the index that views ask.
//!
//! One file per setting, as in [`traffic_policy`](crate::terms::traffic_policy). What admission refuses is an error
//! (R-M-168..R-M-176). Admission keeps its warnings about subsets and ports to itself (R-M-147): here they are notes.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::{At, Code, Diagnostic, Report, Severity};
use crate::mesh::destination_rule::Subset;
use crate::mesh::{DestinationRule, DestinationRuleIndex, MeshConfig};
use crate::resource::{self as raw, Document};
use crate::terms::host;
use crate::terms::labels::Labels;

use super::check::{domain, export_to, labels};
use super::{Context, Sink};

pub(crate) mod connection_pool;
pub(crate) mod index;
#[cfg(test)]
mod index_property;
#[cfg(test)]
mod index_tests;
mod load_balancer;
pub(crate) mod locality;
pub(crate) mod merge;
mod merge_report;
pub(crate) mod outlier_detection;
mod tls;
mod traffic_policy;
mod tunnel;

/// All valid DestinationRules in the order in which Istio processes them, and their index.
pub(crate) fn destination_rules(
    documents: &[&Document<raw::DestinationRule>],
    cx: &Context<'_>,
    report: &mut Report,
) -> (Vec<Arc<DestinationRule>>, DestinationRuleIndex) {
    let mut rules = super::each(documents, report, |document, sink| {
        destination_rule(document, cx, sink)
    });
    index::sort(&mut rules);
    let (index, facts) = index::build(&rules, cx.config);
    merge_report::push(&facts, documents, report);
    (rules, index)
}

/// Types a rule by itself; `None`: it is invalid.
pub(crate) fn alone(
    document: &Document<raw::DestinationRule>,
    cx: &Context<'_>,
    report: &mut Report,
) -> Option<Arc<DestinationRule>> {
    let mut sink = Sink::of(document, report);
    let rule = destination_rule(document, cx, &mut sink);
    rule.filter(|_| !sink.failed()).map(Arc::new)
}

/// Makes the index say of the namespace and host of `changed` what `group` says, its rules as they are now.
pub(crate) fn rebuild(
    index: &mut DestinationRuleIndex,
    changed: &DestinationRule,
    group: &[Arc<DestinationRule>],
    documents: &[&Document<raw::DestinationRule>],
    config: &MeshConfig,
    report: &mut Report,
) {
    let facts = index::rebuild(index, changed, group, config);
    merge_report::push(&facts, documents, report);
}

/// The rule of a document. What is wrong with it is pushed; after an error the rule is not to be used.
fn destination_rule(
    document: &Document<raw::DestinationRule>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<DestinationRule> {
    let (meta, spec) = (&document.meta, &document.spec);
    let at = At::ROOT.field("spec");
    let verdict = domain::wildcard_domain(&spec.host);
    sink.check(&at.field("host"), Code::INVALID_HOST, verdict);
    let policy_at = at.field("trafficPolicy");
    let traffic_policy = spec
        .traffic_policy
        .as_ref()
        .map(|policy| traffic_policy::resolve(policy, Severity::Warning, &policy_at, sink));
    let subsets_at = at.field("subsets");
    let subsets = subsets(&spec.subsets, &subsets_at, sink);
    let selector_at = at.field("workloadSelector");
    let workload_selector = spec
        .workload_selector
        .as_ref()
        .map(|selector| workload_selector(selector, &selector_at, sink));
    check_export_to(spec, &meta.namespace, &at.field("exportTo"), sink);
    let host = host::resolve_short_name(&spec.host, &meta.namespace, &cx.config.domain);
    Some(DestinationRule {
        resource: meta.qualified_name(),
        creation: super::creation(meta),
        host: cx.intern(&host),
        export_to: spec
            .export_to
            .iter()
            .map(|entry| entry.as_str().into())
            .collect(),
        workload_selector,
        traffic_policy: traffic_policy.map(Arc::new),
        subsets,
    })
}

/// Subsets (R-M-123, R-M-168).
fn subsets(written: &[raw::Subset], at: &At<'_>, sink: &mut Sink<'_>) -> Vec<Arc<Subset>> {
    let mut names = BTreeSet::new();
    let mut subsets = Vec::with_capacity(written.len());
    for (index, subset) in written.iter().enumerate() {
        let at = at.index(index);
        let name_at = at.field("name");
        if subset.name.is_empty() {
            sink.push(&name_at, Code::MISSING_FIELD, "a subset needs a name");
        } else if !domain::is_label(&subset.name) {
            let message = format!("`{}` is not the name of a subset", subset.name);
            sink.push_with_help(
                &name_at,
                Code::INVALID_NAME,
                message,
                "use at most 63 letters, digits and `-`, with a letter or digit at both ends",
            );
        }
        if !names.insert(&subset.name) {
            let message = format!("subset `{}` is there twice", subset.name);
            sink.push(&name_at, Code::DUPLICATE_SUBSET, message);
        }
        let labels_at = at.field("labels");
        for (key, value) in &subset.labels {
            sink.check(&labels_at.key(key), Code::INVALID_LABEL, labels::key(key));
            sink.check(
                &labels_at.key(key),
                Code::INVALID_LABEL,
                labels::value(value),
            );
        }
        let policy_at = at.field("trafficPolicy");
        let traffic_policy = subset
            .traffic_policy
            .as_ref()
            .map(|policy| traffic_policy::resolve(policy, Severity::Note, &policy_at, sink));
        subsets.push(Arc::new(Subset {
            name: subset.name.as_str().into(),
            labels: Arc::new(typed_labels(&subset.labels)),
            traffic_policy: traffic_policy.map(Arc::new),
        }));
    }
    subsets
}

/// The client workloads that the rule is for (R-M-118, R-M-169).
fn workload_selector(written: &raw::LabelSelector, at: &At<'_>, sink: &mut Sink<'_>) -> Labels {
    let labels_at = at.field("matchLabels");
    if written.match_labels.is_empty() {
        let diagnostic = Diagnostic::new(
            Code::INVALID_WORKLOAD_SELECTOR,
            "a selector without labels selects every workload of the namespace",
        )
        .with_help("leave `workloadSelector` out, or give it labels");
        sink.push_full(at, diagnostic.with_severity(Severity::Warning));
    }
    for (key, value) in &written.match_labels {
        if key.is_empty() {
            let message = "a selector cannot have an empty key";
            sink.push(&labels_at, Code::INVALID_WORKLOAD_SELECTOR, message);
        }
        if key.contains('*') || value.contains('*') {
            let message = format!("a selector cannot have wildcards, as in `{key}: {value}`");
            sink.push(
                &labels_at.key(key),
                Code::INVALID_WORKLOAD_SELECTOR,
                message,
            );
        }
    }
    typed_labels(&written.match_labels)
}

/// `exportTo` (R-M-145): with a selector only the rule's own namespace can stand there.
fn check_export_to(spec: &raw::DestinationRule, namespace: &str, at: &At<'_>, sink: &mut Sink<'_>) {
    export_to::entries(&spec.export_to, namespace, false, |index, message| {
        sink.push(&at.index(index), Code::INVALID_EXPORT_TO, message);
    });
    if spec.workload_selector.is_none() {
        return;
    }
    let is_own = |entry: &String| entry == "." || entry == namespace;
    if spec.export_to.len() > 1 || !spec.export_to.iter().all(is_own) {
        sink.push_with_help(
            at,
            Code::INVALID_EXPORT_TO,
            "a rule with a workload selector is seen by its own namespace only",
            "leave `exportTo` out, or write `[\".\"]`",
        );
    }
}

fn typed_labels(written: &raw::Labels) -> Labels {
    written
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}
