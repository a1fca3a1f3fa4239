//! Character classes as RE2 has them: sets of code points, surrogates included, turned into bytes as RE2 does it.
//!
//! RE2 compiles a class to byte sequences and never decodes the text. Two consequences are visible on text that is
//! not UTF-8, and are kept here: surrogates encode like any other code point, and a class that holds
//! everything from U+0080 up takes a shortcut that also admits overlong three- and four-byte forms
//! and values just past U+10FFFF.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir};

use super::class_names::SCRIPTS;

const LAST: u32 = 0x10_FFFF;
const SURROGATES: (u32, u32) = (0xD800, 0xDFFF);

/// A set of code points: sorted, disjoint, inclusive ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CodePoints {
    ranges: Vec<(u32, u32)>,
}

impl CodePoints {
    pub(super) fn all() -> Self {
        Self::of(&[(0, LAST)])
    }

    pub(super) fn of(ranges: &[(u32, u32)]) -> Self {
        let mut set = Self::default();
        set.extend(ranges);
        set
    }

    /// What `.` matches: everything but a newline, unless it may match that too.
    pub(super) fn dot(newline: bool) -> Self {
        if newline {
            Self::all()
        } else {
            Self::of(&[(u32::from('\n'), u32::from('\n'))]).complement()
        }
    }

    /// Adds ranges in any order.
    pub(super) fn extend(&mut self, ranges: &[(u32, u32)]) {
        self.ranges.extend_from_slice(ranges);
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, previous| {
            let touches = next.0 <= previous.1 + 1;
            if touches {
                previous.1 = previous.1.max(next.1);
            }
            touches
        });
    }

    pub(super) fn union(&mut self, other: &Self) {
        self.extend(&other.ranges);
    }

    pub(super) fn complement(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = 0;
        for &(first, last) in &self.ranges {
            if next < first {
                ranges.push((next, first - 1));
            }
            next = last + 1;
        }
        if next <= LAST {
            ranges.push((next, LAST));
        }
        Self { ranges }
    }

    /// Adds every character that differs from a member only in case (Unicode's simple case folding).
    #[must_use]
    pub(super) fn folded(mut self) -> Self {
        let mut class = self.scalar_values();
        if class.try_case_fold_simple().is_ok() {
            self.extend(&ranges_of(&class));
        }
        self
    }

    /// The expression that matches the encoding of one member.
    pub(super) fn to_hir(&self) -> Hir {
        if let [(only, last)] = self.ranges[..]
            && only == last
            && let Some(character) = char::from_u32(only)
        {
            return literal(character);
        }
        if let Some((&(first, LAST), below)) = self.ranges.split_last()
            && first <= 0x80
        {
            return with_everything_above_ascii(below, first);
        }
        let mut alternatives = vec![Hir::class(Class::Unicode(self.scalar_values()))];
        for &(first, last) in &self.ranges {
            let (first, last) = (first.max(SURROGATES.0), last.min(SURROGATES.1));
            if first <= last {
                push_surrogates(first, last, &mut alternatives);
            }
        }
        Hir::alternation(alternatives)
    }

    fn scalar_values(&self) -> ClassUnicode {
        let mut class = ClassUnicode::empty();
        for &(first, last) in &self.ranges {
            let below = (first, last.min(SURROGATES.0 - 1));
            let above = (first.max(SURROGATES.1 + 1), last);
            for (first, last) in [below, above] {
                if let (true, Some(first), Some(last)) =
                    (first <= last, char::from_u32(first), char::from_u32(last))
                {
                    class.push(ClassUnicodeRange::new(first, last));
                }
            }
        }
        class
    }
}

/// One character, as its encoding.
pub(super) fn literal(character: char) -> Hir {
    Hir::literal(character.encode_utf8(&mut [0; 4]).as_bytes())
}

fn ranges_of(class: &ClassUnicode) -> Vec<(u32, u32)> {
    class
        .ranges()
        .iter()
        .map(|range| (u32::from(range.start()), u32::from(range.end())))
        .collect()
}

fn bytes(ranges: &[(u8, u8)]) -> Hir {
    let ranges = ranges
        .iter()
        .map(|&(first, last)| ClassBytesRange::new(first, last));
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}

