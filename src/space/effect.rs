//! Answers, in a form in which those of two routers can be compared: what a client and an upstream see, without the names of
//! rules and without the order in which a split lists its clusters.

use std::hash::{Hash, Hasher};

use super::aspect::{Aspect, Aspects};
use crate::router::{Action, Cluster, ClusterId, Redirection, Rule, Split, TcpProxy};
use crate::terms::condition::PathMatch;
use crate::terms::hash::HashMap;
use crate::terms::header_operations::HeaderChanges;
use crate::terms::route_policy::{
    DirectResponse, HashKey, PathRewrite, Redirect, RetryPolicy, RoutePolicy,
};
use crate::terms::weighted::FractionalPercent;

/// What is answered, as far as the chosen aspects go. Clusters by the number of their name.
#[derive(Clone)]
pub(super) enum Effect<'r> {
    /// 404: no virtual host, or no rule.
    NotFound,
    /// The connection is closed, or there is none.
    Closed,
    /// To the same URL with https.
    HttpsRedirect,
    /// Bytes are forwarded.
    Tcp {
        targets: Targets<'r>,
        proxy: &'r TcpProxy,
    },
    /// A rule answers.
    Action(Box<ActionEffect<'r>>),
}

#[derive(Clone)]
pub(super) struct ActionEffect<'r> {
    pub(super) verb: Verb<'r>,
    headers: Option<&'r HeaderChanges>,
    policy: &'r RoutePolicy,
    path: NewPath<'r>,
    /// Some cluster is not there, so that its status counts.
    lacks_cluster: bool,
}

#[derive(Clone)]
pub(super) enum Verb<'r> {
    Forward {
        targets: Targets<'r>,
        mirrors: Vec<(u32, FractionalPercent)>,
        hash: &'r [HashKey],
    },
    Redirect(&'r Redirect, Option<u16>),
    Respond(&'r DirectResponse),
}

/// Clusters with their share of the sum, in lowest terms, in the order of their numbers.
#[derive(Clone, PartialEq)]
pub(super) struct Targets<'r> {
    pub(super) all: Vec<(u32, u64, Option<&'r HeaderChanges>)>,
    /// Header changes of the destination come before those of the route (R-H-122).
    is_destination_first: bool,
}

/// What becomes of the path (R-H-126..R-H-132).
#[derive(Clone, PartialEq)]
enum NewPath<'r> {
    Same,
    /// The first so many bytes are replaced; what both end with is cut off.
    Prefix(usize, Box<str>),
    Whole(Box<str>),
    Regex(&'r PathRewrite),
}

impl ActionEffect<'_> {
    /// The status where the cluster is not there.
    pub(super) fn missing_status(&self) -> u16 {
        self.policy.missing_cluster.as_u16()
    }

    /// What it says of an aspect that is not told by where it goes.
    pub(super) fn detail(&self, effects: &Effects<'_>, aspect: Aspect) -> Option<String> {
        let name = |number: u32| effects.clusters[number as usize].0.name();
        let text = match (aspect, &self.verb) {
            (Aspect::Timeout, _) => match timeout(self.policy) {
                Some(timeout) => format!("{timeout:?}"),
                None => "none".to_owned(),
            },
            (Aspect::Retries, _) => match &self.policy.retries {
                Some(retries) => format!("{} on {}", retries.attempts, retries.retry_on),
                None => "none".to_owned(),
            },
            (Aspect::Mirrors, Verb::Forward { mirrors, .. }) => {
                let all = mirrors
                    .iter()
                    .map(|(number, chance)| format!("{} {chance:?}", name(*number)));
                all.collect::<Vec<_>>().join(", ")
            }
            (Aspect::Rewrite, _) => {
                let path = match &self.path {
                    NewPath::Same => "path as it is".to_owned(),
                    NewPath::Prefix(length, new) => {
                        format!("the first {length} bytes of the path by `{new}`")
                    }
                    NewPath::Whole(new) => format!("path `{new}`"),
                    NewPath::Regex(rewrite) => format!("{rewrite:?}"),
                };
                match &self.policy.rewrite.authority {
                    Some(authority) => format!("{path}, host `{authority}`"),
                    None => path,
                }
            }
            (Aspect::Headers, _) => format!("{:?}", self.headers),
            (Aspect::Cors, _) => format!("{:?}", self.policy.cors),
            (Aspect::Faults, _) => {
                format!(
                    "{:?}, {:?}",
                    self.policy.fault_delay, self.policy.fault_abort
                )
            }
            (Aspect::HashPolicy, Verb::Forward { hash, .. }) => format!("{hash:?}"),
            _ => return None,
        };
        Some(text)
    }
}

