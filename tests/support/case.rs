//! Reading cases: files, archives, directories, includes.

use std::path::{Path, PathBuf};

use super::engine::MET_NEEDS;
use super::{Yaml, archive, list, slices, text};

/// One file of the form `routing-case/v1`, with what it includes.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where it was read from.
    pub file: PathBuf,
    /// The name of its archive or folder.
    pub topic: String,
    /// Its `id`.
    pub id: String,
    /// What a runner must support beyond HTTP routing.
    pub needs: Vec<String>,
    /// Texts of YAML resources, with a name for messages.
    pub resources: Vec<(String, String)>,
    /// Namespace of resources that name none.
    pub default_namespace: String,
    /// MeshConfig overrides, `null` if there are none.
    pub mesh: Yaml,
    /// Whose view.
    pub proxy: Yaml,
    /// The requests.
    pub calls: Vec<Call>,
    /// What admission refuses, `Kind namespace/name`, if the case is about that.
    pub expect_invalid: Option<Vec<String>>,
    /// The answers were recorded from real proxies, so that what is absent was not there.
    pub recorded: bool,
    /// The whole file, for what only some cases have.
    pub raw: Yaml,
}

/// One request and what is expected of it.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// As written.
    pub request: Yaml,
    /// As written.
    pub expect: Yaml,
}

/// Fields of a case that are read here, or only said of it.
const KNOWN: &[&str] = &[
    "schema",
    "id",
    "name",
    "needs",
    "default_namespace",
    "mesh",
    "proxy",
    "include",
    "resources",
    "calls",
    "expect_invalid",
    "expect_clusters",
    "recorded",
    "source",
    "notes",
];

/// Fields of `proxy`.
const KNOWN_OF_PROXY: &[&str] = &[
    "type",
    "namespace",
    "config_namespace",
    "labels",
    "ip",
    "locality",
    "gateway",
];

impl Case {
    /// Fields of it that no runner here knows: what is not read is not checked.
    pub fn unknown_fields(&self) -> impl Iterator<Item = String> {
        let fields = |value: &Yaml, known: &'static [&'static str]| -> Vec<String> {
            let names = value.as_object().into_iter().flatten();
            let names = names.map(|(name, _)| name.clone());
            names
                .filter(|name| !known.contains(&name.as_str()))
                .collect()
        };
        let of_proxy = fields(&self.proxy, KNOWN_OF_PROXY).into_iter();
        let of_proxy = of_proxy.map(|name| format!("proxy.{name}"));
        fields(&self.raw, KNOWN).into_iter().chain(of_proxy)
    }

    /// What it needs and does not get here.
    pub fn unmet_needs(&self) -> impl Iterator<Item = &str> {
        let needs = self.needs.iter().map(String::as_str);
        needs.filter(|need| !MET_NEEDS.contains(need))
    }
}

/// The YAML files and archives at `path`: itself, or all below it in the order of their names.
pub fn files(path: &Path, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        out.push(path.to_owned());
        return Ok(());
    }
    let mut inside: Vec<PathBuf> = std::fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    inside.sort();
    for path in inside {
        let is_yaml = path
            .extension()
            .is_some_and(|ext| ext == "yaml" || ext == "yml");
        if path.is_dir() || is_yaml || archive::topic(&path).is_some() {
            files(&path, out)?;
        }
    }
    Ok(())
}

/// The cases of a file: those of an archive, or the one of a YAML file; none if the file holds something else.
pub fn read(file: &Path) -> Result<Vec<Case>, String> {
    if let Some(topic) = archive::topic(file) {
        let cases = archive::read(file)?.into_iter();
        let cases = cases.filter(|case| case["schema"] == "routing-case/v1");
        return cases.map(|raw| case(file, topic, raw)).collect();
    }
    let content = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let declares = content
        .lines()
        .any(|line| line.trim_end() == "schema: routing-case/v1");
    if !declares {
        return Ok(vec![]);
    }
    let raw: Yaml = serde_yaml::from_str(&content).map_err(|error| error.to_string())?;
    let folder = file.parent().and_then(Path::file_name).unwrap_or_default();
    Ok(vec![case(file, &folder.to_string_lossy(), raw)?])
}

fn case(file: &Path, topic: &str, raw: Yaml) -> Result<Case, String> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut resources = vec![("resources".to_owned(), slices::as_read(&raw))];
    for include in list(&raw, "include").iter().filter_map(Yaml::as_str) {
        let mut paths = Vec::new();
        let at = folder.join(include);
        files(&at, &mut paths).map_err(|error| format!("{}: {error}", at.display()))?;
        for path in paths {
            let content = std::fs::read_to_string(&path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            resources.push((path.display().to_string(), content));
        }
    }
    let texts = |field: &str| -> Vec<String> {
        let elements = list(&raw, field).iter().filter_map(Yaml::as_str);
        elements.map(str::to_owned).collect()
    };
    let calls = list(&raw, "calls").iter().map(|call| Call {
        name: text(call, "name").to_owned(),
        request: call["request"].clone(),
        expect: call["expect"].clone(),
    });
    let reference = |entry: String| entry.split(':').next().unwrap_or("").trim().to_owned();
    Ok(Case {
        file: file.to_owned(),
        topic: topic.to_owned(),
        id: text(&raw, "id").to_owned(),
        needs: texts("needs"),
        resources,
        default_namespace: match text(&raw, "default_namespace") {
            "" => "default".to_owned(),
            said => said.to_owned(),
        },
        mesh: raw["mesh"].clone(),
        proxy: raw["proxy"].clone(),
        calls: calls.collect(),
        expect_invalid: raw["expect_invalid"]
            .is_array()
            .then(|| texts("expect_invalid").into_iter().map(reference).collect()),
        recorded: raw["recorded"].is_object(),
        raw,
    })
}
