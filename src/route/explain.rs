//! Why a request goes where it goes: the walk of `decide` with a recorder beside it.

use std::fmt;

use super::probe::Probe;
use super::walk;
use crate::decision::{Decision, Side};
use crate::router::{FilterChain, Listener, RouteConfig, Router, Rule, VirtualHost};
use crate::terms::condition::Unmet;
use crate::terms::host::{self, without_port};
use crate::terms::origin::{Origin, Written};
use crate::terms::request::Request;
use crate::terms::source::Location;
use crate::terms::weighted::{Draw, FractionalPercent};

/// A decision and the steps that led to it. Printed, one step a line.
///
/// A rule is named with where it was written: `routes.yaml:12 VirtualService shop/cart http[2].match[1]`. A router keeps no text,
/// so that the line is the first of the resource; who still has the resources gets that of the match with
/// [`located`](Self::located).
#[derive(Clone)]
pub struct Explanation<'r> {
    decision: Decision<'r>,
    steps: Vec<Step>,
}

/// One step of a walk. Printed, one line.
#[derive(Clone)]
pub struct Step {
    /// What the walk came to.
    subject: String,
    /// Where that was written, if it is a rule.
    origin: Option<Origin>,
    /// The line of the rule, and of what delegates to it, as far as they were looked up.
    own: Option<Location>,
    root: Option<Location>,
    /// What came of it; may be empty.
    verdict: String,
}

short_debug! { Step {subject, origin, own, root, verdict} }

impl Step {
    /// Where the rule was written that this step is about.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)?;
        if let Some(origin) = &self.origin {
            let written = origin.written();
            write!(f, " of {}", written.located(self.own.as_ref()))?;
            if let Some(root) = origin.delegated_by() {
                write!(f, ", delegated by {},", root.located(self.root.as_ref()))?;
            }
        }
        f.write_str(&self.verdict)
    }
}

impl<'r> Explanation<'r> {
    /// What `decide` answers for the same request and entropy.
    pub fn decision(&self) -> &Decision<'r> {
        &self.decision
    }

    /// The steps in order, one line each, for people to read.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The same with the places of the rules that `locate` knows, as
    /// [`Resources::locate_written`](crate::resource::Resources::locate_written) does.
    #[must_use]
    pub fn located(mut self, locate: impl Fn(&Written<'_>) -> Option<Location>) -> Self {
        for step in &mut self.steps {
            if let Some(origin) = &step.origin {
                step.own = locate(&origin.written());
                step.root = origin.delegated_by().and_then(|root| locate(&root));
            }
        }
        self
    }
}

impl fmt::Debug for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explanation")
            .field("steps", &self.steps.len())
            .field("decision", &self.decision)
            .finish()
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
    steps: Vec<Step>,
}

impl Recorder {
    fn note(&mut self, subject: String) {
        self.push(subject, None, String::new());
    }

    fn rule(&mut self, position: usize, rule: &Rule, verdict: String) {
        let name = match rule.name() {
            "" => format!("rule {position}"),
            name => format!("rule {position} `{name}`"),
        };
        self.push(name, rule.origin().cloned(), verdict);
    }

    fn push(&mut self, subject: String, origin: Option<Origin>, verdict: String) {
        self.steps.push(Step {
            subject,
            origin,
            own: None,
            root: None,
            verdict,
        });
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
        self.rule(position, rule, format!(" skipped: {unmet}"));
    }

    fn matched(&mut self, position: usize, rule: &Rule) {
        self.rule(position, rule, " matches".to_owned());
    }

    fn drawn(&mut self, draw: Draw, chance: FractionalPercent, hit: bool) {
        let what = match draw {
            Draw::FaultDelay => "fault delay",
            Draw::FaultAbort => "fault abort",
            _ => "destination",
        };
        let percent = f64::from(chance.numerator()) / 10_000.0;
        let hit = if hit { "drawn" } else { "not drawn" };
        self.note(format!("{what} ({percent} %): {hit}"));
    }

    fn split(&mut self, cluster: &str, weight: u32, total: u64) {
        self.note(format!("split: drew {cluster}, weight {weight} of {total}"));
    }
}
