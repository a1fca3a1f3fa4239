//! What the rules of one virtual host, or of two, can tell requests apart by: for each path, header, parameter and claim that
//! they test, the classes of its values; and each rule as sets of such classes.

use std::collections::BTreeMap;

use super::language::Language;
use super::set::Set;
use super::text::{self, TooMuch};
use crate::router::Router;
use crate::terms::condition::{Asks, Atom, PathMatch, RequestMatch, TextTest};
use crate::terms::connection_manager::{ConnectionManager, Underscores};
use crate::terms::hash::HashMap;
use crate::terms::request::Tls;

/// Methods that a client is likely to use, the likeliest first.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"];

/// One thing of a request that rules test.
#[derive(Debug)]
pub(super) struct Variable<'m> {
    pub(super) asks: Asks<'m>,
    /// Of each class one value; `None`: there is none.
    pub(super) values: Vec<Option<String>>,
    /// Classes of one text only.
    pub(super) single: Set,
    /// Classes of texts of one length only.
    pub(super) even: Set,
    /// Of a class of the path another value, which is longer.
    pub(super) longer: Vec<Option<String>>,
    /// What witnesses have where nothing is asked.
    pub(super) usual: u32,
    /// Each test of a value, with the classes that pass.
    pub(super) tests: Vec<(TextTest<'m>, Set)>,
}

/// The tests of a rule that some request does not pass: variables, in order, each with the number of a set of its classes.
pub(super) type Tests = Box<[(u16, u32)]>;

/// Variables, and rules over them.
#[derive(Debug, Default)]
pub(super) struct Universe<'m> {
    pub(super) variables: Vec<Variable<'m>>,
    pub(super) sets: Vec<Set>,
    /// Of each rule of each list; `None`: no request passes.
    pub(super) lists: Vec<Vec<Option<Tests>>>,
}

/// What is known of requests beside what rules ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'m> {
    pub(super) manager: ConnectionManager,
    pub(super) tls: Tls,
    pub(super) port: u16,
    /// The authorities that are asked about.
    pub(super) authorities: &'m Authorities,
}

/// Authorities, as regexes: those that one of `within` matches, and none of `without`.
#[derive(Debug, Default)]
pub(super) struct Authorities {
    pub(super) within: Vec<crate::terms::regex::Regex>,
    pub(super) without: Vec<crate::terms::regex::Regex>,
    /// They are too many to be told apart.
    pub(super) is_too_much: bool,
}

/// Why rules have not been told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// A header that depends on others, or on the connection, in a way that is not followed.
    Header(Box<str>),
    /// The automaton of this regex is too large.
    Regex(Box<str>),
    /// There are too many texts to tell apart.
    Texts(Box<str>),
}

/// A test by how it is written.
type Text<'m> = (u8, &'m str, bool);

/// The values that a variable can have.
enum Domain {
    Open {
        language: Language,
        may_be_absent: bool,
        preferred: &'static [&'static str],
    },
    Finite(Vec<Option<String>>),
}

