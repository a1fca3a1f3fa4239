//! Header changes of a rule or of a destination (R-H-116..R-H-120).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::resolve::Sink;
use crate::resolve::check::{Verdict, header};
use crate::resource as raw;
use crate::terms::format::HeaderFormat;
use crate::terms::header_operations::{HeaderChanges, HeaderOperations};

/// Both directions, typed; `None` if nothing is changed. A request's `host` or `:authority` becomes a host rewrite, where
/// `set` beats `add` (R-H-118).
pub(super) fn changes(
    written: Option<&raw::Headers>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<Arc<HeaderChanges>> {
    let written = written?;
    let mut changes = HeaderChanges::default();
    if let Some(request) = &written.request {
        let at = at.field("request");
        changes.request = operations(request, header::settable_on_request, &at, sink);
        changes.authority = authority(&request.set).or_else(|| authority(&request.add));
    }
    if let Some(response) = &written.response {
        let at = at.field("response");
        changes.response = operations(response, header::changeable, &at, sink);
    }
    (!changes.is_empty()).then(|| Arc::new(changes))
}

/// The one place that sets the authority of a rule: a second one is refused (R-M-157).
pub(super) fn check_authority(
    rewrite: Option<&raw::HttpRewrite>,
    headers: Option<&raw::Headers>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    let Some(request) = headers.and_then(|headers| headers.request.as_ref()) else {
        return;
    };
    let mut current = rewrite.map_or("", |rewrite| rewrite.authority.as_str());
    let (headers, request_at) = (at.field("headers"), "request");
    let request_at = headers.field(request_at);
    for (operation, entries) in [("set", &request.set), ("add", &request.add)] {
        let operation = request_at.field(operation);
        for (name, value) in entries {
            if !header::is_authority(name) {
                continue;
            }
            if !current.is_empty() {
                sink.push_with_help(
                    &operation.key(name),
                    Code::AUTHORITY_SET_TWICE,
                    format!("the authority is set twice: to `{current}` and to `{value}`"),
                    "keep one of `rewrite.authority` and the `host` headers",
                );
                return;
            }
            current = value;
        }
    }
}

fn operations(
    written: &raw::HeaderOperations,
    settable: fn(&str) -> Verdict,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> HeaderOperations {
    let remove_at = at.field("remove");
    for (index, name) in written.remove.iter().enumerate() {
        let verdict = header::changeable(name);
        sink.check(&remove_at.index(index), Code::INVALID_HEADER_NAME, verdict);
    }
    HeaderOperations {
        set: values(&written.set, settable, &at.field("set"), sink),
        add: values(&written.add, settable, &at.field("add"), sink),
        remove: written
            .remove
            .iter()
            .filter(|name| !is_internal(name))
            .map(|name| name.to_ascii_lowercase().into())
            .collect(),
    }
}

/// In the order of the names as written, which is the order that istiod emits (R-H-116).
fn values(
    written: &BTreeMap<String, String>,
    settable: fn(&str) -> Verdict,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Box<[(Box<str>, HeaderFormat)]> {
    let mut out = Vec::with_capacity(written.len());
    for (name, value) in written {
        let at = at.key(name);
        sink.check(&at, Code::INVALID_HEADER_NAME, settable(name));
        if !sink.check(&at, Code::INVALID_HEADER_VALUE, header::value(value)) || is_internal(name) {
            continue;
        }
        if value.is_empty() {
            sink.push_with_help(
                &at,
                Code::EMPTY_HEADER_VALUE,
                format!("an empty value changes nothing, so header `{name}` stays as it is"),
                "use `remove` to take a header away",
            );
            continue;
        }
        match HeaderFormat::parse(value) {
            Ok(format) => out.push((name.to_ascii_lowercase().into(), format)),
            Err(message) => sink.push(&at, Code::INVALID_HEADER_VALUE, message),
        }
    }
    out.into()
}

/// Headers that no operation reaches (R-H-118).
fn is_internal(name: &str) -> bool {
    name.starts_with(':') || name.eq_ignore_ascii_case("host")
}

fn authority(written: &BTreeMap<String, String>) -> Option<Box<str>> {
    written
        .iter()
        .find(|(name, value)| header::is_authority(name) && !value.is_empty())
        .map(|(_, value)| value.as_str().into())
}
