//! The first verb: text to [`Resources`].
//!
//! Each document is read once: its header, then its content into the type of its kind. Everything that is wrong with any
//! document is gathered in one [`Report`], with file, line and column. The doors come in two manners: strict ones fail if
//! there is an error, lenient ones leave the resources with errors out.

#[macro_use]
pub(crate) mod message;
mod batch;
mod buffered;
#[cfg(feature = "yaml")]
mod characters;
mod document;
mod files;
mod kinds;
mod mesh_config;
mod names;
mod nesting;
mod places;
pub(crate) mod read;
mod refusal;
#[cfg(feature = "yaml")]
mod split;
mod syntax;
mod text;
mod timestamp;

use crate::diagnostic::Report;
use crate::resource::Resources;
use batch::Batch;
use places::Format;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bounds of what is read, for input that nobody has vetted. Nesting is bounded by 128 levels, and one
/// document says 100 things one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one text or file: 64 MiB.
    pub bytes: usize,
    /// Bytes of one YAML document: 16 MiB. The YAML reader takes up to a hundred times as much memory for a document, and
    /// gives it back before the next.
    pub document_bytes: usize,
    /// Documents of the whole reading: one million.
    pub documents: usize,
    /// Elements of one list: one million.
    pub list_length: usize,
    /// Values that the aliases of one document may add to those that are written out: one million.
    pub expansion: usize,
    /// What is said one by one of everything that is read: 20 000. How much more there is is said once.
    pub problems: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            document_bytes: 16 << 20,
            documents: 1_000_000,
            list_length: 1_000_000,
            expansion: 1_000_000,
            problems: 20_000,
        }
    }
}

/// A reading of several texts and files into one set of resources.
///
/// ```
/// use meshroute::resource::Resources;
/// let resources = Resources::builder()
///     .default_namespace("shop")
///     .json("a.json", r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cart"}}"#)
///     .build()?;
/// assert_eq!(resources.documents[0].meta().namespace, "shop");
/// # Ok::<(), meshroute::diagnostic::Report>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct ResourcesBuilder {
    default_namespace: Option<String>,
    limits: Limits,
    inputs: Vec<Input>,
}

short_debug! { ResourcesBuilder {default_namespace, limits, inputs} }

#[derive(Clone, Debug)]
enum Input {
    Text(Format, Option<Arc<str>>, String),
    MeshConfig(Option<Arc<str>>, String),
    Path(PathBuf),
}

impl ResourcesBuilder {
    /// The namespace of resources that name none; `default` if this is not called.
    pub fn default_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.default_namespace = Some(namespace.into());
        self
    }

    /// Bounds of what is read.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds a text of YAML documents under the name that diagnostics give it.
    #[cfg(feature = "yaml")]
    pub fn yaml(self, name: &str, text: impl Into<String>) -> Self {
        self.input(Input::Text(Format::Yaml, Some(name.into()), text.into()))
    }

    /// Adds a text of JSON documents under the name that diagnostics give it.
    pub fn json(self, name: &str, text: impl Into<String>) -> Self {
        self.input(Input::Text(Format::Json, Some(name.into()), text.into()))
    }

    /// Adds the configuration of the mesh (MeshConfig as YAML, or as JSON) under the name that diagnostics give it.
    pub fn mesh_config(self, name: &str, text: impl Into<String>) -> Self {
        self.input(Input::MeshConfig(Some(name.into()), text.into()))
    }

    /// Adds a file, or every `.yaml`, `.yml` and `.json` file below a directory, in the order of their paths.
    pub fn path(self, path: impl Into<PathBuf>) -> Self {
        self.input(Input::Path(path.into()))
    }

    fn input(mut self, input: Input) -> Self {
        self.inputs.push(input);
        self
    }

    /// Reads everything. Warnings and notes are in [`Resources::notes`].
    ///
    /// # Errors
    /// The report of everything that there is to say, if there is an error among it.
    pub fn build(self) -> Result<Resources, Report> {
        let (mut resources, report) = self.build_lenient();
        if report.has_errors() {
            return Err(report);
        }
        resources.notes = report;
        Ok(resources)
    }

    /// Reads everything that can be read, and reports on the rest.
    pub fn build_lenient(self) -> (Resources, Report) {
        let namespace = self
            .default_namespace
            .unwrap_or_else(|| "default".to_owned());
        let mut batch = Batch::new(self.limits, namespace);
        for input in self.inputs {
            match input {
                Input::Text(format, name, text) => batch.read_text(format, name, text),
                Input::MeshConfig(name, text) => batch.read_mesh_config(name, &text),
                Input::Path(path) => files::read(&path, self.limits.bytes, &mut batch),
            }
        }
        batch.finish()
    }
}

