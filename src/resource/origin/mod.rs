//! Where a resource was written, and where within it a field is: found only when a diagnostic asks.
//!
//! Typed values carry no places. The first question about a document reads its text again into an [`Index`] of every field,
//! which is kept until another document of the same source is asked about.

mod index;
mod json;
#[cfg(feature = "yaml")]
mod yaml;

use crate::diagnostic::{FieldPath, Location};
use index::Index;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

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
pub struct Source {
    file: Option<Arc<str>>,
    text: String,
    format: Format,
    /// The index of the document that was asked about last, by its first byte.
    index: Mutex<Option<(usize, Arc<Index>)>>,
}

impl Source {
    /// The text of `file`.
    pub fn new(file: Option<Arc<str>>, text: String, format: Format) -> Self {
        Self {
            file,
            text,
            format,
            index: Mutex::new(None),
        }
    }

    /// The file, if it has a name.
    pub fn file(&self) -> Option<&Arc<str>> {
        self.file.as_ref()
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How it is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The place with that line of a document and that column (both counted from 1), with the text of the line. The document
    /// begins with the byte `start` on the line `first_line`.
    pub(crate) fn location(
        &self,
        start: usize,
        first_line: u32,
        line: u32,
        column: u32,
    ) -> Location {
        let nth = usize::try_from(line).unwrap_or(1).saturating_sub(1);
        let document = self.text.get(start..).unwrap_or_default();
        let shown = if nth == 0 {
            self.whole_line(start)
        } else {
            document.split('\n').nth(nth).unwrap_or_default()
        };
        self.location_on(
            first_line.saturating_add(line).saturating_sub(1),
            column,
            shown,
        )
    }

    /// The line around a byte.
    fn whole_line(&self, at: usize) -> &str {
        let start = self
            .text
            .get(..at)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |end| end + 1);
        self.text[start..].split('\n').next().unwrap_or_default()
    }

    fn location_on(&self, line: u32, column: u32, text: &str) -> Location {
        /// Longer lines (minified JSON) are not shown.
        const LONGEST_LINE: usize = 160;
        let text = text.trim_end();
        let shown = text.len() <= LONGEST_LINE && !text.is_empty();
        Location {
            file: self.file.clone(),
            line,
            column,
            source: shown.then(|| text.to_owned()),
        }
    }

    fn index_of(&self, document: &Range<usize>) -> Arc<Index> {
        let mut kept = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((start, index)) = &*kept
            && *start == document.start
        {
            return Arc::clone(index);
        }
        let text = self.text.get(document.clone()).unwrap_or_default();
        let index = Arc::new(match self.format {
            Format::Json => json::index(text),
            #[cfg(feature = "yaml")]
            Format::Yaml => yaml::index(text),
            #[cfg(not(feature = "yaml"))]
            Format::Yaml => Index::new(),
        });
        *kept = Some((document.start, Arc::clone(&index)));
        index
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("file", &self.file)
            .field("format", &self.format)
            .field("bytes", &self.text.len())
            .finish()
    }
}

/// The place of one resource in its source. The default is that of a resource which was never written.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    source: Option<Arc<Source>>,
    document: Range<usize>,
    line: u32,
    within: Option<Arc<FieldPath>>,
}

impl Origin {
    /// The place of a resource in the bytes `document` of `source`, which begin on `line` (counted from 1), at the path
    /// `within` the document (`items[3]` of a list).
    pub(crate) fn new(
        source: Arc<Source>,
        document: Range<usize>,
        line: u32,
        within: Option<Arc<FieldPath>>,
    ) -> Self {
        Self {
            source: Some(source),
            document,
            line,
            within,
        }
    }

    /// The file, if it has a name.
    pub fn file(&self) -> Option<&Arc<str>> {
        self.source.as_ref()?.file.as_ref()
    }

    /// Where the value of a field is written (a list's or a mapping's key, if it has one), or else the nearest field above it
    /// that is; `None` for a resource that was never written.
    pub fn locate(&self, field: &FieldPath) -> Option<Location> {
        self.find(field, false)
    }

    /// Where the key of a field is written.
    pub fn locate_key(&self, field: &FieldPath) -> Option<Location> {
        self.find(field, true)
    }

    fn find(&self, field: &FieldPath, key: bool) -> Option<Location> {
        let source = self.source.as_ref()?;
        let index = source.index_of(&self.document);
        let within = self.within.iter().flat_map(|path| path.segments());
        let text = source.text.get(self.document.clone()).unwrap_or_default();
        let (line, column) = index.find(text, within.chain(field.segments()), key);
        let text = index.line(text, line);
        Some(source.location_on(
            self.line.saturating_add(line).saturating_sub(1),
            column,
            text.unwrap_or_default(),
        ))
    }
}

/// Two origins are equal if they are the same place of the same source.
impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        let same_source = match (&self.source, &other.source) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        same_source && self.document == other.document && self.within == other.within
    }
}

impl Eq for Origin {}
