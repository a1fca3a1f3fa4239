//! The whole walk for one request, and its result in the words of `conformance/FORMAT.md`.

use std::collections::BTreeMap;

use serde_json::json;

use super::actions::{self, Arm};
use super::destination_rules::cluster_exists;
use super::headers::Lines;
use super::listeners::{Found, find};
use super::matching::{Request, matches};
use super::paths::normalised;
use super::routes::Route;
use super::sidecar::{Scope, scope};
use super::virtual_hosts::choose;
use super::world::{Call, World};
use super::{Yaml, text};

/// FORMAT.md `expect`. Empty means absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    pub outcome: String,
    pub listener: String,
    pub route_config: String,
    pub virtual_host: String,
    pub position: Option<usize>,
    pub route: String,
    pub virtual_service: String,
    pub cluster: String,
    /// Empty for a route that is not weighted.
    pub split: BTreeMap<String, u64>,
    pub policy: Yaml,
    pub status: u64,
    pub response_headers: BTreeMap<String, String>,
    pub body: String,
    pub upstream_request: Yaml,
    pub mirrored_to: Vec<String>,
    pub tcp: bool,
}

impl Answer {
    /// The answer in the form of a case's `expect`.
    pub fn to_json(&self) -> Yaml {
        let mut out = json!({"outcome": self.outcome});
        let texts = [
            ("listener", &self.listener),
            ("route_config", &self.route_config),
            ("virtual_host", &self.virtual_host),
            ("route", &self.route),
            ("virtual_service", &self.virtual_service),
            ("cluster", &self.cluster),
            ("body", &self.body),
        ];
        for (field, value) in texts.into_iter().filter(|(_, value)| !value.is_empty()) {
            out[field] = value.clone().into();
        }
        if let Some(position) = self.position {
            out["position"] = position.into();
        }
        if !self.split.is_empty() {
            out["split"] = json!(self.split);
        }
        if self
            .policy
            .as_object()
            .is_some_and(|policy| !policy.is_empty())
        {
            out["policy"] = self.policy.clone();
        }
        if self.status != 0 {
            out["status"] = self.status.into();
        }
        if !self.response_headers.is_empty() {
            out["response_headers"] = json!(self.response_headers);
        }
        if !self.upstream_request.is_null() {
            out["upstream_request"] = self.upstream_request.clone();
        }
        if !self.mirrored_to.is_empty() {
            out["mirrored_to"] = json!(self.mirrored_to);
        }
        if self.tcp {
            out["tcp"] = true.into();
        }
        out
    }
}

/// Every answer that this request may get: one for each way in which the dice can fall.
pub fn possible_answers(world: &World, call: &Call) -> Vec<Answer> {
    let scope = scope(world);
    match find(world, &scope, call) {
        Found::NoListener => vec![Answer {
            outcome: "no_listener".to_owned(),
            listener: "entry".to_owned(),
            ..Answer::default()
        }],
        Found::NoFilterChain => {
            vec![Answer {
                outcome: "no_filter_chain".to_owned(),
                ..Answer::default()
            }]
        }
        Found::WrongTransport => {
            vec![Answer {
                outcome: "connection_failure".to_owned(),
                ..Answer::default()
            }]
        }
        Found::Tcp {
            listener,
            split,
            declared,
        } => {
            let mut weights = BTreeMap::new();
            for (cluster, weight) in split.arms.iter().filter(|_| split.weighted) {
                *weights.entry(cluster.clone()).or_insert(0) += weight;
            }
            let answer = |(cluster, _): &(String, u64)| {
                let exists = cluster_exists(world, &scope, cluster);
                Answer {
                    outcome: if exists { "cluster" } else { "no_such_cluster" }.to_owned(),
                    listener: listener.clone(),
                    cluster: cluster.clone(),
                    split: weights.clone(),
                    tcp: declared,
                    ..Answer::default()
                }
            };
            split.arms.iter().map(answer).collect()
        }
        Found::Http {
            listener,
            route_config,
            hosts,
        } => {
            let base = Answer {
                listener,
                ..Answer::default()
            };
            let Some(request) = request(world, call) else {
                return vec![Answer {
                    outcome: "bad_request".to_owned(),
                    status: 400,
                    ..base
                }];
            };
            let no_route = Answer {
                outcome: "no_route".to_owned(),
                status: 404,
                ..base.clone()
            };
            let Some(vhost) = choose(&hosts, &request.host) else {
                return vec![no_route];
            };
            if vhost.requires_tls && request.scheme != "https" {
                // R-H-065
                let location = format!("https://{}{}", request.host, request.path);
                return vec![Answer {
                    outcome: "redirect".to_owned(),
                    status: 301,
                    response_headers: BTreeMap::from([("location".to_owned(), location)]),
                    ..base
                }];
            }
            let mut numbered = vhost.routes.iter().enumerate();
            let Some((position, route)) =
                numbered.find(|(_, route)| matches(world, route, &request))
            else {
                return vec![no_route]; // R-H-001
            };
            let base = Answer {
                route_config,
                virtual_host: vhost.name.clone(),
                position: Some(position),
                route: route.name.clone(),
                virtual_service: route.virtual_service.clone(),
                ..base
            };
            act(world, &scope, route, &request, base)
        }
    }
}

