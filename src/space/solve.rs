//! Two ordered lists of rules compared, and one searched for a request that all its rules pass over.
//!
//! Both split the requests by what the first rule that matters tests, and look at what is left of the lists in each part.
//! Where nothing is left to tell the lists apart, all requests of the part are answered alike; what has been found equal, or how it
//! differs, is remembered by what was left. No step guesses: where the work grows beyond the budget, the part is not proved.

use std::sync::Arc;

use super::effect::Effects;
use super::list::{Item, Lists, shorten};
use super::set::Set;
use crate::terms::hash::HashMap;

/// So many variables are fixed one below the other; the stack is finite.
const DEPTH: usize = 256;

/// What is known of a part.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Verdict {
    /// These effects, of which the first is that before.
    Differs(u32, u32),
    /// Nothing: it would have been too much work.
    NotProved,
}

/// A part in which the lists differ, or may.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    /// Classes by variable.
    pub(super) conditions: Vec<(u16, Set)>,
    /// Rules of both lists that come before, and answer what of the part passes their tests.
    pub(super) unless: Arc<[Item]>,
    pub(super) verdict: Verdict,
    /// A request of the part that no rule of `unless` answers; variables that are not named have any value.
    pub(super) point: Vec<(u16, u32)>,
}

/// What differences that are one have in common.
type Known = (Vec<(u16, Set)>, Arc<[Item]>, Verdict);

/// Item by item, without the numbers of rules.
type Key = Box<[(u32, u32)]>;

pub(super) struct Solver<'u, 'm, 'e, 'r> {
    pub(super) lists: Lists<'u, 'm>,
    effects: &'e mut Effects<'r>,
    budget: usize,
    compared: HashMap<(Key, Key), Arc<[Difference]>>,
    covered: HashMap<Key, ()>,
}

/// What a search for a request found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// This one, by variable; the others have any value.
    Found(Vec<(u16, u32)>),
    /// There is none.
    Nothing,
    /// It would have been too much work.
    NotProved,
}

impl<'u, 'm, 'e, 'r> Solver<'u, 'm, 'e, 'r> {
    /// Of at most `budget` items that are looked at.
    pub(super) fn new(lists: Lists<'u, 'm>, effects: &'e mut Effects<'r>, budget: usize) -> Self {
        Solver {
            lists,
            effects,
            budget,
            compared: HashMap::default(),
            covered: HashMap::default(),
        }
    }

    /// Where two lists differ.
    pub(super) fn compare(
        &mut self,
        mut before: Vec<Item>,
        mut after: Vec<Item>,
    ) -> Arc<[Difference]> {
        shorten(&mut before);
        shorten(&mut after);
        self.compare_short(&before, &after, 0)
    }

    fn compare_short(
        &mut self,
        before: &[Item],
        after: &[Item],
        depth: usize,
    ) -> Arc<[Difference]> {
        let is_same =
            |one: &Item, other: &Item| (one.tests, one.effect) == (other.tests, other.effect);
        let pairs = before.iter().zip(after);
        let common = pairs.take_while(|(one, other)| is_same(one, other)).count();
        let (Some(first), Some(second)) = (before.get(common), after.get(common)) else {
            // Both end with a rule that every request passes: neither goes on where the other ends.
            return Arc::default();
        };
        if self.lists.work > self.budget || depth > DEPTH {
            return [Difference {
                conditions: Vec::new(),
                unless: Arc::default(),
                verdict: Verdict::NotProved,
                point: Vec::new(),
            }]
            .into();
        }
        if first.tests == 0 && second.tests == 0 {
            if first.effect == second.effect {
                return Arc::default();
            }
            let unless = &before[..common];
            let (verdict, point) = match self.passed_over(unless, &[], depth) {
                Search::Found(point) => (Verdict::Differs(first.effect, second.effect), point),
                Search::Nothing => return Arc::default(),
                Search::NotProved => (Verdict::NotProved, Vec::new()),
            };
            return [Difference {
                conditions: Vec::new(),
                unless: unless.into(),
                verdict,
                point,
            }]
            .into();
        }
        let key = (key(before), key(after));
        if let Some(known) = self.compared.get(&key) {
            return Arc::clone(known);
        }
        let tested = |item: &Item| {
            self.lists
                .tests(item.tests)
                .iter()
                .map(|(variable, _)| *variable)
                .collect::<Vec<_>>()
        };
        let candidates = tested(first).into_iter().chain(tested(second));
        let Some(variable) = self.lists.best([before, after], candidates) else {
            return Arc::default();
        };
        let parts = self
            .lists
            .split([before, after], variable, None, Some(self.effects));
        let mut found: Vec<Difference> = Vec::new();
        let mut places: HashMap<Known, usize> = HashMap::default();
        for part in parts {
            let [before, after] = &part.lists;
            let below = self.compare_short(before, after, depth + 1);
            let class = self.usual(variable, &part.classes);
            for difference in below.iter() {
                let known = (
                    difference.conditions.clone(),
                    Arc::clone(&difference.unless),
                    difference.verdict.clone(),
                );
                if let Some(&place) = places.get(&known) {
                    let (_, classes) = &mut found[place].conditions[0];
                    *classes = classes.union(&part.classes);
                    continue;
                }
                places.insert(known, found.len());
                let mut conditions = vec![(variable, part.classes.clone())];
                conditions.extend(difference.conditions.iter().cloned());
                let mut point = difference.point.clone();
                point.extend(class.map(|class| (variable, class)));
                found.push(Difference {
                    conditions,
                    point,
                    ..difference.clone()
                });
            }
        }
        for difference in &mut found {
            if difference.conditions[0]
                .1
                .is_all(self.lists.universe.count(variable))
            {
                difference.conditions.remove(0);
            }
        }
        let found: Arc<[Difference]> = found.into();
        // What was cut short is not known for good, but neither is there anything left to try.
        self.lists.work += key.0.len() + key.1.len();
        self.compared.insert(key, Arc::clone(&found));
        found
    }

