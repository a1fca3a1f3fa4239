//! A value that is read before it is known what it is: the few documents whose `kind` comes after their content.

use super::read::{Read, Reader, Scalar, Shape, Shaped, Slot};
use serde::de::{Deserializer, MapAccess, SeqAccess};
use serde_json::{Map, Value};

/// Any value, kept for later.
#[derive(Debug, Default)]
pub(super) struct Buffered(pub(super) Value);

impl Read for Buffered {
    fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        reader: Reader<'_>,
    ) -> Result<Self, D::Error> {
        reader.spend()?;
        deserializer
            .deserialize_any(Shaped(Any(reader)))
            .map(Buffered)
    }
}

struct Any<'a>(Reader<'a>);

impl<'de> Shape<'de> for Any<'_> {
    type Output = Value;

    fn expected(&self) -> String {
        "a value".to_owned()
    }

    fn reader(&self) -> Reader<'_> {
        self.0
    }

    fn scalar(self, value: Scalar<'_>) -> Value {
        match value {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => value.into(),
            Scalar::Unsigned(value) => value.into(),
            Scalar::Signed(value) => value.into(),
            Scalar::Float(value) => value.into(),
            Scalar::Text(value) => value.into(),
        }
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(Buffered(element)) =
            list.next_element_seed(Slot::new(self.0.index(elements.len())))?
        {
            elements.push(element);
        }
        Ok(elements.into())
    }

    fn mapping<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let Buffered(value) = map.next_value_seed(Slot::new(self.0.key(&key)))?;
            entries.insert(key, value);
        }
        Ok(entries.into())
    }
}
