//! The index of a YAML document, from the events of a parser that marks them. The values are read by another; where the two
//! disagree about a text, this one ends, and what stands behind has the place of what stands above it.

use super::index::{Index, Node, Place};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use std::collections::HashMap;

/// The index of the first document in `text`. Of a text with an error in its syntax, the part before the error.
pub(super) fn index(text: &str) -> Index {
    let mut builder = Builder {
        index: Index::new(),
        open: Vec::new(),
        anchors: HashMap::new(),
        has_root: false,
    };
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        if builder.event(event, place(span.start)).is_none() {
            break;
        }
    }
    builder.index.note_lines(text);
    builder.index
}

fn place(at: Marker) -> Place {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Place::LineColumn(number(at.line()), number(at.col()).saturating_add(1))
}

struct Builder {
    index: Index,
    /// The mappings and lists around the next event.
    open: Vec<Open>,
    /// What anchors name, with the text of a scalar: it may be a key.
    anchors: HashMap<usize, (Node, Option<String>)>,
    has_root: bool,
}

/// A mapping or list that has not ended.
enum Open {
    Mapping {
        node: Node,
        next: Next,
    },
    List {
        node: Node,
        length: usize,
        /// The mapping whose `<<` this is.
        merged_into: Option<Node>,
    },
}

/// What comes next in a mapping.
enum Next {
    Key,
    Value(String, Place),
    /// The value of a key that is no text.
    Unnamed,
}

impl Builder {
    /// Takes the next event; `None` if the document ends with it.
    fn event(&mut self, event: Event<'_>, place: Place) -> Option<()> {
        match event {
            Event::StreamEnd | Event::DocumentEnd => return None,
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
            Event::SequenceEnd | Event::MappingEnd => drop(self.open.pop()),
            Event::Alias(anchor) => {
                let (node, text) = self.anchors.get(&anchor).cloned()?;
                self.put(node, text, place);
            }
            Event::Scalar(text, style, anchor, _) => {
                let node = self.add(anchor, Some(&text));
                // A value that is left out has no place of its own.
                if style != ScalarStyle::Plain || !text.is_empty() {
                    self.index.scalar(node, place);
                }
                self.put(node, Some(text.into_owned()), place);
            }
            Event::SequenceStart(anchor, _) => {
                let node = self.add(anchor, None);
                let merged_into = self.put(node, None, place);
                self.open.push(Open::List {
                    node,
                    length: 0,
                    merged_into,
                });
            }
            Event::MappingStart(anchor, _) => {
                let node = self.add(anchor, None);
                self.put(node, None, place);
                let next = Next::Key;
                self.open.push(Open::Mapping { node, next });
            }
        }
        Some(())
    }

