//! What a reading has gathered so far: resources, the mesh's configuration, and everything there is to say.

use super::Limits;
use super::names::Names;
use super::places::Format;
use super::read::{Log, Reader, Slot};
use crate::diagnostic::{Code, Diagnostic, FieldPath, Location, Report, ResourceRef, Severity};
use crate::resource::{Document, MeshConfig, Metadata, Resource, Resources};
use crate::terms::source::{Source, SourceDocument};
use serde::de::{DeserializeSeed, Error};
use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

/// A reading of several texts into one set of resources.
#[derive(Debug)]
pub(super) struct Batch {
    limits: Limits,
    default_namespace: String,
    resources: Vec<Resource>,
    mesh_config: Option<Document<MeshConfig>>,
    report: Report,
    names: Names,
    documents: usize,
    /// Values that the current document may still have.
    values: Rc<Cell<usize>>,
    /// Why the current document's reading had to stop, if not for its syntax.
    stopped: Option<Code>,
    /// What there was to say beyond the limit: the worst of it, and how much.
    omitted: Option<(Severity, usize)>,
}

/// The place of the document that is read.
#[derive(Clone, Debug)]
pub(super) struct Place {
    source: Arc<Source>,
    format: Format,
    bytes: Range<usize>,
    line: u32,
    within: Option<Arc<FieldPath>>,
}

impl Place {
    pub(super) fn new(
        source: &Arc<Source>,
        format: Format,
        bytes: Range<usize>,
        line: u32,
    ) -> Self {
        Self {
            source: Arc::clone(source),
            format,
            bytes,
            line,
            within: None,
        }
    }

    /// The same document, of which the element at `within` is read.
    pub(super) fn at(&self, within: FieldPath) -> Self {
        Self {
            within: Some(Arc::new(within)),
            ..self.clone()
        }
    }

    /// The path of the resource within the document.
    pub(super) fn within(&self) -> FieldPath {
        self.within.as_deref().cloned().unwrap_or_default()
    }

    pub(super) fn file(&self) -> Option<&str> {
        self.source.file().map(|file| &**file)
    }

    pub(super) fn document(&self) -> SourceDocument {
        SourceDocument::new(
            Arc::clone(&self.source),
            self.bytes.clone(),
            self.line,
            self.within.clone(),
        )
    }

    /// A place that an error of the reader tells, counted from the beginning of the document.
    pub(super) fn location(&self, line: usize, column: usize) -> Location {
        let line = u32::try_from(line.max(1)).unwrap_or(u32::MAX);
        let column = u32::try_from(column.max(1)).unwrap_or(u32::MAX);
        self.source
            .location(self.bytes.start, self.line, line, column)
    }
}

impl Batch {
    pub(super) fn new(limits: Limits, default_namespace: String) -> Self {
        Self {
            limits,
            default_namespace,
            resources: Vec::new(),
            mesh_config: None,
            report: Report::new(),
            names: Names::default(),
            documents: 0,
            values: Rc::default(),
            stopped: None,
            omitted: None,
        }
    }

    /// What was read, and what there is to say about it.
    pub(super) fn finish(self) -> (Resources, Report) {
        let mut resources = Resources::new();
        resources.documents = self.resources;
        resources.mesh_config = self.mesh_config;
        let mut report = self.report;
        if let Some((worst, count)) = self.omitted {
            let message = format!("{count} more problems in everything that was read");
            report.push(Diagnostic::new(Code::TOO_MANY_PROBLEMS, message).with_severity(worst));
        }
        (resources, report)
    }

    pub(super) fn default_namespace(&self) -> &str {
        &self.default_namespace
    }

