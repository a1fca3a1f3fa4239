//! The request path as Envoy sees it before anything is matched: from the request target as sent to the normalised
//! `:path`, or to the reason why the request is refused (R-H-069..R-H-073, R-H-075).
//!
//! A path that is normal already, which is nearly every path, is used in place. Another one is rewritten into a buffer
//! on the stack, of 512 bytes, 8 KiB or 64 KiB, whichever is enough; a path whose normal form is longer still is refused,
//! as Envoy refuses a request head of more than 60 KiB.

use crate::terms::path_normalization::{EscapedSlashes, PathHandling};

/// Why a request is refused for its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathFault {
    /// It is empty or does not begin with `/`: 404 (R-H-073).
    NotAbsolute,
    /// It holds a `#` (R-H-072) or a zero byte (R-H-070): 400.
    Malformed,
    /// Its normal form is longer than 64 KiB: 431.
    TooLong,
}

/// A path with its query, in the form in which it is matched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'t> {
    whole: &'t str,
    path_length: usize,
    is_redirected: bool,
}

impl<'t> Target<'t> {
    /// A text, whatever it is: its path ends at the first `?`.
    pub(super) fn new(whole: &'t str) -> Self {
        let query = memchr::memchr(b'?', whole.as_bytes());
        Target {
            path_length: query.unwrap_or(whole.len()),
            whole,
            is_redirected: false,
        }
    }

    /// Path and query.
    pub(super) fn whole(&self) -> &'t str {
        self.whole
    }

    /// Without the query.
    pub(super) fn path(&self) -> &'t str {
        &self.whole[..self.path_length]
    }

    /// Whether the client is to ask for this path instead (R-H-150).
    pub(super) fn is_redirected(&self) -> bool {
        self.is_redirected
    }

    /// What follows the first `?`.
    pub(super) fn query(&self) -> Option<&'t str> {
        self.whole.get(self.path_length + 1..)
    }
}

