//! `exportTo`, resolved: who can see a resource (R-M-047, R-M-141).

use std::sync::Arc;

/// Who can see a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// Every namespace (`*`).
    Public,
    /// Nobody (`~`).
    None,
    /// These namespaces; `.` is already the resource's own.
    Namespaces(Namespaces),
}

/// How far something can be seen at most, whatever it says itself (R-M-216).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum VisibilityCap {
    /// As far as it says.
    #[default]
    Public,
    /// In its own namespace, if it says so.
    Namespace,
    /// Nowhere.
    None,
}

/// Names of namespaces, each once, in their order. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespaces(Arc<[Box<str>]>);

impl Namespaces {
    /// Whether `namespace` is among them. O(log n).
    pub(crate) fn contains(&self, namespace: &str) -> bool {
        self.0
            .binary_search_by(|entry| (**entry).cmp(namespace))
            .is_ok()
    }

    /// Whether they have none in common. O(m log n), where `m` is the shorter list.
    pub(crate) fn is_disjoint(&self, other: &Namespaces) -> bool {
        let (short, long) = match self.0.len() <= other.0.len() {
            true => (self, other),
            false => (other, self),
        };
        !short.iter().any(|entry| long.contains(entry))
    }

    /// The names, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|entry| &**entry)
    }
}

impl<'a> FromIterator<&'a str> for Namespaces {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let mut names: Vec<Box<str>> = names.into_iter().map(Into::into).collect();
        names.sort_unstable();
        names.dedup();
        Namespaces(names.into())
    }
}

impl Visibility {
    /// Resolves `exportTo` of a resource in `namespace`; `default` is used where it is empty.
    pub(crate) fn resolve<'a>(
        export_to: &'a [String],
        default: &'a [String],
        namespace: &'a str,
    ) -> Self {
        let entries = if export_to.is_empty() {
            default
        } else {
            export_to
        };
        if entries.is_empty() || entries.iter().any(|entry| entry == "*") {
            return Visibility::Public;
        }
        if entries.iter().any(|entry| entry == "~") {
            return Visibility::None;
        }
        let own = |entry: &'a String| match entry.as_str() {
            "." => namespace,
            entry => entry,
        };
        Visibility::Namespaces(entries.iter().map(own).collect())
    }

    /// What is left of it, of a resource in `namespace`, below `cap`.
    pub(crate) fn below(self, cap: VisibilityCap, namespace: &str) -> Self {
        match cap {
            VisibilityCap::Public => self,
            VisibilityCap::Namespace if self.includes(namespace) => {
                Visibility::Namespaces([namespace].into_iter().collect())
            }
            VisibilityCap::Namespace | VisibilityCap::None => Visibility::None,
        }
    }

    /// Whether no namespace can see both what this and what `other` is of.
    pub(crate) fn is_disjoint(&self, other: &Visibility) -> bool {
        match (self, other) {
            (Visibility::None, _) | (_, Visibility::None) => true,
            (Visibility::Public, _) | (_, Visibility::Public) => false,
            (Visibility::Namespaces(a), Visibility::Namespaces(b)) => a.is_disjoint(b),
        }
    }

    /// Whether `namespace` can see it.
    pub(crate) fn includes(&self, namespace: &str) -> bool {
        match self {
            Visibility::Public => true,
            Visibility::None => false,
            Visibility::Namespaces(all) => all.contains(namespace),
        }
    }
}
