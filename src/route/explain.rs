//! Why a request goes where it goes: the walk of `decide` with a recorder beside it.

use std::fmt;

use super::probe::Probe;
use super::walk;
use crate::decision::{Decision, Side};
use crate::router::{FilterChain, Listener, RouteConfig, Router, Rule, VirtualHost};
use crate::terms::condition::Unmet;
use crate::terms::host::{self, without_port};
use crate::terms::request::Request;
use crate::terms::weighted::FractionalPercent;

/// A decision and the steps that led to it. Printed, one step a line.
#[derive(Clone, Debug)]
pub struct Explanation<'r> {
    decision: Decision<'r>,
    steps: Vec<String>,
}

impl<'r> Explanation<'r> {
    /// What `decide` answers for the same request and entropy.
    pub fn decision(&self) -> &Decision<'r> {
        &self.decision
    }

    /// The steps in order, one line each, for people to read.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = &str> {
        self.steps.iter().map(String::as_str)
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        write!(f, "=> {}", self.decision)
    }
}

impl Router {
    /// Why [`decide`](Router::decide) answers what it answers: the same walk, recorded. Which virtual host answers and by
    /// which of its domains, what each skipped rule asked in vain, what was drawn.
    pub fn explain(&self, request: &Request<'_>, entropy: u64) -> Explanation<'_> {
        let mut recorder = Recorder { steps: Vec::new() };
        let decision = walk::decide(&self.tables, request, entropy, &mut recorder);
        let steps = recorder.steps;
        Explanation { decision, steps }
    }
}

struct Recorder {
    steps: Vec<String>,
}

impl Recorder {
    fn note(&mut self, step: String) {
        self.steps.push(step);
    }
}

impl Probe for Recorder {
    const SEES_EVERY_RULE: bool = true;

    fn side(&mut self, side: Side) {
        self.note(format!(
            "side: {}",
            match side {
                Side::Mesh => "mesh",
                Side::Gateway => "gateway",
            }
        ));
    }

    fn listener(&mut self, listener: &Listener, is_fallback: bool) {
        let why = if is_fallback {
            " (nothing else listens there)"
        } else {
            ""
        };
        self.note(format!("listener: {}{why}", listener.name()));
    }

    fn chain(&mut self, chain: &FilterChain) {
        if !chain.name().is_empty() {
            self.note(format!("filter chain: {}", chain.name()));
        }
    }

    fn path(&mut self, given: &str, normal: &str) {
        if given != normal {
            self.note(format!("path: `{given}` is matched as `{normal}`"));
        }
    }

    fn virtual_host(&mut self, config: &RouteConfig, authority: &str, virtual_host: &VirtualHost) {
        let name = without_port(authority);
        let domain = virtual_host
            .domains()
            .max_by_key(|domain| host::fit(domain, name));
        self.note(format!(
            "virtual host: {} of route configuration {} (`{authority}` is {})",
            virtual_host.name(),
            config.name(),
            match domain {
                Some("*") => "none of the others".to_owned(),
                Some(domain) => format!("`{domain}`"),
                None => "its own".to_owned(),
            }
        ));
    }

    fn no_virtual_host(&mut self, config: &RouteConfig, authority: &str) {
        self.note(format!(
            "virtual host: none of route configuration {} has `{authority}`",
            config.name()
        ));
    }

    fn https_redirect(&mut self) {
        self.note("plain text, where the server wants https".to_owned());
    }

    fn skipped(&mut self, position: usize, rule: &Rule, unmet: Unmet<'_>) {
        self.note(format!("{} skipped: {unmet}", rule_text(position, rule)));
    }

    fn matched(&mut self, position: usize, rule: &Rule) {
        self.note(format!("{} matches", rule_text(position, rule)));
    }

    fn drawn(&mut self, what: &'static str, chance: FractionalPercent, hit: bool) {
        let percent = f64::from(chance.numerator()) / 10_000.0;
        let hit = if hit { "drawn" } else { "not drawn" };
        self.note(format!("{what} ({percent} %): {hit}"));
    }

    fn split(&mut self, cluster: &str, weight: u32, total: u64) {
        self.note(format!("split: drew {cluster}, weight {weight} of {total}"));
    }
}

fn rule_text(position: usize, rule: &Rule) -> String {
    let mut text = format!("rule {position}");
    if !rule.name().is_empty() {
        text += &format!(" `{}`", rule.name());
    }
    if let Some(name) = rule.virtual_service() {
        text += &format!(" of {name}");
    }
    text
}
