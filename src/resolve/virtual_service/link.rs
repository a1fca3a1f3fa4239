//! Joining roots with their delegates (R-H-012, R-H-013, R-M-048..R-M-051).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::diagnostic::{At, Code, Diagnostic, Report};
use crate::mesh::Visibility;
use crate::mesh::virtual_service::HttpRoute;
use crate::resolve::sink::reference;
use crate::resolve::{Context, Sink};
use crate::resource as raw;
use crate::terms::origin::{Author, RouteList, RouteOrigin};

use super::{Written, delegate, http};

/// Namespace and name.
type Key<'a> = (&'a str, &'a str);

fn key(document: &Written) -> Key<'_> {
    (&document.meta.namespace, &document.meta.name)
}

/// The most rules and matches that all delegates of a mesh may yield: so many, and one more for so many bytes of the text.
/// Each match of a root meets each match of its delegate, so that a small text could ask for any amount of memory.
const MOST_MERGED: usize = 32_768;
const BYTES_FOR_ONE_MORE: usize = 64;

/// All delegates, and the names of those that cannot be one.
#[derive(Default)]
pub(super) struct Delegates<'a> {
    valid: HashMap<Key<'a>, Delegate<'a>>,
    invalid: HashSet<Key<'a>>,
    roots: HashSet<Key<'a>>,
    /// Those that some root has named.
    used: HashSet<Key<'a>>,
    /// What they have yielded of what they may.
    merged: usize,
}

struct Delegate<'a> {
    document: &'a Written,
    author: Arc<Author>,
    visibility: Visibility,
    /// As written, with names completed by the delegate's namespace.
    rules: Vec<raw::HttpRoute>,
}

impl<'a> Delegates<'a> {
    /// Adds a valid VirtualService with hosts: it cannot be a delegate.
    pub(super) fn add_root(&mut self, document: &'a Written) {
        self.roots.insert(key(document));
    }

    /// Adds an invalid VirtualService.
    pub(super) fn add_invalid(&mut self, document: &'a Written) {
        self.invalid.insert(key(document));
    }

    /// Adds a valid VirtualService without hosts.
    pub(super) fn add(&mut self, document: &'a Written, cx: &Context<'_>) {
        let namespace = document.meta.namespace.as_str();
        let mut rules = document.spec.http.clone();
        for rule in &mut rules {
            delegate::localize(rule, namespace, cx);
        }
        let export_to = &document.spec.export_to;
        let default = &cx.config.default_virtual_service_export_to;
        let delegate = Delegate {
            document,
            author: super::author(document, cx),
            visibility: Visibility::resolve(export_to, default, namespace),
            rules,
        };
        self.valid.insert(key(document), delegate);
    }

    /// Puts the merged rules in the place of each root rule (R-M-049).
    pub(super) fn link(
        &mut self,
        root: &'a Written,
        root_author: &Arc<Author>,
        typed: Vec<Option<HttpRoute>>,
        cx: &Context<'_>,
        sink: &mut Sink<'_>,
    ) -> Vec<Option<HttpRoute>> {
        let namespace = root.meta.namespace.as_str();
        let mut out = Vec::with_capacity(typed.len());
        let spec_at = At::ROOT.field("spec");
        let http_at = spec_at.field("http");
        for ((root_index, rule), typed) in root.spec.http.iter().enumerate().zip(typed) {
            let Some(reference) = &rule.delegate else {
                out.push(typed);
                continue;
            };
            let rule_at = http_at.index(root_index);
            let at = rule_at.field("delegate");
            let merged_before = self.merged;
            let Some(delegate) = self.find(reference, namespace, &at, sink) else {
                continue;
            };
            let sizes = delegate.rules.iter().map(|leaf| merged_size(rule, leaf));
            let merged = sizes.fold(merged_before, usize::saturating_add);
            let most = MOST_MERGED.saturating_add(cx.input / BYTES_FOR_ONE_MORE);
            if merged > most {
                sink.push_with_help(
                    &at,
                    Code::DELEGATES_TOO_LARGE,
                    format!("delegates yield more than {most} rules and matches"),
                    "delegate with fewer matches on either side",
                );
                return Vec::new();
            }
            let mut localized = rule.clone();
            delegate::localize(&mut localized, namespace, cx);
            for (index, leaf) in delegate.rules.iter().enumerate() {
                match delegate::merge(&localized, leaf) {
                    // Both sides were checked by themselves: there is nothing new to say.
                    Some(merged) => {
                        let mut unheard = Report::new();
                        let mut muted = Sink::of(delegate.document, &mut unheard);
                        let origin = RouteOrigin {
                            author: Arc::clone(&delegate.author),
                            list: RouteList::Http,
                            index,
                            root: Some((Arc::clone(root_author), root_index)),
                            made: None,
                        };
                        let written = http::Written {
                            rule: &merged.rule,
                            namespace,
                            origin,
                            index_of: &|place| merged.indexes[place],
                        };
                        out.push(written.typed(&At::ROOT, cx, &mut muted));
                    }
                    None => push_conflict(index, leaf, delegate, &at, sink),
                }
            }
            self.merged = merged;
        }
        out
    }

