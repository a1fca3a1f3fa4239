//! What a request has in place of what a test asks for: the other half of what [`Unmet`] says.

use std::fmt::Write as _;

use super::{Condition, Facts, Unmet, ValueMatch};
use crate::terms::claims::Claim;

/// Longer values are cut, and of more lines than these the rest is counted.
const LONGEST: usize = 120;
const MOST_LINES: usize = 4;

impl Unmet<'_> {
    /// What came, to be read behind what is amiss: ``it is `/cart` ``, `it is absent`.
    pub fn came(&self, facts: &impl Facts) -> String {
        match self {
            Unmet::Path(_) => format!("it is {}", quoted(facts.path().as_bytes())),
            Unmet::Condition(Condition::Header(header)) => {
                let counts_as_empty = header.invert && header.test != ValueMatch::Present;
                values(counts_as_empty, |visit| {
                    facts.for_each_value(&header.name, visit);
                })
            }
            Unmet::Condition(Condition::Query(query)) => values(false, |visit| {
                facts.query_value(&query.key).into_iter().for_each(visit);
            }),
            Unmet::Condition(Condition::Claim(claim)) => match facts.claim(&claim.path) {
                None => "it is absent, or no verified token came".to_owned(),
                Some(Claim::String(text)) => format!("it is {}", quoted(text.as_bytes())),
                Some(Claim::List(_)) => "it is a list without such an element".to_owned(),
                Some(_) => "it is no text".to_owned(),
            },
        }
    }
}

fn values(counts_as_empty: bool, visit: impl FnOnce(&mut dyn FnMut(&[u8]))) -> String {
    let mut text = String::new();
    let mut count = 0_usize;
    visit(&mut |value| {
        if count < MOST_LINES {
            text.push_str(if count == 0 { "it is " } else { " and " });
            text.push_str(&quoted(value));
        }
        count += 1;
    });
    match (count, counts_as_empty) {
        (0, true) => return "it is absent, which counts as empty".to_owned(),
        (0, false) => return "it is absent".to_owned(),
        (more, _) if more > MOST_LINES => {
            let _ = write!(text, " and {} more", more - MOST_LINES);
        }
        _ => {}
    }
    text
}

/// A value in backticks, without what a terminal would act on.
fn quoted(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let mut characters = text.chars().flat_map(|character| {
        let is_plain = !character.is_control();
        let plain = is_plain.then_some(character);
        let escaped = (!is_plain).then(|| character.escape_default());
        plain.into_iter().chain(escaped.into_iter().flatten())
    });
    let mut shown: String = characters.by_ref().take(LONGEST).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::super::asked::Asked;
    use super::super::{HeaderMatch, PathMatch, QueryMatch};
    use super::*;

    #[test]
    fn what_came_is_said_of_every_kind_of_test() {
        let asked = Asked {
            headers: vec![("x", "2"), ("x", "a\u{1b}[31m")],
            query: vec![("k", "v")],
            ..Asked::default()
        };
        let header = |name: &str, test, invert| {
            let name = name.into();
            Condition::Header(HeaderMatch { name, test, invert })
        };
        let exact = |text: &str| ValueMatch::Exact(text.into());
        let query = Condition::Query(QueryMatch {
            key: "k".into(),
            test: exact("w"),
        });
        for (condition, came) in [
            (
                header("x", exact("1"), false),
                r"it is `2` and `a\u{1b}[31m`",
            ),
            (header("y", exact("1"), false), "it is absent"),
            (
                header("y", exact(""), true),
                "it is absent, which counts as empty",
            ),
            (query, "it is `v`"),
        ] {
            assert_eq!(Unmet::Condition(&condition).came(&asked), came);
        }
        let path = PathMatch::Exact {
            value: "/a".into(),
            ignore_case: false,
        };
        assert_eq!(Unmet::Path(&path).came(&asked), "it is `/`");
    }
}
