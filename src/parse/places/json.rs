//! The index of a JSON document: one walk over its bytes. The document need not be sound; the walk ends where it makes no sense.

use super::index::{Index, Node, Place};

/// How deep the walk goes, which is deeper than the reader does.
const DEEPEST: usize = 200;

/// The index of the first value in `text`.
pub(super) fn index(text: &str) -> Index {
    let mut cursor = Cursor {
        text,
        at: 0,
        index: Index::new(),
    };
    cursor.value(Index::ROOT, 0);
    cursor
        .index
        .note_lines(text.get(..cursor.at).unwrap_or(text));
    cursor.index
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
    index: Index,
}

impl Cursor<'_> {
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let blank = rest
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        self.at += blank;
        rest.get(blank).copied()
    }

    /// Goes over `byte`, if that is what comes next.
    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Walks over one value; `None` where the walk has to end.
    fn value(&mut self, node: Node, depth: usize) -> Option<()> {
        let first = self.peek()?;
        if depth > DEEPEST {
            return None;
        }
        match first {
            b'{' => self.object(node, depth),
            b'[' => self.array(node, depth),
            _ => {
                let place = Place::Byte(self.at);
                self.index.scalar(node, place);
                if first == b'"' {
                    self.string().map(|_| ())
                } else {
                    self.word()
                }
            }
        }
    }

    fn object(&mut self, node: Node, depth: usize) -> Option<()> {
        self.at += 1;
        if self.skip(b'}') {
            return Some(());
        }
        loop {
            self.peek()?;
            let place = Place::Byte(self.at);
            let literal = self.string()?;
            let key = serde_json::from_str(literal).ok()?;
            if !self.skip(b':') {
                return None;
            }
            let value = self.index.add();
            self.index.field(node, key, place, value);
            self.value(value, depth + 1)?;
            if !self.skip(b',') {
                return self.skip(b'}').then_some(());
            }
        }
    }

    fn array(&mut self, node: Node, depth: usize) -> Option<()> {
        self.at += 1;
        if self.skip(b']') {
            return Some(());
        }
        for index in 0.. {
            let element = self.index.add();
            self.index.element(node, index, element);
            self.value(element, depth + 1)?;
            if !self.skip(b',') {
                break;
            }
        }
        self.skip(b']').then_some(())
    }

    /// Goes over a string and returns it with its quotes.
    fn string(&mut self) -> Option<&str> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        if bytes.get(start) != Some(&b'"') {
            return None;
        }
        let mut at = start + 1;
        loop {
            at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
            if bytes[at] == b'"' {
                break;
            }
            at += 2;
        }
        self.at = at + 1;
        self.text.get(start..self.at)
    }

    /// Goes over a number, `true`, `false` or `null`.
    fn word(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
            .count();
        self.at += length;
        (length > 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::field_path::FieldPath;
    use crate::terms::source::FieldPlaces;

    #[test]
    fn every_field_has_its_place() {
        let text = "{\n  \"a\": {\"b\\\"\": [1, {\"c\": \"x\"}]},\n  \"d\": true }";
        let index = index(text);
        let find = |path: &FieldPath, key| index.find(text, &mut path.segments().iter(), key);
        assert_eq!(find(&FieldPath::from("d"), false), (3, 8));
        assert_eq!(find(&FieldPath::from("d"), true), (3, 3));
        assert_eq!(find(&FieldPath::from("a"), false), (2, 3));
        let list = FieldPath::from("a").field("b\"");
        assert_eq!(find(&list, false), (2, 9));
        assert_eq!(find(&list.index(0), false), (2, 17));
        assert_eq!(find(&list.index(1).field("c"), false), (2, 26));
        assert_eq!(find(&list.index(1).field("missing"), false), (2, 21));
        assert_eq!(find(&FieldPath::from("missing"), false), (2, 3));
    }
}
