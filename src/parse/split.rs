//! Cuts a YAML stream into its documents, so that each can be read, and can fail, alone.
//!
//! A line that begins with `---` or `...` and a blank is a document's boundary wherever it stands: YAML forbids such a line
//! within any scalar. So the cut needs no parser.

use std::ops::Range;

/// A part of the text with at most one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Its bytes.
    pub(super) bytes: Range<usize>,
    /// Its first line, counted from 1.
    pub(super) line: u32,
}

/// The documents of a YAML stream. Parts without content are left out; directives stay with the document that they precede.
pub(super) struct Chunks<'t> {
    text: &'t str,
    start: usize,
    line: u32,
}

impl<'t> Chunks<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            start: 0,
            line: 1,
        }
    }

    /// The first boundary line behind `from`, which is itself at the beginning of a line.
    fn boundary_behind(&self, from: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        loop {
            at += memchr::memchr(b'\n', &bytes[at..])? + 1;
            if is_boundary(&bytes[at..]) {
                return Some(at);
            }
        }
    }
}

fn is_boundary(line: &[u8]) -> bool {
    matches!(line, [b'-', b'-', b'-', rest @ ..] | [b'.', b'.', b'.', rest @ ..]
        if matches!(rest.first(), None | Some(b' ' | b'\t' | b'\n' | b'\r')))
}

/// What a part between two boundaries holds before its first content.
#[derive(PartialEq, Eq)]
enum Holds {
    Nothing,
    Directives,
    Content,
}

fn holds(part: &str) -> Holds {
    let mut held = Holds::Nothing;
    let body = match part.strip_prefix("...") {
        Some(body) => body,
        None => part.strip_prefix("---").unwrap_or(part),
    };
    for (number, line) in body.lines().enumerate() {
        let trimmed = line.trim_start();
        if line.starts_with('%') && number > 0 || number == 0 && part.starts_with('%') {
            held = Holds::Directives;
        } else if !(trimmed.is_empty() || trimmed.starts_with('#')) {
            return Holds::Content;
        }
    }
    held
}

impl Iterator for Chunks<'_> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let mut directives = None;
        while self.start < self.text.len() {
            let (start, line) = (self.start, self.line);
            let end = self.boundary_behind(start).unwrap_or(self.text.len());
            let part = &self.text[start..end];
            let lines = memchr::memchr_iter(b'\n', part.as_bytes()).count();
            self.start = end;
            self.line = self
                .line
                .saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
            match holds(part) {
                Holds::Nothing => directives = None,
                Holds::Directives => directives = Some((start, line)),
                Holds::Content => {
                    let (start, line) = directives.unwrap_or((start, line));
                    return Some(Chunk {
                        bytes: start..end,
                        line,
                    });
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(text: &str) -> Vec<(u32, &str)> {
        Chunks::new(text)
            .map(|chunk| (chunk.line, &text[chunk.bytes]))
            .collect()
    }

    #[test]
    fn one_chunk_for_each_document() {
        assert_eq!(
            chunks("a: 1\n---\nb: 2\n"),
            [(1, "a: 1\n"), (2, "---\nb: 2\n")]
        );
        assert_eq!(
            chunks("---\na: 1\n--- # x\nb: 2"),
            [(1, "---\na: 1\n"), (3, "--- # x\nb: 2")]
        );
        assert_eq!(
            chunks("a: 1\r\n---\r\nb: 2"),
            [(1, "a: 1\r\n"), (2, "---\r\nb: 2")]
        );
        assert_eq!(chunks("a: 1\n...\nb: 2"), [(1, "a: 1\n"), (2, "...\nb: 2")]);
        assert_eq!(
            chunks("--- {a: 1}\n--- {b: 2}"),
            [(1, "--- {a: 1}\n"), (2, "--- {b: 2}")]
        );
    }

    #[test]
    fn parts_without_content_are_left_out() {
        assert_eq!(chunks(""), []);
        assert_eq!(chunks("# only a comment\n\n---\n---\n# more\n...\n"), []);
        assert_eq!(chunks("# licence\n---\na: 1\n---\n"), [(2, "---\na: 1\n")]);
    }

    #[test]
    fn directives_stay_with_their_document() {
        assert_eq!(
            chunks("%YAML 1.1\n---\na: 1\n"),
            [(1, "%YAML 1.1\n---\na: 1\n")]
        );
        let two = "a: 1\n...\n%TAG ! x\n---\nb: 2\n";
        assert_eq!(
            chunks(two),
            [(1, "a: 1\n"), (2, "...\n%TAG ! x\n---\nb: 2\n")]
        );
    }

    #[test]
    fn longer_dashes_and_indented_ones_are_content() {
        let text = "a: |\n  ---\n  ...\n----\nb: x---\n";
        assert_eq!(chunks(text), [(1, text)]);
    }
}
