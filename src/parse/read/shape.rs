//! The shapes of values: what a reader wants of a value, and what is said if it gets another.

use super::Reader;
use crate::diagnostic::Code;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

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
