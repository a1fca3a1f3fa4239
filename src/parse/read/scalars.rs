//! The scalars of protobuf-JSON: strings, booleans, numbers, durations, bytes.

use super::{Read, Reader, Scalar, Shape, Shaped, abridged};
use crate::diagnostic::Code;
use crate::resource::{Bytes, EncodedValue, IntOrString, PlainValue, ValueKind};
use crate::terms::base64;
use crate::terms::duration::ProtoDuration;
use serde::de::Deserializer;

/// Declares how a type comes from a scalar: what is expected, and the function from a scalar that is not null.
macro_rules! from_scalar {
    ($($type:ty: $expected:literal = $read:expr;)*) => {
        $(
            impl Read for $type {
                fn read<'de, D: Deserializer<'de>>(deserializer: D, reader: Reader<'_>) -> Result<Self, D::Error> {
                    struct Wanted<'a>(Reader<'a>);
                    impl Shape<'_> for Wanted<'_> {
                        type Output = $type;

                        fn expected(&self) -> String {
                            $expected.to_owned()
                        }

                        fn reader(&self) -> Reader<'_> {
                            self.0
                        }

                        fn scalar(self, value: Scalar<'_>) -> $type {
                            if let Scalar::Null = value {
                                return <$type>::default();
                            }
                            let read: fn(Scalar<'_>, Reader<'_>) -> Option<$type> = $read;
                            read(value, self.0).unwrap_or_else(|| self.wrong(&value.to_string()))
                        }
                    }
                    deserializer.deserialize_any(Shaped(Wanted(reader)))
                }
            }
        )*
    };
}

from_scalar! {
    String: "a string" = |value, _| match value {
        Scalar::Text(text) => Some(text.to_owned()),
        _ => None,
    };
    bool: "a boolean" = |value, reader| match value {
        Scalar::Bool(value) => Some(value),
        // YAML 1.1, as Kubernetes reads it.
        Scalar::Text("yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y") if reader.is_yaml() => Some(true),
        Scalar::Text("no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N") if reader.is_yaml() => Some(false),
        _ => None,
    };
    u32: "a number" = |value, reader| number(value, reader, 0, u32::MAX.into()).map(|n| u32::try_from(n).unwrap_or(0));
    i32: "a number" = |value, reader| {
        number(value, reader, i32::MIN.into(), i32::MAX.into()).map(|n| i32::try_from(n).unwrap_or(0))
    };
    u64: "a number" = |value, reader| number(value, reader, 0, u64::MAX.into()).map(|n| u64::try_from(n).unwrap_or(0));
    f64: "a number" = |value, _| match value {
        Scalar::Unsigned(value) => Some(value as f64),
        Scalar::Signed(value) => Some(value as f64),
        Scalar::Float(value) => Some(value),
        Scalar::Text(text) => text.parse().ok(),
        Scalar::Null | Scalar::Bool(_) => None,
    };
    ProtoDuration: "a duration" = |value, reader| match value {
        Scalar::Text(text) => Some(ProtoDuration::parse(text).unwrap_or_else(|error| {
            let message = format!("`{}` is not a duration", abridged(text));
            reader.note(Code::INVALID_DURATION, message, Some(error.to_string()));
            ProtoDuration::ZERO
        })),
        Scalar::Unsigned(number) => {
            let message = "expected a duration, found a number without a unit".to_owned();
            reader.note(Code::INVALID_DURATION, message, Some(format!("write `{number}s` for seconds")));
            Some(ProtoDuration::ZERO)
        }
        _ => None,
    };
    Bytes: "base64 text" = |value, reader| match value {
        Scalar::Text(text) => Some(Bytes(base64::decode(text).unwrap_or_else(|| {
            reader.note(Code::INVALID_BASE64, format!("`{}` is not base64", abridged(text)), None);
            Vec::new()
        }))),
        _ => None,
    };
    EncodedValue: "base64 text" = |value, reader| match value {
        // What it holds is nobody's business, not even where it is broken.
        Scalar::Text(text) => Some(EncodedValue(base64::decode(text).map_or_else(|| {
            reader.note(Code::INVALID_BASE64, "the value is not base64".to_owned(), None);
            ValueKind::Other
        }, |bytes| ValueKind::of(&bytes)))),
        _ => None,
    };
    PlainValue: "a string" = |value, _| match value {
        Scalar::Text(text) => Some(PlainValue(ValueKind::of(text.as_bytes()))),
        _ => None,
    };
    IntOrString: "a number or a string" = |value, reader| match value {
        Scalar::Text(text) => Some(IntOrString::String(text.to_owned())),
        _ => number(value, reader, i32::MIN.into(), i32::MAX.into())
            .map(|n| IntOrString::Int(i32::try_from(n).unwrap_or(0))),
    };
}

/// A whole number between two bounds, as number or as text; the least bound's nearest if it is out of them.
fn number(value: Scalar<'_>, reader: Reader<'_>, least: i128, most: i128) -> Option<i128> {
    let number = match value {
        Scalar::Unsigned(value) => i128::from(value),
        Scalar::Signed(value) => i128::from(value),
        Scalar::Text(text) => text.parse().ok()?,
        Scalar::Float(value) if value.fract() == 0.0 && value.abs() < 1e30 => value as i128,
        Scalar::Float(value) => {
            let message = format!("expected a whole number, found `{value}`");
            reader.note(Code::INVALID_NUMBER, message, None);
            return Some(0);
        }
        Scalar::Null | Scalar::Bool(_) => return None,
    };
    if (least..=most).contains(&number) {
        return Some(number);
    }
    let message = format!("`{number}` is not between {least} and {most}");
    reader.note(Code::INVALID_NUMBER, message, None);
    Some(0)
}
