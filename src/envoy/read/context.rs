//! What is read, what is said of it, and what equal parts share.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Display;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::diagnostic::{At, Code, Diagnostic, FieldPath, Report, ResourceRef};
use crate::envoy::model::{Any, Metadata};
use crate::envoy::unread::{Kind, Unread};
use crate::envoy::{EnvoyConfig, json};
use crate::terms::name::ResourceName;
use crate::terms::origin::{Author, Origin};
use crate::terms::regex::{Regex, RegexBudget, Rewriter};
use crate::terms::route_policy::RoutePolicy;
use crate::terms::source::SourceDocument;

/// What the machines of all regexes may take together, in bytes.
const REGEX_BYTES: usize = 1 << 30;
/// So many of the last policies are compared with the next one.
const RECENT: usize = 8;

/// Fields whose unknown neighbours decide what becomes of requests: what is not known there is not guessed at.
const DECISIVE: &[&str] = &[
    "match",
    "route",
    "redirect",
    "directResponse",
    "filterChainMatch",
    "weightedClusters",
];

pub(super) struct Context<'c> {
    pub config: &'c EnvoyConfig,
    report: Report,
    resource: ResourceRef,
    regexes: HashMap<Box<str>, Option<Regex>>,
    budget: RegexBudget,
    policies: Vec<Arc<RoutePolicy>>,
    authors: BTreeMap<String, Arc<Author>>,
    texts: HashSet<Arc<str>>,
}

impl<'c> Context<'c> {
    pub(super) fn new(config: &'c EnvoyConfig) -> Self {
        Context {
            config,
            report: Report::new(),
            resource: ResourceRef::new("", "", ""),
            regexes: HashMap::new(),
            budget: RegexBudget::new(REGEX_BYTES),
            policies: Vec::new(),
            authors: BTreeMap::new(),
            texts: HashSet::new(),
        }
    }

    /// What follows is about this resource; what was before comes back.
    pub(super) fn about(&mut self, kind: Kind, name: &str) -> ResourceRef {
        let resource = ResourceRef::new(kind.as_str(), "", name);
        std::mem::replace(&mut self.resource, resource)
    }

    pub(super) fn back_to(&mut self, resource: ResourceRef) {
        self.resource = resource;
    }

    pub(super) fn finish(self) -> Report {
        self.report
    }

    fn say(&mut self, code: Code, field: FieldPath, message: String) {
        let diagnostic = Diagnostic::new(code, message);
        let diagnostic = diagnostic.with_resource(self.resource.clone());
        self.report.push(diagnostic.with_field(field));
    }

    /// It decides what becomes of requests, and is not honoured.
    pub(super) fn not_honoured(&mut self, at: &At<'_>, what: impl Display) {
        self.say(
            Code::NOT_HONOURED,
            at.to_path(),
            format!("{what} is not honoured"),
        );
    }

    /// It may change what becomes of requests.
    pub(super) fn not_looked_at(&mut self, at: &At<'_>, what: impl Display) {
        self.say(
            Code::NOT_LOOKED_AT,
            at.to_path(),
            format!("{what} is not looked at"),
        );
    }

    /// An Envoy would refuse it.
    pub(super) fn invalid(&mut self, at: &At<'_>, why: impl Display) {
        self.say(Code::INVALID_ENVOY_VALUE, at.to_path(), why.to_string());
    }

    /// A resource that another one names.
    pub(super) fn not_given(&mut self, at: &At<'_>, what: impl Display) {
        self.say(
            Code::NOT_GIVEN,
            at.to_path(),
            format!("{what} is not given"),
        );
    }

