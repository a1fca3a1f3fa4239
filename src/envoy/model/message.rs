//! What all messages have in common: fields in camelCase, left out where they say nothing, as protobuf's JSON has them.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Declares messages: structs of public fields, all of which may be absent.
macro_rules! messages {
    ($($(#[$about:meta])* $name:ident { $($(#[$said:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$said])* #[serde(skip_serializing_if = "crate::envoy::model::message::is_unset")] pub $field: $type,)*
        }
    )*};
}
pub(crate) use messages;

/// Whether a field says nothing.
pub(crate) fn is_unset<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A message without fields: that it is there says it all.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// A message of any type, which its `@type` names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
#[allow(clippy::exhaustive_structs)] // all that there is
pub struct Any(pub Value);

impl Any {
    /// A message of the type that this URL ends with.
    pub(crate) fn of(type_name: &str, message: &impl Serialize) -> Self {
        // Messages are maps with text keys: there is nothing about them that JSON cannot say.
        let mut value = serde_json::to_value(message).unwrap_or_default();
        if let Value::Object(fields) = &mut value {
            let url = format!("type.googleapis.com/{type_name}");
            fields.insert("@type".to_owned(), url.into());
        }
        Any(value)
    }

    /// The name of its type, without what stands before the last slash; empty: it has none.
    pub fn type_name(&self) -> &str {
        let url = self.0["@type"].as_str().unwrap_or_default();
        url.rsplit_once('/').map_or(url, |(_, name)| name)
    }
}

/// A length of time, as protobuf's JSON writes it: `1.500s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::exhaustive_structs)] // all that there is
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        if nanos == 0 {
            write!(f, "{seconds}s")
        } else if nanos % 1_000_000 == 0 {
            write!(f, "{seconds}.{:03}s", nanos / 1_000_000)
        } else if nanos % 1_000 == 0 {
            write!(f, "{seconds}.{:06}s", nanos / 1_000)
        } else {
            write!(f, "{seconds}.{nanos:09}s")
        }
    }
}

impl Span {
    /// Of a text such as `1.5s`; negative lengths are none.
    fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('s')?;
        let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if seconds.is_empty() || fraction.len() > 9 || !is_number(seconds) || !is_number(fraction) {
            return None;
        }
        let nanos = format!("{fraction:0<9}").parse().ok()?;
        Some(Span(Duration::new(seconds.parse().ok()?, nanos)))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as `1.5s`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                let wrong = || E::custom(format_args!("`{text}` is not a duration such as `1.5s`"));
                Span::parse(text).ok_or_else(wrong)
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

/// A 64-bit number, which protobuf's JSON writes as a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)] // all that there is
pub struct Int64(pub i64);

impl Serialize for Int64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Int64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written<'t> {
            Number(i64),
            Text(std::borrow::Cow<'t, str>),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Int64(number)),
            Written::Text(text) => text.parse().map(Int64).map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_with_no_three_six_or_nine_places() {
        for text in ["0s", "3s", "1.500s", "0.000250s", "0.000000001s"] {
            assert_eq!(Span::parse(text).expect("a duration").to_string(), text);
        }
        let half = Span::parse("0.5s").expect("a duration");
        assert_eq!(half.to_string(), "0.500s");
        for text in [
            "",
            "s",
            "1",
            "-1s",
            "1.s5",
            "1.0000000001s",
            "99999999999999999999s",
        ] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_of_64_bits_are_texts() {
        let read: Vec<Int64> = serde_json::from_str(r#"["5", 5]"#).expect("numbers");
        assert_eq!(read, [Int64(5), Int64(5)]);
        assert_eq!(serde_json::to_string(&Int64(5)).expect("JSON"), r#""5""#);
    }
}
