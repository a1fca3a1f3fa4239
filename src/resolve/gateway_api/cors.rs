//! The CORS filter of HTTPRoutes (R-G-041).

use std::time::Duration;

use crate::diagnostic::At;
use crate::resource::gateway_api::CorsFilter;
use crate::terms::condition::ValueMatch;
use crate::terms::route_policy::CorsPolicy;

use super::super::Sink;
use super::World;

/// The policy that it means.
pub(super) fn policy(
    written: &CorsFilter,
    world: &World<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> CorsPolicy {
    let at = at.field("allowOrigins");
    let origins = written.allow_origins.iter().enumerate();
    let origins = origins.filter_map(|(index, one)| origin(one, world, &at.index(index), sink));
    let age = u64::try_from(written.max_age.unwrap_or(5)).unwrap_or(0);
    CorsPolicy {
        allow_origins: origins.collect(),
        allow_methods: list(&written.allow_methods),
        allow_headers: list(&written.allow_headers),
        expose_headers: list(&written.expose_headers),
        max_age: (age > 0).then(|| Duration::from_secs(age)),
        allow_credentials: written.allow_credentials.filter(|allowed| *allowed),
        forward_unmatched_preflights: false,
    }
}

/// Texts with commas between; nothing of none.
fn list(texts: &[String]) -> Option<Box<str>> {
    (!texts.is_empty()).then(|| texts.join(",").into())
}

/// An origin, or a pattern of origins.
fn origin(text: &str, world: &World<'_>, at: &At<'_>, sink: &mut Sink<'_>) -> Option<ValueMatch> {
    let mut by_regex = |pattern: &str| world.cx.regex(pattern, at, sink).map(ValueMatch::Regex);
    if text == "*" {
        return by_regex("[a-zA-Z][a-zA-Z0-9+.-]*://[^/]+");
    }
    match text.strip_suffix('*') {
        _ if !text.contains('*') => Some(ValueMatch::Exact(text.into())),
        Some(prefix) if !prefix.contains('*') => Some(ValueMatch::Prefix(prefix.into())),
        _ => {
            let parts: Vec<String> = text.split('*').map(quoted).collect();
            by_regex(&parts.join(".*"))
        }
    }
}

/// A text as a regex that matches nothing else.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\.+*?()|[]{}^$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
