//! Why a request goes where it goes: the walk of `decide` with a recorder beside it.

mod effect;
mod recorder;
mod step;

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::walk;
use crate::decision::{Decision, DecisionRecord};
use crate::router::Router;
use crate::terms::origin::Written;
use crate::terms::request::{Connection, Request};
use crate::terms::source::Location;

use recorder::Recorder;
pub use step::{Step, TriedRule, UnmetTest};

/// The form in which explanations are serialized; a number is never used for another form.
const SCHEMA: &str = "meshroute/explanation/v1";

/// Of so many rules that are skipped one after the other, the first and the last few are printed.
const MOST_SKIPPED: usize = 12;
const SHOWN_AT_ENDS: usize = 3;

/// A decision, the steps that led to it, and its whole effect. Printed, one step a line; of many rules that were skipped one
/// after the other the first, the closest and the last (`{:#}` prints all).
///
/// A rule is named with where it was written: `routes.yaml:12 VirtualService shop/cart http[2].match[1]`. A router keeps no text,
/// so that the line is the first of the resource; who still has the resources gets that of the match with
/// [`located`](Self::located).
///
/// Serialized, an object with `schema`, `steps`, `decision` (a [`DecisionRecord`] as
/// [`Decision::observed`] gives it) and `destinationRule`.
#[derive(Clone)]
pub struct Explanation<'r> {
    decision: Decision<'r>,
    steps: Vec<Step>,
    seen: DecisionRecord,
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

    /// The rules that were tried, in order.
    pub fn rules(&self) -> impl Iterator<Item = &TriedRule> {
        self.steps.iter().filter_map(Step::rule)
    }

    /// What a client and an upstream see of it, as [`Decision::observed`] says.
    pub fn observed(&self) -> &DecisionRecord {
        &self.seen
    }

    /// The whole effect, as `(name, value)` lines for people: path and host upstream, header changes, location, timeout,
    /// retries, mirrors, and the DestinationRule with its policy.
    pub fn effect(&self) -> Vec<(&'static str, String)> {
        effect::lines(&self.decision, &self.seen)
    }

    /// The same with the places of the rules that `locate` knows, as
    /// [`Resources::locate_written`](crate::resource::Resources::locate_written) does.
    #[must_use]
    pub fn located(mut self, locate: impl Fn(&Written<'_>) -> Option<Location>) -> Self {
        for step in &mut self.steps {
            step.locate(&locate);
        }
        self
    }

    /// Which steps are printed: `None` stands for how many are left out.
    fn folded(&self) -> Vec<Result<&Step, usize>> {
        let mut out = Vec::new();
        let mut steps = &self.steps[..];
        while let Some(first) = steps.first() {
            let is_skipped = |step: &Step| step.rule().is_some_and(|rule| !rule.matches());
            let run = steps.iter().take_while(|step| is_skipped(step)).count();
            if run <= MOST_SKIPPED {
                let taken = run.max(1);
                out.extend(steps[..taken].iter().map(Ok));
                steps = &steps[taken..];
                continue;
            }
            debug_assert!(is_skipped(first), "a run begins with what is skipped");
            let mut left_out = 0;
            for (place, step) in steps[..run].iter().enumerate() {
                let is_at_end = place < SHOWN_AT_ENDS || place + SHOWN_AT_ENDS >= run;
                if is_at_end || step.rule().is_some_and(|rule| rule.is_closest) {
                    if left_out > 0 {
                        out.push(Err(left_out));
                    }
                    left_out = 0;
                    out.push(Ok(step));
                } else {
                    left_out += 1;
                }
            }
            steps = &steps[run..];
        }
        out
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
        if f.alternate() {
            for step in &self.steps {
                writeln!(f, "{step}")?;
            }
        } else {
            for step in self.folded() {
                match step {
                    Ok(step) => writeln!(f, "{step}")?,
                    Err(left_out) => writeln!(f, "… {left_out} more rules skipped")?,
                }
            }
        }
        write!(f, "=> {}", self.decision)?;
        for (name, value) in self.effect() {
            write!(f, "\n   {name}: {value}")?;
        }
        Ok(())
    }
}

impl Serialize for Explanation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Explanation", 5)?;
        out.serialize_field("schema", SCHEMA)?;
        out.serialize_field("steps", &self.steps)?;
        out.serialize_field("decision", &self.seen)?;
        let rule = self
            .decision
            .cluster()
            .and_then(|cluster| cluster.destination_rule());
        let rule = rule.map(ToString::to_string);
        out.serialize_field("destinationRule", &rule)?;
        let effect: Vec<String> = self
            .effect()
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        out.serialize_field("effect", &effect)?;
        out.end()
    }
}

impl Router {
    /// Why [`decide`](Router::decide) answers what it answers: the same walk, recorded. Which virtual host answers and by
    /// which of its domains, what each skipped rule asked in vain and what came instead, what was drawn, and the whole effect.
    ///
    /// # Complexity
    /// In proportion to the rules of the virtual host up to the one that matches.
    pub fn explain(&self, request: &Request<'_>, entropy: u64) -> Explanation<'_> {
        let mut recorder = Recorder::default();
        let decision = walk::decide(&self.tables, request, entropy, &mut recorder);
        Explanation {
            seen: effect::seen(&decision, request),
            decision,
            steps: recorder.into_steps(),
        }
    }

    /// The same of a connection without a request: why [`decide_connection`](Router::decide_connection) answers what it
    /// answers.
    pub fn explain_connection(&self, connection: &Connection<'_>, entropy: u64) -> Explanation<'_> {
        let mut recorder = Recorder::default();
        let decision = walk::decide_connection(&self.tables, connection, entropy, &mut recorder);
        Explanation {
            seen: decision.record(),
            decision,
            steps: recorder.into_steps(),
        }
    }
}
