//! Protobuf-JSON through serde: one pass from any deserializer to a typed message.
//!
//! Reading never stops at a value that is wrong: it is noted in the [`Log`] with its path, the field keeps its default, and
//! the rest is read. Only broken syntax and exceeded limits end the reading of a document.
//!
//! The rules are those of Istio's JSON reader on top of Kubernetes' YAML reader: `null` is the default, a field has its JSON
//! name or its protobuf name, a number may be written as text, an enumeration by name or number, `<<` merges mappings.

use super::message::{Enumeration, Message, field_index};
use crate::diagnostic::{At, Code, FieldPath, nearest};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

/// A value of the API that can be read.
pub(crate) trait Read: Default {
    /// Whether a list's null element is an empty message to Istio, and no mistake.
    const NULL_ELEMENT_IS_EMPTY: bool = false;

    /// Reads the value; fails only on broken syntax or an exceeded limit.
    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        reader: Reader<'_>,
    ) -> Result<Self, D::Error>;

    /// Whether this is an optional field without a value.
    fn is_unset(&self) -> bool {
        false
    }
}

/// Something wrong with a value, where it stands, before the place in the text is known.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) path: FieldPath,
    /// Whether it is the key that is wrong, rather than the value.
    pub(crate) about_key: bool,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// What one document's reading has found, and what it may still cost.
#[derive(Debug)]
pub(crate) struct Log {
    problems: RefCell<Vec<Problem>>,
    /// Problems beyond those that are kept.
    pub(crate) omitted: Cell<usize>,
    /// Why reading had to stop, if not for its syntax.
    pub(crate) stopped: Cell<Option<Code>>,
    values: Rc<Cell<usize>>,
    list_length: usize,
    yaml: bool,
}

/// How many problems of one document are reported one by one.
const PROBLEMS_PER_DOCUMENT: usize = 100;

impl Log {
    /// A log for a document that may still have `values` values, and lists of at most `list_length` elements.
    pub(crate) fn new(yaml: bool, values: Rc<Cell<usize>>, list_length: usize) -> Self {
        Self {
            problems: RefCell::default(),
            omitted: Cell::new(0),
            stopped: Cell::new(None),
            values,
            list_length,
            yaml,
        }
    }

    pub(crate) fn has_problems(&self) -> bool {
        !self.problems.borrow().is_empty()
    }

    pub(crate) fn take_problems(&self) -> Vec<Problem> {
        self.problems.take()
    }

    /// The error that ends the reading for another reason than its syntax.
    pub(crate) fn stop<E: Error>(&self, code: Code) -> E {
        self.stopped.set(Some(code));
        E::custom(code.summary())
    }
}

/// Where reading stands, and the log it writes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) at: At<'a>,
    pub(crate) log: &'a Log,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(log: &'a Log) -> Self {
        Self { at: At::ROOT, log }
    }

    pub(crate) fn field<'b>(&'b self, name: &'static str) -> Reader<'b> {
        Reader {
            at: self.at.field(name),
            log: self.log,
        }
    }

    pub(crate) fn key<'b>(&'b self, key: &'b str) -> Reader<'b> {
        Reader {
            at: self.at.key(key),
            log: self.log,
        }
    }

    pub(crate) fn index<'b>(&'b self, index: usize) -> Reader<'b> {
        Reader {
            at: self.at.index(index),
            log: self.log,
        }
    }

    /// Whether the text is YAML.
    pub(crate) fn is_yaml(&self) -> bool {
        self.log.yaml
    }

    pub(crate) fn note(&self, code: Code, message: String, help: Option<String>) {
        self.add(code, message, help, false);
    }

    pub(crate) fn note_key(&self, code: Code, message: String, help: Option<String>) {
        self.add(code, message, help, true);
    }

    fn add(&self, code: Code, message: String, help: Option<String>, about_key: bool) {
        let mut problems = self.log.problems.borrow_mut();
        if problems.len() < PROBLEMS_PER_DOCUMENT {
            problems.push(Problem {
                code,
                path: self.at.to_path(),
                about_key,
                message,
                help,
            });
        } else {
            self.log.omitted.set(self.log.omitted.get() + 1);
        }
    }

    /// Counts one value against the document's budget, which only aliases can exceed.
    pub(crate) fn spend<E: Error>(&self) -> Result<(), E> {
        match self.log.values.get().checked_sub(1) {
            Some(left) => {
                self.log.values.set(left);
                Ok(())
            }
            None => Err(self.log.stop(Code::TOO_MANY_VALUES)),
        }
    }
}

/// The seed that reads a `T` at a reader's place.
pub(crate) struct Slot<'a, T> {
    reader: Reader<'a>,
    value: PhantomData<T>,
}

impl<'a, T> Slot<'a, T> {
    pub(crate) fn new(reader: Reader<'a>) -> Self {
        Self {
            reader,
            value: PhantomData,
        }
    }
}

impl<'de, T: Read> DeserializeSeed<'de> for Slot<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer, self.reader)
    }
}

