//! The resources that hold, and the router that they make. A change that makes no router changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meshroute::envoy::EnvoyConfig;
use meshroute::{Report, Router};
use serde_json::Value;

use crate::types::{self, KINDS, Kind, TypeError};

/// A resource that holds.
#[derive(Clone, Debug)]
struct Resource {
    version: Arc<str>,
    json: Arc<str>,
    /// The resources of other kinds that it needs.
    needs: Arc<[(Kind, String)]>,
}

type Resources = BTreeMap<(Kind, String), Resource>;

/// What a control plane says about resources of one kind.
#[derive(Clone, Debug)]
pub struct Change {
    /// The kind.
    pub kind: Kind,
    /// Resources that come or change: version, and the bytes of the message.
    pub put: Vec<(String, Vec<u8>)>,
    /// Names of resources that go.
    pub removed: Vec<String>,
    /// Those that are not put are gone, too: of kinds of which all are wanted, in the state of the world.
    pub replaces_all: bool,
}

/// Why a change is refused: nothing of it holds.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A resource is no message, or of no name.
    #[error(transparent)]
    Type(#[from] TypeError),
    /// A resource has no name.
    #[error("a {0} has no name")]
    NoName(&'static str),
    /// The resources make no router.
    #[error("{0}")]
    Report(Report),
}

/// What holds, and what it makes.
#[derive(Debug, Default)]
pub struct Table {
    held: Resources,
    router: Option<Router>,
    warnings: Report,
    is_warming: bool,
}

impl Table {
    /// Takes a change in. Where something is missing that the resources name, the router before goes on to serve until it
    /// comes, as an Envoy warms listeners and clusters; what is there is checked at once all the same.
    ///
    /// # Errors
    /// Where a resource cannot be read, or an Envoy or the router would not take it: the table stays as it was.
    ///
    /// # Complexity
    /// The messages of the change are turned into JSON; the router is read from all that holds.
    pub fn apply(&mut self, change: &Change) -> Result<(), Refusal> {
        let mut held = self.held.clone();
        if change.replaces_all {
            held.retain(|(kind, _), _| *kind != change.kind);
        }
        for name in &change.removed {
            // Envoy forgets routes and endpoints only with what names them.
            if change.kind.is_wildcard() {
                held.remove(&(change.kind, name.clone()));
            }
        }
        for (version, bytes) in &change.put {
            let json = types::to_json(change.kind, bytes)?;
            let value: Value = serde_json::from_str(&json).map_err(|why| TypeError::Bytes {
                kind: change.kind.message().to_owned(),
                why: why.to_string(),
            })?;
            let name = name(change.kind, &value).ok_or(Refusal::NoName(change.kind.message()))?;
            let resource = Resource {
                version: version.as_str().into(),
                json: json.into(),
                needs: needs(change.kind, &value).into(),
            };
            held.insert((change.kind, name), resource);
        }
        let wanted = wanted(&held);
        held.retain(|key, _| key.0.is_wildcard() || wanted.contains(key));
        let is_warming = wanted.iter().any(|key| !held.contains_key(key));
        let (router, warnings) = read(&held, &wanted).map_err(Refusal::Report)?;
        self.held = held;
        self.is_warming = is_warming;
        if !is_warming {
            self.router = Some(router);
            self.warnings = warnings;
        }
        Ok(())
    }

    /// Serves what there is, whatever is missing: what an Envoy does when it has waited long enough. A listener without its
    /// routes answers 404.
    pub fn stop_warming(&mut self) {
        if let (true, Ok((router, warnings))) =
            (self.is_warming, read(&self.held, &wanted(&self.held)))
        {
            self.router = Some(router);
            self.warnings = warnings;
            self.is_warming = false;
        }
    }

    /// The router that serves: of the last complete state that was not refused.
    pub fn router(&self) -> Option<&Router> {
        self.router.as_ref()
    }

    /// What is said of its resources that may change what becomes of requests and is not looked at.
    pub fn warnings(&self) -> &Report {
        &self.warnings
    }

    /// Whether something is missing that the resources name.
    pub fn is_warming(&self) -> bool {
        self.is_warming
    }

    /// The names of the resources of a kind that others name.
    pub fn wanted(&self, kind: Kind) -> BTreeSet<String> {
        let wanted = wanted(&self.held).into_iter();
        wanted
            .filter(|(of, _)| *of == kind)
            .map(|(_, name)| name)
            .collect()
    }

    /// Names and versions of the resources of a kind that hold.
    pub fn versions(&self, kind: Kind) -> impl Iterator<Item = (&str, &str)> {
        let held = self.held.iter();
        held.filter(move |((of, _), _)| *of == kind)
            .map(|((_, name), resource)| (name.as_str(), &*resource.version))
    }
}

fn wanted(held: &Resources) -> BTreeSet<(Kind, String)> {
    let needs = held.values().flat_map(|resource| resource.needs.iter());
    needs.cloned().collect()
}

/// The router of what holds. Routes that are missing are none.
fn read(held: &Resources, wanted: &BTreeSet<(Kind, String)>) -> Result<(Router, Report), Report> {
    let mut text = String::from("{");
    for (at, kind) in KINDS.into_iter().enumerate() {
        let list = match kind {
            Kind::Cluster => "clusters",
            Kind::Endpoints => "endpoints",
            Kind::Listener => "listeners",
            Kind::Routes => "routes",
        };
        let comma = if at == 0 { "" } else { "," };
        text.push_str(&format!("{comma}\"{list}\":["));
        let of_kind = held.iter().filter(|((of, _), _)| *of == kind);
        let there = of_kind.map(|(_, resource)| resource.json.to_string());
        let missing = wanted
            .iter()
            .filter(|key| kind == Kind::Routes && key.0 == kind && !held.contains_key(*key));
        let missing = missing
            .map(|(_, name)| serde_json::json!({"name": name, "virtualHosts": []}).to_string());
        let all: Vec<String> = there.chain(missing).collect();
        text.push_str(&all.join(","));
        text.push(']');
    }
    text.push('}');
    Router::from_envoy(&EnvoyConfig::from_json(&text)?)
}

fn name(kind: Kind, value: &Value) -> Option<String> {
    let field = match kind {
        Kind::Endpoints => "clusterName",
        Kind::Cluster | Kind::Listener | Kind::Routes => "name",
    };
    Some(value[field].as_str()?.to_owned())
}

fn needs(kind: Kind, value: &Value) -> Vec<(Kind, String)> {
    let mut all = Vec::new();
    match kind {
        Kind::Cluster if value["type"] == "EDS" => {
            let service = value["edsClusterConfig"]["serviceName"].as_str();
            let service = service.or(value["name"].as_str()).unwrap_or_default();
            all.push((Kind::Endpoints, service.to_owned()));
        }
        Kind::Listener => routes_of(value, &mut all),
        Kind::Cluster | Kind::Endpoints | Kind::Routes => {}
    }
    all
}

/// The route configurations that a listener's connection managers name.
fn routes_of(value: &Value, all: &mut Vec<(Kind, String)>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = fields
                .get("rds")
                .and_then(|rds| rds["routeConfigName"].as_str())
            {
                all.push((Kind::Routes, name.to_owned()));
            }
            fields.values().for_each(|field| routes_of(field, all));
        }
        Value::Array(list) => list.iter().for_each(|element| routes_of(element, all)),
        _ => {}
    }
}