    /// The delegate that a root rule names; without one, that rule vanishes, and later ones take its requests.
    fn find(
        &mut self,
        written: &'a raw::Delegate,
        root_namespace: &'a str,
        at: &At<'_>,
        sink: &mut Sink<'_>,
    ) -> Option<&Delegate<'a>> {
        let namespace = match written.namespace.as_str() {
            "" => root_namespace,
            namespace => namespace,
        };
        let wanted = (namespace, written.name.as_str());
        let name = format!("VirtualService `{namespace}/{}`", written.name);
        let Some(delegate) = self.valid.get(&wanted) else {
            let (problem, help) = if self.roots.contains(&wanted) {
                (
                    "has `hosts`, so that it is no delegate",
                    "remove its `hosts`",
                )
            } else if self.invalid.contains(&wanted) {
                ("is invalid", "correct it")
            } else {
                ("does not exist", "create it, or correct the name")
            };
            sink.push_with_help(
                at,
                Code::DELEGATE_NOT_FOUND,
                format!("{name} {problem}; this rule is dropped"),
                help,
            );
            return None;
        };
        self.used.insert(key(delegate.document));
        if !delegate.visibility.includes(root_namespace) {
            let field = At::ROOT.field("spec");
            let location = delegate.document.locate(field.field("exportTo"));
            sink.push_full(
                at,
                Diagnostic::new(
                    Code::DELEGATE_NOT_VISIBLE,
                    format!("{name} is not exported to namespace `{root_namespace}`; this rule is dropped"),
                )
                .with_help(format!("add `{root_namespace}` to its `exportTo`"))
                .with_related(reference(delegate.document), "the delegate", location),
            );
            return None;
        }
        Some(delegate)
    }

    /// Notes delegates that no root names: they never take part in routing (R-M-048).
    pub(super) fn report_unused(&self, documents: &[&'a Written], report: &mut Report) {
        for &document in documents {
            let key = key(document);
            if self.valid.contains_key(&key) && !self.used.contains(&key) {
                Sink::of(document, report).push_with_help(
                    &At::ROOT.field("spec"),
                    Code::UNUSED_DELEGATE,
                    "a VirtualService without `hosts` is a delegate, and nothing delegates to this one",
                    "give it `hosts`, or name it as `delegate` of a rule",
                );
            }
        }
    }
}

/// How many matches (and rules without) a root and a delegate may yield together, before conflicts.
fn merged_size(root: &raw::HttpRoute, leaf: &raw::HttpRoute) -> usize {
    let matches = |rule: &raw::HttpRoute| rule.r#match.len().max(1);
    matches(root).saturating_mul(matches(leaf))
}

fn push_conflict(
    index: usize,
    leaf: &raw::HttpRoute,
    delegate: &Delegate<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    let name = match leaf.name.as_str() {
        "" => format!("rule {index}"),
        name => format!("rule `{name}`"),
    };
    let spec = At::ROOT.field("spec");
    let http = spec.field("http");
    let location = delegate.document.locate(http.index(index));
    sink.push_full(
        at,
        Diagnostic::new(
            Code::DELEGATE_CONFLICT,
            format!("{name} of the delegate has a match that conflicts with every match of this rule; it is dropped"),
        )
        .with_help("let each match of the delegate narrow one of the root: equal or longer prefixes, no regexes")
        .with_related(reference(delegate.document), "the delegate", location),
    );
}
