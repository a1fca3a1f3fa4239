//! Texts of any length, made short enough for a line of a log.

use std::fmt::{self, Write as _};

/// So many characters are printed.
const LONGEST: usize = 64;

/// Prints a text in quotes; of a long one, the beginning.
pub(crate) struct Short<'t>(pub &'t str);

impl fmt::Debug for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut escaped = self.0.chars().flat_map(char::escape_debug);
        f.write_char('"')?;
        for character in escaped.by_ref().take(LONGEST) {
            f.write_char(character)?;
        }
        if escaped.next().is_some() {
            f.write_char('…')?;
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_no_other() {
        let text = |text: &str| format!("{:?}", Short(text));
        assert_eq!(text("a\"b"), r#""a\"b""#);
        assert_eq!(text(&"x".repeat(LONGEST)).len(), LONGEST + 2);
        assert!(text(&"\n".repeat(LONGEST)).ends_with("…\""));
    }
}
