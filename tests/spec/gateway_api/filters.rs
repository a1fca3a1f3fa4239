//! What HTTPRoutes and GRPCRoutes do to requests.

use serde_json::json;

use super::backends::{Ineffective, Source, destination};
use crate::spec::{Yaml, list, text, texts};

/// R-G-041: writes the filters of a rule into `rule`, in their order.
pub(super) fn apply(source: &Source, filters: &[Yaml], rule: &mut Yaml) -> Result<(), Ineffective> {
    let is_grpc = text(source.route, "kind") == "GRPCRoute";
    for filter in filters {
        match text(filter, "type") {
            "RequestHeaderModifier" => {
                rule["headers"]["request"] = header_changes(&filter["requestHeaderModifier"])?;
            }
            "ResponseHeaderModifier" => {
                rule["headers"]["response"] = header_changes(&filter["responseHeaderModifier"])?;
            }
            "RequestMirror" => {
                let said = &filter["requestMirror"];
                let target = destination(source, &said["backendRef"])?;
                if target.is_bad && is_grpc {
                    return Err(Ineffective);
                }
                if !target.is_bad {
                    let mut mirror = json!({"destination": target.destination});
                    if let Some(share) = share(said) {
                        mirror["percentage"] = json!({"value": share});
                    }
                    if !rule["mirrors"].is_array() {
                        rule["mirrors"] = json!([]);
                    }
                    rule["mirrors"].as_array_mut().expect("a list").push(mirror);
                }
            }
            "RequestRedirect" if !is_grpc => {
                rule["redirect"] = redirect(&filter["requestRedirect"])
            }
            "URLRewrite" if !is_grpc => rule["rewrite"] = rewrite(&filter["urlRewrite"]),
            "CORS" if !is_grpc => rule["corsPolicy"] = cors(&filter["cors"]),
            _ => return Err(Ineffective),
        }
    }
    Ok(())
}

/// Names in lower case, of equal names the first; a control character in a value is an error.
pub(super) fn header_changes(said: &Yaml) -> Result<Yaml, Ineffective> {
    let mut out = json!({});
    for field in ["set", "add"] {
        for one in list(said, field) {
            let (name, value) = (text(one, "name").to_lowercase(), text(one, "value"));
            if value.chars().any(|c| c.is_ascii_control() && c != '\t') {
                return Err(Ineffective);
            }
            if out[field].is_null() {
                out[field] = json!({});
            }
            if out[field].get(&name).is_none() {
                out[field][name] = value.into();
            }
        }
    }
    let removed = texts(said, "remove");
    if !removed.is_empty() {
        out["remove"] = json!(removed);
    }
    Ok(out)
}

/// The share of requests that a mirror gets, in percent.
fn share(said: &Yaml) -> Option<f64> {
    if let Some(percent) = said["percent"].as_f64() {
        return Some(percent);
    }
    let fraction = said["fraction"].as_object()?;
    let of = |field: &str| fraction.get(field).and_then(Yaml::as_f64);
    Some(of("numerator").unwrap_or(0.0) * 100.0 / of("denominator").unwrap_or(100.0))
}

/// R-G-042.
fn redirect(said: &Yaml) -> Yaml {
    let mut out = json!({"redirectCode": said["statusCode"].as_u64().unwrap_or(302)});
    if !text(said, "hostname").is_empty() {
        out["authority"] = said["hostname"].clone();
    }
    let scheme = text(said, "scheme");
    if !scheme.is_empty() {
        out["scheme"] = scheme.into();
    }
    match (said["port"].as_u64(), scheme) {
        (Some(port), _) => out["port"] = port.into(),
        (None, "http") => out["port"] = 80.into(),
        (None, "https") => out["port"] = 443.into(),
        (None, _) => out["derivePort"] = "FROM_REQUEST_PORT".into(),
    }
    let path = &said["path"];
    match text(path, "type") {
        "ReplaceFullPath" => out["uri"] = text(path, "replaceFullPath").into(),
        "ReplacePrefixMatch" => out["prefixRewrite"] = text(path, "replacePrefixMatch").into(),
        _ => {}
    }
    out
}

fn rewrite(said: &Yaml) -> Yaml {
    let mut out = json!({});
    let path = &said["path"];
    match text(path, "type") {
        "ReplacePrefixMatch" => {
            let new = text(path, "replacePrefixMatch");
            let new = new.strip_suffix('/').unwrap_or(new);
            out["uri"] = if new.is_empty() { "/" } else { new }.into();
        }
        "ReplaceFullPath" => {
            let new = text(path, "replaceFullPath");
            out["uriRegexRewrite"] = json!({"match": "/.*", "rewrite": new});
        }
        _ => {}
    }
    if !text(said, "hostname").is_empty() {
        out["authority"] = said["hostname"].clone();
    }
    out
}

fn cors(said: &Yaml) -> Yaml {
    let origin = |origin: String| match origin.as_str() {
        "*" => json!({"regex": "[a-zA-Z][a-zA-Z0-9+.-]*://.+"}),
        _ if !origin.contains('*') => json!({"exact": origin}),
        _ if origin.find('*') == Some(origin.len() - 1) => {
            json!({"prefix": origin[..origin.len() - 1]})
        }
        _ => {
            let parts: Vec<String> = origin.split('*').map(regex_syntax::escape).collect();
            json!({"regex": parts.join(".*")})
        }
    };
    let origins: Vec<Yaml> = texts(said, "allowOrigins")
        .into_iter()
        .map(origin)
        .collect();
    let mut out = json!({
        "allowOrigins": origins,
        "maxAge": format!("{}s", said["maxAge"].as_u64().unwrap_or(5)),
        "unmatchedPreflights": "IGNORE",
    });
    for field in ["allowMethods", "allowHeaders", "exposeHeaders"] {
        if !list(said, field).is_empty() {
            out[field] = said[field].clone();
        }
    }
    if said["allowCredentials"] == true {
        out["allowCredentials"] = true.into();
    }
    out
}

/// R-G-043: timeouts and retries of a rule.
pub(super) fn policy(said: &Yaml, rule: &mut Yaml) {
    let is_set = |value: &&Yaml| crate::spec::policies::duration(value).is_some();
    let asked = &said["retry"];
    if asked.is_object() {
        let mut codes = vec!["connect-failure,refused-stream,unavailable,cancelled".to_owned()];
        codes.extend(list(asked, "codes").iter().map(|code| code.to_string()));
        let attempts = asked["attempts"].as_i64().unwrap_or(2);
        let mut retries = json!({"attempts": attempts});
        if attempts != 0 {
            retries["retryOn"] = codes.join(",").into();
        }
        if let Some(backoff) = Some(&asked["backoff"]).filter(is_set) {
            retries["backoff"] = backoff.clone();
        }
        rule["retries"] = retries;
    }
    let timeouts = &said["timeouts"];
    if let Some(whole) = Some(&timeouts["request"]).filter(is_set) {
        rule["timeout"] = whole.clone();
    }
    if let Some(each) = Some(&timeouts["backendRequest"]).filter(is_set) {
        if rule["retries"].is_object() {
            rule["retries"]["perTryTimeout"] = each.clone();
        } else {
            rule["timeout"] = each.clone();
        }
    }
}
