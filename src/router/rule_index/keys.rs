//! Filing by conditions: by the text that tells crowded rules apart best, or else by the tests that they share.

use std::collections::HashMap;
use std::hash::Hash;

use smallvec::SmallVec;

use super::blocks::{Builder, Content};
use super::checks::{Item, PathTest};
use super::text_group::Keyed;
use super::{Group, GroupKind, MAX_DEPTH, SCAN};
use crate::terms::condition::{IndexKey, KeyKind, TextOf};

/// At most so many headers and query parameters are looked at for one block.
const TEXTS: usize = 8;
/// At most so many lists of shared tests are asked for one block.
const SHARED_TESTS: usize = 32;
/// A key that serves fewer rules than this is not worth its look-up.
const WORTHWHILE: usize = 4;

/// A place where items can be filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place<'a> {
    text_of: TextOf<'a>,
    kind: KeyKind,
    text: &'a [u8],
}

/// A key that an item can be filed under, and the test that it is the key of.
#[derive(Clone, Copy, Debug)]
struct Candidate<'a> {
    key: IndexKey<'a>,
    /// `None`: the path.
    check: Option<u32>,
}

impl<'a> Candidate<'a> {
    fn place(&self) -> Place<'a> {
        let IndexKey {
            text_of,
            kind,
            text,
            ..
        } = self.key;
        Place {
            text_of,
            kind,
            text,
        }
    }
}

impl<'a> Builder<'a> {
    /// What a block of these items, in the author's order, has, filed by anything but whole paths and their prefixes.
    pub(super) fn by_conditions(&mut self, items: Vec<Item>, depth: usize) -> Content {
        if items.len() <= SCAN || depth >= MAX_DEPTH {
            return self.scan(&items);
        }
        let candidates: Vec<SmallVec<[Candidate<'a>; 4]>> =
            items.iter().map(|item| self.candidates(item)).collect();
        let texts = most_frequent(&candidates);
        let mut sizes: HashMap<Place<'a>, u32, _> = HashMap::with_hasher(hasher());
        for candidate in candidates.iter().flatten() {
            *sizes.entry(candidate.place()).or_default() += 1;
        }

        let mut filed: Vec<Vec<Keyed<'a>>> = texts.iter().map(|_| Vec::new()).collect();
        let mut rest = Vec::new();
        for (item, candidates) in items.into_iter().zip(candidates) {
            let known = candidates.iter().filter_map(|candidate| {
                let mut texts = texts.iter();
                let rank = texts.position(|text_of| *text_of == candidate.key.text_of)?;
                Some((sizes[&candidate.place()], rank, candidate))
            });
            match known.min_by_key(|(size, rank, _)| (*size, *rank)) {
                Some((_, rank, candidate)) => filed[rank].push(Keyed {
                    kind: candidate.key.kind,
                    text: candidate.key.text.into(),
                    item: self.file_under(item, candidate),
                }),
                None => rest.push(item),
            }
        }

        let mut content = Content::default();
        for (text_of, keyed) in texts.into_iter().zip(filed) {
            let (group, _) = self.text_group(text_of, false, keyed, depth + 1);
            content.groups.extend(group);
        }
        content.join(self.by_shared_tests(rest, depth));
        content
    }

    /// The keys that an item can still be filed under.
    fn candidates(&self, item: &Item) -> SmallVec<[Candidate<'a>; 4]> {
        let mut candidates = SmallVec::new();
        if item.path == PathTest::Tried
            && let Some(key) = self.checks.path(item.rule).literal_key()
        {
            candidates.push(Candidate { key, check: None });
        }
        let left = item.checks.iter().copied();
        let left = left.filter(|check| !item.tried.contains(check));
        candidates.extend(left.filter_map(|check| {
            let key = self.checks.key(check)?;
            let check = Some(check);
            Some(Candidate { key, check })
        }));
        candidates
    }

    /// The item at the place that a candidate leads to.
    fn file_under(&mut self, mut item: Item, candidate: &Candidate<'a>) -> Item {
        match candidate.check {
            // The path has led as far as it can; from now on it is a test like any other.
            None => {
                let check = self.checks.path_check(item.rule);
                item.checks.push(check);
                item.checks.sort_unstable();
                item.path = PathTest::Done;
            }
            Some(check) if candidate.key.is_decisive => item.checks.retain(|other| *other != check),
            Some(check) => item.tried.push(check),
        }
        item
    }

    /// Items that no text tells apart: those with the same conditions stand behind them.
    fn by_shared_tests(&mut self, items: Vec<Item>, depth: usize) -> Content {
        let mut numbers: HashMap<SmallVec<[u32; 4]>, usize, _> = HashMap::with_hasher(hasher());
        let mut alike: Vec<Vec<Item>> = Vec::new();
        for item in items {
            let number = *numbers.entry(item.checks.clone()).or_insert_with(|| {
                alike.push(Vec::new());
                alike.len() - 1
            });
            alike[number].push(item);
        }
        let mut by_size: Vec<usize> = (0..alike.len()).collect();
        by_size.sort_by_key(|&number| std::cmp::Reverse(alike[number].len()));
        let mut rest = Vec::new();
        let mut content = Content::default();
        for (rank, number) in by_size.into_iter().enumerate() {
            let items = std::mem::take(&mut alike[number]);
            if rank >= SHARED_TESTS || items.len() < WORTHWHILE || items[0].checks.is_empty() {
                rest.extend(items);
                continue;
            }
            let mut shared = items[0].clone();
            shared.path = PathTest::Done;
            let list = self.checks.list(&shared);
            let mut behind = items;
            for item in &mut behind {
                item.checks.clear();
            }
            let inner = self.content(behind, depth + 1);
            let block = self.block(inner, None);
            content.groups.push(Group {
                least: self.least(block),
                kind: GroupKind::Gate { list, block },
            });
        }
        rest.sort_unstable_by_key(|item| item.rule);
        content.join(self.scan(&rest));
        content
    }
}

/// The texts that most items can be filed by.
fn most_frequent<'a>(candidates: &[SmallVec<[Candidate<'a>; 4]>]) -> Vec<TextOf<'a>> {
    let mut uses: HashMap<TextOf<'a>, usize, _> = HashMap::with_hasher(hasher());
    for candidate in candidates.iter().flatten() {
        *uses.entry(candidate.key.text_of).or_default() += 1;
    }
    let mut texts: Vec<(usize, TextOf<'a>)> = uses
        .into_iter()
        .map(|(text_of, uses)| (uses, text_of))
        .collect();
    texts.retain(|(uses, _)| *uses >= WORTHWHILE);
    texts.sort_unstable_by_key(|(uses, text_of)| (std::cmp::Reverse(*uses), *text_of));
    texts.truncate(TEXTS);
    texts.into_iter().map(|(_, text_of)| text_of).collect()
}

fn hasher() -> ahash::RandomState {
    ahash::RandomState::with_seeds(5, 6, 7, 8)
}
