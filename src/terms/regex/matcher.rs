//! The machines that decide a full match, and the choice between them.
//!
//! From the cheapest to the most general: a short list of texts, literals with wildcards between them, a complete
//! automaton (one table lookup per byte), and, where that table would be too large, the lazy machinery of
//! `regex-automata`. The first three neither allocate nor remember anything. The last keeps a pool of caches: it
//! allocates when a thread first meets a pattern and when a cache grows, and gives the same answers.

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, Input, MatchKind, meta, util::start};
use regex_syntax::hir::{Hir, HirKind, Look};

use super::budget::{self, PROGRAM_LIMIT, RegexBudget};
use super::error::RegexError;
use super::literals;
use super::wildcard::Wildcard;

/// The most bytes of a complete automaton, and of the memory to build it.
const TABLE_LIMIT: usize = 256 << 10;

/// Decides full matches of one pattern.
#[derive(Debug)]
pub(super) struct Matcher {
    shortcut: Option<Shortcut>,
    machine: Machine,
}

#[derive(Debug)]
enum Shortcut {
    Texts(Box<[Box<[u8]>]>),
    Wildcard(Wildcard),
}

#[derive(Debug)]
enum Machine {
    /// A shortcut answers for every text.
    Unneeded,
    Table(Box<Table>),
    Lazy(Box<meta::Regex>),
}

impl Matcher {
    /// Builds the machine for an expression without captures.
    pub(super) fn new(hir: &Hir, budget: &mut RegexBudget) -> Result<Self, RegexError> {
        let hir = &without_outer_anchors(hir);
        if let Some(texts) = literals::all_texts(hir) {
            return Ok(Self {
                shortcut: Some(Shortcut::Texts(texts)),
                machine: Machine::Unneeded,
            });
        }
        budget::check_size(hir)?;
        budget.take(0)?;
        let program = compile(hir)?;
        budget.take(program.memory_usage())?;
        let table = match budget.is_scarce() {
            true => None,
            false => Table::new(&program),
        };
        let machine = match table {
            Some(table) => {
                budget.take(table.automaton.memory_usage())?;
                Machine::Table(Box::new(table))
            }
            None => {
                let lazy = lazy_full_match(hir)?;
                budget
                    .take(2 * TABLE_LIMIT.min(program.memory_usage() * 8) + lazy.memory_usage())?;
                Machine::Lazy(Box::new(lazy))
            }
        };
        Ok(Self {
            shortcut: Wildcard::new(hir).map(Shortcut::Wildcard),
            machine,
        })
    }

    #[inline]
    pub(super) fn is_full_match(&self, text: &[u8]) -> bool {
        let quick = match &self.shortcut {
            Some(Shortcut::Texts(texts)) => Some(is_one_of(texts, text)),
            Some(Shortcut::Wildcard(wildcard)) => wildcard.is_match(text),
            None => None,
        };
        quick.unwrap_or_else(|| self.machine.is_full_match(text))
    }

    /// Whether a match never allocates.
    pub(super) fn is_allocation_free(&self) -> bool {
        !matches!(self.machine, Machine::Lazy(_))
    }

    /// Whether it surely matches every text of ASCII without a newline.
    pub(super) fn matches_every_ascii_line(&self) -> bool {
        matches!(&self.shortcut, Some(Shortcut::Wildcard(wildcard)) if wildcard.matches_every_plain_text())
    }
}

impl Machine {
    fn is_full_match(&self, text: &[u8]) -> bool {
        match self {
            Machine::Unneeded => false,
            Machine::Table(table) => table.is_full_match(text),
            Machine::Lazy(regex) => regex.is_match(Input::new(text).anchored(Anchored::Yes)),
        }
    }
}

/// The complete automaton of a program, and where it stands at the start of the text; `None`: it would take more than `limit` bytes,
/// or as many to be made.
pub(super) fn determinized(
    program: &NFA,
    limit: usize,
    is_minimized: bool,
) -> Option<(dense::DFA<Vec<u32>>, StateID)> {
    let automaton = dense::Builder::new()
        .configure(
            dense::Config::new()
                .start_kind(StartKind::Anchored)
                // All ways to match, not the preferred one: a full match asks whether any of them ends at the end.
                .match_kind(MatchKind::All)
                .accelerate(false)
                .minimize(is_minimized)
                .dfa_size_limit(Some(limit))
                .determinize_size_limit(Some(limit)),
        )
        .build_from_nfa(program)
        .ok()?;
    let start = automaton
        .start_state(&start::Config::new().anchored(Anchored::Yes))
        .ok()?;
    Some((automaton, start))
}

/// A complete automaton, entered at the start of the text.
#[derive(Debug)]
struct Table {
    automaton: dense::DFA<Vec<u32>>,
    start: StateID,
}

impl Table {
    /// Builds the automaton, unless it is too large.
    fn new(program: &NFA) -> Option<Self> {
        let (automaton, start) = determinized(program, TABLE_LIMIT, false)?;
        Some(Self { automaton, start })
    }

