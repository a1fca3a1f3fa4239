//! Delegation: a root VirtualService whose rules name other VirtualServices, as one list of rules.
//! Section 1 of istio-http.md, section 3.1 of istio-model.md. Input and output have their names completed.

use serde_json::json;

use super::names::{Export, default_export};
use super::virtual_services::with_full_names;
use super::world::{World, namespace};
use super::{Yaml, list, number, text, texts};

/// The http rules of `root` with every delegating rule replaced by what it delegates to (R-H-013, R-M-049).
pub fn expanded_rules(world: &World, root: &Yaml) -> Vec<Yaml> {
    let mut rules = Vec::new();
    for rule in list(&root["spec"], "http") {
        if rule["delegate"].is_null() {
            rules.push(rule.clone());
            continue;
        }
        let Some(delegate) = find(world, root, &rule["delegate"]) else {
            continue;
        };
        // R-M-051: one level only; a delegate's own `delegate` is not followed.
        let of_delegate = list(&delegate["spec"], "http").iter();
        rules.extend(of_delegate.filter_map(|inner| merge_rules(rule, inner)));
    }
    rules
}

/// R-M-048, R-M-049: the delegate, if it is one and if the root's namespace may use it.
fn find(world: &World, root: &Yaml, reference: &Yaml) -> Option<Yaml> {
    let owner = match text(reference, "namespace") {
        "" => namespace(root),
        said => said,
    };
    let named = world.of_kind("VirtualService").find(|candidate| {
        namespace(candidate) == owner
            && text(&candidate["metadata"], "name") == text(reference, "name")
            && list(&candidate["spec"], "hosts").is_empty()
    })?;
    let default = default_export(&world.mesh, "defaultVirtualServiceExportTo");
    let export = Export::read(&texts(&named["spec"], "exportTo"), &default, owner);
    export
        .reaches(namespace(root))
        .then(|| with_full_names(named))
}

/// R-M-052: one rule of the delegate under one rule of the root; `None` if their matches exclude each other.
fn merge_rules(root: &Yaml, inner: &Yaml) -> Option<Yaml> {
    let matches = merge_matches(list(root, "match"), list(inner, "match"))?;
    let mut merged = inner.clone();
    merged["match"] = Yaml::Array(matches);
    merged["name"] = joined(root, inner);
    let inherited = [
        "rewrite",
        "directResponse",
        "timeout",
        "retries",
        "fault",
        "mirror",
        "mirrorPercent",
        "mirrorPercentage",
        "corsPolicy",
        "headers",
    ];
    for field in inherited {
        if merged[field].is_null() {
            merged[field] = root[field].clone();
        }
    }
    if list(inner, "mirrors").is_empty() {
        merged["mirrors"] = root["mirrors"].clone();
    }
    Some(merged)
}

/// R-H-015: names are joined with `-`.
fn joined(root: &Yaml, inner: &Yaml) -> Yaml {
    match (text(root, "name"), text(inner, "name")) {
        ("", only) | (only, "") => only.into(),
        (root, inner) => format!("{root}-{inner}").into(),
    }
}

/// R-M-053: every pair that does not conflict, the delegate's matches outermost. A delegate match that conflicts with
/// every root match takes the whole rule with it.
fn merge_matches(root: &[Yaml], inner: &[Yaml]) -> Option<Vec<Yaml>> {
    if root.is_empty() {
        return Some(inner.to_vec());
    }
    if inner.is_empty() {
        return Some(root.to_vec());
    }
    let mut out = Vec::new();
    for leaf in inner {
        let fitting: Vec<Yaml> = root
            .iter()
            .filter(|above| !conflict(above, leaf))
            .map(|above| merge_match(above, leaf))
            .collect();
        if fitting.is_empty() {
            return None;
        }
        out.extend(fitting);
    }
    Some(out)
}

/// R-M-054: one pair.
fn merge_match(root: &Yaml, leaf: &Yaml) -> Yaml {
    let mut merged = leaf.clone();
    if !merged.is_object() {
        merged = json!({});
    }
    merged["name"] = joined(root, leaf);
    for field in ["uri", "scheme", "method", "authority"] {
        if merged[field].is_null() {
            merged[field] = root[field].clone();
        }
    }
    if number(leaf, "port") == 0 {
        merged["port"] = root["port"].clone();
    }
    if text(leaf, "sourceNamespace").is_empty() {
        merged["sourceNamespace"] = root["sourceNamespace"].clone();
    }
    if list(leaf, "gateways").is_empty() {
        merged["gateways"] = root["gateways"].clone();
    }
    for field in ["headers", "withoutHeaders", "queryParams", "sourceLabels"] {
        for (key, value) in root[field].as_object().into_iter().flatten() {
            if merged[field].get(key).is_none() {
                if merged[field].is_null() {
                    merged[field] = json!({});
                }
                merged[field][key] = value.clone();
            }
        }
    }
    merged
}

/// R-M-055: can no request satisfy both?
fn conflict(root: &Yaml, leaf: &Yaml) -> bool {
    let scalars = ["uri", "scheme", "method", "authority"];
    if scalars
        .iter()
        .any(|field| strings_conflict(&root[field], &leaf[field]))
    {
        return true;
    }
    for field in ["headers", "withoutHeaders", "queryParams"] {
        for (key, value) in root[field].as_object().into_iter().flatten() {
            if let Some(other) = leaf[field].get(key)
                && strings_conflict(value, other)
            {
                return true;
            }
        }
    }
    let ignore_case = |m: &Yaml| m["ignoreUriCase"].as_bool().unwrap_or(false);
    if ignore_case(root) != ignore_case(leaf) {
        return true;
    }
    let (above, below) = (number(root, "port"), number(leaf, "port"));
    if above > 0 && below > 0 && above != below {
        return true;
    }
    let source = text(root, "sourceNamespace");
    if !source.is_empty() && source != text(leaf, "sourceNamespace") {
        return true;
    }
    for (key, value) in root["sourceLabels"].as_object().into_iter().flatten() {
        if leaf["sourceLabels"]
            .get(key)
            .is_some_and(|other| other != value)
        {
            return true;
        }
    }
    let (above, below) = (texts(root, "gateways"), texts(leaf, "gateways"));
    !above.is_empty() && !below.is_empty() && !below.iter().all(|gateway| above.contains(gateway))
}

/// R-M-056: is the delegate's text not provably within the root's?
fn strings_conflict(root: &Yaml, leaf: &Yaml) -> bool {
    if root.is_null() || leaf.is_null() {
        return false;
    }
    if !text(root, "regex").is_empty() || !text(leaf, "regex").is_empty() {
        return true;
    }
    let (exact, prefix) = (text(leaf, "exact"), text(leaf, "prefix"));
    if let Some(wanted) = root["exact"].as_str() {
        return leaf["exact"].as_str() != Some(wanted);
    }
    match text(root, "prefix") {
        "" => true,
        wanted => !(exact.starts_with(wanted) || prefix.starts_with(wanted)),
    }
}
