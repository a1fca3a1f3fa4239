//! Work on several threads, with the feature `parallel`; on one without it. Answers are the same, and in the same order.

/// Both answers; `b` on another thread where `worthwhile`.
#[cfg(feature = "parallel")]
pub(crate) fn both<A, B: Send>(
    worthwhile: bool,
    a: impl FnOnce() -> A,
    b: impl FnOnce() -> B + Send,
) -> (A, B) {
    if !worthwhile || threads() < 2 {
        return (a(), b());
    }
    std::thread::scope(|scope| {
        let b = scope.spawn(b);
        (a(), joined(b))
    })
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
    of: impl Fn(&T) -> U + Sync,
) -> Vec<U> {
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Items that a thread takes at once: they differ in size, and taking costs little.
    const PIECE: usize = 8;

    let threads = threads().min(items.len().div_ceil(PIECE));
    if !worthwhile || threads < 2 {
        return items.iter().map(of).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut pieces = Vec::new();
        loop {
            let start = next.fetch_add(PIECE, Ordering::Relaxed);
            let end = items.len().min(start + PIECE);
            match items.get(start..end) {
                Some(piece @ [_, ..]) => {
                    pieces.push((start, piece.iter().map(&of).collect::<Vec<U>>()));
                }
                _ => return pieces,
            }
        }
    };
    let mut pieces = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut pieces = work();
        others
            .into_iter()
            .for_each(|other| pieces.extend(joined(other)));
        pieces
    });
    pieces.sort_unstable_by_key(|(start, _)| *start);
    pieces.into_iter().flat_map(|(_, piece)| piece).collect()
}

/// The answer for each item, in their order.
#[cfg(not(feature = "parallel"))]
pub(crate) fn map<T, U>(_worthwhile: bool, items: &[T], of: impl Fn(&T) -> U) -> Vec<U> {
    items.iter().map(of).collect()
}

#[cfg(feature = "parallel")]
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Waits for a thread; what it panicked with goes on here.
#[cfg(feature = "parallel")]
fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
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
