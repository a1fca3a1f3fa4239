//! Texts by what tests say of them: all texts of a language fall into finitely many classes, in each of which every test of a
//! list says the same. One walk of the product of three automata finds them: a tree of all exact texts and prefixes (and one
//! of those that ignore case), the regexes that can still match, and the language.

use std::sync::Arc;

use super::language::Language;
use super::set::Set;
use crate::terms::condition::TextTest;
use crate::terms::hash::HashMap;
use crate::terms::regex::RegexAutomaton;

/// Bytes in the order in which they are tried, so that witnesses read well.
const BYTES: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-/._ABCDEFGHIJKLMNOPQRSTUVWXYZ~!$&'()*+,:;=@%[]?#\"<>^`{|}\\ ";

/// The most bytes of the automaton of one regex.
const REGEX_LIMIT: usize = 4 << 20;

/// Of more classes, no second text is looked for.
const MOST_LONGER: usize = 1 << 12;

/// The most bytes of all automata of a walk.
const ALL_REGEXES_LIMIT: usize = 256 << 20;

/// Why texts have not been told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooMuch {
    /// The automaton of the regex at this place of the list is too large.
    Regex(usize),
    /// There are more states than may be visited.
    States,
}

/// The classes of a list of tests.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// Of each class a shortest text.
    pub(super) samples: Vec<String>,
    /// The classes that have no text but their sample.
    pub(super) single: Set,
    /// The classes of which all texts have the length of their sample.
    pub(super) even: Set,
    /// Of paths, a text of each class that is longer than the sample, where a short one is found.
    pub(super) longer: Vec<Option<String>>,
    /// Of each test the classes that pass.
    pub(super) sets: Vec<Set>,
    /// States that were visited.
    pub(super) states: usize,
}

