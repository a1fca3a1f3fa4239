//! RE2's syntax, read into the expression tree of `regex-syntax`.
//!
//! The tree is built directly instead of by rewriting the pattern into the dialect of the Rust `regex` crate: the two
//! dialects differ in too many small places (ASCII classes, class set operations, octal, bare braces, `\Q..\E`, flags
//! between an operand and its operator). What is accepted is what both Go's `regexp.Compile`
//! (Istio's validation, R-H-087) and RE2 (Envoy) accept.

use regex_syntax::hir::{Capture, Hir, Look, Repetition};

use super::class::CodePoints;
use super::cursor::{Count, Cursor, MOST_REPETITIONS};
use super::error::{RegexError, SyntaxProblem};
use super::item::Item;

/// A pattern that has been read.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) hir: Hir,
    /// The number of capturing groups, the whole match not counted.
    pub(super) groups: usize,
}

/// Whether capturing groups capture in the tree, or only group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Captures {
    Keep,
    Drop,
}

/// Reads a pattern.
pub(super) fn parse(pattern: &str, captures: Captures) -> Result<Parsed, RegexError> {
    Parser {
        cursor: Cursor::new(pattern),
        captures,
        groups: 0,
        flags: Flags::default(),
        open: Vec::new(),
        alternatives: Vec::new(),
        sequence: Vec::new(),
    }
    .run()
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    /// `i`
    pub(super) fold_case: bool,
    /// `m`
    multi_line: bool,
    /// `s`
    dot_newline: bool,
    /// `U`
    ungreedy: bool,
}

/// A group that is not closed yet, with what had been read of the group around it.
#[derive(Debug)]
struct OpenGroup {
    start: usize,
    /// The number of the group, if it captures.
    index: Option<u32>,
    outer_flags: Flags,
    outer_alternatives: Vec<Item>,
    outer_sequence: Vec<Item>,
}

pub(super) struct Parser<'p> {
    pub(super) cursor: Cursor<'p>,
    captures: Captures,
    groups: u32,
    pub(super) flags: Flags,
    open: Vec<OpenGroup>,
    /// The finished alternatives of the innermost group.
    alternatives: Vec<Item>,
    /// The unfinished one.
    sequence: Vec<Item>,
}

impl<'p> Parser<'p> {
    fn run(mut self) -> Result<Parsed, RegexError> {
        // Where the repetition operator that was read last begins, if nothing else was read since.
        let mut last_repetition = None;
        while let Some(next) = self.cursor.peek() {
            let start = self.cursor.offset();
            let mut repetition = None;
            match next {
                '(' => self.open_group()?,
                ')' => self.close_group()?,
                '|' => {
                    self.cursor.next();
                    self.end_alternative();
                }
                '[' => self.bracket_class()?,
                '\\' => self.escape()?,
                '*' | '+' | '?' | '{' => match self.operator() {
                    Some(count) => {
                        let count = count?;
                        self.repeat(count, start, last_repetition)?;
                        repetition = Some(start);
                    }
                    None => self.literal(),
                },
                '^' | '$' | '.' => self.symbol(),
                _ => self.literal(),
            }
            last_repetition = repetition;
        }
        if let Some(group) = self.open.last() {
            return Err(self
                .cursor
                .error_to_end(SyntaxProblem::MissingParenthesis, group.start));
        }
        let whole = self.take_alternation();
        Ok(Parsed {
            hir: whole.hir,
            groups: self.groups as usize,
        })
    }

    fn push(&mut self, hir: Hir) {
        self.sequence.push(Item::new(hir));
    }

    fn literal(&mut self) {
        if let Some(character) = self.cursor.next() {
            self.push_code_point(character.into());
        }
    }

    fn push_code_point(&mut self, code_point: u32) {
        let only = CodePoints::of(&[(code_point, code_point)]);
        self.push_class(if self.flags.fold_case {
            only.folded()
        } else {
            only
        });
    }

    pub(super) fn push_class(&mut self, class: CodePoints) {
        self.sequence.push(Item::of_class(class));
    }

    fn symbol(&mut self) {
        let multi_line = self.flags.multi_line;
        match self.cursor.next() {
            Some('^') => self.push(Hir::look(if multi_line {
                Look::StartLF
            } else {
                Look::Start
            })),
            Some('$') => self.push(Hir::look(if multi_line { Look::EndLF } else { Look::End })),
            _ => self.push_class(CodePoints::dot(self.flags.dot_newline)),
        }
    }

    /// Reads `*`, `+`, `?` or a count; `None` if a brace is only a brace.
    fn operator(&mut self) -> Option<Result<Count, RegexError>> {
        let (minimum, maximum) = match self.cursor.peek()? {
            '*' => (0, None),
            '+' => (1, None),
            '?' => (0, Some(1)),
            _ => return self.cursor.count(),
        };
        self.cursor.next();
        Some(Ok(Count { minimum, maximum }))
    }

