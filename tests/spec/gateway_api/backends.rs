//! Where routes go.

use serde_json::json;

use super::filters::header_changes;
use super::grants::{Reference, is_granted};
use super::or;
use crate::spec::world::namespace;
use crate::spec::{Yaml, list, text};

/// A route that is ineffective altogether (R-G-032).
pub(super) struct Ineffective;

/// The route that refers to backends.
pub(super) struct Source<'a> {
    pub(super) resources: &'a [Yaml],
    pub(super) route: &'a Yaml,
    /// R-G-030: references to other namespaces need a grant; not in the mesh.
    pub(super) needs_grants: bool,
}

/// A destination, and whether the reference is one that a status would complain about.
pub(super) struct Destination {
    pub(super) destination: Yaml,
    pub(super) is_bad: bool,
}

/// Weights of backends: 1 unless said.
fn weight(backend: &Yaml) -> u64 {
    backend["weight"].as_u64().unwrap_or(1)
}

/// R-G-044 a.
pub(super) fn has_weight(backends: &[Yaml]) -> bool {
    backends.iter().any(|one| weight(one) > 0)
}

/// R-G-044 b: those that have a weight; one alone has all.
pub(super) fn destinations(source: &Source, backends: &[Yaml]) -> Result<Vec<Yaml>, Ineffective> {
    let weighted: Vec<&Yaml> = backends.iter().filter(|one| weight(one) > 0).collect();
    let mut out = Vec::new();
    for backend in &weighted {
        let mut route = json!({"destination": destination(source, backend)?.destination});
        if weighted.len() > 1 {
            route["weight"] = weight(backend).into();
        }
        let mut headers = json!({});
        for filter in list(backend, "filters") {
            match text(filter, "type") {
                "RequestHeaderModifier" => {
                    headers["request"] = header_changes(&filter["requestHeaderModifier"])?;
                }
                "ResponseHeaderModifier" => {
                    headers["response"] = header_changes(&filter["responseHeaderModifier"])?;
                }
                _ => return Err(Ineffective),
            }
        }
        if headers != json!({}) {
            route["headers"] = headers;
        }
        out.push(route);
    }
    Ok(out)
}

/// R-G-044 c, d, e.
pub(super) fn destination(source: &Source, backend: &Yaml) -> Result<Destination, Ineffective> {
    let own = namespace(source.route);
    let (group, kind) = (or(backend, "group", ""), or(backend, "kind", "Service"));
    let (owner, name) = (or(backend, "namespace", own), text(backend, "name"));
    let nowhere = Destination {
        destination: json!({}),
        is_bad: true,
    };
    let reference = Reference {
        from_kind: text(source.route, "kind"),
        from_namespace: own,
        group,
        kind,
        namespace: owner,
        name,
    };
    if source.needs_grants && !is_granted(source.resources, &reference) {
        return Ok(nowhere);
    }
    let host = match (group, kind) {
        ("", "Service") | ("multicluster.x-k8s.io", "ServiceImport") if name.contains('.') => {
            return Err(Ineffective);
        }
        ("", "Service") | ("multicluster.x-k8s.io", "ServiceImport") => {
            format!("{name}.{owner}.svc.cluster.local")
        }
        ("networking.istio.io", "Hostname") if backend["namespace"].is_string() => {
            return Err(Ineffective);
        }
        ("networking.istio.io", "Hostname") => name.to_owned(),
        _ => return Ok(nowhere),
    };
    let Some(port) = backend["port"].as_u64() else {
        return Err(Ineffective);
    };
    let exists = match kind {
        "Hostname" => has_host(source.resources, name, own),
        _ => source.resources.iter().any(|one| {
            text(one, "kind") == "Service"
                && namespace(one) == owner
                && text(&one["metadata"], "name") == name
        }),
    };
    Ok(Destination {
        destination: json!({"host": host, "port": {"number": port}}),
        is_bad: !exists,
    })
}

/// A service of this namespace has the host.
fn has_host(resources: &[Yaml], host: &str, own: &str) -> bool {
    resources
        .iter()
        .filter(|one| namespace(one) == own)
        .any(|one| match text(one, "kind") {
            "Service" => {
                format!("{}.{own}.svc.cluster.local", text(&one["metadata"], "name")) == host
            }
            "ServiceEntry" => list(&one["spec"], "hosts")
                .iter()
                .any(|known| known == host),
            _ => false,
        })
}
