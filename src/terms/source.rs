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
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[non_exhaustive]
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

short_debug! { Location {file, line, column, source} }

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

    /// The place with that line of a document and that column (both counted from 1). The document begins with the byte
    /// `start` on the line `first_line`; `shown` is the line's text.
    fn location(
        &self,
        start: usize,
        first_line: u32,
        (line, column): (u32, u32),
        shown: &str,
    ) -> Location {
        /// Longer lines (minified JSON) are not shown.
        const LONGEST_LINE: usize = 160;
        // A document may begin behind another on its line.
        let (before, shown) = match line {
            0 | 1 => self.line_around(start),
            _ => ("", shown),
        };
        let before = u32::try_from(before.chars().count()).unwrap_or(u32::MAX);
        let shown = shown.trim_end();
        let is_shown = shown.len() <= LONGEST_LINE && !shown.is_empty();
        Location {
            file: self.file.clone(),
            line: first_line.saturating_add(line).saturating_sub(1),
            column: column.saturating_add(before),
            source: is_shown.then(|| shown.to_owned()),
        }
    }

    /// What stands before a byte on its line, and the whole line.
    fn line_around(&self, at: usize) -> (&str, &str) {
        let before = self.text.get(..at).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[start..].split('\n').next();
        (&before[start..], line.unwrap_or_default())
    }

    fn places_of(&self, document: &Range<usize>) -> Arc<dyn FieldPlaces> {
        let mut kept = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((start, places)) = &*kept
            && *start == document.start
        {
            return Arc::clone(places);
        }
        let text = self.text.get(document.clone()).unwrap_or_default();
        let places = (self.read_places)(text);
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

/// Line and column, counted from 1, of what would come behind a text.
fn last_place(text: &str) -> (usize, usize) {
    /// What YAML takes for the end of a line; a carriage return and a line feed are one.
    const ENDS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    let ends = text.matches(ENDS).count() - text.matches("\r\n").count();
    let last = text.rsplit(ENDS).next().unwrap_or_default();
    (ends + 1, last.chars().count() + 1)
}

/// The place of one resource in its source. The default is that of a resource which was never written.
#[derive(Clone, Default)]
pub struct SourceDocument {
    source: Option<Arc<Source>>,
    document: Range<usize>,
    line: u32,
    within: Option<Arc<FieldPath>>,
}

short_debug! { SourceDocument {source, document, line, within} }

impl SourceDocument {
    /// The place that a reader tells: the line and the column within the document, both counted from 1. What lies behind the
    /// document's last line, as readers have it that end every text with a line feed, is the end of that line.
    pub(crate) fn location(&self, line: usize, column: usize) -> Option<Location> {
        let source = self.source.as_ref()?;
        let shown_at = |line: usize| self.text().split('\n').nth(line.saturating_sub(1));
        let (mut line, mut column, mut shown) = (line, column, shown_at(line));
        if shown.is_none() {
            let (last, end) = last_place(self.text());
            if line > last {
                (line, column, shown) = (last, end, shown_at(last));
            }
        }
        let number = |count: usize| u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let at = (number(line), number(column));
        Some(source.location(
            self.document.start,
            self.line,
            at,
            shown.unwrap_or_default(),
        ))
    }

    /// The bytes `document` of `source`, which begin on `line` (counted from 1).
    pub(crate) fn new(source: &Arc<Source>, document: Range<usize>, line: u32) -> Self {
        Self {
            source: Some(Arc::clone(source)),
            document,
            line,
            within: None,
        }
    }

    /// The same document, of which the resource at the path `within` is meant (`items[3]` of a list).
    pub(crate) fn element(&self, within: FieldPath) -> Self {
        Self {
            within: Some(Arc::new(within)),
            ..self.clone()
        }
    }

    /// The same place, with which every field of the resource is found.
    #[cfg(feature = "yaml")]
    pub(crate) fn without_fields(&self) -> Self {
        Self {
            document: self.document.start..self.document.start,
            ..self.clone()
        }
    }

    /// The path of the resource within the document.
    pub(crate) fn within(&self) -> FieldPath {
        self.within.as_deref().cloned().unwrap_or_default()
    }

    /// The text of the document.
    pub(crate) fn text(&self) -> &str {
        let text = self.source.as_ref().map_or("", |source| &source.text);
        text.get(self.document.clone()).unwrap_or_default()
    }

    /// The line on which the document begins.
    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    /// The file, if it has a name.
    pub fn file(&self) -> Option<&Arc<str>> {
        self.source.as_ref()?.file.as_ref()
    }

    /// The first line of the document that says something, counted from 1; `None` for a resource that was never written.
    pub(crate) fn first_line(&self) -> Option<u32> {
        let text = self.source.as_ref()?.text.get(self.document.clone())?;
        let skipped = lines_that_say_nothing(text);
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
        let text = self.text();
        let (line, column) = places.find(text, &mut within.chain(field.segments()), key);
        let shown = places.line(text, line).unwrap_or_default();
        Some(source.location(self.document.start, self.line, (line, column), shown))
    }
}

/// How many lines at the beginning are blank, comments, directives or `---`. Looks no further than these: all items of a list
/// ask, and their text may be one long line.
fn lines_that_say_nothing(text: &str) -> usize {
    let mut rest = text;
    let mut count = 0;
    while !rest.is_empty() {
        let is_blank = |c: char| c != '\n' && c.is_whitespace();
        let line = rest.trim_start_matches(is_blank);
        let marker = line
            .strip_prefix("---")
            .map(|after| after.trim_start_matches(is_blank));
        let says_nothing = |line: &str| line.is_empty() || line.starts_with('\n');
        if !says_nothing(line) && !line.starts_with(['#', '%']) && !marker.is_some_and(says_nothing)
        {
            break;
        }
        count += 1;
        rest = line.split_once('\n').map_or("", |(_, after)| after);
    }
    count
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

#[cfg(test)]
mod first_lines {
    use super::lines_that_say_nothing;

    #[test]
    fn what_says_nothing_is_skipped_line_by_line() {
        for (text, skipped) in [
            ("", 0),
            ("kind: X\n", 0),
            ("{}", 0),
            ("\n\n  \nkind: X", 3),
            ("---\nkind: X", 1),
            ("---  \r\n# a\n%YAML 1.2\n\tkind: X", 3),
            ("--- {kind: X}\n", 0),
            ("---x\n", 0),
            ("# only\n  ", 2),
            ("  kind: X\n#", 0),
        ] {
            assert_eq!(lines_that_say_nothing(text), skipped, "{text:?}");
        }
    }
}
