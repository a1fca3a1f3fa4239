//! What an `http` rule does: redirect, direct response, or route (R-H-037, R-H-133..R-H-140, R-M-160, R-M-161).

use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::mesh::virtual_service::HttpAction;
use crate::resolve::check::{network, quantity};
use crate::resolve::{Context, Sink, not_empty};
use crate::resource as raw;
use crate::terms::route_policy::{DirectResponse, Redirect, RedirectPort};

use super::destinations;

const LARGE_BODY: usize = 100 * 1024;
const TOO_LARGE_BODY: usize = 1024 * 1024;

/// The action of a rule; `None` if it has none. Where several are written, which only merging with a root can bring about,
/// redirect beats direct response, and that beats route (R-H-037).
pub(super) fn action(
    rule: &raw::HttpRoute,
    namespace: &str,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<HttpAction> {
    let redirect = rule
        .redirect
        .as_ref()
        .map(|written| redirect(written, &at.field("redirect"), sink));
    let respond = rule
        .direct_response
        .as_ref()
        .map(|written| direct_response(written, &at.field("directResponse"), sink));
    let route = destinations::of_http(&rule.route, namespace, &at.field("route"), cx, sink);
    redirect
        .map(HttpAction::Redirect)
        .or(respond.map(HttpAction::Respond))
        .or((!route.is_empty()).then_some(HttpAction::Route(route)))
}

/// A replaced prefix needs a matched one (R-M-160).
pub(super) fn check_prefix_rewrite(rule: &raw::HttpRoute, at: &At<'_>, sink: &mut Sink<'_>) {
    let Some(redirect) = rule.redirect.as_ref() else {
        return;
    };
    if redirect.prefix_rewrite.is_empty() {
        return;
    }
    let matches = at.field("match");
    for (index, matched) in rule.r#match.iter().enumerate() {
        let Some(uri) = &matched.uri else { continue };
        if uri.exact.is_some() || uri.regex.is_some() {
            sink.push(
                &matches.index(index).field("uri"),
                Code::CONFLICTING_FIELDS,
                "`redirect.prefixRewrite` needs matches of the path by `prefix`",
            );
        }
    }
}

fn redirect(written: &raw::HttpRedirect, at: &At<'_>, sink: &mut Sink<'_>) -> Arc<Redirect> {
    if !written.uri.is_empty() && !written.prefix_rewrite.is_empty() {
        sink.push(
            &at.field("prefixRewrite"),
            Code::CONFLICTING_FIELDS,
            "a redirect cannot have both `uri` and `prefixRewrite`",
        );
    }
    let texts = [
        &written.uri,
        &written.prefix_rewrite,
        &written.authority,
        &written.scheme,
    ];
    let has_port = written.port.is_some() || written.derive_port.is_some();
    if texts.iter().all(|text| text.is_empty()) && !has_port {
        sink.push(
            at,
            Code::MISSING_FIELD,
            "a redirect needs one of `uri`, `prefixRewrite`, `authority`, `scheme` and `port`",
        );
    }
    if !matches!(written.scheme.as_str(), "" | "http" | "https") {
        sink.push(
            &at.field("scheme"),
            Code::INVALID_NAME,
            format!("`{}` is neither `http` nor `https`", written.scheme),
        );
    }
    if let Some(port) = written.port.filter(|&port| port > 0) {
        sink.check(&at.field("port"), Code::INVALID_PORT, network::port(port));
    }
    Arc::new(Redirect {
        status: redirect_code(written.redirect_code, &at.field("redirectCode"), sink),
        uri: not_empty(&written.uri),
        prefix_rewrite: not_empty(&written.prefix_rewrite),
        authority: not_empty(&written.authority),
        scheme: not_empty(&written.scheme),
        port: redirect_port(written),
    })
}

fn redirect_port(written: &raw::HttpRedirect) -> RedirectPort {
    match (written.port, written.derive_port) {
        (Some(port), _) => match u16::try_from(port) {
            Ok(port) if port > 0 => RedirectPort::Port(port),
            _ => RedirectPort::None,
        },
        (None, Some(raw::RedirectPortSelection::FromRequestPort)) => RedirectPort::FromRequestPort,
        _ => RedirectPort::None,
    }
}

/// Istio accepts any 3xx; Envoy knows five of them (R-H-133).
fn redirect_code(code: u32, at: &At<'_>, sink: &mut Sink<'_>) -> u16 {
    match code {
        0 | 301 => 301,
        302 => 302,
        303 => 303,
        307 => 307,
        308 => 308,
        300..=399 => {
            sink.push_with_help(
                at,
                Code::REFUSED_BY_ENVOY,
                format!("Envoy cannot redirect with status `{code}`"),
                "write one of 301, 302, 303, 307 and 308",
            );
            301
        }
        _ => {
            sink.push(
                at,
                Code::INVALID_STATUS,
                format!("`{code}` is not the status of a redirect (3xx)"),
            );
            301
        }
    }
}

fn direct_response(
    written: &raw::HttpDirectResponse,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Arc<DirectResponse> {
    let verdict = quantity::http_status(i64::from(written.status));
    sink.check(&at.field("status"), Code::INVALID_STATUS, verdict);
    let body: &[u8] = match &written.body {
        Some(raw::HttpBody {
            string: Some(text), ..
        }) => text.as_bytes(),
        Some(raw::HttpBody {
            bytes: Some(bytes), ..
        }) => &bytes.0,
        _ => &[],
    };
    let at = at.field("body");
    if body.len() > TOO_LARGE_BODY {
        sink.push(
            &at,
            Code::REFUSED_BODY,
            format!(
                "a body cannot be larger than 1 MiB, and this one has {} bytes",
                body.len()
            ),
        );
    } else if body.len() > LARGE_BODY {
        sink.push(
            &at,
            Code::LARGE_BODY,
            format!(
                "a body of {} bytes is kept in memory for every view of the rule",
                body.len()
            ),
        );
    }
    Arc::new(DirectResponse {
        status: u16::try_from(written.status).unwrap_or_default(),
        body: body.into(),
    })
}
