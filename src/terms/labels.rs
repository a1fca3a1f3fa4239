//! Label sets and the one selector rule that Istio uses everywhere (R-M-059).

use std::collections::BTreeMap;

/// An ordered set of `key: value` labels.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels(BTreeMap<Box<str>, Box<str>>);

short_debug! { Labels (list) }

impl Labels {
    /// The empty set: as a selector it selects everything.
    pub const EMPTY: Labels = Labels(BTreeMap::new());

    /// The value of `key`, if it is present. O(log n).
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| &**value)
    }

    /// All pairs in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets `key` to `value`, replacing what was there.
    pub fn insert(&mut self, key: impl Into<Box<str>>, value: impl Into<Box<str>>) {
        self.0.insert(key.into(), value.into());
    }

    /// Read as a selector: whether `labels` has each of these pairs, byte for byte. The empty selector selects
    /// everything. Istio: `labels.Instance.SubsetOf` (R-M-059).
    pub fn selects(&self, labels: &Labels) -> bool {
        self.iter()
            .all(|(key, value)| labels.get(key) == Some(value))
    }

    /// These labels and `other`'s; where both have a key, `other` wins.
    pub fn union(&self, other: &Labels) -> Labels {
        let mut all = self.clone();
        for (key, value) in &other.0 {
            all.0.insert(key.clone(), value.clone());
        }
        all
    }
}

impl<K: Into<Box<str>>, V: Into<Box<str>>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Labels(
            pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

impl std::fmt::Display for Labels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (key, value)) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{key}={value}")?;
        }
        Ok(())
    }
}
