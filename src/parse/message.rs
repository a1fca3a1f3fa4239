//! How a message of the API is declared: a table of its fields, from which come the struct and its reader.
//!
//! `message!` lists each field once (JSON name, Rust name, type). `enumeration!` lists each value once (name, number).
//! The first value of an enumeration is its default, as in protobuf.

use super::read::{Read, Reader};
use serde::de::MapAccess;

/// A message of the API: its field table and how one field is read.
pub(crate) trait Message: Default {
    /// The name in Istio's reference.
    const NAME: &'static str;
    /// The JSON name and the protobuf name of each field; both are accepted.
    const FIELDS: &'static [(&'static str, &'static str)];
    /// Groups of fields of which at most one may be set.
    const ONEOFS: &'static [&'static [&'static str]];
    /// Fields that exist and have no effect on routing.
    const IGNORED: &'static [&'static str];
    /// Fields that can change where requests go and are not evaluated, each with what it does.
    const NOT_EVALUATED: &'static [(&'static str, &'static str)];
    /// Whether its fields without effect are not worth a word, as those of Kubernetes' kinds.
    const OPEN: bool;

    /// Reads the value of the field at `index` of the table, and says whether that left an optional field unset.
    fn read_field<'de, A: MapAccess<'de>>(
        &mut self,
        index: usize,
        map: &mut A,
        reader: Reader<'_>,
    ) -> Result<bool, A::Error>;
}

/// An enumeration of the API.
pub(crate) trait Enumeration: Copy + Default + 'static {
    /// The name in Istio's reference.
    const NAME: &'static str;
    /// Each value with its name and number; an old name of a value may stand behind its name.
    const VALUES: &'static [(&'static str, i32, Self)];
}

macro_rules! message {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident as $istio:literal $(($open:ident))? {
            $($(#[$field_attribute:meta])* $json:literal $field:ident: $type:ty,)*
        }
        $(oneof $([$($choice:literal),+])+)?
        $(ignored [$($ignored:literal),+ $(,)?])?
        $(not_evaluated [$($other:literal $meaning:literal),+ $(,)?])?
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_attribute])* pub $field: $type,)*
        }

        // A message may have no field that counts.
        #[allow(unused_imports, unused_variables, unreachable_code)]
        const _: () = {
            use $crate::parse::message::Message;
            use $crate::parse::read::{Read, Reader, Slot, read_message};

            #[allow(non_camel_case_types)]
            #[derive(Clone, Copy)]
            enum Field { $($field),* }

            impl Message for $name {
                const NAME: &'static str = $istio;
                const FIELDS: &'static [(&'static str, &'static str)] = &[$(($json, stringify!($field))),*];
                const ONEOFS: &'static [&'static [&'static str]] = &[$($(&[$($choice),+]),+)?];
                const IGNORED: &'static [&'static str] = &[$($($ignored),+)?];
                const NOT_EVALUATED: &'static [(&'static str, &'static str)] =
                    &[$($(($other, $meaning)),+)?];
                const OPEN: bool = message!(@open $($open)?);

                fn read_field<'de, A: serde::de::MapAccess<'de>>(
                    &mut self,
                    index: usize,
                    map: &mut A,
                    reader: Reader<'_>,
                ) -> Result<bool, A::Error> {
                    const FIELDS: &[Field] = &[$(Field::$field),*];
                    Ok(match FIELDS[index] {
                        $(Field::$field => {
                            self.$field = map.next_value_seed(Slot::new(reader))?;
                            self.$field.is_unset()
                        })*
                    })
                }
            }

            impl Read for $name {
                const NULL_ELEMENT_IS_EMPTY: bool = message!(@nullable $($open)?);

                fn read<'de, D: serde::Deserializer<'de>>(
                    deserializer: D,
                    reader: Reader<'_>,
                ) -> Result<Self, D::Error> {
                    read_message(deserializer, reader)
                }
            }
        };
    };
    (@open) => { false };
    (@open open) => { true };
    (@open nullable) => { false };
    (@nullable) => { false };
    (@nullable open) => { false };
    (@nullable nullable) => { true };
}

macro_rules! enumeration {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident as $istio:literal {
            $(#[$first_attribute:meta])* $first:ident = $first_number:literal $first_text:literal,
            $($(#[$value_attribute:meta])* $value:ident = $number:literal $text:literal,)*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[$first_attribute])*
            #[default]
            $first,
            $($(#[$value_attribute])* $value,)*
        }

        impl $name {
            /// The name in the API.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_text,
                    $(Self::$value => $text,)*
                }
            }
        }

        impl $crate::parse::message::Enumeration for $name {
            const NAME: &'static str = $istio;
            const VALUES: &'static [(&'static str, i32, Self)] =
                &[($first_text, $first_number, Self::$first), $(($text, $number, Self::$value)),*];
        }

        impl $crate::parse::read::Read for $name {
            fn read<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
                reader: $crate::parse::read::Reader<'_>,
            ) -> Result<Self, D::Error> {
                $crate::parse::read::read_enumeration(deserializer, reader)
            }
        }
    };
}

/// The table's field of that name, by JSON name or protobuf name.
pub(crate) fn field_index<M: Message>(key: &str) -> Option<usize> {
    M::FIELDS
        .iter()
        .position(|(json, _)| *json == key)
        .or_else(|| M::FIELDS.iter().position(|(_, proto)| *proto == key))
}

const _: fn() = || {
    fn messages_are_read<M: Message + Read>() {}
    messages_are_read::<crate::resource::VirtualService>();
};
