//! A text that resources were read from, and where in it a resource, and a field of it, is written.
//!
//! Typed values carry no places: they hold their document and a field's path. The first question about a document reads its
//! text again into the places of every field, which are kept until another document of the same text is asked about.

use super::field_path::{FieldPath, Segment};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// The places of all fields of one document.
pub(crate) trait FieldPlaces: fmt::Debug + Send + Sync {
    /// Line and column, both counted from 1 within the document, of the field at that path, or of the nearest field above it
    /// that exists: of its key, or of its value.
    fn find(
        &self,
        document: &str,
        path: &mut dyn Iterator<Item = &Segment>,
        of_key: bool,
    ) -> (u32, u32);

    /// The text of a line.
    fn line<'t>(&self, document: &'t str, line: u32) -> Option<&'t str>;
}

/// Reads the places of all fields of a document, as the verb that read it knows how to.
pub(crate) type ReadPlaces = fn(&str) -> Arc<dyn FieldPlaces>;

/// A place in a source text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Location {
    /// The file; none for a text that was handed over without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Arc<str>>,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// The text of that line, if it is at hand and short enough to print.
    #[serde(skip)]
    pub source: Option<String>,
}

impl Location {
    /// A place without a file.
    pub fn new(line: u32, column: u32) -> Self {
        Self {
            file: None,
            line,
            column,
            source: None,
        }
    }

    /// The same place in the file `file`.
    pub fn in_file(mut self, file: impl Into<Arc<str>>) -> Self {
        self.file = Some(file.into());
        self
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}",
            self.file.as_deref().unwrap_or("<input>"),
            self.line,
            self.column
        )
    }
}

/// A text that resources were read from.
pub struct Source {
    file: Option<Arc<str>>,
    text: String,
    read_places: ReadPlaces,
    /// The places of the document that was asked about last, by its first byte.
    places: Mutex<Option<(usize, Arc<dyn FieldPlaces>)>>,
}

impl Source {
    /// The text of `file`.
    pub(crate) fn new(file: Option<Arc<str>>, text: String, read_places: ReadPlaces) -> Self {
        Self {
            file,
            text,
            read_places,
            places: Mutex::new(None),
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

    fn places_of(&self, document: &Range<usize>) -> Arc<dyn FieldPlaces> {
        let mut kept = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((start, places)) = &*kept
            && *start == document.start
        {
            return Arc::clone(places);
        }
        let places = (self.read_places)(self.text.get(document.clone()).unwrap_or_default());
        *kept = Some((document.start, Arc::clone(&places)));
        places
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("file", &self.file)
            .field("bytes", &self.text.len())
            .finish()
    }
}

/// The place of one resource in its source. The default is that of a resource which was never written.
#[derive(Clone, Debug, Default)]
pub struct SourceDocument {
    source: Option<Arc<Source>>,
    document: Range<usize>,
    line: u32,
    within: Option<Arc<FieldPath>>,
}

impl SourceDocument {
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

    /// The first line of the document that says something, counted from 1; `None` for a resource that was never written.
    pub(crate) fn first_line(&self) -> Option<u32> {
        let text = self.source.as_ref()?.text.get(self.document.clone())?;
        let says_nothing = |line: &&str| {
            let line = line.trim();
            line.is_empty() || line == "---" || line.starts_with(['#', '%'])
        };
        let skipped = text.lines().take_while(says_nothing).count();
        Some(self.line.saturating_add(u32::try_from(skipped).ok()?))
    }

    /// How long the document is in bytes; 0 for a resource that was never written.
    pub(crate) fn bytes(&self) -> usize {
        self.document.len()
    }

    /// Whether both are resources of one document, as the items of a list are.
    pub(crate) fn is_of_same_document(&self, other: &Self) -> bool {
        let same_source = match (&self.source, &other.source) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        same_source && self.document == other.document
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
        let places = source.places_of(&self.document);
        let within = self.within.iter().flat_map(|path| path.segments());
        let text = source.text.get(self.document.clone()).unwrap_or_default();
        let (line, column) = places.find(text, &mut within.chain(field.segments()), key);
        let text = places.line(text, line);
        Some(source.location_on(
            self.line.saturating_add(line).saturating_sub(1),
            column,
            text.unwrap_or_default(),
        ))
    }
}

/// Two are equal if they are the same place of the same source.
impl PartialEq for SourceDocument {
    fn eq(&self, other: &Self) -> bool {
        let same_source = match (&self.source, &other.source) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        same_source && self.document == other.document && self.within == other.within
    }
}

impl Eq for SourceDocument {}