/// The request as routes see it; `None` is answered with 400.
fn request(world: &World, call: &Call) -> Option<Request> {
    if call.host.is_empty() {
        return None; // R-H-073
    }
    let path = normalised(
        &call.path,
        text(&world.mesh["pathNormalization"], "normalization"),
    )?;
    let scheme = if call.tls { "https" } else { "http" };
    let mut lines = Vec::new();
    for (name, value) in [
        (":authority", &call.host),
        (":method", &call.method),
        (":path", &path),
        (":scheme", &scheme.to_owned()),
    ] {
        lines.push((name.to_owned(), value.clone()));
    }
    for (name, value) in &call.headers {
        lines.push((name.to_ascii_lowercase(), value.clone()));
    }
    Some(Request {
        path,
        host: call.host.clone(),
        method: call.method.clone(),
        scheme: scheme.to_owned(),
        lines: Lines(lines),
        claims: Yaml::Null,
    })
}

/// R-H-037: the action of the route.
fn act(
    world: &World,
    scope: &Scope,
    route: &Route,
    request: &Request,
    base: Answer,
) -> Vec<Answer> {
    let rule = &route.rule;
    if rule["passthrough"].as_bool() == Some(true) {
        let upstream = upstream(&request.path, &request.host, &request.lines, &request.lines);
        return vec![Answer {
            outcome: "cluster".to_owned(),
            cluster: "PassthroughCluster".to_owned(),
            status: 200,
            upstream_request: upstream,
            ..base
        }];
    }
    if rule["redirect"].is_object() {
        let (status, location) = actions::redirect(route, request);
        let mut headers = joined(&actions::response_lines(route, None, &request.lines));
        headers.insert("location".to_owned(), location);
        return vec![Answer {
            outcome: "redirect".to_owned(),
            status,
            response_headers: headers,
            ..base
        }];
    }
    if rule["directResponse"].is_object() {
        return vec![direct_response(route, request, base)];
    }
    forward(world, scope, route, request, base)
}

/// R-H-139.
fn direct_response(route: &Route, request: &Request, base: Answer) -> Answer {
    let response = &route.rule["directResponse"];
    let status = super::number(response, "status");
    let mut headers = joined(&actions::response_lines(route, None, &request.lines));
    if status == 201 || (300..400).contains(&status) {
        // Answered like a redirect to the same URL: the body is not sent.
        let location = format!("{}://{}{}", request.scheme, request.host, request.path);
        headers.insert("location".to_owned(), location);
        return Answer {
            outcome: "redirect".to_owned(),
            status,
            response_headers: headers,
            ..base
        };
    }
    let body = text(&response["body"], "string").to_owned();
    if !body.is_empty() {
        headers
            .entry("content-type".to_owned())
            .or_insert("text/plain".to_owned());
    }
    Answer {
        outcome: "direct_response".to_owned(),
        status,
        body: if request.method == "HEAD" {
            String::new()
        } else {
            body
        },
        response_headers: headers,
        ..base
    }
}

