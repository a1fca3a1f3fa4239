//! Files and directories, read quietly: a file that is named is a manifest, and everything wrong with it is told; in a directory
//! manifests are looked for, and what is none is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Input, ReadOptions};
use crate::Resources;
use crate::diagnostic::{Code, Diagnostic, Location, Report};

/// Longest file and deepest directory that are read.
const LONGEST: u64 = 64 << 20;
const DEEPEST: usize = 64;

/// What was found.
pub(super) struct Walked {
    pub resources: Resources,
    pub report: Report,
    pub texts: BTreeMap<String, Arc<str>>,
    /// The names of those that were found in a directory.
    pub found: BTreeSet<String>,
}

/// Why something in a directory is no manifest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Chart,
    Template,
    Kustomization,
    Patch,
    NoResource,
    Unreadable,
}

impl Why {
    /// What so many of them are, and what to do.
    fn told(self, count: usize, first: &str) -> String {
        let (noun, nouns, rest) = match self {
            Why::Chart => (
                "Helm chart is not read",
                "Helm charts are not read",
                ": render it, `helm template DIR | meshroute check -`",
            ),
            Why::Template => (
                "template is not read",
                "templates are not read",
                ": render it first, and give what comes out",
            ),
            Why::Kustomization => (
                "kustomization is not built",
                "kustomizations are not built",
                ": resources are read as they are; for what is applied, `kustomize build DIR | meshroute check -`",
            ),
            Why::Patch => (
                "patch is not read",
                "patches are not read",
                ": `kustomize build DIR | meshroute check -` applies it",
            ),
            Why::NoResource => (
                "file or document is no Kubernetes resource",
                "files or documents are no Kubernetes resources",
                "",
            ),
            Why::Unreadable => ("entry cannot be read", "entries cannot be read", ""),
        };
        match count {
            1 => format!("1 {noun} (`{first}`){rest}"),
            count => format!("{count} {nouns} (the first is `{first}`){rest}"),
        }
    }
}

#[derive(Default)]
struct Walk {
    /// Name, text, and whether it was found in a directory.
    texts: Vec<(String, String, bool)>,
    passed_over: BTreeMap<Why, (usize, String)>,
    patches: BTreeSet<PathBuf>,
    report: Report,
}

pub(super) fn walk(inputs: &[Input], options: &ReadOptions) -> Walked {
    let mut walk = Walk::default();
    for input in inputs {
        match input {
            Input::Text(name, text) => walk.texts.push((name.clone(), text.clone(), false)),
            Input::Path(path) if path.is_dir() => {
                let before = walk.texts.len();
                walk.directory(path, 0);
                if walk.texts.len() == before && walk.passed_over.is_empty() {
                    let message = format!(
                        "there is no `.yaml`, `.yml` or `.json` file below `{}`",
                        path.display()
                    );
                    walk.report
                        .push(Diagnostic::new(Code::UNREADABLE_FILE, message));
                }
            }
            Input::Path(path) => match read(path) {
                Ok(text) => walk.texts.push((name(path), text, false)),
                Err(error) => {
                    let message = format!("cannot read `{}`: {error}", path.display());
                    walk.report
                        .push(Diagnostic::new(Code::UNREADABLE_FILE, message));
                }
            },
        }
    }
    walk.finish(options)
}

fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn read(path: &Path) -> std::io::Result<String> {
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    if meta.len() > LONGEST {
        return Err(std::io::Error::other("it is longer than 64 MiB"));
    }
    std::fs::read_to_string(path)
}

impl Walk {
    fn pass_over(&mut self, why: Why, path: &Path) {
        let entry = self
            .passed_over
            .entry(why)
            .or_insert_with(|| (0, name(path)));
        entry.0 += 1;
    }

