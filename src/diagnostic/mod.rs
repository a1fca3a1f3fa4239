//! What the crate has to say about a configuration: a [`Report`] of [`Diagnostic`]s, each with a severity, a stable
//! [`Code`], the place in the source, the resource, the field, a message and a help text.

mod code;
mod report;
mod similar;

pub use crate::terms::field_path::{At, FieldPath, Segment};
pub use crate::terms::source::Location;
pub use code::Code;
pub use report::Report;
pub use similar::nearest;

use std::borrow::Cow;
use std::fmt;

use crate::terms::short::limited;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// The resource (or a part of it) cannot be used; strict entrances fail.
    Error,
    /// It can be used, but hardly means what its author meant.
    Warning,
    /// Worth knowing; nothing to do.
    Note,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which resource is meant: `VirtualService default/reviews`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[non_exhaustive]
pub struct ResourceRef {
    /// The kind as written in YAML.
    pub kind: Cow<'static, str>,
    /// The namespace; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name.
    pub name: String,
}

short_debug! { ResourceRef {kind, namespace, name} }

impl ResourceRef {
    /// A reference from its parts.
    pub fn new(
        kind: impl Into<Cow<'static, str>>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ResourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() {
            "<no name>"
        } else {
            &self.name
        };
        match self.namespace.as_str() {
            "" => write!(f, "{} {name}", self.kind),
            namespace => write!(f, "{} {namespace}/{name}", self.kind),
        }
    }
}

/// Another resource that has to do with the problem, and how.
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[non_exhaustive]
pub struct Related {
    /// The other resource.
    pub resource: ResourceRef,
    /// What it has to do with it.
    pub message: String,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

short_debug! { Related {resource, message, location} }

/// One thing to say about the configuration.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    severity: Severity,
    code: Code,
    message: String,
    help: Option<String>,
    resource: Option<ResourceRef>,
    field: Option<FieldPath>,
    location: Option<Location>,
    related: Vec<Related>,
}

/// A diagnostic is read, also where a test or `main` fails with it.
impl fmt::Debug for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        limited(f, |f| fmt::Display::fmt(self, f))
    }
}

impl Diagnostic {
    /// A diagnostic with its code's own severity. The message is lowercase, has no full stop, and puts the user's text in
    /// backticks.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: code.severity(),
            code,
            message: message.into(),
            help: None,
            resource: None,
            field: None,
            location: None,
            related: Vec::new(),
        }
    }

    /// The same with another severity.
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Adds what to do about it.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the resource that it is about.
    pub fn with_resource(mut self, resource: ResourceRef) -> Self {
        self.resource = Some(resource);
        self
    }

    /// Adds the field that it is about.
    pub fn with_field(mut self, field: impl Into<FieldPath>) -> Self {
        let field = field.into();
        self.field = (!field.is_empty()).then_some(field);
        self
    }

    /// Adds the place in the source.
    pub fn with_location(mut self, location: impl Into<Option<Location>>) -> Self {
        self.location = location.into();
        self
    }

    /// Names another resource that has to do with it.
    pub fn with_related(
        mut self,
        resource: ResourceRef,
        message: impl Into<String>,
        location: impl Into<Option<Location>>,
    ) -> Self {
        self.related.push(Related {
            resource,
            message: message.into(),
            location: location.into(),
        });
        self
    }

    /// The same with a place for itself and its related resources, wherever there is none and `find` knows one.
    fn located(mut self, find: impl Fn(&ResourceRef, &FieldPath) -> Option<Location>) -> Self {
        let root = FieldPath::root();
        if let (None, Some(resource)) = (&self.location, &self.resource) {
            self.location = find(resource, self.field.as_ref().unwrap_or(&root));
        }
        for related in &mut self.related {
            if related.location.is_none() {
                related.location = find(&related.resource, &root);
            }
        }
        self
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The resource.
    pub fn resource(&self) -> Option<&ResourceRef> {
        self.resource.as_ref()
    }

    /// The field within the resource.
    pub fn field(&self) -> Option<&FieldPath> {
        self.field.as_ref()
    }

    /// The place in the source.
    pub fn location(&self) -> Option<&Location> {
        self.location.as_ref()
    }

    /// Other resources that have to do with it.
    pub fn related(&self) -> &[Related] {
        &self.related
    }

    /// Whether this is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
