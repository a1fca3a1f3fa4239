//! Filing by conditions: by the text that tells crowded rules apart best, or else by the tests that they share.

use std::collections::HashMap;
use std::hash::Hash;

use smallvec::SmallVec;

use super::build::{Builder, Content};
use super::checks::{Item, PathTest};
use super::text_group::{Key, Keyed};
use super::{Group, GroupKind, MAX_DEPTH, SCAN, Subject};
use crate::terms::condition::{Condition, PathMatch, ValueMatch};
use crate::terms::regex::Regex;

/// At most so many headers and query parameters are looked at for one block.
const SUBJECTS: usize = 8;
/// At most so many lists of shared tests are asked for one block.
const GATES: usize = 32;
/// A key that serves fewer rules than this is not worth its look-up.
const WORTHWHILE: usize = 4;

/// A way to file an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Way<'a> {
    text_of: TextOf<'a>,
    key: Key,
    text: &'a [u8],
}

/// A [`Subject`] by reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum TextOf<'a> {
    Path,
    Header(&'a str),
    Query(&'a str),
}

/// A way, and the test that it uses: the path, or a check, which it decides or not.
#[derive(Clone, Copy, Debug)]
struct Offer<'a> {
    way: Way<'a>,
    /// `None`: the path.
    check: Option<u32>,
}

impl<'a> Builder<'a> {
    /// What a block of these items, in the author's order, has, filed by anything but whole paths and their prefixes.
    pub(super) fn by_conditions(&mut self, items: Vec<Item>, depth: usize) -> Content {
        if items.len() <= SCAN || depth >= MAX_DEPTH {
            return self.scan(&items);
        }
        let offers: Vec<SmallVec<[Offer<'a>; 4]>> =
            items.iter().map(|item| self.offers(item)).collect();
        let subjects = subjects(&offers);
        let mut sizes: HashMap<Way<'a>, u32, _> = HashMap::with_hasher(hasher());
        for offer in offers.iter().flatten() {
            *sizes.entry(offer.way).or_default() += 1;
        }

        let mut filed: Vec<Vec<Keyed<'a>>> = subjects.iter().map(|_| Vec::new()).collect();
        let mut rest = Vec::new();
        for (item, offers) in items.into_iter().zip(offers) {
            let places = offers.iter().filter_map(|offer| {
                let place = subjects
                    .iter()
                    .position(|subject| *subject == offer.way.text_of)?;
                Some((sizes[&offer.way], place, offer))
            });
            match places.min_by_key(|(size, place, _)| (*size, *place)) {
                Some((_, place, offer)) => filed[place].push(Keyed {
                    key: offer.way.key,
                    text: offer.way.text.into(),
                    item: self.use_offer(item, offer),
                }),
                None => rest.push(item),
            }
        }

        let mut content = Content::default();
        for (subject, keyed) in subjects.into_iter().zip(filed) {
            let (group, _) = self.text_group(subject.to_subject(), false, keyed, depth + 1);
            content.groups.extend(group);
        }
        content.join(self.by_shared_tests(rest, depth));
        content
    }

    /// The ways to file an item.
    fn offers(&self, item: &Item) -> SmallVec<[Offer<'a>; 4]> {
        let mut offers = SmallVec::new();
        if item.path == PathTest::Tried
            && let PathMatch::Regex(regex) = self.checks.path(item.rule)
            && !regex.required_literal().is_empty()
        {
            let way = Way {
                text_of: TextOf::Path,
                key: Key::Literal,
                text: regex.required_literal(),
            };
            offers.push(Offer { way, check: None });
        }
        for &check in item
            .checks
            .iter()
            .filter(|check| !item.tried.contains(check))
        {
            let (text_of, test) = match self.checks.condition(check) {
                Some(Condition::Header {
                    name,
                    test,
                    invert: false,
                }) => (TextOf::Header(name), test),
                Some(Condition::Query { key, test }) => (TextOf::Query(key), test),
                _ => continue,
            };
            let (key, text) = match test {
                ValueMatch::Exact(text) => (Key::Exact, text.as_bytes()),
                ValueMatch::Prefix(text) => (Key::Prefix, text.as_bytes()),
                ValueMatch::Regex(regex) if !regex.literal_prefix().is_empty() => {
                    (Key::Prefix, regex.literal_prefix())
                }
                ValueMatch::Regex(regex) if !regex.required_literal().is_empty() => {
                    (Key::Literal, regex.required_literal())
                }
                ValueMatch::Regex(_) | ValueMatch::Present => continue,
            };
            offers.push(Offer {
                way: Way { text_of, key, text },
                check: Some(check),
            });
        }
        offers
    }

    /// The item at the place that an offer leads to.
    fn use_offer(&mut self, mut item: Item, offer: &Offer<'a>) -> Item {
        match offer.check {
            // A regex path has led as far as it can; from now on it is a test like any other.
            None => {
                let check = self.checks.path_check(item.rule);
                item.checks.push(check);
                item.checks.sort_unstable();
                item.path = PathTest::Done;
            }
            Some(check) if regex_of(self.checks.condition(check)).is_some() => {
                item.tried.push(check)
            }
            Some(check) => item.checks.retain(|other| *other != check),
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
            if rank >= GATES || items.len() < WORTHWHILE || items[0].checks.is_empty() {
                rest.extend(items);
                continue;
            }
            let mut gate = items[0].clone();
            gate.path = PathTest::Done;
            let list = self.checks.list(&gate);
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
fn subjects<'a>(offers: &[SmallVec<[Offer<'a>; 4]>]) -> Vec<TextOf<'a>> {
    let mut uses: HashMap<TextOf<'a>, usize, _> = HashMap::with_hasher(hasher());
    for offer in offers.iter().flatten() {
        *uses.entry(offer.way.text_of).or_default() += 1;
    }
    let mut subjects: Vec<(usize, TextOf<'a>)> = uses
        .into_iter()
        .map(|(text_of, uses)| (uses, text_of))
        .collect();
    subjects.retain(|(uses, _)| *uses >= WORTHWHILE);
    subjects.sort_unstable_by_key(|(uses, text_of)| (std::cmp::Reverse(*uses), *text_of));
    subjects.truncate(SUBJECTS);
    subjects.into_iter().map(|(_, text_of)| text_of).collect()
}

impl TextOf<'_> {
    fn to_subject(self) -> Subject {
        match self {
            TextOf::Path => Subject::Path,
            TextOf::Header(name) => Subject::Header(name.into()),
            TextOf::Query(key) => Subject::Query(key.into()),
        }
    }
}

fn regex_of(condition: Option<&Condition>) -> Option<&Regex> {
    match condition? {
        Condition::Header {
            test: ValueMatch::Regex(regex),
            ..
        }
        | Condition::Query {
            test: ValueMatch::Regex(regex),
            ..
        } => Some(regex),
        _ => None,
    }
}

fn hasher() -> ahash::RandomState {
    ahash::RandomState::with_seeds(5, 6, 7, 8)
}
