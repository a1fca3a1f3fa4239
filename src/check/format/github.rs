use std::fmt::Write as _;

use super::Style;
use crate::diagnostic::{Report, Severity};

pub(super) fn write(report: &Report, style: Style) -> String {
    let mut out = String::new();
    for one in report
        .iter()
        .filter(|one| style.notes || one.severity() != Severity::Note)
    {
        let command = match one.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = vec![format!(
            "title={}",
            property(&format!("{} {}", one.code().id(), one.code().name()))
        )];
        if let Some(location) = one.location() {
            if let Some(file) = &location.file {
                properties.push(format!("file={}", property(file)));
            }
            properties.push(format!("line={},col={}", location.line, location.column));
        }
        let mut message = one.message().to_owned();
        if let Some(resource) = one.resource() {
            message = format!("{resource}: {message}");
        }
        if let Some(help) = one.help() {
            message = format!("{message}; {help}");
        }
        let _ = writeln!(
            out,
            "::{command} {}::{}",
            properties.join(","),
            data(&message)
        );
    }
    out
}

/// A message: what would end it is escaped, and so is whatever a log would act on.
fn data(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            character if character.is_control() => out.extend(character.escape_default()),
            character => out.push(character),
        }
    }
    out
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use crate::check::format::{Format, Style, write};
    use crate::diagnostic::{Code, Diagnostic, Location, Report};

    #[test]
    fn a_message_cannot_become_another_command() {
        let location = Location::new(3, 1).in_file("a,b:c\n::error::x.yaml");
        let text = "no service is named `x\n::error::y\u{1b}[2J`";
        let report =
            Report::from_iter([Diagnostic::new(Code::UNKNOWN_HOST, text).with_location(location)]);
        assert_eq!(
            write(&report, Format::Github, Style::new()),
            "::warning title=MR0301 unknown-host,file=a%2Cb%3Ac%0A%3A%3Aerror%3A%3Ax.yaml,line=3,col=1::no service is named `x%0A::error::y\\u{1b}[2J`\n"
        );
        assert!(!write(&report, Format::Human, Style::new()).contains("\n::error"));
    }
}
