//! The part of the parser that reads character classes: `[...]`, `\d`, `\p{Greek}`.

use super::class::{self, CodePoints};
use super::cursor::Cursor;
use super::error::{RegexError, SyntaxProblem};
use super::parse::Parser;

impl Parser<'_> {
    /// Reads an escape that stands for a class, such as `\d` or `\p{Greek}`, if there is one.
    pub(super) fn escaped_class(&mut self) -> Result<Option<CodePoints>, RegexError> {
        let start = self.cursor.offset();
        let mut ahead = self.cursor.clone();
        ahead.eat("\\");
        let Some(letter) = ahead.next() else {
            return Ok(None);
        };
        let mut negated = letter.is_ascii_uppercase();
        let class = match letter {
            'p' | 'P' => {
                let invalid =
                    |cursor: &Cursor<'_>| cursor.error(SyntaxProblem::InvalidClass, start);
                let Some(first) = ahead.next() else {
                    return Err(invalid(&ahead));
                };
                let mut letters = [0; 4];
                let name = if first == '{' {
                    ahead
                        .until("}")
                        .ok_or_else(|| ahead.error_to_end(SyntaxProblem::InvalidClass, start))?
                } else {
                    &*first.encode_utf8(&mut letters)
                };
                let positive = name.strip_prefix('^');
                negated ^= positive.is_some();
                class::unicode(positive.unwrap_or(name)).ok_or_else(|| invalid(&ahead))?
            }
            _ => match class::perl(letter.to_ascii_lowercase()) {
                Some(class) => class,
                None => return Ok(None),
            },
        };
        self.cursor = ahead;
        Ok(Some(self.signed(class, negated)))
    }

    /// A named class under the current flags. Case folding comes before the negation, so that `(?i)\P{Lu}` and
    /// `(?i)[^a]` exclude both cases.
    fn signed(&self, class: CodePoints, negated: bool) -> CodePoints {
        let class = if self.flags.fold_case {
            class.folded()
        } else {
            class
        };
        if negated { class.complement() } else { class }
    }

    /// Reads `[...]`.
    pub(super) fn bracket_class(&mut self) -> Result<(), RegexError> {
        let start = self.cursor.offset();
        self.cursor.next();
        let negated = self.cursor.eat("^");
        let mut members = CodePoints::default();
        let mut plain = CodePoints::default();
        let mut is_first = true;
        // A closing bracket is literal where it comes first.
        while is_first || !self.cursor.eat("]") {
            is_first = false;
            if let Some(class) = self.posix_class()? {
                members.union(&class);
            } else if self.cursor.rest().starts_with('\\')
                && let Some(class) = self.escaped_class()?
            {
                members.union(&class);
            } else {
                plain.extend(&[self.class_range(start)?]);
            }
        }
        if self.flags.fold_case {
            plain = plain.folded();
        }
        members.union(&plain);
        self.push_class(if negated {
            members.complement()
        } else {
            members
        });
        Ok(())
    }

    /// Reads `[:name:]` within a class. Without a `:]` further on, the bracket is literal.
    fn posix_class(&mut self) -> Result<Option<CodePoints>, RegexError> {
        let start = self.cursor.offset();
        let mut ahead = self.cursor.clone();
        if !ahead.eat("[:") {
            return Ok(None);
        }
        let Some(name) = ahead.until(":]") else {
            return Ok(None);
        };
        let (name, negated) = match name.strip_prefix('^') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let class =
            class::posix(name).ok_or_else(|| ahead.error(SyntaxProblem::InvalidClass, start))?;
        self.cursor = ahead;
        Ok(Some(self.signed(class, negated)))
    }

    /// Reads `a` or `a-z` within a class that began at `class_start`.
    fn class_range(&mut self, class_start: usize) -> Result<(u32, u32), RegexError> {
        let start = self.cursor.offset();
        let first = self.class_code_point(class_start)?;
        let rest = self.cursor.rest();
        if !rest.starts_with('-') || rest.len() == 1 || rest.starts_with("-]") {
            return Ok((first, first));
        }
        self.cursor.next();
        let last = self.class_code_point(class_start)?;
        if last < first {
            return Err(self.cursor.error(SyntaxProblem::InvalidClass, start));
        }
        Ok((first, last))
    }

    fn class_code_point(&mut self, class_start: usize) -> Result<u32, RegexError> {
        match self.cursor.peek() {
            Some('\\') => self.cursor.escaped_code_point(),
            Some(_) => Ok(self.cursor.next().map_or(0, u32::from)),
            None => Err(self
                .cursor
                .error_to_end(SyntaxProblem::MissingBracket, class_start)),
        }
    }
}
