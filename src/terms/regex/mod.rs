//! RE2 regular expressions with Istio's rules: full match, the syntax that Go and RE2 share, at most 1024 bytes.
//!
//! istiod validates a regex with Go's `regexp` and Envoy runs it with RE2 (R-H-086, R-H-087). Neither is
//! the dialect of the Rust `regex` crate, so `parse` reads RE2's syntax itself; from the expression tree on, the
//! machines are those of `regex-automata`. Text is bytes: what RE2 does with bytes that are not UTF-8 is kept too.
//! `tests/rules/regex.rs` compares all of it with recorded answers of the real RE2.
//!
//! | file | what |
//! |---|---|
//! | `cursor`, `parse`, `parse_class`, `item` | the syntax |
//! | `class`, `class_names` | sets of code points, and the bytes they match |
//! | `literals` | what a match must start with or contain |
//! | `wildcard`, `matcher` | the machines |
//! | `automaton` | the complete machine of one, for questions about all texts |
//! | `budget` | what the machines of many may take |
//! | `rewriter` | `uriRegexRewrite` |

mod automaton;
mod budget;
mod class;
mod class_names;
mod cursor;
mod error;
mod item;
mod literals;
mod matcher;
mod parse;
mod parse_class;
mod rewriter;
mod wildcard;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub(crate) use self::automaton::RegexAutomaton;
pub use self::budget::RegexBudget;
pub use self::error::{RegexError, SyntaxProblem};
pub use self::rewriter::{Rewriter, SubstitutionProblem};

use self::matcher::Matcher;
use self::parse::Captures;

/// The longest pattern that Istio's validation accepts, in bytes (R-H-087).
pub const MAX_PATTERN_BYTES: usize = 1024;

/// A regex that matches whole texts. Cheap to clone; equal if written the same.
///
/// ```
/// # use meshroute::terms::regex::Regex;
/// let regex = Regex::new(r"/v\d+/.*|/legacy")?;
/// assert!(regex.is_full_match(b"/v2/users"));
/// assert!(!regex.is_full_match(b"/legacy/users"));
/// assert!(Regex::new("(?=a)").is_err());
/// # Ok::<(), meshroute::terms::regex::RegexError>(())
/// ```
#[derive(Clone)]
pub struct Regex {
    inner: Arc<Inner>,
}

struct Inner {
    pattern: Box<str>,
    matcher: Matcher,
    prefix: Box<[u8]>,
    required: Box<[u8]>,
}

impl Regex {
    /// Reads and compiles a pattern.
    ///
    /// # Errors
    ///
    /// [`RegexError::TooLong`] over [`MAX_PATTERN_BYTES`], [`RegexError::Syntax`] for what Go's `regexp.Compile` or RE2
    /// refuses, [`RegexError::TooLarge`] for what they accept and no proxy should hold.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        Self::within(pattern, &mut RegexBudget::unlimited())
    }

    /// The same as [`Regex::new`] for one of many: its machine is taken from their budget.
    ///
    /// # Errors
    ///
    /// Those of [`Regex::new`], and [`RegexError::BudgetSpent`].
    pub fn within(pattern: &str, budget: &mut RegexBudget) -> Result<Self, RegexError> {
        check_length(pattern)?;
        let hir = parse::parse(pattern, Captures::Drop)?.hir;
        let prefix = literals::common_prefix(&hir);
        let required = literals::required(&hir);
        // A match contains what it starts with.
        let required = if required.len() < prefix.len() {
            &*prefix
        } else {
            required
        };
        Ok(Self {
            inner: Arc::new(Inner {
                pattern: pattern.into(),
                matcher: Matcher::new(&hir, budget)?,
                required: required.into(),
                prefix,
            }),
        })
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.inner.pattern
    }

    /// Whether the whole text matches.
    ///
    /// # Complexity
    ///
    /// Linear in the text. Never allocates if [`Regex::is_allocation_free`], which is all but the patterns whose
    /// complete automaton would be large.
    #[inline]
    #[must_use]
    pub fn is_full_match(&self, text: &[u8]) -> bool {
        self.inner.matcher.is_full_match(text)
    }

    /// Whether [`Regex::is_full_match`] works without any memory of its own. The other patterns, such as
    /// `(a|b)*a(a|b){20}`, allocate a cache when a thread first meets them.
    #[must_use]
    pub fn is_allocation_free(&self) -> bool {
        self.inner.matcher.is_allocation_free()
    }

    /// Whether it surely matches every text of ASCII without a newline, as `.*` does: so every path and header that
    /// is not malformed. (No pattern that Istio accepts matches all bytes: `.` does not match what is not UTF-8.)
    #[must_use]
    pub fn matches_every_ascii_line(&self) -> bool {
        self.inner.matcher.matches_every_ascii_line()
    }

    /// A text that every matching text starts with; may be empty.
    #[must_use]
    pub fn literal_prefix(&self) -> &[u8] {
        &self.inner.prefix
    }

    /// A text that every matching text contains; may be empty.
    #[must_use]
    pub fn required_literal(&self) -> &[u8] {
        &self.inner.required
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Regex")
            .field(&self.as_str())
            .finish()
    }
}

impl fmt::Display for Regex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Regex {}

impl Hash for Regex {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

fn check_length(pattern: &str) -> Result<(), RegexError> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(RegexError::TooLong {
            length: pattern.len(),
            limit: MAX_PATTERN_BYTES,
        });
    }
    Ok(())
}
