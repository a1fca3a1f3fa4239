//! `exportTo`, resolved: who can see a resource (R-M-047, R-M-141).

/// Who can see a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Every namespace (`*`).
    Public,
    /// Nobody (`~`).
    None,
    /// These namespaces; `.` is already the resource's own.
    Namespaces(Box<[Box<str>]>),
}

impl Visibility {
    /// Resolves `exportTo` of a resource in `namespace`; `default` is used where it is empty.
    pub fn resolve(export_to: &[String], default: &[String], namespace: &str) -> Self {
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
        Visibility::Namespaces(
            entries
                .iter()
                .map(|entry| {
                    if entry == "." {
                        namespace.into()
                    } else {
                        entry.as_str().into()
                    }
                })
                .collect(),
        )
    }

    /// Whether no namespace can see both what this and what `other` is of.
    pub fn is_disjoint(&self, other: &Visibility) -> bool {
        match (self, other) {
            (Visibility::None, _) | (_, Visibility::None) => true,
            (Visibility::Public, _) | (_, Visibility::Public) => false,
            (Visibility::Namespaces(a), Visibility::Namespaces(b)) => {
                a.iter().all(|one| !b.contains(one))
            }
        }
    }

    /// Whether `namespace` can see it.
    pub fn includes(&self, namespace: &str) -> bool {
        match self {
            Visibility::Public => true,
            Visibility::None => false,
            Visibility::Namespaces(all) => all.iter().any(|one| &**one == namespace),
        }
    }
}
