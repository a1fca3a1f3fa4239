//! The blocks of an index that is being built, one stored after the other, each cut at the first rule that certainly holds.

use smallvec::SmallVec;

use super::checks::{Interner, Item};
use super::{Block, Entry, Group, RuleIndex};
use crate::terms::condition::RequestMatch;

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

impl<'a> Builder<'a> {
    /// Nothing is stored yet.
    pub(super) fn new(matches: &'a [&'a RequestMatch]) -> Self {
        Builder {
            checks: Interner::new(matches),
            blocks: Vec::new(),
            entries: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// The index whose walk begins at the block `root`.
    pub(super) fn finish(self, root: u32) -> RuleIndex {
        RuleIndex {
            root,
            blocks: self.blocks.into(),
            entries: self.entries.into(),
            groups: self.groups.into(),
            checks: self.checks.finish(),
        }
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
