//! What a route asks of a request.

use super::context::Context;
use crate::diagnostic::At;
use crate::envoy::model::{
    HeaderMatcher, MetadataMatcher, QueryParameterMatcher, RouteMatch, StringMatcher, ValueMatcher,
};
use crate::terms::condition::{
    ClaimMatch, Condition, HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch,
};

/// `None`: it was said why not.
pub(super) fn request_match(
    context: &mut Context<'_>,
    at: &At<'_>,
    matches: &RouteMatch,
) -> Option<RequestMatch> {
    let path = path(context, at, matches)?;
    let mut conditions = Vec::new();
    let headers = at.field("headers");
    for (index, header) in matches.headers.iter().enumerate() {
        header_conditions(context, &headers.index(index), header, &mut conditions)?;
    }
    let queries = at.field("queryParameters");
    for (index, query) in matches.query_parameters.iter().enumerate() {
        conditions.push(query_condition(context, &queries.index(index), query)?);
    }
    let claims = at.field("dynamicMetadata");
    for (index, claim) in matches.dynamic_metadata.iter().enumerate() {
        conditions.push(claim_condition(context, &claims.index(index), claim)?);
    }
    // Those that cost most last.
    conditions.sort_by_key(Condition::is_regex);
    Some(RequestMatch {
        path,
        conditions: conditions.into(),
    })
}

fn path(context: &mut Context<'_>, at: &At<'_>, matches: &RouteMatch) -> Option<PathMatch> {
    let ignore_case = matches.case_sensitive == Some(false);
    let RouteMatch {
        prefix,
        path,
        safe_regex,
        path_separated_prefix,
        ..
    } = matches;
    Some(match (prefix, path, safe_regex, path_separated_prefix) {
        (Some(value), None, None, None) => PathMatch::Prefix {
            value: value.as_str().into(),
            ignore_case,
        },
        (None, Some(value), None, None) => PathMatch::Exact {
            value: value.as_str().into(),
            ignore_case,
        },
        (None, None, Some(regex), None) => {
            PathMatch::Regex(context.regex(&at.field("safeRegex"), &regex.regex)?)
        }
        (None, None, None, Some(value)) => {
            if value.len() < 2
                || !value.starts_with('/')
                || value.ends_with('/')
                || value.contains(['?', '#'])
            {
                let at = at.field("pathSeparatedPrefix");
                context.invalid(&at, format_args!("`{value}` is no path to separate"));
                return None;
            }
            PathMatch::separated_prefix(value, ignore_case)
        }
        (None, None, None, None) => {
            context.not_honoured(at, "a match without a test of the path");
            return None;
        }
        _ => {
            context.invalid(at, "a match has more than one test of the path");
            return None;
        }
    })
}

/// One test of a header may be two conditions.
fn header_conditions(
    context: &mut Context<'_>,
    at: &At<'_>,
    header: &HeaderMatcher,
    out: &mut Vec<Condition>,
) -> Option<()> {
    let name: Box<str> = match header.name.to_ascii_lowercase().as_str() {
        "" => {
            context.invalid(at, "a header has no name");
            return None;
        }
        "host" => ":authority".into(),
        name => name.into(),
    };
    let condition = |test: ValueMatch, invert: bool| {
        let name = name.clone();
        Condition::Header(HeaderMatch { name, test, invert })
    };
    let test = match (
        &header.exact_match,
        &header.prefix_match,
        &header.safe_regex_match,
    ) {
        (Some(text), None, None) => Some(ValueMatch::Exact(text.as_str().into())),
        (None, Some(text), None) => Some(ValueMatch::Prefix(text.as_str().into())),
        (None, None, Some(regex)) => Some(ValueMatch::Regex(context.regex(at, &regex.regex)?)),
        (None, None, None) => None,
        _ => {
            context.invalid(at, "a header has more than one test");
            return None;
        }
    };
    let test = match (test, &header.string_match) {
        (test, None) => test,
        (None, Some(matcher)) => Some(value_match(context, &at.field("stringMatch"), matcher)?),
        (Some(_), Some(_)) => {
            context.invalid(at, "a header has more than one test");
            return None;
        }
    };
    let Some(test) = test else {
        // Neither is there a test: then it is asked for.
        let is_wanted = header.present_match.unwrap_or(true) != header.invert_match;
        out.push(condition(ValueMatch::Present, !is_wanted));
        return Some(());
    };
    match (header.invert_match, header.treat_missing_header_as_empty) {
        (false, false) => out.push(condition(test, false)),
        (true, true) => out.push(condition(test, true)),
        // What is not there does not pass, whatever the test.
        (true, false) => {
            out.push(condition(ValueMatch::Present, false));
            out.push(condition(test, true));
        }
        // Of no use where the empty value does not pass either.
        (false, true) if !test.holds(b"") => out.push(condition(test, false)),
        (false, true) => {
            context.not_honoured(
                &at.field("treatMissingHeaderAsEmpty"),
                "a test that an absent header passes",
            );
            return None;
        }
    }
    Some(())
}

