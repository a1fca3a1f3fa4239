//! The whole walk for one request, and its result in the words of `conformance/FORMAT.md`.

use std::collections::BTreeMap;

use serde_json::json;

use super::Yaml;
use super::destination_rules::cluster_exists;
use super::headers::Lines;
use super::heads::{self, Refusal};
use super::listeners::{Found, find};
use super::matching::{Request, matches};
use super::outcomes::act;
use super::paths::{Handling, normalised};
use super::sidecar::scope;
use super::virtual_hosts::choose;
use super::world::{Call, World};

/// FORMAT.md `expect`. Empty means absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    pub outcome: String,
    /// Why a request was refused before it was routed.
    pub detail: String,
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
    /// How long a fault keeps the request.
    pub delay: String,
    pub tcp: bool,
}

impl Answer {
    /// The answer in the form of a case's `expect`.
    pub fn to_json(&self) -> Yaml {
        let mut out = json!({"outcome": self.outcome});
        let texts = [
            ("detail", &self.detail),
            ("listener", &self.listener),
            ("route_config", &self.route_config),
            ("virtual_host", &self.virtual_host),
            ("route", &self.route),
            ("virtual_service", &self.virtual_service),
            ("cluster", &self.cluster),
            ("body", &self.body),
            ("delay", &self.delay),
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
    let answers = answers(world, call);
    let content_type = call
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    match heads::is_grpc(content_type.map(|(_, value)| value.as_str())) {
        true => answers.into_iter().map(for_grpc).collect(),
        false => answers,
    }
}

/// What a gRPC client gets in place of an answer that the proxy gives by itself (R-H-139).
fn for_grpc(answer: Answer) -> Answer {
    let own = [
        "redirect",
        "direct_response",
        "fault_abort",
        "no_route",
        "no_such_cluster",
        "bad_request",
    ];
    let is_unreadable = answer.detail.starts_with("http");
    if !own.contains(&answer.outcome.as_str()) || is_unreadable || answer.status == 0 {
        return answer;
    }
    let own = match answer.outcome.as_str() {
        "fault_abort" => answer.policy["fault_abort"]["grpcStatus"].as_u64(),
        _ => None,
    };
    let code = match answer.status {
        400 => "13",
        401 => "16",
        403 => "7",
        404 => "12",
        429 | 502 | 503 | 504 => "14",
        _ => "2",
    };
    let mut headers = answer.response_headers;
    let message = match answer.outcome.as_str() {
        "fault_abort" => "fault filter abort".to_owned(),
        _ => answer.body,
    };
    if !message.is_empty() {
        headers.insert("grpc-message".to_owned(), message.replace('%', "%25"));
    }
    headers
        .entry("grpc-status".to_owned())
        .or_insert(own.map_or_else(|| code.to_owned(), |own| own.to_string()));
    // A recording names it only of a direct response.
    headers.remove("content-type");
    if answer.outcome == "direct_response" {
        headers.insert("content-type".to_owned(), "application/grpc".to_owned());
    }
    Answer {
        status: 200,
        response_headers: headers,
        body: String::new(),
        ..answer
    }
}

fn answers(world: &World, call: &Call) -> Vec<Answer> {
    let scope = scope(world);
    let mut arriving = call.clone();
    if !heads::is_detected(call) && !world.proxy.gateway {
        arriving.protocol = "tcp".to_owned();
    }
    match find(world, &scope, &arriving) {
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
        Found::Tcp { listener, split } => {
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
                    // HTTP in plain text is answered as such by who is behind.
                    tcp: call.tls || call.protocol == "tcp",
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
            if call.protocol == "tcp" && call.path.is_empty() {
                // Bytes that are no HTTP.
                return vec![Answer {
                    outcome: "connection_failure".to_owned(),
                    ..base
                }];
            }
            let request = match request(world, call) {
                Ok(request) => request,
                Err(Refused::Elsewhere(path)) => {
                    return vec![Answer {
                        outcome: "redirect".to_owned(),
                        status: 307,
                        response_headers: BTreeMap::from([("location".to_owned(), path)]),
                        ..base
                    }];
                }
                Err(Refused::With((detail, status))) => {
                    return vec![Answer {
                        outcome: "bad_request".to_owned(),
                        detail: detail.to_owned(),
                        status,
                        ..base
                    }];
                }
            };
            let no_route = Answer {
                outcome: "no_route".to_owned(),
                status: 404,
                ..base.clone()
            };
            let Some(vhost) = choose(&hosts, &request.host) else {
                return vec![no_route];
            };
            if vhost.requires_tls && heads::forwarded_proto(world, call) != "https" {
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

/// What a request gets that no route sees.
enum Refused {
    With(Refusal),
    /// R-H-150: it is to ask for this path instead.
    Elsewhere(String),
}

impl From<Refusal> for Refused {
    fn from(why: Refusal) -> Self {
        Refused::With(why)
    }
}

/// The request as routes see it, or why it is refused.
fn request(world: &World, call: &Call) -> Result<Request, Refused> {
    let head = heads::read(world, call)?;
    if !head.path.starts_with('/') {
        return Err(("absolute_path_rejected", 404).into());
    }
    let refused = ("path_normalization_failed", 400);
    let (path, redirects) = normalised(&head.path, &Handling::read(world)).ok_or(refused)?;
    if redirects {
        let content_type = heads::joined(call, "content-type");
        // A client that speaks gRPC follows no redirect.
        return Err(match heads::is_grpc(content_type.as_deref()) {
            true => refused.into(),
            false => Refused::Elsewhere(path),
        });
    }
    if heads::is_unknown_upgrade(call) {
        return Err(("upgrade_failed", 403).into());
    }
    let scheme = head.scheme.unwrap_or_else(|| heads::scheme(world, call));
    let mut lines = Vec::new();
    for (name, value) in [
        (":authority", &head.host),
        (":method", &call.method),
        (":path", &path),
        (":scheme", &scheme),
    ] {
        lines.push((name.to_owned(), value.clone()));
    }
    // What formats ask for by name (R-H-120).
    let protocol = if call.protocol == "http2" {
        "HTTP/2"
    } else {
        "HTTP/1.1"
    };
    let mut fact = |name: &str, value: String| lines.push((format!(":%{name}"), value));
    fact("protocol", protocol.to_owned());
    fact("response_code", "0".to_owned());
    fact("downstream_local_port", call.port.to_string());
    let client = heads::remote_address(world, call).unwrap_or_default();
    fact("downstream_remote_address_without_port", client);
    lines.extend(heads::sanitized(world, call));
    let given = call.headers.iter();
    let given = given.map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    Ok(Request {
        path,
        host: head.host,
        method: call.method.clone(),
        scheme,
        given: Lines(given.collect()),
        lines: Lines(lines),
        claims: Yaml::Null,
    })
}
