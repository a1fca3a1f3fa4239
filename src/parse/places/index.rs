//! Every field of one document with the place of its key and of its value.
//!
//! A graph rather than a tree: an alias leads to what its anchor names, and a merged mapping is asked behind the own fields.
//! So the index is as large as the text, whatever the aliases would expand to.

use crate::terms::field_path::Segment;
use crate::terms::source::FieldPlaces;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// A place in the document, as its reader tells it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// Line and column, both counted from 1.
    LineColumn(u32, u32),
    /// So many bytes from the beginning.
    Byte(usize),
}

/// A value in an index.
pub(super) type Node = usize;

/// The fields of a document.
#[derive(Debug)]
pub(super) struct Index {
    fields: HashMap<(Node, Segment), Field>,
    values: Vec<Value>,
    line_starts: Vec<usize>,
}

/// A field of a mapping, or an element of a list.
#[derive(Clone, Copy, Debug)]
struct Field {
    node: Node,
    key: Option<Place>,
    /// The last key of that name: the earlier one counts, and this one is too many.
    last_key: Option<Place>,
}

#[derive(Clone, Debug, Default)]
struct Value {
    place: Option<Place>,
    /// A scalar, so that `place` is its own and not that of the first thing inside.
    is_scalar: bool,
    /// The mappings whose fields it has where it has none of that name itself; the earlier counts.
    merged: Vec<Node>,
}

impl Index {
    pub(super) const ROOT: Node = 0;

    /// An index without fields.
    pub(super) fn new() -> Self {
        Self {
            fields: HashMap::new(),
            values: vec![Value::default()],
            line_starts: vec![0],
        }
    }

    /// Notes where the lines of the document begin.
    pub(super) fn note_lines(&mut self, document: &str) {
        let starts = memchr::memchr_iter(b'\n', document.as_bytes()).map(|at| at + 1);
        self.line_starts.extend(starts);
    }

    /// A value of which nothing is known yet.
    pub(super) fn add(&mut self) -> Node {
        self.values.push(Value::default());
        self.values.len() - 1
    }

    /// Gives a mapping a field. If there is one of that name, the earlier one stays.
    pub(super) fn field(&mut self, parent: Node, key: String, place: Place, node: Node) {
        let new = Field {
            node,
            key: Some(place),
            last_key: Some(place),
        };
        let segment = Segment::Field(Cow::Owned(key));
        let field = self.fields.entry((parent, segment)).or_insert(new);
        field.last_key = Some(place);
        // The first thing inside of a mapping or list stands for it where it has no key.
        self.values[parent].place.get_or_insert(place);
    }

    /// Gives a list an element.
    pub(super) fn element(&mut self, parent: Node, index: usize, node: Node) {
        let element = Field {
            node,
            key: None,
            last_key: None,
        };
        self.fields.insert((parent, Segment::Index(index)), element);
    }

    /// Notes where a scalar stands.
    pub(super) fn scalar(&mut self, node: Node, place: Place) {
        self.values[node].place = Some(place);
        self.values[node].is_scalar = true;
    }

    /// Gives a mapping the fields of another.
    #[cfg(feature = "yaml")]
    pub(super) fn merge(&mut self, node: Node, merged: Node) {
        self.values[node].merged.push(merged);
    }

    /// The field of that name, the mapping's own or a merged one.
    fn get(&self, node: Node, segment: &Segment) -> Option<Field> {
        if let Some(field) = self.fields.get(&(node, segment.clone())) {
            return Some(*field);
        }
        let mut seen = HashSet::new();
        let mut left = vec![node];
        while let Some(node) = left.pop() {
            if !seen.insert(node) {
                continue;
            }
            match self.fields.get(&(node, segment.clone())) {
                Some(field) => return Some(*field),
                None => left.extend(self.values[node].merged.iter().rev()),
            }
        }
        None
    }

    fn line_and_column(&self, text: &str, place: Place) -> (u32, u32) {
        let byte = match place {
            Place::LineColumn(line, column) => return (line, column),
            Place::Byte(byte) => byte,
        };
        let line = self.line_starts.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).map_or(0, |line| self.line_starts[line]);
        let before = text.get(start..byte);
        let column = before.map_or(0, |before| before.chars().count()) + 1;
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        (number(line), number(column))
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
        let mut place = self.values[node].place;
        let mut last_key = None;
        for segment in path {
            let Some(field) = self.get(node, segment) else {
                return self.line_and_column(text, place.unwrap_or(Place::LineColumn(1, 1)));
            };
            node = field.node;
            place = field.key.or(self.values[node].place).or(place);
            last_key = field.last_key;
        }
        let value = &self.values[node];
        let place = match of_key {
            true => last_key.or(place),
            false => value.place.filter(|_| value.is_scalar).or(place),
        };
        self.line_and_column(text, place.unwrap_or(Place::LineColumn(1, 1)))
    }

    fn line<'t>(&self, text: &'t str, line: u32) -> Option<&'t str> {
        let at = usize::try_from(line).ok()?.checked_sub(1)?;
        let start = *self.line_starts.get(at)?;
        let rest = text.get(start..)?;
        let end = match self.line_starts.get(at + 1) {
            Some(next) => next - 1 - start,
            None => rest.find('\n').unwrap_or(rest.len()),
        };
        rest.get(..end)
    }
}
