//! `outlierDetection`, of a DestinationRule or of the mesh (R-M-104..R-M-110, R-M-171).

use crate::diagnostic::{At, Code, Diagnostic, Severity};
use crate::resolve::Sink;
use crate::resolve::check::quantity;
use crate::resource as raw;
use crate::terms::traffic_policy::OutlierDetection;

/// Types `outlierDetection`; `warning` is how bad a warning is here.
pub(crate) fn resolve(
    written: &raw::OutlierDetection,
    warning: Severity,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> OutlierDetection {
    if written.consecutive_errors != 0 {
        let diagnostic = Diagnostic::new(
            Code::DEPRECATED_FIELD,
            "`consecutiveErrors` is deprecated, and Istio does not read it",
        )
        .with_help("write `consecutiveGatewayErrors` or `consecutive5xxErrors`");
        let at = at.field("consecutiveErrors");
        sink.push_full(&at, diagnostic.with_severity(warning));
    }
    let local = written.consecutive_local_origin_failures;
    if local.is_some_and(|count| count > 0) && !written.split_external_local_origin_errors {
        sink.push(
            &at.field("consecutiveLocalOriginFailures"),
            Code::CONFLICTING_FIELDS,
            "`consecutiveLocalOriginFailures` needs `splitExternalLocalOriginErrors: true`",
        );
    }
    let default = OutlierDetection::default();
    let (ejection, health) = (written.max_ejection_percent, written.min_health_percent);
    OutlierDetection {
        consecutive_5xx_errors: written
            .consecutive_5xx_errors
            .unwrap_or(default.consecutive_5xx_errors),
        consecutive_gateway_errors: written
            .consecutive_gateway_errors
            .unwrap_or(default.consecutive_gateway_errors),
        split_external_local_origin_errors: written.split_external_local_origin_errors,
        consecutive_local_origin_failures: local
            .unwrap_or(default.consecutive_local_origin_failures),
        interval: sink
            .span(written.interval, "interval", at)
            .unwrap_or(default.interval),
        base_ejection_time: sink
            .span(written.base_ejection_time, "baseEjectionTime", at)
            .unwrap_or(default.base_ejection_time),
        max_ejection_percent: match percent(ejection, "maxEjectionPercent", at, sink) {
            0 => default.max_ejection_percent,
            percent => percent,
        },
        min_health_percent: percent(health, "minHealthPercent", at, sink),
        http_error_codes: written.outlier_detection_http_error_codes.as_slice().into(),
    }
}

/// A whole percentage; 0 after an error.
fn percent(value: i32, field: &'static str, at: &At<'_>, sink: &mut Sink<'_>) -> u8 {
    let verdict = quantity::percent(value);
    sink.check(&at.field(field), Code::INVALID_PERCENTAGE, verdict);
    u8::try_from(value).unwrap_or(0)
}
