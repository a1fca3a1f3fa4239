//! First match without looking at every rule: which rules of a virtual host are worth testing for a request.
//!
//! [`RuleIndex::build`] reads the matches of a rule list in the author's order; [`RuleIndex::first`] answers the number
//! of the first rule that holds, the one that a scan would find. A list of up to twelve rules has no index: a
//! scan is as fast. The index asks the request through [`Facts`]: it looks up the texts that the tests name as their
//! [keys](crate::terms::condition), and makes the tests that a text cannot decide as a scan would.
//!
//! # How
//!
//! ```text
//! block  = entries (rule, what is left to test), in the author's order
//!        + groups, each over some of the rules
//!        + the block of the next shorter prefix
//! group  = a text of the request (path, header, query parameter) -> block     exact by hash, prefixes by radix tree,
//!                                                                            regexes by the literals they must contain
//!        | tests that many rules have in common -> block
//! ```
//! Building goes path first: exact paths, prefixes and regexes (at their literal beginning) become places, short lists
//! are merged with those of shorter prefixes, and every list ends at the first rule that certainly holds. Where rules
//! with conditions crowd (more than `CROWD` at a place or along a chain of prefixes), they are filed by the value of
//! the header or query parameter that tells them apart best, and where there is none, by the tests that they share; what
//! is behind such a key is a block again, built in the same way from the tests that are left.
//!
//! The walk keeps the smallest rule number that held so far. It skips blocks and groups whose rules all come later, so
//! that the order in which it visits them does not matter, and nothing needs to be merged or allocated.

mod blocks;
mod build;
mod checks;
mod exact_table;
mod keys;
mod literal_filter;
mod prefix_tree;
mod text_group;
mod text_order;

use crate::terms::condition::{Facts, RequestMatch, TextOf};
use crate::terms::threads;

use checks::{Answers, Checks};
use text_group::TextTable;

/// Rule lists of up to so many rules have no index.
const SMALL: usize = 12;
/// Lists of up to so many rules within an index are scanned.
const SCAN: usize = 7;
/// Fewer rules to index than this are done before other threads have started.
const WORTHWHILE: usize = 4_000;
/// More rules with conditions than this at one place of a tree, or along one way to it, are filed by their conditions.
const CROWD: usize = 16;
/// How many keys may stand behind each other; what crowds behind them is scanned.
const MAX_DEPTH: usize = 8;

/// An index over the matches of a rule list.
#[derive(Clone)]
pub struct RuleIndex {
    root: u32,
    blocks: Box<[Block]>,
    entries: Box<[Entry]>,
    groups: Box<[Group]>,
    checks: Checks,
}

short_debug! { RuleIndex {root, blocks, entries, groups, checks} }

/// Rules that are worth testing at some place.
#[derive(Clone, Copy, Debug)]
struct Block {
    entries: u32,
    entry_count: u32,
    groups: u32,
    group_count: u32,
    /// The block of a shorter prefix, and the smallest rule number there and above.
    up: u32,
    up_least: u32,
    /// The smallest rule number here and above.
    least: u32,
}

/// A rule, and the list of what is left to test (0: nothing).
#[derive(Clone, Copy, Debug)]
struct Entry {
    rule: u32,
    list: u32,
}

/// Rules behind a key.
#[derive(Clone, Debug)]
struct Group {
    /// The smallest rule number.
    least: u32,
    kind: GroupKind,
}

#[derive(Clone, Debug)]
enum GroupKind {
    /// By a text of the request.
    Text(Box<TextTable>),
    /// Behind a list of tests.
    Gate { list: u32, block: u32 },
}

/// A [`TextOf`] a request that an index keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum KeptText {
    Path,
    Header(Box<str>),
    Query(Box<str>),
}

impl From<TextOf<'_>> for KeptText {
    fn from(text_of: TextOf<'_>) -> Self {
        match text_of {
            TextOf::Path => KeptText::Path,
            TextOf::Header(name) => KeptText::Header(name.into()),
            TextOf::Query(key) => KeptText::Query(key.into()),
        }
    }
}

/// A walk in progress.
struct Search<'w, F> {
    path: &'w [u8],
    facts: &'w F,
    answers: Answers,
    /// The smallest rule number that held so far.
    best: u32,
}