    /// A new value, which the anchor names, if there is one.
    fn add(&mut self, anchor: usize, text: Option<&str>) -> Node {
        let node = match std::mem::replace(&mut self.has_root, true) {
            true => self.index.add(),
            false => Index::ROOT,
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (node, text.map(str::to_owned)));
        }
        node
    }

    /// Puts a value where it belongs: it is a key or a field's value in a mapping, or an element of a list. Returns the
    /// mapping into which it is merged.
    fn put(&mut self, node: Node, text: Option<String>, place: Place) -> Option<Node> {
        match self.open.last_mut()? {
            Open::List {
                node: list,
                length,
                merged_into,
            } => {
                self.index.element(*list, *length, node);
                *length += 1;
                if let Some(mapping) = *merged_into {
                    self.index.merge(mapping, node);
                }
                None
            }
            Open::Mapping {
                node: mapping,
                next,
            } => {
                let mapping = *mapping;
                match std::mem::replace(next, Next::Key) {
                    Next::Unnamed => None,
                    Next::Key => {
                        *next = match text {
                            Some(text) => Next::Value(text, place),
                            None => Next::Unnamed,
                        };
                        None
                    }
                    Next::Value(key, place) => {
                        let is_merge = key == "<<";
                        self.index.field(mapping, key, place, node);
                        if !is_merge {
                            return None;
                        }
                        self.index.merge(mapping, node);
                        Some(mapping)
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::field_path::FieldPath;
    use crate::terms::source::FieldPlaces;

    fn find(text: &str, path: impl Into<FieldPath>, key: bool) -> (u32, u32) {
        index(text).find(text, &mut path.into().segments().iter(), key)
    }

    #[test]
    fn every_field_has_its_place() {
        let text = "a:\n  b: x\n  c:\n  - d: 1\n  - 2\n  - [x, {y: z}]\ne: true\n";
        assert_eq!(find(text, "", false), (1, 1));
        assert_eq!(find(text, "a", false), (1, 1));
        assert_eq!(find(text, "a.b", false), (2, 6));
        assert_eq!(find(text, "a.b", true), (2, 3));
        assert_eq!(find(text, "a.c", false), (3, 3));
        assert_eq!(find(text, "a.c[0]", false), (4, 5));
        assert_eq!(find(text, "a.c[0].d", false), (4, 8));
        assert_eq!(find(text, "a.c[1]", false), (5, 5));
        assert_eq!(find(text, "a.c[2][1].y", false), (6, 13));
        assert_eq!(find(text, "a.c[7].d", false), (3, 3));
        assert_eq!(find(text, "e", false), (7, 4));
    }

    #[test]
    fn merged_fields_are_found_where_they_were_written() {
        let text = "base: &b\n  x: 1\n  y: 2\na:\n  <<: *b\n  y: 3\n";
        assert_eq!(find(text, "a.x", false), (2, 6));
        assert_eq!(find(text, "a.y", false), (6, 6));
        assert_eq!(find(text, "a.z", false), (4, 1));
        let two = "b: &b {x: 1}\nc: &c {x: 2, y: 3}\na: {<<: [*b, *c], z: 4}\n";
        assert_eq!(find(two, "a.x", false), (1, 11));
        assert_eq!(find(two, "a.y", true), (2, 14));
        let chain = "b: &b {x: 1}\nc: &c {<<: *b, y: 2}\na: {<<: *c}\n";
        assert_eq!(find(chain, "a.x", false), (1, 11));
    }

    #[test]
    fn aliases_lead_to_their_anchors() {
        let text = "a: &a [x, &s y]\nb: *a\nc: {*s : *s}\n";
        assert_eq!(find(text, "b[1]", false), (1, 11));
        assert_eq!(find(text, "b", false), (2, 1));
        assert_eq!(find(text, "c.y", true), (3, 5));
        assert_eq!(find(text, "c.y", false), (1, 11));
    }

    #[test]
    fn the_first_of_two_keys_counts_and_the_second_is_too_many() {
        let text = "a: {x: 1}\na: {x: 2, y: 3}\n";
        assert_eq!(find(text, "a.x", false), (1, 8));
        assert_eq!(find(text, "a", true), (2, 1));
        assert_eq!(find(text, "a.y", false), (1, 1));
    }

    #[test]
    fn styles_and_line_ends() {
        let text = "a: \"x\\n\ty\"\r\nb: |\r\n  c: 1\r\nd: 'é' # f: 2\r\n? g\r\n: h\r\n? [i, j]\r\n: k\r\nö: {l: , m}\r\nn: !!str o\r\n";
        assert_eq!(find(text, "a", false), (1, 4));
        assert_eq!(find(text, "b", false), (3, 3));
        assert_eq!(find(text, "d", false), (4, 4));
        assert_eq!(find(text, "g", false), (6, 3));
        assert_eq!(find(text, "ö.l", false), (9, 5));
        assert_eq!(find(text, "ö.m", true), (9, 10));
        assert_eq!(find(text, "n", false), (10, 4));
        assert_eq!(find(text, "i", false), (1, 1));
    }

    #[test]
    fn broken_text_has_places_up_to_the_error() {
        let text = "a:\n  b: x\n  c: [1, 2\nd: 3\n";
        assert_eq!(find(text, "a.b", false), (2, 6));
        assert_eq!(find("", "a", false), (1, 1));
    }

    #[test]
    fn depth_and_expansion_cost_no_more_than_the_text() {
        let deep = format!("a: {}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(find(&deep, "a[0][0]", false), (1, 1));
        let mut laughs = "l0: &l0 {x: y}\n".to_owned();
        for level in 1..60 {
            let before = level - 1;
            laughs +=
                &format!("l{level}: &l{level} {{<<: [*l{before}, *l{before}], a: *l{before}}}\n");
        }
        assert_eq!(find(&laughs, "l59.x", false), (1, 13));
        assert_eq!(find(&laughs, "l59.missing", false), (60, 1));
    }
}
