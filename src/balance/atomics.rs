//! The atomics that counters are made of, in one place: a model checker puts its own here.

pub(super) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
