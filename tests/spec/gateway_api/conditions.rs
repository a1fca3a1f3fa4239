//! The matches of HTTPRoutes and GRPCRoutes, and which rule comes first.

use serde_json::json;

use super::or;
use crate::spec::{Yaml, list, text};

/// What a match of an `HTTPRoute` comes to (R-G-039). Absent fields have the API server's defaults (R-G-002).
pub(super) fn of_http(said: &Yaml) -> Yaml {
    let path = &said["path"];
    let value = or(path, "value", "/");
    let uri = match or(path, "type", "PathPrefix") {
        "Exact" => json!({"exact": value}),
        "RegularExpression" => json!({"regex": value}),
        _ if value == "/" => json!({"prefix": "/"}),
        _ => json!({"prefix": value.strip_suffix('/').unwrap_or(value)}),
    };
    let mut out = json!({"uri": uri});
    named(&mut out, "headers", list(said, "headers"));
    named(&mut out, "queryParams", list(said, "queryParams"));
    if !text(said, "method").is_empty() {
        out["method"] = json!({"exact": text(said, "method")});
    }
    out
}

/// What a match of a `GRPCRoute` comes to (R-G-040).
pub(super) fn of_grpc(said: &Yaml) -> Yaml {
    let mut out = json!({});
    let method = &said["method"];
    let (service, called) = (text(method, "service"), text(method, "method"));
    let is_regex = or(method, "type", "Exact") == "RegularExpression";
    match (is_regex, service, called) {
        (_, "", "") => {}
        (false, service, "") => out["uri"] = json!({"prefix": format!("/{service}/")}),
        (_, "", called) => out["uri"] = json!({"regex": format!("/[^/]+/{called}")}),
        (false, service, called) => out["uri"] = json!({"exact": format!("/{service}/{called}")}),
        (true, service, "") => out["uri"] = json!({"regex": format!("/{service}/.+")}),
        (true, service, called) => out["uri"] = json!({"regex": format!("/{service}/{called}")}),
    }
    named(&mut out, "headers", list(said, "headers"));
    out
}

/// Values by name; of equal names the last one.
fn named(out: &mut Yaml, field: &str, all: &[Yaml]) {
    for one in all {
        let kind = match or(one, "type", "Exact") {
            "RegularExpression" => "regex",
            _ => "exact",
        };
        if out[field].is_null() {
            out[field] = json!({});
        }
        out[field][text(one, "name")] = json!({kind: text(one, "value")});
    }
}

/// R-G-036: the rules in their order. Each has one match or none.
pub(super) fn sort(rules: &mut [Yaml]) {
    rules.sort_by_key(|rule| {
        let Some(condition) = list(rule, "match").first() else {
            return (true, 0, 0, false, 0, 0);
        };
        let kinds = ["exact", "prefix", "regex"];
        let path = |kind: &str| condition["uri"][kind].as_str();
        let kind = kinds.iter().position(|kind| path(kind).is_some());
        let length = kinds.iter().find_map(|kind| path(kind)).unwrap_or("").len();
        let count = |field: &str| condition[field].as_object().map_or(0, |all| all.len());
        (
            false,
            kind.unwrap_or(kinds.len()),
            usize::MAX - length,
            condition["method"].is_null(),
            usize::MAX - count("headers"),
            usize::MAX - count("queryParams"),
        )
    });
}
