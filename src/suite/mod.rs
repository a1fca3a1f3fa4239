//! Routing tests: requests and where they are to go, one a line, in files beside the manifests.
//!
//! ```yaml
//! # shop.route.yaml
//! manifests: [../deploy]
//! via: infra/public                 # a Gateway; or `mesh`, or `mesh from NAMESPACE`
//! routes:
//!   GET shop.example.com/cart:                    cart:8080
//!   GET shop.example.com/cart x-user=jane:        cart:8080/next        # host, port, subset
//!   GET https://shop.example.com/old/7:           301 https://shop.example.com/new/7
//!   GET shop.example.com/nowhere:                 404
//!   GET reviews:9080/ via mesh from shop:         {reviews/v1: 80, reviews/v2: 20}
//! never: [PassthroughCluster, BlackHoleCluster, missing, unknown-subset]
//! ```
//!
//! A key is a method, a URL (without a scheme: `http`), header values `name=value` (in `'...'` if they hold spaces), and, where it is
//! another than that of the file, `via`. A value is a destination `host[:port][/subset]` (a host without dots is the first label of
//! the service's), a map of destinations to percentages, a status, a status with the location, or the name of a cluster that is
//! no service's. `never` names clusters, `missing` for any that does not exist, and [codes](crate::diagnostic::Code) that must
//! not be found in the manifests.
//!
//! Files of istio-config-validator (`testCases`) are read as they are, with the manifests that the caller names.
//!
//! [`Suite::read`] reads a file, [`Suite::run`] asks, [`record`] writes a suite of today's answers, [`junit`] writes what came out for
//! build servers.

mod coverage;
mod expected;
mod junit;
mod line;
mod record;
mod run;
mod validator;

use std::path::{Path, PathBuf};

use serde_yaml::Value;

use expected::Expected;
use line::Line;

pub use coverage::Coverage;
pub use junit::junit;
pub use record::record;
pub use run::{Failure, Outcome};

/// Routing tests of one file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Suite {
    /// The file.
    pub file: PathBuf,
    /// What is read, relative to the directory of the file; empty: what the caller reads.
    pub manifests: Vec<PathBuf>,
    tests: Vec<Test>,
    never: Vec<String>,
}

/// One line.
#[derive(Clone, Debug)]
struct Test {
    name: String,
    /// From 1.
    line: usize,
    request: Line,
    expected: Expected,
    /// What is expected must not be the answer.
    is_negated: bool,
}

impl Suite {
    /// Whether a file of this name holds routing tests: `*.route.yaml`, `*.route.yml`; those of istio-config-validator
    /// (`*_test.yaml`, `*_test.yml`).
    pub fn is_named_so(path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        [".route.yaml", ".route.yml", "_test.yaml", "_test.yml"]
            .iter()
            .any(|end| name.ends_with(end))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// What is wrong with it, with the line as far as it is known.
    pub fn read(file: &Path, text: &str) -> Result<Self, String> {
        let at = |why: String| format!("{}: {why}", file.display());
        let mut suite = Suite {
            file: file.to_owned(),
            manifests: Vec::new(),
            tests: Vec::new(),
            never: Vec::new(),
        };
        for document in serde_yaml::Deserializer::from_str(text) {
            let value: Value =
                serde::Deserialize::deserialize(document).map_err(|error| at(error.to_string()))?;
            if value.is_null() {
                continue;
            }
            match value.get("testCases") {
                Some(cases) => validator::read(cases, &mut suite.tests).map_err(at)?,
                None => suite.document(&value, text).map_err(at)?,
            }
        }
        if suite.tests.is_empty() {
            return Err(at(
                "there is no test: write `routes:` with one test a line".to_owned()
            ));
        }
        Ok(suite)
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        self.tests.len()
    }

    /// Whether there is no test.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    fn document(&mut self, value: &Value, text: &str) -> Result<(), String> {
        let Value::Mapping(fields) = value else {
            return Err(
                "a suite is a mapping with `manifests`, `via`, `routes` and `never`".to_owned(),
            );
        };
        let mut via = None;
        for (key, value) in fields {
            match key.as_str().unwrap_or_default() {
                "manifests" => self
                    .manifests
                    .extend(texts(value, "manifests")?.into_iter().map(PathBuf::from)),
                "via" => {
                    let said = value
                        .as_str()
                        .ok_or("`via` is a text: a Gateway, `mesh` or `mesh from NAMESPACE`")?;
                    via = Some(said.to_owned());
                }
                "never" => self.never.extend(texts(value, "never")?),
                "routes" => {}
                other => {
                    let known = ["manifests", "via", "routes", "never"];
                    let near = crate::diagnostic::nearest(other, known);
                    let near =
                        near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                    return Err(format!("there is no field `{other}`{near}"));
                }
            }
        }
        let routes = value.get("routes");
        let Some(Value::Mapping(routes)) = routes else {
            return Err("`routes` is a mapping from requests to destinations".to_owned());
        };
        for (key, value) in routes {
            let name = key.as_str().ok_or("a request is a text: `GET host/path`")?;
            let line = text
                .lines()
                .position(|line| line.contains(name))
                .map_or(0, |at| at + 1);
            let told = |why: String| format!("line {line}: `{name}`: {why}");
            let mut request = Line::read(name).map_err(told)?;
            request.via = request.via.or_else(|| via.clone());
            self.tests.push(Test {
                name: name.to_owned(),
                line,
                request,
                expected: Expected::read(value).map_err(told)?,
                is_negated: false,
            });
        }
        Ok(())
    }
}

/// A text, or a list of them.
fn texts(value: &Value, field: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("`{field}` is a list of texts");
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Sequence(all) => {
            let all = all
                .iter()
                .map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong));
            all.collect()
        }
        _ => Err(wrong()),
    }
}
