//! Regexes against the recorded answers of the real RE2 and Go (`data/regex/generate.py`), and by rule.
//!
//! `MESHROUTE_RE2_TSV=/path/to/file cargo test --test rules regex` compares with another, larger recording.

use std::path::PathBuf;

use meshroute::terms::regex::{Regex, RegexError, Rewriter, SubstitutionProblem, SyntaxProblem};
use proptest::prelude::*;

/// `%HH` to bytes.
fn unescaped(field: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = field.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || (rest.next().unwrap() as char).to_digit(16).unwrap() as u8;
            bytes.push(digit() << 4 | digit());
        } else {
            bytes.push(byte);
        }
    }
    bytes
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[derive(Default)]
struct Comparison {
    patterns: usize,
    refusals: usize,
    matches: usize,
    rewrites: usize,
    differences: Vec<String>,
    rewriter: Option<Rewriter>,
}

impl Comparison {
    fn expect(&mut self, same: bool, difference: impl FnOnce() -> String) {
        if !same {
            self.differences.push(difference());
        }
    }

    fn line(&mut self, line: &str, current: &mut Option<(String, Regex)>) {
        let fields: Vec<Vec<u8>> = line.split('\t').map(unescaped).collect();
        let pattern = || String::from_utf8(fields[1].clone()).expect("patterns are UTF-8");
        match fields[0][..] {
            [b'E'] => {
                self.refusals += 1;
                let compiled = Regex::new(&pattern());
                self.expect(compiled.is_err(), || format!("accepted: {}", pattern()));
            }
            // Whether a pattern is too large need not agree, but it must be bounded and not panic.
            [b'L'] => drop(Regex::new(&pattern())),
            [b'P'] => {
                self.patterns += 1;
                *current = match Regex::new(&pattern()) {
                    Ok(regex) => Some((pattern(), regex)),
                    Err(error) => {
                        self.expect(false, || format!("refused: {}: {error}", pattern()));
                        None
                    }
                };
            }
            [expected @ (b'+' | b'-')] => {
                self.matches += 1;
                let Some((pattern, regex)) = current else {
                    return;
                };
                let (haystack, expected) = (&fields[1], expected == b'+');
                self.expect(regex.is_full_match(haystack) == expected, || {
                    format!("match {expected}: {pattern:?} on {}", text(haystack))
                });
                let required = regex.required_literal();
                let has_literals = haystack.starts_with(regex.literal_prefix())
                    && (required.is_empty()
                        || haystack
                            .windows(required.len())
                            .any(|window| window == required));
                self.expect(has_literals || !expected, || {
                    format!("literals: {pattern:?} on {}", text(haystack))
                });
            }
            [b'R'] => {
                self.rewrites += 1;
                let Some((pattern, _)) = current else { return };
                let substitution =
                    String::from_utf8(fields[1].clone()).expect("substitutions are UTF-8");
                // Cases with one substitution follow each other.
                if !self.rewriter.as_ref().is_some_and(|last| {
                    (last.pattern(), last.substitution()) == (pattern, &substitution)
                }) {
                    self.rewriter = Rewriter::new(pattern, &substitution).ok();
                }
                match &self.rewriter {
                    Some(rewriter) => {
                        let result = rewriter.replace_all(&fields[2]);
                        self.expect(*result == fields[3], || {
                            let (before, after) = (text(&fields[2]), text(&fields[3]));
                            format!(
                                "{pattern:?} -> {substitution:?}: {before}: {}, not {after}",
                                text(&result)
                            )
                        });
                    }
                    None => self.expect(false, || format!("refused for rewriting: {pattern:?}")),
                }
            }
            _ => panic!("not a case: {line}"),
        }
    }
}

#[test]
fn r_h_087_every_answer_is_that_of_re2() {
    let recording = std::env::var_os("MESHROUTE_RE2_TSV").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/regex/re2.tsv"),
        PathBuf::from,
    );
    let Ok(recording) = std::fs::read_to_string(&recording) else {
        eprintln!("skipped: no {}", recording.display());
        return;
    };
    let mut comparison = Comparison::default();
    let mut current = None;
    for line in recording.lines() {
        comparison.line(line, &mut current);
    }
    let Comparison {
        patterns,
        refusals,
        matches,
        rewrites,
        differences,
        ..
    } = comparison;
    println!("{patterns} patterns, {refusals} refusals, {matches} matches, {rewrites} rewrites");
    assert!(
        differences.is_empty(),
        "{} differences, among them:\n{}",
        differences.len(),
        differences[..differences.len().min(40)].join("\n")
    );
}

fn is_full_match(pattern: &str, text: &str) -> bool {
    Regex::new(pattern)
        .unwrap_or_else(|error| panic!("{pattern}: {error}"))
        .is_full_match(text.as_bytes())
}

fn problem(pattern: &str) -> (SyntaxProblem, usize) {
    match Regex::new(pattern) {
        Err(RegexError::Syntax {
            problem, offset, ..
        }) => (problem, offset),
        other => panic!("{pattern}: {other:?}"),
    }
}

