//! `doubled-slash` (MR0324).
//!
//! **What it does**: finds rules that match a prefix without a slash at its end and rewrite it to one that ends in a slash.
//!
//! **Why is this bad**: only the matched text is replaced: `/shop/cart` becomes `//cart`, and `/shopping`, which begins with `/shop`
//! too, becomes `/ping` (R-H-132).
//!
//! **Example**
//! ```yaml
//! - match: [{uri: {prefix: /shop}}]
//!   rewrite: {uri: /}
//! ```
//! **Use instead**: two matches, `- {uri: {prefix: /shop/}}` and `- {uri: {exact: /shop}}`, with the same rewrite.

use crate::diagnostic::{Code, Report};
use crate::terms::condition::PathMatch;
use crate::terms::route_policy::PathRewrite;

use super::{Facts, author, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for from in &facts.mesh.virtual_services {
        for rule in &from.http {
            let Some(PathRewrite::Uri(to)) = &rule.policy.rewrite.path else {
                continue;
            };
            // A prefix that stands beside the same one with a slash takes what is left: the bare path.
            let prefixes = rule
                .matches
                .iter()
                .filter_map(|one| match &one.request.path {
                    PathMatch::Prefix { value, .. } => Some(&**value),
                    _ => None,
                });
            let prefixes: Vec<&str> = prefixes.collect();
            for prefix in &prefixes {
                let with_slash = format!("{prefix}/");
                let is_split = prefixes.contains(&with_slash.as_str());
                if prefix.ends_with('/') || !to.ends_with('/') || is_split {
                    continue;
                }
                let message = format!(
                    "the prefix `{prefix}` is rewritten to `{to}`: `{prefix}/a` becomes `{to}/a`, and `{prefix}a` becomes `{to}a`"
                );
                let field = rule.origin.field().path().field("rewrite").field("uri");
                let help = format!("match `{prefix}/` and, exactly, `{prefix}`");
                let about = author(&rule.origin.author);
                report.push(finding(Code::DOUBLED_SLASH, about, field, message).with_help(help));
            }
        }
    }
}
