//! The answers that a proxy gives by itself: redirects, direct responses, faults, CORS preflights, 404 and their like
//! (R-H-065, R-H-134..R-H-139, R-H-144, R-H-148).

use super::cors::{self, Cors};
use super::headers::{self, Commands, Sent};
use super::rewrite::{replace_matched, with_query};
use super::subject::Subject;
use crate::decision::{Answer, Decision, Outcome};
use crate::router::Redirection;
use crate::terms::condition::PathMatch;
use crate::terms::header_list::HeaderList;
use crate::terms::route_policy::{AbortStatus, CorsPolicy};

/// The answer to a request that is not forwarded; `None`: the connection is closed.
pub(super) fn answer(
    decision: &Decision<'_>,
    subject: &Subject<'_, '_>,
    commands: &Commands<'_>,
) -> Option<Answer> {
    let status = decision.status()?;
    let mut headers = HeaderList::new();
    // The request as it came: nothing was sent upstream.
    let change = |headers: &mut HeaderList| {
        let lines = headers::lines_of(subject);
        let sent = Sent {
            path: subject.target,
            authority: subject.authority,
            lines: &lines,
        };
        decision.change_response(subject, &sent, status, headers, commands);
    };
    let (body, grpc_status): (&[u8], Option<u32>) = match decision.outcome {
        Outcome::Redirect(redirection) => {
            let matched = decision.rule().map(|rule| &rule.matches().path);
            headers.set("location", location(redirection, matched, subject));
            change(&mut headers);
            (b"", None)
        }
        Outcome::HttpsRedirect => {
            let location = format!("https://{}{}", subject.authority, subject.target);
            headers.set("location", location);
            (b"", None)
        }
        Outcome::PathRedirect => {
            headers.set("location", subject.target);
            (b"", None)
        }
        Outcome::Respond(response) => {
            if response.has_location() {
                let host = redirected_host(subject, subject.scheme(), None);
                headers.set(
                    "location",
                    format!("{}://{host}{}", subject.scheme(), subject.target),
                );
            }
            change(&mut headers);
            (&response.response().body, None)
        }
        Outcome::Abort(abort) => {
            change(&mut headers);
            let grpc_status = match abort.status {
                AbortStatus::Grpc(code) => Some(code),
                AbortStatus::Http(_) => None,
            };
            (b"fault filter abort", grpc_status)
        }
        Outcome::CorsPreflight(policy) => {
            return Some(preflight(policy, subject));
        }
        // Its cluster is not there: the route's changes and CORS are told all the same (R-H-159).
        Outcome::Forward { .. } => {
            change(&mut headers);
            name_allowed_origin(decision, subject, &mut headers);
            (b"", None)
        }
        Outcome::BadRequest(why) if why.is_unreadable() => {
            return Some(Answer {
                status,
                headers,
                body: Vec::new(),
            });
        }
        _ => (b"", None),
    };
    Some(local_reply(subject, status, headers, body, grpc_status))
}

/// An answer as Envoy's `sendLocalReply` shapes it.
fn local_reply(
    subject: &Subject<'_, '_>,
    status: u16,
    mut headers: HeaderList,
    body: &[u8],
    grpc_status: Option<u32>,
) -> Answer {
    if subject.is_grpc() {
        headers.set("content-type", "application/grpc");
        if !headers.contains("grpc-status") {
            let code = grpc_status.unwrap_or_else(|| http_to_grpc(status));
            headers.set("grpc-status", code.to_string());
        }
        if !body.is_empty() && subject.request.method != "HEAD" {
            headers.set("grpc-message", percent_encoded(body));
        }
        return Answer {
            status: 200,
            headers,
            body: Vec::new(),
        };
    }
    if body.is_empty() {
        headers.remove("content-type");
    } else if !headers.contains("content-type") {
        headers.set("content-type", "text/plain");
    }
    let body = if subject.request.method == "HEAD" {
        b""
    } else {
        body
    };
    Answer {
        status,
        headers,
        body: body.to_vec(),
    }
}

/// What a gRPC client is told for an HTTP status.
fn http_to_grpc(status: u16) -> u32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}

