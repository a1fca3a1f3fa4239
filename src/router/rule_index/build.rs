//! Building: from the tests of all rules to blocks, one key at a time, each block from the tests that its keys leave.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::checks::{Interner, Item, PathTest};
use super::text_group::{Key, Keyed};
use super::{Block, CROWD, Entry, Group, MAX_DEPTH, RuleIndex, SCAN, Subject};
use crate::terms::condition::{PathMatch, RequestMatch};

/// Lists of up to so many entries are merged with those of shorter prefixes.
const MERGE: usize = 8;

/// An index that is being built.
pub(super) struct Builder<'a> {
    pub(super) checks: Interner<'a>,
    blocks: Vec<Block>,
    entries: Vec<Entry>,
    groups: Vec<Group>,
}

/// What a block will have.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// In the author's order.
    pub(super) entries: SmallVec<[Entry; 4]>,
    pub(super) groups: Vec<Group>,
}

/// Builds the index of a rule list.
pub(super) fn build(matches: &[&RequestMatch]) -> RuleIndex {
    let mut builder = Builder {
        checks: Interner::new(matches),
        blocks: Vec::new(),
        entries: Vec::new(),
        groups: Vec::new(),
    };
    let items = (0..matches.len() as u32)
        .map(|rule| builder.checks.item(rule))
        .collect();
    let content = builder.content(items, 0);
    let root = builder.block(content, None);
    RuleIndex {
        root,
        blocks: builder.blocks.into(),
        entries: builder.entries.into(),
        groups: builder.groups.into(),
        checks: builder.checks.finish(),
    }
}

impl<'a> Builder<'a> {
    /// What a block of these items, in the author's order, has.
    pub(super) fn content(&mut self, mut items: Vec<Item>, depth: usize) -> Content {
        if let Some(certain) = items.iter().position(Item::is_certain) {
            items.truncate(certain + 1);
        }
        if items.len() <= SCAN || depth >= MAX_DEPTH {
            return self.scan(&items);
        }
        if items
            .iter()
            .filter(|item| item.path == PathTest::Left)
            .count()
            <= SCAN
        {
            return self.by_conditions(items, depth);
        }
        let (by_path, rest) = items
            .into_iter()
            .partition(|item| item.path == PathTest::Left);
        let mut content = self.by_path(by_path, depth);
        content.join(self.by_conditions(rest, depth));
        content
    }

    /// All items as entries.
    pub(super) fn scan<'i>(&mut self, items: impl IntoIterator<Item = &'i Item>) -> Content {
        let entries = items.into_iter().map(|item| Entry {
            rule: item.rule,
            list: self.checks.list(item),
        });
        Content {
            entries: entries.collect(),
            groups: Vec::new(),
        }
    }

    fn by_path(&mut self, items: Vec<Item>, depth: usize) -> Content {
        let (mut sensitive, mut insensitive) = (Vec::with_capacity(items.len()), Vec::new());
        for mut item in items {
            let (fold, key, text): (_, _, Cow<'a, [u8]>) = match self.checks.path(item.rule) {
                PathMatch::Exact { value, ignore_case } => {
                    (*ignore_case, Key::Exact, value.as_bytes().into())
                }
                PathMatch::Prefix { value, ignore_case } => {
                    (*ignore_case, Key::Prefix, value.as_bytes().into())
                }
                PathMatch::Regex(regex) => (false, Key::Prefix, regex.literal_prefix().into()),
            };
            item.path = match self.checks.path(item.rule) {
                PathMatch::Regex(_) => PathTest::Tried,
                _ => PathTest::Done,
            };
            if fold {
                let text = text.to_ascii_lowercase().into();
                insensitive.push(Keyed { key, text, item });
            } else {
                sensitive.push(Keyed { key, text, item });
            }
        }
        let mut content = Content::default();
        let mut crowded = Vec::new();
        for (fold, keyed) in [(false, sensitive), (true, insensitive)] {
            let (group, left) = self.text_group(Subject::Path, fold, keyed, depth);
            content.groups.extend(group);
            crowded.extend(left);
        }
        // Their places are given up: the path is to be tested again, unless it was a regex.
        for item in &mut crowded {
            if item.path == PathTest::Done {
                item.path = PathTest::Left;
            }
        }
        crowded.sort_unstable_by_key(|item| item.rule);
        content.join(self.by_conditions(crowded, depth));
        content
    }

    /// Stores a block; `up` is the block of a shorter prefix.
    pub(super) fn block(&mut self, mut content: Content, up: Option<u32>) -> u32 {
        let mut up = up.map(|up| (up, self.blocks[up as usize]));
        if let Some((_, above)) = up
            && content.groups.is_empty()
            && above.group_count == 0
            && content.entries.len() + above.entry_count as usize <= MERGE
        {
            let start = above.entries as usize;
            content
                .entries
                .extend_from_slice(&self.entries[start..start + above.entry_count as usize]);
            content.entries.sort_unstable_by_key(|entry| entry.rule);
            up = (above.up_least != u32::MAX).then(|| (above.up, self.blocks[above.up as usize]));
        }
        content.cut();
        let certain = content
            .entries
            .last()
            .filter(|entry| entry.list == 0)
            .map_or(u32::MAX, |entry| entry.rule);
        content.groups.retain(|group| group.least < certain);
        content.groups.sort_by_key(|group| group.least);
        let up = up.filter(|(_, above)| above.least < certain);
        let (up, up_least) = up.map_or((0, u32::MAX), |(up, above)| (up, above.least));
        let block = Block {
            entries: self.entries.len() as u32,
            entry_count: content.entries.len() as u32,
            groups: self.groups.len() as u32,
            group_count: content.groups.len() as u32,
            up,
            up_least,
            least: content.least().min(up_least),
        };
        self.entries.extend_from_slice(&content.entries);
        self.groups.append(&mut content.groups);
        self.blocks.push(block);
        self.blocks.len() as u32 - 1
    }

    /// The smallest rule number of a block and those above it.
    pub(super) fn least(&self, block: u32) -> u32 {
        self.blocks[block as usize].least
    }
}

impl Content {
    /// Both together.
    pub(super) fn join(&mut self, other: Content) {
        self.entries.extend(other.entries);
        self.entries.sort_unstable_by_key(|entry| entry.rule);
        self.groups.extend(other.groups);
    }

    /// Ends the list at the first rule that certainly holds.
    fn cut(&mut self) {
        if let Some(certain) = self.entries.iter().position(|entry| entry.list == 0) {
            self.entries.truncate(certain + 1);
        }
    }

    fn least(&self) -> u32 {
        let entry = self.entries.first().map(|entry| entry.rule);
        let group = self.groups.iter().map(|group| group.least).min();
        entry.into_iter().chain(group).min().unwrap_or(u32::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.groups.is_empty()
    }
}

/// Whether so many items at one place are filed further.
pub(super) fn is_crowd(count: usize, subject: &Subject) -> bool {
    count
        > if *subject == Subject::Path {
            CROWD
        } else {
            SCAN
        }
}
