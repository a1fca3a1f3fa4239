//! Reads one document in one pass: header first, then the typed content, whatever the deserializer.
//!
//! The keys of nearly every document come in an order in which `apiVersion` and `kind` stand before the content, so that the
//! content can be read into its type at once. Where they do not, the content is buffered.

use super::batch::{Batch, Place};
use super::buffered::Buffered;
use super::kinds::{Class, NoSuchKind, classify};
use super::timestamp::epoch_seconds;
use crate::diagnostic::{Code, Diagnostic, FieldPath, ResourceRef, nearest};
use crate::resource::{
    Document, Kind, Log, Metadata, ObjectMeta, Read, Reader, Resource, Scalar, Shape, Shaped, Slot,
};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess};
use serde_json::Value;

/// The seed that reads a document into a batch.
pub(super) struct DocumentSeed<'b> {
    pub(super) batch: &'b mut Batch,
    pub(super) place: Place,
}

impl<'de> DeserializeSeed<'de> for DocumentSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let log = self.batch.log(&self.place);
        let mut reading = Reading::new(self.batch, self.place, &log);
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
    place: Place,
    log: &'b Log,
    header: Header,
    class: Option<Result<Class, NoSuchKind>>,
    resource: Option<Resource>,
    has_content: bool,
    /// The `data` of a ConfigMap.
    data: Value,
    deferred: Vec<(String, Value)>,
    is_mapping: bool,
    seen: Vec<String>,
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
        read_elements(list, self.batch, &self.place, &self.place.within())
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
    fn new(batch: &'b mut Batch, place: Place, log: &'b Log) -> Self {
        Self {
            batch,
            place,
            log,
            header: Header::default(),
            class: None,
            resource: None,
            has_content: false,
            data: Value::Null,
            deferred: Vec::new(),
            is_mapping: false,
            seen: Vec::new(),
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
                let items = self.place.within().field("items");
                map.next_value_seed(Items {
                    batch: self.batch,
                    place: &self.place,
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
        self.seen.push(key);
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
            self.resource = Some(empty(kind));
        }
        self.class = Some(class);
    }

    /// Reads a part of the content, now that its class is known.
    fn section<'de, D: Deserializer<'de>>(
        &mut self,
        key: &str,
        deserializer: D,
    ) -> Result<(), D::Error> {
        let root = Reader::new(self.log);
        match (&mut self.resource, self.class.as_ref()) {
            (Some(resource), _) => match read_section(resource, key, deserializer, root)? {
                Known::Content => self.has_content = true,
                Known::NullContent | Known::Passive => {}
                Known::No => {
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

    fn finish(mut self) {
        for (key, value) in std::mem::take(&mut self.deferred) {
            self.finish_deferred(key, value);
        }
        if !self.is_mapping {
            return self.give_up();
        }
        match self.class.take() {
            None => self.no_kind(),
            Some(Err(no_such_kind)) => self.no_such_kind(no_such_kind),
            Some(Ok(Class::List)) => self.give_up(),
            Some(Ok(Class::PassedOver)) => self.passed_over(),
            Some(Ok(Class::NotEvaluated)) => self.not_evaluated(),
            Some(Ok(Class::ConfigMap)) => self.config_map(),
            Some(Ok(Class::Resource(_))) => self.resource(),
        }
    }

    fn finish_deferred(&mut self, key: String, value: Value) {
        if self.seen.contains(&key) {
            return;
        }
        let root = Reader::new(self.log);
        let read = match key.as_str() {
            "apiVersion" => String::read(value, root.field("apiVersion"))
                .map(|text| self.header.api_version = text),
            "kind" => String::read(value, root.field("kind")).map(|text| self.header.kind = text),
            "metadata" => {
                ObjectMeta::read(value, root.field("metadata")).map(|meta| self.header.meta = meta)
            }
            _ => {
                self.settle_class();
                self.section(&key, value)
            }
        };
        // Only a limit ends the reading of a value that has been read before, and the log knows which.
        if let Err(error) = read {
            root.key(&key)
                .note(Code::WRONG_TYPE, error.to_string(), None);
        }
        self.seen.push(key);
        self.settle_class();
    }

    fn no_kind(self) {
        if self.log.has_problems() {
            return self.give_up();
        }
        let Header {
            api_version, kind, ..
        } = &self.header;
        let missing = match (api_version.as_str(), kind.as_str()) {
            ("", "") => "the document has neither `apiVersion` nor `kind`",
            ("", _) => "the document has no `apiVersion`",
            _ => "the document has no `kind`",
        };
        let help = "every document is a Kubernetes resource, such as `apiVersion: networking.istio.io/v1` and \
                    `kind: VirtualService`";
        Reader::new(self.log).note(
            Code::NOT_A_RESOURCE,
            missing.to_owned(),
            Some(help.to_owned()),
        );
        self.give_up();
    }

    fn no_such_kind(self, no_such_kind: NoSuchKind) {
        let root = Reader::new(self.log);
        let field = if no_such_kind.code == Code::UNKNOWN_VERSION {
            "apiVersion"
        } else {
            "kind"
        };
        root.field(field)
            .note(no_such_kind.code, no_such_kind.message, no_such_kind.help);
        self.give_up();
    }

    fn passed_over(self) {
        let message = format!(
            "`{}` has no part in routing and is passed over",
            self.header.kind
        );
        self.say(Diagnostic::new(Code::KIND_PASSED_OVER, message), "kind");
    }

    fn not_evaluated(self) {
        let message = format!(
            "`{}` is not evaluated; where it applies, answers may differ",
            self.header.kind
        );
        self.say(Diagnostic::new(Code::KIND_NOT_EVALUATED, message), "kind");
    }

    fn say(self, diagnostic: Diagnostic, field: &'static str) {
        let field = FieldPath::root().field(field);
        let location = self.place.origin().locate(&field);
        let reference = self.reference();
        self.batch.push(
            diagnostic
                .with_resource(reference)
                .with_field(field)
                .with_location(location),
        );
    }

    fn config_map(self) {
        let mesh = self.data.get("mesh").and_then(Value::as_str);
        let Some(mesh) = mesh.filter(|_| self.header.meta.name == "istio") else {
            return self.passed_over();
        };
        let file = format!("{}#data.mesh", self.place.file().unwrap_or("<input>"));
        self.batch.read_mesh_config(Some(file.into()), mesh);
    }

    fn resource(mut self) {
        let root = Reader::new(self.log);
        let metadata = root.field("metadata");
        let raw = std::mem::take(&mut self.header.meta);
        let mut meta = Metadata::new(raw.namespace, raw.name);
        meta.labels = raw.labels;
        meta.annotations = raw.annotations;
        if meta.namespace.is_empty() {
            meta.namespace_defaulted = true;
            self.batch
                .default_namespace()
                .clone_into(&mut meta.namespace);
        }
        if !raw.creation_timestamp.is_empty() {
            meta.creation_timestamp = epoch_seconds(&raw.creation_timestamp);
            if meta.creation_timestamp.is_none() {
                let message = format!("`{}` is not a timestamp", raw.creation_timestamp);
                let help = "write it as `2026-01-31T12:00:00Z`".to_owned();
                metadata.field("creationTimestamp").note(
                    Code::INVALID_TIMESTAMP,
                    message,
                    Some(help),
                );
            }
        }
        if meta.name.is_empty() {
            let message = format!("the `{}` has no name", self.header.kind);
            metadata.field("name").note(
                Code::MISSING_NAME,
                message,
                Some("set `metadata.name`".to_owned()),
            );
        }
        let is_istio = self.header.api_version.contains("istio.io/");
        if !self.has_content && is_istio {
            let message = format!("the `{}` has no `spec`", self.header.kind);
            let help = "add `spec` with the resource's fields".to_owned();
            root.field("spec")
                .note(Code::MISSING_SPEC, message, Some(help));
        }
        let Some(mut resource) = self.resource.take() else {
            return;
        };
        let reference = ResourceRef::new(resource.kind().as_str(), &*meta.namespace, &*meta.name);
        if self
            .batch
            .report_problems(self.log, &self.place, Some(&reference))
        {
            return;
        }
        *resource.meta_mut() = meta;
        *resource.origin_mut() = self.place.origin();
        self.batch.add(resource);
    }

    /// Reports what was found in a document that becomes no resource.
    fn give_up(self) {
        let reference = self.reference();
        let named = !reference.name.is_empty() && !reference.kind.is_empty();
        self.batch
            .report_problems(self.log, &self.place, named.then_some(&reference));
    }

    fn reference(&self) -> ResourceRef {
        let Header { kind, meta, .. } = &self.header;
        ResourceRef::new(kind.clone(), &*meta.namespace, &*meta.name)
    }
}

/// The elements of a list of documents.
fn read_elements<'de, A: SeqAccess<'de>>(
    mut list: A,
    batch: &mut Batch,
    place: &Place,
    within: &FieldPath,
) -> Result<(), A::Error> {
    for index in 0.. {
        let place = place.at(within.index(index));
        if list
            .next_element_seed(DocumentSeed { batch, place })?
            .is_none()
        {
            break;
        }
    }
    Ok(())
}

/// The `items` of a list.
struct Items<'a> {
    batch: &'a mut Batch,
    place: &'a Place,
    items: FieldPath,
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let log = self.batch.log(self.place);
        let reader = Reader::new(&log);
        deserializer.deserialize_any(Shaped(ItemList {
            items: self,
            reader,
        }))
    }
}

struct ItemList<'a> {
    items: Items<'a>,
    reader: Reader<'a>,
}

impl<'de> Shape<'de> for ItemList<'_> {
    type Output = ();

    fn expected(&self) -> String {
        "a list of resources".to_owned()
    }

    fn reader(&self) -> Reader<'_> {
        self.reader
    }

    fn list<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        read_elements(list, self.items.batch, self.items.place, &self.items.items)
    }

    fn scalar(self, value: Scalar<'_>) {
        if !matches!(value, Scalar::Null) {
            self.wrong(&value.to_string());
        }
    }

    fn wrong(self, found: &str) {
        let field = FieldPath::root().field("items");
        let message = format!("expected a list of resources, found {found}");
        let location = self.items.place.origin().locate(&field);
        self.items.batch.push(
            Diagnostic::new(Code::WRONG_TYPE, message)
                .with_field(field)
                .with_location(location),
        );
    }
}

