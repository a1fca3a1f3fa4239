//! The path test of a rule. It sees the normalised path without its query (R-H-082).

use std::fmt;

use super::{IndexKey, KeyKind, TextOf, TextTest};
use crate::terms::regex::Regex;

/// The path test of a rule.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum PathMatch {
    /// Raw byte prefix; an unset `uri` is the prefix `/` (R-H-084, R-H-089).
    Prefix {
        /// The prefix.
        value: Box<str>,
        /// ASCII case is ignored (R-H-088).
        ignore_case: bool,
    },
    /// A prefix of whole segments: what Envoy calls `path_separated_prefix`.
    SeparatedPrefix(SeparatedPrefix),
    /// Byte equality (R-H-083).
    Exact {
        /// The path.
        value: Box<str>,
        /// ASCII case is ignored (R-H-088).
        ignore_case: bool,
    },
    /// RE2, full match; never ignores case (R-H-086, R-H-088).
    Regex(Regex),
}

short_debug! {
    enum PathMatch {Prefix {value, ignore_case}, SeparatedPrefix(part), Exact {value, ignore_case},
    Regex(part)}
}

/// `/foo` for `/foo`, `/foo/` and `/foo/bar`, not for `/foobar`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SeparatedPrefix {
    /// With the slash that ends it: `/foo/`.
    with_slash: Box<str>,
    ignore_case: bool,
}

short_debug! { SeparatedPrefix {with_slash, ignore_case} }

impl SeparatedPrefix {
    /// The prefix, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.with_slash[..self.with_slash.len() - 1]
    }

    /// Whether ASCII case is ignored.
    pub fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    fn holds(&self, path: &str) -> bool {
        let case = self.ignore_case;
        is(path, self.as_str(), case) || begins(path, &self.with_slash, case)
    }
}

impl PathMatch {
    /// The prefix `/`: what an unset `uri` means.
    pub fn any() -> Self {
        PathMatch::Prefix {
            value: "/".into(),
            ignore_case: false,
        }
    }

    /// A prefix of whole segments; one slash at its end does not count. Of nothing else, it is the prefix `/`.
    pub fn separated_prefix(prefix: &str, ignore_case: bool) -> Self {
        match prefix.strip_suffix('/').unwrap_or(prefix) {
            "" => PathMatch::any(),
            prefix => PathMatch::SeparatedPrefix(SeparatedPrefix {
                with_slash: [prefix, "/"].concat().into(),
                ignore_case,
            }),
        }
    }

    /// Whether `path` (normalised, without its query) passes. No allocation.
    #[inline]
    pub fn holds(&self, path: &str) -> bool {
        match self {
            // Nearly every rule.
            PathMatch::Prefix {
                value,
                ignore_case: false,
            } => {
                let start = path.as_bytes().get(..value.len());
                start.is_some_and(|start| is_same(start, value.as_bytes()))
            }
            PathMatch::Exact {
                value,
                ignore_case: false,
            } => path.len() == value.len() && is_same(path.as_bytes(), value.as_bytes()),
            other => other.holds_otherwise(path),
        }
    }

    fn holds_otherwise(&self, path: &str) -> bool {
        match self {
            PathMatch::Prefix { value, ignore_case } => begins(path, value, *ignore_case),
            PathMatch::SeparatedPrefix(prefix) => prefix.holds(path),
            PathMatch::Exact { value, ignore_case } => is(path, value, *ignore_case),
            PathMatch::Regex(regex) => regex.is_full_match(path.as_bytes()),
        }
    }