/// Hands the normal form of `target` (path and query) to `run`. The query is left as it is.
///
/// # Complexity
/// Linear. No allocation.
pub(super) fn with_normal_form<R>(
    target: &str,
    handling: PathHandling,
    run: impl FnOnce(Result<Target<'_>, PathFault>) -> R,
) -> R {
    let bytes = target.as_bytes();
    if bytes.first() != Some(&b'/') {
        return run(Err(PathFault::NotAbsolute));
    }
    let path_length = memchr::memchr2(b'?', b'#', bytes).unwrap_or(bytes.len());
    let (path, query) = target.split_at(path_length);
    // The path itself ends before the first `#`.
    if !query.is_empty() && memchr::memchr(b'#', query.as_bytes()).is_some() {
        return run(Err(PathFault::Malformed));
    }
    if is_normal(path, handling) {
        return run(Ok(Target {
            whole: target,
            path_length,
            is_redirected: false,
        }));
    }
    if handling.escaped_slashes == EscapedSlashes::Reject && has_escaped_slash(path) {
        return run(Err(PathFault::Malformed));
    }
    match longest_form(path) + query.len() {
        ..=512 => in_buffer(&mut [0; 512], path, query, handling, run),
        513..=0x2000 => in_large_buffer::<0x2000, R>(path, query, handling, run),
        0x2001..=0x1_0000 => in_large_buffer::<0x1_0000, R>(path, query, handling, run),
        _ => run(Err(PathFault::TooLong)),
    }
}

// Out of line, so that only a request that needs it pays for the stack.
#[cold]
#[inline(never)]
fn in_large_buffer<const SIZE: usize, R>(
    path: &str,
    query: &str,
    handling: PathHandling,
    run: impl FnOnce(Result<Target<'_>, PathFault>) -> R,
) -> R {
    in_buffer(&mut [0; SIZE], path, query, handling, run)
}

fn in_buffer<R>(
    buffer: &mut [u8],
    path: &str,
    query: &str,
    handling: PathHandling,
    run: impl FnOnce(Result<Target<'_>, PathFault>) -> R,
) -> R {
    let mut out = Output {
        buffer,
        len: 0,
        stray_percent: None,
    };
    if normalize(path.as_bytes(), handling, &mut out).is_err() {
        return run(Err(PathFault::Malformed));
    }
    if handling.merges_slashes {
        out.merge_slashes();
    }
    let path_length = out.len;
    query.bytes().for_each(|byte| out.push(byte));
    // A normal path is ASCII and the query was text already.
    let is_redirected =
        handling.escaped_slashes == EscapedSlashes::Redirect && has_escaped_slash(path);
    let target = std::str::from_utf8(out.written()).map(|whole| Target {
        whole,
        path_length,
        is_redirected,
    });
    run(target.map_err(|_| PathFault::Malformed))
}

/// Whether normalising would change nothing. May say no too often, never yes.
fn is_normal(path: &str, handling: PathHandling) -> bool {
    let merges = handling.merges_slashes;
    if !handling.normalizes {
        let has = |byte| memchr::memchr(byte, path.as_bytes()).is_some();
        let is_other = merges && path.contains("//") || handling.decodes() && has(b'%');
        return !is_other;
    }
    is_plain(path.as_bytes(), merges) || is_normal_by_byte(path, merges)
}

/// Whether all bytes are letters, digits and the like, and no segment begins with a dot: looked at by eight at once. Says no
/// too often.
#[inline]
fn is_plain(path: &[u8], merges: bool) -> bool {
    let Some(last) = path.last_chunk() else {
        return false;
    };
    let mut rest = path;
    let mut after_slash = 0;
    while let Some((word, tail)) = rest.split_first_chunk() {
        let Some(ends_with_slash) = plain_word(*word, after_slash, merges) else {
            return false;
        };
        after_slash = ends_with_slash;
        rest = tail;
    }
    // What is left was looked at with bytes before it, which end with the byte that it follows.
    rest.is_empty() || plain_word(*last, 0, merges).is_some()
}

/// Whether eight bytes are plain: then one, if they end with a slash, or zero; `after_slash` says the same of those before.
#[inline]
fn plain_word(bytes: [u8; 8], after_slash: u64, merges: bool) -> Option<u64> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = EACH << 7;
    let word = u64::from_le_bytes(bytes);
    if word & HIGH != 0 {
        return None;
    }
    // The high bit of each byte from `first` to `last`: none of the sums leaves its byte.
    let within = |word: u64, first: u8, last: u8| {
        (word + EACH * u64::from(0x80 - first)) & !(word + EACH * u64::from(0x7f - last))
    };
    let letters = within(word | (EACH * 0x20), b'a', b'z');
    // `-`, `.`, `/` and digits.
    let others = within(word, b'-', b'9') | within(word, b'_', b'_');
    let slashes = within(word, b'/', b'/') & HIGH;
    let dots = within(word, b'.', b'.');
    let suspicious = if merges { dots | slashes } else { dots };
    let follow = slashes << 8 | after_slash << 7;
    let is_plain = (letters | others) & HIGH == HIGH && suspicious & follow == 0;
    is_plain.then_some(slashes >> 63)
}

fn is_normal_by_byte(path: &str, merges: bool) -> bool {
    let mut previous = 0;
    for byte in path.bytes() {
        let suspicious = match byte {
            b'%' | b'\\' => true,
            b'.' => previous == b'/',
            b'/' => merges && previous == b'/',
            _ => must_escape(byte),
        };
        if suspicious {
            return false;
        }
        previous = byte;
    }
    true
}

/// Whether a slash or a backslash is escaped.
fn has_escaped_slash(path: &str) -> bool {
    let is_one = |three: &[u8]| match *three {
        [b'%', b'2', low] => low.eq_ignore_ascii_case(&b'f'),
        [b'%', b'5', low] => low.eq_ignore_ascii_case(&b'c'),
        _ => false,
    };
    path.as_bytes().windows(3).any(is_one)
}

/// How long the normal form can be at most.
fn longest_form(path: &str) -> usize {
    path.bytes()
        .map(|byte| if must_escape(byte) { 3 } else { 1 })
        .sum()
}

/// Bytes that a path may not hold as they are (R-H-070).
fn must_escape(byte: u8) -> bool {
    matches!(
        byte,
        0..=b' ' | b'"' | b'<' | b'>' | b'?' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x7f..
    )
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// One unit of a path, as the dot segments are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Slash,
    /// A backslash, which becomes a slash, but ends no parameters.
    Backslash,
    /// A dot; written as `%2e` it begins no parameters.
    Dot {
        literal: bool,
    },
    /// `%XX` of this byte, which is none of the above.
    Escape(u8),
    Byte(u8),
    End,
}

/// The unit at the start of `rest`, and its length.
fn unit(rest: &[u8], decodes_slashes: bool) -> (Unit, usize) {
    match *rest {
        [] => (Unit::End, 0),
        [b'/', ..] => (Unit::Slash, 1),
        [b'\\', ..] => (Unit::Backslash, 1),
        [b'.', ..] => (Unit::Dot { literal: true }, 1),
        [b'%', high, low, ..] => match (hex(high), hex(low)) {
            (Some(high), Some(low)) => match high << 4 | low {
                b'.' => (Unit::Dot { literal: false }, 3),
                b'/' if decodes_slashes => (Unit::Slash, 3),
                b'\\' if decodes_slashes => (Unit::Backslash, 3),
                byte => (Unit::Escape(byte), 3),
            },
            _ => (Unit::Byte(b'%'), 1),
        },
        [byte, ..] => (Unit::Byte(byte), 1),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Writes the normal form; `Err` for a zero byte.
fn normalize(path: &[u8], handling: PathHandling, out: &mut Output<'_>) -> Result<(), ()> {
    let decodes = handling.decodes();
    if !handling.normalizes {
        return decode_slashes(path, decodes, out);
    }
    let mut rest = path;
    let mut previous = Unit::End;
    loop {
        let (next, length) = unit(rest, decodes);
        let after = &rest[length..];
        match next {
            Unit::End => return Ok(()),
            Unit::Slash | Unit::Backslash => out.push(b'/'),
            Unit::Dot { .. } if out.ends_with_slash() => {
                match dot_segment(rest, previous == Unit::Slash, decodes) {
                    Some(segment) => {
                        if segment.climbs {
                            out.remove_last_segment();
                        }
                        previous = segment.end;
                        rest = &rest[segment.length..];
                        continue;
                    }
                    None => out.push(b'.'),
                }
            }
            Unit::Dot { .. } => out.push(b'.'),
            Unit::Escape(0) | Unit::Byte(0) => return Err(()),
            Unit::Escape(byte) if is_unreserved(byte) => out.push_decoded(byte, after),
            Unit::Escape(_) => rest[..length].iter().for_each(|&byte| out.push(byte)),
            Unit::Byte(b'%') => out.push_stray_percent(),
            Unit::Byte(byte) if must_escape(byte) => out.push_escaped(byte),
            Unit::Byte(byte) => out.push(byte),
        }
        previous = next;
        rest = after;
    }
}

/// Writes a path that is not normalised, its escaped slashes decoded if they are to be.
fn decode_slashes(path: &[u8], decodes: bool, out: &mut Output<'_>) -> Result<(), ()> {
    let mut rest = path;
    while let Some((&first, after)) = rest.split_first() {
        let (byte, after) = match unit(rest, decodes) {
            (Unit::Slash, length) => (b'/', &rest[length..]),
            (Unit::Backslash, length) => (b'\\', &rest[length..]),
            _ => (first, after),
        };
        out.push(byte);
        rest = after;
    }
    Ok(())
}

/// A `.` or `..` segment.
struct DotSegment {
    climbs: bool,
    /// With the slash that ends it.
    length: usize,
    /// What ends it.
    end: Unit,
}

/// The `.` or `..` segment that `rest` begins with. Parameters belong to it only where all of it is literal,
/// `after_slash` and dots, and they run to the next slash: a backslash is one of theirs.
fn dot_segment(rest: &[u8], after_slash: bool, decodes: bool) -> Option<DotSegment> {
    let (mut climbs, mut length, mut literal) = (false, 0, after_slash);
    loop {
        let (next, step) = unit(&rest[length..], decodes);
        let ends = |end: Unit, length: usize| {
            Some(DotSegment {
                climbs,
                length,
                end,
            })
        };
        match next {
            Unit::End | Unit::Slash | Unit::Backslash => return ends(next, length + step),
            Unit::Dot {
                literal: is_literal,
            } if length == 0 || !climbs => {
                climbs = length > 0;
                literal &= is_literal;
                length += step;
            }
            Unit::Byte(b';') if literal => loop {
                match unit(&rest[length..], decodes) {
                    (end @ (Unit::End | Unit::Slash), step) => return ends(end, length + step),
                    (_, skipped) => length += skipped,
                }
            },
            _ => return None,
        }
    }
}

/// A buffer that is being written. It is as long as the longest form, so that nothing is ever lost.
struct Output<'b> {
    buffer: &'b mut [u8],
    len: usize,
    /// Where the last `%` was written that opens no escape.
    stray_percent: Option<usize>,
}

impl Output<'_> {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.buffer.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn push_escaped(&mut self, byte: u8) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        self.push(b'%');
        self.push(DIGITS[usize::from(byte >> 4)]);
        self.push(DIGITS[usize::from(byte & 15)]);
    }

    fn push_stray_percent(&mut self) {
        self.stray_percent = Some(self.len);
        self.push(b'%');
    }

    /// Writes a byte that was escaped, before `rest`. Where it completes an escape with a stray `%` before it, the percent
    /// sign becomes `%25`: what comes out would otherwise decode to something else once more.
    fn push_decoded(&mut self, byte: u8, rest: &[u8]) {
        self.push(byte);
        let Some(percent) = self.stray_percent else {
            return;
        };
        let is_hex = |digit: Option<&u8>| digit.is_some_and(u8::is_ascii_hexdigit);
        let completes = match self.written().get(percent + 1..) {
            Some([digit]) => is_hex(Some(digit)) && is_hex(rest.first()),
            Some([first, second]) => is_hex(Some(first)) && is_hex(Some(second)),
            _ => false,
        };
        if completes {
            self.push(0);
            self.push(0);
            self.buffer[percent + 1..self.len].rotate_right(2);
            self.buffer[percent + 1..percent + 3].copy_from_slice(b"25");
            self.stray_percent = None;
        }
    }

    fn written(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    fn ends_with_slash(&self) -> bool {
        self.written().ends_with(b"/")
    }

    /// From `/a/b/` to `/a/`; `/` stays.
    fn remove_last_segment(&mut self) {
        let Some((_, before)) = self.written().split_last() else {
            return;
        };
        self.len = before
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(1, |slash| slash + 1);
        self.stray_percent = None;
    }

    /// Several slashes become one; a path of nothing but slashes keeps its first and its last.
    fn merge_slashes(&mut self) {
        if self.len > 1 && self.written().iter().all(|&byte| byte == b'/') {
            self.len = 2;
            return;
        }
        let mut kept = 0;
        for at in 0..self.len {
            let byte = self.buffer[at];
            if byte == b'/' && kept > 0 && self.buffer[kept - 1] == b'/' {
                continue;
            }
            self.buffer[kept] = byte;
            kept += 1;
        }
        self.len = kept;
    }
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
