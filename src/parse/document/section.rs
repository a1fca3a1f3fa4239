//! The content of a document: which key holds what in a resource of each kind.

use super::Reading;
use crate::diagnostic::{Code, nearest};
use crate::parse::buffered::Buffered;
use crate::parse::kinds::Class;
use crate::parse::read::{Read, Reader};
use crate::resource::{Document, Kind, Resource};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny};

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
}

/// Whether a kind has a key, and whether it held something.
enum Known {
    Content,
    NullContent,
    Passive,
    No,
}

/// A resource of that kind with nothing set.
pub(super) fn empty(kind: Kind) -> Resource {
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
            let has_status = resource.kind() != Kind::EndpointSlice;
            Ok(match key {
                "status" if has_status => Known::Passive,
                _ => Known::No,
            })
        }
    }
}
