//! What a chosen route does: clusters, the rewritten request, redirects, CORS. Sections 9 to 13 of istio-http.md.

use std::collections::BTreeMap;

use regex_automata::meta::Regex;
use serde_json::json;

use super::headers::{Lines, Operations, host_rewrite, non_empty};
use super::heads;
use super::matching::{Request, from_re2, path_separated_prefix, string_matches};
use super::paths::{query, without_query};
use super::policies::duration;
use super::routes::{Route, cluster};
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
        cluster: cluster(world, scope, route, &entry["destination"]),
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

/// The request as the upstream gets it: path, host, header lines (R-H-121..R-H-132).
pub fn upstream_request(
    world: &World,
    route: &Route,
    arm: &Arm,
    request: &Request,
) -> (String, String, Lines) {
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
    let rewritten = non_empty(&rule["rewrite"], "authority")
        .or_else(|| host_rewrite(&rule["headers"]))
        .or_else(|| host_rewrite(&arm.headers));
    let headers = heads::proxy_headers(world);
    let tells_host = headers["xForwardedHost"]["enabled"] == true && rule["rewrite"].is_object();
    if rewritten.is_some() && tells_host {
        // R-H-124, R-H-151
        let told = lines
            .joined("x-forwarded-host")
            .filter(|told| !told.is_empty());
        let mut told: Vec<String> = told.into_iter().collect();
        let last = told
            .first()
            .and_then(|told| told.split(',').rfind(|part| !part.is_empty()));
        if last != Some(&request.host) {
            told.push(request.host.clone());
        }
        lines.0.retain(|(name, _)| name != "x-forwarded-host");
        lines
            .0
            .push(("x-forwarded-host".to_owned(), told.join(",")));
    }
    let host = rewritten.unwrap_or_else(|| request.host.clone());
    let path = rewritten_path(route, &request.path);
    let rewrite = &rule["rewrite"];
    let is_told = headers["envoyDebugHeaders"]["disabled"] != true;
    let rewrites_path = non_empty(rewrite, "uri").is_some()
        || non_empty(&rewrite["uriRegexRewrite"], "match").is_some();
    if rewrites_path && is_told {
        lines.0.retain(|(name, _)| name != "x-envoy-original-path");
        lines
            .0
            .push(("x-envoy-original-path".to_owned(), request.path.clone())); // R-H-131
    }
    (path, host, lines)
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
        "/" if route.has_gateway_semantics => prefix_removed(route, path) + query,
        new => prefix_replaced(route, path, new) + query,
    }
}

/// R-G-054: the path without the prefix, and with one slash in its place.
fn prefix_removed(route: &Route, path: &str) -> String {
    let length = path_separated_prefix(route).map_or(0, str::len);
    let rest = path.get(length..).unwrap_or("");
    format!("/{}", rest.strip_prefix('/').unwrap_or(rest))
}

/// R-H-126, R-H-127, R-H-132: after a prefix match the prefix is replaced, otherwise all.
fn prefix_replaced(route: &Route, path: &str, new: &str) -> String {
    let uri = &route.condition["uri"];
    if !uri["exact"].is_null() || !uri["regex"].is_null() {
        return new.to_owned();
    }
    let prefix = path_separated_prefix(route).or(uri["prefix"].as_str());
    let length = prefix.unwrap_or("/").len();
    format!("{new}{}", path.get(length..).unwrap_or(""))
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

/// R-H-148: who asks a route with a CORS policy from another origin.
pub fn cors_origin(route: &Route, request: &Request) -> Option<String> {
    let origin = request.lines.joined("origin");
    let origin = origin.filter(|origin| !origin.is_empty());
    origin.filter(|_| route.rule["corsPolicy"].is_object())
}

/// R-H-148: what CORS adds to a response, if the origin is allowed.
pub fn cors_headers(route: &Route, request: &Request) -> Option<BTreeMap<String, String>> {
    let policy = &route.rule["corsPolicy"];
    let origin = cors_origin(route, request)?;
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
    out.extend(cors_credentials(policy));
    let exposed = texts(policy, "exposeHeaders").join(",");
    if !exposed.is_empty() {
        out.insert("access-control-expose-headers".to_owned(), exposed);
    }
    Some(out)
}

fn cors_credentials(policy: &Yaml) -> Option<(String, String)> {
    let name = "access-control-allow-credentials";
    (policy["allowCredentials"] == true).then(|| (name.to_owned(), "true".to_owned()))
}

/// R-H-148: is it a preflight, as far as the request goes?
pub fn asks_preflight(request: &Request) -> bool {
    let asked = request.lines.joined("access-control-request-method");
    request.method == "OPTIONS" && asked.is_some_and(|method| !method.is_empty())
}

/// R-H-148: the answer to a preflight, without what an allowed origin gets beside it; `None`: the filter leaves it to the
/// upstream.
pub fn cors_preflight(route: &Route, request: &Request) -> Option<BTreeMap<String, String>> {
    let policy = &route.rule["corsPolicy"];
    cors_origin(route, request).filter(|_| asks_preflight(request))?;
    if cors_headers(route, request).is_none() && text(policy, "unmatchedPreflights") != "IGNORE" {
        return None;
    }
    let mut out: BTreeMap<String, String> = cors_credentials(policy).into_iter().collect();
    for (field, header, asked) in [
        (
            "allowMethods",
            "access-control-allow-methods",
            "access-control-request-method",
        ),
        (
            "allowHeaders",
            "access-control-allow-headers",
            "access-control-request-headers",
        ),
    ] {
        match texts(policy, field).join(",").as_str() {
            "" => None,
            "*" => out.insert(
                header.to_owned(),
                request.lines.joined(asked).unwrap_or_default(),
            ),
            said => out.insert(header.to_owned(), said.to_owned()),
        };
    }
    if !policy["maxAge"].is_null() {
        let age = duration(&policy["maxAge"]).unwrap_or_default();
        let seconds = age.split(['.', 's']).next().unwrap_or("");
        let seconds = if seconds.is_empty() { "0" } else { seconds };
        out.insert("access-control-max-age".to_owned(), seconds.to_owned());
    }
    Some(out)
}
