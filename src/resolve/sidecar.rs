//! Sidecar: placeholder until its resolver lands.

use crate::mesh;
use crate::resource::{self as raw, Document};

use super::{Context, Sink};

/// The Sidecar of a document. `None` after an error was pushed.
pub(crate) fn sidecar(
    _document: &Document<raw::Sidecar>,
    _cx: &Context<'_>,
    _sink: &mut Sink<'_>,
) -> Option<mesh::Sidecar> {
    None
}