    /// Adds what there is to say, up to the limit.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        if self.report.len() < self.limits.problems {
            return self.report.push(diagnostic);
        }
        self.omit(diagnostic.severity());
    }

    fn omit(&mut self, severity: Severity) {
        let (worst, count) = self.omitted.unwrap_or((severity, 0));
        self.omitted = Some((worst.min(severity), count + 1));
    }

    /// Adds a resource; a later one takes the place of an earlier one of the same name, as applying both would.
    pub(super) fn add(&mut self, resource: Resource) {
        match self.names.position_or_insert(&resource, &self.resources) {
            None => self.resources.push(resource),
            Some(position) => {
                if self.report.len() < self.limits.problems {
                    self.report
                        .push(duplicate(&self.resources[position], &resource));
                } else {
                    self.omit(Severity::Error);
                }
                self.resources[position] = resource;
            }
        }
    }

    /// The log of a document's reading.
    pub(super) fn log(&self, place: &Place) -> Log {
        Log::new(
            place.format == Format::Yaml,
            Rc::clone(&self.values),
            self.limits.list_length,
        )
    }

    pub(super) fn count_document<E: Error>(&mut self, log: &Log) -> Result<(), E> {
        if self.documents >= self.limits.documents {
            return Err(log.stop(Code::TOO_MANY_DOCUMENTS));
        }
        self.documents += 1;
        Ok(())
    }

    /// Reports what a log holds, and says whether there is an error among it.
    pub(super) fn report_problems(
        &mut self,
        log: &Log,
        place: &Place,
        resource: Option<&ResourceRef>,
    ) -> bool {
        self.stopped = self.stopped.or(log.stopped.get());
        let problems = log.take_problems();
        let mut has_errors = false;
        if problems.is_empty() {
            return has_errors;
        }
        let document = place.document();
        let mut say = |diagnostic: Diagnostic, path: &FieldPath, about_key| {
            has_errors |= diagnostic.is_error();
            if self.report.len() >= self.limits.problems {
                return self.omit(diagnostic.severity());
            }
            let location = if about_key {
                document.locate_key(path)
            } else {
                document.locate(path)
            };
            let diagnostic = diagnostic.with_field(path).with_location(location);
            self.report.push(match resource {
                Some(resource) => diagnostic.with_resource(resource.clone()),
                None => diagnostic,
            });
        };
        for problem in problems {
            let mut diagnostic = Diagnostic::new(problem.code, problem.message);
            if let Some(help) = problem.help {
                diagnostic = diagnostic.with_help(help);
            }
            say(diagnostic, &problem.path, problem.about_key);
        }
        if log.omitted.get() > 0 {
            let message = format!("{} more problems in this document", log.omitted.get());
            let severity = log.worst_omitted.get().unwrap_or(Severity::Error);
            say(
                Diagnostic::new(Code::TOO_MANY_PROBLEMS, message).with_severity(severity),
                &FieldPath::root(),
                false,
            );
        }
        has_errors
    }

    /// Whether the text is small enough to be read.
    fn admits(&mut self, source: &Source) -> bool {
        let (length, limit) = (source.text().len(), self.limits.bytes);
        if length > limit {
            let message = format!("the input has {length} bytes, more than the limit of {limit}");
            let mut location = Location::new(1, 1);
            location.file = source.file().cloned();
            self.push(Diagnostic::new(Code::INPUT_TOO_LARGE, message).with_location(location));
        }
        length <= limit
    }

    /// Reads a text of YAML documents.
    #[cfg(feature = "yaml")]
    pub(super) fn read_yaml(&mut self, source: Arc<Source>) {
        if !self.admits(&source) {
            return;
        }
        for chunk in super::split::Chunks::new(source.text()) {
            let place = Place::new(&source, Format::Yaml, chunk.bytes, chunk.line);
            self.read_yaml_document(&place);
            if self.stopped.take() == Some(Code::TOO_MANY_DOCUMENTS) {
                return;
            }
        }
    }

    #[cfg(feature = "yaml")]
    fn read_yaml_document(&mut self, place: &Place) {
        let text = &place.source.text()[place.bytes.clone()];
        let limit = self.limits.document_bytes;
        if text.len() > limit {
            let length = text.len();
            let message =
                format!("the document has {length} bytes, more than the limit of {limit}");
            let help = "divide it into several documents, write it as JSON, or raise `Limits::document_bytes`";
            let diagnostic = Diagnostic::new(Code::INPUT_TOO_LARGE, message).with_help(help);
            return self.push(diagnostic.with_location(place.location(1, 1)));
        }
        if self.is_refused(text, place) {
            return;
        }
        self.values
            .set(text.len().saturating_add(self.limits.expansion));
        for document in serde_yaml::Deserializer::from_str(text) {
            if let Err(error) = (super::document::DocumentSeed {
                batch: self,
                place: place.clone(),
            })
            .deserialize(document)
            {
                self.yaml_error(&error, place);
                return;
            }
        }
    }

    #[cfg(feature = "yaml")]
    fn yaml_error(&mut self, error: &serde_yaml::Error, place: &Place) {
        let text = &place.source.text()[place.bytes.clone()];
        if let (None, Some(found)) = (self.stopped, super::characters::template(text)) {
            return self.refuse(found, place);
        }
        let (line, column) = error
            .location()
            .map_or((1, 1), |at| (at.line(), at.column()));
        self.syntax_error(&error.to_string(), place.location(line, column), place.line);
    }

    /// Reads a text of JSON documents: one, a list of them, or several one after the other.
    pub(super) fn read_json(&mut self, source: Arc<Source>) {
        if !self.admits(&source) {
            return;
        }
        let text = source.text();
        let (mut start, mut line) = (0, 1_u32);
        self.values.set(usize::MAX);
        loop {
            let blank = text[start..].bytes().take_while(u8::is_ascii_whitespace);
            let (blank, lines) = blank.fold((0, 0), |(count, lines), byte| {
                (count + 1, lines + u32::from(byte == b'\n'))
            });
            start += blank;
            line = line.saturating_add(lines);
            if start >= text.len() {
                return;
            }
            let place = Place::new(&source, Format::Json, start..text.len(), line);
            if let Some(refusal) = super::nesting::json(&text[start..]) {
                return self.too_deep(&refusal, &place);
            }
            let mut reader = serde_json::Deserializer::from_str(&text[start..]);
            let seed = super::document::DocumentSeed {
                batch: self,
                place: place.clone(),
            };
            if let Err(error) = seed.deserialize(&mut reader) {
                self.json_error(&error, &place, start);
                return;
            }
            let length = reader.into_iter::<serde::de::IgnoredAny>().byte_offset();
            let lines = memchr::memchr_iter(b'\n', &text.as_bytes()[start..start + length]).count();
            line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
            start += length;
        }
    }

    fn json_error(&mut self, error: &serde_json::Error, place: &Place, start: usize) {
        let text = &place.source.text()[..start];
        let before = text
            .rsplit('\n')
            .next()
            .map_or(0, |line| line.chars().count());
        let column = if error.line() <= 1 {
            before + error.column()
        } else {
            error.column()
        };
        self.syntax_error(
            &error.to_string(),
            place.location(error.line(), column),
            place.line,
        );
    }

    fn syntax_error(&mut self, error: &str, location: Location, first_line: u32) {
        let code = match self.stopped {
            Some(code) => code,
            None if error.contains("recursion limit exceeded") => Code::TOO_DEEP,
            None if error.contains("repetition limit exceeded") => Code::TOO_MANY_VALUES,
            None => Code::SYNTAX,
        };
        let message = match code {
            Code::SYNTAX => super::syntax::message(error, first_line),
            Code::TOO_DEEP => "the document is nested more than 128 levels deep".to_owned(),
            Code::TOO_MANY_VALUES => "the document's aliases expand to too many values".to_owned(),
            Code::LIST_TOO_LONG => {
                format!("a list has more than {} elements", self.limits.list_length)
            }
            Code::TOO_MANY_DOCUMENTS => format!(
                "the input has more than {} documents",
                self.limits.documents
            ),
            _ => error.to_owned(),
        };
        let help =
            (code == Code::SYNTAX).then(|| super::syntax::help(error, location.source.as_deref()));
        let mut diagnostic = Diagnostic::new(code, message).with_location(location);
        if let Some(help) = help.flatten() {
            diagnostic = diagnostic.with_help(help);
        }
        self.push(diagnostic);
    }

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
        let place = Place::new(&source, format, 0..source.text().len(), 1);
        self.values
            .set(text.len().saturating_add(self.limits.expansion));
        let log = self.log(&place);
        let seed = Slot::<MeshConfig>::new(Reader::new(&log));
        #[cfg(feature = "yaml")]
        let spec = seed
            .deserialize(serde_yaml::Deserializer::from_str(source.text()))
            .map_err(|error| self.yaml_error(&error, &place));
        #[cfg(not(feature = "yaml"))]
        let spec = seed
            .deserialize(&mut serde_json::Deserializer::from_str(source.text()))
            .map_err(|error| self.json_error(&error, &place, 0));
        let reference = ResourceRef::new("MeshConfig", "", "mesh");
        let has_errors = self.report_problems(&log, &place, Some(&reference));
        self.stopped = None;
        let (Ok(spec), false) = (spec, has_errors) else {
            return;
        };
        let mut document = Document::new(Metadata::new("", "mesh"), spec);
        document.source = place.document();
        if let Some(first) = &self.mesh_config {
            let message = "the mesh is configured twice; the later configuration is used";
            self.report.push(
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

    /// Takes over what another reading has gathered.
    pub(super) fn absorb(&mut self, resources: Resources) {
        self.report.append(resources.notes);
        for resource in resources.documents {
            self.add(resource);
        }
        self.mesh_config = resources.mesh_config.or(self.mesh_config.take());
    }
}

/// Two resources with one name.
fn duplicate(first: &Resource, second: &Resource) -> Diagnostic {
    let name = FieldPath::from("metadata.name");
    Diagnostic::new(
        Code::DUPLICATE_RESOURCE,
        format!("`{}` is defined twice", second.reference()),
    )
    .with_resource(second.reference())
    .with_field(&name)
    .with_location(second.source().locate(&name))
    .with_related(
        first.reference(),
        "the first definition",
        first.source().locate(&name),
    )
    .with_help("remove one of the two; a cluster keeps the one that is applied last")
}
