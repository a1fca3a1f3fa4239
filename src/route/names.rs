//! The names in a request, looked up. A few are found by comparing; once a request has cost many comparisons, because it is
//! large and rules ask for many names, its names are put in order, once, and every further one is a search among them.
//!
//! This is the one place where a decision may allocate: ordinary requests never come so far.

use std::cell::{Cell, OnceCell};
use std::cmp::Ordering;

use crate::terms::request::{Protocol, Request};

/// Comparisons of names (some 4 ns each) after which putting all in order is cheap beside what was spent.
const MANY: usize = 8_192;
/// What a look-up in a caller's own source of headers counts for.
const SOURCE: usize = 8;

/// What is known of the names of one request.
#[derive(Debug, Default)]
pub(super) struct Names {
    compared: Cell<usize>,
    /// Header lines by lower-case name.
    lines: OnceCell<Ordered>,
    /// Query parameters.
    parameters: OnceCell<Ordered>,
    /// What `connection` lines name.
    nominated: OnceCell<Ordered>,
}

impl Names {
    /// Calls `visit` with each value of header `name` (lower case), in order and without the blanks around it.
    pub(super) fn for_each_line<'q, 'b: 'q>(
        &'q self,
        request: &Request<'b>,
        name: &str,
        visit: &mut dyn FnMut(&'q [u8]),
    ) {
        let source = request.source.map_or(0, |_| SOURCE);
        // `host` lines are read with the head.
        if !self.is_much(request.headers.len() + source) || name == "host" {
            return request.for_each_value(name, &mut |value| visit(value));
        }
        let lines = self.lines.get_or_init(|| {
            let mut lines = Ordered::default();
            request.for_each_header(&mut |name, value| {
                lines.push(name.to_ascii_lowercase(), value);
            });
            lines.in_order()
        });
        lines.with(name.as_bytes()).for_each(visit);
    }

    /// The first value of header `name` (lower case).
    pub(super) fn first_line<'q, 'b: 'q>(
        &'q self,
        request: &Request<'b>,
        name: &str,
    ) -> Option<&'q [u8]> {
        let mut first = None;
        self.for_each_line(request, name, &mut |value| first = first.or(Some(value)));
        first
    }

    /// The first raw value of parameter `key` of `query`: nothing is decoded, `k` alone is `k=` (R-H-103, R-H-104).
    pub(super) fn parameter<'q>(&'q self, query: &'q str, key: &str) -> Option<&'q [u8]> {
        let pairs = || {
            let pairs = query.split('&');
            pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        };
        if !self.is_much(query.len() / 8) {
            let mut pairs = pairs();
            return pairs.find_map(|(name, value)| (name == key).then_some(value.as_bytes()));
        }
        let parameters = self.parameters.get_or_init(|| {
            let mut parameters = Ordered::default();
            pairs().for_each(|(name, value)| parameters.push(name, value.as_bytes()));
            parameters.in_order()
        });
        parameters.with(key.as_bytes()).next()
    }

    /// Whether a `connection` line says that header `name` (lower case) belongs to one hop.
    pub(super) fn are_nominating(&self, request: &Request<'_>, name: &str) -> bool {
        if request.protocol != Protocol::Http1 {
            return false;
        }
        let (mut found, mut bytes) = (false, 0);
        if !self.is_much(0) {
            self.for_each_line(request, "connection", &mut |value| {
                bytes += value.len();
                found |= tokens(value).any(|token| token.eq_ignore_ascii_case(name.as_bytes()));
            });
            self.is_much(bytes / 8);
            return found;
        }
        let nominated = self.nominated.get_or_init(|| {
            let mut all = Ordered::default();
            self.for_each_line(request, "connection", &mut |value| {
                tokens(value).for_each(|token| all.push(token.to_ascii_lowercase(), b""));
            });
            all.in_order()
        });
        nominated.with(name.as_bytes()).next().is_some()
    }

    /// Whether so many more comparisons are too many.
    #[inline]
    fn is_much(&self, more: usize) -> bool {
        let compared = self.compared.get().saturating_add(more);
        self.compared.set(compared);
        compared > MANY
    }
}

/// What a line of tokens lists.
pub(super) fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}

/// Values by name, those of one name in the order in which they came. Nobody who chooses names can make a search slow.
#[derive(Debug, Default)]
struct Ordered {
    text: Vec<u8>,
    /// Where a name begins in the text, where its value does, and where that ends.
    entries: Vec<(usize, usize, usize)>,
}

impl Ordered {
    fn push(&mut self, name: impl AsRef<[u8]>, value: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(name.as_ref());
        let middle = self.text.len();
        self.text.extend_from_slice(value);
        self.entries.push((start, middle, self.text.len()));
    }

    fn in_order(mut self) -> Self {
        let name = |&(start, middle, _): &(usize, usize, usize)| &self.text[start..middle];
        self.entries.sort_by(|a, b| by_length(name(a), name(b)));
        self
    }

    fn with(&self, name: &[u8]) -> impl Iterator<Item = &[u8]> {
        let name_of = |&(start, middle, _): &(usize, usize, usize)| &self.text[start..middle];
        let from = self
            .entries
            .partition_point(|entry| by_length(name_of(entry), name).is_lt());
        let same = self.entries[from..].iter();
        let count = same.take_while(|entry| name_of(entry) == name).count();
        let same = self.entries[from..from + count].iter();
        same.map(|&(_, middle, end)| &self.text[middle..end])
    }
}

fn by_length(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_h_093_r_h_097_r_h_103_r_h_104_the_same_is_found_before_and_after_names_are_put_in_order() {
        let query = "a=1&b&a=2&=3&A=4&c=5=6&b=7&";
        let request = Request::get("http://h/")
            .header("X-A", " 1 ")
            .header("x-b", "")
            .header("x-a", "2")
            .header("Connection", "x-B, keep-alive")
            .header("connection", "x-c");
        let few = Names::default();
        let many = Names::default();
        assert!(many.is_much(MANY + 1));
        let lines = |names: &Names, name: &str| {
            let mut found = Vec::new();
            names.for_each_line(&request, name, &mut |value| found.push(value.to_vec()));
            assert_eq!(
                names.first_line(&request, name),
                found.first().map(Vec::as_slice)
            );
            found
        };
        for name in ["x-a", "x-b", "x-c", "connection", "host", ""] {
            assert_eq!(lines(&few, name), lines(&many, name), "{name}");
            let nominated = |names: &Names| names.are_nominating(&request, name);
            assert_eq!(nominated(&few), nominated(&many), "{name}");
        }
        assert_eq!(lines(&many, "x-a"), [b"1", b"2"]);
        assert!(many.are_nominating(&request, "x-b"));
        for key in ["a", "b", "", "A", "c", "d"] {
            assert_eq!(
                few.parameter(query, key),
                many.parameter(query, key),
                "{key}"
            );
        }
        assert_eq!(many.parameter(query, "a"), Some(&b"1"[..]));
        assert!(few.lines.get().is_none() && many.lines.get().is_some());
    }
}
