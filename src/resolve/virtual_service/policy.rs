//! The policies of an `http` rule that do not change its destination: timeout, retries, faults, CORS, rewrite
//! (R-H-126..R-H-132, R-H-144..R-H-148, R-M-162..R-M-164).

use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::resolve::check::{header, quantity};
use crate::resolve::{Context, Sink, not_empty, retries};
use crate::resource as raw;
use crate::terms::condition::ValueMatch;
use crate::terms::route_policy::{
    AbortStatus, CorsPolicy, FaultAbort, FaultDelay, MissingClusterStatus, PathRewrite, Rewrite,
    RoutePolicy,
};
use crate::terms::weighted::FractionalPercent;

use super::string_match;

/// All policies of a rule.
pub(super) fn policy(
    rule: &raw::HttpRoute,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Arc<RoutePolicy> {
    let timeout = sink.span(rule.timeout, "timeout", at);
    let (fault_delay, fault_abort) = match &rule.fault {
        Some(fault) => faults(fault, &at.field("fault"), sink),
        None => (None, None),
    };
    cx.share_policy(RoutePolicy {
        timeout,
        retries: retries::of_rule(rule.retries.as_deref(), &at.field("retries"), cx, sink),
        cors: rule
            .cors_policy
            .as_ref()
            .map(|cors| Arc::new(cors_policy(cors, &at.field("corsPolicy"), cx, sink))),
        fault_delay,
        fault_abort,
        rewrite: rule
            .rewrite
            .as_ref()
            .map(|written| rewrite(written, &at.field("rewrite"), cx, sink))
            .unwrap_or_default(),
        missing_cluster: MissingClusterStatus::ServiceUnavailable,
    })
}

/// `uriRegexRewrite` beats `uri`; admission allows only one of them.
fn rewrite(
    written: &raw::HttpRewrite,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Rewrite {
    let regex_at = at.field("uriRegexRewrite");
    if !written.uri.is_empty() && written.uri_regex_rewrite.is_some() {
        sink.push(
            &regex_at,
            Code::CONFLICTING_FIELDS,
            "a rewrite cannot have both `uri` and `uriRegexRewrite`",
        );
    }
    if written.uri.is_empty() && written.uri_regex_rewrite.is_none() && written.authority.is_empty()
    {
        sink.push(
            at,
            Code::MISSING_FIELD,
            "a rewrite needs one of `uri`, `uriRegexRewrite` and `authority`",
        );
    }
    let path = match &written.uri_regex_rewrite {
        Some(regex) if regex.r#match.is_empty() || regex.rewrite.is_empty() => {
            sink.push(
                &regex_at,
                Code::MISSING_FIELD,
                "`uriRegexRewrite` needs both `match` and `rewrite`",
            );
            None
        }
        Some(regex) => cx
            .rewriter(&regex.r#match, &regex.rewrite, &regex_at, sink)
            .map(PathRewrite::Regex),
        None => not_empty(&written.uri).map(PathRewrite::Uri),
    };
    Rewrite {
        path,
        authority: not_empty(&written.authority),
    }
}

/// The delay falls back to the deprecated whole `percent`; without any share a fault never happens (R-H-144).
fn faults(
    written: &raw::HttpFaultInjection,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> (Option<FaultDelay>, Option<FaultAbort>) {
    if written.delay.is_none() && written.abort.is_none() {
        sink.push(
            at,
            Code::MISSING_FIELD,
            "a fault needs a `delay` or an `abort`",
        );
    }
    let delay = written
        .delay
        .as_ref()
        .and_then(|delay| fault_delay(delay, &at.field("delay"), sink));
    let abort = written
        .abort
        .as_ref()
        .and_then(|abort| fault_abort(abort, &at.field("abort"), sink));
    (delay, abort)
}

fn fault_delay(written: &raw::FaultDelay, at: &At<'_>, sink: &mut Sink<'_>) -> Option<FaultDelay> {
    if written.exponential_delay.is_some() {
        sink.push(
            &at.field("exponentialDelay"),
            Code::UNSUPPORTED_BY_ISTIO,
            "Istio does not support `exponentialDelay`",
        );
    }
    let percentage = match share(written.percentage.as_ref(), at, sink) {
        Some(share) => share,
        None if written.percent != 0 => {
            let at = at.field("percent");
            sink.check(
                &at,
                Code::INVALID_PERCENTAGE,
                quantity::percent(written.percent),
            );
            sink.push_with_help(
                &at,
                Code::DEPRECATED_FIELD,
                "`percent` is deprecated",
                "write `percentage: {value: ..}`",
            );
            FractionalPercent::from_percent(written.percent)
        }
        None => never(at, "delay", sink),
    };
    Some(FaultDelay {
        duration: sink.span(written.fixed_delay, "fixedDelay", at)?,
        percentage,
    })
}

fn fault_abort(written: &raw::FaultAbort, at: &At<'_>, sink: &mut Sink<'_>) -> Option<FaultAbort> {
    let percentage = match share(written.percentage.as_ref(), at, sink) {
        Some(share) => share,
        None => never(at, "abort", sink),
    };
    if written.http2_error.is_some() {
        sink.push(
            &at.field("http2Error"),
            Code::UNSUPPORTED_BY_ISTIO,
            "Istio does not support `http2Error`",
        );
        return None;
    }
    let status = if let Some(name) = &written.grpc_status {
        match grpc_code(name) {
            Some(code) => AbortStatus::Grpc(code),
            None => {
                sink.push_with_help(
                    &at.field("grpcStatus"),
                    Code::INVALID_STATUS,
                    format!("`{name}` is not the name of a gRPC status"),
                    "write a name such as `NOT_FOUND` or `UNAVAILABLE`",
                );
                return None;
            }
        }
    } else if let Some(status) = written.http_status {
        let verdict = quantity::http_status(i64::from(status));
        sink.check(&at.field("httpStatus"), Code::INVALID_STATUS, verdict);
        AbortStatus::Http(u16::try_from(status).ok()?)
    } else {
        sink.push(
            at,
            Code::WITHOUT_EFFECT,
            "an abort without `httpStatus` and `grpcStatus` does nothing",
        );
        return None;
    };
    Some(FaultAbort { status, percentage })
}

fn share(
    written: Option<&raw::Percent>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<FractionalPercent> {
    let value = written?.value;
    let at = at.field("percentage");
    sink.check(
        &at.field("value"),
        Code::INVALID_PERCENTAGE,
        quantity::fault_fraction(value),
    );
    Some(FractionalPercent::from_percent_value(value))
}

fn never(at: &At<'_>, what: &str, sink: &mut Sink<'_>) -> FractionalPercent {
    sink.push_with_help(
        at,
        Code::WITHOUT_EFFECT,
        format!("{what} without `percentage` never happens"),
        "write `percentage: {value: 100}` for every request",
    );
    FractionalPercent::NEVER
}

/// The number of a gRPC status, by its name.
fn grpc_code(name: &str) -> Option<u32> {
    const NAMES: [&str; 17] = [
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
    let code = NAMES.iter().position(|known| *known == name)?;
    u32::try_from(code).ok()
}

/// Origins are `allowOrigins`, or else the deprecated `allowOrigin` as exact ones (R-H-148).
fn cors_policy(
    written: &raw::CorsPolicy,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> CorsPolicy {
    const METHODS: [&str; 10] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*",
    ];
    let methods_at = at.field("allowMethods");
    for (index, method) in written.allow_methods.iter().enumerate() {
        if !METHODS.contains(&method.as_str()) {
            sink.push(
                &methods_at.index(index),
                Code::INVALID_METHOD,
                format!("`{method}` is not an HTTP method that CORS can allow"),
            );
        }
    }
    for (field, names) in [
        ("allowHeaders", &written.allow_headers),
        ("exposeHeaders", &written.expose_headers),
    ] {
        let at = at.field(field);
        for (index, name) in names.iter().enumerate() {
            sink.check(
                &at.index(index),
                Code::INVALID_HEADER_NAME,
                header::cors_name(name),
            );
        }
    }
    let max_age = sink.span(written.max_age, "maxAge", at);
    if max_age.is_some_and(|age| quantity::duration(age).is_ok() && age.subsec_nanos() > 0) {
        let message = "`maxAge` cannot be finer than a second";
        sink.push(&at.field("maxAge"), Code::INVALID_DURATION_RANGE, message);
    }
    CorsPolicy {
        allow_origins: origins(written, at, cx, sink),
        allow_methods: joined(&written.allow_methods),
        allow_headers: joined(&written.allow_headers),
        expose_headers: joined(&written.expose_headers),
        max_age,
        allow_credentials: written.allow_credentials,
        forward_unmatched_preflights: written.unmatched_preflights
            != raw::UnmatchedPreflights::Ignore,
    }
}

/// A list as a header has it.
fn joined(list: &[String]) -> Option<Box<str>> {
    not_empty(&list.join(","))
}

fn origins(
    written: &raw::CorsPolicy,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Box<[ValueMatch]> {
    let mut out = Vec::new();
    let origins_at = at.field("allowOrigins");
    for (index, origin) in written.allow_origins.iter().enumerate() {
        let at = origins_at.index(index);
        let texts = [&origin.exact, &origin.prefix, &origin.regex];
        if texts
            .iter()
            .all(|text| text.as_deref().is_none_or(str::is_empty))
        {
            sink.push(
                &at,
                Code::EMPTY_MATCH,
                "an allowed origin needs a text to match",
            );
            continue;
        }
        out.extend(string_match::value(origin, &at, cx, sink));
    }
    if !written.allow_origin.is_empty() {
        sink.push_with_help(
            &at.field("allowOrigin"),
            Code::DEPRECATED_FIELD,
            match written.allow_origins.is_empty() {
                true => "`allowOrigin` is deprecated",
                false => "`allowOrigin` is deprecated, and without effect beside `allowOrigins`",
            },
            "write `allowOrigins` with `exact`",
        );
        if written.allow_origins.is_empty() {
            let exact = |origin: &String| ValueMatch::Exact(origin.as_str().into());
            out.extend(written.allow_origin.iter().map(exact));
        }
    }
    out.into()
}
