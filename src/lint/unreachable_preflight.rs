//! `unreachable-preflight` (MR0325).
//!
//! **What it does**: finds rules with a `corsPolicy` all of whose matches ask for what no preflight has: another method than
//! `OPTIONS`, or a header that browsers do not send with it.
//!
//! **Why is this bad**: the preflight comes to another rule, which answers without the headers that the browser asks for, and the
//! request is never sent.
//!
//! **Example**
//! ```yaml
//! - match: [{method: {exact: POST}}]
//!   corsPolicy: {allowOrigins: [{exact: "https://ui.example.com"}]}
//! ```
//! **Use instead**: a rule before it for the same path and `OPTIONS` with the same `corsPolicy`.

use crate::diagnostic::{Code, Report};
use crate::terms::condition::{Condition, RequestMatch, ValueMatch};

use super::{Facts, author, finding};

/// Headers that a preflight has.
const OF_PREFLIGHTS: [&str; 12] = [
    ":authority",
    ":path",
    ":scheme",
    "accept",
    "accept-encoding",
    "accept-language",
    "access-control-request-headers",
    "access-control-request-method",
    "origin",
    "referer",
    "user-agent",
    "x-forwarded-proto",
];

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for from in &facts.mesh.virtual_services {
        for rule in &from.http {
            let mut matches = rule.matches.iter().peekable();
            if rule.policy.cors.is_none() || matches.peek().is_none() {
                continue;
            }
            let obstacles: Option<Vec<String>> =
                matches.map(|one| obstacle(&one.request)).collect();
            let Some(first) = obstacles.and_then(|all| all.into_iter().next()) else {
                continue;
            };
            let message =
                format!("no preflight comes to this `corsPolicy`: the rule asks for {first}");
            let field = rule.origin.field().path().field("corsPolicy");
            let about = author(&rule.origin.author);
            report.push(
                finding(Code::UNREACHABLE_PREFLIGHT, about, field, message)
                    .with_help("put a rule for the same path and the method `OPTIONS` before it, with the same `corsPolicy`"),
            );
        }
    }
}

/// What a match asks for that no preflight has.
fn obstacle(request: &RequestMatch) -> Option<String> {
    request.conditions.iter().find_map(|condition| {
        let Condition::Header(header) = condition else {
            return None;
        };
        match (&*header.name, &header.test, header.invert) {
            (":method", test, false) => {
                let takes = test.holds(b"OPTIONS");
                let method = match test {
                    ValueMatch::Exact(text) | ValueMatch::Prefix(text) => text,
                    _ => "",
                };
                (!takes).then(|| format!("the method `{method}`"))
            }
            (name, _, false) if !OF_PREFLIGHTS.contains(&name) => {
                Some(format!("the header `{name}`"))
            }
            _ => None,
        }
    })
}
