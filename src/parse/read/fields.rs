//! Messages: the fields of a mapping, by the table of its type, with those of the mappings that it merges.

use super::{Reader, Scalar, Shape, Shaped, abridged};
use crate::diagnostic::{Code, nearest};
use crate::parse::message::{Message, field_index};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Reads a whole message; `null` is the message with nothing set.
pub(crate) fn read_message<'de, M: Message, D: Deserializer<'de>>(
    deserializer: D,
    reader: Reader<'_>,
) -> Result<M, D::Error> {
    reader.spend()?;
    let mut message = M::default();
    let mut fields = Fields {
        message: &mut message,
        explicit: 0,
        merged: 0,
        reader,
    };
    deserializer.deserialize_any(Shaped(&mut fields))?;
    check_choices::<M>(fields.explicit | fields.merged, reader);
    Ok(message)
}

fn check_choices<M: Message>(set: u64, reader: Reader<'_>) {
    for choice in M::ONEOFS {
        let names: Vec<_> = choice
            .iter()
            .filter(|name| field_index::<M>(name).is_some_and(|index| set & (1 << index) != 0))
            .map(|name| format!("`{name}`"))
            .collect();
        if names.len() > 1 {
            let message = format!(
                "only one of {} may be set in `{}`",
                names.join(", "),
                M::NAME
            );
            reader.note(Code::ONEOF_CONFLICT, message, None);
        }
    }
}

/// A message being read: which fields the mapping itself has set, and which came from a mapping that it merges.
struct Fields<'a, M> {
    message: &'a mut M,
    explicit: u64,
    merged: u64,
    reader: Reader<'a>,
}

impl<'de, M: Message> Shape<'de> for &mut Fields<'_, M> {
    type Output = ();

    fn expected(&self) -> String {
        format!("a mapping (`{}`)", M::NAME)
    }

    fn reader(&self) -> Reader<'_> {
        self.reader
    }

    fn scalar(self, value: Scalar<'_>) {
        if !matches!(value, Scalar::Null) {
            self.wrong(&value.to_string());
        }
    }

    fn mapping<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        read_fields(self, map, false)
    }
}

fn read_fields<'de, M: Message, A: MapAccess<'de>>(
    fields: &mut Fields<'_, M>,
    mut map: A,
    merging: bool,
) -> Result<(), A::Error> {
    while let Some(key) = map.next_key_seed(FieldName::<M>(PhantomData))? {
        let reader = fields.reader;
        match key {
            Key::Known(index) => {
                let reader = reader.field(M::FIELDS[index].0);
                let bit = 1 << index;
                let taken = if merging {
                    fields.explicit | fields.merged
                } else {
                    fields.explicit
                };
                if taken & bit != 0 {
                    map.next_value::<IgnoredAny>()?;
                    if !merging {
                        note_duplicate(reader);
                    }
                    continue;
                }
                // A null leaves its field unset, so that it conflicts with no other field of a choice.
                let unset = fields.message.read_field(index, &mut map, reader)?;
                let mask = if unset { 0 } else { bit };
                if merging {
                    fields.merged |= mask
                } else {
                    fields.explicit |= mask
                }
            }
            Key::Merge if reader.log.yaml => map.next_value_seed(Merge(fields))?,
            Key::Merge => note_unknown::<M>("<<", reader, map.next_value::<IgnoredAny>()?),
            Key::Unknown(name) => note_unknown::<M>(&name, reader, map.next_value::<IgnoredAny>()?),
        }
    }
    Ok(())
}

pub(super) fn note_duplicate(reader: Reader<'_>) {
    let message = "the field is set twice in one mapping; the first value is used".to_owned();
    reader.note_key(
        Code::DUPLICATE_FIELD,
        message,
        Some("keep one of the two".to_owned()),
    );
}

fn note_unknown<M: Message>(name: &str, reader: Reader<'_>, _value: IgnoredAny) {
    if M::OPEN && M::IGNORED.contains(&name) {
        return;
    }
    let reader = reader.key(name);
    if M::IGNORED.contains(&name) {
        let message = format!("`{name}` of `{}` has no effect on routing", M::NAME);
        return reader.note_key(Code::FIELD_WITHOUT_EFFECT, message, None);
    }
    if let Some((_, meaning)) = M::NOT_EVALUATED.iter().find(|(other, _)| *other == name) {
        let message = format!("`{name}` of `{}` is not evaluated: {meaning}", M::NAME);
        return reader.note_key(Code::FIELD_NOT_EVALUATED, message, None);
    }
    let help = match nearest(name, M::FIELDS.iter().map(|(json, _)| *json)) {
        Some(similar) => Some(format!("did you mean `{similar}`?")),
        None if M::FIELDS.len() <= 8 => {
            let names: Vec<_> = M::FIELDS
                .iter()
                .map(|(json, _)| format!("`{json}`"))
                .collect();
            Some(format!("`{}` has the fields {}", M::NAME, names.join(", ")))
        }
        None => None,
    };
    reader.note_key(
        Code::UNKNOWN_FIELD,
        format!("unknown field `{}` in `{}`", abridged(name), M::NAME),
        help,
    );
}

/// The name of a message's field.
enum Key {
    Known(usize),
    Merge,
    Unknown(String),
}

struct FieldName<M>(PhantomData<M>);

impl<'de, M: Message> DeserializeSeed<'de> for FieldName<M> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<M: Message> Visitor<'_> for FieldName<M> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key that is a string")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
        Ok(match field_index::<M>(name) {
            Some(index) => Key::Known(index),
            None if name == "<<" => Key::Merge,
            None => Key::Unknown(name.to_owned()),
        })
    }
}

/// The value of `<<`: a mapping, or a list of mappings of which an earlier one wins.
struct Merge<'a, 'b, M>(&'a mut Fields<'b, M>);

impl<'de, M: Message> DeserializeSeed<'de> for Merge<'_, '_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.reader.spend()?;
        deserializer.deserialize_any(Shaped(self))
    }
}

impl<'de, M: Message> Shape<'de> for Merge<'_, '_, M> {
    type Output = ();

    fn expected(&self) -> String {
        "a mapping to merge".to_owned()
    }

    fn reader(&self) -> Reader<'_> {
        self.0.reader
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Merge(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn mapping<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        read_fields(self.0, map, true)
    }
}
