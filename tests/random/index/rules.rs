//! `RuleIndex` against a scan, on random tables of every shape: friendly, crowded, nested, hostile.

use std::time::{Duration, Instant};

use meshroute::internals::RuleIndex;
use meshroute::terms::claims::Claim;
use meshroute::terms::condition::Facts;
use meshroute::terms::condition::{
    Condition, HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch,
};
use meshroute::terms::regex::Regex;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::request::Plain;

/// What random rules and requests are made of. Small alphabets, so that rules overlap and requests hit.
pub struct Shape {
    rules: usize,
    /// Letters of path segments.
    letters: u32,
    segments: usize,
    /// Shares in percent.
    exact: u32,
    regex: u32,
    /// Of the prefixes, those of whole segments.
    separated: u32,
    ignore_case: u32,
    conditions: u32,
    /// Different values of a condition.
    values: u32,
    names: u32,
    /// A path test is the prefix `/`.
    any_path: u32,
}

const REGEXES: [&str; 14] = [
    "/a/.*",
    ".*b.*",
    "/(a|b)/c?.*",
    "/a/b",
    ".*",
    "/[ab]+",
    "/ab?c.*",
    "(?i)/A/.*",
    ".*/c",
    "/a.*b/.*",
    ".*ab.*c",
    "/c/[^/]*",
    "a",
    ".*[ab]c",
];
const VALUE_REGEXES: [&str; 7] = ["v1.*", ".*1", "v[0-9]", ".*", "", "v1|v2", ".*v1.*"];

pub struct Source {
    random: SmallRng,
    regexes: Vec<Regex>,
    value_regexes: Vec<Regex>,
}

impl Source {
    pub fn new(seed: u64) -> Self {
        let compile = |pattern: &&str| Regex::new(pattern).expect(pattern);
        Source {
            random: SmallRng::seed_from_u64(seed),
            regexes: REGEXES.iter().map(compile).collect(),
            value_regexes: VALUE_REGEXES.iter().map(compile).collect(),
        }
    }

