//! The parts that the parser joins into larger parts.

use regex_syntax::hir::Hir;

use super::class::CodePoints;

/// A part of the tree that an operator can apply to.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) hir: Hir,
    /// The set that it is, if it is one character or one class.
    pub(super) class: Option<CodePoints>,
    /// The greatest product of nested counts in it.
    pub(super) copies: u32,
}

impl Item {
    pub(super) fn new(hir: Hir) -> Self {
        Self {
            hir,
            class: None,
            copies: 1,
        }
    }

    pub(super) fn of_class(class: CodePoints) -> Self {
        Self {
            hir: class.to_hir(),
            class: Some(class),
            copies: 1,
        }
    }

    /// One after the other.
    pub(super) fn sequence(mut items: Vec<Item>) -> Self {
        if items.len() == 1
            && let Some(only) = items.pop()
        {
            return only;
        }
        Self::join(items, Hir::concat)
    }

    /// One or the other. Neighbours that are classes become one class, as in RE2, which shows where the union has the
    /// shortcut that its parts do not have.
    pub(super) fn alternation(items: Vec<Item>) -> Self {
        let mut merged: Vec<Item> = Vec::with_capacity(items.len());
        for item in items {
            match (merged.last_mut(), &item.class) {
                (
                    Some(Item {
                        class: Some(before),
                        hir,
                        ..
                    }),
                    Some(class),
                ) => {
                    before.union(class);
                    *hir = before.to_hir();
                }
                _ => merged.push(item),
            }
        }
        if merged.len() == 1
            && let Some(only) = merged.pop()
        {
            return only;
        }
        Self::join(merged, Hir::alternation)
    }

    fn join(items: Vec<Item>, how: impl FnOnce(Vec<Hir>) -> Hir) -> Self {
        let copies = items.iter().map(|item| item.copies).max().unwrap_or(1);
        Self {
            hir: how(items.into_iter().map(|item| item.hir).collect()),
            class: None,
            copies,
        }
    }
}
