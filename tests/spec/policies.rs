//! What a route asks for beside its destination: mirrors, faults, timeout, retries, hash keys. Section 13 of istio-http.md.

use serde_json::json;

use super::actions::is_weighted;
use super::destination_rules::{hash_policies, rule_for};
use super::routes::{Route, cluster};
use super::sidecar::Scope;
use super::world::World;
use super::{Yaml, list, number, text};

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
    let of = |destination: &Yaml| cluster(world, scope, route, destination);
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
    let said = match abort[status].as_str() {
        Some(name) => grpc_code(name).into(),
        None => abort[status].clone(),
    };
    Some((json!({status: said}), per_million(&abort["percentage"])))
}

/// R-H-144: delay and share per million.
pub fn fault_delay(route: &Route) -> Option<(String, u64)> {
    let delay = &route.rule["fault"]["delay"];
    let share = match &delay["percentage"] {
        Yaml::Null => number(delay, "percent") * 10_000,
        said => per_million(said),
    };
    Some((duration(&delay["fixedDelay"])?, share))
}

/// The number of a gRPC status.
fn grpc_code(name: &str) -> u64 {
    let names = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    let at = names.iter().position(|known| *known == name);
    at.unwrap_or(2) as u64
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
    if let Some((fixed, share)) = fault_delay(route) {
        out["fault_delay"] = json!({"fixedDelay": fixed, "percent": percent(share)});
    }
    if let Some((mut abort, share)) = fault_abort(route) {
        abort["percent"] = percent(share).into();
        out["fault_abort"] = abort;
    }
    out
}

fn hash_of_destination(world: &World, scope: &Scope, destination: &Yaml) -> Vec<Yaml> {
    let service = scope.service(text(destination, "host"));
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
        let mut on = names.join(",");
        if !codes.is_empty() {
            if !names.contains(&"retriable-status-codes") {
                on += ",retriable-status-codes";
            }
            out["retriable_status_codes"] = codes.into();
        }
        out["retry_on"] = on.into();
    }
    if let Some(backoff) = duration(&said["backoff"]) {
        out["backoff"] = backoff.into();
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
pub fn duration(value: &Yaml) -> Option<String> {
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
