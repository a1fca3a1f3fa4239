//! A place in a pattern, and the small readings that the parser makes there: escapes, counts, names.
//!
//! Every reading either moves past what it read or says what is wrong, with the place.

use super::error::{RegexError, SyntaxProblem};

/// What is left of a pattern.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'p> {
    pattern: &'p str,
    offset: usize,
}

/// `{minimum,maximum}`; no maximum means any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) minimum: u32,
    pub(super) maximum: Option<u32>,
}

/// The greatest count, and the greatest product of nested counts.
pub(super) const MOST_REPETITIONS: u32 = 1000;

impl<'p> Cursor<'p> {
    pub(super) fn new(pattern: &'p str) -> Self {
        Self { pattern, offset: 0 }
    }

    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    pub(super) fn rest(&self) -> &'p str {
        &self.pattern[self.offset..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.offset += character.len_utf8();
        Some(character)
    }

    /// Moves past this text if it comes next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let comes_next = self.rest().starts_with(text);
        if comes_next {
            self.offset += text.len();
        }
        comes_next
    }

    /// Moves past everything up to and with `end`, and returns what came before it.
    pub(super) fn until(&mut self, end: &str) -> Option<&'p str> {
        let (before, _) = self.rest().split_once(end)?;
        self.offset += before.len() + end.len();
        Some(before)
    }

    /// The error that the pattern from `start` to here is wrong.
    pub(super) fn error(&self, problem: SyntaxProblem, start: usize) -> RegexError {
        RegexError::Syntax {
            problem,
            fragment: self.pattern[start..self.offset].to_owned(),
            offset: start,
        }
    }

    /// The error that the pattern from `start` to its end is wrong.
    pub(super) fn error_to_end(&self, problem: SyntaxProblem, start: usize) -> RegexError {
        RegexError::Syntax {
            problem,
            fragment: self.pattern[start..].to_owned(),
            offset: start,
        }
    }

    /// Reads `{n}`, `{n,}` or `{n,m}`; anything else that begins with a brace is not a count, but literal text.
    pub(super) fn count(&mut self) -> Option<Result<Count, RegexError>> {
        let mut ahead = self.clone();
        ahead.eat("{").then_some(())?;
        let minimum = ahead.number()?;
        let maximum = if !ahead.eat(",") {
            Some(minimum)
        } else if ahead.rest().starts_with('}') {
            None
        } else {
            Some(ahead.number()?)
        };
        ahead.eat("}").then_some(())?;
        let start = self.offset;
        *self = ahead;
        let most = maximum.unwrap_or(minimum);
        if minimum > MOST_REPETITIONS || most > MOST_REPETITIONS || most < minimum {
            return Some(Err(self.error(SyntaxProblem::RepetitionSize, start)));
        }
        Some(Ok(Count { minimum, maximum }))
    }

    /// A decimal number without leading zeros; one too large for its type is as large as can be.
    fn number(&mut self) -> Option<u32> {
        let rest = self.rest();
        let digits = &rest[..rest.bytes().take_while(u8::is_ascii_digit).count()];
        if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        self.offset += digits.len();
        Some(digits.parse().unwrap_or(u32::MAX))
    }

    /// Reads an escape that stands for one code point (which may be a surrogate), the backslash included.
    pub(super) fn escaped_code_point(&mut self) -> Result<u32, RegexError> {
        let start = self.offset;
        self.eat("\\");
        let Some(character) = self.next() else {
            return Err(self.error(SyntaxProblem::TrailingBackslash, start));
        };
        let code_point = match character {
            '0'..='7' => self.octal(character),
            'x' => self.hexadecimal(),
            'a' => Some(0x07),
            'f' => Some(0x0C),
            'n' => Some(0x0A),
            'r' => Some(0x0D),
            't' => Some(0x09),
            'v' => Some(0x0B),
            punctuation if punctuation.is_ascii() && !punctuation.is_ascii_alphanumeric() => {
                Some(punctuation.into())
            }
            _ => None,
        };
        code_point.ok_or_else(|| self.error(SyntaxProblem::InvalidEscape, start))
    }

    /// Up to three octal digits. One digit alone is a back-reference, unless it is 0.
    fn octal(&mut self, first: char) -> Option<u32> {
        let mut code_point = first.to_digit(8)?;
        let mut digits = 1;
        while digits < 3
            && let Some(digit) = self.peek().and_then(|next| next.to_digit(8))
        {
            self.next();
            code_point = code_point * 8 + digit;
            digits += 1;
        }
        (digits > 1 || first == '0').then_some(code_point)
    }

    /// Two hexadecimal digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        let digits = if self.eat("{") {
            self.until("}")?
        } else {
            let digits = self.rest().get(..2)?;
            self.offset += 2;
            digits
        };
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        // Only the value counts, not the number of digits.
        let significant = digits.trim_start_matches('0');
        let code_point = match significant {
            "" if digits.is_empty() => return None,
            "" => 0,
            _ => u32::from_str_radix(significant, 16).ok()?,
        };
        (code_point <= u32::from(char::MAX)).then_some(code_point)
    }

    /// Reads the rest of `(?P<name>` or `(?<name>` once the angle bracket is read.
    pub(super) fn group_name(&mut self, start: usize) -> Result<(), RegexError> {
        let Some(name) = self.until(">") else {
            return Err(self.error_to_end(SyntaxProblem::InvalidName, start));
        };
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Err(self.error(SyntaxProblem::InvalidName, start));
        }
        Ok(())
    }
}
