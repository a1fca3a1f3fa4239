//! `HTTPMatchRequest`: what one match asks of a request, and of the proxy that it arrives at.

use crate::diagnostic::{At, Code};
use crate::mesh::virtual_service::HttpMatch;
use crate::resolve::check::{domain, header, labels, network};
use crate::resolve::{Context, Sink, not_empty};
use crate::resource as raw;
use crate::terms::condition::{
    ClaimMatch, Condition, HeaderMatch, QueryMatch, RequestMatch, ValueMatch,
};
use crate::terms::labels::Labels;
use crate::terms::origin::MatchIndex;

use super::{names, string_match};

/// The match with this index, of a route without a root.
pub(super) fn own_match(index: usize) -> MatchIndex {
    MatchIndex {
        own: u32::try_from(index).ok(),
        root: None,
    }
}

/// One match, typed. `None` only after an error was pushed.
pub(super) fn http_match(
    written: &raw::HttpMatchRequest,
    index: MatchIndex,
    namespace: &str,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<HttpMatch> {
    let request = request(written, at, cx, sink);
    if written.port != 0 {
        let verdict = network::port(written.port);
        sink.check(&at.field("port"), Code::INVALID_PORT, verdict);
    }
    let source_labels = source_labels(&written.source_labels, &at.field("sourceLabels"), sink);
    names::check_gateways(&written.gateways, &at.field("gateways"), false, sink);
    if !written.source_namespace.is_empty() && !domain::is_label(&written.source_namespace) {
        sink.push(
            &at.field("sourceNamespace"),
            Code::INVALID_NAME,
            format!("`{}` is not a namespace", written.source_namespace),
        );
    }
    if !written.stat_prefix.is_empty() {
        sink.push(
            &at.field("statPrefix"),
            Code::FIELD_WITHOUT_EFFECT,
            "`statPrefix` names statistics, and has no effect on routing",
        );
    }
    Some(HttpMatch {
        name: written.name.as_str().into(),
        port: (written.port != 0).then_some(written.port),
        gateways: names::gateways(&written.gateways, namespace, cx),
        source_labels,
        source_namespace: not_empty(&written.source_namespace),
        request: cx.share_match(request?),
        index,
    })
}

/// `sourceLabels`, checked (R-M-144).
pub(super) fn source_labels(
    written: &std::collections::BTreeMap<String, String>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Labels {
    for (key, value) in written {
        let at = at.key(key);
        sink.check(&at, Code::INVALID_LABEL, labels::key(key));
        sink.check(&at, Code::INVALID_LABEL, labels::value(value));
    }
    written
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

/// The path of a claim that a header key such as `@request.auth.claims.a.b` or `@request.auth.claims[a][b]` names
/// (R-H-105); `None` for a header.
pub(super) fn claim_path(key: &str) -> Option<Box<[Box<str>]>> {
    const PREFIX: &str = "@request.auth.claims";
    let prefix = key.get(..PREFIX.len())?;
    if !prefix.eq_ignore_ascii_case(PREFIX) {
        return None;
    }
    let rest = &key[PREFIX.len()..];
    let (names, separator) = match rest.strip_prefix('.') {
        Some(names) => (names, "."),
        None => (rest.strip_prefix('[')?.strip_suffix(']')?, "]["),
    };
    (!names.is_empty()).then(|| names.split(separator).map(Box::from).collect())
}

/// What the match asks of the request; all conditions, the cheap ones first (their order has no meaning, R-H-106).
fn request(
    written: &raw::HttpMatchRequest,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<RequestMatch> {
    let path = string_match::path(
        written.uri.as_ref(),
        written.ignore_uri_case,
        &at.field("uri"),
        cx,
        sink,
    );
    let mut conditions = Vec::new();
    let mut complete = true;
    let mut push = |condition: Option<Condition>| match condition {
        Some(condition) => conditions.push(condition),
        None => complete = false,
    };
    for (field, name, test) in [
        ("method", ":method", &written.method),
        ("authority", ":authority", &written.authority),
        ("scheme", ":scheme", &written.scheme),
    ] {
        if let Some(test) = test {
            let test = string_match::value(test, &at.field(field), cx, sink);
            push(test.map(|test| of_header(name, test, false)));
        }
    }
    let (headers, without_headers) = (at.field("headers"), at.field("withoutHeaders"));
    for (key, test) in &written.headers {
        let at = headers.key(key);
        check_key(key, &at, sink);
        match test {
            Some(test) => {
                let test = string_match::value(test, &at, cx, sink);
                push(test.map(|test| of_header(key, test, false)));
            }
            None => {
                sink.push_with_help(
                    &at,
                    Code::NULL_HEADER_MATCH,
                    format!("the match of header `{key}` cannot be null"),
                    "write `{}` to match any value that is present",
                );
                push(None);
            }
        }
    }
    for (key, test) in &written.without_headers {
        let at = without_headers.key(key);
        check_key(key, &at, sink);
        let test = string_match::absent_value(test.as_ref(), &at, cx, sink);
        push(test.map(|test| of_header(key, test, true)));
    }
    let query = at.field("queryParams");
    for (key, test) in &written.query_params {
        let test = match test {
            Some(test) => string_match::value(test, &query.key(key), cx, sink),
            None => Some(ValueMatch::Present),
        };
        push(test.map(|test| {
            let key = key.as_str().into();
            Condition::Query(QueryMatch { key, test })
        }));
    }
    conditions.sort_by_key(Condition::is_regex);
    let path = path?;
    complete.then(|| RequestMatch {
        path,
        conditions: conditions.into(),
    })
}

/// A condition on a header or, if the key names one, on a claim.
fn of_header(key: &str, test: ValueMatch, invert: bool) -> Condition {
    if let Some(path) = claim_path(key) {
        return Condition::Claim(ClaimMatch { path, test, invert });
    }
    let name = key.to_ascii_lowercase();
    let name = if name == "host" { ":authority" } else { &name };
    Condition::Header(HeaderMatch {
        name: name.into(),
        test,
        invert,
    })
}

fn check_key(key: &str, at: &At<'_>, sink: &mut Sink<'_>) {
    if claim_path(key).is_none() {
        sink.check(at, Code::INVALID_HEADER_NAME, header::matched_name(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_h_105_claims_by_dots_and_by_brackets() {
        let path = |key: &str| claim_path(key).map(|path| path.join("/"));
        assert_eq!(path("@request.auth.claims.a.b").as_deref(), Some("a/b"));
        assert_eq!(
            path("@Request.Auth.Claims[a][b.c]").as_deref(),
            Some("a/b.c")
        );
        assert_eq!(path("@request.auth.claims"), None);
        assert_eq!(path("@request.auth.claims."), None);
        assert_eq!(path("@request.auth.claims[]"), None);
        assert_eq!(path("@request.auth.claimsx"), None);
        assert_eq!(path("x-user"), None);
    }
}
