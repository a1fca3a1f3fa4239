//! `HTTPRetry`: of a rule, or of the mesh's default (R-H-146, R-H-147, R-M-163).

use crate::diagnostic::{At, Code};
use crate::resource as raw;
use crate::terms::route_policy::RetryPolicy;

use super::{Context, Sink};

/// The policy of a rule: its own, else the mesh's default, else the built-in one. `None`: nothing is retried.
pub(crate) fn of_rule(
    written: Option<&raw::HttpRetry>,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<RetryPolicy> {
    match written {
        Some(written) => {
            check(written, at, sink);
            policy(written)
        }
        None => cx.config.default_route_retries(),
    }
}

/// What a written policy means: its fields over the built-in ones, never over the mesh's default. No attempts: `None`.
pub(crate) fn policy(written: &raw::HttpRetry) -> Option<RetryPolicy> {
    let attempts = u32::try_from(written.attempts).ok().filter(|&n| n > 0)?;
    let mut policy = RetryPolicy {
        attempts,
        per_try_timeout: written.per_try_timeout.map(|timeout| timeout.as_std()),
        backoff: written.backoff.map(|backoff| backoff.as_std()),
        avoid_previous_hosts: written.retry_ignore_previous_hosts.unwrap_or(true),
        previous_hosts_written: written.retry_ignore_previous_hosts.is_some(),
        remote_localities: written.retry_remote_localities.unwrap_or(false),
        ..RetryPolicy::default()
    };
    if !written.retry_on.is_empty() {
        let (conditions, codes) = conditions(&written.retry_on);
        policy.retry_on = conditions.into();
        policy.retriable_status_codes = codes.into();
    }
    Some(policy)
}

/// Splits `5xx,503`: known status codes become retriable codes, the rest stay conditions. The condition that makes codes
/// count is added if only codes say so.
fn conditions(retry_on: &str) -> (String, Vec<u32>) {
    let (mut conditions, mut codes) = (Vec::new(), Vec::new());
    for token in retry_on
        .split(',')
        .map(str::trim)
        .filter(|token| !token.is_empty())
    {
        match status_code(token) {
            Some(code) => codes.push(code),
            None => conditions.push(token),
        }
    }
    let mut text = conditions.join(",");
    if !codes.is_empty() && !text.contains("retriable-status-codes") {
        text.push_str(",retriable-status-codes");
    }
    (text, codes)
}

/// The number of a status that HTTP has a name for.
fn status_code(token: &str) -> Option<u32> {
    let code = token.parse::<i64>().ok()?;
    let is_known = matches!(
        code,
        100..=103 | 200..=208 | 226 | 300..=305 | 307 | 308 | 400..=418 | 421..=426 | 428 | 429 | 431 | 451
            | 500..=508 | 510 | 511
    );
    u32::try_from(code).ok().filter(|_| is_known)
}

/// What admission refuses (R-M-163). It does not trim the parts of `retryOn`.
pub(crate) fn check(written: &raw::HttpRetry, at: &At<'_>, sink: &mut Sink<'_>) {
    const CONDITIONS: [&str; 16] = [
        "5xx",
        "gateway-error",
        "reset",
        "reset-before-request",
        "connect-failure",
        "retriable-4xx",
        "refused-stream",
        "retriable-status-codes",
        "retriable-headers",
        "envoy-ratelimited",
        "http3-post-connect-failure",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    ];
    let attempts_at = at.field("attempts");
    if written.attempts < 0 {
        sink.push(
            &attempts_at,
            Code::INVALID_RETRIES,
            format!(
                "`attempts` cannot be negative, and is `{}`",
                written.attempts
            ),
        );
    }
    let has_settings = written.per_try_timeout.is_some()
        || !written.retry_on.is_empty()
        || written.retry_remote_localities.is_some();
    if written.attempts == 0 && has_settings {
        sink.push_with_help(
            &attempts_at,
            Code::INVALID_RETRIES,
            "retries are configured, and `attempts: 0` switches them off",
            "give `attempts` a number above 0, or keep only `attempts: 0`",
        );
    }
    for (field, duration) in [
        ("perTryTimeout", written.per_try_timeout),
        ("backoff", written.backoff),
    ] {
        sink.span(duration, field, at);
    }
    if written.retry_on.is_empty() {
        return;
    }
    for condition in written.retry_on.split(',') {
        if status_code(condition).is_none() && !CONDITIONS.contains(&condition) {
            sink.push_with_help(
                &at.field("retryOn"),
                Code::INVALID_RETRIES,
                format!("`{condition}` is not a condition to retry on"),
                "write Envoy's conditions or status codes, with commas and no spaces between them",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_h_147_codes_become_retriable_codes() {
        let split = |text| conditions(text);
        assert_eq!(
            split("5xx,gateway-error,503"),
            (
                "5xx,gateway-error,retriable-status-codes".to_owned(),
                vec![503]
            )
        );
        assert_eq!(
            split("503"),
            (",retriable-status-codes".to_owned(), vec![503])
        );
        assert_eq!(split("5xx, reset,"), ("5xx,reset".to_owned(), vec![]));
        assert_eq!(split("306,999"), ("306,999".to_owned(), vec![]));
        assert_eq!(
            split("retriable-status-codes,500"),
            ("retriable-status-codes".to_owned(), vec![500])
        );
    }

    #[test]
    fn r_h_147_no_attempts_no_retries() {
        let mut written = raw::HttpRetry::default();
        assert_eq!(policy(&written), None);
        written.attempts = 3;
        assert_eq!(
            policy(&written),
            Some(RetryPolicy {
                attempts: 3,
                ..RetryPolicy::default()
            })
        );
    }
}