    /// The fields of the text that no message has.
    pub(super) fn speak_of_unread(&mut self) {
        for Unread { kind, index, field } in &self.config.unread {
            // Their settings change nothing about which of them is chosen.
            if matches!(kind, Kind::Cluster | Kind::ClusterLoadAssignment) {
                continue;
            }
            let config = self.config;
            let name = match kind {
                Kind::Listener => config.listeners.get(*index).map(|listener| &listener.name),
                Kind::RouteConfiguration => config.routes.get(*index).map(|routes| &routes.name),
                Kind::Cluster => config.clusters.get(*index).map(|cluster| &cluster.name),
                Kind::ClusterLoadAssignment => {
                    config.endpoints.get(*index).map(|set| &set.cluster_name)
                }
            };
            let before = self.about(*kind, name.map_or("", String::as_str));
            self.unread(field.clone());
            self.back_to(before);
        }
    }

    fn unread(&mut self, field: FieldPath) {
        use crate::diagnostic::Segment;
        let mut names = field
            .segments()
            .iter()
            .rev()
            .filter_map(|segment| match segment {
                Segment::Field(name) => Some(&**name),
                Segment::Index(_) => None,
            });
        let name = names.next().unwrap_or_default().to_owned();
        let parent = names.next().unwrap_or_default();
        let code = match DECISIVE.contains(&parent) {
            true => Code::NOT_HONOURED,
            false => Code::NOT_LOOKED_AT,
        };
        let how = match DECISIVE.contains(&parent) {
            true => "honoured",
            false => "looked at",
        };
        self.say(code, field, format!("`{name}` is not {how}"));
    }

    /// The settings of a filter; `None`: they cannot be read.
    pub(super) fn settings<T: DeserializeOwned>(&mut self, at: &At<'_>, any: &Any) -> Option<T> {
        let mut unread = Vec::new();
        let read = json::message(&any.0, &mut unread);
        for field in unread {
            self.unread(at.to_path().join(&field));
        }
        read.map_err(|why| self.invalid(at, why)).ok()
    }

    /// A regex; equal ones are one.
    pub(super) fn regex(&mut self, at: &At<'_>, pattern: &str) -> Option<Regex> {
        if let Some(known) = self.regexes.get(pattern) {
            return known.clone();
        }
        let made = Regex::within(pattern, &mut self.budget);
        let made = made.map_err(|why| self.invalid(at, why)).ok();
        self.regexes.insert(pattern.into(), made.clone());
        made
    }

    pub(super) fn rewriter(
        &mut self,
        at: &At<'_>,
        pattern: &str,
        substitution: &str,
    ) -> Option<Rewriter> {
        let made = Rewriter::within(pattern, substitution, &mut self.budget);
        made.map_err(|why| self.invalid(at, why)).ok()
    }

    /// A policy; one that was seen just now is shared.
    pub(super) fn policy(&mut self, policy: RoutePolicy) -> Arc<RoutePolicy> {
        if let Some(known) = self.policies.iter().find(|known| ***known == policy) {
            return Arc::clone(known);
        }
        let policy = Arc::new(policy);
        if self.policies.len() == RECENT {
            self.policies.remove(0);
        }
        self.policies.push(Arc::clone(&policy));
        policy
    }

    /// A text that often comes again.
    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&text));
        text
    }

    /// Where it was written, if istiod says so: `/apis/GROUP/VERSION/namespaces/NAMESPACE/KIND/NAME`.
    pub(super) fn origin(&mut self, metadata: Option<&Metadata>) -> Option<Origin> {
        let path = metadata?.filter_metadata.get("istio")?["config"].as_str()?;
        if let Some(known) = self.authors.get(path) {
            return Some(Origin::somewhere(known));
        }
        let mut parts = path.rsplit('/');
        let (name, kind, namespace) = (parts.next()?, parts.next()?, parts.next()?);
        if kind != "virtual-service" || parts.next() != Some("namespaces") {
            return None;
        }
        let resource = ResourceName::new(namespace, name);
        let author = Author::new("VirtualService", resource, &SourceDocument::default());
        let author = Arc::new(author);
        self.authors.insert(path.to_owned(), Arc::clone(&author));
        Some(Origin::somewhere(&author))
    }
}
