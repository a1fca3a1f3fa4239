//! What an Envoy was seen to do with a request, in the words of the routing cases.

use std::collections::BTreeMap;
use std::path::Path;

use meshroute::envoy::{EnvoyConfig, Route};
use serde_json::json;

use crate::stub::Arrival;
use crate::support::case::Call;
use crate::support::{Yaml, text};
use crate::wire::{Answer, Headers};

/// Between the parts of the name that a route is given.
const BETWEEN: char = '\u{1f}';

/// Headers of answers that Envoy or the stub writes.
const OF_ANSWERS: &[&str] = &[
    "date",
    "server",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "x-oracle-backend",
    "vary",
    "x-envoy-upstream-service-time",
    "x-envoy-decorator-operation",
    "x-envoy-attempt-count",
    "x-envoy-ratelimited",
    "x-envoy-overloaded",
];
/// Headers of requests that say nothing about routing.
const OF_REQUESTS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "x-request-id",
];

/// Names each route by where it stands: what Envoy names, it chose.
pub fn number_routes(config: &mut EnvoyConfig) {
    for routes in &mut config.routes {
        for host in &mut routes.virtual_hosts {
            for (position, route) in host.routes.iter_mut().enumerate() {
                route.name = format!("{}{BETWEEN}{}{BETWEEN}{position}", routes.name, host.name);
            }
        }
    }
}

/// Has every connection manager write a line for each request.
pub fn log_requests(value: &mut Yaml, path: &Path) {
    match value {
        Yaml::Array(elements) => elements
            .iter_mut()
            .for_each(|element| log_requests(element, path)),
        Yaml::Object(fields) => {
            let is_manager = fields.get("@type").and_then(Yaml::as_str);
            if is_manager.is_some_and(|name| name.ends_with(".HttpConnectionManager")) {
                let log = json!([{"name": "log", "typedConfig": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                    "path": path,
                    "logFormat": {"jsonFormat": {
                        "from": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
                        "to": "%DOWNSTREAM_LOCAL_PORT%",
                        "details": "%RESPONSE_CODE_DETAILS%",
                        "route": "%ROUTE_NAME%",
                    }},
                }}]);
                fields.insert("accessLog".to_owned(), log);
            }
            fields
                .values_mut()
                .for_each(|field| log_requests(field, path));
        }
        _ => {}
    }
}

/// The bytes of a request, as the cases say how they are sent.
pub fn bytes(call: &Call) -> Vec<u8> {
    let said = &call.request;
    let is_grpc = said["protocol"] == "grpc";
    let method = match text(said, "method") {
        "" if is_grpc => "POST",
        "" => "GET",
        method => method,
    };
    let raw = |text: &str| -> Vec<u8> { text.chars().map(|c| c as u8).collect() };
    let mut out = [
        method.as_bytes(),
        b" ",
        &raw(text(said, "path")),
        b" HTTP/1.1\r\n",
    ]
    .concat();
    let host = said["host"].as_str().unwrap_or("oracle.invalid");
    out.extend([b"host: ".as_slice(), &raw(host), b"\r\n"].concat());
    for (name, value) in sent(call) {
        out.extend(format!("{name}: {value}\r\n").bytes());
    }
    out.extend(b"\r\n");
    out
}

