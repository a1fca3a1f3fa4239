//! Documents within a document: the elements of a list.

use super::DocumentSeed;
use crate::diagnostic::{Code, Diagnostic, FieldPath};
use crate::parse::batch::Batch;
use crate::parse::read::{Reader, Scalar, Shape, Shaped};
use crate::terms::source::SourceDocument;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess};

/// The elements of a list of documents.
pub(super) fn read_elements<'de, A: SeqAccess<'de>>(
    mut list: A,
    batch: &mut Batch,
    source: &SourceDocument,
    within: &FieldPath,
) -> Result<(), A::Error> {
    for index in 0.. {
        let source = source.element(within.index(index));
        if list
            .next_element_seed(DocumentSeed { batch, source })?
            .is_none()
        {
            break;
        }
    }
    Ok(())
}

/// The `items` of a list.
pub(super) struct Items<'a> {
    pub(super) batch: &'a mut Batch,
    pub(super) source: &'a SourceDocument,
    pub(super) items: FieldPath,
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let log = self.batch.log();
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
        read_elements(list, self.items.batch, self.items.source, &self.items.items)
    }

    fn scalar(self, value: Scalar<'_>) {
        if !matches!(value, Scalar::Null) {
            self.wrong(&value.to_string());
        }
    }

    fn wrong(self, found: &str) {
        let field = FieldPath::root().field("items");
        let message = format!("expected a list of resources, found {found}");
        let location = self.items.source.locate(&field);
        self.items.batch.push(
            Diagnostic::new(Code::WRONG_TYPE, message)
                .with_field(field)
                .with_location(location),
        );
    }
}
