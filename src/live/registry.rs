//! Changes of the registry: the services that they concern are made anew, each from what it is made from, and take their
//! places in the mesh. Nothing here grows with the rest of the mesh but the links of ExternalName services, which are
//! followed anew when one of those changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::documents::Documents;
use super::key::Key;
use crate::Report;
use crate::mesh::change::Change;
use crate::mesh::service::{AliasNames, Registry as Origin};
use crate::mesh::services_by_name::ServicesByName;
use crate::mesh::{Mesh, Service};
use crate::resource::{Kind, Resource};

/// The services of a mesh by what made them.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry {
    /// Those that a Service or ServiceEntry makes.
    made: HashMap<Key, Vec<Arc<Service>>>,
    /// The other names of hosts, also of hosts that nobody has.
    aliases: AliasNames,
}

/// What changes of the registry come to, before they are taken over.
pub(super) struct RegistryUpdate {
    pub services: Vec<Change<Service>>,
    /// The services of these documents are others.
    made: Vec<(Key, Vec<Arc<Service>>)>,
    /// `None`: as before.
    aliases: Option<AliasNames>,
}

impl Registry {
    /// Of this mesh.
    pub(super) fn new(mesh: &Mesh) -> Self {
        let services = &mesh.inner.services;
        let mut made: HashMap<Key, Vec<Arc<Service>>> = HashMap::new();
        for service in services {
            let of_document = made.entry(key_of(service)).or_default();
            of_document.push(Arc::clone(service));
        }
        Registry {
            made,
            aliases: Mesh::alias_names(
                services.iter().map(|service| &**service),
                &mut Report::new(),
            ),
        }
    }

    /// How the services change with these resources of the registry, which `before` has as they were and `documents` as they
    /// are. `report` gets what there is to say about them and about the services that
    /// they concern.
    ///
    /// # Complexity
    /// In proportion to what the services that they concern are made from.
    pub(super) fn update(
        &self,
        mesh: &Mesh,
        documents: &Documents,
        before: &[(Key, Option<Resource>)],
        report: &mut Report,
    ) -> RegistryUpdate {
        let mut concerned = BTreeSet::new();
        let of_registry = |(key, _): &&(Key, Option<Resource>)| key.kind().is_of_registry();
        let before = || before.iter().filter(of_registry);
        for (key, old) in before() {
            for document in old.iter().chain(documents.get(key)) {
                concerned.append(&mut documents.concerned(document));
            }
        }
        let mut inputs: BTreeSet<Key> = before().map(|(key, _)| key.clone()).collect();
        for key in &concerned {
            inputs.append(&mut documents.inputs(key));
        }
        let mut new: BTreeMap<Key, Vec<Service>> = BTreeMap::new();
        new.extend(concerned.into_iter().map(|key| (key, Vec::new())));
        let inputs = inputs.iter().filter_map(|key| documents.get(key));
        for service in mesh.make_services(inputs, report) {
            if let Some(made) = new.get_mut(&key_of(&service)) {
                made.push(service);
            }
        }
        let aliases = self.link(mesh, &mut new, report);
        let mut update = RegistryUpdate {
            services: Vec::new(),
            made: Vec::new(),
            aliases,
        };
        // Also of those that stay what they were: what there is to say about them is said again.
        let made_anew = new.values().flatten();
        let hosts: BTreeSet<Arc<str>> = made_anew
            .map(|service| Arc::clone(&service.hostname))
            .collect();
        for (key, made) in new {
            let names = update.aliases.as_ref().unwrap_or(&self.aliases);
            let made = made.into_iter().map(|mut service| {
                service.aliases = names.get(&service.hostname).cloned().unwrap_or_default();
                Arc::new(service)
            });
            let (made, old) = (made.collect(), self.of(&key));
            update.replace(key, old, made);
        }
        let named = self.same_names(mesh, &update, &hosts);
        if named.len() > 1 {
            let keys: BTreeSet<Key> = named.iter().map(|service| key_of(service)).collect();
            let documents = keys.iter().filter_map(|key| documents.get(key));
            Mesh::report_host_conflicts(&named, documents, report);
        }
        update
    }

    /// Takes an update over that has been put into the mesh; returns its changes.
    pub(super) fn take_over(&mut self, update: RegistryUpdate) -> Vec<Change<Service>> {
        for (key, services) in update.made {
            match services.is_empty() {
                true => self.made.remove(&key),
                false => self.made.insert(key, services),
            };
        }
        if let Some(aliases) = update.aliases {
            self.aliases = aliases;
        }
        update.services
    }

    /// The services as routes of the Gateway API name them.
    pub(super) fn by_name<'r>(&'r self, mesh: &'r Mesh) -> ByName<'r> {
        ByName {
            registry: self,
            mesh,
        }
    }

