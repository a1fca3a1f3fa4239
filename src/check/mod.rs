//! A repository of manifests as people have it: read, checked, and seen as each of its proxies sees it. What the command
//! `meshroute` does, as functions.
//!
//! [`Workspace::read`] walks files and directories quietly: what is no manifest (charts, templates, patches, other YAML) is counted
//! in one note each, not reported line by line. [`Workspace::findings`] is everything that there is to say, without what its owner
//! has allowed. [`Workspace::proxies`] are the views that the repository holds. [`mod@format`] writes findings for people and for
//! machines; what comes from the input is data there, whatever it looks like.

mod allowed;
mod assumed;
mod explained;
pub mod format;
pub mod graph;
mod plain;
mod proxies;
pub mod routes;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Report, Severity};
use crate::lint::lint;
use crate::{Mesh, Options, Resources};

pub use allowed::Allowed;
pub use explained::Explained;
pub use plain::plain;
pub use proxies::View;
pub use routes::Routes;

/// How a repository is read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The namespace of resources that name none; `default`.
    pub namespace: String,
    /// The domain that completes short host names; `cluster.local`.
    pub cluster_domain: String,
    /// What is named is taken for existing: services, with port 80 and the ports that are named, and Gateways, for every host on port
    /// 80. The report says how many were assumed.
    pub assume: bool,
    /// Two resources of one name are an error; else a warning, and the last one counts, as `kubectl apply` has it.
    pub duplicates_are_errors: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions {
            namespace: "default".to_owned(),
            cluster_domain: Options::default().cluster_domain,
            assume: false,
            duplicates_are_errors: false,
        }
    }
}

/// What is read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input {
    /// A file, which is to be a manifest, or a directory, in which manifests are looked for.
    Path(PathBuf),
    /// A text of YAML documents, and the name that findings give it.
    Text(String, String),
}

/// Manifests that were read together. Cheap to clone but for its reports.
#[derive(Clone)]
pub struct Workspace {
    resources: Resources,
    mesh: Mesh,
    report: Report,
    texts: Arc<BTreeMap<String, Arc<str>>>,
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace")
            .field("resources", &self.resources)
            .field("report", &self.report.len())
            .finish_non_exhaustive()
    }
}

impl Workspace {
    /// Reads and resolves everything that can be, and remembers what there is to say.
    pub fn read(inputs: &[Input], options: &ReadOptions) -> Self {
        let mut walked = walk::walk(inputs, options);
        if options.assume {
            let text = assumed::assumed(&walked.resources, options);
            let (assumed, report) = Resources::builder().json("<assumed>", text).build_lenient();
            let count = assumed.documents.len();
            let message = format!(
                "{count} services and Gateways are named and not given, and are assumed to exist"
            );
            walked.report.append(report);
            walked.report.push(Diagnostic::new(Code::ASSUMED, message));
            walked.resources.documents.extend(assumed.documents);
        }
        let resolving = Options::default().with_cluster_domain(options.cluster_domain.as_str());
        let (mesh, report) = Mesh::resolve_with(walked.resources.clone(), &resolving);
        let mut all = walked.report;
        all.append(report);
        Workspace {
            mesh,
            report: all
                .into_iter()
                .map(|one| weighed(one, options, &walked.found))
                .collect(),
            resources: walked.resources,
            texts: Arc::new(walked.texts),
        }
    }

    /// What was read.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// What it resolves to, without what has errors.
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// What reading and resolving say; nothing is left out.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// How many texts were read.
    pub fn files(&self) -> usize {
        self.texts.len()
    }

    /// Everything that there is to say, reading, resolving and lints, each once, in the order of files and lines, without what
    /// `allowed`, a comment or an annotation allows.
    ///
    /// A comment `# meshroute: allow(MR0305)` at the end of the line of a finding or on the lines before it, or at the head of the
    /// document, allows a code; so do the annotations `meshroute.io/allow: MR0305` and, with istioctl's codes,
    /// `galley.istio.io/analyze-suppress`. Errors are never allowed away.
    pub fn findings(&self, allowed: &Allowed) -> Report {
        let mut report = self.report.clone();
        report.append(self.resources.locate(lint(&self.mesh)));
        let mut seen = std::collections::HashSet::new();
        let all: Vec<Diagnostic> = report
            .into_iter()
            .filter(|one| seen.insert(one.clone()))
            .collect();
        let all = all.into_iter().filter(|one| {
            one.is_error()
                || !(allowed.has(one.code())
                    || allowed::is_allowed_by_owner(one, &self.resources, &self.texts))
        });
        let mut report: Report = all.collect();
        report.sort_by_location();
        report
    }
}

/// A finding with the weight that it has for a repository.
fn weighed(one: Diagnostic, options: &ReadOptions, found: &BTreeSet<String>) -> Diagnostic {
    let file = one.location().and_then(|location| location.file.as_deref());
    let is_found = file.is_some_and(|file| found.contains(file));
    match one.code() {
        // What is filled in before it is applied.
        Code::INVALID_NAME | Code::INVALID_HOST if is_found && has_placeholder(one.message()) => {
            one.with_severity(Severity::Note)
                .with_help("it looks like a placeholder: fill it in first, and give what comes out")
        }
        // Said of each answer that it may change, by `explain`.
        Code::KIND_NOT_EVALUATED => one.with_severity(Severity::Note),
        Code::DUPLICATE_RESOURCE if one.is_error() && !options.duplicates_are_errors => {
            one.with_severity(Severity::Warning)
        }
        _ => one,
    }
}

/// Whether a text that is quoted in a message has the marks of a template: `{{ x }}`, `$(X)`, `${X}`, `NAME_PLACEHOLDER`.
fn has_placeholder(message: &str) -> bool {
    const SHORTEST: usize = 6;
    let words = message.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let mut words = words.filter(|word| word.len() >= SHORTEST);
    let in_capitals = words.any(|word| {
        word.starts_with(|c: char| c.is_ascii_uppercase())
            && word
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    });
    in_capitals || ["{{", "$(", "${"].iter().any(|mark| message.contains(mark))
}
