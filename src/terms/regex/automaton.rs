//! The complete automaton of a regex, for who asks about all texts at once instead of about one.

use regex_automata::dfa::{Automaton as _, dense};
use regex_automata::util::primitives::StateID;

use super::Regex;
use super::matcher::{compile, determinized, without_outer_anchors};
use super::parse::{Captures, parse};

/// A deterministic automaton that accepts the texts that a [`Regex`] matches as a whole.
#[derive(Clone, Debug)]
pub(crate) struct RegexAutomaton {
    automaton: dense::DFA<Vec<u32>>,
    start: StateID,
}

impl RegexAutomaton {
    /// Where it stands before the first byte.
    pub(crate) fn start(&self) -> u32 {
        self.start.as_u32()
    }

    /// Where it stands after one more byte; `None`: no text that goes on from here matches.
    pub(crate) fn next(&self, state: u32, byte: u8) -> Option<u32> {
        let next = self.automaton.next_state(Self::id(state), byte);
        (!self.automaton.is_dead_state(next)).then_some(next.as_u32())
    }

    /// Whether the text that led here matches.
    pub(crate) fn accepts(&self, state: u32) -> bool {
        let end = self.automaton.next_eoi_state(Self::id(state));
        self.automaton.is_match_state(end)
    }

    /// Heap bytes.
    pub(crate) fn memory_usage(&self) -> usize {
        self.automaton.memory_usage()
    }

    fn id(state: u32) -> StateID {
        // It comes from `as_u32`.
        StateID::new(state as usize).unwrap_or(StateID::ZERO)
    }
}

impl Regex {
    /// The automaton of this regex; `None`: it would take more than `limit` bytes, or as many to be made.
    ///
    /// # Complexity
    /// Exponential in the pattern at worst: that is what the limit is for.
    pub(crate) fn automaton(&self, limit: usize) -> Option<RegexAutomaton> {
        let hir = parse(self.as_str(), Captures::Drop).ok()?.hir;
        let program = compile(&without_outer_anchors(&hir)).ok()?;
        // So that states from which nothing is accepted are one, and known as dead.
        let is_minimized = program.memory_usage() < MINIMIZED;
        let (automaton, start) = determinized(&program, limit, is_minimized)?;
        Some(RegexAutomaton { automaton, start })
    }
}

/// Programs of fewer bytes have their automaton minimized: that takes long for large ones, and changes no answer.
const MINIMIZED: usize = 2 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_h_086_the_automaton_accepts_what_the_regex_matches() {
        let texts = [
            "",
            "/",
            "/a",
            "/A",
            "/a/b",
            "/ab",
            "/v1/users",
            "/v12/",
            "x",
            "/a\n",
            "a b",
            "\u{e9}",
        ];
        for pattern in [
            "",
            ".*",
            "/a|/a/b",
            "(?i)/a",
            r"/v\d+/.*",
            "^/a$",
            r"/\w+",
            r"/a\b.*",
            "[^/]+",
            "(/a)?b?",
        ] {
            let regex = Regex::new(pattern).expect("a regex");
            let automaton = regex.automaton(1 << 20).expect("small");
            for text in texts {
                let mut bytes = text.bytes();
                let end =
                    bytes.try_fold(automaton.start(), |state, byte| automaton.next(state, byte));
                let accepts = end.is_some_and(|state| automaton.accepts(state));
                assert_eq!(
                    accepts,
                    regex.is_full_match(text.as_bytes()),
                    "{pattern} on {text:?}"
                );
            }
        }
        let large = Regex::new("(a|b)*a(a|b){20}").expect("a regex");
        assert!(large.automaton(1 << 20).is_none());
    }
}