    /// The same source, started again.
    fn reseed(&mut self, seed: u64) -> &mut Self {
        self.random = SmallRng::seed_from_u64(seed);
        self
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    pub fn shape(&mut self) -> Shape {
        let random = &mut self.random;
        Shape {
            rules: [13, 15, 20, 60, 150][random.random_range(0..5)],
            letters: random.random_range(1..4),
            segments: random.random_range(1..7),
            exact: [0, 25, 60][random.random_range(0..3)],
            regex: [0, 5, 50, 100][random.random_range(0..4)],
            separated: [0, 0, 50, 100][random.random_range(0..4)],
            ignore_case: [0, 0, 20][random.random_range(0..3)],
            conditions: [0, 10, 60, 100][random.random_range(0..4)],
            values: [1, 3, 40][random.random_range(0..3)],
            names: [1, 3, 12][random.random_range(0..3)],
            any_path: [0, 0, 50, 100][random.random_range(0..4)],
        }
    }

    fn path(&mut self, shape: &Shape) -> String {
        let mut path = String::new();
        for _ in 0..self.random.random_range(0..=shape.segments) {
            path.push('/');
            for _ in 0..self.random.random_range(0..3) {
                path.push((b'a' + self.random.random_range(0..shape.letters) as u8) as char);
            }
        }
        if path.is_empty() || self.chance(5) {
            path.push('/');
        }
        if self.chance(shape.ignore_case) {
            path.to_ascii_uppercase()
        } else {
            path
        }
    }

    fn value(&mut self, shape: &Shape) -> String {
        format!("v{}", self.random.random_range(0..shape.values))
    }

    fn name(&mut self, shape: &Shape) -> String {
        match self.random.random_range(0..=shape.names) {
            0 => ":method".to_owned(),
            n => format!("x-{n}"),
        }
    }

    fn test(&mut self, shape: &Shape) -> ValueMatch {
        match self.random.random_range(0..12) {
            0 => ValueMatch::Present,
            1 => ValueMatch::Prefix("v1".into()),
            2 => ValueMatch::Prefix(self.value(shape).into()),
            3 => ValueMatch::Regex(
                self.value_regexes[self.random.random_range(0..VALUE_REGEXES.len())].clone(),
            ),
            4 => ValueMatch::Exact("".into()),
            _ => ValueMatch::Exact(self.value(shape).into()),
        }
    }

    pub fn rule(&mut self, shape: &Shape) -> RequestMatch {
        let ignore_case = self.chance(shape.ignore_case);
        let value: Box<str> = self.path(shape).into();
        let path = if self.chance(shape.any_path) {
            PathMatch::any()
        } else if self.chance(shape.regex) {
            PathMatch::Regex(self.regexes[self.random.random_range(0..REGEXES.len())].clone())
        } else if self.chance(shape.exact) {
            PathMatch::Exact { value, ignore_case }
        } else if self.chance(shape.separated) {
            PathMatch::separated_prefix(&value, ignore_case)
        } else {
            PathMatch::Prefix { value, ignore_case }
        };
        let mut conditions = Vec::new();
        while conditions.len() < 3 && self.chance(shape.conditions / (1 + conditions.len() as u32))
        {
            let test = self.test(shape);
            conditions.push(match self.random.random_range(0..10) {
                0 | 1 => Condition::Query(QueryMatch {
                    key: self.name(shape).into(),
                    test,
                }),
                2 => Condition::Header(HeaderMatch {
                    name: self.name(shape).into(),
                    test,
                    invert: true,
                }),
                _ => Condition::Header(HeaderMatch {
                    name: self.name(shape).into(),
                    test,
                    invert: false,
                }),
            });
        }
        RequestMatch {
            path,
            conditions: conditions.into(),
        }
    }

    pub fn request(&mut self, shape: &Shape) -> Plain {
        let mut request = Plain {
            path: self.path(shape),
            ..Plain::default()
        };
        for _ in 0..self.random.random_range(0..4) {
            let line = (
                self.name(shape),
                if self.chance(5) {
                    String::new()
                } else {
                    self.value(shape)
                },
            );
            let lines = if self.chance(70) {
                &mut request.headers
            } else {
                &mut request.query
            };
            // Repeated header lines are rare.
            if lines.iter().all(|(name, _)| *name != line.0) || self.random.random_range(0..10) == 0
            {
                lines.push(line);
            }
        }
        request
    }
}

/// Number of requests that were compared.
fn compare(source: &mut Source, requests: usize) -> usize {
    let shape = source.shape();
    let rules: Vec<RequestMatch> = (0..shape.rules).map(|_| source.rule(&shape)).collect();
    let Some(index) = RuleIndex::build(&rules) else {
        assert!(rules.len() <= 12);
        return 0;
    };
    for _ in 0..requests {
        let request = source.request(&shape);
        assert_eq!(
            index.first(&request),
            request.scan(&rules),
            "{request:?}\n{rules:#?}\n{index:#?}"
        );
    }
    requests
}

/// A slice of the proof: some seconds from a seed that changes daily; `MESHROUTE_CASES=60` runs about two million pairs.
#[test]
fn index_equals_scan_on_random_tables() {
    let budget = Duration::from_millis(u64::from(super::cases(1500)));
    let day = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |time| time.as_secs() / 86_400);
    let start = Instant::now();
    let mut pairs = 0;
    let mut seed = day << 32;
    let mut source = Source::new(seed);
    while start.elapsed() < budget {
        seed += 1;
        pairs += compare(source.reseed(seed), 60);
    }
    println!("{pairs} pairs compared, last seed {seed}");
}

fn header(name: &str, value: String) -> Condition {
    Condition::Header(HeaderMatch {
        name: name.into(),
        test: ValueMatch::Exact(value.into()),
        invert: false,
    })
}

fn prefix(value: &str) -> PathMatch {
    PathMatch::Prefix {
        value: value.into(),
        ignore_case: false,
    }
}

/// Counts the tests that an index makes.
struct Counted<'a>(&'a Plain, std::cell::Cell<usize>);

impl Facts for Counted<'_> {
    fn path(&self) -> &str {
        &self.0.path
    }
    fn claim(&self, _path: &[Box<str>]) -> Option<&Claim> {
        None
    }
    fn for_each_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.0.for_each_value(name, visit);
    }
    fn query_value(&self, key: &str) -> Option<&[u8]> {
        self.0.query_value(key)
    }
    fn holds(&self, condition: &Condition) -> bool {
        self.1.set(self.1.get() + 1);
        self.0.holds(condition)
    }
    fn path_fits(&self, path: &PathMatch) -> bool {
        self.1.set(self.1.get() + 1);
        self.0.path_fits(path)
    }
}