    fn of(&self, key: &Key) -> &[Arc<Service>] {
        self.made.get(key).map_or(&[], Vec::as_slice)
    }

    /// Where an ExternalName service changes, others get or lose a name: then all links are followed anew. Adds those
    /// others to `new`.
    fn link(
        &self,
        mesh: &Mesh,
        new: &mut BTreeMap<Key, Vec<Service>>,
        report: &mut Report,
    ) -> Option<AliasNames> {
        let old = new.keys().flat_map(|key| self.of(key));
        let mut both = old.map(|service| &**service).chain(new.values().flatten());
        if !both.any(|service| service.external_name.is_some()) {
            return None;
        }
        let services = &mesh.inner.services;
        let is_kept = |service: &&Arc<Service>| !new.contains_key(&key_of(service));
        let kept = services.iter().filter(is_kept);
        let all = kept.map(|service| &**service).chain(new.values().flatten());
        let names = Mesh::alias_names(all, report);
        let other = |service: &&Arc<Service>| {
            self.aliases.get(&service.hostname) != names.get(&service.hostname)
        };
        let others: BTreeSet<Key> = services
            .iter()
            .filter(other)
            .map(|service| key_of(service))
            .collect();
        for key in others {
            let same = self.of(&key).iter().map(|service| Service::clone(service));
            new.entry(key).or_insert_with(|| same.collect());
        }
        Some(names)
    }

    /// All services, as they are after the update, with one of these host names, in the mesh's order.
    fn same_names(
        &self,
        mesh: &Mesh,
        update: &RegistryUpdate,
        hosts: &BTreeSet<Arc<str>>,
    ) -> Vec<Arc<Service>> {
        let replaced: BTreeSet<&Key> = update.made.iter().map(|(key, _)| key).collect();
        let mut named: Vec<Arc<Service>> = Vec::new();
        for host in hosts {
            let kept = mesh.inner.service_index.named(host).iter();
            let kept = kept.flat_map(|service| mesh.inner.service_index.twins(service));
            named.extend(
                kept.filter(|service| !replaced.contains(&key_of(service)))
                    .cloned(),
            );
            let made = update.made.iter().flat_map(|(_, made)| made);
            named.extend(made.filter(|service| service.hostname == *host).cloned());
        }
        named.sort_by(|a, b| a.config_key().cmp(&b.config_key()));
        named
    }
}

/// The services of a mesh by the names of what makes them.
pub(super) struct ByName<'r> {
    registry: &'r Registry,
    mesh: &'r Mesh,
}

impl ServicesByName for ByName<'_> {
    fn service(&self, namespace: &str, name: &str) -> Option<&Service> {
        let key = Key::new(Kind::Service, namespace, name);
        self.registry.of(&key).last().map(|service| &**service)
    }

    fn entry(&self, namespace: &str, name: &str) -> Vec<&Service> {
        let key = Key::new(Kind::ServiceEntry, namespace, name);
        let all = self.registry.of(&key).iter();
        all.map(|service| &**service).collect()
    }

    fn has_host(&self, host: &str, namespace: &str) -> bool {
        let index = &self.mesh.inner.service_index;
        index.in_namespace(host, namespace).is_some()
    }
}

impl RegistryUpdate {
    /// The services of a document are `new`; those that are what they were stay.
    fn replace(&mut self, key: Key, old: &[Arc<Service>], mut new: Vec<Arc<Service>>) {
        let mut kept = 0;
        for (before, service) in old.iter().zip(&mut new) {
            if before.is_same(service) {
                *service = Arc::clone(before);
                kept += 1;
            }
        }
        if kept == old.len() && kept == new.len() {
            return;
        }
        // Those of one host stand together, in the order in which their document makes them.
        let moves_others = (1..new.len()).any(|at| {
            new[..at]
                .iter()
                .any(|service| service.hostname == new[at].hostname)
        });
        for at in 0..old.len().max(new.len()) {
            let (old, new) = (old.get(at).cloned(), new.get(at).cloned());
            match (old, new) {
                (Some(old), Some(new)) if Arc::ptr_eq(&old, &new) && !moves_others => {}
                (Some(old), Some(new)) if old.hostname != new.hostname => {
                    self.services.push((Some(old), None));
                    self.services.push((None, Some(new)));
                }
                change => self.services.push(change),
            }
        }
        self.made.push((key, new));
    }
}

/// The document that makes a service.
fn key_of(service: &Service) -> Key {
    let kind = match service.registry {
        Origin::Kubernetes => Kind::Service,
        Origin::External => Kind::ServiceEntry,
    };
    Key::new(kind, service.namespace(), &service.resource.name)
}