    fn is_full_match(&self, text: &[u8]) -> bool {
        let mut state = self.start;
        for &byte in text {
            state = self.automaton.next_state(state, byte);
            if self.automaton.is_dead_state(state) {
                return false;
            }
        }
        self.automaton
            .is_match_state(self.automaton.next_eoi_state(state))
    }
}

/// The expression without the `^` and `$` around it, which a full match implies.
pub(super) fn without_outer_anchors(hir: &Hir) -> Hir {
    let parts = match hir.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        _ => std::slice::from_ref(hir),
    };
    let is_start = |part: &Hir| matches!(part.kind(), HirKind::Look(Look::Start | Look::StartLF));
    let is_end = |part: &Hir| matches!(part.kind(), HirKind::Look(Look::End | Look::EndLF));
    let first = parts
        .iter()
        .position(|part| !is_start(part))
        .unwrap_or(parts.len());
    let rest = &parts[first..];
    let end = rest
        .iter()
        .rposition(|part| !is_end(part))
        .map_or(0, |last| last + 1);
    Hir::concat(rest[..end].to_vec())
}

/// Whether the text is in the sorted list.
fn is_one_of(texts: &[Box<[u8]>], text: &[u8]) -> bool {
    // In a short list the lengths alone exclude most.
    if texts.len() <= 8 {
        return texts.iter().any(|other| **other == *text);
    }
    texts.binary_search_by(|other| (**other).cmp(text)).is_ok()
}

/// Compiles an expression for the complete automaton, within the size that any pattern may have.
pub(super) fn compile(hir: &Hir) -> Result<NFA, RegexError> {
    thompson::Compiler::new()
        .configure(
            thompson::Config::new()
                .utf8(false)
                .which_captures(WhichCaptures::None)
                .nfa_size_limit(Some(PROGRAM_LIMIT)),
        )
        .build_from_hir(hir)
        .map_err(|_| RegexError::TooLarge {
            limit: PROGRAM_LIMIT,
        })
}

/// Builds the general machine for full matches from the start.
fn lazy_full_match(hir: &Hir) -> Result<meta::Regex, RegexError> {
    lazy(&Hir::concat(vec![hir.clone(), Hir::look(Look::End)]))
}

/// Builds the general machine, which can also search and capture.
pub(super) fn lazy(hir: &Hir) -> Result<meta::Regex, RegexError> {
    meta::Builder::new()
        .configure(
            meta::Config::new()
                .match_kind(MatchKind::LeftmostFirst)
                // RE2 sees bytes: an empty match may lie within a character.
                .utf8_empty(false)
                .nfa_size_limit(Some(PROGRAM_LIMIT)),
        )
        .build_from_hir(hir)
        .map_err(|_| RegexError::TooLarge {
            limit: PROGRAM_LIMIT,
        })
}

#[cfg(test)]
mod tests {
    use super::super::parse::{Captures, parse};
    use super::*;
    use std::path::Path;

    /// `%HH` to bytes.
    fn unescaped(field: &str) -> Vec<u8> {
        let mut parts = field.split('%');
        let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
        for part in parts {
            bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
            bytes.extend_from_slice(&part.as_bytes()[2..]);
        }
        bytes
    }

    #[test]
    fn r_h_087_every_machine_gives_the_answers_of_re2() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        if !data.exists() {
            eprintln!("not run: the published crate has no recordings");
            return;
        }
        let recording = std::fs::read_to_string(data.join("regex/re2.tsv")).unwrap();
        let (mut matcher, mut others) = (None, Vec::new());
        let mut shortcuts = [0; 2];
        for line in recording.lines() {
            let (kind, rest) = line.split_once('\t').unwrap();
            let text = unescaped(rest.split('\t').next().unwrap());
            match kind {
                "P" => {
                    let pattern = String::from_utf8(text).unwrap();
                    let hir = parse(&pattern, Captures::Drop).unwrap().hir;
                    others = vec![Machine::Lazy(Box::new(lazy_full_match(&hir).unwrap()))];
                    others.extend(
                        Table::new(&compile(&hir).unwrap())
                            .map(|table| Machine::Table(Box::new(table))),
                    );
                    matcher = Some(Matcher::new(&hir, &mut RegexBudget::unlimited()).unwrap());
                }
                "+" | "-" => {
                    let matcher = matcher.as_ref().unwrap();
                    assert_eq!(
                        matcher.is_full_match(&text),
                        kind == "+",
                        "{line} {matcher:?}"
                    );
                    for machine in &others {
                        assert_eq!(
                            machine.is_full_match(&text),
                            kind == "+",
                            "{line} {machine:?}"
                        );
                    }
                    match &matcher.shortcut {
                        Some(Shortcut::Texts(_)) => shortcuts[0] += 1,
                        Some(Shortcut::Wildcard(wildcard)) => {
                            shortcuts[1] += usize::from(wildcard.is_match(&text).is_some())
                        }
                        None => {}
                    }
                }
                _ => {}
            }
        }
        assert!(
            shortcuts.iter().all(|&texts| texts > 100),
            "shortcuts are hardly used: {shortcuts:?}"
        );
    }
}