impl<'m> Universe<'m> {
    /// Of these lists of rules, in `setting`; of all texts together, at most `limit` states are visited.
    ///
    /// # Errors
    /// An [`Obstacle`].
    pub(super) fn new(
        lists: &[Vec<&'m RequestMatch>],
        setting: Setting<'m>,
        limit: usize,
    ) -> Result<Self, Obstacle> {
        // The atoms of each rule by the number of their variable and of their test there.
        let mut variables: BTreeMap<Asks<'m>, Vec<Atom<'m>>> = BTreeMap::new();
        let mut numbers: HashMap<(Asks<'m>, Text<'m>, [bool; 2]), u32> = HashMap::default();
        let mut rules: Vec<Vec<Vec<(Asks<'m>, u32)>>> = Vec::new();
        for list in lists {
            let tests = list.iter().map(|matches| {
                let atoms = std::iter::once(path_atom(&matches.path));
                let atoms = atoms.chain(matches.conditions.iter().map(|test| test.atom()));
                let numbered = atoms.map(|atom| {
                    let key = (
                        atom.asks,
                        atom.test.key(),
                        [atom.invert, atom.holds_without],
                    );
                    let number = *numbers.entry(key).or_insert_with(|| {
                        let known = variables.entry(atom.asks).or_default();
                        known.push(atom);
                        known.len() as u32 - 1
                    });
                    (atom.asks, number)
                });
                numbered.collect()
            });
            rules.push(tests.collect());
        }
        let mut universe = Universe::default();
        let mut set_numbers: HashMap<Set, u32> = HashMap::default();
        // Of each variable, the number of the set of each of its tests; `None`: every value passes.
        let mut places: HashMap<Asks<'m>, (u16, Vec<Option<u32>>)> = HashMap::default();
        let mut left = limit;
        for (place, (asks, atoms)) in variables.into_iter().enumerate() {
            let place = u16::try_from(place).map_err(|_| Obstacle::Texts(name_of(asks)))?;
            let (variable, sets, states) = variable(asks, &atoms, setting, left)?;
            left -= states.min(left);
            let count = variable.values.len() as u32;
            let sets = sets.into_iter().map(|set| {
                (!set.is_all(count)).then(|| {
                    *set_numbers.entry(set).or_insert_with_key(|set| {
                        universe.sets.push(set.clone());
                        universe.sets.len() as u32 - 1
                    })
                })
            });
            let sets = sets.collect();
            universe.variables.push(variable);
            places.insert(asks, (place, sets));
        }
        for list in rules {
            let tests = list.into_iter().map(|atoms| {
                let mut tests: BTreeMap<u16, u32> = BTreeMap::new();
                for (asks, test) in atoms {
                    let (place, sets) = &places[&asks];
                    let Some(set) = sets[test as usize] else {
                        continue;
                    };
                    let both = match tests.get(place) {
                        None => set,
                        Some(&other) => {
                            let sets = &mut universe.sets;
                            let both = sets[set as usize].intersection(&sets[other as usize]);
                            *set_numbers.entry(both).or_insert_with_key(|both| {
                                sets.push(both.clone());
                                sets.len() as u32 - 1
                            })
                        }
                    };
                    tests.insert(*place, both);
                }
                let is_possible = tests
                    .values()
                    .all(|set| !universe.sets[*set as usize].is_empty());
                is_possible.then(|| tests.into_iter().collect())
            });
            let tests = tests.collect();
            universe.lists.push(tests);
        }
        Ok(universe)
    }

    /// How many classes a variable has.
    pub(super) fn count(&self, variable: u16) -> u32 {
        self.variables[usize::from(variable)].values.len() as u32
    }
}

fn path_atom(path: &PathMatch) -> Atom<'_> {
    Atom {
        asks: Asks::Path,
        test: path.text_test(),
        invert: false,
        holds_without: false,
    }
}

fn name_of(asks: Asks<'_>) -> Box<str> {
    match asks {
        Asks::Path => "path".into(),
        Asks::Header(name) => format!("header `{name}`").into(),
        Asks::Query(key) => format!("query parameter `{key}`").into(),
        Asks::Claim(path) => format!("claim `{}`", path.join(".")).into(),
    }
}

/// The variable, the set of each of its atoms, and how many states were visited.
fn variable<'m>(
    asks: Asks<'m>,
    atoms: &[Atom<'m>],
    setting: Setting<'m>,
    limit: usize,
) -> Result<(Variable<'m>, Vec<Set>, usize), Obstacle> {
    let mut tests: Vec<TextTest<'m>> = Vec::new();
    let mut numbers: HashMap<Text<'m>, usize> = HashMap::default();
    let of_atoms: Vec<usize> = atoms
        .iter()
        .map(|atom| {
            *numbers.entry(atom.test.key()).or_insert_with(|| {
                tests.push(atom.test);
                tests.len() - 1
            })
        })
        .collect();
    let is_authority = asks == Asks::Header(":authority");
    let bounds = tests.len();
    if is_authority {
        let authorities = setting.authorities;
        tests.extend(authorities.within.iter().map(TextTest::Regex));
        tests.extend(authorities.without.iter().map(TextTest::Regex));
    }
    let (mut values, text_sets, states): (Vec<Option<String>>, Vec<Set>, usize);
    let (single, even);
    let mut longer = Vec::new();
    match domain(asks, setting)? {
        Domain::Finite(all) => {
            values = all;
            let passing = |test: &TextTest<'_>| {
                let numbered = (0..).zip(&values);
                let passing = numbered
                    .filter(|(_, value)| value.as_ref().is_some_and(|value| passes(test, value)));
                Set::of(passing.map(|(number, _)| number).collect())
            };
            text_sets = tests.iter().map(passing).collect();
            single = Set::span(0, values.len() as u32);
            even = single.clone();
            states = values.len();
        }
        Domain::Open {
            language,
            may_be_absent,
            preferred,
        } => {
            let classes =
                text::classes(&tests, language, preferred, limit).map_err(|why| match why {
                    TooMuch::Regex(place) => match tests[place] {
                        TextTest::Regex(regex) => Obstacle::Regex(regex.as_str().into()),
                        _ => Obstacle::Texts(name_of(asks)),
                    },
                    TooMuch::States => Obstacle::Texts(name_of(asks)),
                })?;
            // A class is kept where a request can have one of its values; there, absence comes first.
            let kept: Vec<u32> = (0..classes.samples.len() as u32)
                .filter(|&class| {
                    let has = |place: usize| classes.sets[place].contains(class);
                    let between = bounds + setting.authorities.within.len();
                    !is_authority || (bounds..between).any(has) && !(between..tests.len()).any(has)
                })
                .collect();
            let shift = u32::from(may_be_absent);
            values = vec![None; shift as usize];
            values.extend(
                kept.iter()
                    .map(|&class| Some(classes.samples[class as usize].clone())),
            );
            let renumber = |set: &Set| match kept.len() == classes.samples.len() {
                true => Set::of_spans(
                    set.spans()
                        .iter()
                        .map(|&(start, end)| (start + shift, end + shift)),
                ),
                false => {
                    let numbered = (shift..)
                        .zip(&kept)
                        .filter(|(_, class)| set.contains(**class));
                    Set::of(numbered.map(|(number, _)| number).collect())
                }
            };
            text_sets = classes.sets[..bounds].iter().map(renumber).collect();
            single = renumber(&classes.single);
            even = renumber(&classes.even);
            if asks == Asks::Path {
                longer = classes.longer;
            }
            states = classes.states;
        }
    }
    let count = values.len() as u32;
    let absent = Set::of(
        (0..)
            .zip(&values)
            .filter(|(_, value)| value.is_none())
            .map(|(at, _)| at)
            .collect(),
    );
    let present = absent.complement(count);
    let sets = atoms.iter().zip(of_atoms).map(|(atom, test)| {
        let passing = &text_sets[test];
        let passing = match atom.invert {
            false => passing.clone(),
            true => passing.complement(count).intersection(&present),
        };
        match atom.holds_without {
            true => passing.union(&absent),
            false => passing,
        }
    });
    let sets: Vec<Set> = sets.collect();
    tests.truncate(bounds);
    let usual = usual(asks, &values);
    Ok((
        Variable {
            asks,
            values,
            single,
            even,
            longer,
            usual,
            tests: tests.into_iter().zip(text_sets).collect(),
        },
        sets,
        states,
    ))
}

