//! One route against one request. Sections 6 to 8 of istio-http.md.

use regex_automata::meta::Regex;

use super::headers::Lines;
use super::paths::{query, without_query};
use super::routes::Route;
use super::world::World;
use super::{Yaml, entries, text};

/// A request as a route sees it: normalised, its pseudo headers among its header lines.
#[derive(Clone, Debug)]
pub struct Request {
    /// `:path`, with its query.
    pub path: String,
    pub host: String,
    pub method: String,
    pub scheme: String,
    /// The header lines as they were sent.
    pub given: Lines,
    /// Header lines, `:authority`, `:method`, `:path` and `:scheme` first.
    pub lines: Lines,
    /// Verified JWT claims.
    pub claims: Yaml,
}

/// R-H-003: all conditions hold.
pub fn matches(_world: &World, route: &Route, request: &Request) -> bool {
    let condition = &route.condition;
    let of_header = |name: &str| match name.eq_ignore_ascii_case("host") {
        true => request.lines.joined(":authority"), // R-H-102
        false => request.lines.joined(name),
    };
    let positive = |value: Option<String>, wanted: &Yaml| match value {
        Some(value) => is_presence(wanted) || string_matches(wanted, &value),
        None => false, // R-H-096
    };
    let any = |name: &str, wanted: &Yaml| {
        let values = request.lines.each(name);
        values
            .iter()
            .any(|value| is_presence(wanted) || string_matches(wanted, value))
    };
    let pseudo = [
        ("method", ":method"),
        ("authority", ":authority"),
        ("scheme", ":scheme"),
    ];
    path_matches(route, without_query(&request.path))
        && pseudo.iter().all(|(field, header)| {
            condition[*field].is_null() || positive(of_header(header), &condition[*field])
        })
        && entries(condition, "headers")
            .iter()
            .all(|(name, wanted)| match claim_path(name) {
                Some(path) => claim_matches(&request.claims, &path, wanted),
                None => any(name, wanted), // R-H-096
            })
        && entries(condition, "withoutHeaders")
            .iter()
            .all(|(name, unwanted)| match claim_path(name) {
                Some(path) => !claim_matches(&request.claims, &path, unwanted),
                None if is_presence(unwanted) => of_header(name).is_none(), // R-H-098
                // R-H-099: a missing header counts as empty.
                None if of_header(name).is_none() => !string_matches(unwanted, ""),
                None => !any(name, unwanted),
            })
        && entries(condition, "queryParams")
            .iter()
            .all(|(key, wanted)| positive(first_parameter(query(&request.path), key), wanted))
}

/// R-H-082..R-H-089: the path without its query.
fn path_matches(route: &Route, path: &str) -> bool {
    let condition = &route.condition;
    let uri = &condition["uri"];
    let ignore_case = condition["ignoreUriCase"].as_bool() == Some(true);
    let folded = |s: &str| {
        if ignore_case {
            s.to_ascii_lowercase()
        } else {
            s.to_owned()
        }
    };
    if let Some(exact) = uri["exact"].as_str() {
        folded(path) == folded(exact)
    } else if let Some(segments) = path_separated_prefix(route) {
        let path = folded(path);
        let rest = path.strip_prefix(&folded(segments));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    } else if let Some(prefix) = uri["prefix"].as_str() {
        folded(path).starts_with(&folded(prefix))
    } else if let Some(regex) = uri["regex"].as_str() {
        full_match(regex, path)
    } else {
        true
    }
}

/// R-G-052: the prefix of whole segments that the route asks for, if it is one.
pub fn path_separated_prefix(route: &Route) -> Option<&str> {
    let prefix = route.condition["uri"]["prefix"].as_str()?;
    let is_one = route.has_gateway_semantics && prefix != "/";
    is_one.then(|| prefix.strip_suffix('/').unwrap_or(prefix))
}

/// R-H-094: `{}`, null and the regex `*` ask for presence only.
fn is_presence(wanted: &Yaml) -> bool {
    let kinds = ["exact", "prefix", "regex"];
    kinds.iter().all(|kind| wanted[*kind].is_null()) || text(wanted, "regex") == "*"
}

/// R-H-092: a StringMatch that is not a presence.
pub fn string_matches(wanted: &Yaml, value: &str) -> bool {
    if let Some(exact) = wanted["exact"].as_str() {
        value == exact
    } else if let Some(prefix) = wanted["prefix"].as_str() {
        value.starts_with(prefix)
    } else {
        full_match(text(wanted, "regex"), value)
    }
}

/// R-H-103: the first value of a query parameter, raw.
fn first_parameter(query: &str, key: &str) -> Option<String> {
    let pairs = query.strip_prefix('?')?.split('&');
    let mut named = pairs.filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name == key).then(|| value.to_owned())
    });
    named.next()
}

/// R-H-105: the claim path in `@request.auth.claims.a.b` or `@request.auth.claims[a][b]`.
fn claim_path(header: &str) -> Option<Vec<String>> {
    let prefix = "@request.auth.claims";
    let start = header.get(..prefix.len())?;
    if !start.eq_ignore_ascii_case(prefix) {
        return None;
    }
    let rest = &header[prefix.len()..];
    if let Some(dotted) = rest.strip_prefix('.') {
        return Some(dotted.split('.').map(str::to_owned).collect());
    }
    let inner = rest.strip_prefix('[')?.strip_suffix(']')?;
    Some(inner.split("][").map(str::to_owned).collect())
}

fn claim_matches(claims: &Yaml, path: &[String], wanted: &Yaml) -> bool {
    let mut at = claims;
    for name in path {
        at = &at[name.as_str()];
    }
    let one = |value: &Yaml| {
        value
            .as_str()
            .is_some_and(|value| is_presence(wanted) || string_matches(wanted, value))
    };
    one(at) || at.as_array().is_some_and(|all| all.iter().any(one))
}

/// R-H-086, R-H-087: an RE2 regex over the whole text.
pub fn full_match(pattern: &str, text: &str) -> bool {
    Regex::new(&format!(r"\A(?:{})\z", from_re2(pattern))).is_ok_and(|regex| regex.is_match(text))
}

/// R-H-087: the pattern in the syntax of the regex crate: Perl classes are ASCII, `\Q..\E` is literal text.
pub fn from_re2(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('Q') => {
                    let text: String = rest.by_ref().collect();
                    let (literal, after) = text.split_once(r"\E").unwrap_or((&text, ""));
                    out.push_str(&regex_syntax::escape(literal));
                    return out + &from_re2(after);
                }
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[0-9A-Za-z_]"),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('s') => out.push_str(r"[\t\n\f\r ]"),
                Some('S') => out.push_str(r"[^\t\n\f\r ]"),
                Some('b') => out.push_str(r"(?-u:\b)"),
                Some('C') => out.push_str(r"(?s:.)"),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            // `[` inside a class is a literal in RE2; `&&`, `--` and `~~` mean nothing there.
            '[' if in_class && rest.peek() != Some(&':') => out.push_str(r"\["),
            '&' | '~' if in_class => out.extend(['\\', c]),
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if rest.peek() == Some(&'^') {
                    out.extend(rest.next());
                }
                if rest.peek() == Some(&']') {
                    rest.next();
                    out.push_str(r"\]");
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            other => out.push(other),
        }
    }
    out
}
