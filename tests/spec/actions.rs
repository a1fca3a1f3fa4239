//! What a chosen route does: clusters and policies, the rewritten request, redirects, direct responses, CORS.
//! Sections 9 to 13 of istio-http.md.

use std::collections::BTreeMap;

use regex_automata::meta::Regex;
use serde_json::json;

use super::destination_rules::{hash_policies, rule_for};
use super::headers::{Lines, Operations, host_rewrite, non_empty};
use super::matching::{Request, from_re2, string_matches};
use super::paths::{query, without_query};
use super::routes::{Route, cluster};
use super::services::best;
use super::sidecar::Scope;
use super::virtual_hosts::without_port;
use super::world::World;
use super::{Yaml, list, number, text, texts};

/// One destination that a request may be sent to.
#[derive(Clone, Debug)]
pub struct Arm {
    pub cluster: String,
    pub weight: u64,
    /// `headers` of the destination.
    headers: Yaml,
}

/// R-H-111, R-H-112: the destinations with their weights; one alone needs none.
pub fn arms(world: &World, scope: &Scope, route: &Route) -> Vec<Arm> {
    let routes = list(&route.rule, "route");
    let arm = |entry: &Yaml| Arm {
        cluster: cluster(world, &scope.services, route, &entry["destination"]),
        weight: number(entry, "weight"),
        headers: entry["headers"].clone(),
    };
    if routes.len() == 1 {
        return routes.iter().map(arm).collect();
    }
    routes
        .iter()
        .map(arm)
        .filter(|arm| arm.weight > 0)
        .collect()
}

/// The rule names two destinations or more, whatever their weights.
pub fn is_weighted(route: &Route) -> bool {
    list(&route.rule, "route").len() > 1
}

/// Per million, truncated (R-H-141).
fn per_million(percent: &Yaml) -> u64 {
    (percent["value"].as_f64().unwrap_or(0.0) * 10_000.0) as u64
}

fn percent(per_million: u64) -> f64 {
    per_million as f64 / 10_000.0
}

/// R-H-142: the mirrors of a route as (cluster, per million).
pub fn mirrors(world: &World, scope: &Scope, route: &Route) -> Vec<(String, u64)> {
    let rule = &route.rule;
    let of = |destination: &Yaml| cluster(world, &scope.services, route, destination);
    let mut out = Vec::new();
    if rule["mirror"].is_object() {
        let share = if rule["mirrorPercentage"].is_object() {
            per_million(&rule["mirrorPercentage"])
        } else if let Some(whole) = rule["mirrorPercent"].as_u64() {
            whole * 10_000
        } else {
            1_000_000
        };
        out.push((of(&rule["mirror"]), share));
    }
    for mirror in list(rule, "mirrors") {
        let share = match &mirror["percentage"] {
            Yaml::Null => 1_000_000,
            said => per_million(said),
        };
        out.push((of(&mirror["destination"]), share));
    }
    out.retain(|(_, share)| *share > 0);
    out
}

/// R-H-144: abort status and share per million.
pub fn fault_abort(route: &Route) -> Option<(Yaml, u64)> {
    let abort = &route.rule["fault"]["abort"];
    let status = ["httpStatus", "grpcStatus"]
        .into_iter()
        .find(|kind| !abort[*kind].is_null())?;
    Some((
        json!({status: abort[status]}),
        per_million(&abort["percentage"]),
    ))
}

