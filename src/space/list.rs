//! Ordered rules under a box: what is left of each rule where the values of some variables are known, and the lists that come
//! of it where one more is. No list is longer than what can still decide.

use super::effect::Effects;
use super::set::Set;
use super::universe::{Tests, Universe};
use crate::terms::hash::{HashMap, HashSet};

/// A rule under a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Item {
    /// The number of the tests that are left; 0: none, every request of the box passes.
    pub(super) tests: u32,
    /// The number of its effect.
    pub(super) effect: u32,
    /// Its place in its list; `NO_RULE`: what happens behind all rules.
    pub(super) rule: u32,
}

pub(super) const NO_RULE: u32 = u32::MAX;

/// Intervals of classes.
type Spans = Vec<(u32, u32)>;

/// All requests of a box: the classes of one variable, and what is left of the lists there.
#[derive(Debug)]
pub(super) struct Part<const LISTS: usize> {
    pub(super) classes: Set,
    pub(super) lists: [Vec<Item>; LISTS],
}

/// Tests that are left, by number, and the work that was done.
#[derive(Debug)]
pub(super) struct Lists<'u, 'm> {
    pub(super) universe: &'u Universe<'m>,
    tests: Vec<Tests>,
    numbers: HashMap<Tests, u32>,
    without: HashMap<(u32, u16), u32>,
    /// Items that were looked at.
    pub(super) work: usize,
}

impl<'u, 'm> Lists<'u, 'm> {
    pub(super) fn new(universe: &'u Universe<'m>) -> Self {
        let none: Tests = Box::default();
        Lists {
            universe,
            tests: vec![none.clone()],
            numbers: [(none, 0)].into_iter().collect(),
            without: HashMap::default(),
            work: 0,
        }
    }

    /// The list of the universe at this place, whose rules have these effects; behind all, `last`.
    pub(super) fn list(&mut self, place: usize, effects: &[u32], last: u32) -> Vec<Item> {
        let universe = self.universe;
        let mut list = Vec::with_capacity(effects.len() + 1);
        for ((rule, tests), &effect) in (0..).zip(&universe.lists[place]).zip(effects) {
            if let Some(tests) = tests {
                let tests = self.number(tests.clone());
                list.push(Item {
                    tests,
                    effect,
                    rule,
                });
            }
        }
        list.push(Item {
            tests: 0,
            effect: last,
            rule: NO_RULE,
        });
        list
    }

    pub(super) fn tests(&self, number: u32) -> &Tests {
        &self.tests[number as usize]
    }

    fn number(&mut self, tests: Tests) -> u32 {
        if let Some(&number) = self.numbers.get(&tests) {
            return number;
        }
        let number = self.tests.len() as u32;
        self.tests.push(tests.clone());
        self.numbers.insert(tests, number);
        number
    }

    /// The set that `tests` asks of `variable`, and the number of the others.
    fn split_off(&mut self, tests: u32, variable: u16) -> Option<(u32, u32)> {
        let own = &self.tests[tests as usize];
        let place = own
            .binary_search_by_key(&variable, |&(variable, _)| variable)
            .ok()?;
        let set = own[place].1;
        if let Some(&rest) = self.without.get(&(tests, variable)) {
            return Some((set, rest));
        }
        let others = own.iter().filter(|(other, _)| *other != variable);
        let others: Tests = others.copied().collect();
        let rest = self.number(others);
        self.without.insert((tests, variable), rest);
        Some((set, rest))
    }