/// Tells texts of `language` apart by `tests`. Of each class that has a text among `preferred`, the first is its sample.
///
/// # Errors
/// [`TooMuch`] where more than `limit` states would be visited.
pub(super) fn classes(
    tests: &[TextTest<'_>],
    language: Language,
    preferred: &[&str],
    limit: usize,
) -> Result<Classes, TooMuch> {
    let mut walk = Walk::new(tests, language)?;
    walk.run(limit)?;
    Ok(walk.finish(tests.len(), preferred))
}

/// A tree of texts; numbers of nodes are in the order of a depth-first walk, so that what is below a node is an interval.
#[derive(Debug, Default)]
struct Tree {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    children: Vec<(u8, u32)>,
    /// Tests for this very text.
    exact: Vec<u32>,
    /// Tests for what begins with it.
    prefix: Vec<u32>,
    /// The nearest node, from here to the root, that is a prefix; `NONE`: there is none.
    covered_by: u32,
    /// The first number that is not below it.
    end: u32,
}

const NONE: u32 = u32::MAX;

impl Tree {
    /// `(text, test, is prefix)`.
    fn new(mut texts: Vec<(Vec<u8>, u32, bool)>) -> Self {
        texts.sort();
        let mut tree = Tree {
            nodes: vec![Node::default()],
        };
        // The nodes from the root to the text before.
        let mut path: Vec<u32> = vec![0];
        let mut previous: Vec<u8> = Vec::new();
        for (text, test, is_prefix) in texts {
            let pairs = text.iter().zip(&previous);
            let common = pairs.take_while(|(byte, other)| byte == other).count();
            path.truncate(common + 1);
            for &byte in &text[common..] {
                let number = tree.nodes.len() as u32;
                tree.nodes.push(Node::default());
                let parent = path[path.len() - 1] as usize;
                tree.nodes[parent].children.push((byte, number));
                path.push(number);
            }
            let node = &mut tree.nodes[path[path.len() - 1] as usize];
            match is_prefix {
                true => node.prefix.push(test),
                false => node.exact.push(test),
            }
            previous = text;
        }
        let count = tree.nodes.len();
        for number in 0..count {
            if number == 0 {
                tree.nodes[0].covered_by = NONE;
            }
            if !tree.nodes[number].prefix.is_empty() {
                tree.nodes[number].covered_by = number as u32;
            }
            let (covered_by, children) = {
                let node = &tree.nodes[number];
                (node.covered_by, node.children.clone())
            };
            for (_, child) in children {
                tree.nodes[child as usize].covered_by = covered_by;
            }
        }
        for number in (0..count).rev() {
            let last = tree.nodes[number].children.last();
            let end = last.map_or(number as u32 + 1, |&(_, child)| {
                tree.nodes[child as usize].end
            });
            tree.nodes[number].end = end;
        }
        tree
    }

    /// Twice the node and one, or twice the prefix that covers what has left the tree.
    fn next(&self, place: u32, byte: u8) -> u32 {
        if place & 1 == 0 {
            return place;
        }
        let node = &self.nodes[(place >> 1) as usize];
        match node.children.iter().find(|(own, _)| *own == byte) {
            Some(&(_, child)) => child << 1 | 1,
            None => Self::outside(node.covered_by),
        }
    }

    fn outside(covered_by: u32) -> u32 {
        covered_by.wrapping_add(1) << 1
    }

    /// What tests say at a place: `2 (node + 1) + 1` where it is an exact text, else `2 (prefix + 1)`, 0 for none.
    fn label(&self, place: u32) -> u32 {
        if place & 1 == 0 {
            return place;
        }
        let number = place >> 1;
        let node = &self.nodes[number as usize];
        match node.exact.is_empty() {
            false => (number + 1) << 1 | 1,
            true => Self::outside(node.covered_by),
        }
    }

    /// Calls `visit` with each test that passes at a label.
    fn tests_at(&self, label: u32, visit: &mut dyn FnMut(u32)) {
        let Some(mut number) = (label >> 1).checked_sub(1) else {
            return;
        };
        if label & 1 == 1 {
            self.nodes[number as usize]
                .exact
                .iter()
                .for_each(|&test| visit(test));
        }
        loop {
            let covered_by = self.nodes[number as usize].covered_by;
            let Some(node) = self.nodes.get(covered_by as usize) else {
                return;
            };
            node.prefix.iter().for_each(|&test| visit(test));
            // The parent of a prefix is covered by the next one.
            let above = self.above(covered_by);
            match above {
                Some(next) => number = next,
                None => return,
            }
        }
    }

    /// The prefix above a prefix.
    fn above(&self, number: u32) -> Option<u32> {
        let parent = self.parent(number)?;
        let covered_by = self.nodes[parent as usize].covered_by;
        (covered_by != NONE).then_some(covered_by)
    }

    fn parent(&self, number: u32) -> Option<u32> {
        // Parents come before their children: the last node before it that has it below itself.
        let mut at = 0_u32;
        if number == 0 {
            return None;
        }
        loop {
            let children = &self.nodes[at as usize].children;
            let after = children.partition_point(|&(_, child)| child <= number);
            let &(_, child) = children.get(after.checked_sub(1)?)?;
            if child == number {
                return Some(at);
            }
            at = child;
        }
    }
}

/// Where the walk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    /// In the tree: twice the node and one; outside: twice one more than the prefix that covers it.
    text: u32,
    /// The same in lower case.
    folded: u32,
    /// The regexes that can still match, each with its state.
    live: u32,
    language: u16,
}

struct Walk {
    language: Language,
    text: Tree,
    folded: Tree,
    /// `(test, automaton)`
    regexes: Vec<(u32, RegexAutomaton)>,
    /// Tests that always pass.
    any: Vec<u32>,
    live: Vec<Arc<[(u32, u32)]>>,
    live_numbers: HashMap<Arc<[(u32, u32)]>, u32>,
    /// Of each set of live regexes, the next ones by byte; made when first needed.
    moves: Vec<Option<Arc<[u32; 128]>>>,
    accepted: Vec<Option<u32>>,
    accepted_sets: Vec<Arc<[u32]>>,
    accepted_numbers: HashMap<Arc<[u32]>, u32>,
    states: Vec<State>,
    /// Where each state was first reached from.
    parents: Vec<(u32, u8)>,
    numbers: HashMap<State, u32>,
    /// From what the automata say to the states where they do, the first first.
    labels: HashMap<Label, Vec<u32>>,
    /// Which state is reached from which.
    edges: Vec<(u32, u32)>,
    /// What is known of the texts that lead to each state.
    reached: Vec<Reached>,
}

/// What the trees and the regexes say of a text.
type Label = (u32, u32, u32);

/// The texts that lead to a state.
#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    /// The length of the shortest.
    length: u32,
    /// There are several.
    is_many: bool,
    /// They differ in length.
    is_uneven: bool,
}

