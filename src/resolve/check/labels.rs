//! Label keys and values as Istio accepts them (R-M-144): as Kubernetes does, but a key's prefix may have upper case.

use super::Verdict;
use super::domain;

/// A label key: `[prefix/]name`.
pub(crate) fn key(text: &str) -> Verdict {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    let prefix_is_right =
        prefix.is_none_or(|prefix| prefix.len() <= 253 && prefix.split('.').all(domain::is_label));
    if prefix_is_right && is_qualified_name(name) {
        Ok(())
    } else {
        Err(format!("`{text}` is not a label key"))
    }
}

/// A label value: empty, or like the name of a key.
pub(crate) fn value(text: &str) -> Verdict {
    if text.is_empty() || is_qualified_name(text) {
        Ok(())
    } else {
        Err(format!("`{text}` is not a label value"))
    }
}

/// The name part of a Kubernetes key, or a value that is not empty: at most 63 bytes.
pub(super) fn is_qualified_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_m_144_keys_and_values() {
        for good in ["app", "app.kubernetes.io/name", "A_b.c", "Ab.c/name"] {
            assert_eq!(key(good), Ok(()), "{good}");
        }
        for bad in ["", "/a", "a/", "a/b/c", "-a", "a b"] {
            assert!(key(bad).is_err(), "{bad}");
        }
        assert!(value("").is_ok() && value("v1.2_3").is_ok());
        assert!(value("v 1").is_err() && value(&"x".repeat(64)).is_err());
    }
}
