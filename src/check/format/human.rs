use std::fmt::Write as _;

use crate::check::plain;
use crate::diagnostic::{Report, Severity};

/// How findings are written for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Style {
    /// With colours, by the escape sequences of terminals.
    pub color: bool,
    /// Notes too.
    pub notes: bool,
}

impl Style {
    /// Neither colours nor notes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with colours, or without.
    #[must_use]
    pub fn with_color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// The same with notes, or without.
    #[must_use]
    pub fn with_notes(mut self, notes: bool) -> Self {
        self.notes = notes;
        self
    }
}

pub(super) fn write(report: &Report, style: Style) -> String {
    let mut out = String::new();
    for one in report
        .iter()
        .filter(|one| style.notes || one.severity() != Severity::Note)
    {
        let text = plain(&one.to_string());
        let head = format!("{}[{}]", one.severity(), one.code());
        let text = match text.strip_prefix(&head).filter(|_| style.color) {
            Some(rest) => {
                let color = match one.severity() {
                    Severity::Error => "\u{1b}[1;31m",
                    Severity::Warning => "\u{1b}[1;33m",
                    Severity::Note => "\u{1b}[1;36m",
                };
                format!("{color}{head}\u{1b}[0m{rest}")
            }
            None => text,
        };
        let _ = writeln!(out, "{text}\n");
    }
    out.push_str(&summary(report, style));
    out.push('\n');
    out
}

/// `2 errors, 1 warning`.
fn summary(report: &Report, style: Style) -> String {
    let counts = [
        ("error", report.errors().count()),
        ("warning", report.warnings().count()),
        ("note", report.notes().count()),
    ];
    let parts = counts.iter().filter(|(_, count)| *count > 0);
    let parts = parts.map(|(name, count)| match (count, *name) {
        (1, name) => format!("1 {name}"),
        (count, name) => format!("{count} {name}s"),
    });
    let mut text = parts.collect::<Vec<_>>().join(", ");
    if text.is_empty() {
        text = "no problems".to_owned();
    }
    if !style.notes && counts[2].1 > 0 {
        text.push_str(" (`--notes` shows the notes)");
    }
    text
}
