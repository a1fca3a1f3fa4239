//! Rules and matches that no request can reach, as far as Istio sees it (R-M-167).

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use crate::diagnostic::{At, Code};
use crate::resolve::Sink;
use crate::resource as raw;
use crate::resource::{HttpMatchRequest, StringMatch};

/// Warns of all of them.
pub(super) fn warn(spec: &raw::VirtualService, at: &At<'_>, sink: &mut Sink<'_>) {
    let http: Vec<Rule> = spec
        .http
        .iter()
        .map(|rule| Rule {
            name: &rule.name,
            matches: rule.r#match.iter().map(fingerprint).collect(),
        })
        .collect();
    let http_at = at.field("http");
    repeated(&http, &http_at, sink);
    covered_prefixes(&spec.http, &http, &http_at, sink);
    let plain = |matches: Vec<String>| Rule { name: "", matches };
    let tls: Vec<Rule> = spec
        .tls
        .iter()
        .map(|rule| {
            plain(
                rule.r#match
                    .iter()
                    .map(|entry| format!("{entry:?}"))
                    .collect(),
            )
        })
        .collect();
    repeated(&tls, &at.field("tls"), sink);
    let tcp: Vec<Rule> = spec
        .tcp
        .iter()
        .map(|rule| {
            plain(
                rule.r#match
                    .iter()
                    .map(|entry| format!("{entry:?}"))
                    .collect(),
            )
        })
        .collect();
    repeated(&tcp, &at.field("tcp"), sink);
}

/// A rule by the texts of its matches: equal matches have equal texts.
struct Rule<'a> {
    name: &'a str,
    matches: Vec<String>,
}

impl Rule<'_> {
    fn label(&self, index: usize) -> String {
        label(self.name, index)
    }
}

fn label(name: &str, index: usize) -> String {
    match name {
        "" => format!("rule {index}"),
        name => format!("rule `{name}`"),
    }
}

/// The text of a match without its name, which does not distinguish it. Only what is set is written out.
fn fingerprint(written: &HttpMatchRequest) -> String {
    let HttpMatchRequest {
        name: _,
        uri,
        scheme,
        method,
        authority,
        headers,
        port,
        source_labels,
        gateways,
        query_params,
        ignore_uri_case,
        without_headers,
        source_namespace,
        stat_prefix,
    } = written;
    let mut out = format!("{port} {ignore_uri_case} {source_namespace:?} {stat_prefix:?}");
    for (field, test) in [("u", uri), ("s", scheme), ("m", method), ("a", authority)] {
        if let Some(test) = test {
            out.push_str(field);
            write_test(&mut out, Some(test));
        }
    }
    for (field, tests) in [("h", headers), ("q", query_params), ("w", without_headers)] {
        for (key, test) in tests {
            out.push_str(field);
            let _ = write!(out, "{key:?}");
            write_test(&mut out, test.as_ref());
        }
    }
    if !source_labels.is_empty() || !gateways.is_empty() {
        let _ = write!(out, "{source_labels:?}{gateways:?}");
    }
    out
}

fn write_test(out: &mut String, test: Option<&StringMatch>) {
    let Some(test) = test else {
        out.push('0');
        return;
    };
    for (kind, text) in [("=", &test.exact), ("^", &test.prefix), ("~", &test.regex)] {
        if let Some(text) = text {
            let _ = write!(out, "{kind}{text:?}"); // writing into a String cannot fail
        }
    }
    out.push(';');
}

/// More than one rule without matches, and matches that stand twice.
fn repeated(rules: &[Rule<'_>], at: &At<'_>, sink: &mut Sink<'_>) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut without_matches = false;
    for (index, rule) in rules.iter().enumerate() {
        let rule_at = at.index(index);
        if rule.matches.is_empty() {
            if without_matches {
                push_unused(
                    rule,
                    index,
                    "only the last rule can have no matches",
                    &rule_at,
                    sink,
                );
            }
            without_matches = true;
            continue;
        }
        let matches_at = rule_at.field("match");
        let mut repeated = 0;
        for (place, text) in rule.matches.iter().enumerate() {
            match seen.get(text.as_str()) {
                Some(&earlier) => {
                    repeated += 1;
                    sink.push(
                        &matches_at.index(place),
                        Code::UNUSED_MATCH,
                        format!(
                            "the match stands already in {}",
                            rules[earlier].label(earlier)
                        ),
                    );
                }
                None => {
                    seen.insert(text, index);
                }
            }
        }
        if repeated == rule.matches.len() {
            push_unused(
                rule,
                index,
                "all its matches stand in earlier rules",
                &rule_at,
                sink,
            );
        }
    }
}

fn push_unused(rule: &Rule<'_>, index: usize, reason: &str, at: &At<'_>, sink: &mut Sink<'_>) {
    let name = rule.label(index);
    sink.push(
        at,
        Code::UNUSED_RULE,
        format!("{name} is never used: {reason}"),
    );
}

/// A match of a path, or of the beginning of one.
struct PrefixMatch<'a> {
    rule: usize,
    place: usize,
    prefix: &'a str,
    /// The path is to be the text, not to begin with it.
    is_exact: bool,
    written: &'a HttpMatchRequest,
}