    /// The bounds between which all items say the same of `variable`.
    fn bounds<'i>(
        &self,
        items: impl Iterator<Item = &'i Item>,
        variable: u16,
        domain: Option<&Set>,
        each: Option<&Set>,
    ) -> Vec<u32> {
        let mut bounds = vec![0, self.universe.count(variable)];
        let mut seen: HashSet<u32> = HashSet::default();
        for item in items {
            let tests = self.tests(item.tests);
            let Ok(place) = tests.binary_search_by_key(&variable, |&(variable, _)| variable) else {
                continue;
            };
            if seen.insert(tests[place].1) {
                let set = &self.universe.sets[tests[place].1 as usize];
                bounds.extend(set.spans().iter().flat_map(|&(start, end)| [start, end]));
            }
        }
        if let Some(set) = domain {
            bounds.extend(set.spans().iter().flat_map(|&(start, end)| [start, end]));
        }
        for class in each.into_iter().flat_map(Set::iter) {
            bounds.extend([class, class + 1]);
        }
        bounds.sort_unstable();
        bounds.dedup();
        bounds
    }

    /// How many items would be looked at if the lists were split by `variable`.
    pub(super) fn cost<const LISTS: usize>(&self, lists: [&[Item]; LISTS], variable: u16) -> usize {
        let all = || lists.iter().copied().flatten();
        let bounds = self.bounds(all(), variable, None, None);
        let parts = bounds.len() - 1;
        let of = |item: &Item| {
            let tests = self.tests(item.tests);
            match tests.binary_search_by_key(&variable, |&(variable, _)| variable) {
                Err(_) => parts,
                Ok(place) => {
                    let set = &self.universe.sets[tests[place].1 as usize];
                    let spans = set.spans().iter();
                    let covered = spans.map(|(start, end)| {
                        bounds.partition_point(|bound| bound < end)
                            - bounds.partition_point(|bound| bound < start)
                    });
                    covered.sum()
                }
            }
        };
        all().map(of).sum()
    }

    /// The variable among those that an item tests by which to split is least work.
    pub(super) fn best<const LISTS: usize>(
        &self,
        lists: [&[Item]; LISTS],
        candidates: impl Iterator<Item = u16>,
    ) -> Option<u16> {
        let mut candidates: Vec<u16> = candidates.collect();
        candidates.sort_unstable();
        candidates.dedup();
        match *candidates {
            [] | [_] => candidates.first().copied(),
            _ => candidates
                .into_iter()
                .min_by_key(|&variable| self.cost(lists, variable)),
        }
    }

    /// The lists by the classes of `variable` (of `domain` only, where there is one), those together where they are the same.
    /// With `effects`, they are those on the very path where a class is of one path only.
    pub(super) fn split<const LISTS: usize>(
        &mut self,
        lists: [&[Item]; LISTS],
        variable: u16,
        domain: Option<&Set>,
        mut effects: Option<&mut Effects<'_>>,
    ) -> Vec<Part<LISTS>> {
        let universe = self.universe;
        let known = &universe.variables[usize::from(variable)];
        let is_path = known.asks == crate::terms::condition::Asks::Path;
        effects = effects.filter(|effects| is_path && effects.replaces_paths);
        // There, what becomes of a part of the path is what becomes of all of it.
        let each = effects.as_ref().map(|_| &known.even);
        let bounds = self.bounds(lists.iter().copied().flatten(), variable, domain, each);
        let mut parts: Vec<[Vec<Item>; LISTS]> = Vec::new();
        parts.resize_with(bounds.len() - 1, || std::array::from_fn(|_| Vec::new()));
        for (which, list) in lists.into_iter().enumerate() {
            for item in list {
                let split = self.split_off_cached(item.tests, variable);
                let work = &mut self.work;
                let mut push = |place: usize, item: Item| {
                    *work += 1;
                    let part = &mut parts[place][which];
                    // Nothing is asked behind a rule that every request passes.
                    if part.last().is_none_or(|last| last.tests != 0) {
                        part.push(item);
                    }
                };
                match split {
                    None => (0..bounds.len() - 1).for_each(|place| push(place, *item)),
                    Some((set, tests)) => {
                        let item = Item { tests, ..*item };
                        for (start, end) in universe.sets[set as usize].spans() {
                            let first = bounds.partition_point(|bound| bound < start);
                            let last = bounds.partition_point(|bound| bound < end);
                            (first..last).for_each(|place| push(place, item));
                        }
                    }
                }
            }
        }
        let mut out: Vec<(Spans, [Vec<Item>; LISTS])> = Vec::new();
        let mut numbers: HashMap<Vec<(u32, u32)>, usize> = HashMap::default();
        for (place, mut lists) in parts.into_iter().enumerate() {
            let span = (bounds[place], bounds[place + 1]);
            if domain.is_some_and(|domain| !domain.contains(span.0)) {
                continue;
            }
            if let Some(effects) = &mut effects
                && known.even.contains(span.0)
                && let Some(path) = &known.values[span.0 as usize]
            {
                let is_single = known.single.contains(span.0);
                for item in lists.iter_mut().flatten() {
                    item.effect = effects.at_path(item.effect, path, is_single);
                }
            }
            let mut key = Vec::new();
            for list in &mut lists {
                shorten(list);
                key.extend(list.iter().map(|item| (item.tests, item.effect)));
                key.push((u32::MAX, u32::MAX));
            }
            match numbers.entry(key) {
                std::collections::hash_map::Entry::Occupied(known) => {
                    out[*known.get()].0.push(span)
                }
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(out.len());
                    out.push((vec![span], lists));
                }
            }
        }
        let parts = out.into_iter().map(|(spans, lists)| Part {
            classes: Set::of_spans(spans),
            lists,
        });
        parts.collect()
    }

    fn split_off_cached(&mut self, tests: u32, variable: u16) -> Option<(u32, u32)> {
        match tests {
            0 => None,
            _ => self.split_off(tests, variable),
        }
    }
}

/// Takes out what decides nothing: what is behind a rule that every request passes, what asks the same as a rule before, and
/// what does at the end as the last one does.
pub(super) fn shorten(list: &mut Vec<Item>) {
    if let Some(last) = list.iter().position(|item| item.tests == 0) {
        list.truncate(last + 1);
    }
    match list.len() {
        0 | 1 => return,
        2..=8 => {
            let mut kept: usize = 0;
            for at in 0..list.len() {
                if list[..kept]
                    .iter()
                    .all(|other| other.tests != list[at].tests)
                {
                    list[kept] = list[at];
                    kept += 1;
                }
            }
            list.truncate(kept);
        }
        _ => {
            let mut seen: HashSet<u32> = HashSet::default();
            list.retain(|item| seen.insert(item.tests));
        }
    }
    if let Some(last) = list.pop() {
        if last.tests == 0 {
            while list.last().is_some_and(|item| item.effect == last.effect) {
                list.pop();
            }
        }
        list.push(last);
    }
}
