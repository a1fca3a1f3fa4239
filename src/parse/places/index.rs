//! Every field of one document with the place of its key and of its value.

use crate::terms::field_path::Segment;
use crate::terms::source::FieldPlaces;
use std::borrow::Cow;
use std::collections::HashMap;

/// A place in the document, as its reader tells it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// Line and column, both counted from 1.
    LineColumn(u32, u32),
    /// So many bytes from the beginning.
    Byte(usize),
}

/// A field in an index.
pub(super) type Node = usize;

/// The fields of a document as a tree.
#[derive(Debug)]
pub(super) struct Index {
    children: HashMap<(Node, Segment), Node>,
    entries: Vec<Entry>,
    line_starts: Vec<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    key: Option<Place>,
    value: Option<Place>,
    /// A scalar, so that `value` is its own place and not that of the first thing inside.
    scalar: bool,
}

impl Index {
    pub(super) const ROOT: Node = 0;

    /// An index without fields.
    pub(super) fn new() -> Self {
        Self {
            children: HashMap::new(),
            entries: vec![Entry::default()],
            line_starts: vec![0],
        }
    }

    /// Notes where the lines of the document begin.
    pub(super) fn note_lines(&mut self, document: &str) {
        let starts = memchr::memchr_iter(b'\n', document.as_bytes()).map(|at| at + 1);
        self.line_starts.extend(starts);
    }

    /// Adds a field; `None` if it comes by a merge and is already there.
    pub(super) fn field(
        &mut self,
        parent: Node,
        key: String,
        place: Option<Place>,
        merged: bool,
    ) -> Option<Node> {
        let node = self.child(parent, Segment::Field(Cow::Owned(key)), merged)?;
        self.entries[node].key = place;
        if let Some(place) = place {
            self.note_first(parent, place);
        }
        Some(node)
    }

    /// Adds an element of a list.
    pub(super) fn element(&mut self, parent: Node, index: usize) -> Node {
        self.child(parent, Segment::Index(index), false)
            .unwrap_or(parent)
    }

    /// Notes where a scalar stands.
    pub(super) fn value(&mut self, node: Node, place: Place) {
        self.entries[node].value = Some(place);
        self.entries[node].scalar = true;
    }

    /// The first thing inside of a mapping or list stands for it where it has no key.
    fn note_first(&mut self, node: Node, place: Place) {
        self.entries[node].value.get_or_insert(place);
    }

    fn child(&mut self, parent: Node, segment: Segment, merged: bool) -> Option<Node> {
        match self.children.get(&(parent, segment.clone())) {
            Some(_) if merged => None,
            Some(&node) => {
                self.entries[node] = Entry::default();
                Some(node)
            }
            None => {
                self.entries.push(Entry::default());
                let node = self.entries.len() - 1;
                self.children.insert((parent, segment), node);
                Some(node)
            }
        }
    }

    fn line_and_column(&self, text: &str, place: Place) -> (u32, u32) {
        let byte = match place {
            Place::LineColumn(line, column) => return (line, column),
            Place::Byte(byte) => byte,
        };
        let line = self.line_starts.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).map_or(0, |line| self.line_starts[line]);
        let column = text
            .get(start..byte)
            .map_or(0, |before| before.chars().count())
            + 1;
        (
            u32::try_from(line).unwrap_or(u32::MAX),
            u32::try_from(column).unwrap_or(u32::MAX),
        )
    }
}

impl FieldPlaces for Index {
    fn find(
        &self,
        text: &str,
        path: &mut dyn Iterator<Item = &Segment>,
        of_key: bool,
    ) -> (u32, u32) {
        let mut node = Self::ROOT;
        let mut best = self.entries[node].value.unwrap_or(Place::LineColumn(1, 1));
        let mut missing = false;
        for segment in path {
            let Some(&child) = self.children.get(&(node, segment.clone())) else {
                missing = true;
                break;
            };
            node = child;
            let entry = self.entries[node];
            best = entry.key.or(entry.value).unwrap_or(best);
        }
        let entry = self.entries[node];
        let place = match entry.value {
            Some(value) if entry.scalar && !missing && !of_key => value,
            _ => best,
        };
        self.line_and_column(text, place)
    }

    fn line<'t>(&self, text: &'t str, line: u32) -> Option<&'t str> {
        let at = usize::try_from(line).ok()?.checked_sub(1)?;
        let start = *self.line_starts.get(at)?;
        let end = self.line_starts.get(at + 1).map(|next| next - 1);
        let rest = text.get(start..)?;
        let end = end.map_or_else(|| rest.find('\n').unwrap_or(rest.len()), |end| end - start);
        rest.get(..end)
    }
}
