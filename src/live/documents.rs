//! Resources by kind, namespace and name.

use std::collections::{BTreeSet, HashMap};

use super::key::{Key, is_route};
use super::relevance::Relevance;
use crate::resource::{Delegate, Kind, Resource};

/// Resources, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Documents {
    all: Vec<Resource>,
    places: HashMap<Key, usize>,
    /// The VirtualServices that name each one as `delegate`.
    delegating: HashMap<Key, BTreeSet<Key>>,
    relevance: Relevance,
    /// How many there are of the Gateway API.
    gateway_api: usize,
    /// What routes of the Gateway API are resolved with: all that is no route.
    beside_routes: BTreeSet<Key>,
}

impl Documents {
    pub(super) fn get(&self, key: &Key) -> Option<&Resource> {
        self.all.get(*self.places.get(key)?)
    }

    /// The VirtualServices that a VirtualService names as `delegate`.
    pub(super) fn delegates_of(&self, key: &Key) -> Vec<Key> {
        self.get(key).map_or_else(Vec::new, delegates)
    }

    /// The VirtualServices that name this one as `delegate`.
    pub(super) fn delegating_to(&self, key: &Key) -> impl Iterator<Item = &Key> {
        self.delegating.get(key).into_iter().flatten()
    }

    /// The services (Service, ServiceEntry) that this document, which comes or goes, may concern.
    pub(super) fn concerned(&self, document: &Resource) -> BTreeSet<Key> {
        self.relevance.concerned(document, &|key| self.get(key))
    }

    /// Whether some are of the Gateway API.
    pub(super) fn has_gateway_api(&self) -> bool {
        self.gateway_api > 0
    }

    /// Whether some make DestinationRules.
    pub(super) fn has_policies(&self) -> bool {
        let mut all = self.beside_routes.iter();
        all.any(|key| key.kind() == Kind::BackendTlsPolicy)
    }

    /// What routes of the Gateway API are resolved with, beside other routes.
    pub(super) fn beside_routes(&self) -> impl Iterator<Item = &Resource> {
        self.beside_routes.iter().filter_map(|key| self.get(key))
    }

    /// What the service `key` is made from.
    pub(super) fn inputs(&self, key: &Key) -> BTreeSet<Key> {
        self.relevance.inputs(key, &|key| self.get(key))
    }

    /// In no particular order: a mesh has its own.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.all.iter()
    }

    /// Puts a resource in the place of the one before, or takes that away; returns that.
    pub(super) fn set(&mut self, key: Key, resource: Option<Resource>) -> Option<Resource> {
        for delegate in self.delegates_of(&key) {
            if let Some(roots) = self.delegating.get_mut(&delegate) {
                roots.remove(&key);
                if roots.is_empty() {
                    self.delegating.remove(&delegate);
                }
            }
        }
        for delegate in resource.iter().flat_map(delegates) {
            let roots = self.delegating.entry(delegate).or_default();
            roots.insert(key.clone());
        }
        if let Some(old) = self.places.get(&key).and_then(|&place| self.all.get(place)) {
            self.relevance.remove(old);
        }
        resource.iter().for_each(|new| self.relevance.insert(new));
        let place = self.places.get(&key).copied();
        if key.kind().is_written_for_gateway_api() {
            self.gateway_api += usize::from(resource.is_some());
            self.gateway_api -= usize::from(place.is_some());
        }
        if key.kind().is_of_gateway_api() && !is_route(key.kind()) {
            match resource {
                Some(_) => self.beside_routes.insert(key.clone()),
                None => self.beside_routes.remove(&key),
            };
        }
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

/// The VirtualServices that a resource names as `delegate`.
fn delegates(resource: &Resource) -> Vec<Key> {
    let Resource::VirtualService(document) = resource else {
        return Vec::new();
    };
    let named = document
        .spec
        .http
        .iter()
        .filter_map(|rule| rule.delegate.as_deref());
    let key = |delegate: &Delegate| {
        let namespace = match delegate.namespace.as_str() {
            "" => document.meta.namespace.as_str(),
            namespace => namespace,
        };
        Key::new(Kind::VirtualService, namespace, &delegate.name)
    };
    named.map(key).collect()
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
