//! Merging a root rule with the rules of its delegate, as they are written (R-H-013..R-H-020, R-M-049..R-M-056).
//!
//! Both sides have their names completed first, each with its own namespace. The merged rules are typed like any other.

use std::collections::BTreeMap;

use crate::resolve::Context;
use crate::resource as raw;
use crate::resource::{HttpMatchRequest, HttpRoute, StringMatch};
use crate::terms::origin::MatchIndex;

use super::{matches, names};

/// Completes the hosts and gateways of a rule with its namespace (R-M-050).
pub(super) fn localize(rule: &mut HttpRoute, namespace: &str, cx: &Context<'_>) {
    let complete = |destination: &mut raw::Destination| {
        destination.host = names::host(&destination.host, namespace, cx).to_string();
    };
    for route in &mut rule.route {
        route.destination.iter_mut().for_each(complete);
    }
    rule.mirror.iter_mut().for_each(complete);
    for mirror in &mut rule.mirrors {
        mirror.destination.iter_mut().for_each(complete);
    }
    for matched in &mut rule.r#match {
        for gateway in &mut matched.gateways {
            *gateway = names::gateway(gateway, namespace, cx).to_string();
        }
    }
}

/// A rule of a root and one of its delegate, joined.
#[derive(Debug)]
pub(super) struct Merged {
    pub rule: HttpRoute,
    /// Where each of its matches was written.
    pub indexes: Vec<MatchIndex>,
}

