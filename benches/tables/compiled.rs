//! Rule tables as an Istio configuration: written as JSON, compiled, and asked through the front door.
#![allow(dead_code)]

use meshroute::terms::condition::{
    Condition, HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch,
};
use meshroute::{Limits, Mesh, Proxy, Request, Resources, Router};
use serde_json::{Value, json};

use crate::tables::{Plain, Table};

/// The host that all of it belongs to.
pub const HOST: &str = "shop.example.com";

/// A VirtualService of these rules; one route for each, to one of fifty destinations.
pub fn virtual_service<'a>(
    name: &str,
    host: &str,
    rules: impl IntoIterator<Item = &'a RequestMatch>,
) -> String {
    // Written route by route: a million of them at once as values would fill the machine.
    let route = |(number, rule): (usize, &RequestMatch)| {
        let destination = format!("to-{}.example.com", number % 50);
        let route = json!({
            "match": [http_match(rule)],
            "route": [{"destination": {"host": destination, "port": {"number": 80}}}],
        });
        route.to_string()
    };
    let routes: Vec<String> = rules.into_iter().enumerate().map(route).collect();
    format!(
        r#"{{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{{"name":"{name}","namespace":"default"}},"spec":{{"hosts":["{host}"],"http":[{}]}}}}"#,
        routes.join(",")
    )
}

pub fn http_match(rule: &RequestMatch) -> Value {
    let uri = match &rule.path {
        PathMatch::Exact { value, .. } => json!({"exact": value}),
        PathMatch::Prefix { value, .. } => json!({"prefix": value}),
        PathMatch::Regex(regex) => json!({"regex": regex.as_str()}),
        PathMatch::SeparatedPrefix(_) => unreachable!("no VirtualService says that"),
    };
    let mut all = json!({"uri": uri});
    for condition in &rule.conditions {
        match condition {
            Condition::Header(HeaderMatch { name, test, .. }) if &**name == ":method" => {
                all["method"] = string_match(test);
            }
            Condition::Header(HeaderMatch { name, test, .. }) => {
                all["headers"][&**name] = string_match(test);
            }
            Condition::Query(QueryMatch { key, test }) => {
                all["queryParams"][&**key] = string_match(test);
            }
            Condition::Claim(_) => unreachable!("no table has claims"),
        }
    }
    all
}

fn string_match(test: &ValueMatch) -> Value {
    match test {
        ValueMatch::Present => json!({}),
        ValueMatch::Exact(value) => json!({"exact": value}),
        ValueMatch::Prefix(value) => json!({"prefix": value}),
        ValueMatch::Regex(regex) => json!({"regex": regex.as_str()}),
    }
}

/// What these documents say, linked.
pub fn mesh(documents: impl IntoIterator<Item = String>) -> Mesh {
    let text: Vec<String> = documents.into_iter().collect();
    // A million rules are more than is read from strangers.
    let mut limits = Limits::default();
    limits.bytes = usize::MAX;
    let resources = Resources::builder().limits(limits);
    let resources = resources.json("bench", text.join("\n")).build();
    let mesh = resources.and_then(Mesh::resolve);
    mesh.unwrap_or_else(|report| panic!("{report}"))
}

/// A sidecar's and gateway's router of one virtual host with these rules.
pub fn router(rules: &[RequestMatch]) -> Router {
    let mesh = mesh([virtual_service("shop", HOST, rules)]);
    Router::compile(&mesh, &Proxy::default())
}

/// Path and query of a request.
pub fn target(request: &Plain) -> String {
    let query: Vec<String> = request
        .query
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{mark}{}", request.path, query.join("&"))
}

/// Some requests of a table, each with its URL.
pub fn requests(table: &Table) -> Vec<(String, &Plain)> {
    let url = |request: &Plain| format!("http://{HOST}{}", target(request));
    table
        .requests
        .iter()
        .take(256)
        .map(|request| (url(request), &**request))
        .collect()
}

/// The same as the front door is asked.
pub fn request<'a>((url, plain): &'a (String, &'a Plain)) -> Request<'a> {
    let lines = plain.headers.iter().filter(|(name, _)| name != "host");
    lines.fold(
        Request::new(plain.method, url).gateway("mesh"),
        |request, (name, value)| request.header(name, value.as_bytes()),
    )
}