/// A route to one or several clusters: fault, then CORS, then the router (R-H-149).
fn forward(
    world: &World,
    scope: &Scope,
    route: &Route,
    request: &Request,
    base: Answer,
) -> Vec<Answer> {
    let arms = actions::arms(world, scope, route);
    let mut split = BTreeMap::new();
    if actions::is_weighted(route) {
        for arm in &arms {
            *split.entry(arm.cluster.clone()).or_insert(0) += arm.weight;
        }
    }
    let base = Answer {
        split,
        policy: actions::policy(world, scope, route),
        ..base
    };
    let mut answers = Vec::new();
    let mut aborts = 0;
    if let Some((status, share)) = actions::fault_abort(route) {
        aborts = share;
        if share > 0 {
            for arm in &arms {
                answers.push(Answer {
                    outcome: "fault_abort".to_owned(),
                    status: status["httpStatus"].as_u64().unwrap_or(200),
                    response_headers: joined(&actions::response_lines(
                        route,
                        Some(arm),
                        &request.lines,
                    )),
                    ..base.clone()
                });
            }
        }
    }
    if aborts >= 1_000_000 {
        return answers;
    }
    let cors = actions::cors_headers(route, request);
    if let Some(allowed) = &cors
        && actions::asks_preflight(request)
    {
        let mut headers = allowed.clone();
        headers.extend(actions::cors_details(route, true));
        answers.push(Answer {
            outcome: "cors_response".to_owned(),
            status: 200,
            response_headers: headers,
            ..base
        });
        return answers;
    }
    for arm in &arms {
        answers.extend(send(world, scope, route, request, arm, &cors, &base));
    }
    answers
}

/// The request goes to the cluster of `arm`, or to none.
fn send(
    world: &World,
    scope: &Scope,
    route: &Route,
    request: &Request,
    arm: &Arm,
    cors: &Option<BTreeMap<String, String>>,
    base: &Answer,
) -> Vec<Answer> {
    let (path, host, lines) = actions::upstream_request(route, arm, request);
    let mut headers = joined(&actions::response_lines(route, Some(arm), &lines));
    if let Some(allowed) = cors {
        headers.extend(allowed.clone());
        headers.extend(actions::cors_details(route, false));
    }
    let base = Answer {
        cluster: arm.cluster.clone(),
        response_headers: headers,
        ..base.clone()
    };
    if !cluster_exists(world, scope, &arm.cluster) {
        // Envoy's own 503 carries none of the route's response headers.
        return vec![Answer {
            outcome: "no_such_cluster".to_owned(),
            status: 503,
            response_headers: BTreeMap::new(),
            ..base
        }];
    }
    let answer = |mirrored_to: Vec<String>| Answer {
        outcome: "cluster".to_owned(),
        status: 200,
        upstream_request: upstream(&path, &host, &request.lines, &lines),
        mirrored_to,
        ..base.clone()
    };
    mirrored(world, scope, route)
        .into_iter()
        .map(answer)
        .collect()
}

/// Every set of clusters that may get a copy: a share below one falls both ways (R-H-142).
fn mirrored(world: &World, scope: &Scope, route: &Route) -> Vec<Vec<String>> {
    let mut sets: Vec<Vec<String>> = vec![vec![]];
    for (cluster, share) in actions::mirrors(world, scope, route) {
        if !cluster_exists(world, scope, &cluster) {
            continue;
        }
        let without = if share < 1_000_000 {
            sets.clone()
        } else {
            vec![]
        };
        sets.iter_mut().for_each(|set| set.push(cluster.clone()));
        sets.extend(without);
    }
    sets
}

/// FORMAT.md `upstream_request`: only what changed.
fn upstream(path: &str, host: &str, before: &Lines, after: &Lines) -> Yaml {
    let mut out = json!({"path": path, "host": host});
    let ordinary = |lines: &Lines| {
        let mut all = joined(lines);
        all.retain(|name, _| !name.starts_with(':'));
        all
    };
    let after = ordinary(after);
    // As sent: repeated lines joined, whatever Envoy makes of them.
    let mut sent: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in before.0.iter().filter(|(name, _)| !name.starts_with(':')) {
        sent.entry(name.clone())
            .and_modify(|all| all.extend([",", value]))
            .or_insert(value.clone());
    }
    let before = sent;
    for (name, value) in &after {
        if before.get(name) != Some(value) {
            out["headers"][name] = value.clone().into();
        }
    }
    let removed: Vec<&String> = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .collect();
    if !removed.is_empty() {
        out["removed_headers"] = json!(removed);
    }
    out
}

/// Header lines with repeated names joined by `,`.
fn joined(lines: &Lines) -> BTreeMap<String, String> {
    lines
        .0
        .iter()
        .map(|(name, _)| (name.clone(), lines.joined(name).unwrap_or_default()))
        .collect()
}
