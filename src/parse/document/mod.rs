//! Reads one document in one pass: header first, then the typed content, whatever the deserializer.
//!
//! The keys of nearly every document come in an order in which `apiVersion` and `kind` stand before the content, so that the
//! content can be read into its type at once. Where they do not, the content is buffered.

mod items;
mod outcome;
mod section;

use super::batch::Batch;
use super::buffered::Buffered;
use super::kinds::{Class, NoSuchKind, classify};
use super::read::{Log, Reader, Scalar, Shape, Shaped, Slot};
use crate::diagnostic::Code;
use crate::resource::{ObjectMeta, Resource};
use crate::terms::source::SourceDocument;
use items::{Items, read_elements};
use section::Section;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess};
use serde_json::Value;
use std::collections::HashSet;

/// The seed that reads a document into a batch.
pub(super) struct DocumentSeed<'b> {
    pub(super) batch: &'b mut Batch,
    pub(super) source: SourceDocument,
}

impl<'de> DeserializeSeed<'de> for DocumentSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let log = self.batch.log();
        let mut reading = Reading::new(self.batch, self.source, &log);
        let result = deserializer.deserialize_any(Shaped(&mut reading));
        match result {
            Ok(()) => reading.finish(),
            Err(_) => reading.give_up(),
        }
        result
    }
}

/// A document while it is read.
struct Reading<'b> {
    batch: &'b mut Batch,
    source: SourceDocument,
    log: &'b Log,
    header: Header,
    class: Option<Result<Class, NoSuchKind>>,
    resource: Option<Resource>,
    has_content: bool,
    /// The `data` of a ConfigMap.
    data: Value,
    deferred: Vec<(String, Value)>,
    is_mapping: bool,
    seen: HashSet<String>,
}

/// What says which resource it is.
#[derive(Default)]
struct Header {
    api_version: String,
    kind: String,
    meta: ObjectMeta,
}

impl<'de> Shape<'de> for &mut Reading<'_> {
    type Output = ();

    fn expected(&self) -> String {
        "a resource".to_owned()
    }

    fn reader(&self) -> Reader<'_> {
        Reader::new(self.log)
    }

    fn scalar(self, value: Scalar<'_>) {
        if !matches!(value, Scalar::Null) {
            let message = format!(
                "expected a resource (a mapping with `apiVersion` and `kind`), found {value}"
            );
            self.reader().note(Code::NOT_A_RESOURCE, message, None);
        }
    }

    fn list<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        read_elements(list, self.batch, &self.source, &self.source.within())
    }

    fn mapping<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.is_mapping = true;
        self.batch.count_document(self.log)?;
        while let Some(key) = map.next_key::<String>()? {
            self.entry(key, &mut map)?;
        }
        Ok(())
    }
}

impl<'b> Reading<'b> {
    fn new(batch: &'b mut Batch, source: SourceDocument, log: &'b Log) -> Self {
        Self {
            batch,
            source,
            log,
            header: Header::default(),
            class: None,
            resource: None,
            has_content: false,
            data: Value::Null,
            deferred: Vec::new(),
            is_mapping: false,
            seen: HashSet::new(),
        }
    }

    /// Reads one entry of the document's own mapping.
    fn entry<'de, A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        let root = Reader::new(self.log);
        if self.seen.contains(&key) {
            let message = format!("`{key}` is set twice in one document; the first value is used");
            root.key(&key)
                .note_key(Code::DUPLICATE_FIELD, message, None);
            return map.next_value::<IgnoredAny>().map(drop);
        }
        match key.as_str() {
            "apiVersion" => {
                self.header.api_version =
                    map.next_value_seed(Slot::new(root.field("apiVersion")))?
            }
            "kind" => self.header.kind = map.next_value_seed(Slot::new(root.field("kind")))?,
            "metadata" => {
                self.header.meta = map.next_value_seed(Slot::new(root.field("metadata")))?
            }
            "items" if matches!(self.class, None | Some(Ok(Class::List))) => {
                let items = self.source.within().field("items");
                map.next_value_seed(Items {
                    batch: self.batch,
                    source: &self.source,
                    items,
                })?;
            }
            "<<" if root.is_yaml() => {
                let Buffered(merged) = map.next_value_seed(Slot::new(root.field("<<")))?;
                self.defer_merged(merged);
                return Ok(());
            }
            _ if self.class.is_none() => {
                let Buffered(value) = map.next_value_seed(Slot::new(root.key(&key)))?;
                self.deferred.push((key, value));
                return Ok(());
            }
            _ => map.next_value_seed(Section {
                reading: self,
                key: &key,
            })?,
        }
        self.seen.insert(key);
        self.settle_class();
        Ok(())
    }

    /// Keeps the entries of a merged mapping until the document's own entries are known.
    fn defer_merged(&mut self, merged: Value) {
        match merged {
            Value::Object(entries) => self.deferred.extend(entries),
            Value::Array(mappings) => mappings
                .into_iter()
                .for_each(|mapping| self.defer_merged(mapping)),
            _ => {}
        }
    }

    /// Finds the class as soon as the header says the kind.
    fn settle_class(&mut self) {
        let Header {
            api_version, kind, ..
        } = &self.header;
        if self.class.is_some() || api_version.is_empty() || kind.is_empty() {
            return;
        }
        let class = classify(api_version, kind);
        if let Ok(Class::Resource(kind)) = class {
            self.resource = Some(kind.empty());
        }
        self.class = Some(class);
    }
}
