//! The tests that an index still has to make: interned, so that equal ones are stored once and asked once per request.

use std::collections::HashMap;

use smallvec::SmallVec;

use crate::terms::condition::{Condition, Facts, IndexKey, PathMatch, RequestMatch};

/// One test of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum CheckRef<'a> {
    Path(&'a PathMatch),
    Request(&'a Condition),
}

#[derive(Clone, Debug)]
enum Check {
    Path(PathMatch),
    Request(Condition),
}

/// What has become of the path test of a rule on the way to some place of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathTest {
    /// The place implies it.
    Done,
    /// It is to be made, and could lead to a place.
    Left,
    /// It is to be made, and has led to this place as far as it can.
    Tried,
}

/// What a rule still has to pass when the index has found it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) rule: u32,
    pub(super) path: PathTest,
    /// The other tests, as sorted numbers of checks.
    pub(super) checks: SmallVec<[u32; 4]>,
    /// Those among them that have led to this place as far as they can.
    pub(super) tried: SmallVec<[u32; 2]>,
}

impl Item {
    /// Nothing is left to test.
    pub(super) fn is_certain(&self) -> bool {
        self.path == PathTest::Done && self.checks.is_empty()
    }
}

/// Checks while the index is built.
pub(super) struct Interner<'a> {
    numbers: HashMap<CheckRef<'a>, u32, ahash::RandomState>,
    checks: Vec<CheckRef<'a>>,
    matches: &'a [&'a RequestMatch],
    lists: HashMap<SmallVec<[u32; 4]>, u32, ahash::RandomState>,
    all_lists: Vec<SmallVec<[u32; 4]>>,
}

impl<'a> Interner<'a> {
    pub(super) fn new(matches: &'a [&'a RequestMatch]) -> Self {
        let hasher = || ahash::RandomState::with_seeds(1, 2, 3, 4);
        Interner {
            numbers: HashMap::with_hasher(hasher()),
            checks: Vec::new(),
            matches,
            lists: HashMap::with_hasher(hasher()),
            all_lists: Vec::new(),
        }
    }

    /// All tests of a rule.
    pub(super) fn item(&mut self, rule: u32) -> Item {
        let conditions = self.matches[rule as usize].conditions.iter();
        let mut checks: SmallVec<[u32; 4]> = conditions
            .map(|condition| self.number(CheckRef::Request(condition)))
            .collect();
        checks.sort_unstable();
        checks.dedup();
        Item {
            rule,
            path: match self.path(rule).is_any() {
                true => PathTest::Done,
                false => PathTest::Left,
            },
            checks,
            tried: SmallVec::new(),
        }
    }

    /// The path test of a rule.
    pub(super) fn path(&self, rule: u32) -> &'a PathMatch {
        &self.matches[rule as usize].path
    }

    /// The number of the path test of a rule.
    pub(super) fn path_check(&mut self, rule: u32) -> u32 {
        self.number(CheckRef::Path(self.path(rule)))
    }

    /// The key of the condition with this number; `None` of a path test, whose keys have been used.
    pub(super) fn key(&self, check: u32) -> Option<IndexKey<'a>> {
        match self.checks[check as usize] {
            CheckRef::Request(condition) => condition.key(),
            CheckRef::Path(_) => None,
        }
    }

    fn number(&mut self, check: CheckRef<'a>) -> u32 {
        *self.numbers.entry(check).or_insert_with(|| {
            self.checks.push(check);
            self.checks.len() as u32 - 1
        })
    }

    /// The number of the list of what is left to test for an item: 0 for nothing.
    pub(super) fn list(&mut self, item: &Item) -> u32 {
        if item.is_certain() {
            return 0;
        }
        let mut all = item.checks.clone();
        if item.path != PathTest::Done {
            all.push(self.path_check(item.rule));
        }
        if let Some(number) = self.lists.get(&all) {
            return *number;
        }
        self.all_lists.push(all.clone());
        let number = self.all_lists.len() as u32;
        self.lists.insert(all, number);
        number
    }

    /// The checks that lists refer to, those in most lists first.
    pub(super) fn finish(self) -> Checks {
        let mut uses = vec![0_u32; self.checks.len()];
        for &check in self.all_lists.iter().flatten() {
            uses[check as usize] += 1;
        }
        let mut order: Vec<u32> = (0..self.checks.len() as u32)
            .filter(|&check| uses[check as usize] > 0)
            .collect();
        order.sort_by_key(|&check| std::cmp::Reverse(uses[check as usize]));
        let mut new_number = vec![0_u32; self.checks.len()];
        for (number, &check) in order.iter().enumerate() {
            new_number[check as usize] = number as u32;
        }
        let mut checks = Checks {
            shared: order
                .iter()
                .take_while(|&&check| uses[check as usize] > 1)
                .take(64)
                .count() as u32,
            checks: order
                .iter()
                .map(|&check| Check::from(self.checks[check as usize]))
                .collect(),
            lists: Box::new([]),
            members: Box::new([]),
        };
        let mut lists = vec![0];
        let mut members = Vec::new();
        for list in &self.all_lists {
            members.extend(list.iter().map(|&check| new_number[check as usize]));
            lists.push(members.len() as u32);
        }
        checks.lists = lists.into();
        checks.members = members.into();
        checks
    }
}

impl From<CheckRef<'_>> for Check {
    fn from(check: CheckRef<'_>) -> Self {
        match check {
            CheckRef::Path(path) => Check::Path(path.clone()),
            CheckRef::Request(condition) => Check::Request(condition.clone()),
        }
    }
}

/// The checks of an index and the lists of them.
#[derive(Clone, Debug)]
pub(super) struct Checks {
    checks: Box<[Check]>,
    /// The first so many checks stand in several lists: their answers are kept while a request is looked at.
    shared: u32,
    /// Where list `n` begins in `members` is `lists[n - 1]`, where it ends `lists[n]`.
    lists: Box<[u32]>,
    members: Box<[u32]>,
}

/// Answers of shared checks for one request.
#[derive(Clone, Copy, Default)]
pub(super) struct Answers {
    known: u64,
    holds: u64,
}

impl Checks {
    /// Whether all checks of a list hold.
    #[inline]
    pub(super) fn hold(&self, list: u32, facts: &impl Facts, answers: &mut Answers) -> bool {
        let (start, end) = (
            self.lists[list as usize - 1] as usize,
            self.lists[list as usize] as usize,
        );
        self.members[start..end]
            .iter()
            .all(|&check| self.holds(check, facts, answers))
    }

    #[inline]
    fn holds(&self, check: u32, facts: &impl Facts, answers: &mut Answers) -> bool {
        let ask = || match &self.checks[check as usize] {
            Check::Path(path) => facts.path_fits(path),
            Check::Request(condition) => facts.holds(condition),
        };
        if check >= self.shared {
            return ask();
        }
        let bit = 1 << check;
        if answers.known & bit == 0 {
            answers.known |= bit;
            answers.holds |= u64::from(ask()) << check;
        }
        answers.holds & bit != 0
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        let texts = self.checks.iter().map(Check::memory_usage);
        size_of_val(&*self.checks)
            + size_of_val(&*self.lists)
            + size_of_val(&*self.members)
            + texts.sum::<usize>()
    }
}

impl Check {
    fn memory_usage(&self) -> usize {
        match self {
            Check::Path(path) => path.memory_usage(),
            Check::Request(condition) => condition.memory_usage(),
        }
    }
}