/// What a root rule becomes with one rule of its delegate; `None` if they cannot both match. Where both have a field, the
/// delegate's counts, as a whole; `route` and `redirect` are the delegate's only (R-M-052).
pub(super) fn merge(root: &HttpRoute, delegate: &HttpRoute) -> Option<Merged> {
    let mut merged = delegate.clone();
    let (matches, indexes) = merge_matches(&root.r#match, &delegate.r#match)?;
    merged.r#match = matches;
    merged.name = join_names(&root.name, &delegate.name);
    merged.delegate = None;
    inherit(&mut merged.rewrite, &root.rewrite);
    inherit(&mut merged.direct_response, &root.direct_response);
    inherit(&mut merged.timeout, &root.timeout);
    inherit(&mut merged.retries, &root.retries);
    inherit(&mut merged.fault, &root.fault);
    inherit(&mut merged.mirror, &root.mirror);
    inherit(&mut merged.mirror_percent, &root.mirror_percent);
    inherit(&mut merged.mirror_percentage, &root.mirror_percentage);
    inherit(&mut merged.cors_policy, &root.cors_policy);
    inherit(&mut merged.headers, &root.headers);
    if merged.mirrors.is_empty() {
        merged.mirrors.clone_from(&root.mirrors);
    }
    let rule = merged;
    Some(Merged { rule, indexes })
}

/// Every pair of a delegate's and a root's match that do not conflict, by delegate's first. A delegate's match that
/// conflicts with every root's takes the whole rule with it (R-M-053).
fn merge_matches(
    root: &[HttpMatchRequest],
    delegate: &[HttpMatchRequest],
) -> Option<(Vec<HttpMatchRequest>, Vec<MatchIndex>)> {
    let number = |index: usize| u32::try_from(index).ok();
    if root.is_empty() {
        let indexes = (0..delegate.len()).map(matches::own_match).collect();
        return Some((delegate.to_vec(), indexes));
    }
    if delegate.is_empty() {
        let of_root = |index| MatchIndex {
            own: None,
            root: number(index),
        };
        return Some((root.to_vec(), (0..root.len()).map(of_root).collect()));
    }
    let mut merged = Vec::with_capacity(root.len() * delegate.len());
    let mut indexes = Vec::with_capacity(merged.capacity());
    for (own, leaf) in delegate.iter().enumerate() {
        let before = merged.len();
        for (above, root) in root.iter().enumerate() {
            if !conflict(root, leaf) {
                merged.push(merge_match(root, leaf));
                indexes.push(MatchIndex {
                    own: number(own),
                    root: number(above),
                });
            }
        }
        if merged.len() == before {
            return None;
        }
    }
    Some((merged, indexes))
}

/// The delegate's fields, else the root's; maps are united, where the delegate's value wins (R-M-054).
fn merge_match(root: &HttpMatchRequest, leaf: &HttpMatchRequest) -> HttpMatchRequest {
    let mut merged = leaf.clone();
    merged.name = join_names(&root.name, &leaf.name);
    inherit(&mut merged.uri, &root.uri);
    inherit(&mut merged.scheme, &root.scheme);
    inherit(&mut merged.method, &root.method);
    inherit(&mut merged.authority, &root.authority);
    unite(&mut merged.headers, &root.headers);
    unite(&mut merged.without_headers, &root.without_headers);
    unite(&mut merged.query_params, &root.query_params);
    unite(&mut merged.source_labels, &root.source_labels);
    if merged.port == 0 {
        merged.port = root.port;
    }
    if merged.gateways.is_empty() {
        merged.gateways.clone_from(&root.gateways);
    }
    if merged.source_namespace.is_empty() {
        merged.source_namespace.clone_from(&root.source_namespace);
    }
    if merged.stat_prefix.is_empty() {
        merged.stat_prefix.clone_from(&root.stat_prefix);
    }
    merged
}

/// Whether Istio holds that nothing can match both (R-M-055). It is stricter than that: a root's namespace must be repeated.
fn conflict(root: &HttpMatchRequest, leaf: &HttpMatchRequest) -> bool {
    texts_conflict(root.uri.as_ref(), leaf.uri.as_ref())
        || texts_conflict(root.scheme.as_ref(), leaf.scheme.as_ref())
        || texts_conflict(root.method.as_ref(), leaf.method.as_ref())
        || texts_conflict(root.authority.as_ref(), leaf.authority.as_ref())
        || maps_conflict(&root.headers, &leaf.headers)
        || maps_conflict(&root.without_headers, &leaf.without_headers)
        || maps_conflict(&root.query_params, &leaf.query_params)
        || root.ignore_uri_case != leaf.ignore_uri_case
        || (root.port > 0 && leaf.port > 0 && root.port != leaf.port)
        || (!root.source_namespace.is_empty() && root.source_namespace != leaf.source_namespace)
        || leaf.source_labels.iter().any(|(key, value)| {
            root.source_labels
                .get(key)
                .is_some_and(|other| other != value)
        })
        || gateways_conflict(&root.gateways, &leaf.gateways)
}

fn gateways_conflict(root: &[String], leaf: &[String]) -> bool {
    !root.is_empty()
        && !leaf.is_empty()
        && (leaf.len() > root.len() || leaf.iter().any(|gateway| !root.contains(gateway)))
}

fn maps_conflict(
    root: &BTreeMap<String, Option<StringMatch>>,
    leaf: &BTreeMap<String, Option<StringMatch>>,
) -> bool {
    leaf.iter().any(|(key, leaf)| {
        root.get(key)
            .is_some_and(|root| texts_conflict(root.as_ref(), leaf.as_ref()))
    })
}

/// Only equal texts, and a text that begins with the root's prefix, are compatible; everything else that is set on both
/// sides conflicts, presence and empty texts too (R-M-056).
fn texts_conflict(root: Option<&StringMatch>, leaf: Option<&StringMatch>) -> bool {
    let (Some(root), Some(leaf)) = (root, leaf) else {
        return false;
    };
    let set = |text: &Option<String>| text.as_deref().unwrap_or_default().to_owned();
    let (root_exact, root_prefix) = (set(&root.exact), set(&root.prefix));
    let (leaf_exact, leaf_prefix) = (set(&leaf.exact), set(&leaf.prefix));
    if !set(&root.regex).is_empty() || !set(&leaf.regex).is_empty() {
        return true;
    }
    if !root_exact.is_empty() {
        return root_exact != leaf_exact;
    }
    let narrower = match leaf_prefix.is_empty() {
        true => leaf_exact,
        false => leaf_prefix,
    };
    root_prefix.is_empty() || narrower.is_empty() || !narrower.starts_with(&root_prefix)
}

fn inherit<T: Clone>(own: &mut Option<T>, root: &Option<T>) {
    if own.is_none() {
        own.clone_from(root);
    }
}

fn unite<V: Clone>(own: &mut BTreeMap<String, V>, root: &BTreeMap<String, V>) {
    for (key, value) in root {
        own.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// `root-delegate`, or whichever is set.
fn join_names(root: &str, delegate: &str) -> String {
    match (root, delegate) {
        ("", name) | (name, "") => name.to_owned(),
        (root, delegate) => format!("{root}-{delegate}"),
    }
}

#[cfg(all(test, feature = "yaml"))]
#[path = "delegate_tests.rs"]
mod tests;
