//! Cookies: one by its name in a `cookie` line, and the line that sets one (R-B-03).

use std::fmt::Write;
use std::time::Duration;

/// The value of the first cookie called `name` in a `cookie` line, without the double quotes around it.
pub(crate) fn value<'v>(line: &'v [u8], name: &str) -> Option<&'v [u8]> {
    let pairs = line.split(|byte| *byte == b';');
    let mut named = pairs.filter_map(|pair| {
        let pair = pair.trim_ascii();
        let at = pair.iter().position(|byte| *byte == b'=')?;
        (&pair[..at] == name.as_bytes()).then(|| &pair[at + 1..])
    });
    let value = named.next()?;
    Some(match value {
        [b'"', inner @ .., b'"'] => inner,
        whole => whole,
    })
}

/// Length of the value of a generated cookie.
pub(crate) const GENERATED_LENGTH: usize = 16;

/// The value of a generated cookie as text: its hexadecimal digits.
pub(crate) fn generated(value: u64) -> [u8; GENERATED_LENGTH] {
    std::array::from_fn(|at| b"0123456789abcdef"[(value >> (60 - 4 * at)) as usize & 15])
}

/// The `set-cookie` value of a generated cookie: its value as sixteen hexadecimal digits; no `ttl`: for the session.
pub(crate) fn set_cookie(
    name: &str,
    value: u64,
    ttl: Duration,
    path: &str,
    attributes: &[(Box<str>, Box<str>)],
) -> String {
    let mut out = format!("{name}=\"{value:016x}\"");
    // Writing to a text cannot fail.
    if ttl.as_secs() > 0 {
        let _ = write!(out, "; Max-Age={}", ttl.as_secs());
    }
    if !path.is_empty() {
        let _ = write!(out, "; Path={path}");
    }
    for (attribute, said) in attributes {
        let _ = match said.is_empty() {
            true => write!(out, "; {attribute}"),
            false => write!(out, "; {attribute}={said}"),
        };
    }
    out.push_str("; HttpOnly");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_b_03_a_cookie_is_found_by_its_name() {
        let line = b"a=1; sess=\"x y\"; sess=other";
        assert_eq!(value(line, "sess"), Some(&b"x y"[..]));
        assert_eq!(value(line, "a"), Some(&b"1"[..]));
        assert_eq!(value(line, "ses"), None);
        assert_eq!(value(b"", "a"), None);
    }

    #[test]
    fn r_b_03_a_generated_cookie_as_envoy_writes_it() {
        let minute = Duration::from_secs(60);
        let attributes = [
            ("SameSite".into(), "Lax".into()),
            ("Secure".into(), "".into()),
        ];
        assert_eq!(
            set_cookie("sess", 0xab, minute, "/p", &attributes),
            "sess=\"00000000000000ab\"; Max-Age=60; Path=/p; SameSite=Lax; Secure; HttpOnly"
        );
        assert_eq!(generated(0xab), *b"00000000000000ab");
        assert_eq!(generated(0x0123_4567_89ab_cdef), *b"0123456789abcdef");
        assert_eq!(
            set_cookie("s", 0, Duration::ZERO, "", &[]),
            "s=\"0000000000000000\"; HttpOnly"
        );
    }
}