/// A value that is neither list nor mapping.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(&'a str),
}

impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "the boolean `{value}`"),
            Self::Unsigned(value) => write!(f, "the number `{value}`"),
            Self::Signed(value) => write!(f, "the number `{value}`"),
            Self::Float(value) => write!(f, "the number `{value}`"),
            Self::Text(value) => write!(f, "the text `{}`", abridged(value)),
        }
    }
}

/// The user's text, short enough for a message.
pub(crate) fn abridged(text: &str) -> String {
    const LONGEST: usize = 80;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}...", &line[..cut]),
        None if line.len() < text.trim_end().len() => format!("{line}..."),
        None => line.to_owned(),
    }
}

/// What a reader wants of a value; everything that it does not want is noted as a wrong type.
pub(crate) trait Shape<'de>: Sized {
    type Output: Default;

    /// What is wanted, for messages: `a string`.
    fn expected(&self) -> String;
    fn reader(&self) -> Reader<'_>;

    fn scalar(self, value: Scalar<'_>) -> Self::Output {
        self.wrong(&value.to_string())
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Output, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.wrong("a list"))
    }

    fn mapping<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Output, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.wrong("a mapping"))
    }

    fn wrong(self, found: &str) -> Self::Output {
        let expected = self.expected();
        let help = (expected == "a string" && found.starts_with("the "))
            .then(|| "write the value in quotes to make it a string".to_owned());
        self.reader().note(
            Code::WRONG_TYPE,
            format!("expected {expected}, found {found}"),
            help,
        );
        Self::Output::default()
    }
}

/// The visitor of any shape.
pub(crate) struct Shaped<S>(pub(crate) S);