/// FORMAT.md `policy`: everything that the route asks for beside its destination.
pub fn policy(world: &World, scope: &Scope, route: &Route) -> Yaml {
    let rule = &route.rule;
    let mut out = json!({});
    if let Some(timeout) = duration(&rule["timeout"]) {
        out["timeout"] = timeout.into();
    }
    let hash: Vec<Yaml> = list(rule, "route")
        .iter()
        .filter(|entry| !is_weighted(route) || number(entry, "weight") > 0)
        .flat_map(|entry| hash_of_destination(world, scope, &entry["destination"]))
        .collect();
    if let Some(retries) = retries(world, rule) {
        out["retries"] = retries;
        // R-H-146; a service's own default route is made without looking at its hash.
        let of_rule = !route.virtual_service.is_empty();
        if of_rule && !is_weighted(route) && !hash.is_empty() {
            out["retries"]
                .as_object_mut()
                .map(|retries| retries.remove("avoid_previous_hosts"));
        }
    }
    if !hash.is_empty() {
        out["hash_policy"] = hash.into();
    }
    let mirrors: Vec<Yaml> = mirrors(world, scope, route)
        .into_iter()
        .map(|(cluster, share)| json!({"cluster": cluster, "percent": percent(share)}))
        .collect();
    if !mirrors.is_empty() {
        out["mirrors"] = mirrors.into();
    }
    let delay = &rule["fault"]["delay"];
    if let Some(fixed) = duration(&delay["fixedDelay"]) {
        let share = match &delay["percentage"] {
            Yaml::Null => number(delay, "percent") * 10_000,
            said => per_million(said),
        };
        out["fault_delay"] = json!({"fixedDelay": fixed, "percent": percent(share)});
    }
    if let Some((mut abort, share)) = fault_abort(route) {
        abort["percent"] = percent(share).into();
        out["fault_abort"] = abort;
    }
    out
}

fn hash_of_destination(world: &World, scope: &Scope, destination: &Yaml) -> Vec<Yaml> {
    let service = best(
        &scope.services,
        text(destination, "host"),
        &world.proxy.namespace,
    );
    let Some(rule) = service.and_then(|service| rule_for(world, service)) else {
        return vec![];
    };
    hash_policies(
        &rule,
        text(destination, "subset"),
        number(&destination["port"], "number"),
    )
}

/// R-H-146, R-H-147.
fn retries(world: &World, rule: &Yaml) -> Option<Yaml> {
    let said = match &rule["retries"] {
        Yaml::Null => &world.mesh["defaultHttpRetryPolicy"],
        own => own,
    };
    let mut out = json!({
        "attempts": 2,
        "retry_on": "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
        "avoid_previous_hosts": true,
    });
    if said.is_null() {
        return Some(out);
    }
    match said["attempts"].as_i64().unwrap_or(0) {
        attempts if attempts <= 0 => return None,
        attempts => out["attempts"] = attempts.into(),
    }
    if !text(said, "retryOn").is_empty() {
        let mut names = Vec::new();
        let mut codes: Vec<u64> = Vec::new();
        for token in text(said, "retryOn")
            .split(',')
            .map(str::trim)
            .filter(|token| !token.is_empty())
        {
            match token.parse::<u64>() {
                Ok(code) if (100..600).contains(&code) => codes.push(code),
                _ => names.push(token),
            }
        }
        if !codes.is_empty() {
            if !names.contains(&"retriable-status-codes") {
                names.push("retriable-status-codes");
            }
            out["retriable_status_codes"] = codes.into();
        }
        out["retry_on"] = names.join(",").into();
    }
    if let Some(each) = duration(&said["perTryTimeout"]) {
        out["per_try_timeout"] = each.into();
    }
    if said["retryIgnorePreviousHosts"].as_bool() == Some(false) {
        out.as_object_mut()
            .map(|out| out.remove("avoid_previous_hosts"));
    }
    Some(out)
}

/// A duration as protobuf prints it; `None` if unset or zero.
fn duration(value: &Yaml) -> Option<String> {
    let mut rest = value.as_str()?;
    let units = [
        ("ns", 1u64),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let mut nanos = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let length = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let (_, unit) = units.iter().find(|(name, _)| *name == &rest[..length])?;
        nanos += amount * *unit as f64;
        rest = &rest[length..];
    }
    let nanos = nanos.round() as u64;
    let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    match fraction {
        _ if nanos == 0 => None,
        0 => Some(format!("{seconds}s")),
        f if f % 1_000_000 == 0 => Some(format!("{seconds}.{:03}s", f / 1_000_000)),
        f if f % 1_000 == 0 => Some(format!("{seconds}.{:06}s", f / 1_000)),
        f => Some(format!("{seconds}.{f:09}s")),
    }
}

