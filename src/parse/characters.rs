//! What a text has that YAML cannot have, named for what it is: byte order marks in the middle, control characters, templates
//! that were not rendered.

/// Something that stands on a line and column, both counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnreadableText {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: String,
    pub(super) help: &'static str,
}

/// The first character that no YAML can have, and the first mark at the beginning of a line behind the first.
///
/// # Complexity
/// Linear; one look at each byte.
pub(super) fn refused(text: &str) -> Option<UnreadableText> {
    let bytes = text.as_bytes();
    let control = bytes
        .iter()
        .position(|byte| matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 127));
    let mark = memchr::memmem::find_iter(bytes, "\u{feff}".as_bytes())
        .find(|&at| at == 0 || bytes[at - 1] == b'\n');
    let at = control.into_iter().chain(mark).min()?;
    let (message, help) = match bytes[at] {
        0 => (
            "a NUL character stands in the text".to_owned(),
            "save the file as UTF-8; UTF-16 and binary files are full of them",
        ),
        0xef => (
            "a byte order mark stands in the middle of the text".to_owned(),
            "remove it; it comes from joining files that begin with one",
        ),
        byte => (
            format!("the control character U+{byte:04X} stands in the text"),
            "write it as an escape in double quotes, such as `\"\\x1b\"`",
        ),
    };
    Some(found(text, at, message, help))
}

/// Where a template that was not rendered begins: `{{` where a value, a key or a line begins.
pub(super) fn template(text: &str) -> Option<UnreadableText> {
    let mut lines = text.split_inclusive('\n');
    let mut start = 0;
    let at = lines.find_map(|line| {
        let found = template_on(line).map(|column| start + column);
        start += line.len();
        found
    })?;
    let message = "`{{` begins a template that was not rendered".to_owned();
    let help = "this looks like a template: render it (`helm template`) before it is read";
    Some(found(text, at, message, help))
}

/// Where a template begins on a line.
fn template_on(line: &str) -> Option<usize> {
    /// Longer lines are no lines that someone wrote.
    const LONGEST: usize = 1024;
    if line.len() > LONGEST || line.trim_start().starts_with('#') {
        return None;
    }
    let begins = |at: &usize| {
        let before = line[..*at].trim_end_matches([' ', '\t']);
        before.is_empty() || before.ends_with([':', '-', ',', '['])
    };
    memchr::memmem::find_iter(line.as_bytes(), "{{").find(begins)
}

fn found(text: &str, at: usize, message: String, help: &'static str) -> UnreadableText {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    UnreadableText {
        line: memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1,
        column: before[line_start..].chars().count() + 1,
        message,
        help,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_named_at_its_place() {
        for (text, place) in [
            ("a: b\nö: \0", Some((2, 4, "NUL"))),
            ("a: b\n\u{feff}c: d\n", Some((2, 1, "byte order mark"))),
            ("a: b\u{1b}[0m\n", Some((1, 5, "U+001B"))),
            ("a: '\u{feff}'\tb\r\n", None),
        ] {
            let found = refused(text);
            let place_found = found.as_ref().map(|found| (found.line, found.column));
            assert_eq!(
                place_found,
                place.map(|(line, column, _)| (line, column)),
                "{text:?}"
            );
            if let (Some(found), Some((_, _, name))) = (found, place) {
                assert!(found.message.contains(name), "{}", found.message);
            }
        }
    }

    #[test]
    fn templates_are_found_where_something_begins() {
        let at = |text: &str| template(text).map(|found| (found.line, found.column));
        assert_eq!(at("a: b\nhost: {{ .Values.host }}\n"), Some((2, 7)));
        assert_eq!(at("{{- if .Values.on }}\na: b\n"), Some((1, 1)));
        assert_eq!(at("- {{ .x }}"), Some((1, 3)));
        assert_eq!(at("a: '{{ x }}'\n# {{ y }}\nb: c {{ z }}\n"), None);
    }
}
