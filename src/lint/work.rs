//! A bound for lints that look at pairs: resources that multiply could keep them busy for ever.

use crate::diagnostic::{Code, Diagnostic};

/// Steps that a lint may still make.
pub(super) struct Work(usize);

impl Default for Work {
    fn default() -> Self {
        Work(2_000_000)
    }
}

impl Work {
    /// Takes `steps`; false: there are not so many left.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        match self.0.checked_sub(steps) {
            Some(left) => self.0 = left,
            None => return false,
        }
        true
    }

    /// Says that the lint did not look at everything.
    pub(super) fn stopped(lint: &str) -> Diagnostic {
        let message = format!("`{lint}` did not look at everything: there are too many pairs");
        Diagnostic::new(Code::LINT_STOPPED, message)
    }
}