/// How many pairs of matches of one VirtualService are compared, and how long a prefix may be for it: a warning is worth
/// no more.
const MOST_COMPARISONS: usize = 1_000_000;
const LONGEST_PREFIX: usize = 1024;

/// Matches whose prefix begins with a shorter one of an earlier match that asks for no more beside it; each is warned of
/// once. O(matches · length of a prefix), and the comparisons.
fn covered_prefixes(
    rules: &[raw::HttpRoute],
    texts: &[Rule<'_>],
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    let mut by_prefix: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut earlier: Vec<PrefixMatch<'_>> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    let mut comparisons_left = MOST_COMPARISONS;
    for (rule, written) in rules.iter().enumerate() {
        for (place, matched) in written.r#match.iter().enumerate() {
            let Some(later) = prefix_match(matched, rule, place) else {
                continue;
            };
            if !seen.insert(&texts[rule].matches[place]) {
                continue; // already warned of as a repetition
            }
            let shorter = later
                .prefix
                .char_indices()
                .filter_map(|(end, _)| by_prefix.get(&later.prefix[..end]));
            let mut compared = 0;
            let whole = by_prefix.get(later.prefix).filter(|_| later.is_exact);
            let shorter = shorter.chain(whole);
            let cover = shorter
                .flatten()
                .take(comparisons_left)
                .inspect(|_| compared += 1)
                .map(|&index: &usize| &earlier[index])
                .find(|cover| covers(cover, &later));
            if let Some(cover) = cover {
                push_covered(rules, cover, &later, at, sink);
            }
            comparisons_left -= compared;
            if later.is_exact {
                continue;
            }
            by_prefix
                .entry(later.prefix)
                .or_default()
                .push(earlier.len());
            earlier.push(later);
        }
    }
}

fn push_covered(
    rules: &[raw::HttpRoute],
    cover: &PrefixMatch<'_>,
    later: &PrefixMatch<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) {
    let rule_at = at.index(later.rule);
    let matches_at = rule_at.field("match");
    sink.push(
        &matches_at.index(later.place),
        Code::UNUSED_MATCH,
        format!(
            "{} `{}` is covered by prefix `{}` of match {} in {}",
            if later.is_exact { "path" } else { "prefix" },
            later.prefix,
            cover.prefix,
            cover.place,
            label(&rules[cover.rule].name, cover.rule),
        ),
    );
}

fn prefix_match(written: &HttpMatchRequest, rule: usize, place: usize) -> Option<PrefixMatch<'_>> {
    let uri = written.uri.as_ref()?;
    let (prefix, is_exact) = match (uri.prefix.as_deref(), uri.exact.as_deref()) {
        (Some(prefix), _) => (prefix, false),
        (None, Some(exact)) => (exact, true),
        (None, None) => return None,
    };
    (1..=LONGEST_PREFIX)
        .contains(&prefix.len())
        .then_some(PrefixMatch {
            rule,
            place,
            prefix,
            is_exact,
            written,
        })
}

/// Whether every request and client that passes `later` passes `earlier`, whose prefix the path of `later` begins with: each of its
/// tests follows from one of `later`.
fn covers(earlier: &PrefixMatch<'_>, later: &PrefixMatch<'_>) -> bool {
    let (earlier, later) = (earlier.written, later.written);
    let same_or_unset = |earlier: &str, later: &str| earlier.is_empty() || earlier == later;
    let tests = [
        (&earlier.scheme, &later.scheme),
        (&earlier.method, &later.method),
        (&earlier.authority, &later.authority),
    ];
    let maps = [
        (&earlier.headers, &later.headers),
        (&earlier.query_params, &later.query_params),
    ];
    (earlier.port == 0 || earlier.port == later.port)
        && (earlier.ignore_uri_case || !later.ignore_uri_case)
        && same_or_unset(&earlier.source_namespace, &later.source_namespace)
        && (earlier.gateways.is_empty() || earlier.gateways == later.gateways)
        && earlier
            .source_labels
            .iter()
            .all(|(key, value)| later.source_labels.get(key) == Some(value))
        && tests.iter().all(|(earlier, later)| match (earlier, later) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(earlier), Some(later)) => follows(earlier, later),
        })
        && maps.iter().all(|(earlier, later)| {
            earlier.iter().all(|(key, test)| {
                let other = later.get(key);
                match (test, other) {
                    (_, None) => false,
                    // Presence.
                    (None, Some(_)) => true,
                    (Some(_), Some(None)) => false,
                    (Some(test), Some(Some(other))) => follows(test, other),
                }
            })
        })
        && earlier
            .without_headers
            .iter()
            .all(|(key, test)| later.without_headers.get(key) == Some(test))
}

/// Whether every value that passes `later` passes `earlier`.
fn follows(earlier: &StringMatch, later: &StringMatch) -> bool {
    let begins = |text: &Option<String>, prefix: &str| {
        text.as_ref().is_some_and(|text| text.starts_with(prefix))
    };
    match (&earlier.prefix, earlier == later) {
        (_, true) => true,
        (Some(prefix), false) => begins(&later.exact, prefix) || begins(&later.prefix, prefix),
        (None, false) => false,
    }
}
