//! Classes in words: the tests that tell them from the others, as few as are found.

use super::set::Set;
use super::universe::{Universe, Variable};
use crate::terms::condition::{Asks, RequestMatch, TextTest};

/// So many tests are named of one variable; of more, the number is said.
const MOST_NAMED: usize = 4;

/// In words, that the value of a variable is of one of these classes; `None`: it always is.
pub(super) fn condition(universe: &Universe<'_>, variable: u16, set: &Set) -> Option<String> {
    let count = universe.count(variable);
    let variable = &universe.variables[usize::from(variable)];
    if set.is_all(count) {
        return None;
    }
    let everything = Set::span(0, count);
    let mut bases: Vec<(Option<&TextTest<'_>>, &Set)> = vec![(None, &everything)];
    let tests = variable.tests.iter();
    let wider = tests
        .clone()
        .filter(|(_, passing)| set.is_subset_of(passing));
    let narrowest = wider.min_by_key(|(_, passing)| passing.len());
    bases.extend(narrowest.map(|(test, passing)| (Some(test), passing)));
    // From the narrowest test that all pass: what does not belong, by the tests that it passes.
    let (base, within) = bases.pop().unwrap_or((None, &everything));
    let (excluded, excluded_rest) = cover(variable, &within.intersection(&set.complement(count)));
    let (included, included_rest) = cover(variable, set);
    let by_inclusion =
        included_rest == 0 && included.len() <= excluded.len() + usize::from(base.is_some());
    if by_inclusion && included.len() <= MOST_NAMED {
        let all: Vec<String> = included
            .iter()
            .map(|part| part_text(variable, part, true))
            .collect();
        return Some(all.join(", or "));
    }
    let mut text = match base {
        Some(test) => test_text(variable.asks, test, true),
        None => String::new(),
    };
    for part in excluded.iter().take(MOST_NAMED) {
        let join = if text.is_empty() { "" } else { ", but " };
        let part = part_text(variable, part, false);
        // Said once, the subject holds for all that follows.
        let subject = format!("{} ", subject(variable.asks));
        let part = match text.is_empty() {
            true => &*part,
            false => part.strip_prefix(&subject).unwrap_or(&part),
        };
        text = format!("{text}{join}{part}");
    }
    let more = excluded.len().saturating_sub(MOST_NAMED) + excluded_rest;
    if more > 0 {
        let join = if text.is_empty() {
            subject(variable.asks)
        } else {
            String::new()
        };
        text = format!("{text}{join} without {more} other values that rules name");
    }
    Some(text)
}

/// A part of a set.
enum Part<'v, 'm> {
    Test(&'v TextTest<'m>),
    Absent,
    Value(&'v str),
}

/// Tests that together pass just `set`, the widest first, then what is left by its only values; and how many classes are left.
fn cover<'v, 'm>(variable: &'v Variable<'m>, set: &Set) -> (Vec<Part<'v, 'm>>, usize) {
    let mut parts = Vec::new();
    let mut left = set.clone();
    let mut inside: Vec<&(TextTest<'m>, Set)> = variable
        .tests
        .iter()
        .filter(|(_, passing)| !passing.is_empty() && passing.is_subset_of(set))
        .collect();
    inside.sort_by_key(|(_, passing)| std::cmp::Reverse(passing.len()));
    for (test, passing) in inside {
        if parts.len() > 4 * MOST_NAMED || left.is_empty() {
            break;
        }
        if !passing.intersection(&left).is_empty() {
            parts.push(Part::Test(test));
            left = left.intersection(&passing.complement(u32::MAX));
        }
    }
    let mut rest = 0;
    for class in left.iter() {
        match variable.values.get(class as usize) {
            Some(None) => parts.push(Part::Absent),
            Some(Some(value)) if variable.single.contains(class) => parts.push(Part::Value(value)),
            _ => rest += 1,
        }
    }
    (parts, rest)
}

/// What a rule asks, test by test.
pub(super) fn tests(matches: &RequestMatch) -> Vec<String> {
    let mut all = Vec::new();
    if !matches.path.is_any() {
        all.push(test_text(Asks::Path, &matches.path.text_test(), true));
    }
    for condition in &matches.conditions {
        let atom = condition.atom();
        all.push(test_text(atom.asks, &atom.test, !atom.invert));
    }
    all
}

fn subject(asks: Asks<'_>) -> String {
    match asks {
        Asks::Path => "the path".to_owned(),
        Asks::Header(":method") => "the method".to_owned(),
        Asks::Header(":scheme") => "the scheme".to_owned(),
        Asks::Header(":authority") => "the authority".to_owned(),
        Asks::Header(name) => format!("header `{name}`"),
        Asks::Query(key) => format!("query parameter `{key}`"),
        Asks::Claim(path) => format!("claim `{}`", path.join(".")),
    }
}

fn part_text(variable: &Variable<'_>, part: &Part<'_, '_>, is: bool) -> String {
    let subject = subject(variable.asks);
    match (part, is) {
        (Part::Test(test), is) => test_text(variable.asks, test, is),
        (Part::Absent, true) => format!("{subject} is not there"),
        (Part::Absent, false) => format!("{subject} is there"),
        (Part::Value(value), true) => format!("{subject} is `{value}`"),
        (Part::Value(value), false) => format!("{subject} is not `{value}`"),
    }
}

fn test_text(asks: Asks<'_>, test: &TextTest<'_>, is: bool) -> String {
    let subject = subject(asks);
    let case = |ignore_case: bool| if ignore_case { " in any case" } else { "" };
    let not = if is { "" } else { " not" };
    match *test {
        TextTest::Any => format!("{subject} is{not} there"),
        TextTest::Exact { text, ignore_case } => {
            format!("{subject} is{not} `{text}`{}", case(ignore_case))
        }
        TextTest::Prefix { text, ignore_case } => {
            let verb = if is { "begins" } else { "does not begin" };
            format!("{subject} {verb} with `{text}`{}", case(ignore_case))
        }
        TextTest::Below { text, ignore_case } => {
            let or = if is { "or is" } else { "nor is" };
            format!(
                "{subject} is{not} `{text}` {or} below it{}",
                case(ignore_case)
            )
        }
        TextTest::Regex(regex) => {
            let verb = if is { "matches" } else { "does not match" };
            format!("{subject} {verb} the regex `{}`", regex.as_str())
        }
    }
}
