//! How deeply a document is nested, known before it is read: the reader of YAML takes time in the square of the depth before
//! it says so, and values that are passed over have no depth for any reader.

#[cfg(feature = "yaml")]
use saphyr_parser::{Event, Parser};

/// The most mappings and lists that may be within each other.
pub(super) const DEEPEST: usize = 128;

/// Why a document is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Something is nested more than [`DEEPEST`] levels deep here (line and column from 1).
    TooDeep(usize, usize),
    /// The text is no YAML from here on, and what follows could be nested deeply.
    #[cfg(feature = "yaml")]
    NotYaml(usize, usize, String),
}

/// Looks at a YAML document of which it cannot be told at a glance that it is not deep.
///
/// # Complexity
/// Linear; one look at each byte for documents without many brackets and wide indents.
#[cfg(feature = "yaml")]
pub(super) fn yaml(text: &str) -> Option<Refusal> {
    if !may_be_deep(text) {
        return None;
    }
    let mut depth = 0_usize;
    for event in Parser::new_from_str(text) {
        match event {
            Ok((Event::SequenceStart(..) | Event::MappingStart(..), span)) => {
                depth += 1;
                if depth > DEEPEST {
                    return Some(Refusal::TooDeep(span.start.line(), span.start.col() + 1));
                }
            }
            Ok((Event::SequenceEnd | Event::MappingEnd, _)) => depth = depth.saturating_sub(1),
            Ok(_) => {}
            // The two parsers may differ about a text, but not about one that could keep the other busy.
            Err(error) => {
                let at = error.marker();
                // This parser looks ahead, and counts at most 255 levels of flow style.
                if error.info().contains("recursion limit") {
                    return Some(Refusal::TooDeep(at.line(), at.col() + 1));
                }
                let rest = text.lines().skip(at.line().saturating_sub(1));
                let brackets = rest.map(brackets).sum::<usize>();
                let refused = brackets > MOST_BRACKETS_UNSEEN;
                let message = error.info().to_owned();
                return refused.then(|| Refusal::NotYaml(at.line(), at.col() + 1, message));
            }
        }
    }
    None
}

/// So many opening brackets the other parser may see in a text that this one does not take to its end.
#[cfg(feature = "yaml")]
const MOST_BRACKETS_UNSEEN: usize = 2_000;

#[cfg(feature = "yaml")]
fn brackets(text: &str) -> usize {
    memchr::memchr2_iter(b'[', b'{', text.as_bytes()).count()
}

/// False only for documents of fewer levels than [`DEEPEST`]: each level of block style needs a column, of which two levels
/// can share one, and each of flow style a bracket.
#[cfg(feature = "yaml")]
fn may_be_deep(text: &str) -> bool {
    const FEW_BRACKETS: usize = 64;
    const FEW_COLUMNS: usize = 31;
    brackets(text) >= FEW_BRACKETS
        || text.lines().any(|line| {
            let indent = line.bytes().take_while(|byte| b" -?:".contains(byte));
            indent.count() >= FEW_COLUMNS
        })
}

/// Looks at the first JSON value of a text.
///
/// # Complexity
/// Linear in the value.
pub(super) fn json(text: &str) -> Option<Refusal> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            // A value without an inside; what follows is another one's.
            _ if depth == 0 && !matches!(byte, b'[' | b'{') => return None,
            b'"' => at = end_of_string(bytes, at),
            b'[' | b'{' => {
                depth += 1;
                if depth > DEEPEST {
                    let before = &text[..at];
                    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
                    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
                    let column = before[line_start..].chars().count() + 1;
                    return Some(Refusal::TooDeep(line, column));
                }
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return None;
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The place of the quote that ends the string which begins at `start`.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += found;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "yaml")]
    #[test]
    fn the_first_level_too_many_is_found() {
        let flow = |levels: usize| format!("a: {}{}\n", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(yaml(&flow(127)), None);
        assert_eq!(yaml(&flow(128)), Some(Refusal::TooDeep(1, 131)));
        for levels in [250, 260, 1_000, 3_000] {
            let refused = yaml(&flow(levels));
            assert!(
                matches!(refused, Some(Refusal::TooDeep(1, _))),
                "{levels}: {refused:?}"
            );
        }
        let block = |levels: usize| format!("a:\n  {}b\n", "- ".repeat(levels));
        assert_eq!(yaml(&block(127)), None);
        assert_eq!(yaml(&block(128)), Some(Refusal::TooDeep(2, 257)));
        let mappings = |levels: usize| {
            let lines = (0..levels).map(|level| format!("{}a:\n", " ".repeat(level)));
            lines.collect::<String>()
        };
        assert_eq!(yaml(&mappings(128)), None);
        assert_eq!(yaml(&mappings(129)), Some(Refusal::TooDeep(129, 129)));
        // Two levels in one column.
        let pairs = |levels: usize| {
            let lines = (0..levels).map(|level| {
                let indent = "  ".repeat(level);
                format!("{indent}a:\n{indent}-\n")
            });
            lines.collect::<String>()
        };
        assert_eq!(yaml(&pairs(64)), None);
        assert!(matches!(yaml(&pairs(65)), Some(Refusal::TooDeep(..))));
    }

    #[cfg(feature = "yaml")]
    #[test]
    fn brackets_in_texts_and_comments_are_none() {
        let quoted = "- '[[[['\n- \"{{{{\"\n# [[[[\n- |\n  [[[[\n- a[b\n".repeat(200);
        assert_eq!(yaml(&quoted), None);
    }

    #[test]
    fn json_is_looked_at_up_to_its_end() {
        let deep =
            |levels: usize| format!("{{\"a\":\n{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(json(&deep(127)), None);
        assert_eq!(json(&deep(128)), Some(Refusal::TooDeep(2, 128)));
        let text = format!("[\"{}\\\"[\"] {}", "[".repeat(200), "[".repeat(200));
        assert_eq!(json(&text), None);
        assert_eq!(json(&format!("\"\"{}", "[".repeat(200))), None);
    }
}