#[test]
fn r_h_086_the_whole_text_must_match() {
    assert!(is_full_match("/foo", "/foo"));
    assert!(!is_full_match("/foo", "/foo/bar"));
    assert!(!is_full_match(r"\d+$", "a123"));
    assert!(!is_full_match("/foo", "/FOO"));
    assert!(is_full_match("(?i)/foo", "/FOO"));
}

#[test]
fn r_h_086_alternatives_are_anchored_as_a_whole_and_all_of_them_are_tried() {
    assert!(!is_full_match("^a|b$", "ax"));
    assert!(!is_full_match("^a|b$", "xb"));
    assert!(is_full_match("(a)|(b)", "b"));
    assert!(!is_full_match("(a)|(b)", "ab"));
    assert!(is_full_match("/a|/a/b", "/a/b"));
    assert!(is_full_match("/a??", "/a"));
}

#[test]
fn r_h_086_a_dot_is_no_newline_and_no_malformed_byte() {
    assert!(!is_full_match(".*", "a\nb"));
    assert!(is_full_match("(?s).*", "a\nb"));
    assert!(is_full_match(".", "\u{e9}"));
    assert!(!Regex::new("(?s).*").unwrap().is_full_match(b"a\xffb"));
    // What RE2 admits beyond UTF-8: overlong forms and surrogates where everything above ASCII is admitted.
    assert!(Regex::new(".").unwrap().is_full_match(b"\xed\xa0\x80"));
    assert!(
        !Regex::new("[\u{80}-\u{ffff}]")
            .unwrap()
            .is_full_match(b"\xe0\x80\x80")
    );
}

#[test]
fn r_h_087_perl_classes_and_word_boundaries_are_ascii() {
    assert!(!is_full_match(r"\d", "\u{663}"));
    assert!(!is_full_match(r"\w", "\u{e9}"));
    assert!(!is_full_match(r"\s", "\u{b}"));
    assert!(is_full_match("[[:space:]]", "\u{b}"));
    assert!(!is_full_match(r"\s", "\u{a0}"));
    assert!(is_full_match(r"a\b\x{e9}", "a\u{e9}"));
}

#[test]
fn r_h_087_what_the_rust_dialect_would_read_otherwise() {
    assert!(is_full_match("a{,2}", "a{,2}"));
    assert!(is_full_match("{a}", "{a}"));
    assert!(is_full_match(r"\Qa.*\E+", "a.**"));
    assert!(is_full_match(r"\012\07\0", "\n\u{7}\0"));
    assert!(is_full_match("[a&&b]", "&"));
    assert!(is_full_match("[[a]", "["));
    assert!(is_full_match("a(?i)*", "aaa"));
    assert!(is_full_match("(?s)$", ""));
    assert!(!is_full_match("a$", "a\n"));
}

#[test]
fn r_h_087_r_h_090_refusals_say_what_and_where() {
    assert_eq!(problem("*"), (SyntaxProblem::MissingRepetitionArgument, 0));
    assert_eq!(problem("/a(b"), (SyntaxProblem::MissingParenthesis, 2));
    assert_eq!(problem("/ab)"), (SyntaxProblem::UnexpectedParenthesis, 3));
    assert_eq!(problem("/[ab"), (SyntaxProblem::MissingBracket, 1));
    assert_eq!(problem("[z-a]"), (SyntaxProblem::InvalidClass, 1));
    assert_eq!(problem(r"\p{greek}"), (SyntaxProblem::InvalidClass, 0));
    assert_eq!(problem("ab**"), (SyntaxProblem::NestedRepetition, 2));
    assert_eq!(problem("a{1001}"), (SyntaxProblem::RepetitionSize, 1));
    assert_eq!(problem("(a{100}){11}"), (SyntaxProblem::RepetitionSize, 8));
    assert_eq!(problem("a\\"), (SyntaxProblem::TrailingBackslash, 1));
    for pattern in [
        "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)", "(?x)a", "(?i-)",
    ] {
        assert_eq!(
            problem(pattern),
            (SyntaxProblem::UnsupportedGroup, 0),
            "{pattern}"
        );
    }
    for pattern in [r"\1", r"\Z", r"\C", r"\h", r"\u0041"] {
        assert_eq!(
            problem(pattern),
            (SyntaxProblem::InvalidEscape, 0),
            "{pattern}"
        );
    }
    assert_eq!(problem("(?P<\u{e9}>a)").0, SyntaxProblem::InvalidName);
    let pattern = "/a(?=b)".to_owned();
    let error = Regex::new(&pattern).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid or unsupported Perl syntax: `(?=` at byte 2"
    );
    assert!(error.help().contains("look-around"));
}

