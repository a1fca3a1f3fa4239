//! The tables that benches and `examples/ratios.rs` measure on, all from fixed seeds.
#![allow(dead_code)]

use std::sync::Arc;

use meshroute::terms::claims::Claim;
use meshroute::terms::condition::Facts;
use meshroute::terms::condition::{
    Condition, HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch,
};
use meshroute::terms::regex::Regex;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// The random source of everything here.
pub fn random(seed: u64) -> SmallRng {
    SmallRng::seed_from_u64(seed)
}

/// Different host names of about 32 bytes.
pub fn hosts(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| {
            format!(
                "{}-{n}.ns-{}.svc.cluster.local",
                WORDS[n % WORDS.len()],
                n % 89
            )
        })
        .collect()
}

/// Different wildcard domains; `*.` and two to four labels.
pub fn wildcards(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| format!("*.{}-{n}.example.com", WORDS[n % WORDS.len()]))
        .collect()
}

const WORDS: [&str; 16] = [
    "cart", "orders", "reviews", "ratings", "users", "search", "billing", "media", "auth", "stock",
    "prices", "mail", "geo", "feed", "admin", "jobs",
];

/// A request as the rule tables see it.
#[derive(Clone, Debug, Default)]
pub struct Plain {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub query: Vec<(String, String)>,
}

impl Plain {
    /// A `GET` for a path.
    pub fn get(path: impl Into<String>) -> Self {
        Plain {
            method: "GET",
            path: path.into(),
            ..Plain::default()
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        if name == ":method" {
            return Some(self.method);
        }
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    fn parameter(&self, key: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(other, _)| other == key)
            .map(|(_, value)| value.as_str())
    }

    /// The naive first match: rule by rule.
    pub fn scan(&self, rules: &[RequestMatch]) -> Option<usize> {
        rules.iter().position(|rule| rule.holds(self))
    }
}

impl Facts for Plain {
    fn path(&self) -> &str {
        &self.path
    }

    fn for_each_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        if let Some(value) = self.value(name) {
            visit(value.as_bytes());
        }
    }

    fn query_value(&self, key: &str) -> Option<&[u8]> {
        self.parameter(key).map(str::as_bytes)
    }

    fn claim(&self, _path: &[Box<str>]) -> Option<&Claim> {
        None
    }
}

/// A rule table and requests for it.
pub struct Table {
    pub rules: Vec<RequestMatch>,
    /// What a proxy has just read is in its caches: few different ones, so that it is not the requests that are measured.
    pub requests: Vec<Arc<Plain>>,
}

fn rule(path: PathMatch, conditions: impl IntoIterator<Item = Condition>) -> RequestMatch {
    RequestMatch {
        path,
        conditions: conditions.into_iter().collect(),
    }
}

fn prefix(value: &str) -> PathMatch {
    PathMatch::Prefix {
        value: value.into(),
        ignore_case: false,
    }
}

fn exact(value: &str) -> PathMatch {
    PathMatch::Exact {
        value: value.into(),
        ignore_case: false,
    }
}

fn header(name: &str, value: &str) -> Condition {
    Condition::Header(HeaderMatch {
        name: name.into(),
        test: ValueMatch::Exact(value.into()),
        invert: false,
    })
}

fn path_of(n: usize) -> String {
    format!("/{}/{}/r{n}", WORDS[n % 16], WORDS[n / 16 % 16])
}

/// 60 % prefix, 25 % exact, 5 % regex, 10 % with a header, query or method condition; the last rule is the default.
/// Requests hit the first, a middle, the last and the default rule in equal parts.
pub fn realistic(count: usize) -> Table {
    let mut random = random(count as u64);
    let mut rules = Vec::with_capacity(count);
    let mut requests = Vec::with_capacity(count);
    for n in 0..count - 1 {
        let path = path_of(n);
        let mut request = Plain::get(format!("{path}/items/17"));
        request.headers = vec![
            ("host".into(), "shop.example.com".into()),
            ("user-agent".into(), "bench/1.0".into()),
            ("accept".into(), "*/*".into()),
        ];
        rules.push(match random.random_range(0..100) {
            0..60 => rule(prefix(&path), []),
            60..85 => {
                request.path.clone_from(&path);
                rule(exact(&path), [])
            }
            85..90 => rule(
                PathMatch::Regex(Regex::new(&format!("{path}/[a-z]+/[0-9]+")).expect("a regex")),
                [],
            ),
            90..94 => {
                let user = format!("u{}", n % 50);
                request.headers.push(("x-user".into(), user.clone()));
                rule(prefix(&path), [header("x-user", &user)])
            }
            94..97 => {
                request.query.push(("debug".into(), "1".into()));
                rule(
                    prefix(&path),
                    [Condition::Query(QueryMatch {
                        key: "debug".into(),
                        test: ValueMatch::Exact("1".into()),
                    })],
                )
            }
            _ => {
                request.method = "POST";
                rule(prefix(&path), [header(":method", "POST")])
            }
        });
        requests.push(request);
    }
    rules.push(rule(PathMatch::any(), []));
    let mut unknown = Plain::get("/nothing/is/here");
    unknown.headers.clone_from(&requests[0].headers);
    let middle: Vec<Arc<Plain>> = (0..256)
        .map(|_| Arc::new(requests[random.random_range(0..count - 1)].clone()))
        .collect();
    let (first, last, unknown) = (
        Arc::new(requests[0].clone()),
        Arc::new(requests[count - 2].clone()),
        Arc::new(unknown),
    );
    let requests = (0..1024)
        .map(|n| match n % 4 {
            0 => first.clone(),
            1 => middle[n / 4].clone(),
            2 => last.clone(),
            _ => unknown.clone(),
        })
        .collect();
    Table { rules, requests }
}

