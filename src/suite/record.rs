//! A suite of today's answers.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::expected::shares;
use super::line::Line;
use crate::check::{View, Workspace};
use crate::router::{Cluster, ClusterKind, Listener, Rule, VirtualHost};
use crate::terms::condition::{Condition, PathMatch, ValueMatch};
use crate::terms::request::Tls;
use crate::{Compiler, Connection, Request, Router};

/// A request that should come to a rule, as a line of a suite; `None`: none can be made, for a regex or a claim is asked for.
pub(super) fn request_for(listener: &Listener, host: &VirtualHost, rule: &Rule) -> Option<String> {
    let domain = host.domains().find(|domain| !domain.starts_with('*'));
    let wild = || {
        let domain = host.domains().next()?;
        Some(format!(
            "any{}",
            domain
                .strip_prefix('*')
                .filter(|rest| !rest.is_empty())
                .unwrap_or(".example")
        ))
    };
    let name = domain.map(str::to_owned).or_else(wild)?;
    let name = crate::terms::host::without_port(&name);
    let matches = rule.matches();
    let mut path = match &matches.path {
        PathMatch::Prefix { value, .. } => value.to_string(),
        PathMatch::SeparatedPrefix(prefix) => prefix.as_str().to_owned(),
        PathMatch::Exact { value, .. } => value.to_string(),
        PathMatch::Regex(_) => return None,
    };
    let mut method = "GET".to_owned();
    let mut authority = match listener.port() {
        80 | 0 => name.to_owned(),
        port => format!("{name}:{port}"),
    };
    let mut headers = Vec::new();
    let mut query = Vec::new();
    for condition in &matches.conditions {
        let text = |test: &ValueMatch| match test {
            ValueMatch::Present => Some("1".to_owned()),
            ValueMatch::Exact(text) | ValueMatch::Prefix(text) => Some(text.to_string()),
            _ => None,
        };
        match condition {
            Condition::Header(header) if header.invert => {}
            Condition::Header(header) => match (&*header.name, text(&header.test)?) {
                (":method", value) => method = value,
                (":authority", value) => authority = value,
                (name, _) if name.starts_with(':') => return None,
                (name, value) => headers.push(format!("{name}={}", quoted(&value))),
            },
            Condition::Query(one) => query.push(format!("{}={}", one.key, text(&one.test)?)),
            Condition::Claim(_) => return None,
        }
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let line = format!("{method} {authority}{path} {}", headers.join(" "));
    Some(line.trim_end().to_owned())
}

fn quoted(value: &str) -> String {
    match value.contains(char::is_whitespace) {
        true => format!("'{value}'"),
        false => value.to_owned(),
    }
}

/// The text of a suite with a line for every rule that a request can be made for, with the answers of today. `manifests` is what the
/// suite is to read. Rules that no plain request comes to are named in comments.
pub fn record(workspace: &Workspace, manifests: &[String]) -> String {
    let mut out = String::new();
    let quoted: Vec<String> = manifests.iter().map(|path| text(path)).collect();
    let _ = writeln!(out, "manifests: [{}]\nroutes:", quoted.join(", "));
    let mut compiler = Compiler::new(workspace.mesh());
    let mut seen = BTreeSet::new();
    for view in workspace.proxies() {
        let router = compiler.compile(&view.proxy);
        let via = match (view.gateways.first(), view.proxy.labels().is_empty()) {
            (Some(gateway), _) => gateway.clone(),
            (None, true) => format!("mesh from {}", view.proxy.namespace()),
            (None, false) => {
                let labels = view
                    .proxy
                    .labels()
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"));
                format!(
                    "mesh from {}/{}",
                    view.proxy.namespace(),
                    labels.collect::<Vec<_>>().join(",")
                )
            }
        };
        let _ = writeln!(
            out,
            "  # {}",
            crate::check::plain(&view.name).replace('\n', " ")
        );
        for bound in router.listeners() {
            for (_, config) in bound.chains() {
                for host in config.into_iter().flat_map(|config| config.virtual_hosts()) {
                    for rule in host.rules().iter().filter(|rule| rule.origin().is_some()) {
                        let asked = request_for(bound.listener(), host, rule);
                        let Some(asked) = asked.map(|line| format!("{line} via {via}")) else {
                            let origin = rule.origin().map(ToString::to_string).unwrap_or_default();
                            let _ = writeln!(
                                out,
                                "  # no request can be made for {}",
                                crate::check::plain(&origin).replace('\n', " ")
                            );
                            continue;
                        };
                        if let Some(answer) = answer(workspace, &view, &router, &asked)
                            && seen.insert(asked.clone())
                        {
                            let _ = writeln!(out, "  {}: {answer}", text(&asked));
                        }
                    }
                }
            }
        }
    }
    out
}

/// A YAML text in quotes: JSON is YAML.
fn text(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn answer(workspace: &Workspace, view: &View, router: &Router, asked: &str) -> Option<String> {
    let line = Line::read(asked).ok()?;
    let mut request = Request::new(&line.method, &line.url);
    for (name, value) in &line.headers {
        request = request.header(name, value);
    }
    let (authority, port) = line.authority();
    let mut connection = Connection::to_port(port);
    if line.url.starts_with("https://") {
        connection = connection.tls(Tls::Tls);
    }
    if let Some(address) = workspace.address_of(authority, view) {
        connection = connection.address(address);
    }
    let request = request.connection(connection);
    let decision = router.decide(&request, 0);
    let seen = decision.observed(&request);
    let Some(cluster) = decision.cluster().filter(|cluster| cluster.exists()) else {
        let status = seen.status?;
        return Some(match seen.response_headers.get("location") {
            Some(location) => text(&format!("{status} {location}")),
            None => status.to_string(),
        });
    };
    let mut merged: Vec<(String, f64)> = Vec::new();
    for (cluster, share) in shares(&decision) {
        let place = place(cluster);
        match merged.iter_mut().find(|(known, _)| *known == place) {
            Some((_, sum)) => *sum += share,
            None => merged.push((place, share)),
        }
    }
    Some(match merged.as_slice() {
        [] | [_] => text(&place(cluster)),
        several => {
            let all = several
                .iter()
                .map(|(place, share)| format!("{}: {share}", text(place)));
            format!("{{{}}}", all.collect::<Vec<_>>().join(", "))
        }
    })
}

fn place(cluster: &Cluster) -> String {
    if cluster.kind() != ClusterKind::Outbound {
        return cluster.name().to_owned();
    }
    let port = cluster
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let subset = cluster
        .subset()
        .map(|subset| format!("/{subset}"))
        .unwrap_or_default();
    format!("{}{port}{subset}", cluster.host())
}