/// The class that a plain request is in: it has no such value, or the shortest.
fn usual(asks: Asks<'_>, values: &[Option<String>]) -> u32 {
    let length = |value: &Option<String>| match (value, asks) {
        (None, _) => 0,
        (Some(value), Asks::Header(":method")) if *value == METHODS[0] => 0,
        (Some(value), _) => 1 + value.len(),
    };
    let numbered = (0..).zip(values);
    let least = numbered.min_by_key(|(_, value)| length(value));
    least.map_or(0, |(number, _)| number)
}

fn passes(test: &TextTest<'_>, value: &str) -> bool {
    let starts = |text: &str, ignore_case: bool| {
        let start = value.as_bytes().get(..text.len());
        start.is_some_and(|start| match ignore_case {
            true => start.eq_ignore_ascii_case(text.as_bytes()),
            false => start == text.as_bytes(),
        })
    };
    match *test {
        TextTest::Any => true,
        TextTest::Exact { text, ignore_case } => {
            value.len() == text.len() && starts(text, ignore_case)
        }
        TextTest::Prefix { text, ignore_case } => starts(text, ignore_case),
        TextTest::Below { text, ignore_case } => {
            starts(text, ignore_case)
                && matches!(value.as_bytes().get(text.len()), None | Some(b'/'))
        }
        TextTest::Regex(regex) => regex.is_full_match(value.as_bytes()),
    }
}

fn domain(asks: Asks<'_>, setting: Setting<'_>) -> Result<Domain, Obstacle> {
    let open = |language, may_be_absent| {
        Ok(Domain::Open {
            language,
            may_be_absent,
            preferred: &[],
        })
    };
    let name = match asks {
        Asks::Path => return open(Language::Path(setting.manager.path), false),
        Asks::Query(key) => {
            // The name of a parameter ends at the first `=`.
            let is_possible = key
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"&=#".contains(&byte));
            return match is_possible {
                true => open(Language::Parameter, true),
                false => Ok(Domain::Finite(vec![None])),
            };
        }
        Asks::Claim(_) => return open(Language::Value, true),
        Asks::Header(name) => name,
    };
    match name {
        ":method" => Ok(Domain::Open {
            language: Language::Token,
            may_be_absent: false,
            preferred: &METHODS,
        }),
        ":scheme" => {
            let mut schemes = ["http", "https"];
            if setting.tls != Tls::None {
                schemes.reverse();
            }
            Ok(Domain::Finite(
                schemes.map(|text| Some(text.to_owned())).into(),
            ))
        }
        ":authority" if setting.authorities.is_too_much => Err(Obstacle::Header(name.into())),
        ":authority" => open(Language::Authority, false),
        // Of the target with its query, and of lines that decide about others.
        ":path" | "connection" | "x-envoy-external-address" => Err(Obstacle::Header(name.into())),
        "upgrade" => Ok(Domain::Finite(vec![None, Some("websocket".to_owned())])),
        _ if name.contains('_') && setting.manager.underscores == Underscores::Reject => {
            Ok(Domain::Finite(vec![None]))
        }
        _ => Ok(header_domain(name, setting)),
    }
}

/// The values of a header as it is matched: what becomes of a line, and of none.
fn header_domain(name: &str, setting: Setting<'_>) -> Domain {
    const PROBE: &str = "probe";
    let seen = |line: Option<&str>| {
        Router::header_as_matched(setting.manager, setting.tls, setting.port, name, line)
    };
    let without = seen(None);
    if seen(Some(PROBE)).as_deref() == Some(PROBE) {
        return Domain::Open {
            language: Language::Value,
            may_be_absent: without.is_none(),
            preferred: &[],
        };
    }
    let mut values = vec![without];
    for line in [PROBE, "trailers", "https", "http"] {
        let value = seen(Some(line));
        if !values.contains(&value) {
            values.push(value);
        }
    }
    Domain::Finite(values)
}
