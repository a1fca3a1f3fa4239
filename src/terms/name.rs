//! Names of resources: `namespace/name`, and which texts may be a name or a label at all (R-M-142, R-M-144).

use std::sync::Arc;

/// The name of a namespaced resource; prints `namespace/name`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceName {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl ResourceName {
    /// The name `namespace/name`.
    pub fn new(namespace: &str, name: &str) -> Self {
        ResourceName {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl std::fmt::Display for ResourceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Whether `text` is a DNS-1123 label: lower-case letters, digits and inner `-`, at most 63 bytes (names of namespaces,
/// services and subsets).
pub fn is_dns1123_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    bytes.len() <= 63
        && bytes.first().is_some_and(edge)
        && bytes.last().is_some_and(edge)
        && bytes.iter().all(|b| edge(b) || *b == b'-')
}

/// Whether `text` is a DNS-1123 subdomain: labels joined by dots, at most 253 bytes (names of most Kubernetes objects).
pub fn is_dns1123_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns1123_label_of_any_length)
}

/// A subdomain's labels have no length limit of their own in Kubernetes.
fn is_dns1123_label_of_any_length(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    bytes.first().is_some_and(edge)
        && bytes.last().is_some_and(edge)
        && bytes.iter().all(|b| edge(b) || *b == b'-')
}

/// Whether `text` is a label key: `[prefix/]name` (R-M-144).
pub fn is_label_key(text: &str) -> bool {
    match text.rsplit_once('/') {
        Some((prefix, name)) => is_dns1123_subdomain(prefix) && is_label_name(name),
        None => is_label_name(text),
    }
}

/// Whether `text` is a label value: empty, or like the name of a label key (R-M-144).
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_label_name(text)
}

fn is_label_name(text: &str) -> bool {
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
    fn labels_of_a_dns_name() {
        for good in ["a", "a-b", "0", "a1", &"x".repeat(63)] {
            assert!(is_dns1123_label(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", &"x".repeat(64)] {
            assert!(!is_dns1123_label(bad), "{bad}");
        }
        assert!(is_dns1123_subdomain("a.b-c.d"));
        assert!(!is_dns1123_subdomain("a..b"));
    }

    #[test]
    fn keys_and_values_of_labels() {
        assert!(is_label_key("app.kubernetes.io/name"));
        assert!(is_label_key("A_b.c"));
        assert!(!is_label_key("/a"));
        assert!(!is_label_key("Ab.c/name"));
        assert!(is_label_value(""));
        assert!(is_label_value("v1.2_3"));
        assert!(!is_label_value("v 1"));
    }
}
