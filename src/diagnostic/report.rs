//! All that there is to say about an input, in one value: printed like a compiler's output, serialized for CI, and an error.

use super::{Diagnostic, FieldPath, Location, ResourceRef, Severity};
use serde::ser::SerializeStruct;
use std::fmt;

use crate::terms::short::limited;

/// A list of diagnostics, in the order in which they were found.
///
/// ```
/// use meshroute::diagnostic::{Code, Diagnostic, Report};
/// let mut report = Report::new();
/// report.push(Diagnostic::new(Code::UNKNOWN_FIELD, "unknown field `weigth`").with_help("did you mean `weight`?"));
/// assert!(!report.has_errors());
/// assert!(report.to_string().starts_with("warning[MR0015]: unknown field `weigth`"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Nothing to say.
    pub const fn new() -> Self {
        Self {
            diagnostics: Vec::new(),
        }
    }

    /// Adds a diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Adds all diagnostics of `other`.
    pub fn append(&mut self, other: Report) {
        self.diagnostics.extend(other.diagnostics);
    }

    /// The diagnostics.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.diagnostics.iter()
    }

    /// The errors only.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.of(Severity::Error)
    }

    /// The warnings only.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.of(Severity::Warning)
    }

    /// The notes only.
    pub fn notes(&self) -> impl Iterator<Item = &Diagnostic> {
        self.of(Severity::Note)
    }

    fn of(&self, severity: Severity) -> impl Iterator<Item = &Diagnostic> {
        self.iter()
            .filter(move |diagnostic| diagnostic.severity() == severity)
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.diagnostics.len()
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// The same with a place wherever there is none and `find` knows one for the resource and the field.
    #[must_use]
    pub fn located(self, find: impl Fn(&ResourceRef, &FieldPath) -> Option<Location>) -> Self {
        self.into_iter()
            .map(|diagnostic| diagnostic.located(&find))
            .collect()
    }

    /// Orders by file, line and column; diagnostics without a place come last. Otherwise the order stays.
    pub fn sort_by_location(&mut self) {
        self.diagnostics
            .sort_by(|a, b| match (a.location(), b.location()) {
                (Some(a), Some(b)) => (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)),
                (a, b) => a.is_none().cmp(&b.is_none()),
            });
    }

    /// The report if it has an error, else `value`.
    ///
    /// # Errors
    /// This report, if it has an error.
    pub fn into_result<T>(self, value: T) -> Result<T, Report> {
        if self.has_errors() {
            Err(self)
        } else {
            Ok(value)
        }
    }
}

impl std::error::Error for Report {}

impl Extend<Diagnostic> for Report {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        self.diagnostics.extend(diagnostics);
    }
}

impl FromIterator<Diagnostic> for Report {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self {
            diagnostics: diagnostics.into_iter().collect(),
        }
    }
}

impl IntoIterator for Report {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.diagnostics.into_iter()
    }
}

impl<'a> IntoIterator for &'a Report {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What [`Display`](fmt::Display) prints, so that a `main` that fails with a report can be read; a long one is cut, except by `{:#?}`.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        limited(f, |f| fmt::Display::fmt(self, f))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in self {
            writeln!(f, "{diagnostic}\n")?;
        }
        let count = |severity| self.of(severity).count();
        let mut parts = Vec::new();
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            match count(severity) {
                0 => {}
                1 => parts.push(format!("1 {severity}")),
                n => parts.push(format!("{n} {severity}s")),
            }
        }
        if parts.is_empty() {
            f.write_str("no problems")
        } else {
            f.write_str(&parts.join(", "))
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}[{}]: {}",
            self.severity(),
            self.code(),
            self.message()
        )?;
        let mut margin = String::from(" ");
        if let Some(location) = self.location() {
            let number = location.line.to_string();
            margin = " ".repeat(number.len());
            write!(f, "\n{margin}--> {location}")?;
            if let Some(source) = &location.source {
                let indent = " ".repeat(
                    usize::try_from(location.column)
                        .unwrap_or(1)
                        .saturating_sub(1),
                );
                write!(f, "\n{margin} |\n{number} | {source}\n{margin} | {indent}^")?;
            }
        }
        if let Some(resource) = self.resource() {
            write!(f, "\n{margin} = resource: {resource}")?;
        }
        if let Some(field) = self.field() {
            write!(f, "\n{margin} = field: {field}")?;
        }
        for related in self.related() {
            write!(
                f,
                "\n{margin} = see {}: {}",
                related.resource, related.message
            )?;
            if let Some(location) = &related.location {
                write!(f, " ({location})")?;
            }
        }
        if let Some(help) = self.help() {
            write!(f, "\n{margin} = help: {help}")?;
        }
        Ok(())
    }
}

impl serde::Serialize for Report {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl serde::Serialize for Diagnostic {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Diagnostic", 9)?;
        out.serialize_field("severity", &self.severity())?;
        out.serialize_field("code", self.code().id())?;
        out.serialize_field("name", self.code().name())?;
        out.serialize_field("message", self.message())?;
        if let Some(help) = self.help() {
            out.serialize_field("help", help)?;
        }
        if let Some(resource) = self.resource() {
            out.serialize_field("resource", resource)?;
        }
        if let Some(field) = self.field() {
            out.serialize_field("field", field)?;
        }
        if let Some(location) = self.location() {
            out.serialize_field("location", location)?;
        }
        if !self.related().is_empty() {
            out.serialize_field("related", self.related())?;
        }
        out.end()
    }
}
