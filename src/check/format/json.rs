use serde_json::{Value, json};

use crate::diagnostic::Report;

pub(super) fn write(report: &Report) -> String {
    let findings = report.iter().map(|one| {
        let mut value = serde_json::to_value(one).unwrap_or(Value::Null);
        if !one.code().istioctl().is_empty() {
            value["istioctl"] = json!(one.code().istioctl());
        }
        value
    });
    let findings: Vec<Value> = findings.collect();
    let all = json!({
        "schema": "meshroute/check/v1",
        "summary": {
            "errors": report.errors().count(),
            "warnings": report.warnings().count(),
            "notes": report.notes().count(),
        },
        "findings": findings,
    });
    format!("{all:#}\n")
}
