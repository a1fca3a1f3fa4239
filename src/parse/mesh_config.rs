//! Reads the configuration of the mesh.

use super::batch::Batch;
use super::places::Format;
use super::read::{Reader, Slot};
use crate::diagnostic::{Code, Diagnostic, FieldPath, ResourceRef};
use crate::resource::{Document, MeshConfig, Metadata};
use crate::terms::source::{Source, SourceDocument};
use serde::de::DeserializeSeed;
use std::sync::Arc;

impl Batch {
    /// Reads the configuration of the mesh.
    pub(super) fn read_mesh_config(&mut self, file: Option<Arc<str>>, text: &str) {
        let format = if cfg!(feature = "yaml") {
            Format::Yaml
        } else {
            Format::Json
        };
        let source = Arc::new(Source::new(file, text.to_owned(), format.read_places()));
        if !self.admits(&source) {
            return;
        }
        let origin = SourceDocument::new(&source, 0..source.text().len(), 1);
        let outer = std::mem::replace(&mut self.format, format);
        self.values
            .set(text.len().saturating_add(self.limits.expansion));
        let log = self.log();
        self.format = outer;
        let seed = Slot::<MeshConfig>::new(Reader::new(&log));
        #[cfg(feature = "yaml")]
        let spec = seed
            .deserialize(serde_yaml::Deserializer::from_str(source.text()))
            .map_err(|error| self.yaml_error(&error, &origin));
        #[cfg(not(feature = "yaml"))]
        let spec = seed
            .deserialize(&mut serde_json::Deserializer::from_str(source.text()))
            .map_err(|error| self.json_error(&error, &origin));
        let reference = ResourceRef::new("MeshConfig", "", "mesh");
        let has_errors = self.report_problems(&log, &origin, Some(&reference));
        self.stopped = None;
        let (Ok(spec), false) = (spec, has_errors) else {
            return;
        };
        let mut document = Document::new(Metadata::new("", "mesh"), spec);
        document.source = origin;
        if let Some(first) = &self.mesh_config {
            let message = "the mesh is configured twice; the later configuration is used";
            self.push(
                Diagnostic::new(Code::DUPLICATE_MESH_CONFIG, message)
                    .with_resource(reference.clone())
                    .with_location(document.locate(FieldPath::root()))
                    .with_related(
                        reference,
                        "the earlier configuration",
                        first.locate(FieldPath::root()),
                    ),
            );
        }
        self.mesh_config = Some(document);
    }
}