/// The request as the upstream gets it: path, host, header lines (R-H-121..R-H-132).
pub fn upstream_request(route: &Route, arm: &Arm, request: &Request) -> (String, String, Lines) {
    let rule = &route.rule;
    let (of_route, of_arm) = (
        Operations::read(&rule["headers"], "request"),
        Operations::read(&arm.headers, "request"),
    );
    let mut lines = request.lines.clone();
    if is_weighted(route) {
        of_arm.apply(&mut lines, None); // R-H-122
        of_route.apply(&mut lines, None);
    } else {
        of_route.then(of_arm).apply(&mut lines, None); // R-H-121
    }
    // R-H-123
    let host = non_empty(&rule["rewrite"], "authority")
        .or_else(|| host_rewrite(&rule["headers"]))
        .or_else(|| host_rewrite(&arm.headers))
        .unwrap_or_else(|| request.host.clone());
    (rewritten_path(route, &request.path), host, lines)
}

/// R-H-126..R-H-130.
fn rewritten_path(route: &Route, target: &str) -> String {
    let rewrite = &route.rule["rewrite"];
    let (path, query) = (without_query(target), query(target));
    let regex = &rewrite["uriRegexRewrite"];
    if !text(regex, "match").is_empty() {
        return replaced_everywhere(text(regex, "match"), text(regex, "rewrite"), path) + query;
    }
    match text(rewrite, "uri") {
        "" => target.to_owned(),
        new => prefix_replaced(route, path, new) + query,
    }
}

/// R-H-126, R-H-127, R-H-132: after a prefix match the prefix is replaced, otherwise all.
fn prefix_replaced(route: &Route, path: &str, new: &str) -> String {
    let uri = &route.condition["uri"];
    if !uri["exact"].is_null() || !uri["regex"].is_null() {
        return new.to_owned();
    }
    let length = uri["prefix"].as_str().unwrap_or("/").len();
    format!("{new}{}", &path[length..])
}

/// R-H-130: RE2 GlobalReplace; `\0` is the whole match, `\1` a group.
fn replaced_everywhere(pattern: &str, replacement: &str, path: &str) -> String {
    let Ok(regex) = Regex::new(&from_re2(pattern)) else {
        return path.to_owned();
    };
    let (mut out, mut end) = (String::new(), 0);
    for found in regex.captures_iter(path) {
        let whole = found.get_match().expect("a match");
        out.push_str(&path[end..whole.start()]);
        let mut rest = replacement.chars();
        while let Some(c) = rest.next() {
            match (c, rest.clone().next().and_then(|next| next.to_digit(10))) {
                ('\\', Some(group)) => {
                    rest.next();
                    let Some(span) = found.get_group(group as usize) else {
                        if group as usize >= found.group_len() {
                            return path.to_owned();
                        }
                        continue;
                    };
                    out.push_str(&path[span.range()]);
                }
                ('\\', None) => out.extend(rest.next()),
                _ => out.push(c),
            }
        }
        end = whole.end();
    }
    out + &path[end..]
}

/// The header lines that route and destination put on a response.
pub fn response_lines(route: &Route, arm: Option<&Arm>, request: &Lines) -> Lines {
    let nothing = json!({});
    let of_route = Operations::read(&route.rule["headers"], "response");
    let of_arm = Operations::read(arm.map_or(&nothing, |arm| &arm.headers), "response");
    let mut lines = Lines::default();
    if is_weighted(route) {
        of_arm.apply(&mut lines, Some(request));
        of_route.apply(&mut lines, Some(request));
    } else {
        of_route.then(of_arm).apply(&mut lines, Some(request));
    }
    lines
}

