//! The steps of a walk, as data and as lines for people.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::terms::origin::{Origin, Written};
use crate::terms::source::Location;

/// One step of a walk. Printed, one line. Serialized, an object whose `step` says which.
#[derive(Clone, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Which side of the proxy decides: `mesh` or `gateway`.
    Side {
        /// Its name.
        side: &'static str,
    },
    /// The listener that the connection arrives at.
    Listener {
        /// Envoy's name of it.
        name: String,
        /// It gets what no other listener claims.
        is_fallback: bool,
    },
    /// The filter chain that takes the connection.
    FilterChain {
        /// Envoy's name of it.
        name: String,
    },
    /// The path is matched and forwarded in another form than it came in.
    Path {
        /// As it came.
        given: String,
        /// As it is matched.
        normal: String,
    },
    /// The virtual host that answers. The choice is final (R-H-001).
    VirtualHost {
        /// Envoy's name of it.
        name: String,
        /// The route configuration that has it.
        route_config: String,
        /// The host that the request names.
        authority: String,
        /// The domain of it that fits best; `*` where no other virtual host has the host.
        domain: Option<String>,
    },
    /// No virtual host of the route configuration has the host.
    NoVirtualHost {
        /// The route configuration.
        route_config: String,
        /// The host that the request names.
        authority: String,
    },
    /// The server sends plain text to https.
    HttpsRedirect,
    /// A rule was tried.
    Rule(TriedRule),
    /// A lot was drawn.
    Draw {
        /// For what: `fault delay`, `fault abort`.
        what: &'static str,
        /// The chance, 0 to 100.
        percent: f64,
        /// Whether it hit.
        hit: bool,
    },
    /// A destination was drawn.
    Split {
        /// Envoy's name of its cluster.
        cluster: String,
        /// Its weight.
        weight: u32,
        /// The sum of all weights.
        total: u64,
    },
}

short_debug! {
    enum Step {Side {side}, Listener {name, is_fallback}, FilterChain {name}, Path {given, normal},
    VirtualHost {name, route_config, authority, domain}, NoVirtualHost {route_config, authority},
    HttpsRedirect, Rule(part), Draw {what, percent, hit}, Split {cluster, weight, total}}
}

/// A rule that was tried, and what came of it.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct TriedRule {
    /// Its place in the virtual host, from 0.
    pub position: usize,
    /// Its name; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where it was written; `None` for the default route of a service.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    pub origin: Option<Origin>,
    /// The place of its match, as far as it was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The place of what delegates to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_location: Option<Location>,
    /// How many tests it makes, that of the path included.
    pub tests: usize,
    /// Those that the request does not pass; none: it matches.
    pub unmet: Vec<UnmetTest>,
    /// Of the rules that do not match, it lacks least.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_closest: bool,
}

short_debug! {
    TriedRule {position, name, origin, location, root_location, tests, unmet, is_closest}
}

/// A test that a request does not pass. Printed, ``header `x-beta` is not `1`; it is absent``.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnmetTest {
    /// What is amiss.
    pub problem: String,
    /// What came.
    pub came: String,
}

short_debug! { UnmetTest {problem, came} }

fn text<S: Serializer>(origin: &Option<Origin>, serializer: S) -> Result<S::Ok, S::Error> {
    match origin {
        Some(origin) => serializer.collect_str(origin),
        None => serializer.serialize_none(),
    }
}

impl Step {
    /// Where the rule was written that this step is about.
    pub fn origin(&self) -> Option<&Origin> {
        self.rule()?.origin.as_ref()
    }

    /// The rule that was tried, if the step is about one.
    pub fn rule(&self) -> Option<&TriedRule> {
        match self {
            Step::Rule(rule) => Some(rule),
            _ => None,
        }
    }

    /// Looks the places of a rule up.
    pub(super) fn locate(&mut self, locate: &impl Fn(&Written<'_>) -> Option<Location>) {
        if let Step::Rule(rule) = self
            && let Some(origin) = &rule.origin
        {
            rule.location = locate(&origin.written());
            rule.root_location = origin.delegated_by().and_then(|root| locate(&root));
        }
    }
}

impl TriedRule {
    /// Whether the request matches it.
    pub fn matches(&self) -> bool {
        self.unmet.is_empty()
    }
}

impl fmt::Display for UnmetTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem, self.came)
    }
}

impl fmt::Display for TriedRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {}", self.position)?;
        if !self.name.is_empty() {
            write!(f, " `{}`", self.name)?;
        }
        if let Some(origin) = &self.origin {
            let written = origin.written();
            write!(f, " of {}", written.located(self.location.as_ref()))?;
            if let Some(root) = origin.delegated_by() {
                let root = root.located(self.root_location.as_ref());
                write!(f, ", delegated by {root},")?;
            }
        }
        if self.matches() {
            return f.write_str(" matches");
        }
        f.write_str(" skipped: ")?;
        for (place, unmet) in self.unmet.iter().enumerate() {
            if place > 0 {
                f.write_str(", and ")?;
            }
            unmet.fmt(f)?;
        }
        match self.is_closest {
            true => f.write_str(" (the closest miss)"),
            false => Ok(()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Side { side } => write!(f, "side: {side}"),
            Step::Listener { name, is_fallback } => match is_fallback {
                true => write!(f, "listener: {name} (nothing else listens there)"),
                false => write!(f, "listener: {name}"),
            },
            Step::FilterChain { name } => write!(f, "filter chain: {name}"),
            Step::Path { given, normal } => {
                write!(f, "path: `{given}` is matched as `{normal}`")
            }
            Step::VirtualHost {
                name,
                route_config,
                authority,
                domain,
            } => {
                write!(
                    f,
                    "virtual host: {name} of route configuration {route_config} "
                )?;
                match domain.as_deref() {
                    Some("*") => write!(f, "(`{authority}` is none of the others)"),
                    Some(domain) => write!(f, "(`{authority}` is `{domain}`)"),
                    None => write!(f, "(`{authority}` is its own)"),
                }
            }
            Step::NoVirtualHost {
                route_config,
                authority,
            } => write!(
                f,
                "virtual host: none of route configuration {route_config} has `{authority}`"
            ),
            Step::HttpsRedirect => f.write_str("plain text, where the server wants https"),
            Step::Rule(rule) => rule.fmt(f),
            Step::Draw { what, percent, hit } => {
                let hit = if *hit { "drawn" } else { "not drawn" };
                write!(f, "{what} ({percent} %): {hit}")
            }
            Step::Split {
                cluster,
                weight,
                total,
            } => write!(f, "split: drew {cluster}, weight {weight} of {total}"),
        }
    }
}