#[test]
fn r_h_087_patterns_are_bounded() {
    assert!(Regex::new(&"a".repeat(1024)).is_ok());
    assert_eq!(
        Regex::new(&"a".repeat(1025)),
        Err(RegexError::TooLong {
            length: 1025,
            limit: 1024
        })
    );
    assert!(matches!(
        Regex::new(r"\pL{1000}"),
        Err(RegexError::TooLarge { .. })
    ));
    assert!(Regex::new(&"(".repeat(1024)).is_err());
    assert!(Regex::new(&format!("{}{}", "(".repeat(512), ")".repeat(512))).is_ok());
    // Its complete automaton would have a million states.
    let exponential = Regex::new("(?:a|b)*a(?:a|b){20}").unwrap();
    assert!(!exponential.is_allocation_free());
    assert!(exponential.is_full_match(format!("b{}", "a".repeat(21)).as_bytes()));
    assert!(!exponential.is_full_match(format!("b{}", "a".repeat(20)).as_bytes()));
}

#[test]
fn literals_are_what_a_match_cannot_do_without() {
    let literals = |pattern: &str| {
        let regex = Regex::new(pattern).unwrap();
        (text(regex.literal_prefix()), text(regex.required_literal()))
    };
    assert_eq!(
        literals("/api/v[0-9]+/users/.*"),
        ("/api/v".into(), "/users/".into())
    );
    assert_eq!(literals("^/(foo|bar)/.*$"), ("/".into(), "/".into()));
    assert_eq!(literals(r".*\.png"), (String::new(), ".png".into()));
    assert_eq!(literals("(?i)/api"), ("/".into(), "/".into()));
    assert_eq!(literals("(/a)*"), (String::new(), String::new()));
    assert_eq!(literals("(/a)+b"), ("/a".into(), "/a".into()));
    assert_eq!(literals("/a|/b"), ("/".into(), "/".into()));
}

#[test]
fn only_patterns_like_dot_star_match_every_line() {
    let matches_all = |pattern| Regex::new(pattern).unwrap().matches_every_ascii_line();
    assert!(
        [".*", "(.*)", "(?s).*", ".*?", ".*.*"]
            .into_iter()
            .all(matches_all)
    );
    assert!(
        ![".+", "/.*", "[^/]*", ".*x?", ""]
            .into_iter()
            .any(matches_all)
    );
}

#[test]
fn r_h_130_every_match_is_replaced_with_its_groups() {
    let replaced = |pattern, substitution, path: &str| {
        let rewriter = Rewriter::new(pattern, substitution).unwrap();
        String::from_utf8(rewriter.replace_all(path.as_bytes()).into_owned()).unwrap()
    };
    assert_eq!(
        replaced(
            "^/service/([^/]+)(/.*)$",
            r"\2/instance/\1",
            "/service/foo/v1/api"
        ),
        "/v1/api/instance/foo"
    );
    assert_eq!(
        replaced("one", "two", "/xxx/one/yyy/one/zzz"),
        "/xxx/two/yyy/two/zzz"
    );
    assert_eq!(
        replaced("^(.*?)one(.*)$", r"\1two\2", "/xxx/one/yyy/one/zzz"),
        "/xxx/two/yyy/one/zzz"
    );
    assert_eq!(
        replaced("(?i)/xxx/", "/yyy/", "/aaa/XxX/bbb"),
        "/aaa/yyy/bbb"
    );
    assert_eq!(replaced("b*", "-", "abc"), "-a-c-");
    assert_eq!(replaced("", "-", "\u{e9}"), "-\u{e9}-");
    assert_eq!(replaced("a|ab", r"<\0>\\", "ab"), r"<a>\b");
}

#[test]
fn r_h_130_a_substitution_that_envoy_cannot_apply_is_reported() {
    let missing = Rewriter::new("(a)", r"x\2").unwrap();
    assert_eq!(
        missing.problem(),
        Some(SubstitutionProblem::MissingGroup {
            group: 2,
            groups: 1
        })
    );
    assert_eq!(*missing.replace_all(b"aaa"), *b"aaa");
    let escape = Rewriter::new("a", r"x\y").unwrap();
    assert_eq!(
        escape.problem(),
        Some(SubstitutionProblem::InvalidEscape { offset: 1 })
    );
    assert_eq!(*escape.replace_all(b"ab"), *b"xb");
    assert_eq!(Rewriter::new("(a)", r"\1\0\\").unwrap().problem(), None);
    assert!(Rewriter::new("(", "x").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_pattern_and_no_text_is_a_panic(
        pattern in prop_oneof![r"[\x00-\x7fé]{0,12}", r"[()\[\]{}|*+?.^$\\a0-9,:PQEpi<>-]{0,24}"],
        text in prop::collection::vec(any::<u8>(), 0..24),
        substitution in r"[\\0-9a]{0,6}",
    ) {
        if let Ok(regex) = Regex::new(&pattern) {
            let required = regex.required_literal();
            if regex.is_full_match(&text) {
                prop_assert!(text.starts_with(regex.literal_prefix()));
                prop_assert!(required.is_empty() || text.windows(required.len()).any(|window| window == required));
            }
        }
        if let Ok(rewriter) = Rewriter::new(&pattern, &substitution) {
            drop(rewriter.replace_all(&text).into_owned());
        }
    }
}
