//! Literal text that a regex cannot match without: what an index may prune by, and what a fast path may compare with.
//!
//! Everything here is a necessary condition, never a guess: a text that does not start with the prefix, or
//! does not contain the required literal, cannot match.

use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use regex_syntax::hir::{Hir, HirKind};

/// All texts that the expression matches, sorted, if they are few.
pub(super) fn all_texts(hir: &Hir) -> Option<Box<[Box<[u8]>]>> {
    // The extractor reads assertions as the empty text.
    if !hir.properties().look_set().is_empty() {
        return None;
    }
    let texts = prefixes(hir);
    if !texts.is_exact() {
        return None;
    }
    let mut texts: Box<[Box<[u8]>]> = texts
        .literals()?
        .iter()
        .map(|text| text.as_bytes().into())
        .collect();
    texts.sort_unstable();
    Some(texts)
}

/// The longest text that every match starts with.
pub(super) fn common_prefix(hir: &Hir) -> Box<[u8]> {
    prefixes(hir)
        .longest_common_prefix()
        .unwrap_or_default()
        .into()
}

fn prefixes(hir: &Hir) -> Seq {
    Extractor::new().kind(ExtractKind::Prefix).extract(hir)
}

/// The longest literal that every match contains, as far as it can be seen without expanding anything.
pub(super) fn required(hir: &Hir) -> &[u8] {
    match hir.kind() {
        HirKind::Literal(literal) => &literal.0,
        HirKind::Concat(parts) => parts
            .iter()
            .map(required)
            .max_by_key(|literal| literal.len())
            .unwrap_or_default(),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Repetition(_)
        | HirKind::Alternation(_)
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Empty => &[],
    }
}