    fn directory(&mut self, directory: &Path, depth: usize) {
        let Ok(entries) = std::fs::read_dir(directory) else {
            return self.pass_over(Why::Unreadable, directory);
        };
        if depth > DEEPEST {
            return self.pass_over(Why::Unreadable, directory);
        }
        let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        let is_named = |path: &Path, names: &[&str]| {
            path.file_name()
                .is_some_and(|own| names.iter().any(|name| own == *name))
        };
        if entries
            .iter()
            .any(|path| is_named(path, &["Chart.yaml", "Chart.yml"]))
        {
            return self.pass_over(Why::Chart, directory);
        }
        let kustomization = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
        for path in entries.iter().filter(|path| is_named(path, &kustomization)) {
            self.pass_over(Why::Kustomization, path);
            if let Ok(text) = read(path) {
                self.patches.extend(patches(directory, &text));
            }
        }
        for path in entries {
            let is_hidden = path
                .file_name()
                .is_some_and(|own| own.to_string_lossy().starts_with('.'));
            let Ok(meta) = std::fs::symlink_metadata(&path) else {
                continue;
            };
            if is_hidden || is_named(&path, &kustomization) {
                continue;
            }
            if meta.is_dir() {
                self.directory(&path, depth + 1);
            } else if path
                .extension()
                .is_some_and(|end| end == "yaml" || end == "yml" || end == "json")
                && path.is_file()
            {
                self.file(&path);
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let Ok(text) = read(path) else {
            return self.pass_over(Why::Unreadable, path);
        };
        if !text.contains("apiVersion") || !text.contains("kind") {
            return self.pass_over(Why::NoResource, path);
        }
        let directory = path.parent().and_then(Path::file_name);
        let is_of_patches = directory.is_some_and(|own| own == "patches" || own == "patch");
        if text.contains("$patch") || is_of_patches {
            return self.pass_over(Why::Patch, path);
        }
        // What looks like a template may be one that is rendered elsewhere, such as a Prometheus rule.
        if is_template(&text)
            && !Resources::from_yaml_lenient(&text)
                .1
                .errors()
                .all(is_no_resource)
        {
            return self.pass_over(Why::Template, path);
        }
        self.texts.push((name(path), text, true));
    }

    fn finish(mut self, options: &ReadOptions) -> Walked {
        let patches = std::mem::take(&mut self.patches);
        let (texts, patched): (Vec<_>, Vec<_>) = std::mem::take(&mut self.texts)
            .into_iter()
            .partition(|(name, _, is_found)| !is_found || !patches.contains(Path::new(name)));
        for (name, _, _) in patched {
            self.pass_over(Why::Patch, Path::new(&name));
        }
        let mut reading = Resources::builder().default_namespace(options.namespace.as_str());
        let mut known = BTreeMap::new();
        let mut found = BTreeSet::new();
        for (name, text, is_found) in texts {
            if is_found {
                found.insert(name.clone());
            }
            if known.contains_key(&name) {
                continue;
            }
            let is_json = name.ends_with(".json");
            known.insert(name.clone(), Arc::from(text.as_str()));
            reading = match is_json {
                true => reading.json(&name, text),
                false => reading.yaml(&name, text),
            };
        }
        let (mut resources, report) = reading.build_lenient();
        let mut told = Report::new();
        let mut copies = Vec::new();
        for diagnostic in report {
            if is_alternative(&diagnostic, &found) {
                copies.push(diagnostic);
                continue;
            }
            let file = diagnostic
                .location()
                .and_then(|location| location.file.as_deref());
            let file = file.filter(|file| is_no_resource(&diagnostic) && found.contains(*file));
            match file.map(str::to_owned) {
                Some(file) => self.pass_over(Why::NoResource, Path::new(&file)),
                None => told.push(diagnostic),
            }
        }
        for (why, (count, first)) in &self.passed_over {
            told.push(Diagnostic::new(
                Code::ENTRY_PASSED_OVER,
                why.told(*count, first),
            ));
        }
        told.extend(told_once(&copies));
        resources.notes = Report::new();
        self.report.append(told);
        Walked {
            resources,
            report: self.report,
            texts: known,
            found,
        }
    }
}

/// Whether it says of a resource that another file of a directory has it too: who keeps variants does not apply them together.
fn is_alternative(diagnostic: &Diagnostic, found: &BTreeSet<String>) -> bool {
    let file = |location: Option<&Location>| {
        let file = location.and_then(|location| location.file.clone());
        file.filter(|file| found.contains(&**file))
    };
    let own = file(diagnostic.location());
    let first = diagnostic.related().first();
    let first = file(first.and_then(|related| related.location.as_ref()));
    let (Some(own), Some(first)) = (own, first) else {
        return false;
    };
    diagnostic.code() == Code::DUPLICATE_RESOURCE && own != first
}

/// All of them in one warning.
fn told_once(copies: &[Diagnostic]) -> Option<Diagnostic> {
    let changed: Vec<&Diagnostic> = copies.iter().filter(|one| one.is_error()).collect();
    let first = changed.first()?;
    let resource = first.resource()?;
    let message = format!(
        "{} resources are defined in several files, each in its own way: of each the last counts (the first is `{resource}`)",
        changed.len()
    );
    let summary = Diagnostic::new(Code::DUPLICATE_RESOURCE, message)
        .with_location(first.location().cloned())
        .with_help("check what is applied together: name the files, or one directory at a time");
    Some(first.related().iter().fold(summary, |summary, related| {
        summary.with_related(
            related.resource.clone(),
            &*related.message,
            related.location.clone(),
        )
    }))
}

fn is_no_resource(diagnostic: &Diagnostic) -> bool {
    diagnostic.code() == Code::NOT_A_RESOURCE
}

/// Whether a text has the marks of Helm, envsubst, ytt or another templating tool.
fn is_template(text: &str) -> bool {
    let has_variable = text
        .match_indices("${")
        .any(|(at, _)| text[at + 2..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'));
    text.contains("$(")
        || text.contains("{{")
        || text.contains("(@")
        || text.contains("#@")
        || has_variable
}

/// The files that a kustomization applies as patches: they are parts of resources.
fn patches(directory: &Path, text: &str) -> Vec<PathBuf> {
    let Ok(value) = serde_yaml::from_str::<serde_json::Value>(text) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for list in [
        "patches",
        "patchesStrategicMerge",
        "patchesJson6902",
        "transformers",
        "configurations",
        "replacements",
    ] {
        for entry in value[list].as_array().into_iter().flatten() {
            let file = entry.as_str().or_else(|| entry["path"].as_str());
            let file = file.filter(|file| !file.contains('\n'));
            out.extend(file.map(|file| directory.join(file.trim_start_matches("./"))));
        }
    }
    out
}