/// Bytes outside printable ASCII, and `%`, as `%XX`: how `grpc-message` is written.
fn percent_encoded(body: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(body.len());
    for &byte in body {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

/// `scheme://host[:port]path` (R-H-134..R-H-137).
fn location(
    redirection: &Redirection,
    matched: Option<&PathMatch>,
    subject: &Subject<'_, '_>,
) -> String {
    let redirect = redirection.redirect();
    let scheme = redirect
        .scheme
        .as_deref()
        .unwrap_or_else(|| subject.scheme());
    let host = match redirect.authority.as_deref() {
        Some(authority) => authority,
        None => redirected_host(subject, scheme, redirection.port()),
    };
    let port = match redirection.port() {
        Some(port) => format!(":{port}"),
        None => String::new(),
    };
    let path = match (&redirect.prefix_rewrite, &redirect.uri, matched) {
        (Some(prefix), _, Some(matched)) => {
            with_query(replace_matched(matched, subject.path, prefix), subject)
        }
        (_, Some(uri), _) if uri.contains('?') => uri.to_string(),
        (_, Some(uri), _) => with_query(uri.to_string(), subject),
        _ => subject.target.to_owned(),
    };
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{scheme}://{host}{port}{slash}{path}")
}

/// The host of the request, without its port where another is written or where it is the default of a scheme that is left
/// (R-H-135).
fn redirected_host<'q>(subject: &Subject<'q, '_>, scheme: &str, port: Option<u16>) -> &'q str {
    let authority = subject.authority;
    let colon = match authority.starts_with('[') {
        true => authority.rfind("]:").map(|end| end + 1),
        false => authority.rfind(':'),
    };
    let Some((host, own_port)) = colon.map(|colon| authority.split_at(colon)) else {
        return authority;
    };
    let protocol = subject.forwarded_proto();
    let is_default = matches!((protocol, own_port), (b"https", ":443") | (b"http", ":80"));
    if port.is_some() || (scheme.as_bytes() != protocol && is_default) {
        host
    } else {
        authority
    }
}

/// The answer to a preflight request.
fn preflight(policy: &CorsPolicy, subject: &Subject<'_, '_>) -> Answer {
    let mut headers = HeaderList::new();
    if cors::evaluate(policy, subject) == (Cors::Preflight { allowed: true }) {
        name_origin(policy, subject, &mut headers);
    } else {
        allow_credentials(policy, &mut headers);
    }
    // `*` answers with what was asked for.
    let mut list = |name: &str, value: Option<&str>, asked: &str| match value {
        None => {}
        Some("*") => subject.with_line(asked, |asked| headers.set(name, asked.unwrap_or_default())),
        Some(value) => headers.set(name, value),
    };
    list(
        "access-control-allow-methods",
        policy.allow_methods.as_deref(),
        "access-control-request-method",
    );
    list(
        "access-control-allow-headers",
        policy.allow_headers.as_deref(),
        "access-control-request-headers",
    );
    if let Some(max_age) = policy.max_age {
        headers.set("access-control-max-age", max_age.as_secs().to_string());
    }
    Answer {
        status: 200,
        headers,
        body: Vec::new(),
    }
}

/// What the CORS filter of the route says of a request that is no preflight: its origin, if that is allowed.
pub(super) fn name_allowed_origin(
    decision: &Decision<'_>,
    subject: &Subject<'_, '_>,
    headers: &mut HeaderList,
) {
    let cors = decision.policy().and_then(|policy| policy.cors.as_deref());
    if let Some(cors) = cors.filter(|cors| cors::evaluate(cors, subject) == Cors::Simple) {
        name_origin(cors, subject, headers);
    }
}

/// Tells an allowed origin that it is.
fn name_origin(policy: &CorsPolicy, subject: &Subject<'_, '_>, headers: &mut HeaderList) {
    subject.with_line("origin", |origin| {
        headers.set("access-control-allow-origin", origin.unwrap_or_default());
    });
    allow_credentials(policy, headers);
    if let Some(exposed) = &policy.expose_headers {
        headers.set("access-control-expose-headers", &**exposed);
    }
}

fn allow_credentials(policy: &CorsPolicy, headers: &mut HeaderList) {
    if policy.allow_credentials == Some(true) {
        headers.set("access-control-allow-credentials", "true");
    }
}
