//! The chosen route carried out: one answer for each way in which the dice can fall.

use std::collections::BTreeMap;

use serde_json::json;

use super::actions::{self, Arm};
use super::answer::Answer;
use super::destination_rules::cluster_exists;
use super::headers::Lines;
use super::heads;
use super::matching::Request;
use super::policies;
use super::routes::Route;
use super::sidecar::Scope;
use super::world::World;
use super::{Yaml, text};

/// R-H-037: the action of the route.
pub fn act(
    world: &World,
    scope: &Scope,
    route: &Route,
    request: &Request,
    base: Answer,
) -> Vec<Answer> {
    let rule = &route.rule;
    if let Some(cluster) = rule["passthrough"].as_str() {
        if !cluster_exists(world, scope, cluster) {
            return vec![Answer {
                outcome: "no_such_cluster".to_owned(),
                cluster: cluster.to_owned(),
                status: 503,
                ..base
            }];
        }
        let lines = Lines(heads::routed(world, request.lines.0.clone(), &Yaml::Null));
        let upstream = upstream(&request.path, &request.host, &request.given, &lines);
        return vec![Answer {
            outcome: "cluster".to_owned(),
            cluster: cluster.to_owned(),
            status: 200,
            upstream_request: upstream,
            ..base
        }];
    }
    if rule["redirect"].is_object() {
        let (status, location) = actions::redirect(route, request);
        let lines = answered(&request.lines, status);
        let mut headers = joined(&actions::response_lines(route, None, &lines));
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
    let answers = forward(world, scope, route, request, base);
    delayed(route, &answers)
}

/// R-H-144: each answer, late or not.
fn delayed(route: &Route, answers: &[Answer]) -> Vec<Answer> {
    let Some((delay, share)) = policies::fault_delay(route) else {
        return answers.to_vec();
    };
    let mut out = Vec::new();
    if share > 0 {
        let late = |answer: &Answer| Answer {
            delay: delay.clone(),
            ..answer.clone()
        };
        out.extend(answers.iter().map(late));
    }
    if share < 1_000_000 {
        out.extend(answers.to_vec());
    }
    out
}

/// R-H-139.
fn direct_response(route: &Route, request: &Request, base: Answer) -> Answer {
    let response = &route.rule["directResponse"];
    let status = super::number(response, "status");
    let lines = answered(&request.lines, status);
    let mut headers = joined(&actions::response_lines(route, None, &lines));
    if status == 201 || (300..400).contains(&status) {
        // Answered like a redirect to the same URL: the body is not sent, but said to a gRPC client.
        let location = format!("{}://{}{}", request.scheme, request.host, request.path);
        headers.insert("location".to_owned(), location);
        let body = text(&response["body"], "string");
        let content_type = request.lines.joined("content-type");
        if heads::is_grpc(content_type.as_deref()) && !body.is_empty() {
            headers.insert("grpc-message".to_owned(), body.replace('%', "%25"));
        }
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
        policy: policies::policy(world, scope, route),
        ..base
    };
    let mut answers = Vec::new();
    let mut aborts = 0;
    if let Some((status, share)) = policies::fault_abort(route) {
        aborts = share;
        if share > 0 {
            for arm in &arms {
                let status = status["httpStatus"].as_u64().unwrap_or(200);
                let lines = answered(&request.lines, status);
                answers.push(Answer {
                    outcome: "fault_abort".to_owned(),
                    status,
                    response_headers: joined(&actions::response_lines(route, Some(arm), &lines)),
                    ..base.clone()
                });
            }
        }
    }
    if aborts >= 1_000_000 {
        return answers;
    }
    let cors = actions::cors_headers(route, request);
    if let Some(mut headers) = actions::cors_preflight(route, request) {
        // It passes the same filter on its way out.
        headers.extend(cors.unwrap_or_default());
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
    let routed = Request {
        lines: Lines(heads::routed(world, request.lines.0.clone(), &base.policy)),
        ..request.clone()
    };
    let (path, host, lines) = actions::upstream_request(world, route, arm, &routed);
    // The request as it was forwarded, and what the recorder's upstream answers.
    let mut exchanged = answered(&lines, 200);
    for (name, value) in [
        (":path", &path),
        (":authority", &host),
        (":response-x-oracle-backend", &arm.cluster),
        (":response-content-type", &"application/json".to_owned()),
    ] {
        exchanged.0.retain(|(other, _)| other != name);
        exchanged.0.push((name.to_owned(), value.clone()));
    }
    let mut headers = joined(&actions::response_lines(route, Some(arm), &exchanged));
    headers.extend(cors.clone().unwrap_or_default());
    let base = Answer {
        cluster: arm.cluster.clone(),
        response_headers: headers,
        ..base.clone()
    };
    if !cluster_exists(world, scope, &arm.cluster) {
        // R-G-053
        let status = if route.has_gateway_semantics {
            500
        } else {
            503
        };
        // R-H-159: nothing was sent, but the answer is the route's.
        let lines = answered(&request.lines, status);
        let mut headers = joined(&actions::response_lines(route, Some(arm), &lines));
        headers.extend(cors.clone().unwrap_or_default());
        return vec![Answer {
            outcome: "no_such_cluster".to_owned(),
            status,
            response_headers: headers,
            ..base
        }];
    }
    let answer = |mirrored_to: Vec<String>| Answer {
        outcome: "cluster".to_owned(),
        status: 200,
        upstream_request: upstream(&path, &host, &request.given, &lines),
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
    for (cluster, share) in policies::mirrors(world, scope, route) {
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

/// The lines of a request that is answered with this status: what formats of the response read.
fn answered(lines: &Lines, status: u64) -> Lines {
    let mut lines = lines.clone();
    lines.0.retain(|(name, _)| name != ":%response_code");
    lines
        .0
        .push((":%response_code".to_owned(), status.to_string()));
    lines
}

/// Header lines with repeated names joined by `,`.
fn joined(lines: &Lines) -> BTreeMap<String, String> {
    lines
        .0
        .iter()
        .map(|(name, _)| (name.clone(), lines.joined(name).unwrap_or_default()))
        .collect()
}
