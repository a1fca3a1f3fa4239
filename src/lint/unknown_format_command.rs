//! `unknown-format-command` (MR0322; R-H-120).
//!
//! **What it does**: finds header values with a `%COMMAND%` that Envoy does not have.
//!
//! **Why is this bad**: Istio takes such a value, and Envoy refuses the whole configuration that it stands in: every proxy that
//! sees the VirtualService keeps what it had before.
//!
//! **Example**
//! ```yaml
//! headers: {request: {set: {x-path: "%REQ_WITHOUT_QUERY(:path)%"}}}
//! ```
//! **Use instead**: `%PATH(NQ)%`, or another command of Envoy's; `%%` for a percent sign.

use crate::diagnostic::{Code, FieldPath, Report};
use crate::mesh::virtual_service::HttpAction;
use crate::terms::format::HeaderFormat;
use crate::terms::header_operations::HeaderChanges;
use crate::terms::origin::Author;

use super::{Facts, author, finding};

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    for virtual_service in &facts.mesh.virtual_services {
        for rule in &virtual_service.http {
            let at = rule.origin.field().path();
            let by = &rule.origin.author;
            check_level(rule.headers.as_deref(), &at, by, report);
            if let HttpAction::Route(route) = &rule.action {
                for (index, entry) in route.iter().enumerate() {
                    let at = at.field("route").index(index);
                    check_level(entry.headers.as_deref(), &at, by, report);
                }
            }
        }
    }
}

fn check_level(changes: Option<&HeaderChanges>, at: &FieldPath, by: &Author, report: &mut Report) {
    let Some(changes) = changes else { return };
    for (direction, operations) in [
        ("request", &changes.request),
        ("response", &changes.response),
    ] {
        for (verb, entries) in [("set", &operations.set), ("add", &operations.add)] {
            let unknown = entries
                .iter()
                .filter_map(|(name, format): &(Box<str>, HeaderFormat)| {
                    format.unknown_command().map(|command| (name, command))
                });
            for (name, command) in unknown {
                let at = at.field("headers").field(direction).field(verb);
                let message = format!(
                    "Envoy does not know `%{command}%`, the value of `{name}`, and refuses the configuration"
                );
                report.push(
                    finding(Code::UNKNOWN_FORMAT_COMMAND, author(by), at, message)
                        .with_help("write `%%` for a percent sign"),
                );
            }
        }
    }
}
