//! `odd-match` (MR0330).
//!
//! **What it does**: finds tests that hardly mean what they seem to: a `*` in a prefix or an exact path, which is a star and no
//! pattern; a query or the flags of another language in the regex of a path; a regex in `withoutHeaders` that the empty value
//! passes, so that a request without the header does not match either.
//!
//! **Why is this bad**: the match never holds, or for other requests than meant (R-H-082, R-H-086, R-H-099).
//!
//! **Example**
//! ```yaml
//! - uri: {prefix: "/api/*"}               # only paths that have a star
//! - uri: {regex: "/search\\?q=.*"}        # a path has no query
//! - withoutHeaders: {version: {regex: ".*"}}
//! ```
//! **Use instead**: `prefix: /api/`; `queryParams`; `withoutHeaders: {version: {}}` for a header that must be absent.

use crate::diagnostic::{Code, Report};
use crate::terms::condition::{Condition, HeaderMatch, PathMatch, RequestMatch, ValueMatch};

use super::{Facts, author, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for from in &facts.mesh.virtual_services {
        for rule in &from.http {
            for matched in &rule.matches {
                let (Some((part, message, help)), Some(own)) =
                    (odd(&matched.request), matched.index.own)
                else {
                    continue;
                };
                let field = rule
                    .origin
                    .field()
                    .path()
                    .field("match")
                    .index(own as usize)
                    .field(part);
                let about = author(&rule.origin.author);
                report.push(finding(Code::ODD_MATCH, about, field, message).with_help(help));
            }
        }
    }
}

/// What is odd about a match: its part, why, and what to do.
fn odd(request: &RequestMatch) -> Option<(&'static str, String, &'static str)> {
    let path = match &request.path {
        PathMatch::Prefix { value, .. } if value.contains('*') => Some((
            "uri",
            format!("the `*` of the prefix `{value}` stands for itself"),
            "a prefix needs no `*` at its end; for a pattern, write a `regex`",
        )),
        PathMatch::Exact { value, .. } if value.contains('*') => Some((
            "uri",
            format!("the `*` of the path `{value}` stands for itself"),
            "write a `prefix` or a `regex`",
        )),
        PathMatch::Regex(regex) if regex.as_str().contains("\\?") => Some((
            "uri",
            format!(
                "the regex `{}` asks for a query, and a path has none",
                regex.as_str()
            ),
            "match the query with `queryParams`",
        )),
        PathMatch::Regex(regex)
            if ["/g", "/i", "/gi", "/gm"]
                .iter()
                .any(|end| regex.as_str().ends_with(end)) =>
        {
            Some((
                "uri",
                format!(
                    "the end of the regex `{}` is part of the path, not a flag",
                    regex.as_str()
                ),
                "write `(?i)` at its beginning for any case",
            ))
        }
        _ => None,
    };
    path.or_else(|| {
        request.conditions.iter().find_map(|condition| match condition {
            Condition::Header(HeaderMatch { name, test: ValueMatch::Regex(regex), invert: true }) if regex.is_full_match(b"") => Some((
                "withoutHeaders",
                format!("a request without the header `{name}` does not match either: missing counts as empty, which passes `{}`", regex.as_str()),
                "write `{}` for a header that must be absent",
            )),
            _ => None,
        })
    })
}
