//! What becomes of a document once it is read: a resource, the configuration of the mesh, or something to say.

use super::{Header, Reading};
use crate::diagnostic::{Code, Diagnostic, FieldPath, ResourceRef};
use crate::parse::kinds::{Class, NoSuchKind};
use crate::parse::mesh_config::PROXY_CONFIG;
use crate::parse::read::{Read, Reader};
use crate::parse::timestamp::epoch_seconds;
use crate::resource::{ConfigMap, Document, Metadata, ObjectMeta, Resource};
use serde_json::Value;
use std::collections::BTreeMap;

impl Reading<'_> {
    pub(super) fn finish(mut self) {
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
        self.seen.insert(key);
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
        let location = self.source.locate(&field);
        let reference = self.reference();
        self.batch.push(
            diagnostic
                .with_resource(reference)
                .with_field(field)
                .with_location(location),
        );
    }

    fn config_map(mut self) {
        let mesh = self.data.get("mesh").and_then(Value::as_str);
        let Some(mesh) = mesh.filter(|_| self.header.meta.name == "istio") else {
            let root = Reader::new(self.log);
            let data = std::mem::take(&mut self.data);
            // It has been read before: no syntax is left that could be broken.
            if let Ok(data) = BTreeMap::read(data, root.field("data")) {
                let spec = ConfigMap { data };
                let document = Document::new(Metadata::default(), spec);
                self.resource = Some(document.into());
            }
            return self.resource();
        };
        let file = self.source.file().map_or("<input>", |file| &**file);
        let file = format!("{file}#data.mesh");
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
        let version = &self.header.api_version;
        let groups = ["istio.io/", "gateway.networking.k8s.io/"];
        let needs_spec = groups.iter().any(|group| version.contains(group));
        if !self.has_content && needs_spec {
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
            .report_problems(self.log, &self.source, Some(&reference))
        {
            return;
        }
        *resource.meta_mut() = meta;
        let file = self.source.file().map_or("<input>", |file| &**file);
        let of_proxy = match &resource {
            Resource::Pod(pod) => Some(&pod.meta.annotations),
            Resource::Deployment(deployment) => {
                let template = deployment.spec.template.as_ref();
                template.map(|template| &template.metadata.annotations)
            }
            _ => None,
        };
        if let Some(text) = of_proxy.and_then(|annotations| annotations.get(PROXY_CONFIG)) {
            // Without it the proxy is not there: what injects it refuses the pod.
            let Some(config) = self.batch.read_proxy_config(file, text, &reference) else {
                return;
            };
            match &mut resource {
                Resource::Pod(pod) => pod.proxy_config = Some(config),
                Resource::Deployment(deployment) => deployment.proxy_config = Some(config),
                _ => {}
            }
        }
        *resource.source_mut() = self.source;
        self.batch.add(resource);
    }

    /// Reports what was found in a document that becomes no resource.
    pub(super) fn give_up(self) {
        let reference = self.reference();
        let named = !reference.name.is_empty() && !reference.kind.is_empty();
        self.batch
            .report_problems(self.log, &self.source, named.then_some(&reference));
    }

    fn reference(&self) -> ResourceRef {
        let Header { kind, meta, .. } = &self.header;
        ResourceRef::new(kind.clone(), &*meta.namespace, &*meta.name)
    }
}
