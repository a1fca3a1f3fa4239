//! Secrets and ConfigMaps: which of their values are certificates or keys. The values themselves are not kept, so that nothing
//! can print them.

use std::collections::BTreeMap;

message! {
    /// `v1` Secret.
    pub struct Secret as "Secret" (open) {
        /// What its values are, written as base64.
        "data" data: BTreeMap<String, EncodedValue>,
        /// What its values are, written as they are; these count first.
        "stringData" string_data: BTreeMap<String, PlainValue>,
    }
    ignored ["type", "immutable"]
}

message! {
    /// `v1` ConfigMap.
    pub struct ConfigMap as "ConfigMap" (open) {
        /// What its values are.
        "data" data: BTreeMap<String, PlainValue>,
    }
    ignored ["binaryData", "immutable"]
}

impl Secret {
    /// What the value of this name is; `None`: there is none.
    pub fn value(&self, name: &str) -> Option<ValueKind> {
        let plain = self.string_data.get(name).map(|value| value.0);
        plain.or_else(|| self.data.get(name).map(|value| value.0))
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueKind {
    /// Nothing.
    #[default]
    Empty,
    /// Certificates (PEM).
    Certificates,
    /// A private key (PEM).
    PrivateKey,
    /// Certificates and a private key (PEM).
    Both,
    /// Something else.
    Other,
}

impl ValueKind {
    /// What a text is.
    pub fn of(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let begins = || {
            text.lines()
                .filter_map(|line| line.trim().strip_prefix("-----BEGIN "))
        };
        let is = |what: fn(&str) -> bool| {
            begins().any(|label| label.strip_suffix("-----").is_some_and(what))
        };
        let certificates = is(|label| label == "CERTIFICATE");
        let key = is(|label| label == "PRIVATE KEY" || label.ends_with(" PRIVATE KEY"));
        match (certificates, key) {
            (true, true) => ValueKind::Both,
            (true, false) => ValueKind::Certificates,
            (false, true) => ValueKind::PrivateKey,
            (false, false) if text.is_empty() => ValueKind::Empty,
            (false, false) => ValueKind::Other,
        }
    }

    /// Whether it has certificates.
    pub fn has_certificates(self) -> bool {
        matches!(self, ValueKind::Certificates | ValueKind::Both)
    }

    /// Whether it has a private key.
    pub fn has_private_key(self) -> bool {
        matches!(self, ValueKind::PrivateKey | ValueKind::Both)
    }
}

/// What a value is that was written as base64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EncodedValue(pub ValueKind);

/// What a value is that was written as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PlainValue(pub ValueKind);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_is_known_by_its_labels() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nAA==\n-----END {label}-----\n");
        let kind = |text: &str| ValueKind::of(text.as_bytes());
        assert_eq!(kind(&block("CERTIFICATE")), ValueKind::Certificates);
        assert_eq!(kind(&block("EC PRIVATE KEY")), ValueKind::PrivateKey);
        assert_eq!(kind(&block("PRIVATE KEY")), ValueKind::PrivateKey);
        let both = block("CERTIFICATE") + &block("PRIVATE KEY");
        assert_eq!(kind(&both), ValueKind::Both);
        assert_eq!(kind("nope"), ValueKind::Other);
        assert_eq!(kind(""), ValueKind::Empty);
    }
}
