//! The first HTTP port of each service, for the simple door: a map in shards, so that one service changes one shard.

use std::hash::BuildHasher;
use std::sync::Arc;

use crate::terms::hash::HashMap;

/// So many shards: with twenty thousand services, a shard has some eighty.
const SHARDS: usize = 256;

type Shard = HashMap<Box<str>, u16>;

/// From the lower-case name of a service to its first HTTP port. Cheap to clone: the shards are shared.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServicePorts {
    /// [`SHARDS`] of them, or none.
    shards: Arc<[Arc<Shard>]>,
}

impl ServicePorts {
    /// The port of a service.
    pub(crate) fn get(&self, name: &str) -> Option<u16> {
        self.shards.get(shard_of(name))?.get(name).copied()
    }

    /// The same with other ports for some services; `None`: it has none.
    pub(crate) fn with(&self, changes: impl IntoIterator<Item = (Box<str>, Option<u16>)>) -> Self {
        let mut changes = changes.into_iter();
        let Some(first) = changes.find(|(name, port)| self.get(name) != *port) else {
            return self.clone();
        };
        let mut shards: Vec<Arc<Shard>> = self.shards.to_vec();
        shards.resize_with(SHARDS, Arc::default);
        for (name, port) in std::iter::once(first).chain(changes) {
            let shard = Arc::make_mut(&mut shards[shard_of(&name)]);
            match port {
                Some(port) => shard.insert(name, port),
                None => shard.remove(&name),
            };
        }
        ServicePorts {
            shards: shards.into(),
        }
    }
}

impl FromIterator<(Box<str>, u16)> for ServicePorts {
    /// Of equal names the first counts.
    fn from_iter<I: IntoIterator<Item = (Box<str>, u16)>>(ports: I) -> Self {
        let mut shards: Vec<Shard> = vec![Shard::default(); SHARDS];
        for (name, port) in ports {
            shards[shard_of(&name)].entry(name).or_insert(port);
        }
        ServicePorts {
            shards: shards.into_iter().map(Arc::new).collect(),
        }
    }
}

fn shard_of(name: &str) -> usize {
    // Other bits than those by which the map of the shard finds its own.
    let hash = Shard::default().hasher().hash_one(name) >> 32;
    (hash % SHARDS as u64) as usize
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
        assert!(Arc::ptr_eq(&same.shards, &changed.shards));
        assert_eq!(
            ServicePorts::default()
                .with([("x".into(), Some(9))])
                .get("x"),
            Some(9)
        );
    }
}