impl<'de, S: Shape<'de>> Visitor<'de> for Shaped<S> {
    type Value = S::Output;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.expected())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<S::Output, E> {
        Ok(self.0.scalar(Scalar::Bool(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<S::Output, E> {
        Ok(self.0.scalar(Scalar::Unsigned(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<S::Output, E> {
        Ok(self.0.scalar(Scalar::Signed(value)))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<S::Output, E> {
        Ok(self.0.scalar(Scalar::Float(value as f64)))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<S::Output, E> {
        Ok(self.0.scalar(Scalar::Float(value as f64)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<S::Output, E> {
        Ok(self.0.scalar(Scalar::Float(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<S::Output, E> {
        Ok(self.0.scalar(Scalar::Text(value)))
    }

    fn visit_unit<E: Error>(self) -> Result<S::Output, E> {
        Ok(self.0.scalar(Scalar::Null))
    }

    fn visit_none<E: Error>(self) -> Result<S::Output, E> {
        Ok(self.0.scalar(Scalar::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<S::Output, A::Error> {
        self.0.list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<S::Output, A::Error> {
        self.0.mapping(map)
    }
}

// ---- messages -------------------------------------------------------------------------------------------------------------

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

fn note_duplicate(reader: Reader<'_>) {
    let message = "the field is set twice in one mapping; the first value is used".to_owned();
    reader.note_key(
        Code::DUPLICATE_FIELD,
        message,
        Some("keep one of the two".to_owned()),
    );
}

fn note_unknown<M: Message>(name: &str, reader: Reader<'_>, _value: IgnoredAny) {
    if M::OPEN {
        return;
    }
    let reader = reader.key(name);
    if M::IGNORED.contains(&name) {
        let message = format!("`{name}` of `{}` has no effect on routing", M::NAME);
        return reader.note_key(Code::FIELD_WITHOUT_EFFECT, message, None);
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

// ---- lists, maps, options -------------------------------------------------------------------------------------------------

impl<T: Read> Read for Option<T> {
    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        reader: Reader<'_>,
    ) -> Result<Self, D::Error> {
        struct Maybe<'a, T>(Slot<'a, T>);
        impl<'de, T: Read> Visitor<'de> for Maybe<'_, T> {
            type Value = Option<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or null")
            }

            fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Option<T>, D::Error> {
                self.0.deserialize(deserializer).map(Some)
            }
        }
        deserializer.deserialize_option(Maybe(Slot::new(reader)))
    }

    fn is_unset(&self) -> bool {
        self.is_none()
    }
}

impl<T: Read> Read for Box<T> {
    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        reader: Reader<'_>,
    ) -> Result<Self, D::Error> {
        T::read(deserializer, reader).map(Box::new)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        reader: Reader<'_>,
    ) -> Result<Self, D::Error> {
        struct List<'a, T>(Reader<'a>, PhantomData<T>);
        impl<'de, T: Read> Shape<'de> for List<'_, T> {
            type Output = Vec<T>;

            fn expected(&self) -> String {
                "a list".to_owned()
            }

            fn reader(&self) -> Reader<'_> {
                self.0
            }

            fn scalar(self, value: Scalar<'_>) -> Vec<T> {
                if matches!(value, Scalar::Null) {
                    Vec::new()
                } else {
                    self.wrong(&value.to_string())
                }
            }

            fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
                let mut elements = Vec::new();
                loop {
                    let reader = self.0.index(elements.len());
                    let Some(element) = list.next_element_seed(Slot::<Option<T>>::new(reader))?
                    else {
                        return Ok(elements);
                    };
                    if elements.len() >= self.0.log.list_length {
                        return Err(self.0.log.stop(Code::LIST_TOO_LONG));
                    }
                    reader.spend()?;
                    if element.is_none() && !T::NULL_ELEMENT_IS_EMPTY {
                        let help = "remove the element, or give it a value".to_owned();
                        reader.note(
                            Code::NULL_ELEMENT,
                            "a list's element cannot be null".to_owned(),
                            Some(help),
                        );
                    }
                    if elements.len() == elements.capacity() {
                        // Most lists have one element, and messages are large: no room for four of them from the start.
                        elements.reserve_exact(elements.len().max(1));
                    }
                    elements.push(element.unwrap_or_default());
                }
            }
        }
        deserializer.deserialize_any(Shaped(List(reader, PhantomData)))
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        reader: Reader<'_>,
    ) -> Result<Self, D::Error> {
        let mut map = BTreeMap::new();
        let mut merged = Vec::new();
        deserializer.deserialize_any(Shaped(Entries {
            map: &mut map,
            merged: &mut merged,
            reader,
            merging: false,
        }))?;
        for (key, value) in merged {
            map.entry(key).or_insert(value);
        }
        Ok(map)
    }
}

struct Entries<'a, T> {
    map: &'a mut BTreeMap<String, T>,
    merged: &'a mut Vec<(String, T)>,
    reader: Reader<'a>,
    merging: bool,
}

impl<'de, T: Read> DeserializeSeed<'de> for Entries<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.reader.spend()?;
        deserializer.deserialize_any(Shaped(self))
    }
}

impl<'de, T: Read> Shape<'de> for Entries<'_, T> {
    type Output = ();

    fn expected(&self) -> String {
        "a mapping".to_owned()
    }

    fn reader(&self) -> Reader<'_> {
        self.reader
    }

    fn scalar(self, value: Scalar<'_>) {
        if !matches!(value, Scalar::Null) {
            self.wrong(&value.to_string());
        }
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if !self.merging {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            self.wrong("a list");
            return Ok(());
        }
        while list
            .next_element_seed(Entries {
                map: self.map,
                merged: self.merged,
                reader: self.reader,
                merging: true,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn mapping<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.reader.spend()?;
            if key == "<<" && self.reader.log.yaml {
                let reader = self.reader;
                map.next_value_seed(Entries {
                    map: self.map,
                    merged: self.merged,
                    reader,
                    merging: true,
                })?;
                continue;
            }
            let reader = self.reader.key(&key);
            let value = map.next_value_seed(Slot::<T>::new(reader))?;
            if self.merging {
                self.merged.push((key, value));
                continue;
            }
            if self.map.contains_key(&key) {
                note_duplicate(reader);
                continue;
            }
            self.map.insert(key, value);
        }
        Ok(())
    }
}

pub(crate) fn read_enumeration<'de, T: Enumeration, D: Deserializer<'de>>(
    deserializer: D,
    reader: Reader<'_>,
) -> Result<T, D::Error> {
    struct Named<'a, T>(Reader<'a>, PhantomData<T>);
    impl<T: Enumeration> Shape<'_> for Named<'_, T> {
        type Output = T;

        fn expected(&self) -> String {
            format!("a value of `{}`", T::NAME)
        }

        fn reader(&self) -> Reader<'_> {
            self.0
        }

        fn scalar(self, value: Scalar<'_>) -> T {
            let number = match value {
                Scalar::Null => return T::default(),
                Scalar::Unsigned(number) => i32::try_from(number).ok(),
                Scalar::Signed(number) => i32::try_from(number).ok(),
                Scalar::Text(_) => None,
                Scalar::Bool(_) | Scalar::Float(_) => return self.wrong(&value.to_string()),
            };
            let found = T::VALUES
                .iter()
                .find(|(name, value_number, _)| match value {
                    Scalar::Text(text) => text == *name,
                    _ => number == Some(*value_number),
                });
            if let Some((_, _, found)) = found {
                return *found;
            }
            let names = || T::VALUES.iter().map(|(name, _, _)| *name);
            let help = match value {
                Scalar::Text(text) => {
                    nearest(text, names()).map(|name| format!("did you mean `{name}`?"))
                }
                _ => None,
            };
            let list = || {
                names()
                    .map(|name| format!("`{name}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let help = help.unwrap_or_else(|| format!("the values are {}", list()));
            self.0.note(
                Code::UNKNOWN_ENUM_VALUE,
                format!("`{}` has no value for {value}", T::NAME),
                Some(help),
            );
            T::default()
        }
    }
    deserializer.deserialize_any(Shaped(Named(reader, PhantomData)))
}
