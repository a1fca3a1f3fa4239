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