    /// What of a path that passes was not matched: what follows the prefix, whatever its case (R-H-132); nothing of a path
    /// that was matched as a whole.
    pub fn rest<'p>(&self, path: &'p str) -> &'p str {
        let matched = self.matched_length().unwrap_or(path.len());
        path.get(matched..).unwrap_or_default()
    }

    /// Whether it holds for every path there is: every path begins with a slash.
    pub(crate) fn is_any(&self) -> bool {
        matches!(self, PathMatch::Prefix { value, .. } if matches!(&**value, "" | "/"))
    }

    /// Whether it is as Istio writes the test of a catch-all (R-H-038).
    pub(super) fn is_catch_all(&self) -> bool {
        match self {
            PathMatch::Prefix { value, .. } => &**value == "/",
            PathMatch::Regex(regex) => regex.as_str() == ".*",
            PathMatch::SeparatedPrefix(_) | PathMatch::Exact { .. } => false,
        }
    }

    /// The same test, for who reasons about all paths at once.
    pub(crate) fn text_test(&self) -> TextTest<'_> {
        match self {
            PathMatch::Prefix {
                value: text,
                ignore_case,
            } => TextTest::Prefix {
                text,
                ignore_case: *ignore_case,
            },
            PathMatch::SeparatedPrefix(prefix) => TextTest::Below {
                text: prefix.as_str(),
                ignore_case: prefix.ignore_case,
            },
            PathMatch::Exact {
                value: text,
                ignore_case,
            } => TextTest::Exact {
                text,
                ignore_case: *ignore_case,
            },
            PathMatch::Regex(regex) => TextTest::Regex(regex),
        }
    }

    /// How many bytes of a path that passes are replaced where it is rewritten; `None`: all of them (R-H-132).
    pub(crate) fn matched_length(&self) -> Option<usize> {
        match self {
            PathMatch::Prefix { value, .. } => Some(value.len()),
            PathMatch::SeparatedPrefix(prefix) => Some(prefix.as_str().len()),
            PathMatch::Exact { .. } | PathMatch::Regex(_) => None,
        }
    }

    /// A key, and perhaps another: every path that passes has one of them.
    pub(crate) fn keys(&self) -> (IndexKey<'_>, Option<IndexKey<'_>>) {
        fn key(kind: KeyKind, text: &str, ignore_case: bool) -> IndexKey<'_> {
            IndexKey {
                text_of: TextOf::Path,
                kind,
                text: text.as_bytes(),
                ignore_case,
                is_decisive: true,
            }
        }
        match self {
            PathMatch::Prefix { value, ignore_case } => {
                (key(KeyKind::Prefix, value, *ignore_case), None)
            }
            PathMatch::SeparatedPrefix(prefix) => (
                key(KeyKind::Prefix, &prefix.with_slash, prefix.ignore_case),
                Some(key(KeyKind::Exact, prefix.as_str(), prefix.ignore_case)),
            ),
            PathMatch::Exact { value, ignore_case } => {
                (key(KeyKind::Exact, value, *ignore_case), None)
            }
            PathMatch::Regex(regex) => {
                let begins = IndexKey {
                    text_of: TextOf::Path,
                    kind: KeyKind::Prefix,
                    text: regex.literal_prefix(),
                    ignore_case: false,
                    is_decisive: false,
                };
                (begins, None)
            }
        }
    }

    /// What a path that passes must contain, where that says more than the [keys](Self::keys).
    pub(crate) fn literal_key(&self) -> Option<IndexKey<'_>> {
        let PathMatch::Regex(regex) = self else {
            return None;
        };
        let text = regex.required_literal();
        (!text.is_empty()).then_some(IndexKey {
            text_of: TextOf::Path,
            kind: KeyKind::Literal,
            text,
            ignore_case: false,
            is_decisive: false,
        })
    }

    pub(super) fn fmt_unmet(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let case = |ignore_case: bool| if ignore_case { ", in any case" } else { "" };
        match self {
            PathMatch::Prefix { value, ignore_case } => {
                let case = case(*ignore_case);
                write!(f, "the path does not begin with `{value}`{case}")
            }
            PathMatch::SeparatedPrefix(prefix) => {
                let (text, case) = (prefix.as_str(), case(prefix.ignore_case));
                write!(f, "the path is not `{text}` nor below it{case}")
            }
            PathMatch::Exact { value, ignore_case } => {
                write!(f, "the path is not `{value}`{}", case(*ignore_case))
            }
            PathMatch::Regex(regex) => {
                let regex = regex.as_str();
                write!(f, "the whole path does not match the regex `{regex}`")
            }
        }
    }

    /// Heap bytes.
    pub(crate) fn memory_usage(&self) -> usize {
        match self {
            PathMatch::Exact { value, .. } | PathMatch::Prefix { value, .. } => value.len(),
            PathMatch::SeparatedPrefix(prefix) => prefix.with_slash.len(),
            PathMatch::Regex(_) => 0,
        }
    }
}

/// Whether two texts of one length are the same. Paths of one table mostly differ at their ends.
#[inline]
fn is_same(text: &[u8], other: &[u8]) -> bool {
    let ends = (text.last_chunk::<8>(), other.last_chunk::<8>());
    let may_be = match ends {
        (Some(end), Some(other)) => u64::from_le_bytes(*end) == u64::from_le_bytes(*other),
        _ => true,
    };
    may_be && text == other
}

fn begins(path: &str, prefix: &str, ignore_case: bool) -> bool {
    let (path, prefix) = (path.as_bytes(), prefix.as_bytes());
    match path.get(..prefix.len()) {
        Some(start) if ignore_case => start.eq_ignore_ascii_case(prefix),
        Some(start) => start == prefix,
        None => false,
    }
}