/// The headers that are sent.
fn sent(call: &Call) -> Headers {
    let said = &call.request["headers"];
    let mut out = Vec::new();
    if call.request["protocol"] == "grpc" {
        for (name, value) in [("content-type", "application/grpc"), ("te", "trailers")] {
            if said[name].is_null() {
                out.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    for (name, value) in said.as_object().into_iter().flatten() {
        let lines = match value {
            Yaml::Array(lines) => lines.as_slice(),
            line => std::slice::from_ref(line),
        };
        for line in lines {
            out.push((name.clone(), line.as_str().unwrap_or("").to_owned()));
        }
    }
    out
}

/// What was seen.
pub struct Seen {
    /// As the cases have it.
    pub expect: Yaml,
}

impl Seen {
    /// Of an answer, the line of the log, and what arrived at the stub.
    pub fn new(
        call: &Call,
        answer: Option<&Answer>,
        entry: Option<&Yaml>,
        arrivals: &[Arrival],
        config: &EnvoyConfig,
    ) -> Self {
        let Some(answer) = answer else {
            let expect = json!({"outcome": "connection_failure"});
            return Seen { expect };
        };
        let nothing = Yaml::Null;
        let entry = entry.unwrap_or(&nothing);
        let details = text(entry, "details");
        let mut names = text(entry, "route").split(BETWEEN);
        let mut name = || names.next().unwrap_or_default();
        let (routes, host, position) = (name(), name(), name().parse::<usize>().ok());
        let route = position.and_then(|position| find(config, routes, host, position));
        let outcome = match details {
            "via_upstream" => "cluster",
            "direct_response" if route.is_some_and(|route| route.redirect.is_none()) => {
                "direct_response"
            }
            "direct_response" => "redirect",
            "fault_filter_abort" => "fault_abort",
            "cluster_not_found" => "no_such_cluster",
            "no_healthy_upstream" => "no_healthy_upstream",
            "route_not_found" => "no_route",
            "path_normalization_failed" => "bad_request",
            "" | "-" if call.request["method"] == "OPTIONS" && answer.status == 200 => {
                "cors_response"
            }
            _ => "bad_request",
        };
        let mut expect = json!({"outcome": outcome, "status": answer.status});
        if outcome == "bad_request" {
            expect["detail"] = details.into();
        }
        if let Some(position) = position {
            expect["virtual_host"] = host.into();
            expect["position"] = position.into();
        }
        let headers = answer.headers.iter();
        let headers = headers.filter(|(name, _)| !OF_ANSWERS.contains(&name.as_str()));
        let headers = joined(headers.cloned());
        if !headers.is_empty() {
            expect["response_headers"] = json!(headers);
        }
        if outcome == "direct_response" && !answer.body.is_empty() {
            expect["body"] = answer.body.as_str().into();
        }
        if let Some(arrival) = arrivals.last() {
            expect["cluster"] = arrival.cluster.as_str().into();
            expect["upstream_request"] = upstream(call, arrival);
        }
        let expect = reduced(&expect);
        Seen { expect }
    }
}

fn find<'c>(config: &'c EnvoyConfig, routes: &str, host: &str, at: usize) -> Option<&'c Route> {
    let routes = config.routes.iter().find(|found| found.name == routes)?;
    let host = routes
        .virtual_hosts
        .iter()
        .find(|found| found.name == host)?;
    host.routes.get(at)
}

fn joined(headers: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = value.trim();
        let known = out.entry(name.to_ascii_lowercase());
        known
            .and_modify(|known| *known = format!("{known},{value}"))
            .or_insert_with(|| value.to_owned());
    }
    out
}

fn upstream(call: &Call, arrival: &Arrival) -> Yaml {
    let before = joined(sent(call).into_iter());
    let after = joined(arrival.headers.iter().cloned());
    let host = after.get("host").cloned().unwrap_or_default();
    let mut out = json!({"path": arrival.path, "host": host});
    let told = |name: &String| !OF_REQUESTS.contains(&name.as_str());
    let changed = after
        .iter()
        .filter(|(name, value)| told(name) && before.get(*name) != Some(value));
    let changed: BTreeMap<_, _> = changed.collect();
    if !changed.is_empty() {
        out["headers"] = json!(changed);
    }
    let removed = before
        .keys()
        .filter(|name| told(name) && !after.contains_key(*name));
    let removed: Vec<_> = removed.collect();
    if !removed.is_empty() {
        out["removed_headers"] = json!(removed);
    }
    out
}

/// Of a decision or of what was seen, what both can have.
pub fn reduced(decision: &Yaml) -> Yaml {
    let mut out = serde_json::Map::new();
    let fields = [
        "outcome",
        "status",
        "detail",
        "cluster",
        "virtual_host",
        "position",
        "response_headers",
        "body",
        "upstream_request",
    ];
    for field in fields {
        let value = &decision[field];
        if !value.is_null() {
            out.insert(field.to_owned(), value.clone());
        }
    }
    // An answer without a route has none of a virtual host; the text of other answers is Envoy's own.
    if !out.contains_key("position") {
        out.remove("virtual_host");
    }
    if decision["outcome"] != "direct_response" || decision["body"] == "" {
        out.remove("body");
    }
    // The cluster that is not there is not seen.
    if decision["outcome"] != "cluster" {
        out.remove("cluster");
        out.remove("upstream_request");
    }
    if let Some(headers) = out
        .get_mut("response_headers")
        .and_then(Yaml::as_object_mut)
    {
        headers.retain(|name, _| !OF_ANSWERS.contains(&name.as_str()));
        if let Some(Yaml::String(cookie)) = headers.get_mut("set-cookie") {
            *cookie = without_generated(cookie);
        }
        if headers.is_empty() {
            out.remove("response_headers");
        }
    }
    out.into()
}

/// A value that a hash policy generated differs from run to run.
fn without_generated(cookie: &str) -> String {
    let parts: Vec<&str> = cookie.split('"').collect();
    let is_generated =
        |part: &str| part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = parts
        .iter()
        .map(|part| if is_generated(part) { "*" } else { *part });
    parts.collect::<Vec<_>>().join("\"")
}
