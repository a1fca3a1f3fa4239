//! Which resources have been read under which names, without a copy of the names.

use crate::resource::Resource;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// The positions of resources by the hash of kind, namespace and name. The hash has a random key: the names are not ours.
#[derive(Debug, Default)]
pub(super) struct Names {
    state: RandomState,
    positions: HashMap<u64, SmallVec<[usize; 1]>>,
}

impl Names {
    /// The position of the resource that has the same name as `resource`; if there is none, `resource` gets the next.
    pub(super) fn position_or_insert(
        &mut self,
        resource: &Resource,
        all: &[Resource],
    ) -> Option<usize> {
        let positions = self
            .positions
            .entry(self.state.hash_one(name(resource)))
            .or_default();
        let taken = positions
            .iter()
            .copied()
            .find(|position| name(&all[*position]) == name(resource));
        if taken.is_none() {
            positions.push(all.len());
        }
        taken
    }
}

fn name(resource: &Resource) -> (crate::resource::Kind, &str, &str) {
    let meta = resource.meta();
    (resource.kind(), &meta.namespace, &meta.name)
}
