//! Makes the messages of the YAML and JSON readers fit for a report: places counted from the file's first line, and a help
//! text for what people usually got wrong.

use super::batch::Batch;
#[cfg(feature = "yaml")]
use super::characters;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::terms::source::SourceDocument;

impl Batch {
    #[cfg(feature = "yaml")]
    pub(super) fn yaml_error(&mut self, error: &serde_yaml::Error, document: &SourceDocument) {
        if let (None, Some(found)) = (self.stopped, characters::template(document.text())) {
            return self.refuse(found, document);
        }
        let at = error.location().map(|at| (at.line(), at.column()));
        let (line, column) = at.unwrap_or((1, 1));
        let location = document.location(line, column);
        self.syntax_error(&error.to_string(), location, document.line());
    }

    pub(super) fn json_error(&mut self, error: &serde_json::Error, document: &SourceDocument) {
        let location = document.location(error.line(), error.column());
        self.syntax_error(&error.to_string(), location, document.line());
    }

    fn syntax_error(&mut self, error: &str, location: Option<Location>, first_line: u32) {
        let code = match self.stopped {
            Some(code) => code,
            None if error.contains("recursion limit exceeded") => Code::TOO_DEEP,
            None if error.contains("repetition limit exceeded") => Code::TOO_MANY_VALUES,
            None => Code::SYNTAX,
        };
        let message = match code {
            Code::SYNTAX => message(error, first_line),
            Code::TOO_DEEP => "the document is nested more than 128 levels deep".to_owned(),
            Code::TOO_MANY_VALUES => "the document's aliases expand to too many values".to_owned(),
            Code::LIST_TOO_LONG => {
                format!("a list has more than {} elements", self.limits.list_length)
            }
            Code::TOO_MANY_DOCUMENTS => format!(
                "the input has more than {} documents",
                self.limits.documents
            ),
            _ => error.to_owned(),
        };
        let help = (code == Code::SYNTAX).then(|| {
            let line = location.as_ref().and_then(|at| at.source.as_deref());
            help(error, line)
        });
        let mut diagnostic = Diagnostic::new(code, message).with_location(location);
        if let Some(help) = help.flatten() {
            diagnostic = diagnostic.with_help(help);
        }
        self.push(diagnostic);
    }
}

/// The reader's message without the error's own place, and with its other places counted from the beginning of the file.
fn message(error: &str, first_line: u32) -> String {
    const PLACE: &str = " at line ";
    if error.contains("invalid type") && error.contains("expected a string") {
        return "a key of a mapping has to be a string".to_owned();
    }
    let Some((problem, rest)) = error.split_once(PLACE) else {
        return error.to_owned();
    };
    // `12 column 3, while parsing a block mapping at line 10 column 1`
    let context = rest.find(", ").map_or("", |comma| &rest[comma..]);
    let mut message = problem.to_owned();
    let mut parts = context.split(PLACE);
    message.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let line = part[..digits].parse::<u64>().unwrap_or(1) + u64::from(first_line) - 1;
        message.push_str(&format!("{PLACE}{line}{}", &part[digits..]));
    }
    message
}

/// What usually lies behind an error, seen from the line on which it is.
fn help(error: &str, line: Option<&str>) -> Option<String> {
    let line = line.unwrap_or_default();
    let help = if line.contains("{{") {
        "this looks like a template: render it (`helm template`) before it is read"
    } else if line.trim_start_matches(' ').starts_with('\t') {
        "indent with spaces; YAML does not allow tabs"
    } else if error.contains("mapping values are not allowed") {
        "a value with `: ` in it has to be quoted"
    } else if error.contains("cannot start any token") {
        "a value that begins with `@`, `%` or a backtick has to be quoted"
    } else if error.contains("unknown anchor") {
        "an anchor (`&name`) has to stand before its alias (`*name`) in the same document"
    } else if line.contains('*') && error.contains("alias") {
        "a value that begins with `*` has to be quoted"
    } else {
        return None;
    };
    Some(help.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_the_beginning_of_the_file() {
        let error = "did not find expected key at line 3 column 2, while parsing a block mapping at line 1 column 1";
        assert_eq!(
            message(error, 11),
            "did not find expected key, while parsing a block mapping at line 11 column 1"
        );
        assert_eq!(
            message("expected value at line 1 column 2", 1),
            "expected value"
        );
        assert_eq!(message("end of file", 1), "end of file");
        let key = "spec: invalid type: map, expected a string at line 1 column 2";
        assert_eq!(message(key, 1), "a key of a mapping has to be a string");
    }
}
