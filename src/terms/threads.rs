//! Work on several threads, with the feature `parallel`; on one without it. Answers are the same, and in the same order.

/// Both answers; on two threads where `worthwhile`.
#[cfg(feature = "parallel")]
pub(crate) fn both<A: Send, B: Send>(
    worthwhile: bool,
    a: impl FnOnce() -> A + Send,
    b: impl FnOnce() -> B + Send,
) -> (A, B) {
    match worthwhile {
        true => rayon::join(a, b),
        false => (a(), b()),
    }
}

/// Both answers.
#[cfg(not(feature = "parallel"))]
pub(crate) fn both<A, B>(
    _worthwhile: bool,
    a: impl FnOnce() -> A,
    b: impl FnOnce() -> B,
) -> (A, B) {
    (a(), b())
}

/// The answer for each item, in their order; on as many threads as there are processors where `worthwhile`.
#[cfg(feature = "parallel")]
pub(crate) fn map<T: Sync, U: Send>(
    worthwhile: bool,
    items: &[T],
    of: impl Fn(&T) -> U + Send + Sync,
) -> Vec<U> {
    use rayon::prelude::*;

    /// Items that a thread takes at once: they differ in size, and taking costs little.
    const PIECE: usize = 8;

    match worthwhile {
        true => items.par_iter().with_min_len(PIECE).map(of).collect(),
        false => items.iter().map(of).collect(),
    }
}

/// The answer for each item, in their order.
#[cfg(not(feature = "parallel"))]
pub(crate) fn map<T, U>(_worthwhile: bool, items: &[T], of: impl Fn(&T) -> U) -> Vec<U> {
    items.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..1_003).collect();
        let squares: Vec<u64> = items.iter().map(|item| item * item).collect();
        for worthwhile in [false, true] {
            assert_eq!(map(worthwhile, &items, |item| item * item), squares);
            assert!(map(worthwhile, &items[..0], |item| item * item).is_empty());
            assert_eq!(both(worthwhile, || 1, || "b"), (1, "b"));
        }
    }
}