/// R-H-133..R-H-137: status and `location`.
pub fn redirect(route: &Route, request: &Request) -> (u64, String) {
    let redirect = &route.rule["redirect"];
    let scheme = non_empty(redirect, "scheme").unwrap_or_else(|| request.scheme.clone());
    let final_scheme = match text(redirect, "scheme") {
        "" if route.origin.tls => "https",
        "" => "http",
        said => said,
    };
    let default_port = if final_scheme == "https" { 443 } else { 80 };
    let port = match (number(redirect, "port"), text(redirect, "derivePort")) {
        (0, "FROM_REQUEST_PORT") => route.origin.port,
        (said, _) => said,
    };
    let port = if port == 0 || port == default_port {
        String::new()
    } else {
        format!(":{port}")
    };
    let host = non_empty(redirect, "authority").unwrap_or_else(|| {
        let from_default = match request.scheme.as_str() {
            "https" => ":443",
            _ => ":80",
        };
        if !port.is_empty() || (scheme != request.scheme && request.host.ends_with(from_default)) {
            without_port(&request.host).to_owned()
        } else {
            request.host.clone()
        }
    });
    let (path, query) = (without_query(&request.path), query(&request.path));
    let target = match (text(redirect, "prefixRewrite"), text(redirect, "uri")) {
        ("", "") => request.path.clone(),
        ("", uri) if uri.contains('?') => uri.to_owned(),
        ("", uri) => format!("{uri}{query}"),
        (new, _) => prefix_replaced(route, path, new) + query,
    };
    let slash = if target.starts_with('/') { "" } else { "/" };
    let code = match number(redirect, "redirectCode") {
        0 => 301,
        code => code,
    };
    (code, format!("{scheme}://{host}{port}{slash}{target}"))
}

/// R-H-148: what CORS adds to a response, if the origin is allowed.
pub fn cors_headers(route: &Route, request: &Request) -> Option<BTreeMap<String, String>> {
    let policy = &route.rule["corsPolicy"];
    if !policy.is_object() {
        return None;
    }
    let origin = request
        .lines
        .joined("origin")
        .filter(|origin| !origin.is_empty())?;
    let allowed = if list(policy, "allowOrigins").is_empty() {
        texts(policy, "allowOrigin")
            .iter()
            .any(|o| o == "*" || *o == origin)
    } else {
        list(policy, "allowOrigins")
            .iter()
            .any(|wanted| string_matches(wanted, "*") || string_matches(wanted, &origin))
    };
    if !allowed {
        return None;
    }
    let mut out = BTreeMap::from([("access-control-allow-origin".to_owned(), origin)]);
    if policy["allowCredentials"].as_bool() == Some(true) {
        out.insert(
            "access-control-allow-credentials".to_owned(),
            "true".to_owned(),
        );
    }
    Some(out)
}

/// R-H-148: is it a preflight, as far as the request goes?
pub fn asks_preflight(request: &Request) -> bool {
    let asked = request.lines.joined("access-control-request-method");
    request.method == "OPTIONS" && asked.is_some_and(|method| !method.is_empty())
}

/// R-H-148: the further headers of the answer to a preflight, and of an ordinary response.
pub fn cors_details(route: &Route, preflight: bool) -> BTreeMap<String, String> {
    let policy = &route.rule["corsPolicy"];
    let mut out = BTreeMap::new();
    let mut joined = |field: &str, header: &str| {
        let values = texts(policy, field);
        if !values.is_empty() {
            out.insert(header.to_owned(), values.join(","));
        }
    };
    // The answer to a preflight passes the same filter on its way out, so that it exposes headers, too.
    joined("exposeHeaders", "access-control-expose-headers");
    if preflight {
        joined("allowMethods", "access-control-allow-methods");
        joined("allowHeaders", "access-control-allow-headers");
        if let Some(age) = duration(&policy["maxAge"]) {
            out.insert(
                "access-control-max-age".to_owned(),
                age.trim_end_matches('s').to_owned(),
            );
        }
    }
    out
}
