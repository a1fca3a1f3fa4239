//! What was given and is no part of the mesh: resources with errors, and those that are not evaluated.

use crate::diagnostic::{Code, Diagnostic, Report};
use crate::resource::{Resource, Resources};
use crate::terms::host::{fit, without_port};

/// Which resources could change the answer for `authority` and have no part in any: those that reading or resolving had to
/// leave out, and kinds that are not evaluated (EnvoyFilter, AuthorizationPolicy, WasmPlugin). `report` is what reading and
/// resolving said.
///
/// A VirtualService with an error is named only where one of its hosts may be the one that is asked for; what cannot be read at all
/// is always named.
///
/// # Complexity
/// Linear in the resources and in the report.
pub fn left_out(resources: &Resources, report: &Report, authority: &str) -> Report {
    let host = without_port(authority).to_ascii_lowercase();
    let label = host.split('.').next().unwrap_or_default();
    let may_be_meant = |diagnostic: &Diagnostic| {
        let Some(resource) = diagnostic.resource() else {
            return true;
        };
        let known = resources
            .documents
            .iter()
            .find(|one| one.reference() == *resource);
        match known {
            Some(Resource::VirtualService(document)) => document.spec.hosts.iter().any(|own| {
                let own = own.to_ascii_lowercase();
                // A short name is that of a service.
                fit(&own, &host).is_some() || own.split('.').next() == Some(label)
            }),
            _ => true,
        }
    };
    let mut seen = std::collections::HashSet::new();
    let mut out = Report::new();
    for diagnostic in report {
        let is_unevaluated =
            [Code::KIND_NOT_EVALUATED, Code::FIELD_NOT_EVALUATED].contains(&diagnostic.code());
        if is_unevaluated {
            out.push(diagnostic.clone());
        } else if diagnostic.is_error()
            && may_be_meant(diagnostic)
            && seen.insert(diagnostic.resource())
        {
            let what = diagnostic
                .resource()
                .map_or("a document".to_owned(), |one| format!("`{one}`"));
            let message = format!("{what} is left out: {}", diagnostic.message());
            let mut note = Diagnostic::new(Code::LEFT_OUT, message)
                .with_location(diagnostic.location().cloned());
            if let Some(resource) = diagnostic.resource() {
                note = note.with_resource(resource.clone());
            }
            if let Some(help) = diagnostic.help() {
                note = note.with_help(help);
            }
            out.push(note);
        }
    }
    out
}
