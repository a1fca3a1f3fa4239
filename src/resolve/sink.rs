//! Where a resolver puts what it has to say about one resource: it adds resource, place and field, and remembers whether
//! one of the problems was an error.

use crate::diagnostic::{At, Code, Diagnostic, FieldPath, Location, Report, ResourceRef, Severity};
use crate::resource::Document;

use super::check::{Verdict, quantity};
use crate::resource::Named;
use crate::terms::duration::ProtoDuration;
use std::time::Duration;

/// Takes the diagnostics of one resource.
pub(crate) struct Sink<'a> {
    report: &'a mut Report,
    resource: ResourceRef,
    locate: Locate<'a>,
    failed: bool,
    /// Errors count as warnings.
    soft: bool,
}

/// How a field is found in the source.
type Locate<'a> = Box<dyn Fn(&FieldPath) -> Option<Location> + 'a>;

impl<'a> Sink<'a> {
    /// A sink for the problems of `resource`; `locate` finds a field in the source.
    pub(crate) fn new(
        report: &'a mut Report,
        resource: ResourceRef,
        locate: impl Fn(&FieldPath) -> Option<Location> + 'a,
    ) -> Self {
        Sink {
            report,
            resource,
            locate: Box::new(locate),
            failed: false,
            soft: false,
        }
    }

    /// A sink for the problems of a document.
    pub(crate) fn of<T: Named>(document: &'a Document<T>, report: &'a mut Report) -> Self {
        let locate = |field: &FieldPath| document.source.locate(field);
        Sink::new(report, reference(document), locate)
    }

    /// Whether an error was pushed: then the resource is invalid.
    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// Checks what a cluster's API server refuses, and istiod would take if it came to it: its errors are warnings here, so
    /// that the answer stays that of istiod.
    pub(crate) fn as_kubernetes(&mut self, check: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.soft, true);
        check(self);
        self.soft = before;
    }

    /// The resource that this is about.
    pub(crate) fn resource(&self) -> &ResourceRef {
        &self.resource
    }

    /// Pushes a problem of the field at `at`, with the severity of its code.
    pub(crate) fn push(&mut self, at: &At<'_>, code: Code, message: impl Into<String>) {
        self.push_full(at, Diagnostic::new(code, message));
    }

    /// Pushes a problem of the field at `at`, and what to do about it.
    pub(crate) fn push_with_help(
        &mut self,
        at: &At<'_>,
        code: Code,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push_full(at, Diagnostic::new(code, message).with_help(help));
    }

    /// A span of time in a field below `at`, which has to be some whole milliseconds (R-M-143).
    pub(crate) fn span(
        &mut self,
        written: Option<ProtoDuration>,
        field: &'static str,
        at: &At<'_>,
    ) -> Option<Duration> {
        let span = written?.as_std();
        let verdict = quantity::duration(span);
        self.check(&at.field(field), Code::INVALID_DURATION_RANGE, verdict);
        Some(span)
    }

    /// Pushes what a check says about the field at `at`; true if it found nothing wrong.
    pub(crate) fn check(&mut self, at: &At<'_>, code: Code, verdict: Verdict) -> bool {
        match verdict {
            Ok(()) => true,
            Err(message) => {
                self.push(at, code, message);
                false
            }
        }
    }

    /// Pushes `diagnostic` after adding resource, field and place.
    pub(crate) fn push_full(&mut self, at: &At<'_>, diagnostic: Diagnostic) {
        let field = at.to_path();
        let diagnostic = match self.soft && diagnostic.is_error() {
            true => diagnostic
                .with_severity(Severity::Warning)
                .with_help("the API server of a cluster refuses it"),
            false => diagnostic,
        };
        self.failed |= diagnostic.severity() == Severity::Error;
        let location = (self.locate)(&field);
        self.report.push(
            diagnostic
                .with_resource(self.resource.clone())
                .with_location(location)
                .with_field(field),
        );
    }
}

/// How diagnostics name a document.
pub(crate) fn reference<T: Named>(document: &Document<T>) -> ResourceRef {
    let meta = &document.meta;
    ResourceRef::new(T::KIND, meta.namespace.as_str(), meta.name.as_str())
}
