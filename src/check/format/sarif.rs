use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::check::plain;
use crate::diagnostic::{Code, Diagnostic, Location, Report, Severity};

pub(super) fn write(report: &Report) -> String {
    let codes: BTreeSet<Code> = report.iter().map(Diagnostic::code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let rules = codes.iter().map(|code| {
        json!({
            "id": code.id(),
            "name": code.name(),
            "shortDescription": {"text": code.summary()},
            "defaultConfiguration": {"level": code.severity().as_str()},
            "properties": {"istioctl": code.istioctl()},
        })
    });
    let rules: Vec<Value> = rules.collect();
    let results = report.iter().map(|one| {
        let rule = codes.binary_search(&one.code()).unwrap_or_default();
        let mut text = plain(one.message());
        if let Some(help) = one.help() {
            text.push_str(&plain(&format!("; {help}")));
        }
        let mut result = json!({
            "ruleId": one.code().id(),
            "ruleIndex": rule,
            "level": level(one.severity()),
            "message": {"text": text},
        });
        if let Some(location) = one.location() {
            result["locations"] = json!([place(location, None)]);
        }
        let related = one.related().iter().filter_map(|related| {
            let text = format!("{}: {}", related.resource, related.message);
            Some(place(related.location.as_ref()?, Some(&plain(&text))))
        });
        let related: Vec<Value> = related.collect();
        if !related.is_empty() {
            result["relatedLocations"] = related.into();
        }
        result
    });
    let results: Vec<Value> = results.collect();
    let all = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "meshroute",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{all:#}\n")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn place(location: &Location, message: Option<&str>) -> Value {
    let mut value = json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(location.file.as_deref().unwrap_or("stdin"))},
        "region": {"startLine": location.line, "startColumn": location.column},
    }});
    if let Some(message) = message {
        value["message"] = json!({"text": message});
    }
    value
}

/// A path as a relative reference: what is not allowed in one is written as `%XX`.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                out.push(char::from(byte))
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
