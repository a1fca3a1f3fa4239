//! The content of a document: which key holds what in a resource of each kind.

use super::Reading;
use crate::diagnostic::{Code, nearest};
use crate::parse::buffered::Buffered;
use crate::parse::kinds::Class;
use crate::parse::message::{Message, field_index};
use crate::parse::read::{Read, Reader};
use crate::resource::{Resource, each_kind};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess};

/// A part of the content under its key.
pub(super) struct Section<'a, 'b> {
    pub(super) reading: &'a mut Reading<'b>,
    pub(super) key: &'a str,
}

impl<'de> DeserializeSeed<'de> for Section<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.reading.section(self.key, deserializer)
    }
}

impl Reading<'_> {
    /// Reads a part of the content, now that its class is known.
    pub(super) fn section<'de, D: Deserializer<'de>>(
        &mut self,
        key: &str,
        deserializer: D,
    ) -> Result<(), D::Error> {
        let root = Reader::new(self.log);
        match (&mut self.resource, self.class.as_ref()) {
            (Some(resource), _) => match read_section(resource, key, deserializer, root)? {
                SectionRead::Content => self.has_content = true,
                SectionRead::NullContent | SectionRead::Passive => {}
                SectionRead::No => {
                    let help = nearest(key, ["apiVersion", "kind", "metadata", "spec", "status"]);
                    let help = help.map(|near| format!("did you mean `{near}`?"));
                    let message = format!("unknown field `{key}` in `{}`", self.header.kind);
                    root.key(key).note_key(Code::UNKNOWN_FIELD, message, help);
                }
            },
            (None, Some(Ok(Class::ConfigMap))) if key == "data" => {
                self.data = Buffered::read(deserializer, root.field("data"))?.0;
            }
            _ => drop(IgnoredAny::deserialize(deserializer)?),
        }
        Ok(())
    }
}

/// Whether a kind has a key, and whether it held something.
enum SectionRead {
    Content,
    NullContent,
    Passive,
    No,
}

/// Reads the value of a document's key into the resource.
fn read_section<'de, D: Deserializer<'de>>(
    resource: &mut Resource,
    key: &str,
    deserializer: D,
    root: Reader<'_>,
) -> Result<SectionRead, D::Error> {
    macro_rules! sections {
        ($($(#[$doc:meta])* $kind:ident: $name:literal of $group:literal, registry $registry:literal, namespaced $namespaced:literal, content $content:ident;)*) => {
            match resource {
                $(Resource::$kind(document) => sections!(@$content document),)*
            }
        };
        (@spec $document:ident) => {
            match key {
                "spec" => read_spec(&mut $document.spec, deserializer, root.field("spec")),
                _ => pass_over(deserializer, key == "status"),
            }
        };
        (@whole $document:ident) => { read_field(&mut $document.spec, key, deserializer, root) };
    }
    each_kind!(sections)
}

/// Reads the whole content, if it is not null.
fn read_spec<'de, T: Read, D: Deserializer<'de>>(
    spec: &mut T,
    deserializer: D,
    reader: Reader<'_>,
) -> Result<SectionRead, D::Error> {
    Ok(match Option::<T>::read(deserializer, reader)? {
        Some(value) => {
            *spec = value;
            SectionRead::Content
        }
        None => SectionRead::NullContent,
    })
}

/// Reads one field of the content, if it has that.
fn read_field<'de, M: Message, D: Deserializer<'de>>(
    content: &mut M,
    key: &str,
    deserializer: D,
    root: Reader<'_>,
) -> Result<SectionRead, D::Error> {
    let Some(index) = field_index::<M>(key) else {
        return pass_over(deserializer, M::IGNORED.contains(&key));
    };
    let mut value = OneValue(Some(deserializer));
    content.read_field(index, &mut value, root.field(M::FIELDS[index].0))?;
    Ok(SectionRead::Content)
}

fn pass_over<'de, D: Deserializer<'de>>(
    deserializer: D,
    known: bool,
) -> Result<SectionRead, D::Error> {
    IgnoredAny::deserialize(deserializer)?;
    Ok(if known {
        SectionRead::Passive
    } else {
        SectionRead::No
    })
}

/// The value of a mapping's key that has been read.
struct OneValue<D>(Option<D>);

impl<'de, D: Deserializer<'de>> MapAccess<'de> for OneValue<D> {
    type Error = D::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        _: K,
    ) -> Result<Option<K::Value>, D::Error> {
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, D::Error> {
        let value = self.0.take();
        seed.deserialize(value.ok_or_else(|| D::Error::custom("there is one value"))?)
    }
}
