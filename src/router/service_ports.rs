//! The first HTTP port of each service, for the simple door: a map in parts, so that one service changes one part.

use std::hash::BuildHasher;
use std::sync::Arc;

use crate::terms::hash::HashMap;

/// So many parts: with twenty thousand services, a part has some eighty.
const PARTS: usize = 256;

type Part = HashMap<Box<str>, u16>;

/// From the lower-case name of a service to its first HTTP port. Cheap to clone: the parts are shared.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServicePorts {
    /// [`PARTS`] of them, or none.
    parts: Arc<[Arc<Part>]>,
}

impl ServicePorts {
    /// The port of a service.
    pub(crate) fn get(&self, name: &str) -> Option<u16> {
        self.parts.get(part_of(name))?.get(name).copied()
    }

    /// The same with other ports for some services; `None`: it has none.
    pub(crate) fn with(&self, changes: impl IntoIterator<Item = (Box<str>, Option<u16>)>) -> Self {
        let mut changes = changes.into_iter();
        let Some(first) = changes.find(|(name, port)| self.get(name) != *port) else {
            return self.clone();
        };
        let mut parts: Vec<Arc<Part>> = self.parts.to_vec();
        parts.resize_with(PARTS, Arc::default);
        for (name, port) in std::iter::once(first).chain(changes) {
            let part = Arc::make_mut(&mut parts[part_of(&name)]);
            match port {
                Some(port) => part.insert(name, port),
                None => part.remove(&name),
            };
        }
        ServicePorts {
            parts: parts.into(),
        }
    }
}

impl FromIterator<(Box<str>, u16)> for ServicePorts {
    /// Of equal names the first counts.
    fn from_iter<I: IntoIterator<Item = (Box<str>, u16)>>(ports: I) -> Self {
        let mut parts: Vec<Part> = vec![Part::default(); PARTS];
        for (name, port) in ports {
            parts[part_of(&name)].entry(name).or_insert(port);
        }
        ServicePorts {
            parts: parts.into_iter().map(Arc::new).collect(),
        }
    }
}

fn part_of(name: &str) -> usize {
    // Other bits than those by which the map of the part finds its own.
    let hash = Part::default().hasher().hash_one(name) >> 32;
    (hash % PARTS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_copy_shares_what_does_not_change() {
        let ports: ServicePorts = [("a", 1), ("b", 2), ("a", 3)]
            .map(|(name, port)| (name.into(), port))
            .into_iter()
            .collect();
        assert_eq!(
            (ports.get("a"), ports.get("b"), ports.get("c")),
            (Some(1), Some(2), None)
        );
        let changed = ports.with([("b".into(), None), ("c".into(), Some(4))]);
        assert_eq!(
            (changed.get("a"), changed.get("b"), changed.get("c")),
            (Some(1), None, Some(4))
        );
        assert_eq!((ports.get("b"), ports.get("c")), (Some(2), None));
        let same = changed.with([("a".into(), Some(1))]);
        assert!(Arc::ptr_eq(&same.parts, &changed.parts));
        assert_eq!(
            ServicePorts::default()
                .with([("x".into(), Some(9))])
                .get("x"),
            Some(9)
        );
    }
}