fn is(path: &str, text: &str, ignore_case: bool) -> bool {
    match ignore_case {
        true => path.eq_ignore_ascii_case(text),
        false => path == text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Envoy's `path_separated_prefix`: the prefix itself, or the prefix and a slash (R-G-8.1).
    #[test]
    fn a_separated_prefix_ends_where_a_segment_ends() {
        let foo = PathMatch::separated_prefix("/foo", false);
        for (path, holds, rest) in [
            ("/foo", true, ""),
            ("/foo/", true, "/"),
            ("/foo//", true, "//"),
            ("/foo/bar", true, "/bar"),
            ("/foobar", false, ""),
            ("/Foo", false, ""),
            ("/fo", false, ""),
            ("/", false, ""),
            ("/x/foo", false, ""),
        ] {
            assert_eq!(foo.holds(path), holds, "{path}");
            if holds {
                assert_eq!(foo.rest(path), rest, "{path}");
            }
        }
        assert!(PathMatch::separated_prefix("/foo", true).holds("/FOO/bar"));
        assert!(!PathMatch::separated_prefix("/foo", true).holds("/FOOBAR"));
    }

    #[test]
    fn a_separated_prefix_does_not_count_the_slash_at_its_end() {
        let prefix = |text| PathMatch::separated_prefix(text, false);
        assert_eq!(prefix("/foo/"), prefix("/foo"));
        assert_eq!(prefix("/"), PathMatch::any());
        assert_eq!(prefix(""), PathMatch::any());
    }

    #[test]
    fn a_path_is_compared_to_its_first_byte_whatever_its_length() {
        for length in 1..40 {
            let path = "/".repeat(length);
            let others = (0..length).map(|at| format!("{}x{}", &path[..at], &path[at + 1..]));
            for other in others {
                let of = |value: &str| -> [PathMatch; 2] {
                    let (value, ignore_case): (Box<str>, _) = (value.into(), false);
                    [
                        PathMatch::Exact {
                            value: value.clone(),
                            ignore_case,
                        },
                        PathMatch::Prefix { value, ignore_case },
                    ]
                };
                assert!(of(&path).iter().all(|test| test.holds(&path)));
                assert!(!of(&other).iter().any(|test| test.holds(&path)), "{other}");
            }
        }
    }

    #[test]
    fn r_h_038_only_the_prefix_slash_and_the_regex_of_everything_are_catch_alls() {
        let regex = |text: &str| PathMatch::Regex(Regex::new(text).expect("a regex"));
        let prefix = |text: &str| PathMatch::Prefix {
            value: text.into(),
            ignore_case: false,
        };
        assert!(PathMatch::any().is_catch_all() && regex(".*").is_catch_all());
        for other in [
            prefix(""),
            prefix("/a"),
            regex("/.*"),
            PathMatch::separated_prefix("/a", false),
        ] {
            assert!(!other.is_catch_all(), "{other:?}");
        }
    }

    #[test]
    fn every_path_that_passes_has_a_key_and_a_decisive_key_is_the_test() {
        let regex = |text: &str| PathMatch::Regex(Regex::new(text).expect("a regex"));
        let mut tests = vec![regex("/a.*"), regex(".*a/.*"), regex("(?i)/a")];
        for ignore_case in [false, true] {
            for value in ["/", "/a", "/a/b"] {
                let value: Box<str> = value.into();
                tests.push(PathMatch::separated_prefix(&value, ignore_case));
                tests.push(PathMatch::Exact {
                    value: value.clone(),
                    ignore_case,
                });
                tests.push(PathMatch::Prefix { value, ignore_case });
            }
        }
        let has = |key: &IndexKey<'_>, path: &str| {
            let text = std::str::from_utf8(key.text).expect("UTF-8");
            match key.kind {
                KeyKind::Exact => is(path, text, key.ignore_case),
                KeyKind::Prefix => begins(path, text, key.ignore_case),
                KeyKind::Literal => path.contains(text),
            }
        };
        for test in tests {
            for path in [
                "/", "/a", "/A", "/a/", "/ab", "/a/b", "/A/B", "/a/b/c", "/a/bc",
            ] {
                let passes = test.holds(path);
                let (key, other) = test.keys();
                let found = has(&key, path) || other.is_some_and(|other| has(&other, path));
                assert!(found || !passes, "{test:?} on {path}");
                assert!(!key.is_decisive || found == passes, "{test:?} on {path}");
                if let Some(literal) = test.literal_key() {
                    assert!(has(&literal, path) || !passes, "{test:?} on {path}");
                }
            }
        }
    }
}