fn query_condition(
    context: &mut Context<'_>,
    at: &At<'_>,
    query: &QueryParameterMatcher,
) -> Option<Condition> {
    let test = match (&query.string_match, query.present_match) {
        (Some(matcher), None) => value_match(context, &at.field("stringMatch"), matcher)?,
        (None, None | Some(true)) => ValueMatch::Present,
        (None, Some(false)) => {
            context.not_honoured(&at.field("presentMatch"), "a parameter that must be absent");
            return None;
        }
        (Some(_), Some(_)) => {
            context.invalid(at, "a parameter has more than one test");
            return None;
        }
    };
    Some(Condition::Query(QueryMatch {
        key: query.name.as_str().into(),
        test,
    }))
}

/// As istiod writes a claim: a text that passes, or a list one of whose texts does (R-H-105).
fn claim_condition(
    context: &mut Context<'_>,
    at: &At<'_>,
    claim: &MetadataMatcher,
) -> Option<Condition> {
    let mut keys = claim.path.iter().map(|segment| segment.key.as_str());
    let is_claim = claim.filter == "envoy.filters.http.jwt_authn" && keys.next() == Some("payload");
    let test = claimed(&claim.value).filter(|_| is_claim);
    let Some(test) = test else {
        context.not_honoured(at, "a test of dynamic metadata that is no claim of a token");
        return None;
    };
    let test = match test {
        None => ValueMatch::Present,
        Some(matcher) => value_match(context, &at.field("value"), matcher)?,
    };
    Some(Condition::Claim(ClaimMatch {
        path: keys.map(Into::into).collect(),
        test,
        invert: claim.invert,
    }))
}

/// The test of a text in it: `Some(None)` for presence, `None` where it is another test.
fn claimed(value: &ValueMatcher) -> Option<Option<&StringMatcher>> {
    if value.present_match == Some(true) {
        return Some(None);
    }
    let [text, list] = value.or_match.as_ref()?.value_matchers.as_slice() else {
        return None;
    };
    let element = list.list_match.as_ref()?.one_of.as_ref()?;
    let is_same = text.string_match.is_some() && element.string_match == text.string_match;
    is_same.then_some(text.string_match.as_ref())
}

/// The test of a text.
pub(super) fn value_match(
    context: &mut Context<'_>,
    at: &At<'_>,
    matcher: &StringMatcher,
) -> Option<ValueMatch> {
    if matcher.ignore_case && matcher.safe_regex.is_none() {
        context.not_honoured(&at.field("ignoreCase"), "`ignoreCase`");
        return None;
    }
    let StringMatcher {
        exact,
        prefix,
        suffix,
        contains,
        safe_regex,
        ..
    } = matcher;
    match (exact, prefix, suffix, contains, safe_regex) {
        (Some(text), None, None, None, None) => Some(ValueMatch::Exact(text.as_str().into())),
        (None, Some(text), None, None, None) => Some(ValueMatch::Prefix(text.as_str().into())),
        (None, None, None, None, Some(regex)) => {
            let regex = context.regex(&at.field("safeRegex"), &regex.regex)?;
            Some(ValueMatch::Regex(regex))
        }
        (None, None, Some(_), None, None) => {
            context.not_honoured(&at.field("suffix"), "`suffix`");
            None
        }
        (None, None, None, Some(_), None) => {
            context.not_honoured(&at.field("contains"), "`contains`");
            None
        }
        _ => {
            context.invalid(at, "a text needs one test");
            None
        }
    }
}
