//! What a reading has gathered so far: resources, the mesh's configuration, and everything there is to say.

use super::Limits;
use super::names::Names;
use super::places::Format;
use super::read::Log;
use crate::diagnostic::{Code, Diagnostic, FieldPath, Report, ResourceRef, Severity};
use crate::resource::{Document, MeshConfig, Resource, Resources};
use crate::terms::source::SourceDocument;
use serde::de::Error;
use std::cell::Cell;
use std::rc::Rc;

/// A reading of several texts into one set of resources.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) limits: Limits,
    default_namespace: String,
    resources: Vec<Resource>,
    pub(super) mesh_config: Option<Document<MeshConfig>>,
    report: Report,
    names: Names,
    documents: usize,
    /// Values that the current document may still have.
    pub(super) values: Rc<Cell<usize>>,
    /// Why the current document's reading had to stop, if not for its syntax.
    pub(super) stopped: Option<Code>,
    /// How the current text is written.
    pub(super) format: Format,
    /// What there was to say beyond the limit: the worst of it, and how much.
    omitted: Option<(Severity, usize)>,
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
            format: Format::Yaml,
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
    pub(super) fn log(&self) -> Log {
        Log::new(
            self.format == Format::Yaml,
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
        document: &SourceDocument,
        resource: Option<&ResourceRef>,
    ) -> bool {
        self.stopped = self.stopped.or(log.stopped.get());
        let problems = log.take_problems();
        let mut has_errors = false;
        if problems.is_empty() {
            return has_errors;
        }
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

    /// Takes over what another reading has gathered.
    pub(super) fn absorb(&mut self, resources: Resources) {
        self.report.append(resources.notes);
        for resource in resources.documents {
            self.add(resource);
        }
        self.mesh_config = resources.mesh_config.or(self.mesh_config.take());
    }
}

fn without_source(resource: &Resource) -> Resource {
    let mut copy = resource.clone();
    *copy.source_mut() = SourceDocument::default();
    copy
}

/// Two resources with one name.
fn duplicate(first: &Resource, second: &Resource) -> Diagnostic {
    let name = FieldPath::from("metadata.name");
    let is_copy = without_source(first) == without_source(second);
    let (how, severity) = match is_copy {
        true => ("defined twice, word for word", Severity::Note),
        false => ("defined twice", Code::DUPLICATE_RESOURCE.severity()),
    };
    Diagnostic::new(
        Code::DUPLICATE_RESOURCE,
        format!("`{}` is {how}", second.reference()),
    )
    .with_severity(severity)
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
