//! A bound for the machines of many regexes: each is bounded by itself, and a configuration can hold any number of them.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::error::RegexError;

/// The most bytes of a compiled pattern before it becomes a table.
///
/// istiod tells Envoy to accept RE2 programs of up to 32 768 instructions. This is about as many, counted in
/// another machine's instructions.
pub(super) const PROGRAM_LIMIT: usize = 2 << 20;

/// The bytes that the machines of several regexes may take together, with what is built on the way to them.
#[derive(Debug)]
pub struct RegexBudget {
    bytes: usize,
    left: usize,
}

impl RegexBudget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        RegexBudget { bytes, left: bytes }
    }

    /// No bound.
    #[must_use]
    pub fn unlimited() -> Self {
        RegexBudget::new(usize::MAX)
    }

    /// Takes `bytes`; what is not there any more is an error.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), RegexError> {
        match self.left.checked_sub(bytes).filter(|left| *left > 0) {
            Some(left) => self.left = left,
            None => {
                self.left = 0;
                return Err(RegexError::BudgetSpent { limit: self.bytes });
            }
        }
        Ok(())
    }

    /// Whether so little is left that complete automata are no longer tried.
    pub(super) fn is_scarce(&self) -> bool {
        self.left < self.bytes / 4
    }
}

/// Refuses an expression whose program would be larger than any may be, before it is built.
pub(super) fn check_size(hir: &Hir) -> Result<(), RegexError> {
    match least_size(hir) > PROGRAM_LIMIT {
        true => Err(RegexError::TooLarge {
            limit: PROGRAM_LIMIT,
        }),
        false => Ok(()),
    }
}

/// Less than the bytes of the program of an expression.
fn least_size(hir: &Hir) -> usize {
    const STEP: usize = 4;
    let all = |parts: &[Hir]| {
        let sizes = parts.iter().map(least_size);
        sizes.fold(0, usize::saturating_add)
    };
    match hir.kind() {
        HirKind::Empty => 0,
        HirKind::Look(_) => STEP,
        HirKind::Literal(literal) => STEP * literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => STEP * class.ranges().len(),
        HirKind::Class(Class::Bytes(class)) => STEP * class.ranges().len(),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.max(1));
            let times = usize::try_from(times).unwrap_or(usize::MAX);
            least_size(&repetition.sub).saturating_mul(times)
        }
        HirKind::Capture(capture) => least_size(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => all(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Regex;
    use super::*;

    #[test]
    fn what_is_too_large_is_not_built() {
        assert_eq!(
            Regex::new(r"/p\pL{1,900}").unwrap_err(),
            RegexError::TooLarge {
                limit: PROGRAM_LIMIT
            }
        );
        assert!(Regex::new("[a-z]{1,1000}").is_ok());
    }

    #[test]
    fn many_regexes_spend_the_budget_and_give_the_same_answers_until_then() {
        let mut budget = RegexBudget::new(1 << 18);
        let mut refused = 0;
        for number in 0..1000 {
            match Regex::within(&format!("/a{number}/[a-z]+/[0-9]+"), &mut budget) {
                Ok(regex) => {
                    assert_eq!(refused, 0, "nothing is built when the budget is spent");
                    assert!(regex.is_full_match(format!("/a{number}/b/1").as_bytes()));
                    assert!(!regex.is_full_match(b"/a/b/"));
                }
                Err(error) => {
                    assert_eq!(error, RegexError::BudgetSpent { limit: 1 << 18 });
                    refused += 1;
                }
            }
        }
        assert!((500..1000).contains(&refused), "{refused}");
    }
}
