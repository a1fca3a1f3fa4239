//! What holds other values: optional values, boxes, lists and maps.

use super::fields::note_duplicate;
use super::{Read, Reader, Scalar, Shape, Shaped, Slot};
use crate::diagnostic::Code;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

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
