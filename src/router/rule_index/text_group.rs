//! Rules by a text of the request: whole texts, prefixes and literals, each leading to a block.

use std::borrow::Cow;
use std::ops::Range;

use super::blocks::Builder;
use super::checks::Item;
use super::exact_table::ExactTable;
use super::literal_filter::LiteralFilter;
use super::prefix_tree::{NONE, PrefixTree, Shape};
use super::text_order::sort_by_text;
use super::{CROWD, Group, GroupKind, KeptText, SCAN};
use crate::terms::condition::{KeyKind, TextOf};

/// From a text of the request to blocks.
#[derive(Clone, Debug)]
pub(super) struct TextTable {
    text_of: KeptText,
    exact: Option<ExactTable>,
    prefixes: Option<PrefixTree>,
    literals: Option<LiteralFilter>,
}

impl TextTable {
    /// The text to look up.
    pub(super) fn text_of(&self) -> &KeptText {
        &self.text_of
    }

    /// Calls `visit` with each block that this text leads to. The block of a whole text knows those of its prefixes.
    #[inline]
    pub(super) fn for_each_block(&self, text: &[u8], mut visit: impl FnMut(u32)) {
        let exact = self.exact.as_ref().and_then(|table| table.find(text));
        let direct = match (exact, &self.prefixes) {
            (None, Some(tree)) => tree.find(text),
            _ => exact,
        };
        if let Some(block) = direct {
            visit(block);
        }
        if let Some(filter) = &self.literals {
            filter.for_each(text, visit);
        }
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        self.exact.as_ref().map_or(0, ExactTable::memory_usage)
            + self.prefixes.as_ref().map_or(0, PrefixTree::memory_usage)
            + self
                .literals
                .as_ref()
                .map_or(0, LiteralFilter::memory_usage)
            + match &self.text_of {
                KeptText::Path => 0,
                KeptText::Header(name) | KeptText::Query(name) => name.len(),
            }
    }
}

/// An item under a text, with the tests that the text does not decide.
#[derive(Debug)]
pub(super) struct Keyed<'a> {
    pub(super) kind: KeyKind,
    pub(super) text: Cow<'a, [u8]>,
    pub(super) item: Item,
}

/// Items under different texts of one kind.
struct Places<'a> {
    texts: Vec<Cow<'a, [u8]>>,
    items: Vec<Item>,
    /// The items of each text.
    ranges: Vec<Range<usize>>,
    /// Items that are given up because they crowd.
    crowded: Vec<bool>,
}

impl<'a> Places<'a> {
    fn new(keyed: Vec<Keyed<'a>>) -> Self {
        let mut order: Vec<(u128, u32)> = keyed.iter().map(|_| 0).zip(0..).collect();
        sort_by_text(&mut order, 0, &|at| &*keyed[at as usize].text);
        let mut places = Places {
            texts: Vec::with_capacity(keyed.len()),
            items: Vec::with_capacity(keyed.len()),
            ranges: Vec::with_capacity(keyed.len()),
            crowded: vec![false; keyed.len()],
        };
        let mut keyed: Vec<Option<Keyed<'a>>> = keyed.into_iter().map(Some).collect();
        for (_, at) in order {
            let Some(keyed) = keyed[at as usize].take() else {
                continue;
            };
            let at = places.items.len();
            match places.texts.last() {
                Some(last) if *last == keyed.text => {
                    places.ranges[places.texts.len() - 1].end = at + 1
                }
                _ => {
                    places.texts.push(keyed.text);
                    places.ranges.push(at..at + 1);
                }
            }
            places.items.push(keyed.item);
        }
        places
    }

    fn borrowed(&self) -> Vec<&[u8]> {
        self.texts.iter().map(|text| &**text).collect()
    }

    /// The items of a text that come before `end`, up to the first that certainly holds, and where that is.
    fn reachable(&self, place: usize, end: u32) -> (Range<usize>, u32) {
        let range = self.ranges[place].clone();
        for at in range.clone() {
            if self.items[at].rule > end {
                return (range.start..at, end);
            }
            if self.items[at].is_certain() {
                return (range.start..at + 1, self.items[at].rule);
            }
        }
        (range, end)
    }

