//! Routes of the Gateway API: which VirtualServices istiod makes of which of them, so that of a change only those are made
//! anew that the routes before and after have a part in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::documents::Documents;
use super::key::{Before, Key, is_route};
use super::registry::Registry;
use crate::Report;
use crate::mesh::change::Change;
use crate::mesh::{Mesh, VirtualService};
use crate::resource::Kind;
use crate::terms::origin::Author;

/// What is made of all routes.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    made: HashMap<Name, Arc<VirtualService>>,
    parts: HashMap<Name, BTreeSet<Key>>,
    /// The other way round.
    by_route: HashMap<Key, BTreeSet<Name>>,
}

/// The name of what is made; its namespace where that is part of the name: routes of several namespaces share a VirtualService
/// with `http` rules, which stands in that of the oldest (R-G-037).
type Name = (Box<str>, Option<Box<str>>);

/// What becomes of the VirtualServices that routes have a part in; `None`: it goes.
pub(super) type RoutesUpdate = BTreeMap<Name, Option<Arc<VirtualService>>>;

impl Routes {
    /// Of this mesh.
    pub(super) fn new(mesh: &Mesh) -> Self {
        let mut routes = Routes::default();
        let all = mesh.inner.virtual_services.iter();
        for made in all.filter(|one| !authors(one).is_empty()) {
            routes.set(name_of(made), Some(Arc::clone(made)));
        }
        routes
    }

    /// What changes with these resources, which `before` has as they were and `documents` as they are.
    ///
    /// # Complexity
    /// In proportion to the routes that have a part in what the changed ones have a part in, and to all that is no route:
    /// Gateways, grants.
    pub(super) fn update(
        &self,
        mesh: &Mesh,
        documents: &Documents,
        registry: &Registry,
        before: &[Before],
        report: &mut Report,
    ) -> RoutesUpdate {
        let changed: BTreeSet<Key> = before
            .iter()
            .map(|(key, _)| key.clone())
            .filter(|key| is_route(key.kind()))
            .collect();
        let mut update = RoutesUpdate::new();
        if changed.is_empty() {
            return update;
        }
        let of_routes = |keys: &BTreeSet<Key>, report: &mut Report| {
            let routes = keys.iter().filter_map(|key| documents.get(key));
            let others = documents.beside_routes();
            let services = registry.by_name(mesh);
            mesh.type_routes(routes.chain(others), &services, report)
        };
        let first = of_routes(&changed, report);
        let old = changed.iter().filter_map(|key| self.by_route.get(key));
        let mut names: BTreeSet<Name> = old.flatten().cloned().collect();
        names.extend(first.iter().map(|made| name_of(made)));
        let mut parts: BTreeSet<Key> = changed.clone();
        for name in &names {
            parts.extend(self.parts.get(name).into_iter().flatten().cloned());
        }
        // What there is to say about the others has been said.
        let all = match parts.len() == changed.len() {
            true => first,
            false => of_routes(&parts, &mut Report::new()),
        };
        update.extend(names.into_iter().map(|name| (name, None)));
        for made in all {
            if let Some(known) = update.get_mut(&name_of(&made)) {
                *known = Some(made);
            }
        }
        update
    }

    /// The same as changes of the mesh's VirtualServices.
    pub(super) fn changes(&self, update: &RoutesUpdate) -> Vec<Change<VirtualService>> {
        let pair = |(name, new): (&Name, &Option<Arc<VirtualService>>)| {
            (self.made.get(name).cloned(), new.clone())
        };
        let all = update.iter().map(pair);
        all.filter(|(old, new)| old.is_some() || new.is_some())
            .collect()
    }

    /// Takes an update over.
    pub(super) fn take_over(&mut self, update: RoutesUpdate) {
        for (name, made) in update {
            self.set(name, made);
        }
    }

    fn set(&mut self, name: Name, made: Option<Arc<VirtualService>>) {
        for route in self.parts.remove(&name).into_iter().flatten() {
            if let Some(names) = self.by_route.get_mut(&route) {
                names.remove(&name);
                if names.is_empty() {
                    self.by_route.remove(&route);
                }
            }
        }
        let Some(made) = made else {
            self.made.remove(&name);
            return;
        };
        let keys: BTreeSet<Key> = authors(&made).into_iter().filter_map(key_of).collect();
        for key in &keys {
            let names = self.by_route.entry(key.clone()).or_default();
            names.insert(name.clone());
        }
        self.parts.insert(name.clone(), keys);
        self.made.insert(name, made);
    }
}

fn name_of(made: &VirtualService) -> Name {
    let resource = made.resource();
    let namespace = (!made.is_http_only()).then(|| (&*resource.namespace).into());
    ((&*resource.name).into(), namespace)
}

/// The routes that it is made of, one after the other; none of one that was written.
fn authors(made: &VirtualService) -> Vec<&Arc<Author>> {
    let http = made.http.iter().map(|rule| &rule.origin);
    let tls = made.tls.iter().map(|rule| &rule.origin);
    let tcp = made.tcp.iter().map(|rule| &rule.origin);
    let all = http.chain(tls).chain(tcp);
    let all = all.filter(|origin| origin.made.is_some());
    let mut out: Vec<&Arc<Author>> = all.map(|origin| &origin.author).collect();
    out.dedup_by(|a, b| Arc::ptr_eq(a, b));
    out
}

fn key_of(author: &Arc<Author>) -> Option<Key> {
    let mut kinds = Kind::ALL.iter().copied().filter(|kind| is_route(*kind));
    let kind = kinds.find(|kind| kind.as_str() == author.kind())?;
    let name = author.resource();
    Some(Key::new(kind, &name.namespace, &name.name))
}
