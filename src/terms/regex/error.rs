//! Why a pattern is not a regular expression that Istio and Envoy accept, and where in it.

/// Why a pattern is refused.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegexError {
    /// Longer than Istio allows (R-H-087).
    #[error("the regex is {length} bytes long, the most that Istio allows is {limit}")]
    TooLong {
        /// The length of the pattern in bytes.
        length: usize,
        /// The greatest allowed length in bytes.
        limit: usize,
    },
    /// Not RE2 syntax as both Go (Istio's validation) and RE2 (Envoy) read it.
    #[error("{problem}: `{fragment}` at byte {offset}")]
    Syntax {
        /// What is wrong.
        problem: SyntaxProblem,
        /// The part of the pattern that is wrong.
        fragment: String,
        /// Where that part begins, in bytes from the start of the pattern.
        offset: usize,
    },
    /// Valid, but its compiled form would be larger than any proxy should hold.
    #[error("the regex is too large when compiled (over {limit} bytes)")]
    TooLarge {
        /// The greatest allowed size in bytes.
        limit: usize,
    },
    /// Valid, but there are too many or too large ones before it.
    #[error("all regexes of the configuration take more than {limit} bytes when compiled")]
    BudgetSpent {
        /// The greatest allowed size of all in bytes.
        limit: usize,
    },
}

short_debug! {
    enum RegexError {TooLong {length, limit}, Syntax {problem, fragment, offset}, TooLarge {limit},
    BudgetSpent {limit}}
}

impl RegexError {
    /// Where in the pattern the problem begins, in bytes, if it has a place.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        match self {
            RegexError::Syntax { offset, .. } => Some(*offset),
            RegexError::TooLong { .. }
            | RegexError::TooLarge { .. }
            | RegexError::BudgetSpent { .. } => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            RegexError::TooLong { .. } => {
                "split the match into several rules, or use a prefix match"
            }
            RegexError::TooLarge { .. } => {
                "use smaller repetition counts and fewer Unicode classes"
            }
            RegexError::BudgetSpent { .. } => {
                "use fewer or simpler regexes: prefixes and exact texts cost nothing"
            }
            RegexError::Syntax { problem, .. } => problem.help(),
        }
    }
}

/// What is wrong with the syntax of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxProblem {
    /// `(` without `)`.
    #[error("missing closing )")]
    MissingParenthesis,
    /// `)` without `(`.
    #[error("unexpected )")]
    UnexpectedParenthesis,
    /// `[` without `]`.
    #[error("missing closing ]")]
    MissingBracket,
    /// A backslash at the very end.
    #[error("trailing backslash")]
    TrailingBackslash,
    /// A backslash before something that has no meaning, or a back-reference.
    #[error("invalid escape sequence")]
    InvalidEscape,
    /// A range whose end is before its start, or the unknown name of a class.
    #[error("invalid character class range")]
    InvalidClass,
    /// `*`, `+`, `?` or `{n}` after nothing.
    #[error("missing argument to repetition operator")]
    MissingRepetitionArgument,
    /// Two repetitions in a row, such as `a**`.
    #[error("invalid nested repetition operator")]
    NestedRepetition,
    /// A count over 1000, counts that multiply to over 1000, or a maximum below the minimum.
    #[error("invalid repeat count")]
    RepetitionSize,
    /// `(?` with anything but a name or the flags `imsU`: so also every look-around.
    #[error("invalid or unsupported Perl syntax")]
    UnsupportedGroup,
    /// A group name that is empty or has other characters than letters, digits and `_`.
    #[error("invalid named capture")]
    InvalidName,
}

impl SyntaxProblem {
    fn help(self) -> &'static str {
        match self {
            SyntaxProblem::MissingParenthesis => {
                "close the group, or write `\\(` for a literal parenthesis"
            }
            SyntaxProblem::UnexpectedParenthesis => "write `\\)` for a literal parenthesis",
            SyntaxProblem::MissingBracket => {
                "close the class, or write `\\[` for a literal bracket"
            }
            SyntaxProblem::TrailingBackslash => "write `\\\\` for a literal backslash",
            SyntaxProblem::InvalidEscape => {
                "Istio's regexes are RE2: there are no back-references, no `\\Z`, no `\\C`; letters have an escape only if \
                 RE2's syntax lists it"
            }
            SyntaxProblem::InvalidClass => {
                "write the lower end first; names of classes are those of RE2, in its spelling, such as `[[:alpha:]]` \
                 or `\\p{Greek}`"
            }
            SyntaxProblem::MissingRepetitionArgument => {
                "a regex is not a wildcard pattern: write `.*` for any text, or `\\*` for a literal star"
            }
            SyntaxProblem::NestedRepetition => "put the inner repetition into a group: `(?:a*)*`",
            SyntaxProblem::RepetitionSize => "counts, multiplied where they nest, go up to 1000",
            SyntaxProblem::UnsupportedGroup => {
                "Istio's regexes are RE2: there is no look-around, no atomic group and no flag but `i`, `m`, `s`, `U`"
            }
            SyntaxProblem::InvalidName => "name groups with letters, digits and `_`",
        }
    }
}