    /// How many items of a range depend on something.
    fn uncertain(&self, range: &Range<usize>) -> usize {
        self.items[range.clone()]
            .iter()
            .filter(|item| !item.is_certain())
            .count()
    }

    fn give_up(&mut self, range: Range<usize>) {
        for at in range {
            self.crowded[at] = !self.items[at].is_certain();
        }
    }

    fn kept(&self, range: Range<usize>) -> impl Iterator<Item = &Item> + Clone {
        let all = self.items[range.clone()].iter().zip(&self.crowded[range]);
        all.filter(|(_, crowded)| !**crowded).map(|(item, _)| item)
    }

    fn given_up(&self) -> impl Iterator<Item = Item> {
        self.items
            .iter()
            .zip(&self.crowded)
            .filter(|(_, crowded)| **crowded)
            .map(|(item, _)| item.clone())
    }
}

/// A node of the prefix tree while blocks are made.
#[derive(Clone, Default)]
struct Node {
    /// Its place among the prefixes.
    place: Option<usize>,
    /// Its reachable items.
    items: Range<usize>,
    /// The first rule that certainly holds here.
    certain: u32,
    /// Uncertain items here and above, since the last crowd.
    waiting: usize,
    /// Those above have been given up.
    is_cleared: bool,
    /// The block here or above.
    block: Option<u32>,
}

impl<'a> Builder<'a> {
    /// The group of these items (each kind in the author's order), and the items that crowd along their way.
    pub(super) fn text_group(
        &mut self,
        text_of: TextOf<'a>,
        fold: bool,
        keyed: Vec<Keyed<'a>>,
        depth: usize,
    ) -> (Option<Group>, Vec<Item>) {
        let count = |kind| keyed.iter().filter(|keyed| keyed.kind == kind).count();
        let list = |kind| Vec::with_capacity(count(kind));
        let mut exact = list(KeyKind::Exact);
        let mut prefixes = list(KeyKind::Prefix);
        let mut literals = list(KeyKind::Literal);
        for keyed in keyed {
            match keyed.kind {
                KeyKind::Exact => exact.push(keyed),
                KeyKind::Prefix => prefixes.push(keyed),
                KeyKind::Literal => literals.push(keyed),
            }
        }
        let (mut exact, mut prefixes, literals) = (
            Places::new(exact),
            Places::new(prefixes),
            Places::new(literals),
        );
        let shape = Shape::new(&prefixes.borrowed());
        let mut nodes = reach(&shape, &prefixes);
        let parents: Vec<usize> = exact
            .texts
            .iter()
            .map(|text| shape.deepest(text) as usize)
            .collect();
        if text_of == TextOf::Path {
            give_up_crowds(&shape, &mut nodes, &mut prefixes, &mut exact, &parents);
        }

        let mut least = u32::MAX;
        let mut numbers = vec![NONE; nodes.len()];
        for at in 0..nodes.len() {
            let above = nodes[shape.parents[at] as usize].block;
            let items = prefixes.kept(nodes[at].items.clone());
            nodes[at].block = above;
            if let Some(block) = self.place(items, text_of, above, depth) {
                least = least.min(self.least(block));
                numbers[at] = block;
                nodes[at].block = Some(block);
            }
        }
        let mut exact_blocks = Vec::new();
        for (place, &parent) in parents.iter().enumerate() {
            let (range, _) = exact.reachable(place, nodes[parent].certain);
            let items = exact.kept(range);
            if let Some(block) = self.place(items, text_of, nodes[parent].block, depth) {
                least = least.min(self.least(block));
                exact_blocks.push((&*exact.texts[place], block));
            }
        }
        let mut literal_blocks = Vec::new();
        for (place, text) in literals.texts.iter().enumerate() {
            let items = literals.kept(literals.ranges[place].clone());
            if let Some(block) = self.place(items, text_of, None, depth) {
                least = least.min(self.least(block));
                literal_blocks.push((&**text, block));
            }
        }
        let has_prefixes = numbers.iter().any(|&number| number != NONE);
        let table = TextTable {
            text_of: text_of.into(),
            exact: (!exact_blocks.is_empty()).then(|| ExactTable::new(&exact_blocks, fold)),
            prefixes: has_prefixes.then(|| shape.finish(&numbers, fold)),
            literals: (!literal_blocks.is_empty()).then(|| LiteralFilter::new(&literal_blocks)),
        };
        let crowded = prefixes.given_up().chain(exact.given_up()).collect();
        let group = (least != u32::MAX).then(|| Group {
            least,
            kind: GroupKind::Text(Box::new(table)),
        });
        (group, crowded)
    }