/// Paths alone, different from each other, so that their order does not matter: what matchit can do too. Half exact,
/// half prefixes that end at a segment.
pub fn paths(count: usize) -> Table {
    let mut random = random(count as u64);
    let path = |n: usize| {
        if n.is_multiple_of(2) {
            path_of(n)
        } else {
            format!("{}/", path_of(n))
        }
    };
    let rules = (0..count).map(|n| {
        if n.is_multiple_of(2) {
            rule(exact(&path(n)), [])
        } else {
            rule(prefix(&path(n)), [])
        }
    });
    let requests = (0..512).map(|_| {
        let n = random.random_range(0..count);
        Arc::new(Plain::get(if n.is_multiple_of(2) {
            path(n)
        } else {
            format!("{}items/17", path(n))
        }))
    });
    Table {
        rules: rules.collect(),
        requests: requests.collect(),
    }
}

/// Hostile: every rule keyed on one header's value.
pub fn header_keyed(count: usize) -> Table {
    let mut random = random(count as u64);
    let request = |n: usize| {
        let mut request = Plain::get("/cart/items");
        request.headers = vec![
            ("user-agent".into(), "bench/1.0".into()),
            ("x-tenant".into(), format!("tenant-{n}")),
        ];
        request
    };
    Table {
        rules: (0..count)
            .map(|n| {
                rule(
                    PathMatch::any(),
                    [header("x-tenant", &format!("tenant-{n}"))],
                )
            })
            .collect(),
        requests: (0..512)
            .map(|_| Arc::new(request(random.random_range(0..count))))
            .collect(),
    }
}

/// Hostile: every rule a regex `.*x.*`.
pub fn contains(count: usize) -> Table {
    let mut random = random(count as u64);
    let word = |n: usize| format!("{}-{n:05}", WORDS[n % 16]);
    Table {
        rules: (0..count)
            .map(|n| {
                rule(
                    PathMatch::Regex(Regex::new(&format!(".*{}.*", word(n))).expect("a regex")),
                    [],
                )
            })
            .collect(),
        requests: (0..512)
            .map(|_| {
                Arc::new(Plain::get(format!(
                    "/shop/{}/items/17",
                    word(random.random_range(0..count))
                )))
            })
            .collect(),
    }
}

/// Hostile: nested prefixes, each with a condition that fails. `shape` 0: a value of its own for each rule, 1: the same
/// value for all, 2: the presence of one of sixteen headers, 3: a prefix of its own for each rule.
pub fn nested(count: usize, shape: usize) -> Table {
    let path: String = (0..count).map(|n| ["/a", "/b"][n % 2]).collect();
    let condition = |n: usize| match shape {
        0 => header("x-user", &format!("nobody-{n}")),
        1 => header("x-user", "nobody"),
        2 => Condition::Header(HeaderMatch {
            name: format!("x-absent-{}", n % 16).into(),
            test: ValueMatch::Present,
            invert: false,
        }),
        _ => Condition::Header(HeaderMatch {
            name: "x-user".into(),
            test: ValueMatch::Prefix(format!("nobody-{n}").into()),
            invert: false,
        }),
    };
    let mut request = Plain::get(path.clone());
    request.headers = vec![
        ("user-agent".into(), "bench/1.0".into()),
        ("x-user".into(), "somebody".into()),
    ];
    Table {
        rules: (0..count)
            .map(|n| rule(prefix(&path[..2 * (n + 1)]), [condition(n)]))
            .collect(),
        requests: (0..16).map(|_| Arc::new(request.clone())).collect(),
    }
}

/// Hostile: rules that share one prefix and differ in a query parameter and a header.
pub fn one_prefix(count: usize) -> Table {
    let mut random = random(count as u64);
    let conditions = |n: usize| {
        let id = Condition::Query(QueryMatch {
            key: "id".into(),
            test: ValueMatch::Exact(format!("{}", n / 2).into()),
        });
        [id, header("x-version", ["v1", "v2"][n % 2])]
    };
    let request = |n: usize| {
        let mut request = Plain::get("/api/things");
        request.query = vec![
            ("page".into(), "1".into()),
            ("id".into(), format!("{}", n / 2)),
        ];
        request.headers = vec![("x-version".into(), ["v1", "v2"][n % 2].into())];
        request
    };
    Table {
        rules: (0..count)
            .map(|n| rule(prefix("/api"), conditions(n)))
            .collect(),
        requests: (0..512)
            .map(|_| Arc::new(request(random.random_range(0..count))))
            .collect(),
    }
}