/// Effects by number, each once.
pub(super) struct Effects<'r> {
    aspects: Aspects,
    pub(super) all: Vec<Effect<'r>>,
    by_hash: HashMap<u64, Vec<u32>>,
    pub(super) clusters: Vec<(&'r Cluster, bool)>,
    cluster_numbers: HashMap<(&'r str, bool), u32>,
    by_id: HashMap<(usize, ClusterId), u32>,
    /// Some effect replaces a part of the path.
    pub(super) replaces_paths: bool,
}

pub(super) const NOT_FOUND: u32 = 0;
pub(super) const CLOSED: u32 = 1;
pub(super) const HTTPS_REDIRECT: u32 = 2;

impl<'r> Effects<'r> {
    pub(super) fn new(aspects: Aspects) -> Self {
        let mut effects = Effects {
            aspects,
            all: Vec::new(),
            by_hash: HashMap::default(),
            clusters: Vec::new(),
            cluster_numbers: HashMap::default(),
            by_id: HashMap::default(),
            replaces_paths: false,
        };
        for effect in [Effect::NotFound, Effect::Closed, Effect::HttpsRedirect] {
            effects.intern(effect);
        }
        effects
    }

    /// The number of what a rule does, whose clusters `cluster` finds.
    pub(super) fn of_rule(
        &mut self,
        router: usize,
        rule: &'r Rule,
        cluster: impl Fn(ClusterId) -> &'r Cluster,
    ) -> u32 {
        let action = rule.action();
        let mut lacks_cluster = false;
        let headers = action.headers().filter(|changes| !changes.is_empty());
        let verb = match action {
            Action::Forward(forward) => {
                let targets = self.targets(router, forward.split(), headers.is_some(), &cluster);
                let mut mirrors: Vec<(u32, FractionalPercent)> = Vec::new();
                if self.aspects.has(Aspect::Mirrors) {
                    for mirror in forward.mirrors() {
                        let number = self.cluster(router, mirror.cluster(), &cluster);
                        mirrors.push((number, mirror.percentage()));
                    }
                    mirrors.sort_unstable();
                }
                lacks_cluster = targets
                    .all
                    .iter()
                    .any(|(number, _, _)| !self.clusters[*number as usize].1);
                let hash = match self.aspects.has(Aspect::HashPolicy) {
                    true => forward.hash_policy(),
                    false => &[],
                };
                Verb::Forward {
                    targets,
                    mirrors,
                    hash,
                }
            }
            Action::Redirect(redirection) => {
                Verb::Redirect(redirection.redirect(), redirection.port())
            }
            Action::Respond(reply) => Verb::Respond(reply.response()),
        };
        let path = new_path(action, &rule.matches().path);
        self.intern(Effect::Action(Box::new(ActionEffect {
            verb,
            headers,
            policy: action.policy(),
            path,
            lacks_cluster,
        })))
    }

    /// The number of what a TCP filter does.
    pub(super) fn of_tcp(
        &mut self,
        router: usize,
        proxy: &'r TcpProxy,
        cluster: impl Fn(ClusterId) -> &'r Cluster,
    ) -> u32 {
        let targets = self.targets(router, proxy.split(), false, &cluster);
        self.intern(Effect::Tcp { targets, proxy })
    }

    /// The same effect on requests for this very path, or for paths as long as it.
    pub(super) fn at_path(&mut self, effect: u32, path: &str, is_single: bool) -> u32 {
        let Effect::Action(action) = &self.all[effect as usize] else {
            return effect;
        };
        let NewPath::Prefix(length, replacement) = &action.path else {
            return effect;
        };
        let rest = path.get(*length..).unwrap_or_default();
        if !is_single && !rest.is_empty() {
            return effect;
        }
        let whole = NewPath::Whole([replacement, rest].concat().into());
        let action = ActionEffect {
            path: whole,
            ..ActionEffect::clone(action)
        };
        self.intern(Effect::Action(Box::new(action)))
    }

    /// The aspects in which two effects differ.
    pub(super) fn difference(&self, before: u32, after: u32) -> Vec<Aspect> {
        let (before, after) = (&self.all[before as usize], &self.all[after as usize]);
        let differs = |aspect: &Aspect| !self.same(before, after, Aspects::only(*aspect));
        let all = Aspect::ALL
            .into_iter()
            .filter(|aspect| self.aspects.has(*aspect));
        let found: Vec<Aspect> = all.filter(differs).collect();
        match found.is_empty() {
            true => vec![Aspect::Destination],
            false => found,
        }
    }

    fn targets(
        &mut self,
        router: usize,
        split: &'r Split,
        route_has_headers: bool,
        cluster: &impl Fn(ClusterId) -> &'r Cluster,
    ) -> Targets<'r> {
        let has_headers = self.aspects.has(Aspect::Headers);
        let is_only = split.clusters().nth(1).is_none();
        let mut all: Vec<(u32, u64, Option<&'r HeaderChanges>)> = Vec::new();
        for entry in split.clusters() {
            let number = self.cluster(router, entry.cluster(), cluster);
            let changes = entry.headers.as_deref();
            let changes = changes.filter(|changes| has_headers && !changes.is_empty());
            let weight = match is_only {
                true => 1,
                false => u64::from(entry.weight()),
            };
            if weight == 0 {
                continue;
            }
            match all
                .iter_mut()
                .find(|(own, _, headers)| *own == number && *headers == changes)
            {
                Some((_, sum, _)) => *sum += weight,
                None => all.push((number, weight, changes)),
            }
        }
        let divisor = all.iter().fold(0, |divisor, (_, weight, _)| {
            greatest_common_divisor(divisor, *weight)
        });
        for (_, weight, _) in &mut all {
            *weight = match self.aspects.has(Aspect::Weights) {
                true => *weight / divisor.max(1),
                false => 1,
            };
        }
        // Two entries of one cluster that differ in their headers keep the author's order.
        all.sort_by_key(|(number, weight, _)| (*number, *weight));
        let is_destination_first = split.is_weighted()
            && route_has_headers
            && all.iter().any(|(_, _, headers)| headers.is_some());
        Targets {
            all,
            is_destination_first,
        }
    }

    fn cluster(
        &mut self,
        router: usize,
        id: ClusterId,
        cluster: &impl Fn(ClusterId) -> &'r Cluster,
    ) -> u32 {
        if let Some(&number) = self.by_id.get(&(router, id)) {
            return number;
        }
        let found = cluster(id);
        let key = (found.name(), found.exists());
        let number = *self.cluster_numbers.entry(key).or_insert_with(|| {
            self.clusters.push((found, found.exists()));
            self.clusters.len() as u32 - 1
        });
        self.by_id.insert((router, id), number);
        number
    }

    fn intern(&mut self, effect: Effect<'r>) -> u32 {
        if let Effect::Action(action) = &effect {
            self.replaces_paths |= matches!(action.path, NewPath::Prefix(..));
        }
        let hash = hash_of(&effect);
        let known = self.by_hash.get(&hash).into_iter().flatten().copied();
        for number in known {
            if self.same(&self.all[number as usize], &effect, self.aspects) {
                return number;
            }
        }
        let number = self.all.len() as u32;
        self.all.push(effect);
        self.by_hash.entry(hash).or_default().push(number);
        number
    }

    /// Whether two effects are the same in these aspects.
    fn same(&self, one: &Effect<'r>, other: &Effect<'r>, aspects: Aspects) -> bool {
        let destination = aspects.has(Aspect::Destination);
        let (one, other) = match (one, other) {
            (Effect::NotFound, Effect::NotFound)
            | (Effect::Closed, Effect::Closed)
            | (Effect::HttpsRedirect, Effect::HttpsRedirect) => return true,
            (
                Effect::Tcp { targets, proxy },
                Effect::Tcp {
                    targets: others,
                    proxy: other,
                },
            ) => {
                return same_targets(targets, others, aspects)
                    && (!aspects.has(Aspect::Timeout)
                        || proxy.idle_timeout() == other.idle_timeout()
                            && proxy.max_connection_duration() == other.max_connection_duration())
                    && (!aspects.has(Aspect::HashPolicy)
                        || proxy.hashes_source_ip() == other.hashes_source_ip())
                    && (!destination
                        || format!("{:#?}", proxy.tunnel()) == format!("{:#?}", other.tunnel()));
            }
            (Effect::Action(one), Effect::Action(other)) => (one, other),
            _ => return !destination,
        };
        let (policy, others) = (one.policy, other.policy);
        let verb = match (&one.verb, &other.verb) {
            (
                Verb::Forward {
                    targets,
                    mirrors,
                    hash,
                },
                Verb::Forward {
                    targets: other_targets,
                    mirrors: other_mirrors,
                    hash: other_hash,
                },
            ) => {
                same_targets(targets, other_targets, aspects)
                    && (!aspects.has(Aspect::Mirrors) || mirrors == other_mirrors)
                    && (!aspects.has(Aspect::HashPolicy) || hash == other_hash)
                    && (!aspects.has(Aspect::Timeout) || timeout(policy) == timeout(others))
                    && (!aspects.has(Aspect::Retries)
                        || same_retries(policy.retries.as_ref(), others.retries.as_ref()))
                    && (!aspects.has(Aspect::Cors) || policy.cors == others.cors)
                    && (!destination
                        || !one.lacks_cluster
                        || policy.missing_cluster == others.missing_cluster)
            }
            (Verb::Redirect(redirect, port), Verb::Redirect(other, other_port)) => {
                !destination
                    || redirect.status == other.status
                        && redirect.authority == other.authority
                        && redirect.scheme == other.scheme
                        && port == other_port
            }
            (Verb::Respond(response), Verb::Respond(other)) => !destination || response == other,
            _ => !destination,
        };
        verb && (!aspects.has(Aspect::Headers) || one.headers == other.headers)
            && (!aspects.has(Aspect::Faults)
                || policy.fault_delay == others.fault_delay
                    && policy.fault_abort == others.fault_abort)
            && (!aspects.has(Aspect::Rewrite)
                || one.path == other.path && policy.rewrite.authority == others.rewrite.authority)
    }
}

fn same_targets(one: &Targets<'_>, other: &Targets<'_>, aspects: Aspects) -> bool {
    let clusters = |targets: &Targets<'_>| -> Vec<u32> {
        let mut numbers: Vec<u32> = targets.all.iter().map(|(number, _, _)| *number).collect();
        numbers.dedup();
        numbers
    };
    if aspects.has(Aspect::Destination) && clusters(one) != clusters(other) {
        return false;
    }
    let weights = |targets: &Targets<'_>| -> Vec<(u32, u64)> {
        targets
            .all
            .iter()
            .map(|(number, weight, _)| (*number, *weight))
            .collect()
    };
    if aspects.has(Aspect::Weights) && weights(one) != weights(other) {
        return false;
    }
    !aspects.has(Aspect::Headers) || one == other || {
        let headers =
            |targets: &Targets<'_>| targets.all.iter().all(|(_, _, headers)| headers.is_none());
        headers(one) && headers(other)
    }
}

