//! JWT claims that the embedder has verified, for `@request.auth.claims...` matches (R-H-105).

use std::collections::BTreeMap;

/// One claim value: what a JWT payload can hold, as far as routing looks at it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Claim {
    /// A string.
    String(String),
    /// A list; a match holds when one element matches.
    List(Vec<Claim>),
    /// A nested object.
    Object(BTreeMap<String, Claim>),
    /// A number, boolean or null: never matches a string match.
    Other,
}

short_debug! { enum Claim {String(part), List(part), Object(part), Other} }

/// The payload of a verified token.
#[derive(Clone, Default, PartialEq)]
pub struct Claims(BTreeMap<String, Claim>);

short_debug! { Claims (list) }

impl Claims {
    /// No claims.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same claims and one more.
    #[must_use]
    pub fn with(mut self, name: &str, claim: Claim) -> Self {
        self.0.insert(name.to_owned(), claim);
        self
    }

    /// The claim at `path`, through nested objects.
    pub fn get(&self, path: &[Box<str>]) -> Option<&Claim> {
        let (first, rest) = path.split_first()?;
        let mut claim = self.0.get(&**first)?;
        for key in rest {
            match claim {
                Claim::Object(members) => claim = members.get(&**key)?,
                _ => return None,
            }
        }
        Some(claim)
    }
}
