//! What the API server of a cluster refuses of HTTPRoutes and GRPCRoutes: the rules of the CRDs, those in CEL included
//! (R-G-002).

use std::collections::HashSet;

use crate::diagnostic::{At, Code};
use crate::resolve::check::header;
use crate::resource::gateway_api as raw;
use crate::terms::duration::ProtoDuration;

use super::super::Sink;
use super::admission::{
    backend, hostname, hostnames, most, one_of, parent_refs, port, required, rule_names,
};

const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];
const HTTP_FILTERS: &[&str] = &[
    "RequestHeaderModifier",
    "ResponseHeaderModifier",
    "RequestMirror",
    "RequestRedirect",
    "URLRewrite",
    "ExtensionRef",
    "CORS",
    "ExternalAuth",
];
const GRPC_FILTERS: &[&str] = &[
    "RequestHeaderModifier",
    "ResponseHeaderModifier",
    "RequestMirror",
    "ExtensionRef",
];

/// An HTTPRoute.
pub(super) fn http_route(spec: &raw::HttpRoute, sink: &mut Sink<'_>) {
    let at = At::ROOT.field("spec");
    parent_refs(&spec.parent_refs, &at.field("parentRefs"), sink);
    hostnames(&spec.hostnames, &at.field("hostnames"), sink);
    let Some(rules) = &spec.rules else {
        return;
    };
    let at = at.field("rules");
    if rules.is_empty() {
        sink.push(&at, Code::MISSING_FIELD, "a route needs a rule");
    }
    most(rules.len(), 16, &at, sink);
    let matches = rules
        .iter()
        .map(|rule| rule.matches.as_ref().map_or(0, Vec::len));
    most(matches.sum(), 128, &at, sink);
    rule_names(rules.iter().map(|rule| rule.name.as_deref()), &at, sink);
    for (index, rule) in rules.iter().enumerate() {
        http_rule(rule, &at.index(index), sink);
    }
}

fn http_rule(rule: &raw::HttpRouteRule, at: &At<'_>, sink: &mut Sink<'_>) {
    let matches_at = at.field("matches");
    let matches = rule.matches.as_deref().unwrap_or_default();
    most(matches.len(), 64, &matches_at, sink);
    for (index, one) in matches.iter().enumerate() {
        let at = matches_at.index(index);
        path_match(one.path.as_ref(), &at.field("path"), sink);
        named(&one.headers, true, &at.field("headers"), sink);
        named(&one.query_params, false, &at.field("queryParams"), sink);
        if let Some(method) = &one.method {
            one_of(method, METHODS, &at.field("method"), sink);
        }
    }
    filters(&rule.filters, HTTP_FILTERS, &at.field("filters"), sink);
    let mut all = rule.filters.iter();
    let redirects = all.any(|filter| filter.request_redirect.is_some());
    if redirects && !rule.backend_refs.is_empty() {
        let message = "a rule that redirects has no backends";
        sink.push(&at.field("backendRefs"), Code::CONFLICTING_FIELDS, message);
    }
    check_prefix_filters(rule, matches, at, sink);
    http_backends(
        &rule.backend_refs,
        HTTP_FILTERS,
        &at.field("backendRefs"),
        sink,
    );
    timeouts(rule, at, sink);
}