impl RuleIndex {
    /// The index of these matches, in the author's order; `None` where a scan is as good.
    ///
    /// # Complexity
    ///
    /// About linear: some microseconds a rule, whatever the rules are.
    pub fn build<'a>(matches: impl IntoIterator<Item = &'a RequestMatch>) -> Option<Self> {
        let matches = matches.into_iter();
        if matches.size_hint().1.is_some_and(|most| most <= SMALL) {
            return None;
        }
        let matches: Vec<&RequestMatch> = matches.collect();
        (matches.len() > SMALL).then(|| build::build(&matches))
    }

    /// The indexes of several rule lists, given the rules of each as what can be asked for its matches; with the feature
    /// `parallel` on several threads.
    pub(crate) fn build_all<T: Sync>(
        lists: &[Vec<T>],
        matches: impl Fn(&T) -> &RequestMatch + Sync,
    ) -> Vec<Option<Self>> {
        let lengths = lists.iter().map(Vec::len);
        let work: usize = lengths.filter(|length| *length > SMALL).sum();
        threads::map(work > WORTHWHILE, lists, |list| {
            RuleIndex::build(list.iter().map(&matches))
        })
    }

    /// The first rule that holds for a request.
    ///
    /// # Complexity
    ///
    /// One look-up of the path, one for each header or query parameter that crowded rules are filed by, and a test for
    /// each rule at those places. No allocation.
    #[inline]
    pub fn first(&self, facts: &impl Facts) -> Option<usize> {
        let mut walk = Search {
            path: facts.path().as_bytes(),
            facts,
            answers: Answers::default(),
            best: u32::MAX,
        };
        self.visit_block(self.root, &mut walk);
        (walk.best != u32::MAX).then_some(walk.best as usize)
    }

    fn visit_block<F: Facts>(&self, block: u32, walk: &mut Search<'_, F>) {
        let mut block = &self.blocks[block as usize];
        loop {
            let (start, end) = (
                block.entries as usize,
                (block.entries + block.entry_count) as usize,
            );
            let entries = &self.entries[start..end];
            let groups = self.groups_of(block);
            // What begins with the smaller number first: it may make the other needless.
            let groups_first = match (groups, entries) {
                ([], _) => false,
                (_, []) => true,
                ([group, ..], [entry, ..]) => group.least < entry.rule,
            };
            if groups_first {
                self.visit_groups(groups, walk);
            }
            for entry in entries {
                if entry.rule >= walk.best {
                    break;
                }
                if entry.list == 0 || self.checks.hold(entry.list, walk.facts, &mut walk.answers) {
                    walk.best = entry.rule;
                    break;
                }
            }
            if !groups_first {
                self.visit_groups(groups, walk);
            }
            if block.up_least >= walk.best {
                return;
            }
            block = &self.blocks[block.up as usize];
        }
    }

    /// The groups of a block, by their smallest rule numbers.
    #[inline]
    fn groups_of(&self, block: &Block) -> &[Group] {
        match block.group_count {
            0 => &[],
            count => &self.groups[block.groups as usize..(block.groups + count) as usize],
        }
    }

    #[inline]
    fn visit_groups<F: Facts>(&self, groups: &[Group], walk: &mut Search<'_, F>) {
        for group in groups {
            if group.least >= walk.best {
                return;
            }
            self.visit_group(group, walk);
        }
    }

    fn visit_group<F: Facts>(&self, group: &Group, walk: &mut Search<'_, F>) {
        let table = match &group.kind {
            GroupKind::Gate { list, block } => {
                if self.checks.hold(*list, walk.facts, &mut walk.answers) {
                    self.visit_block(*block, walk);
                }
                return;
            }
            GroupKind::Text(table) => table,
        };
        let (path, facts) = (walk.path, walk.facts);
        let mut look_up = |text: &[u8]| {
            table.for_each_block(text, |block| {
                if self.blocks[block as usize].least < walk.best {
                    self.visit_block(block, walk);
                }
            });
        };
        match table.text_of() {
            KeptText::Path => look_up(path),
            KeptText::Header(name) => facts.for_each_value(name, &mut look_up),
            KeptText::Query(key) => {
                if let Some(value) = facts.query_value(key) {
                    look_up(value);
                }
            }
        }
    }

    /// Heap bytes.
    pub fn memory_usage(&self) -> usize {
        let tables = self.groups.iter().map(|group| match &group.kind {
            GroupKind::Text(table) => size_of::<TextTable>() + table.memory_usage(),
            GroupKind::Gate { .. } => 0,
        });
        size_of_val(&*self.blocks)
            + size_of_val(&*self.entries)
            + size_of_val(&*self.groups)
            + self.checks.memory_usage()
            + tables.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::condition::{Condition, PathMatch, QueryMatch, ValueMatch};

    #[test]
    fn indexes_built_at_once_are_those_built_one_by_one() {
        let rule = |list: usize, rule: usize| RequestMatch {
            path: match rule % 3 {
                0 => PathMatch::any(),
                1 => PathMatch::Exact {
                    value: format!("/{list}/{rule}").into(),
                    ignore_case: rule.is_multiple_of(2),
                },
                _ => PathMatch::Prefix {
                    value: format!("/{}", rule % 7).into(),
                    ignore_case: list.is_multiple_of(2),
                },
            },
            conditions: (0..rule % 4)
                .map(|at| {
                    Condition::Query(QueryMatch {
                        key: format!("k{at}").into(),
                        test: ValueMatch::Exact(format!("{rule}").into()),
                    })
                })
                .collect(),
        };
        let list = |at: usize| (0..at % 90).map(|number| rule(at, number)).collect();
        let lists: Vec<Vec<RequestMatch>> = (0..200).map(list).collect();
        assert!(lists.iter().map(Vec::len).sum::<usize>() > WORTHWHILE);
        let together = RuleIndex::build_all(&lists, |rule| rule);
        let alone: Vec<Option<RuleIndex>> = lists.iter().map(RuleIndex::build).collect();
        assert_eq!(format!("{together:?}"), format!("{alone:?}"));
        let bytes = |indexes: &[Option<RuleIndex>]| -> usize {
            indexes.iter().flatten().map(RuleIndex::memory_usage).sum()
        };
        assert_eq!(bytes(&together), bytes(&alone));
        assert!(bytes(&together) > 0);
    }
}
