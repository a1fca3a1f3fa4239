//! Gateway: placeholder until its resolver lands.

use crate::mesh;
use crate::resource::{self as raw, Document};

use super::{Context, Sink};

/// The Gateway of a document. `None` after an error was pushed.
pub(crate) fn gateway(
    _document: &Document<raw::Gateway>,
    _cx: &Context<'_>,
    _sink: &mut Sink<'_>,
) -> Option<mesh::Gateway> {
    None
}
