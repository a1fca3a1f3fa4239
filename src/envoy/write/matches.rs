//! What a rule asks of a request, in Envoy's words.

use crate::envoy::model::{
    HeaderMatcher, ListMatcher, MetadataMatcher, OrMatcher, PathSegment, QueryParameterMatcher,
    RegexMatcher, RouteMatch, StringMatcher, ValueMatcher,
};
use crate::terms::condition::{
    ClaimMatch, Condition, HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch,
};
use crate::terms::regex::Regex;

/// The filter that verifies tokens, and where it keeps what they say.
const JWT_FILTER: &str = "envoy.filters.http.jwt_authn";
const PAYLOAD: &str = "payload";

pub(super) fn route_match(matches: &RequestMatch) -> RouteMatch {
    let mut out = RouteMatch::default();
    let case = |ignored: &bool| ignored.then_some(false);
    match &matches.path {
        PathMatch::Prefix { value, ignore_case } => {
            out.prefix = Some(value.to_string());
            out.case_sensitive = case(ignore_case);
        }
        PathMatch::SeparatedPrefix(prefix) => {
            out.path_separated_prefix = Some(prefix.as_str().to_owned());
            out.case_sensitive = case(&prefix.ignores_case());
        }
        PathMatch::Exact { value, ignore_case } => {
            out.path = Some(value.to_string());
            out.case_sensitive = case(ignore_case);
        }
        PathMatch::Regex(regex) => out.safe_regex = Some(regex_matcher(regex)),
    }
    for condition in &matches.conditions {
        match condition {
            Condition::Header(header) => out.headers.push(header_matcher(header)),
            Condition::Query(query) => out.query_parameters.push(query_matcher(query)),
            Condition::Claim(claim) => out.dynamic_metadata.push(claim_matcher(claim)),
        }
    }
    out
}

pub(super) fn regex_matcher(regex: &Regex) -> RegexMatcher {
    RegexMatcher {
        regex: regex.as_str().to_owned(),
        google_re2: None,
    }
}

fn header_matcher(header: &HeaderMatch) -> HeaderMatcher {
    let string_match = string_matcher(&header.test);
    HeaderMatcher {
        name: header.name.to_string(),
        present_match: string_match.is_none().then_some(true),
        treat_missing_header_as_empty: header.invert && string_match.is_some(),
        string_match,
        invert_match: header.invert,
        ..HeaderMatcher::default()
    }
}

fn query_matcher(query: &QueryMatch) -> QueryParameterMatcher {
    let string_match = string_matcher(&query.test);
    QueryParameterMatcher {
        name: query.key.to_string(),
        present_match: string_match.is_none().then_some(true),
        string_match,
    }
}

/// A claim that is a text passes by itself, a list by one of its texts (R-H-105).
fn claim_matcher(claim: &ClaimMatch) -> MetadataMatcher {
    let keys = std::iter::once(PAYLOAD).chain(claim.path.iter().map(|key| &**key));
    let text = ValueMatcher {
        string_match: string_matcher(&claim.test),
        ..ValueMatcher::default()
    };
    let value = match text.string_match {
        None => ValueMatcher {
            present_match: Some(true),
            ..ValueMatcher::default()
        },
        Some(_) => ValueMatcher {
            or_match: Some(OrMatcher {
                value_matchers: vec![
                    text.clone(),
                    ValueMatcher {
                        list_match: Some(ListMatcher {
                            one_of: Some(Box::new(text)),
                        }),
                        ..ValueMatcher::default()
                    },
                ],
            }),
            ..ValueMatcher::default()
        },
    };
    MetadataMatcher {
        filter: JWT_FILTER.to_owned(),
        path: keys
            .map(|key| PathSegment {
                key: key.to_owned(),
            })
            .collect(),
        value,
        invert: claim.invert,
    }
}

/// The test of a text; `None`: that there is one.
pub(super) fn string_matcher(test: &ValueMatch) -> Option<StringMatcher> {
    let mut out = StringMatcher::default();
    match test {
        ValueMatch::Present => return None,
        ValueMatch::Exact(text) => out.exact = Some(text.to_string()),
        ValueMatch::Prefix(text) => out.prefix = Some(text.to_string()),
        ValueMatch::Regex(regex) => out.safe_regex = Some(regex_matcher(regex)),
    }
    Some(out)
}
