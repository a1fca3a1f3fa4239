//! VirtualServices: typed one by one, then roots linked with their delegates.

use std::sync::Arc;

use crate::diagnostic::Report;
use crate::mesh;
use crate::resource::{self as raw, Document};

use super::Context;

/// The roots of the mesh with their delegates merged in, in the order of the documents.
pub(crate) fn virtual_services(
    _documents: &[&Document<raw::VirtualService>],
    _cx: &Context<'_>,
    _report: &mut Report,
) -> Vec<Arc<mesh::VirtualService>> {
    Vec::new()
}
