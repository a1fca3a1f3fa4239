//! Header names and values (R-M-156, R-M-157).

use super::Verdict;

/// A header name: a token of RFC 9110.
pub(crate) fn name(text: &str) -> Verdict {
    if text.is_empty() {
        Err("a header name cannot be empty".to_owned())
    } else if text.bytes().all(is_token_byte) {
        Ok(())
    } else {
        Err(format!("`{text}` is not a header name"))
    }
}

/// The name of a header to match: a token or a pseudo header.
pub(crate) fn matched_name(text: &str) -> Verdict {
    match text {
        ":method" | ":scheme" | ":authority" | ":path" | ":status" => Ok(()),
        _ => name(text),
    }
}

/// A name in a CORS list: a token or `*`.
pub(crate) fn cors_name(text: &str) -> Verdict {
    if text == "*" { Ok(()) } else { name(text) }
}

/// A name in `headers.request.set` or `add`: the authority may be set, other pseudo headers may not.
pub(crate) fn settable_on_request(text: &str) -> Verdict {
    if text.is_empty() {
        Err("a header name cannot be empty".to_owned())
    } else if text.starts_with(':') && !is_authority(text) {
        Err(format!("pseudo header `{text}` cannot be changed"))
    } else {
        Ok(())
    }
}

/// A name in any other list of header changes: neither `host` nor a pseudo header.
pub(crate) fn changeable(text: &str) -> Verdict {
    if text.is_empty() {
        Err("a header name cannot be empty".to_owned())
    } else if text.eq_ignore_ascii_case("host") {
        Err(format!("header `{text}` cannot be changed here"))
    } else if text.starts_with(':') {
        Err(format!("pseudo header `{text}` cannot be changed"))
    } else {
        Ok(())
    }
}

/// Whether setting this header rewrites the host (R-H-118).
pub(crate) fn is_authority(name: &str) -> bool {
    name.eq_ignore_ascii_case(":authority") || name.eq_ignore_ascii_case("host")
}

/// A value to set, with Envoy's `%COMMAND%`s: no control characters, every command closed. What the commands are is not
/// looked at (Istio: `ValidateHTTPHeaderValue`).
pub(crate) fn value(text: &str) -> Verdict {
    if text.bytes().any(|b| (b < 0x20 && b != b'\t') || b == 0x7f) {
        return Err("a header value cannot have control characters".to_owned());
    }
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        rest = match after.strip_prefix('%') {
            Some(literal) => literal,
            None => after_command(after).ok_or_else(|| {
                format!(
                    "header value `{text}` has a `%` that opens no well-formed command; write `%%` for a percent sign"
                )
            })?,
        };
    }
    Ok(())
}

/// What follows the command whose text starts here, `NAME%` or `NAME(arguments)%`.
fn after_command(text: &str) -> Option<&str> {
    let end = text.find(['%', '('])?;
    if text[end..].starts_with('%') {
        return Some(&text[end + 1..]);
    }
    let arguments = text[end + 1..].trim_start_matches(' ');
    let after_arguments = match arguments.strip_prefix('[') {
        Some(list) => after_string_list(list)?,
        // Anything else is one bare string up to `)`; its first character is not looked at.
        None => after_bare_string(arguments)?,
    };
    after_arguments.trim_start_matches(' ').strip_prefix('%')
}

/// What follows `)`, after a string without quotes or after the text that follows a quoted one.
fn after_bare_string(text: &str) -> Option<&str> {
    let mut characters = text.char_indices();
    characters.next()?;
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next()?;
            }
            ')' => return Some(&text[at + 1..]),
            '"' => return after_quoted(&text[at + 1..]),
            _ => {}
        }
    }
    None
}

/// What follows the closing `)` of `"a", "b"])`.
fn after_string_list(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches(' ').strip_prefix('"')?;
    loop {
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next()? {
                (_, '\\') => {
                    characters.next()?;
                }
                // Istio ends the arguments at any `)`, also within a string.
                (at, ')') => return Some(&rest[at + 1..]),
                (at, '"') => break at,
                _ => {}
            }
        };
        let after = rest[end + 1..].trim_start_matches(' ');
        match after.strip_prefix(',') {
            Some(next) => rest = next.trim_start_matches(' ').strip_prefix('"')?,
            None => return after.strip_prefix(']').and_then(after_list),
        }
    }
}

/// What follows `)` when a quote within a bare string has begun a list's delimiter.
fn after_quoted(text: &str) -> Option<&str> {
    let after = text.trim_start_matches(' ');
    match after.strip_prefix(',') {
        Some(next) => after_string_list(next),
        None => after.strip_prefix(']').and_then(after_list),
    }
}

fn after_list(text: &str) -> Option<&str> {
    text.trim_start_matches(' ').strip_prefix(')')
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_m_156_names_to_match() {
        for good in ["x-user", "X_Y", ":path", "a!#$%&'*+-.^_`|~"] {
            assert_eq!(matched_name(good), Ok(()), "{good}");
        }
        for bad in ["", "::", ":other", "a b", "a:b", "é"] {
            assert!(matched_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn r_m_157_names_to_change() {
        assert!(settable_on_request("Host").is_ok() && settable_on_request(":Authority").is_ok());
        assert!(settable_on_request(":path").is_err() && settable_on_request("").is_err());
        assert!(changeable("HOST").is_err() && changeable(":authority").is_err());
        assert!(changeable("x-a").is_ok());
    }

    #[test]
    fn r_m_157_values() {
        for good in [
            "",
            "foo",
            "100%%",
            "%HOSTNAME%",
            "a %HOSTNAME% b %REQ(x)%",
            "%DYNAMIC_METADATA([\"com.test\", \"key\"])%",
            "%DYNAMIC_METADATA(com.test.my_filter)%",
            "%REQ(a\\)b)%",
            "tab\there",
        ] {
            assert_eq!(value(good), Ok(()), "{good}");
        }
        for bad in [
            "abc%123",
            "%START_TIME%%",
            "%",
            "%REQ(x)",
            "%REQ(x",
            "%REQ(x):5%",
            "%M([x])%",
            "%M([\"a\" \"b\"])%",
            "a\nb",
            "a\u{7f}",
        ] {
            assert!(value(bad).is_err(), "{bad}");
        }
    }
}