/// RE2's shortcut for a class that ends in one range from at most U+0080 up to the last code point.
fn with_everything_above_ascii(below: &[(u32, u32)], first: u32) -> Hir {
    let mut ascii: Vec<(u8, u8)> = below
        .iter()
        .map(|&(first, last)| (first as u8, last as u8))
        .collect();
    if first < 0x80 {
        ascii.push((first as u8, 0x7F));
    }
    let continuation = || bytes(&[(0x80, 0xBF)]);
    Hir::alternation(vec![
        bytes(&ascii),
        Hir::concat(vec![bytes(&[(0xC2, 0xDF)]), continuation()]),
        Hir::concat(vec![bytes(&[(0xE0, 0xEF)]), continuation(), continuation()]),
        Hir::concat(vec![
            bytes(&[(0xF0, 0xF4)]),
            continuation(),
            continuation(),
            continuation(),
        ]),
    ])
}

/// Surrogates are ED A0..BF 80..BF: one alternative per run of second bytes with the same third bytes.
fn push_surrogates(first: u32, last: u32, alternatives: &mut Vec<Hir>) {
    let second = |code_point: u32| 0x80 | (code_point >> 6 & 0x3F) as u8;
    let third = |code_point: u32| 0x80 | (code_point & 0x3F) as u8;
    let mut push = |first: u32, last: u32| {
        alternatives.push(Hir::concat(vec![
            bytes(&[(0xED, 0xED)]),
            bytes(&[(second(first), second(last))]),
            bytes(&[(third(first), third(last))]),
        ]));
    };
    let mut first = first;
    while first <= last {
        let row_end = first | 0x3F;
        let end = if first & 0x3F == 0 && last >= row_end {
            // Whole rows, as many as there are.
            ((last + 1) & !0x3F) - 1
        } else {
            row_end.min(last)
        };
        push(first, end);
        first = end + 1;
    }
}

/// The class of a Perl escape such as `\d`, by its lower-case letter: ASCII only, and `\s` without the vertical
/// tab (R-H-087).
pub(super) fn perl(letter: char) -> Option<CodePoints> {
    match letter {
        'd' => Some(of_chars(DIGIT)),
        's' => Some(of_chars(&[('\t', '\n'), ('\x0C', '\r'), (' ', ' ')])),
        'w' => Some(of_chars(WORD)),
        _ => None,
    }
}

/// The class of a POSIX name such as `alpha`.
pub(super) fn posix(name: &str) -> Option<CodePoints> {
    Some(of_chars(match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7F')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1F'), ('\x7F', '\x7F')],
        "digit" => DIGIT,
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => WORD,
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    }))
}

const DIGIT: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

fn of_chars(ranges: &[(char, char)]) -> CodePoints {
    let ranges: Vec<(u32, u32)> = ranges
        .iter()
        .map(|&(first, last)| (first.into(), last.into()))
        .collect();
    CodePoints::of(&ranges)
}

/// The class of a Unicode general category or script, by RE2's exact spelling of its name.
pub(super) fn unicode(name: &str) -> Option<CodePoints> {
    let property = match name {
        "Any" => return Some(CodePoints::all()),
        "Cs" => return Some(CodePoints::of(&[SURROGATES])),
        // RE2's `C` lacks the code points that are not assigned.
        "C" => {
            let mut control = CodePoints::of(&[SURROGATES]);
            for part in ["Cc", "Cf", "Co"] {
                control.union(&unicode(part)?);
            }
            return Some(control);
        }
        "L" | "Ll" | "Lm" | "Lo" | "Lt" | "Lu" | "M" | "Mc" | "Me" | "Mn" | "N" | "Nd" | "Nl"
        | "No" | "P" | "Pc" | "Pd" | "Pe" | "Pf" | "Pi" | "Po" | "Ps" | "S" | "Sc" | "Sk"
        | "Sm" | "So" | "Z" | "Zl" | "Zp" | "Zs" | "Cc" | "Cf" | "Co" => {
            format!(r"\p{{gc={name}}}")
        }
        _ => {
            SCRIPTS.binary_search(&name).ok()?;
            format!(r"\p{{sc={name}}}")
        }
    };
    match regex_syntax::parse(&property).ok()?.into_kind() {
        regex_syntax::hir::HirKind::Class(Class::Unicode(class)) => {
            Some(CodePoints::of(&ranges_of(&class)))
        }
        // A category of one character.
        regex_syntax::hir::HirKind::Literal(literal) => {
            let only = u32::from(std::str::from_utf8(&literal.0).ok()?.chars().next()?);
            Some(CodePoints::of(&[(only, only)]))
        }
        _ => None,
    }
}
