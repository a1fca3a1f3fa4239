//! Texts of any length, made short enough for a line of a log.

use std::fmt::{self, Write as _};

/// So many characters are printed.
const LONGEST: usize = 64;

/// Prints a text in quotes; of a long one, the beginning.
pub(crate) struct Short<'t>(pub &'t str);

impl fmt::Debug for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut escaped = self.0.chars().flat_map(char::escape_debug);
        f.write_char('"')?;
        for character in escaped.by_ref().take(LONGEST) {
            f.write_char(character)?;
        }
        if escaped.next().is_some() {
            f.write_char('…')?;
        }
        f.write_char('"')
    }
}

/// So many bytes are printed of a value of many parts.
const MOST: usize = 400;

/// Prints for `{:?}` what `write` prints, cut where it grows too long; what is cut is not formatted either. `{:#?}` is for
/// whoever wants all of it.
pub(crate) fn limited(
    f: &mut fmt::Formatter<'_>,
    write: impl Fn(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if f.alternate() {
        return write(f);
    }
    let mut limit = Limit {
        out: f,
        left: MOST,
        is_cut: false,
    };
    let written = write!(limit, "{:?}", FromFn(write));
    match limit.is_cut {
        true => f.write_char('…'),
        false => written,
    }
}

struct FromFn<F>(F);

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)(f)
    }
}

/// Takes so many bytes, and refuses the rest.
struct Limit<'w, 'f> {
    out: &'w mut fmt::Formatter<'f>,
    left: usize,
    is_cut: bool,
}

impl fmt::Write for Limit<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut end = text.len().min(self.left);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let part = &text[..end];
        self.left -= part.len();
        self.out.write_str(part)?;
        self.is_cut = part.len() < text.len();
        match self.is_cut {
            true => Err(fmt::Error),
            false => Ok(()),
        }
    }
}

/// `Debug` as it is derived, but [`limited`]. A field that is not named does not compile.
macro_rules! short_debug {
    (@write $f:ident $variant:ident) => {
        $f.write_str(stringify!($variant))
    };
    (@write $f:ident $variant:ident ($($part:ident),*)) => {
        $f.debug_tuple(stringify!($variant))$(.field($part))*.finish()
    };
    (@write $f:ident $variant:ident {$($part:ident),*}) => {
        $f.debug_struct(stringify!($variant))$(.field(stringify!($part), $part))*.finish()
    };
    (enum $name:ident {$($variant:ident $(($($place:ident),*))? $({$($field:ident),*})?),* $(,)?}) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::terms::short::limited(f, |f| match self {
                    $($name::$variant $(($($place),*))? $({$($field),*})? => {
                        short_debug!(@write f $variant $(($($place),*))? $({$($field),*})?)
                    })*
                })
            }
        }
    };
    ($name:ident ($list:ident)) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let Self($list) = self;
                $crate::terms::short::limited(f, |f| short_debug!(@write f $name ($list)))
            }
        }
    };
    ($name:ident $(<$lifetime:lifetime>)? {$($field:ident),* $(,)?}) => {
        impl std::fmt::Debug for $name $(<$lifetime>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let Self {$($field),*} = self;
                $crate::terms::short::limited(f, |f| {
                    short_debug!(@write f $name {$($field),*})
                })
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_many_parts_is_cut_where_it_is_a_line() {
        struct Parts {
            text: String,
            list: Vec<u32>,
        }
        short_debug! { Parts {text, list} }
        let parts = |long: usize| Parts {
            text: "é".repeat(long),
            list: vec![1; long],
        };
        assert_eq!(
            format!("{:?}", parts(1)),
            r#"Parts { text: "é", list: [1] }"#
        );
        for long in [MOST / 2, MOST] {
            let text = format!("{:?}", parts(long));
            assert!(
                text.ends_with('…') && text.len() <= MOST + "…".len(),
                "{text}"
            );
            assert!(format!("{:#?}", parts(long)).len() > 2 * long);
        }
    }

    #[test]
    fn a_long_text_is_cut_and_no_other() {
        let text = |text: &str| format!("{:?}", Short(text));
        assert_eq!(text("a\"b"), r#""a\"b""#);
        assert_eq!(text(&"x".repeat(LONGEST)).len(), LONGEST + 2);
        assert!(text(&"\n".repeat(LONGEST)).ends_with("…\""));
    }
}
