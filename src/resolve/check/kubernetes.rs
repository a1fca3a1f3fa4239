//! Texts as Kubernetes' API server accepts them: names, labels, ports.

use super::Verdict;
use super::labels::is_qualified_name;

const MAX_SUBDOMAIN: usize = 253;
const MAX_LABEL: usize = 63;
const MAX_PORT_NAME: usize = 15;

/// A name of most kinds (RFC 1123 subdomain): labels of lower-case letters, digits and inner `-`, joined by dots.
pub(crate) fn subdomain(text: &str) -> Verdict {
    match text.len() <= MAX_SUBDOMAIN && text.split('.').all(is_label_of_any_length) {
        true => Ok(()),
        false => Err(format!(
            "`{text}` is not a name that Kubernetes accepts: lower-case letters, digits, `-` and `.`, at most {MAX_SUBDOMAIN}, with a letter or digit around each `.`"
        )),
    }
}

/// A name of a namespace, and of most parts of a resource (RFC 1123 label).
pub(crate) fn label(text: &str) -> Verdict {
    match text.len() <= MAX_LABEL && is_label_of_any_length(text) {
        true => Ok(()),
        false => Err(format!(
            "`{text}` is not a name that Kubernetes accepts here: lower-case letters, digits and inner `-`, at most {MAX_LABEL}"
        )),
    }
}

/// A name of a port of a container, which target ports refer to (IANA service name).
pub(crate) fn port_name(text: &str) -> Verdict {
    let bytes = text.as_bytes();
    let is_name = bytes.len() <= MAX_PORT_NAME
        && is_label_of_any_length(text)
        && bytes.iter().any(u8::is_ascii_lowercase)
        && !text.contains("--");
    match is_name {
        true => Ok(()),
        false => Err(format!(
            "`{text}` is not a port name that Kubernetes accepts: lower-case letters, digits and single inner `-`, at most {MAX_PORT_NAME}, one letter"
        )),
    }
}

/// A key of a label or an annotation: `[prefix/]name`.
pub(crate) fn key(text: &str) -> Verdict {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    let is_prefix = |prefix| subdomain(prefix).is_ok();
    match prefix.is_none_or(is_prefix) && is_qualified_name(name) {
        true => Ok(()),
        false => Err(format!("`{text}` is not a key that Kubernetes accepts")),
    }
}

/// A value of a label.
pub(crate) fn label_value(text: &str) -> Verdict {
    match text.is_empty() || is_qualified_name(text) {
        true => Ok(()),
        false => Err(format!(
            "`{text}` is not a label value that Kubernetes accepts"
        )),
    }
}

/// A protocol of a port; empty means `TCP`.
pub(crate) fn protocol(text: &str) -> Verdict {
    match text {
        "" | "TCP" | "UDP" | "SCTP" => Ok(()),
        _ => Err(format!("`{text}` is not one of `TCP`, `UDP` and `SCTP`")),
    }
}

/// A host name that DNS can be asked for: a [`subdomain`], or one with a dot at its end.
pub(crate) fn dns_name(text: &str) -> Verdict {
    subdomain(text.strip_suffix('.').unwrap_or(text))
}

fn is_label_of_any_length(text: &str) -> bool {
    text.len() <= MAX_SUBDOMAIN
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keys_and_values() {
        let long = "x".repeat(64);
        type Check = fn(&str) -> Verdict;
        type Case<'a> = (Check, &'a [&'a str], &'a [&'a str]);
        let cases: [Case<'_>; 5] = [
            (
                subdomain,
                &["a", "a.b-c.1", &long],
                &["", "A", "a_b", "-a", "a.", ".a", "a..b"],
            ),
            (label, &["a", "1-a"], &["", "a.b", "A", "a-", &long]),
            (
                port_name,
                &["http", "a-1"],
                &["", "1", "a--b", "HTTP", "a-name-too-long-by-far"],
            ),
            (
                key,
                &["app", "a.b/C_d.e"],
                &["", "/a", "a/", "a/b/c", "A.b/c", "a b"],
            ),
            (label_value, &["", "v1.2_3"], &["v 1", "-a", &long]),
        ];
        for (check, good, bad) in cases {
            for text in good {
                assert_eq!(check(text), Ok(()), "{text}");
            }
            for text in bad {
                assert!(check(text).is_err(), "{text}");
            }
        }
    }
}