impl Resources {
    /// Reads YAML documents: resources, lists of them (`kind: List`), and MeshConfig in Istio's own ConfigMap.
    ///
    /// Kinds that have no part in routing are passed over with a note in [`Resources::notes`], so that whole manifests can be
    /// read.
    ///
    /// ```
    /// use meshroute::resource::Resources;
    /// let report = Resources::from_yaml("
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: reviews}
    /// spec:
    ///   hosts: reviews
    /// ").unwrap_err();
    /// let error = report.errors().next().unwrap();
    /// assert_eq!(error.message(), "expected a list, found the text `reviews`");
    /// assert_eq!(error.location().unwrap().line, 6);
    /// ```
    ///
    /// # Errors
    /// The report of everything that there is to say, if there is an error among it.
    #[cfg(feature = "yaml")]
    pub fn from_yaml(text: &str) -> Result<Self, Report> {
        text_only(Format::Yaml, text).build()
    }

    /// Reads YAML documents, leaves those with errors out, and reports on everything.
    #[cfg(feature = "yaml")]
    pub fn from_yaml_lenient(text: &str) -> (Self, Report) {
        text_only(Format::Yaml, text).build_lenient()
    }

    /// Reads JSON: one document, a list of documents, or several documents one after the other.
    ///
    /// # Errors
    /// The report of everything that there is to say, if there is an error among it.
    pub fn from_json(text: &str) -> Result<Self, Report> {
        text_only(Format::Json, text).build()
    }

    /// Reads JSON, leaves documents with errors out, and reports on everything.
    pub fn from_json_lenient(text: &str) -> (Self, Report) {
        text_only(Format::Json, text).build_lenient()
    }

    /// Reads a file, or every `.yaml`, `.yml` and `.json` file below a directory, in the order of their paths.
    ///
    /// # Errors
    /// The report of everything that there is to say, if there is an error among it; a file that cannot be read is one.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, Report> {
        Self::builder().path(path.as_ref()).build()
    }

    /// The door for several texts, for limits, and for another default namespace.
    pub fn builder() -> ResourcesBuilder {
        ResourcesBuilder::default()
    }

    /// These resources and `other`.
    ///
    /// # Errors
    /// A report, if both have a resource of the same name.
    pub fn merge(self, other: Resources) -> Result<Self, Report> {
        let mut batch = Batch::new(Limits::default(), String::new());
        batch.absorb(self);
        batch.absorb(other);
        let (mut resources, report) = batch.finish();
        if report.has_errors() {
            return Err(report);
        }
        resources.notes = report;
        Ok(resources)
    }

    /// The same with `namespace` as that of all resources which named none. Two resources that become the same by it are
    /// reported in [`Resources::notes`].
    pub fn with_default_namespace(mut self, namespace: &str) -> Self {
        for resource in &mut self.documents {
            let meta = resource.meta_mut();
            if meta.namespace_defaulted {
                namespace.clone_into(&mut meta.namespace);
            }
        }
        let mut batch = Batch::new(Limits::default(), String::new());
        batch.absorb(self);
        let (mut resources, report) = batch.finish();
        resources.notes = report;
        resources
    }

    /// The same with the configuration of the mesh (MeshConfig as YAML) in place of any other.
    ///
    /// # Errors
    /// The report of everything that there is to say about it, if there is an error among it.
    #[cfg(feature = "yaml")]
    pub fn with_mesh_config_yaml(mut self, text: &str) -> Result<Self, Report> {
        let mut read = Self::builder()
            .input(Input::MeshConfig(None, text.to_owned()))
            .build()?;
        self.notes.append(std::mem::take(&mut read.notes));
        self.mesh_config = read.mesh_config;
        Ok(self)
    }
}

fn text_only(format: Format, text: &str) -> ResourcesBuilder {
    Resources::builder().input(Input::Text(format, None, text.to_owned()))
}