/// What takes the place of a prefix needs exactly one match, by prefix.
fn check_prefix_filters(
    rule: &raw::HttpRouteRule,
    matches: &[raw::HttpRouteMatch],
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    let is_prefix = |one: &raw::HttpRouteMatch| {
        let path = one.path.as_ref().and_then(|path| path.r#type.as_deref());
        matches!(path, None | Some("PathPrefix"))
    };
    let is_ready = match (&rule.matches, matches) {
        (None, _) => true,
        (_, [only]) => is_prefix(only),
        _ => false,
    };
    let backend_filters = rule.backend_refs.iter().flat_map(|one| &one.filters);
    let replaces = rule.filters.iter().chain(backend_filters).any(|filter| {
        let redirect = filter.request_redirect.as_ref();
        let rewrite = filter.url_rewrite.as_ref();
        let redirect = redirect.and_then(|redirect| redirect.path.as_ref());
        let rewrite = rewrite.and_then(|rewrite| rewrite.path.as_ref());
        let paths = redirect.into_iter().chain(rewrite);
        paths
            .into_iter()
            .any(|path| path.replace_prefix_match.is_some())
    });
    if replaces && !is_ready {
        let message = "`replacePrefixMatch` needs exactly one match, by `PathPrefix`";
        sink.push(&at.field("filters"), Code::CONFLICTING_FIELDS, message);
    }
}

fn timeouts(rule: &raw::HttpRouteRule, at: &At<'_>, sink: &mut Sink<'_>) {
    if let Some(timeouts) = &rule.timeouts {
        let at = at.field("timeouts");
        let request = duration(timeouts.request.as_deref(), &at.field("request"), sink);
        let each = timeouts.backend_request.as_deref();
        let each = duration(each, &at.field("backendRequest"), sink);
        if let (Some(request), Some(each)) = (request, each)
            && !request.is_zero()
            && each > request
        {
            let message = "`backendRequest` is longer than `request`";
            sink.push(&at, Code::CONFLICTING_FIELDS, message);
        }
    }
    if let Some(retry) = &rule.retry {
        let at = at.field("retry");
        duration(retry.backoff.as_deref(), &at.field("backoff"), sink);
        let codes = at.field("codes");
        for (index, code) in retry.codes.iter().enumerate() {
            if !(400..=599).contains(code) {
                let message = format!("`{code}` is not a status from 400 to 599");
                sink.push(&codes.index(index), Code::INVALID_STATUS, message);
            }
        }
    }
}

/// Whole numbers with units from hours to milliseconds.
fn duration(text: Option<&str>, at: &At<'_>, sink: &mut Sink<'_>) -> Option<std::time::Duration> {
    let text = text?;
    let mut terms = 0;
    let mut rest = text;
    let is_form = loop {
        if rest.is_empty() {
            break (1..=4).contains(&terms);
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let units = ["ms", "h", "m", "s"];
        let after = units
            .iter()
            .find_map(|unit| rest[digits..].strip_prefix(unit));
        match after {
            Some(after) if (1..=5).contains(&digits) => rest = after,
            _ => break false,
        }
        terms += 1;
    };
    if !is_form {
        let message = format!("`{text}` is not a duration such as `1h30m` or `500ms`");
        sink.push(at, Code::INVALID_DURATION, message);
        return None;
    }
    ProtoDuration::parse(text).ok().map(ProtoDuration::as_std)
}

fn path_match(path: Option<&raw::HttpPathMatch>, at: &At<'_>, sink: &mut Sink<'_>) {
    let Some(path) = path else {
        return;
    };
    let kind = path.r#type.as_deref().unwrap_or("PathPrefix");
    one_of(
        kind,
        &["Exact", "PathPrefix", "RegularExpression"],
        &at.field("type"),
        sink,
    );
    let value = path.value.as_deref().unwrap_or("/");
    most(value.len(), 1024, &at.field("value"), sink);
    if !matches!(kind, "Exact" | "PathPrefix") {
        return;
    }
    let is_path_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%".contains(&byte);
    let wrong = ["//", "/./", "/../", "%2f", "%2F", "#"];
    let at = at.field("value");
    let message = if !value.starts_with('/') {
        format!("`{value}` does not begin with a slash")
    } else if let Some(wrong) = wrong.iter().find(|wrong| value.contains(**wrong)) {
        format!("a path cannot contain `{wrong}`")
    } else if value.ends_with("/..") || value.ends_with("/.") {
        format!("`{value}` ends with a segment of dots")
    } else if !value.bytes().all(is_path_byte) {
        format!("`{value}` has a character that no path has")
    } else {
        return;
    };
    sink.push(&at, Code::INVALID_PATH, message);
}

/// Headers or query parameters: each name once.
fn named(all: &[raw::NamedMatch], are_headers: bool, at: &At<'_>, sink: &mut Sink<'_>) {
    most(all.len(), 16, at, sink);
    let mut names = HashSet::new();
    for (index, one) in all.iter().enumerate() {
        let at = at.index(index);
        let kind = one.r#type.as_deref().unwrap_or("Exact");
        one_of(
            kind,
            &["Exact", "RegularExpression"],
            &at.field("type"),
            sink,
        );
        let verdict = header::name(&one.name);
        sink.check(&at.field("name"), Code::INVALID_HEADER_NAME, verdict);
        if !names.insert(&one.name) {
            let message = format!("`{}` is matched twice", one.name);
            sink.push(&at.field("name"), Code::CONFLICTING_FIELDS, message);
        }
        let value = at.field("value");
        required(&one.value, &value, sink);
        most(
            one.value.len(),
            if are_headers { 4096 } else { 1024 },
            &value,
            sink,
        );
    }
}

fn http_backends(refs: &[raw::HttpBackendRef], known: &[&str], at: &At<'_>, sink: &mut Sink<'_>) {
    most(refs.len(), 16, at, sink);
    for (index, one) in refs.iter().enumerate() {
        let at = at.index(index);
        let (group, kind) = (one.group.as_deref(), one.kind.as_deref());
        backend((group, kind, &one.name, one.port), one.weight, &at, sink);
        filters(&one.filters, known, &at.field("filters"), sink);
    }
}

/// Filters: the field of its type, once where it counts once.
fn filters(all: &[raw::HttpRouteFilter], known: &[&str], at: &At<'_>, sink: &mut Sink<'_>) {
    most(all.len(), 16, at, sink);
    let mut seen = HashSet::new();
    for (index, one) in all.iter().enumerate() {
        let at = at.index(index);
        one_of(&one.r#type, known, &at.field("type"), sink);
        let fields = [
            (
                "RequestHeaderModifier",
                "requestHeaderModifier",
                one.request_header_modifier.is_some(),
            ),
            (
                "ResponseHeaderModifier",
                "responseHeaderModifier",
                one.response_header_modifier.is_some(),
            ),
            (
                "RequestMirror",
                "requestMirror",
                one.request_mirror.is_some(),
            ),
            (
                "RequestRedirect",
                "requestRedirect",
                one.request_redirect.is_some(),
            ),
            ("URLRewrite", "urlRewrite", one.url_rewrite.is_some()),
            ("CORS", "cors", one.cors.is_some()),
            ("ExtensionRef", "extensionRef", one.extension_ref.is_some()),
            ("ExternalAuth", "externalAuth", one.external_auth.is_some()),
        ];
        for (kind, field, is_set) in fields {
            if is_set != (one.r#type == kind) {
                let message = match is_set {
                    true => format!(
                        "`{field}` does not belong to a filter of type `{}`",
                        one.r#type
                    ),
                    false => format!("a filter of type `{kind}` needs `{field}`"),
                };
                sink.push(&at.field(field), Code::CONFLICTING_FIELDS, message);
            }
        }
        let may_repeat = matches!(&*one.r#type, "RequestMirror" | "ExtensionRef");
        if !may_repeat && !seen.insert(&*one.r#type) {
            let message = format!("filter `{}` stands here twice", one.r#type);
            sink.push(&at, Code::CONFLICTING_FIELDS, message);
        }
        filter(one, &at, sink);
    }
    if seen.contains("RequestRedirect") && seen.contains("URLRewrite") {
        let message = "a redirect and a rewrite cannot stand together";
        sink.push(at, Code::CONFLICTING_FIELDS, message);
    }
}

fn filter(one: &raw::HttpRouteFilter, at: &At<'_>, sink: &mut Sink<'_>) {
    let modifiers = [
        ("requestHeaderModifier", &one.request_header_modifier),
        ("responseHeaderModifier", &one.response_header_modifier),
    ];
    for (field, modifier) in modifiers {
        if let Some(modifier) = modifier {
            header_filter(modifier, &at.field(field), sink);
        }
    }
    if let Some(mirror) = &one.request_mirror {
        let at = at.field("requestMirror");
        let to = &mirror.backend_ref;
        let target = (to.group.as_deref(), to.kind.as_deref(), &*to.name, to.port);
        backend(target, None, &at.field("backendRef"), sink);
        if mirror.percent.is_some() && mirror.fraction.is_some() {
            let message = "only one of `percent` and `fraction` may be set";
            sink.push(&at, Code::CONFLICTING_FIELDS, message);
        }
        let is_share = mirror
            .percent
            .is_none_or(|percent| (0..=100).contains(&percent));
        let is_fraction = mirror.fraction.as_ref().is_none_or(|fraction| {
            let whole = fraction.denominator.unwrap_or(100);
            whole >= 1 && (0..=whole).contains(&fraction.numerator)
        });
        if !is_share || !is_fraction {
            let message = "the share of mirrored requests is not a part of the whole";
            sink.push(&at, Code::INVALID_PERCENTAGE, message);
        }
    }
    if let Some(redirect) = &one.request_redirect {
        let at = at.field("requestRedirect");
        if let Some(scheme) = &redirect.scheme {
            one_of(scheme, &["http", "https"], &at.field("scheme"), sink);
        }
        if let Some(host) = &redirect.hostname {
            hostname(host, false, &at.field("hostname"), sink);
        }
        port(redirect.port, &at, sink);
        let status = redirect.status_code.unwrap_or(302);
        if ![301, 302, 303, 307, 308].contains(&status) {
            let message = format!("`{status}` is not one of 301, 302, 303, 307, 308");
            sink.push(&at.field("statusCode"), Code::INVALID_STATUS, message);
        }
        path_modifier(redirect.path.as_ref(), &at.field("path"), sink);
    }
    if let Some(rewrite) = &one.url_rewrite {
        let at = at.field("urlRewrite");
        if let Some(host) = &rewrite.hostname {
            hostname(host, false, &at.field("hostname"), sink);
        }
        path_modifier(rewrite.path.as_ref(), &at.field("path"), sink);
    }
    if let Some(cors) = &one.cors {
        let at = at.field("cors");
        if cors.max_age.is_some_and(|age| age < 1) {
            let message = "`maxAge` is at least one second";
            sink.push(&at.field("maxAge"), Code::INVALID_DURATION_RANGE, message);
        }
        most(
            cors.allow_origins.len(),
            64,
            &at.field("allowOrigins"),
            sink,
        );
        let star = |all: &[String]| all.len() > 1 && all.iter().any(|one| one == "*");
        for (field, all) in [
            ("allowOrigins", &cors.allow_origins),
            ("allowMethods", &cors.allow_methods),
            ("allowHeaders", &cors.allow_headers),
        ] {
            if star(all) {
                let message = "`*` stands alone";
                sink.push(&at.field(field), Code::CONFLICTING_FIELDS, message);
            }
        }
    }
}

fn header_filter(written: &raw::HeaderFilter, at: &At<'_>, sink: &mut Sink<'_>) {
    for (field, all) in [("set", &written.set), ("add", &written.add)] {
        let at = at.field(field);
        most(all.len(), 16, &at, sink);
        let mut names = HashSet::new();
        for (index, one) in all.iter().enumerate() {
            let at = at.index(index);
            let verdict = header::name(&one.name);
            sink.check(&at.field("name"), Code::INVALID_HEADER_NAME, verdict);
            if !names.insert(&one.name) {
                let message = format!("header `{}` stands here twice", one.name);
                sink.push(&at.field("name"), Code::CONFLICTING_FIELDS, message);
            }
            required(&one.value, &at.field("value"), sink);
            most(one.value.len(), 4096, &at.field("value"), sink);
        }
    }
    most(written.remove.len(), 16, &at.field("remove"), sink);
}

fn path_modifier(path: Option<&raw::PathModifier>, at: &At<'_>, sink: &mut Sink<'_>) {
    let Some(path) = path else {
        return;
    };
    one_of(
        &path.r#type,
        &["ReplaceFullPath", "ReplacePrefixMatch"],
        &at.field("type"),
        sink,
    );
    let fields = [
        (
            "ReplaceFullPath",
            "replaceFullPath",
            &path.replace_full_path,
        ),
        (
            "ReplacePrefixMatch",
            "replacePrefixMatch",
            &path.replace_prefix_match,
        ),
    ];
    for (kind, field, value) in fields {
        if value.is_some() != (path.r#type == kind) {
            let message = format!("`{field}` belongs to type `{kind}`, and only to that");
            sink.push(&at.field(field), Code::CONFLICTING_FIELDS, message);
        }
        let length = value.as_deref().map_or(0, str::len);
        most(length, 1024, &at.field(field), sink);
    }
}

/// A GRPCRoute.
pub(super) fn grpc_route(spec: &raw::GrpcRoute, sink: &mut Sink<'_>) {
    let at = At::ROOT.field("spec");
    parent_refs(&spec.parent_refs, &at.field("parentRefs"), sink);
    hostnames(&spec.hostnames, &at.field("hostnames"), sink);
    let at = at.field("rules");
    most(spec.rules.len(), 16, &at, sink);
    let matches = spec.rules.iter().map(|rule| rule.matches.len());
    most(matches.sum(), 128, &at, sink);
    rule_names(
        spec.rules.iter().map(|rule| rule.name.as_deref()),
        &at,
        sink,
    );
    for (index, rule) in spec.rules.iter().enumerate() {
        let at = at.index(index);
        let matches = at.field("matches");
        most(rule.matches.len(), 64, &matches, sink);
        for (index, one) in rule.matches.iter().enumerate() {
            let at = matches.index(index);
            named(&one.headers, true, &at.field("headers"), sink);
            if let Some(method) = &one.method {
                grpc_method(method, &at.field("method"), sink);
            }
        }
        filters(&rule.filters, GRPC_FILTERS, &at.field("filters"), sink);
        http_backends(
            &rule.backend_refs,
            GRPC_FILTERS,
            &at.field("backendRefs"),
            sink,
        );
    }
}

fn grpc_method(method: &raw::GrpcMethodMatch, at: &At<'_>, sink: &mut Sink<'_>) {
    let kind = method.r#type.as_deref().unwrap_or("Exact");
    one_of(
        kind,
        &["Exact", "RegularExpression"],
        &at.field("type"),
        sink,
    );
    let (service, name) = (method.service.as_deref(), method.method.as_deref());
    if service.is_none() && name.is_none() {
        let message = "one of `service` and `method` is needed";
        sink.push(at, Code::MISSING_FIELD, message);
    }
    if kind != "Exact" {
        return;
    }
    let is_word = |text: &str| {
        let mut bytes = text.bytes();
        bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let is_service = |text: &str| text.split('.').all(is_word);
    if service.is_some_and(|text| !is_service(text)) {
        let message = "the text is not the name of a service";
        sink.push(&at.field("service"), Code::INVALID_NAME, message);
    }
    if name.is_some_and(|text| !is_word(text)) {
        let message = "the text is not the name of a method";
        sink.push(&at.field("method"), Code::INVALID_NAME, message);
    }
}