impl Walk {
    fn new(tests: &[TextTest<'_>], language: Language) -> Result<Self, TooMuch> {
        let (mut text, mut folded) = (Vec::new(), Vec::new());
        let (mut regexes, mut any) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        for (place, test) in tests.iter().enumerate() {
            let number = place as u32;
            let mut add = |bytes: Vec<u8>, is_prefix, ignore_case| match ignore_case {
                true => folded.push((bytes.to_ascii_lowercase(), number, is_prefix)),
                false => text.push((bytes, number, is_prefix)),
            };
            match *test {
                TextTest::Any => any.push(number),
                TextTest::Exact { text, ignore_case } => add(text.into(), false, ignore_case),
                TextTest::Prefix { text, ignore_case } => add(text.into(), true, ignore_case),
                TextTest::Below { text, ignore_case } => {
                    add(text.into(), false, ignore_case);
                    add([text, "/"].concat().into(), true, ignore_case);
                }
                TextTest::Regex(regex) => match regex.automaton(REGEX_LIMIT) {
                    Some(automaton) if bytes < ALL_REGEXES_LIMIT => {
                        bytes += automaton.memory_usage();
                        regexes.push((number, automaton));
                    }
                    _ => return Err(TooMuch::Regex(place)),
                },
            }
        }
        Ok(Walk {
            language,
            text: Tree::new(text),
            folded: Tree::new(folded),
            regexes,
            any,
            live: Vec::new(),
            live_numbers: HashMap::default(),
            moves: Vec::new(),
            accepted: Vec::new(),
            accepted_sets: Vec::new(),
            accepted_numbers: HashMap::default(),
            states: Vec::new(),
            parents: Vec::new(),
            numbers: HashMap::default(),
            labels: HashMap::default(),
            edges: Vec::new(),
            reached: Vec::new(),
        })
    }

    fn run(&mut self, limit: usize) -> Result<(), TooMuch> {
        let at_start = (0_u32..).zip(&self.regexes);
        let at_start = at_start.map(|(place, (_, automaton))| (place, automaton.start()));
        let at_start: Arc<[(u32, u32)]> = at_start.collect();
        let live = self.live_number(at_start);
        let start = State {
            text: 1,
            folded: 1,
            live,
            language: Language::START,
        };
        self.visit(start, (NONE, 0));
        let mut at = 0;
        let mut seen: Vec<((u32, u16), u32)> = Vec::new();
        // What a walk over many regexes holds is counted with the states.
        while at < self.states.len() {
            let held: usize = self.states.len() + self.live.len() * 16;
            if held > limit {
                return Err(TooMuch::States);
            }
            let state = self.states[at];
            let moves = self.moves_of(state.live);
            seen.clear();
            for &byte in BYTES {
                let Some(language) = self.language.next(state.language, byte) else {
                    continue;
                };
                let live = moves[usize::from(byte)];
                let text = self.text.next(state.text, byte);
                let folded = self.folded.next(state.folded, byte.to_ascii_lowercase());
                if text & 1 == 0 && folded & 1 == 0 {
                    // Outside of both trees, bytes are alike where the others go the same way.
                    let known = seen.iter().find(|(others, _)| *others == (live, language));
                    if let Some(&(_, number)) = known {
                        self.reached[number as usize].is_many = true;
                        continue;
                    }
                }
                let next = State {
                    text,
                    folded,
                    live,
                    language,
                };
                let number = self.visit(next, (at as u32, byte));
                self.edges.push((at as u32, number));
                if text & 1 == 0 && folded & 1 == 0 {
                    seen.push(((live, language), number));
                }
            }
            at += 1;
        }
        self.spread();
        Ok(())
    }

    /// What several texts lead to, they lead on from.
    fn spread(&mut self) {
        let mut next: HashMap<u32, Vec<u32>> = HashMap::default();
        let mut changed = Vec::new();
        for &(from, to) in &self.edges {
            let reached = self.reached[from as usize];
            if !(reached.is_many && reached.is_uneven) {
                next.entry(from).or_default().push(to);
            }
        }
        changed.extend((0..self.reached.len() as u32).filter(|at| {
            let reached = self.reached[*at as usize];
            reached.is_many || reached.is_uneven
        }));
        // Those that were known from the first have their edges, too, where one of the two may still change.
        for &(from, to) in &self.edges {
            let from = self.reached[from as usize];
            if from.is_many && from.is_uneven {
                let reached = &mut self.reached[to as usize];
                if !(reached.is_many && reached.is_uneven) {
                    reached.is_many = true;
                    reached.is_uneven = true;
                    changed.push(to);
                }
            }
        }
        while let Some(at) = changed.pop() {
            let from = self.reached[at as usize];
            for &to in next.get(&at).into_iter().flatten() {
                let reached = &mut self.reached[to as usize];
                let (many, uneven) = (reached.is_many, reached.is_uneven);
                reached.is_many |= from.is_many;
                reached.is_uneven |= from.is_uneven;
                if (many, uneven) != (reached.is_many, reached.is_uneven) {
                    changed.push(to);
                }
            }
        }
    }

    /// The number of a state, which is reached from `parent`.
    fn visit(&mut self, state: State, parent: (u32, u8)) -> u32 {
        let number = self.states.len() as u32;
        let above = self.reached.get(parent.0 as usize);
        let length = above.map_or(0, |above| above.length + 1);
        match self.numbers.entry(state) {
            std::collections::hash_map::Entry::Occupied(known) => {
                let number = *known.get();
                let reached = &mut self.reached[number as usize];
                reached.is_many = true;
                reached.is_uneven |= reached.length != length;
                return number;
            }
            std::collections::hash_map::Entry::Vacant(place) => place.insert(number),
        };
        self.states.push(state);
        self.parents.push(parent);
        self.reached.push(Reached {
            length,
            ..Reached::default()
        });
        if self.language.accepts(state.language) {
            let label = (
                self.text.label(state.text),
                self.folded.label(state.folded),
                self.accepted_at(state.live),
            );
            self.labels.entry(label).or_default().push(number);
        }
        number
    }

    fn live_number(&mut self, live: Arc<[(u32, u32)]>) -> u32 {
        if let Some(&number) = self.live_numbers.get(&live) {
            return number;
        }
        let number = self.live.len() as u32;
        self.live.push(Arc::clone(&live));
        self.moves.push(None);
        self.accepted.push(None);
        self.live_numbers.insert(live, number);
        number
    }

    fn moves_of(&mut self, live: u32) -> Arc<[u32; 128]> {
        if let Some(Some(moves)) = self.moves.get(live as usize) {
            return Arc::clone(moves);
        }
        let from = Arc::clone(&self.live[live as usize]);
        let mut moves = [live; 128];
        if !from.is_empty() {
            for &byte in BYTES {
                let next = from.iter().filter_map(|&(regex, state)| {
                    let (_, automaton) = &self.regexes[regex as usize];
                    Some((regex, automaton.next(state, byte)?))
                });
                let next: Arc<[(u32, u32)]> = next.collect();
                moves[usize::from(byte)] = self.live_number(next);
            }
        }
        let moves = Arc::new(moves);
        self.moves[live as usize] = Some(Arc::clone(&moves));
        moves
    }

    fn accepted_at(&mut self, live: u32) -> u32 {
        if let Some(Some(number)) = self.accepted.get(live as usize) {
            return *number;
        }
        let all = self.live[live as usize].iter();
        let accepted = all.filter(|(regex, state)| self.regexes[*regex as usize].1.accepts(*state));
        let accepted: Arc<[u32]> = accepted.map(|(regex, _)| *regex).collect();
        let number = match self.accepted_numbers.get(&accepted) {
            Some(&number) => number,
            None => {
                let number = self.accepted_sets.len() as u32;
                self.accepted_sets.push(Arc::clone(&accepted));
                self.accepted_numbers.insert(accepted, number);
                number
            }
        };
        self.accepted[live as usize] = Some(number);
        number
    }

    fn finish(self, test_count: usize, preferred: &[&str]) -> Classes {
        let mut labels: Vec<(Label, u32)> = self
            .labels
            .iter()
            .map(|(label, states)| (*label, states[0]))
            .collect();
        labels.sort_unstable();
        let known = |state: u32| self.reached[state as usize];
        let is_single =
            |label: &Label| matches!(self.labels[label][..], [only] if !known(only).is_many);
        let is_even = |label: &Label| {
            let states = &self.labels[label];
            let length = known(states[0]).length;
            states
                .iter()
                .all(|&state| !known(state).is_uneven && known(state).length == length)
        };
        let those = |test: &dyn Fn(&Label) -> bool| {
            let passing = (0..).zip(&labels).filter(|(_, (label, _))| test(label));
            Set::of(passing.map(|(number, _)| number).collect())
        };
        let (single, even) = (those(&is_single), those(&is_even));
        let mut samples: Vec<String> = labels
            .iter()
            .map(|&(_, state)| self.text_to(state))
            .collect();
        for text in preferred.iter().rev() {
            let found = self.label_of(text).and_then(|label| {
                let at = labels.binary_search_by_key(&label, |&(label, _)| label);
                at.ok()
            });
            if let Some(at) = found {
                samples[at] = (*text).to_owned();
            }
        }
        let longer = |(number, (label, _)): (usize, &(Label, u32))| {
            let is_looked_for =
                matches!(self.language, Language::Path(_)) && labels.len() <= MOST_LONGER;
            let mut ends = ["a", "x", "/", "0", "/a", "bc"]
                .iter()
                .map(|end| format!("{}{end}", samples[number]));
            ends.find(|text| is_looked_for && self.label_of(text) == Some(*label))
        };
        let longer = labels.iter().enumerate().map(longer).collect();
        let count = labels.len() as u32;
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); test_count];
        let mut spans: Vec<Vec<(u32, u32)>> = vec![Vec::new(); test_count];
        for (number, ((_, folded, accepted), _)) in (0_u32..).zip(&labels) {
            self.folded
                .tests_at(*folded, &mut |test| members[test as usize].push(number));
            for &regex in &*self.accepted_sets[*accepted as usize] {
                members[self.regexes[regex as usize].0 as usize].push(number);
            }
        }
        // Classes are in the order of the tree: those of a text, and those below a prefix, are intervals.
        let place = |label: u32| labels.partition_point(|&((own, _, _), _)| own < label) as u32;
        for (number, node) in (0_u32..).zip(&self.text.nodes) {
            if !node.exact.is_empty() {
                let label = (number + 1) << 1 | 1;
                let span = (place(label), place(label + 1));
                node.exact
                    .iter()
                    .for_each(|&test| spans[test as usize].push(span));
            }
            if !node.prefix.is_empty() {
                let span = (place((number + 1) << 1), place((node.end + 1) << 1));
                node.prefix
                    .iter()
                    .for_each(|&test| spans[test as usize].push(span));
            }
        }
        for &test in &self.any {
            spans[test as usize].push((0, count));
        }
        let sets = members.into_iter().zip(spans).map(|(members, mut spans)| {
            spans.extend(members.into_iter().map(|number| (number, number + 1)));
            spans.sort_unstable();
            Set::of_spans(spans)
        });
        Classes {
            single,
            even,
            longer,
            sets: sets.collect(),
            samples,
            states: self.states.len(),
        }
    }

    fn text_to(&self, state: u32) -> String {
        let mut bytes = Vec::new();
        let mut at = state;
        while let Some(&(parent, byte)) = self
            .parents
            .get(at as usize)
            .filter(|(parent, _)| *parent != NONE)
        {
            bytes.push(char::from(byte));
            at = parent;
        }
        bytes.into_iter().rev().collect()
    }

    fn label_of(&self, text: &str) -> Option<Label> {
        let mut language = Language::START;
        let (mut exact, mut folded) = (1, 1);
        let mut live = Arc::clone(self.live.first()?);
        for byte in text.bytes() {
            language = self.language.next(language, byte)?;
            exact = self.text.next(exact, byte);
            folded = self.folded.next(folded, byte.to_ascii_lowercase());
            live = live
                .iter()
                .filter_map(|&(regex, state)| {
                    Some((regex, self.regexes[regex as usize].1.next(state, byte)?))
                })
                .collect();
        }
        let accepted: Arc<[u32]> = live
            .iter()
            .filter(|(regex, state)| self.regexes[*regex as usize].1.accepts(*state))
            .map(|(regex, _)| *regex)
            .collect();
        let accepted = *self.accepted_numbers.get(&accepted)?;
        self.language
            .accepts(language)
            .then(|| (self.text.label(exact), self.folded.label(folded), accepted))
    }
}
