//! Reads settings that are a text of their own: the configuration of the mesh, and that of a proxy.

use super::batch::Batch;
use super::places::Format;
use super::read::{Read, Reader, Slot};
use crate::diagnostic::{Code, Diagnostic, FieldPath, ResourceRef};
use crate::resource::{Document, MeshConfig, Metadata, ProxyConfig};
use crate::terms::source::{Source, SourceDocument};
use serde::de::DeserializeSeed;
use std::sync::Arc;

/// The annotation of a workload that configures the proxy beside it.
pub(super) const PROXY_CONFIG: &str = "proxy.istio.io/config";

impl Batch {
    /// Reads the configuration of the mesh.
    pub(super) fn read_mesh_config(&mut self, file: Option<Arc<str>>, text: &str) {
        let reference = ResourceRef::new("MeshConfig", "", "mesh");
        let Some((spec, origin)) = self.read_settings::<MeshConfig>(file, text, &reference) else {
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

    /// Reads what annotation `proxy.istio.io/config` of a resource says.
    pub(super) fn read_proxy_config(
        &mut self,
        file: &str,
        text: &str,
        reference: &ResourceRef,
    ) -> Option<Box<ProxyConfig>> {
        let file = format!("{file}#{PROXY_CONFIG}");
        let read = self.read_settings(Some(file.into()), text, reference);
        read.map(|(config, _)| Box::new(config))
    }

    /// Reads settings from a text; `None` if something in it is wrong, which is told.
    fn read_settings<T: Read + Default>(
        &mut self,
        file: Option<Arc<str>>,
        text: &str,
        reference: &ResourceRef,
    ) -> Option<(T, SourceDocument)> {
        let format = if cfg!(feature = "yaml") {
            Format::Yaml
        } else {
            Format::Json
        };
        let source = Arc::new(Source::new(file, text.to_owned(), format.read_places()));
        if !self.admits(&source) {
            return None;
        }
        let origin = SourceDocument::new(&source, 0..source.text().len(), 1);
        let outer = std::mem::replace(&mut self.format, format);
        self.values
            .set(text.len().saturating_add(self.limits.expansion));
        let log = self.log();
        self.format = outer;
        let seed = Slot::<T>::new(Reader::new(&log));
        #[cfg(feature = "yaml")]
        let spec = seed
            .deserialize(serde_yaml::Deserializer::from_str(source.text()))
            .map_err(|error| self.yaml_error(&error, &origin));
        #[cfg(not(feature = "yaml"))]
        let spec = seed
            .deserialize(&mut serde_json::Deserializer::from_str(source.text()))
            .map_err(|error| self.json_error(&error, &origin));
        let has_errors = self.report_problems(&log, &origin, Some(reference));
        self.stopped = None;
        match (spec, has_errors) {
            (Ok(spec), false) => Some((spec, origin)),
            _ => None,
        }
    }
}
