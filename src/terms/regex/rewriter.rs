//! `uriRegexRewrite`: RE2's `GlobalReplace` over a path (R-H-130).
//!
//! Matches are sought anywhere, from left to right, without overlaps; each becomes the substitution, in
//! which `\0` is the whole match, `\1` to `\9` are its groups (empty if they took no part) and `\\` is a backslash.
//! Envoy does not check the substitution. So a group that the pattern does not have turns the whole rewrite off,
//! and any other escape ends the substitution right there; [`Rewriter::problem`] tells.

use std::borrow::Cow;
use std::sync::Arc;

use regex_automata::util::captures::Captures as Slots;
use regex_automata::{Input, Span, meta};

use super::RegexBudget;
use super::error::RegexError;
use super::matcher;
use super::parse::{Captures, parse};

/// A pattern and what its matches become. Cheap to clone; equal if written the same.
#[derive(Clone)]
pub struct Rewriter {
    inner: Arc<Inner>,
}

short_debug! { Rewriter {inner} }

#[derive(Debug)]
struct Inner {
    pattern: Box<str>,
    substitution: Box<str>,
    regex: meta::Regex,
    pieces: Box<[Piece]>,
    problem: Option<SubstitutionProblem>,
}

/// A part of a substitution.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<[u8]>),
    Group(usize),
}

/// Why a substitution does not do what it says. Envoy accepts it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SubstitutionProblem {
    /// The rewrite never changes anything.
    #[error(
        "the substitution uses group \\{group}, but the regex has only {groups}: the path is never rewritten"
    )]
    MissingGroup {
        /// The group that is used, 1 to 9.
        group: usize,
        /// The number of groups in the pattern.
        groups: usize,
    },
    /// The substitution ends before the backslash.
    #[error(
        "the backslash at byte {offset} of the substitution is followed by neither a digit nor a backslash: \
         the rest of the substitution is dropped"
    )]
    InvalidEscape {
        /// Where the backslash is, in bytes from the start of the substitution.
        offset: usize,
    },
}

impl Rewriter {
    /// Compiles the pattern and reads the substitution.
    ///
    /// # Errors
    ///
    /// As [`Regex::new`](super::Regex::new). No substitution is an error, see [`Rewriter::problem`].
    pub fn new(pattern: &str, substitution: &str) -> Result<Self, RegexError> {
        Self::within(pattern, substitution, &mut RegexBudget::unlimited())
    }

    /// The same as [`Rewriter::new`] for one of many: its machine is taken from their budget.
    ///
    /// # Errors
    ///
    /// As [`Regex::within`](super::Regex::within).
    pub fn within(
        pattern: &str,
        substitution: &str,
        budget: &mut RegexBudget,
    ) -> Result<Self, RegexError> {
        super::check_length(pattern)?;
        let parsed = parse(pattern, Captures::Keep)?;
        super::budget::check_size(&parsed.hir)?;
        budget.take(0)?;
        let regex = matcher::lazy(&parsed.hir)?;
        budget.take(regex.memory_usage())?;
        let (pieces, bad_escape) = read_substitution(substitution);
        let greatest = greatest_group(substitution);
        let problem = if greatest > parsed.groups {
            Some(SubstitutionProblem::MissingGroup {
                group: greatest,
                groups: parsed.groups,
            })
        } else {
            bad_escape.map(|offset| SubstitutionProblem::InvalidEscape { offset })
        };
        Ok(Self {
            inner: Arc::new(Inner {
                pattern: pattern.into(),
                substitution: substitution.into(),
                regex,
                pieces: pieces.into(),
                problem,
            }),
        })
    }