/// The tests that the index makes for a request, having checked its answer.
fn tests_made(rules: &[RequestMatch], request: &Plain) -> usize {
    let index = RuleIndex::build(rules).expect("more than twelve rules");
    let counted = Counted(request, std::cell::Cell::new(0));
    let found = index.first(&counted);
    assert_eq!(found, request.scan(rules));
    counted.1.get()
}

#[test]
fn every_rule_keyed_on_one_header_costs_a_test_or_two() {
    let rules: Vec<RequestMatch> = (0..2000)
        .map(|n| RequestMatch {
            path: PathMatch::any(),
            conditions: [header("x-tenant", format!("t{n}"))].into(),
        })
        .collect();
    let request = Plain {
        path: "/cart".into(),
        headers: vec![("x-tenant".into(), "t1999".into())],
        query: vec![],
    };
    assert!(tests_made(&rules, &request) <= 2);
}

#[test]
fn prefixes_of_whole_segments_are_found_without_a_test() {
    let rules: Vec<RequestMatch> = (0..2000)
        .map(|n| RequestMatch {
            path: PathMatch::separated_prefix(&format!("/a/s{n}"), n % 2 == 0),
            conditions: [].into(),
        })
        .collect();
    for (path, found) in [
        ("/a/s1999", Some(1999)),
        ("/a/s1999/", Some(1999)),
        ("/a/s1998/x/y", Some(1998)),
        ("/A/S1998/X", Some(1998)),
        ("/A/S1999/X", None),
        ("/a/s1999x", None),
        ("/a/s199", Some(199)),
        ("/a", None),
    ] {
        let request = Plain {
            path: path.into(),
            ..Plain::default()
        };
        assert_eq!(request.scan(&rules), found, "{path}");
        assert_eq!(tests_made(&rules, &request), 0, "{path}");
    }
}

#[test]
fn regexes_with_different_literals_cost_a_test_or_two() {
    let rules: Vec<RequestMatch> = (0..100)
        .map(|n| RequestMatch {
            path: PathMatch::Regex(Regex::new(&format!(".*item-{n:04}.*")).unwrap()),
            conditions: [].into(),
        })
        .collect();
    let request = Plain {
        path: "/shop/item-0077/x".into(),
        ..Plain::default()
    };
    assert!(tests_made(&rules, &request) <= 2);
}

#[test]
fn nested_prefixes_with_conditions_that_fail_cost_a_test_for_each_condition() {
    let path = "/a".repeat(3000);
    let tests: [fn(usize) -> Condition; 4] = [
        |n| header("x-user", format!("u{n}")),
        |_| header("x-user", "nobody".to_owned()),
        |n| {
            Condition::Header(HeaderMatch {
                name: "x-user".into(),
                test: ValueMatch::Prefix(format!("p{n}").into()),
                invert: false,
            })
        },
        |n| {
            Condition::Header(HeaderMatch {
                name: format!("x-{}", n % 20).into(),
                test: ValueMatch::Present,
                invert: false,
            })
        },
    ];
    let separated = |text: &str| PathMatch::separated_prefix(text, false);
    type Prefix = fn(&str) -> PathMatch;
    let prefixes: [(Prefix, usize); 2] = [(prefix, 3000), (separated, 300)];
    for (shape, condition) in tests.into_iter().enumerate() {
        for (prefix, count) in prefixes {
            let rules: Vec<RequestMatch> = (0..count)
                .map(|n| RequestMatch {
                    path: prefix(&path[..2 * n + 1]),
                    conditions: [condition(n)].into(),
                })
                .collect();
            let request = Plain {
                path: path.clone(),
                headers: vec![("x-user".into(), "somebody".into())],
                query: vec![],
            };
            let made = tests_made(&rules, &request);
            assert!(made <= 40, "shape {shape}: {made} tests");
        }
    }
}

#[test]
fn many_rules_that_share_one_prefix_are_told_apart_by_their_conditions() {
    let rules: Vec<RequestMatch> = (0..2000)
        .map(|n| RequestMatch {
            path: prefix("/api"),
            conditions: [
                header(":method", "GET".to_owned()),
                Condition::Query(QueryMatch {
                    key: "id".into(),
                    test: ValueMatch::Exact(format!("{}", n / 2).into()),
                }),
                header("x-version", format!("v{}", n % 2)),
            ]
            .into(),
        })
        .collect();
    let request = Plain {
        path: "/api/x".into(),
        headers: vec![
            (":method".into(), "GET".into()),
            ("x-version".into(), "v1".into()),
        ],
        query: vec![("id".into(), "999".into())],
    };
    assert!(tests_made(&rules, &request) <= 8);
}