/// A part of the content under its key.
struct Section<'a, 'b> {
    reading: &'a mut Reading<'b>,
    key: &'a str,
}

impl<'de> DeserializeSeed<'de> for Section<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.reading.section(self.key, deserializer)
    }
}

/// Whether a kind has a key, and whether it held something.
enum Known {
    Content,
    NullContent,
    Passive,
    No,
}

/// A resource of that kind with nothing set.
fn empty(kind: Kind) -> Resource {
    match kind {
        Kind::VirtualService => Resource::VirtualService(Document::default()),
        Kind::DestinationRule => Resource::DestinationRule(Document::default()),
        Kind::Gateway => Resource::Gateway(Document::default()),
        Kind::ServiceEntry => Resource::ServiceEntry(Document::default()),
        Kind::Sidecar => Resource::Sidecar(Document::default()),
        Kind::WorkloadEntry => Resource::WorkloadEntry(Document::default()),
        Kind::Service => Resource::Service(Document::default()),
        Kind::Deployment => Resource::Deployment(Document::default()),
        Kind::Pod => Resource::Pod(Document::default()),
        Kind::EndpointSlice => Resource::EndpointSlice(Document::default()),
    }
}

/// Reads the value of a document's key into the resource.
fn read_section<'de, D: Deserializer<'de>>(
    resource: &mut Resource,
    key: &str,
    deserializer: D,
    root: Reader<'_>,
) -> Result<Known, D::Error> {
    /// Reads the value, if it is not null, in place of what is there.
    fn fill<'de, T: Read, D: Deserializer<'de>>(
        field: &mut T,
        deserializer: D,
        reader: Reader<'_>,
    ) -> Result<Known, D::Error> {
        Ok(match Option::<T>::read(deserializer, reader)? {
            Some(value) => {
                *field = value;
                Known::Content
            }
            None => Known::NullContent,
        })
    }
    let spec = root.field("spec");
    match (resource, key) {
        (Resource::VirtualService(it), "spec") => fill(&mut it.spec, deserializer, spec),
        (Resource::DestinationRule(it), "spec") => fill(&mut it.spec, deserializer, spec),
        (Resource::Gateway(it), "spec") => fill(&mut it.spec, deserializer, spec),
        (Resource::ServiceEntry(it), "spec") => fill(&mut it.spec, deserializer, spec),
        (Resource::Sidecar(it), "spec") => fill(&mut it.spec, deserializer, spec),
        (Resource::WorkloadEntry(it), "spec") => fill(&mut it.spec, deserializer, spec),
        (Resource::Service(it), "spec") => fill(&mut it.spec, deserializer, spec),
        (Resource::Deployment(it), "spec") => fill(&mut it.spec, deserializer, spec),
        (Resource::Pod(it), "spec") => fill(&mut it.spec.spec, deserializer, spec),
        (Resource::Pod(it), "status") => {
            fill(&mut it.spec.status, deserializer, root.field("status"))
        }
        (Resource::EndpointSlice(it), "addressType") => fill(
            &mut it.spec.address_type,
            deserializer,
            root.field("addressType"),
        ),
        (Resource::EndpointSlice(it), "endpoints") => fill(
            &mut it.spec.endpoints,
            deserializer,
            root.field("endpoints"),
        ),
        (Resource::EndpointSlice(it), "ports") => {
            fill(&mut it.spec.ports, deserializer, root.field("ports"))
        }
        (resource, key) => {
            IgnoredAny::deserialize(deserializer)?;
            let kubernetes = matches!(
                resource.kind(),
                Kind::Service | Kind::Deployment | Kind::Pod | Kind::EndpointSlice
            );
            Ok(if kubernetes || key == "status" {
                Known::Passive
            } else {
                Known::No
            })
        }
    }
}
