//! Regexes of a configuration: checked as admission does, compiled once per pattern (R-M-156, R-M-162).

use crate::diagnostic::{At, Code, Diagnostic};
use crate::terms::regex::{Regex, RegexError, Rewriter};

use super::{Context, Sink};

impl Context<'_> {
    /// The regex of a match, compiled once per pattern. `None` after an error was pushed.
    pub(crate) fn regex(&self, pattern: &str, at: &At<'_>, sink: &mut Sink<'_>) -> Option<Regex> {
        if pattern.is_empty() {
            push_empty(at, sink);
            return None;
        }
        let mut regexes = self.regexes.borrow_mut();
        let compiled = match regexes.get(pattern) {
            Some(known) => known.clone(),
            None => {
                let new = Regex::within(pattern, &mut self.regex_budget.borrow_mut());
                regexes.insert(pattern.into(), new.clone());
                new
            }
        };
        compiled
            .map_err(|error| push_error(pattern, &error, at, sink))
            .ok()
    }

    /// The regex rewrite of a path; both texts are written. `None` after an error was pushed.
    pub(crate) fn rewriter(
        &self,
        pattern: &str,
        substitution: &str,
        at: &At<'_>,
        sink: &mut Sink<'_>,
    ) -> Option<Rewriter> {
        let mut budget = self.regex_budget.borrow_mut();
        let rewriter = Rewriter::within(pattern, substitution, &mut budget)
            .map_err(|error| push_error(pattern, &error, &at.field("match"), sink))
            .ok()?;
        if let Some(problem) = rewriter.problem() {
            let at = at.field("rewrite");
            sink.push(&at, Code::WITHOUT_EFFECT, problem.to_string());
        }
        Some(rewriter)
    }
}

fn push_empty(at: &At<'_>, sink: &mut Sink<'_>) {
    sink.push_with_help(
        at,
        Code::EMPTY_MATCH,
        "a regex to match cannot be empty",
        "write `.*` to match any text",
    );
}

fn push_error(pattern: &str, error: &RegexError, at: &At<'_>, sink: &mut Sink<'_>) {
    let diagnostic = Diagnostic::new(
        Code::INVALID_REGEX,
        format!("`{pattern}` is not a regex that Istio accepts: {error}"),
    );
    sink.push_full(at, diagnostic.with_help(error.help()));
}
