//! MeshConfig: placeholder until its resolver lands.

use crate::diagnostic::Report;
use crate::mesh::MeshConfig;
use crate::resource::{self as raw, Document};

/// The mesh's settings; Istio's defaults where nothing is written, or where an error was pushed.
pub(crate) fn mesh_config(
    _document: Option<&Document<raw::MeshConfig>>,
    domain: &str,
    _report: &mut Report,
) -> MeshConfig {
    MeshConfig {
        domain: domain.into(),
        ..MeshConfig::default()
    }
}