fn same_retries(one: Option<&RetryPolicy>, other: Option<&RetryPolicy>) -> bool {
    // Whether a field was written is no part of what is done.
    let done = |policy: &RetryPolicy| RetryPolicy {
        previous_hosts_written: false,
        ..policy.clone()
    };
    match (one, other) {
        (Some(one), Some(other)) => one == other || done(one) == done(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// Unset and zero are the same (R-H-145).
fn timeout(policy: &RoutePolicy) -> Option<std::time::Duration> {
    policy.timeout.filter(|timeout| !timeout.is_zero())
}

fn greatest_common_divisor(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

fn new_path<'r>(action: &'r Action, matched: &PathMatch) -> NewPath<'r> {
    let replaced = |replacement: &str| match matched.matched_length() {
        None => NewPath::Whole(replacement.into()),
        Some(length) => {
            let text = match matched {
                PathMatch::Prefix {
                    value,
                    ignore_case: false,
                } => value,
                _ => "",
            };
            // `/a/` by `/b/` is `/a` by `/b`.
            let ends = text.bytes().rev().zip(replacement.bytes().rev());
            let common = ends.take_while(|(one, other)| one == other).count();
            let end = replacement.len() - common;
            match replacement.is_char_boundary(end) {
                true => NewPath::Prefix(length - common, replacement[..end].into()),
                false => NewPath::Prefix(length, replacement.into()),
            }
        }
    };
    if let Action::Redirect(redirection) = action {
        let redirect = Redirection::redirect(redirection);
        return match (&redirect.uri, &redirect.prefix_rewrite) {
            (Some(uri), _) => NewPath::Whole(uri.clone()),
            (None, Some(prefix)) => replaced(prefix),
            (None, None) => NewPath::Same,
        };
    }
    match &action.policy().rewrite.path {
        None => NewPath::Same,
        Some(_) if action.as_forward().is_none() => NewPath::Same,
        Some(PathRewrite::Uri(uri)) => replaced(uri),
        Some(regex @ PathRewrite::Regex(_)) => NewPath::Regex(regex),
    }
}

/// A hash of what every comparison looks at, or nearly.
fn hash_of(effect: &Effect<'_>) -> u64 {
    let mut hasher = ahash::AHasher::default();
    match effect {
        Effect::NotFound => 0_u32.hash(&mut hasher),
        Effect::Closed => 1_u32.hash(&mut hasher),
        Effect::HttpsRedirect => 2_u32.hash(&mut hasher),
        Effect::Tcp { targets, .. } => {
            for (number, _, _) in &targets.all {
                (3_u32, number).hash(&mut hasher);
            }
        }
        Effect::Action(action) => match &action.verb {
            Verb::Forward { targets, .. } => {
                for (number, _, _) in &targets.all {
                    (4_u32, number).hash(&mut hasher);
                }
            }
            Verb::Redirect(redirect, _) => (5_u32, redirect.status).hash(&mut hasher),
            Verb::Respond(response) => (6_u32, response.status, &response.body).hash(&mut hasher),
        },
    }
    hasher.finish()
}
