//! The index of a YAML document.
//!
//! The YAML reader tells places only in its errors. So this reads the document with visitors that refuse every scalar and
//! every key: the reader has then consumed the scalar and tells its place, and reading goes on behind it.

use super::index::{Index, Node, Place};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::cell::{Cell, RefCell};
use std::fmt;

/// The index of the first document in `text`. Of a text with an error in its syntax, the part before the error.
pub(super) fn index(text: &str) -> Index {
    let walk = Walk {
        index: RefCell::new(Index::new()),
        left: Cell::new(text.len().saturating_add(1_000_000)),
    };
    if let Some(document) = serde_yaml::Deserializer::from_str(text).next() {
        // An error ends the walk; what it has found until then is what there is.
        let _ = At {
            walk: &walk,
            node: Index::ROOT,
            merged: false,
        }
        .deserialize(document);
    }
    let mut index = walk.index.into_inner();
    index.note_lines(text);
    index
}

struct Walk {
    index: RefCell<Index>,
    /// How many more values are walked through, which only aliases can exhaust.
    left: Cell<usize>,
}

/// The message of a visitor that refuses a scalar to learn its place.
const REFUSED: &str = "refused to learn its place";

/// The place in the text of an error that [`REFUSED`] has made; `None` for every other error.
fn refused_at(error: &impl fmt::Display) -> Option<Place> {
    let text = error.to_string();
    let (_, place) = text.rsplit_once(REFUSED)?;
    let Some(place) = place.strip_prefix(" at line ") else {
        // The reader does not spell out the very first place.
        return Some(Place::LineColumn(1, 1));
    };
    let (line, column) = place.split_once(" column ")?;
    Some(Place::LineColumn(line.parse().ok()?, column.parse().ok()?))
}

/// Walks through the value of `node`.
#[derive(Clone, Copy)]
struct At<'w> {
    walk: &'w Walk,
    node: Node,
    /// Whether the value's fields are merged into those that are already there.
    merged: bool,
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Some(left) = self.walk.left.get().checked_sub(1) else {
            return Err(D::Error::custom("too many values"));
        };
        self.walk.left.set(left);
        let Err(error) = deserializer.deserialize_any(self) else {
            return Ok(());
        };
        let place = refused_at(&error).ok_or(error)?;
        self.walk.index.borrow_mut().value(self.node, place);
        Ok(())
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Err(E::custom(REFUSED))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Err(E::custom(REFUSED))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Err(E::custom(REFUSED))
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<(), E> {
        Err(E::custom(REFUSED))
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<(), E> {
        Err(E::custom(REFUSED))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Err(E::custom(REFUSED))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Err(E::custom(REFUSED))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Err(E::custom(REFUSED))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        for index in 0.. {
            let element = match self.merged {
                true => self,
                false => At {
                    node: self.walk.index.borrow_mut().element(self.node, index),
                    ..self
                },
            };
            if list.next_element_seed(element)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, place)) = map.next_key_seed(Key)? {
            if key == "<<" {
                map.next_value_seed(At {
                    merged: true,
                    ..self
                })?;
                continue;
            }
            let node = self
                .walk
                .index
                .borrow_mut()
                .field(self.node, key, place, self.merged);
            match node {
                Some(node) => map.next_value_seed(At {
                    node,
                    merged: false,
                    ..self
                })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A key and its place.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = (String, Option<Place>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut key = String::new();
        match deserializer.deserialize_str(Keep(&mut key)) {
            Ok(()) => Ok((key, None)),
            Err(error) => {
                let place = refused_at(&error).ok_or(error)?;
                Ok((key, Some(place)))
            }
        }
    }
}

struct Keep<'k>(&'k mut String);

impl Visitor<'_> for Keep<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        key.clone_into(self.0);
        Err(E::custom(REFUSED))
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
    }

    #[test]
    fn broken_text_has_places_up_to_the_error() {
        let text = "a:\n  b: x\n  c: [1, 2\nd: 3\n";
        assert_eq!(find(text, "a.b", false), (2, 6));
        assert_eq!(find("", "a", false), (1, 1));
    }
}
