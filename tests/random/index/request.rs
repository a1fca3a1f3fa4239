//! A plain request and the plainest way to test it, for comparison with an index.

use meshroute::terms::claims::Claim;
use meshroute::terms::condition::Facts;
use meshroute::terms::condition::{
    Condition, HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch,
};

/// Path, header lines and query parameters.
#[derive(Clone, Debug, Default)]
pub struct Plain {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub query: Vec<(String, String)>,
}

impl Plain {
    /// What conditions on a header are tested on: the joined lines of some headers, each line of others.
    fn values(&self, name: &str) -> Vec<String> {
        let lines: Vec<&str> = self
            .headers
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
            .collect();
        match name {
            "x-1" if !lines.is_empty() => vec![lines.join(",")],
            _ => lines.into_iter().map(str::to_owned).collect(),
        }
    }

    fn parameter(&self, key: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(other, _)| other == key)
            .map(|(_, value)| value.as_str())
    }

    pub fn fits(&self, matches: &RequestMatch) -> bool {
        self.path_fits(&matches.path)
            && matches
                .conditions
                .iter()
                .all(|condition| self.holds(condition))
    }

    /// The number of the first rule that holds.
    pub fn scan<'a>(&self, rules: impl IntoIterator<Item = &'a RequestMatch>) -> Option<usize> {
        rules.into_iter().position(|matches| self.fits(matches))
    }
}

impl Facts for Plain {
    fn path(&self) -> &str {
        &self.path
    }

    fn claim(&self, _path: &[Box<str>]) -> Option<&Claim> {
        None
    }

    fn for_each_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        for value in self.values(name) {
            visit(value.as_bytes());
        }
    }

    fn query_value(&self, key: &str) -> Option<&[u8]> {
        self.parameter(key).map(str::as_bytes)
    }

    fn holds(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Header(HeaderMatch { name, test, invert }) => {
                let values = self.values(name);
                match test {
                    _ if !invert => values.iter().any(|value| value_fits(test, value)),
                    ValueMatch::Present => values.is_empty(),
                    _ if values.is_empty() => !value_fits(test, ""),
                    _ => !values.iter().any(|value| value_fits(test, value)),
                }
            }
            Condition::Query(QueryMatch { key, test }) => self
                .parameter(key)
                .is_some_and(|value| value_fits(test, value)),
            Condition::Claim(_) => false,
        }
    }

    fn path_fits(&self, path: &PathMatch) -> bool {
        let fold = |text: &str, ignore_case: bool| {
            if ignore_case {
                text.to_ascii_lowercase()
            } else {
                text.to_owned()
            }
        };
        match path {
            PathMatch::Exact { value, ignore_case } => {
                fold(&self.path, *ignore_case) == fold(value, *ignore_case)
            }
            PathMatch::Prefix { value, ignore_case } => {
                fold(&self.path, *ignore_case).starts_with(&fold(value, *ignore_case))
            }
            PathMatch::SeparatedPrefix(prefix) => {
                let fold = |text: &str| fold(text, prefix.ignores_case());
                let segments =
                    |text: &str| fold(text).split('/').map(str::to_owned).collect::<Vec<_>>();
                segments(&self.path).starts_with(&segments(prefix.as_str()))
            }
            PathMatch::Regex(regex) => regex.is_full_match(self.path.as_bytes()),
        }
    }
}

fn value_fits(test: &ValueMatch, value: &str) -> bool {
    match test {
        ValueMatch::Present => true,
        ValueMatch::Exact(text) => value == &**text,
        ValueMatch::Prefix(text) => value.starts_with(&**text),
        ValueMatch::Regex(regex) => regex.is_full_match(value.as_bytes()),
    }
}
