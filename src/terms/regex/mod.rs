//! RE2 regular expressions: placeholder until the real engine lands.

/// A full-match RE2 regex.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Regex(std::sync::Arc<str>);

impl Regex {
    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `uriRegexRewrite`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewriter(std::sync::Arc<str>);

impl Regex {
    /// Placeholder.
    pub fn is_full_match(&self, text: &[u8]) -> bool {
        self.0.as_bytes() == text
    }
}

impl Rewriter {
    /// Placeholder.
    pub fn replace_all<'t>(&self, path: &'t [u8]) -> std::borrow::Cow<'t, [u8]> {
        std::borrow::Cow::Borrowed(path)
    }
}
