//! The fast path for what most people write: literals with `.*` or `.+` between them.
//!
//! `/api/.*`, `.*\.png`, `/v1/.+/users/.*`: on text of ASCII without a newline every `.` matches every byte, so the
//! match is a few substring searches. Any other text is left to the automaton.

use memchr::memmem::Finder;
use regex_syntax::hir::{Hir, HirKind};

use super::class::CodePoints;

/// Literals and the gaps between them.
#[derive(Clone, Debug)]
pub(super) struct Wildcard {
    prefix: Box<[u8]>,
    /// A gap, then the literal after it. Empty if the only gap is the last one.
    middle: Box<[(Gap, Finder<'static>)]>,
    last_gap: Gap,
    suffix: Box<[u8]>,
}

/// At least so many bytes of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gap {
    at_least: usize,
}

impl Wildcard {
    /// Reads the shape off the expression, if it has it.
    pub(super) fn new(hir: &Hir) -> Option<Self> {
        let parts = match hir.kind() {
            HirKind::Concat(parts) => parts.as_slice(),
            _ => std::slice::from_ref(hir),
        };
        let (line, text) = (
            CodePoints::dot(false).to_hir(),
            CodePoints::dot(true).to_hir(),
        );
        let mut prefix: &[u8] = &[];
        let mut gaps: Vec<(Gap, &[u8])> = Vec::new();
        for part in parts {
            match part.kind() {
                HirKind::Literal(literal) => match gaps.last_mut() {
                    Some((_, after)) => *after = &literal.0,
                    None => prefix = &literal.0,
                },
                HirKind::Repetition(gap)
                    if gap.max.is_none() && (*gap.sub == line || *gap.sub == text) =>
                {
                    let at_least = gap.min as usize;
                    match gaps.last_mut() {
                        Some((gap, [])) => gap.at_least += at_least,
                        _ => gaps.push((Gap { at_least }, &[])),
                    }
                }
                _ => return None,
            }
        }
        let (last_gap, suffix) = gaps.pop()?;
        let middle = gaps
            .into_iter()
            .map(|(gap, after)| (gap, Finder::new(after).into_owned()))
            .collect();
        Some(Self {
            prefix: prefix.into(),
            middle,
            last_gap,
            suffix: suffix.into(),
        })
    }

    /// Whether the text matches; `None` if this path cannot tell.
    pub(super) fn is_match(&self, text: &[u8]) -> Option<bool> {
        let is_plain = text.iter().fold(true, |plain, &byte| {
            plain & byte.is_ascii() & (byte != b'\n')
        });
        if !is_plain {
            return None;
        }
        Some(self.is_plain_match(text))
    }

    /// Whether every text of ASCII without a newline matches.
    pub(super) fn matches_every_plain_text(&self) -> bool {
        self.prefix.is_empty()
            && self.middle.is_empty()
            && self.last_gap.at_least == 0
            && self.suffix.is_empty()
    }

    /// Whether the text matches, given that it is ASCII without a newline.
    fn is_plain_match(&self, text: &[u8]) -> bool {
        let room = text
            .len()
            .checked_sub(self.prefix.len() + self.suffix.len());
        if room.is_none() || !starts_with(text, &self.prefix) || !ends_with(text, &self.suffix) {
            return false;
        }
        let mut rest = &text[self.prefix.len()..text.len() - self.suffix.len()];
        // The first place where a literal can be leaves the most room for those after it.
        for (gap, literal) in &self.middle {
            let Some(after) = rest.get(gap.at_least..) else {
                return false;
            };
            let Some(place) = literal.find(after) else {
                return false;
            };
            rest = &after[place + literal.needle().len()..];
        }
        rest.len() >= self.last_gap.at_least
    }
}

// An empty literal has no memory of its own: its address is a made-up one, and comparing no bytes at such an
// address costs some processors (those with masked vector loads) more than the whole match does.

fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    prefix.is_empty() || text.starts_with(prefix)
}

fn ends_with(text: &[u8], suffix: &[u8]) -> bool {
    suffix.is_empty() || text.ends_with(suffix)
}
