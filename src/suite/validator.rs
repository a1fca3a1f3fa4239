//! The files of istio-config-validator: `testCases`, each asked for every authority, method and path of it.

use serde_yaml::Value;

use super::Test;
use super::expected::{Expected, Parts, Place};
use super::line::Line;

pub(super) fn read(cases: &Value, tests: &mut Vec<Test>) -> Result<(), String> {
    let cases = cases.as_sequence().ok_or("`testCases` is a list")?;
    for (index, case) in cases.iter().enumerate() {
        let name = case.get("description").and_then(Value::as_str);
        let name = name.map_or_else(|| format!("testCases[{index}]"), str::to_owned);
        let told = |why: &str| format!("`{name}`: {why}");
        let request = case
            .get("request")
            .ok_or_else(|| told("there is no `request`"))?;
        let list = |field: &str, default: &str| -> Vec<String> {
            let all = request.get(field).and_then(Value::as_sequence);
            let all = all
                .into_iter()
                .flatten()
                .filter_map(|one| one.as_str().map(str::to_owned));
            let all: Vec<String> = all.collect();
            match all.is_empty() {
                true => vec![default.to_owned()],
                false => all,
            }
        };
        let headers = request.get("headers").and_then(Value::as_mapping);
        let headers = headers.into_iter().flatten().filter_map(|(name, value)| {
            Some((name.as_str()?.to_owned(), value.as_str()?.to_owned()))
        });
        let headers: Vec<(String, String)> = headers.collect();
        let expected = Expected::Parts(parts(case).map_err(|why| told(&why))?);
        let is_negated = case.get("wantMatch").and_then(Value::as_bool) == Some(false);
        for authority in list("authority", "") {
            for method in list("method", "GET") {
                for uri in list("uri", "/") {
                    tests.push(Test {
                        name: format!("{name}: {method} {authority}{uri}"),
                        line: 0,
                        request: Line {
                            method: method.clone(),
                            url: format!("http://{authority}{uri}"),
                            headers: headers.clone(),
                            via: None,
                        },
                        expected: expected.clone(),
                        is_negated,
                    });
                }
            }
        }
    }
    Ok(())
}

fn text(value: &Value, field: &str) -> Option<String> {
    value.get(field)?.as_str().map(str::to_owned)
}

fn parts(case: &Value) -> Result<Parts, String> {
    let mut parts = Parts::default();
    for entry in case
        .get("route")
        .and_then(Value::as_sequence)
        .into_iter()
        .flatten()
    {
        let destination = entry
            .get("destination")
            .ok_or("a route has a `destination`")?;
        let port = destination
            .get("port")
            .and_then(|port| port.get("number"))
            .and_then(Value::as_u64);
        let place = Place {
            host: text(destination, "host").ok_or("a destination has a `host`")?,
            port: port.and_then(|port| u16::try_from(port).ok()),
            subset: text(destination, "subset"),
        };
        parts
            .route
            .push((place, entry.get("weight").and_then(Value::as_u64)));
    }
    if let Some(redirect) = case.get("redirect") {
        let status = redirect.get("redirectCode").and_then(Value::as_u64);
        let status = status.and_then(|status| u16::try_from(status).ok());
        parts.redirect = Some((text(redirect, "uri"), text(redirect, "authority"), status));
    }
    if let Some(rewrite) = case.get("rewrite") {
        parts.rewrite = Some((text(rewrite, "uri"), text(rewrite, "authority")));
    }
    parts.delegate = case
        .get("delegate")
        .and_then(|delegate| text(delegate, "name"));
    let abort = case.get("fault").and_then(|fault| fault.get("abort"));
    let status = abort
        .and_then(|abort| abort.get("httpStatus"))
        .and_then(Value::as_u64);
    parts.abort = status.and_then(|status| u16::try_from(status).ok());
    Ok(parts)
}
