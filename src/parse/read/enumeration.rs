//! Enumerations, by name or by number.

use super::{Reader, Scalar, Shape, Shaped};
use crate::diagnostic::{Code, nearest};
use crate::parse::message::Enumeration;
use serde::de::Deserializer;
use std::marker::PhantomData;

/// Reads a value of an enumeration; `null` is its default.
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
