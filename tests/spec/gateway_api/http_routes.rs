//! HTTPRoutes and GRPCRoutes as VirtualServices.

use serde_json::json;

use super::backends::{Ineffective, Source, destinations, has_weight};
use super::conditions::{self, of_grpc, of_http};
use super::filters;
use super::listeners::Listener;
use super::parents::{Parent, accepting, hostnames};
use super::{metadata, name, of_kind};
use crate::spec::world::namespace;
use crate::spec::{Yaml, list, text};

/// What a route gives one VirtualService.
struct Part<'a> {
    /// R-G-037: parts of one key are one VirtualService.
    key: String,
    gateway: String,
    host: String,
    route: &'a Yaml,
    rules: Vec<Yaml>,
}

/// R-G-033, R-G-034, R-G-037: the VirtualServices of all routes.
pub(super) fn virtual_services(resources: &[Yaml], listeners: &[Listener]) -> Vec<Yaml> {
    let mut routes: Vec<&Yaml> = of_kind(resources, "HTTPRoute")
        .chain(of_kind(resources, "GRPCRoute"))
        .collect();
    routes.sort_by_key(|route| {
        let created = text(&route["metadata"], "creationTimestamp");
        (created, namespace(route), name(route))
    });
    let parts = routes
        .iter()
        .flat_map(|route| parts(resources, listeners, route));
    let mut groups: Vec<Vec<Part>> = Vec::new();
    for part in parts {
        match groups.iter_mut().find(|group| group[0].key == part.key) {
            Some(group) => group.push(part),
            None => groups.push(vec![part]),
        }
    }
    groups.into_iter().map(joined).collect()
}

/// One VirtualService of its parts, the oldest first.
fn joined(parts: Vec<Part>) -> Yaml {
    let first = &parts[0];
    let parent = |part: &Part| {
        let route = part.route;
        format!(
            "{}/{}.{}",
            text(route, "kind"),
            name(route),
            namespace(route)
        )
    };
    let mut parents: Vec<String> = parts.iter().map(parent).collect();
    parents.dedup();
    let annotations = json!({
        "internal.istio.io/parents": parents.join(","),
        "internal.istio.io/route-semantics": "gateway",
    });
    let mut rules: Vec<Yaml> = parts.iter().flat_map(|part| part.rules.clone()).collect();
    conditions::sort(&mut rules);
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": metadata(first.route, first.key.replace('/', "~"), annotations),
        "spec": {"hosts": [first.host], "gateways": [first.gateway], "http": rules},
    })
}

fn parts<'a>(resources: &[Yaml], listeners: &[Listener], route: &'a Yaml) -> Vec<Part<'a>> {
    let rules = |needs_grants: bool| {
        let source = Source {
            resources,
            route,
            needs_grants,
        };
        // R-G-032
        let mut rules = rules(&source).unwrap_or_default();
        conditions::sort(&mut rules);
        rules
    };
    let (of_gateways, of_mesh) = (rules(true), rules(false));
    let mut out = Vec::new();
    for parent in accepting(resources, listeners, route) {
        let (gateway, prefix, hosts, rules) = match &parent {
            Parent::Listener { .. } => {
                let internal = parent.internal_name();
                (
                    internal.clone(),
                    internal,
                    hostnames(route),
                    of_gateways.clone(),
                )
            }
            Parent::Mesh { hosts, port } => {
                let (mut prefix, mut rules) = (namespace(route).to_owned(), of_mesh.clone());
                if *port != 0 {
                    prefix += &format!("/{port}");
                    rules.iter_mut().for_each(|rule| only_on(rule, *port));
                }
                ("mesh".to_owned(), prefix, hosts.clone(), rules)
            }
        };
        if rules.is_empty() {
            continue;
        }
        for host in hosts.into_iter().filter(|host| parent.may_have(host)) {
            out.push(Part {
                key: format!("{prefix}/{host}"),
                gateway: gateway.clone(),
                host,
                route,
                rules: rules.clone(),
            });
        }
    }
    out
}

/// R-G-034: every match asks for the port.
fn only_on(rule: &mut Yaml, port: u64) {
    match rule["match"].as_array_mut() {
        Some(conditions) => conditions
            .iter_mut()
            .for_each(|one| one["port"] = port.into()),
        None => rule["match"] = json!([{"port": port}]),
    }
}

/// R-G-002, R-G-031: the http rules of a route, one for each match.
fn rules(source: &Source) -> Result<Vec<Yaml>, Ineffective> {
    let route = source.route;
    let is_http = text(route, "kind") == "HTTPRoute";
    let default = json!([{}]);
    let of_route = match &route["spec"]["rules"] {
        Yaml::Null if is_http => default.as_array().map_or(&[][..], Vec::as_slice),
        _ => list(&route["spec"], "rules"),
    };
    let mut out = Vec::new();
    for (at, said) in of_route.iter().enumerate() {
        let called = match text(said, "name") {
            "" => format!("{}.{}.{at}", namespace(route), name(route)),
            named => named.to_owned(),
        };
        let mut rule = json!({"name": called});
        filters::apply(source, list(said, "filters"), &mut rule)?;
        filters::policy(said, &mut rule);
        let backends = list(said, "backendRefs");
        if has_weight(backends) {
            rule["route"] = destinations(source, backends)?.into();
        } else if rule["redirect"].is_null() {
            rule["directResponse"] = json!({"status": 500});
        }
        let conditions: Vec<Yaml> = match (&said["matches"], is_http) {
            (Yaml::Null, true) => vec![of_http(&json!({}))],
            (_, true) => list(said, "matches").iter().map(of_http).collect(),
            (_, false) => list(said, "matches").iter().map(of_grpc).collect(),
        };
        if conditions.is_empty() {
            out.push(rule.clone());
        }
        for condition in conditions {
            rule["match"] = json!([condition]);
            out.push(rule.clone());
        }
    }
    Ok(out)
}