    /// The block of the items at one place, if there are any.
    fn place<'i>(
        &mut self,
        items: impl Iterator<Item = &'i Item> + Clone,
        text_of: TextOf<'_>,
        above: Option<u32>,
        depth: usize,
    ) -> Option<u32> {
        let content = match items.clone().count() {
            0 => return None,
            many if is_crowd(many, text_of) => self.content(items.cloned().collect(), depth + 1),
            _ => self.scan(items),
        };
        (!content.is_empty()).then(|| self.block(content, above))
    }
}

/// Whether so many items at one place are filed further.
fn is_crowd(count: usize, text_of: TextOf<'_>) -> bool {
    count
        > match text_of {
            TextOf::Path => CROWD,
            TextOf::Header(_) | TextOf::Query(_) => SCAN,
        }
}

/// The reachable items of each node: a rule that certainly holds hides all later ones at longer prefixes.
fn reach(shape: &Shape, prefixes: &Places<'_>) -> Vec<Node> {
    let mut nodes = vec![Node::default(); shape.parents.len()];
    for (place, &node) in shape.places.iter().enumerate() {
        nodes[node as usize].place = Some(place);
    }
    for at in 0..nodes.len() {
        let end = if at == 0 {
            u32::MAX
        } else {
            nodes[shape.parents[at] as usize].certain
        };
        nodes[at].certain = end;
        if let Some(place) = nodes[at].place {
            (nodes[at].items, nodes[at].certain) = prefixes.reachable(place, end);
        }
    }
    nodes
}

/// Gives up the uncertain items of nodes and whole texts where more than [`CROWD`] of them would be tested one by one.
/// A crowd at one place stays: its block files it further.
fn give_up_crowds(
    shape: &Shape,
    nodes: &mut [Node],
    prefixes: &mut Places<'_>,
    exact: &mut Places<'_>,
    parents: &[usize],
) {
    for at in 0..nodes.len() {
        let above = &nodes[shape.parents[at] as usize];
        let waiting = if at == 0 || above.is_cleared {
            0
        } else {
            above.waiting
        };
        let own = prefixes.uncertain(&nodes[at].items);
        nodes[at].waiting = waiting + if own > CROWD { 0 } else { own };
        if nodes[at].waiting > CROWD {
            clear(shape, nodes, prefixes, at);
        }
    }
    for (place, &parent) in parents.iter().enumerate() {
        let (range, _) = exact.reachable(place, nodes[parent].certain);
        let own = exact.uncertain(&range);
        let waiting = if nodes[parent].is_cleared {
            0
        } else {
            nodes[parent].waiting
        };
        if own <= CROWD && waiting + own > CROWD {
            exact.give_up(range);
            clear(shape, nodes, prefixes, parent);
        }
    }
}

/// Gives up the items from a node upwards.
fn clear(shape: &Shape, nodes: &mut [Node], prefixes: &mut Places<'_>, from: usize) {
    let mut at = from;
    loop {
        let items = nodes[at].items.clone();
        if prefixes.uncertain(&items) <= CROWD {
            prefixes.give_up(items);
        }
        nodes[at].is_cleared = true;
        let parent = shape.parents[at] as usize;
        if at == parent || nodes[parent].is_cleared {
            return;
        }
        at = parent;
    }
}