    /// The pattern as written.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.inner.pattern
    }

    /// The substitution as written.
    #[must_use]
    pub fn substitution(&self) -> &str {
        &self.inner.substitution
    }

    /// What is wrong with the substitution, if anything.
    #[must_use]
    pub fn problem(&self) -> Option<SubstitutionProblem> {
        self.inner.problem
    }

    /// Replaces every match in the path (without its query); a path without a match is returned as it is.
    ///
    /// ```
    /// # use meshroute::terms::regex::Rewriter;
    /// let rewriter = Rewriter::new("^/service/([^/]+)(/.*)$", r"\2/instance/\1")?;
    /// assert_eq!(*rewriter.replace_all(b"/service/foo/v1/api"), *b"/v1/api/instance/foo");
    /// # Ok::<(), meshroute::terms::regex::RegexError>(())
    /// ```
    #[must_use]
    pub fn replace_all<'t>(&self, path: &'t [u8]) -> Cow<'t, [u8]> {
        if let Some(SubstitutionProblem::MissingGroup { .. }) = self.inner.problem {
            return Cow::Borrowed(path);
        }
        let mut slots = self.inner.regex.create_captures();
        let mut rewritten = Vec::new();
        let mut has_match = false;
        let mut place = 0;
        let mut last_end = None;
        while place <= path.len() {
            self.inner
                .regex
                .search_captures(&Input::new(path).span(place..path.len()), &mut slots);
            let Some(found) = slots.get_group(0) else {
                break;
            };
            rewritten.extend_from_slice(&path[place..found.start]);
            if found.is_empty() && last_end == Some(found.start) {
                // No empty match right after a match: go one character on.
                let next = place + character_length(&path[place..]);
                rewritten.extend_from_slice(&path[place..next.min(path.len())]);
                place = next;
                continue;
            }
            self.inner.substitute(path, &slots, &mut rewritten);
            has_match = true;
            place = found.end;
            last_end = Some(place);
        }
        if !has_match {
            return Cow::Borrowed(path);
        }
        rewritten.extend_from_slice(path.get(place..).unwrap_or_default());
        Cow::Owned(rewritten)
    }
}

impl PartialEq for Rewriter {
    fn eq(&self, other: &Self) -> bool {
        (self.pattern(), self.substitution()) == (other.pattern(), other.substitution())
    }
}

impl Eq for Rewriter {}

impl Inner {
    fn substitute(&self, path: &[u8], slots: &Slots, rewritten: &mut Vec<u8>) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => rewritten.extend_from_slice(text),
                Piece::Group(group) => {
                    let Span { start, end } =
                        slots.get_group(*group).unwrap_or(Span { start: 0, end: 0 });
                    rewritten.extend_from_slice(&path[start..end]);
                }
            }
        }
    }
}

/// The pieces of a substitution up to its first invalid escape, and where that is.
fn read_substitution(substitution: &str) -> (Vec<Piece>, Option<usize>) {
    let mut pieces = Vec::new();
    let mut text = Vec::new();
    let mut bytes = substitution.bytes().enumerate();
    let mut bad_escape = None;
    while let Some((offset, byte)) = bytes.next() {
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        match bytes.next() {
            Some((_, b'\\')) => text.push(b'\\'),
            Some((_, digit @ b'0'..=b'9')) => {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text).into()));
                }
                pieces.push(Piece::Group(usize::from(digit - b'0')));
            }
            _ => {
                bad_escape = Some(offset);
                break;
            }
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text.into()));
    }
    (pieces, bad_escape)
}

/// The greatest group that a substitution names, even after an invalid escape.
fn greatest_group(substitution: &str) -> usize {
    let mut bytes = substitution.bytes();
    let mut greatest = 0;
    while let Some(byte) = bytes.next() {
        if byte == b'\\'
            && let Some(digit @ b'0'..=b'9') = bytes.next()
        {
            greatest = greatest.max(usize::from(digit - b'0'));
        }
    }
    greatest
}

/// The length of the first character as RE2 decodes it (which admits surrogates), or 1 if it is malformed.
fn character_length(text: &[u8]) -> usize {
    if let [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..] = text {
        return 3;
    }
    let head = &text[..text.len().min(4)];
    let valid = head.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    valid.chars().next().map_or(1, char::len_utf8)
}
