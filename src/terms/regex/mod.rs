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