    /// A request of `domain` (classes by variable; others are free) that none of `list` answers.
    pub(super) fn passed_over(
        &mut self,
        list: &[Item],
        domain: &[(u16, Set)],
        depth: usize,
    ) -> Search {
        let Some(first) = list.first() else {
            let point = domain
                .iter()
                .filter_map(|(variable, set)| Some((*variable, self.usual(*variable, set)?)));
            return Search::Found(point.collect());
        };
        if list.iter().any(|item| item.tests == 0) {
            return Search::Nothing;
        }
        if self.lists.work > self.budget || depth > DEPTH {
            return Search::NotProved;
        }
        let own =
            (domain.is_empty()).then(|| list.iter().map(|item| (item.tests, 0)).collect::<Key>());
        if own
            .as_ref()
            .is_some_and(|own| self.covered.contains_key(own))
        {
            return Search::Nothing;
        }
        let tested = self
            .lists
            .tests(first.tests)
            .iter()
            .map(|(variable, _)| *variable);
        let tested: Vec<u16> = tested.collect();
        let Some(variable) = self.lists.best([list], tested.into_iter()) else {
            return Search::Nothing;
        };
        let own_domain = domain
            .iter()
            .find(|(own, _)| *own == variable)
            .map(|(_, set)| set.clone());
        let rest: Vec<(u16, Set)> = domain
            .iter()
            .filter(|(own, _)| *own != variable)
            .cloned()
            .collect();
        let mut parts = self
            .lists
            .split([list], variable, own_domain.as_ref(), None);
        // Where least is asked, most likely something is left.
        let usual = self.lists.universe.variables[usize::from(variable)].usual;
        parts.sort_by_key(|part| (part.lists[0].len(), !part.classes.contains(usual)));
        let mut is_proved = true;
        for part in parts {
            match self.passed_over(&part.lists[0], &rest, depth + 1) {
                Search::Found(mut point) => {
                    point.extend(
                        self.usual(variable, &part.classes)
                            .map(|class| (variable, class)),
                    );
                    return Search::Found(point);
                }
                Search::Nothing => {}
                Search::NotProved => is_proved = false,
            }
        }
        if !is_proved {
            return Search::NotProved;
        }
        if let Some(own) = own {
            self.covered.insert(own, ());
        }
        Search::Nothing
    }

    /// The class of a set that a plain request is in, else its first.
    fn usual(&self, variable: u16, set: &Set) -> Option<u32> {
        let usual = self.lists.universe.variables[usize::from(variable)].usual;
        match set.contains(usual) {
            true => Some(usual),
            false => set.iter().next(),
        }
    }
}

fn key(list: &[Item]) -> Key {
    list.iter().map(|item| (item.tests, item.effect)).collect()
}
