//! Building: from the tests of all rules to blocks, one key at a time, each block from the tests that its keys leave.

use super::blocks::{Builder, Content};
use super::checks::{Item, PathTest};
use super::text_group::Keyed;
use super::{MAX_DEPTH, RuleIndex, SCAN};
use crate::terms::condition::{IndexKey, RequestMatch, TextOf};

/// Builds the index of a rule list.
pub(super) fn build(matches: &[&RequestMatch]) -> RuleIndex {
    let mut builder = Builder::new(matches);
    let items = (0..matches.len() as u32)
        .map(|rule| builder.checks.item(rule))
        .collect();
    let content = builder.content(items, 0);
    let root = builder.block(content, None);
    builder.finish(root)
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

    /// By their paths: a path test with two keys stands at both places.
    fn by_path(&mut self, items: Vec<Item>, depth: usize) -> Content {
        let (mut sensitive, mut insensitive) = (Vec::with_capacity(items.len()), Vec::new());
        let mut file = |key: IndexKey<'a>, mut item: Item| {
            item.path = match key.is_decisive {
                true => PathTest::Done,
                false => PathTest::Tried,
            };
            let (list, text) = match key.ignore_case {
                true => (&mut insensitive, key.text.to_ascii_lowercase().into()),
                false => (&mut sensitive, key.text.into()),
            };
            list.push(Keyed {
                kind: key.kind,
                text,
                item,
            });
        };
        for item in items {
            let (key, other) = self.checks.path(item.rule).keys();
            if let Some(other) = other {
                file(other, item.clone());
            }
            file(key, item);
        }
        let mut content = Content::default();
        let mut crowded = Vec::new();
        for (fold, keyed) in [(false, sensitive), (true, insensitive)] {
            let (group, left) = self.text_group(TextOf::Path, fold, keyed, depth);
            content.groups.extend(group);
            crowded.extend(left);
        }
        // Their places are given up: the path is to be tested again, unless that has led as far as it can.
        for item in &mut crowded {
            if item.path == PathTest::Done {
                item.path = PathTest::Left;
            }
        }
        crowded.sort_unstable_by_key(|item| item.rule);
        crowded.dedup_by_key(|item| item.rule);
        content.join(self.by_conditions(crowded, depth));
        content
    }
}
