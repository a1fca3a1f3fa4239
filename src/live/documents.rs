//! Resources by kind, namespace and name.

use std::collections::HashMap;

use crate::resource::{Kind, Resource};

/// What makes two resources versions of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    kind: Kind,
    namespace: Box<str>,
    name: Box<str>,
}

impl Key {
    pub(super) fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Key {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    pub(super) fn of(resource: &Resource) -> Self {
        let meta = resource.meta();
        Key::new(resource.kind(), &meta.namespace, &meta.name)
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a diagnostic that says these words means this resource.
    pub(super) fn names(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.kind.as_str() == kind && &*self.namespace == namespace && &*self.name == name
    }
}

/// Resources, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Documents {
    all: Vec<Resource>,
    places: HashMap<Key, usize>,
}

impl Documents {
    pub(super) fn get(&self, key: &Key) -> Option<&Resource> {
        self.all.get(*self.places.get(key)?)
    }

    /// In no particular order: a mesh has its own.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.all.iter()
    }

    /// Puts a resource in the place of the one before, or takes that away; returns that.
    pub(super) fn set(&mut self, key: Key, resource: Option<Resource>) -> Option<Resource> {
        let place = self.places.get(&key).copied();
        match (place, resource) {
            (Some(place), Some(new)) => Some(std::mem::replace(&mut self.all[place], new)),
            (None, Some(new)) => {
                self.places.insert(key, self.all.len());
                self.all.push(new);
                None
            }
            (Some(place), None) => {
                self.places.remove(&key);
                let old = self.all.swap_remove(place);
                if let Some(moved) = self.all.get(place) {
                    self.places.insert(Key::of(moved), place);
                }
                Some(old)
            }
            (None, None) => None,
        }
    }
}

impl FromIterator<Resource> for Documents {
    fn from_iter<I: IntoIterator<Item = Resource>>(resources: I) -> Self {
        let mut documents = Documents::default();
        for resource in resources {
            documents.set(Key::of(&resource), Some(resource));
        }
        documents
    }
}
