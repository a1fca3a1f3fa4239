//! How paths are normalised before they are matched: MeshConfig says it, the walk does it.

/// What is done to a path before it is matched and forwarded (R-H-069, R-H-070).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathNormalization {
    /// Nothing.
    None,
    /// Dot segments, backslashes, escapes of unreserved characters.
    #[default]
    Base,
    /// And `//` becomes `/`.
    MergeSlashes,
    /// And `%2F`, `%5C` are decoded first.
    DecodeAndMergeSlashes,
}

/// What is done with escaped slashes (`%2F`, `%5C`) of a path, before all else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EscapedSlashes {
    /// Nothing.
    #[default]
    Keep,
    /// A request that has one is refused.
    Reject,
    /// They are decoded, and the client is sent to the path that comes out.
    Redirect,
    /// They are decoded.
    Forward,
}

/// What a proxy does to a path, switch by switch: MeshConfig's normalization, perhaps with other words of the proxy's own
/// configuration (R-H-069, R-H-150).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathHandling {
    /// Dot segments, backslashes, escapes of unreserved characters.
    pub normalizes: bool,
    /// `//` becomes `/`.
    pub merges_slashes: bool,
    /// Before both.
    pub escaped_slashes: EscapedSlashes,
}

impl Default for PathHandling {
    fn default() -> Self {
        PathNormalization::default().into()
    }
}

impl From<PathNormalization> for PathHandling {
    fn from(normalization: PathNormalization) -> Self {
        use PathNormalization::{DecodeAndMergeSlashes, MergeSlashes, None};
        PathHandling {
            normalizes: normalization != None,
            merges_slashes: matches!(normalization, MergeSlashes | DecodeAndMergeSlashes),
            escaped_slashes: match normalization {
                DecodeAndMergeSlashes => EscapedSlashes::Forward,
                _ => EscapedSlashes::Keep,
            },
        }
    }
}

impl PathHandling {
    /// Nothing is done.
    pub(crate) const NONE: PathHandling = PathHandling {
        normalizes: false,
        merges_slashes: false,
        escaped_slashes: EscapedSlashes::Keep,
    };

    /// Whether escaped slashes are decoded.
    pub(crate) fn decodes(self) -> bool {
        self.escaped_slashes != EscapedSlashes::Keep
    }
}