    /// Applies an operator, which began at `start`, to what came before it.
    fn repeat(
        &mut self,
        count: Count,
        start: usize,
        last: Option<usize>,
    ) -> Result<(), RegexError> {
        let lazy = self.cursor.eat("?");
        if let Some(last) = last {
            return Err(self.cursor.error(SyntaxProblem::NestedRepetition, last));
        }
        let Some(Item { hir, copies, .. }) = self.sequence.pop() else {
            return Err(self
                .cursor
                .error(SyntaxProblem::MissingRepetitionArgument, start));
        };
        let most = count.maximum.unwrap_or(count.minimum);
        let copies = copies.saturating_mul(most.max(1));
        if most >= 2 && copies > MOST_REPETITIONS {
            return Err(self.cursor.error(SyntaxProblem::RepetitionSize, start));
        }
        let hir = Hir::repetition(Repetition {
            min: count.minimum,
            max: count.maximum,
            greedy: lazy == self.flags.ungreedy,
            sub: Box::new(hir),
        });
        self.sequence.push(Item {
            hir,
            class: None,
            copies,
        });
        Ok(())
    }

    fn end_alternative(&mut self) {
        let sequence = std::mem::take(&mut self.sequence);
        self.alternatives.push(Item::sequence(sequence));
    }

    /// Everything of the innermost group.
    fn take_alternation(&mut self) -> Item {
        self.end_alternative();
        Item::alternation(std::mem::take(&mut self.alternatives))
    }

    /// Reads `(`, `(?flags:` or `(?P<name>`, or sets the flags of `(?flags)`.
    fn open_group(&mut self) -> Result<(), RegexError> {
        let start = self.cursor.offset();
        let outer_flags = self.flags;
        let captures = if self.cursor.eat("(?P<") || self.cursor.eat("(?<") {
            self.name_group(start)?;
            true
        } else if self.cursor.eat("(?") {
            if self.set_flags(start)? == ')' {
                return Ok(());
            }
            false
        } else {
            self.cursor.next();
            true
        };
        let index = captures.then(|| {
            self.groups += 1;
            self.groups
        });
        self.open.push(OpenGroup {
            start,
            index,
            outer_flags,
            outer_alternatives: std::mem::take(&mut self.alternatives),
            outer_sequence: std::mem::take(&mut self.sequence),
        });
        Ok(())
    }

    fn name_group(&mut self, start: usize) -> Result<(), RegexError> {
        // Look-behinds begin like a name.
        if let Some('=' | '!') = self.cursor.peek() {
            self.cursor.next();
            return Err(self.cursor.error(SyntaxProblem::UnsupportedGroup, start));
        }
        // Names need not differ: neither Go nor RE2 minds.
        self.cursor.group_name(start)
    }

    /// Reads flags up to the `:` or `)` after them, and returns which it was.
    fn set_flags(&mut self, start: usize) -> Result<char, RegexError> {
        let mut flags = self.flags;
        let mut value = true;
        let mut is_complete = true;
        while let Some(next) = self.cursor.next() {
            match next {
                'i' => flags.fold_case = value,
                'm' => flags.multi_line = value,
                's' => flags.dot_newline = value,
                'U' => flags.ungreedy = value,
                '-' if value => {
                    value = false;
                    is_complete = false;
                    continue;
                }
                ':' | ')' if is_complete => {
                    self.flags = flags;
                    return Ok(next);
                }
                _ => return Err(self.cursor.error(SyntaxProblem::UnsupportedGroup, start)),
            }
            is_complete = true;
        }
        Err(self.cursor.error(SyntaxProblem::MissingParenthesis, start))
    }

    fn close_group(&mut self) -> Result<(), RegexError> {
        let start = self.cursor.offset();
        self.cursor.next();
        let Some(group) = self.open.pop() else {
            return Err(self
                .cursor
                .error(SyntaxProblem::UnexpectedParenthesis, start));
        };
        let mut inner = self.take_alternation();
        if let Some(index) = group.index {
            inner.class = None;
            if self.captures == Captures::Keep {
                inner.hir = Hir::capture(Capture {
                    index,
                    name: None,
                    sub: Box::new(inner.hir),
                });
            }
        }
        self.flags = group.outer_flags;
        self.alternatives = group.outer_alternatives;
        self.sequence = group.outer_sequence;
        self.sequence.push(inner);
        Ok(())
    }

    /// Reads an escape outside of a class.
    fn escape(&mut self) -> Result<(), RegexError> {
        if let Some(class) = self.escaped_class()? {
            self.push_class(class);
            return Ok(());
        }
        let start = self.cursor.offset();
        for (escape, look) in [
            ("\\A", Look::Start),
            ("\\z", Look::End),
            ("\\b", Look::WordAscii),
            ("\\B", Look::WordAsciiNegate),
        ] {
            if self.cursor.eat(escape) {
                self.push(Hir::look(look));
                return Ok(());
            }
        }
        if self.cursor.eat("\\Q") {
            let quoted = self
                .cursor
                .clone()
                .until("\\E")
                .unwrap_or(self.cursor.rest());
            for character in quoted.chars() {
                self.push_code_point(character.into());
                self.cursor.next();
            }
            self.cursor.eat("\\E");
            return Ok(());
        }
        // RE2 has `\C` for one byte, but Go, and so Istio's validation, refuses it.
        debug_assert_eq!(start, self.cursor.offset());
        let code_point = self.cursor.escaped_code_point()?;
        self.push_code_point(code_point);
        Ok(())
    }
}
