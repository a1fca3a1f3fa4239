//! By which way the router of a case is made.

use std::collections::HashMap;
use std::path::Path;

use meshroute::Router;

use crate::support::Yaml;
use crate::support::archive;
use crate::support::case::Case;

/// A way.
pub enum Via {
    /// Compiled.
    Yaml,
    /// Read back from what the compiled one writes for an Envoy.
    Envoy,
    /// Read from what istiod sent: the dumps by the names of their cases.
    Xds(HashMap<String, Yaml>),
}

impl Via {
    /// Of the command line.
    pub fn parse(text: &str) -> Result<Self, String> {
        if cfg!(not(feature = "envoy")) {
            return Err("`--via` needs the feature `envoy`".to_owned());
        }
        match text.split_once('=') {
            None if text == "envoy" => Ok(Via::Envoy),
            Some(("xds", folder)) => dumps(Path::new(folder)).map(Via::Xds),
            _ => Err(format!("`--via` takes `envoy` or `xds=DIR`, not `{text}`")),
        }
    }

    /// The router to ask; `None`: there is none for this case.
    pub fn router(&self, case: &Case, compiled: &Router) -> Result<Option<Router>, String> {
        let text = match self {
            Via::Yaml => return Ok(Some(compiled.clone())),
            Via::Envoy => exported(compiled)?,
            Via::Xds(dumps) => match dumps.get(last(&case.id)) {
                Some(dump) => dump.to_string(),
                None => return Ok(None),
            },
        };
        read(&text).map(Some)
    }
}

fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

fn dumps(folder: &Path) -> Result<HashMap<String, Yaml>, String> {
    let entries =
        std::fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut out = HashMap::new();
    for entry in entries {
        let path = entry.map_err(|why| why.to_string())?.path();
        if archive::topic(&path).is_none() {
            continue;
        }
        for dump in archive::read(&path)? {
            let name = dump["case"]
                .as_str()
                .unwrap_or_default()
                .trim_end_matches(".yaml");
            out.insert(last(name).to_owned(), dump);
        }
    }
    Ok(out)
}

#[cfg(feature = "envoy")]
fn exported(router: &Router) -> Result<String, String> {
    serde_json::to_string(&router.to_envoy()).map_err(|why| why.to_string())
}

#[cfg(feature = "envoy")]
fn read(text: &str) -> Result<Router, String> {
    let config =
        meshroute::envoy::EnvoyConfig::from_json(text).map_err(|report| report.to_string())?;
    let (router, report) = Router::from_envoy(&config).map_err(|report| report.to_string())?;
    match report.is_empty() {
        true => Ok(router),
        false => Err(report.to_string()),
    }
}

#[cfg(not(feature = "envoy"))]
fn exported(_: &Router) -> Result<String, String> {
    Err(String::new())
}

#[cfg(not(feature = "envoy"))]
fn read(_: &str) -> Result<Router, String> {
    Err(String::new())
}
