//! Changes of resources in the mesh: each kind is typed from its own inputs and put in its place, and what differs is told.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::key::{Before, by_key};
use super::registry::{Registry, RegistryUpdate};
use super::routes::{Routes, RoutesUpdate};
use super::whole::Anew;
use super::{About, Key, LiveRouter};
use crate::Report;
use crate::mesh::change::{Change, MeshChange};
use crate::mesh::destination_rules_by_host::DestinationRulesByHost;
use crate::mesh::{DestinationRule, Mesh, VirtualService};
use crate::resource::{Kind, Resource};
use crate::terms::name::ResourceName;

/// What valid changes come to, before anything has been taken over.
pub(super) enum Resolved {
    /// Settings, Gateways, Sidecars or PeerAuthentications: another mesh.
    Mesh(Mesh),
    /// What stands in the mesh by itself.
    Changes {
        virtual_services: Vec<Change<VirtualService>>,
        destination_rules: Vec<Change<DestinationRule>>,
        services: RegistryUpdate,
        /// What is made of routes of the Gateway API.
        routes: RoutesUpdate,
        /// The DestinationRules that come.
        documents: Vec<Resource>,
    },
}

impl LiveRouter {
    /// Types what changes, with all that depends on it; `None`: something that comes is invalid.
    pub(super) fn resolve(
        &self,
        keys: &[Key],
        before: &[Before],
        about: &About,
        report: &mut Report,
    ) -> Option<Resolved> {
        let mut all = Report::new();
        let resolve_mesh = |kinds: Option<&[Kind]>, all: &mut Report| {
            Resolved::Mesh(Mesh::resolve_documents(
                self.documents.iter(),
                self.mesh_config.as_ref(),
                &self.options,
                kinds.map(|kinds| (&self.mesh, kinds)),
                all,
            ))
        };
        let resolved = match self.anew(keys, before, about) {
            Anew::Everything => resolve_mesh(None, &mut all),
            Anew::Kinds(kinds) => resolve_mesh(Some(&kinds), &mut all),
            Anew::Changed => {
                let rules = keys
                    .iter()
                    .filter(|key| key.kind() == Kind::DestinationRule);
                let (mesh, documents) = (&self.mesh, &self.documents);
                let registry = &self.registry;
                let routes = self
                    .routes
                    .update(mesh, documents, registry, before, &mut all);
                let mut virtual_services = self.virtual_services(before, &mut all);
                virtual_services.extend(self.routes.changes(&routes));
                Resolved::Changes {
                    virtual_services,
                    routes,
                    destination_rules: self.destination_rules(before, &mut all),
                    services: self
                        .registry
                        .update(&self.mesh, &self.documents, before, &mut all),
                    documents: rules
                        .filter_map(|key| self.documents.get(key).cloned())
                        .collect(),
                }
            }
        };
        about.pick(all, report);
        (!report.has_errors()).then_some(resolved)
    }

    /// Puts what was resolved into the mesh; says how that differs from before.
    pub(super) fn take_over(
        &mut self,
        resolved: Resolved,
        about: &About,
        report: &mut Report,
    ) -> MeshChange {
        let (virtual_services, destination_rules, services, routes, documents) = match resolved {
            Resolved::Mesh(mesh) => {
                self.rules = DestinationRulesByHost::new(&mesh.inner.destination_rules);
                self.mesh = mesh;
                self.registry = Registry::new(&self.mesh);
                self.routes = Routes::new(&self.mesh);
                return MeshChange::whole();
            }
            Resolved::Changes {
                virtual_services,
                destination_rules,
                services,
                routes,
                documents,
            } => (
                virtual_services,
                destination_rules,
                services,
                routes,
                documents,
            ),
        };
        self.routes.take_over(routes);
        let inner = Arc::make_mut(&mut self.mesh.inner);
        let was_open = inner.open;
        inner.replace_services(&services.services);
        let services = self.registry.take_over(services);
        for (old, new) in &virtual_services {
            inner.replace_virtual_service(old.as_ref(), new.as_ref());
        }
        for (old, new) in &destination_rules {
            inner.replace_destination_rule(old.as_deref(), new.as_ref());
            self.rules.replace(old.as_deref(), new.as_ref());
        }
        let whole = inner.open != was_open;
        let documents: Vec<&Resource> = documents.iter().collect();
        let rules = destination_rules.iter();
        let rules = rules.flat_map(|(old, new)| old.iter().chain(new));
        let mut hosts: Vec<Arc<str>> = Vec::new();
        let mut facts = Report::new();
        for changed in rules {
            let group = self.rules.group(changed);
            self.mesh
                .merge_destination_rules(changed, group, &documents, &mut facts);
            hosts.push(Arc::clone(&changed.host));
        }
        about.pick(facts, report);
        MeshChange {
            virtual_services,
            services,
            destination_rules: hosts,
            whole,
        }
    }

    /// The VirtualServices that change, and those that delegate to one that does.
    fn virtual_services(
        &self,
        before: &[Before],
        report: &mut Report,
    ) -> Vec<Change<VirtualService>> {
        let changed = before.iter().map(|(key, _)| key);
        let changed = changed.filter(|key| key.kind() == Kind::VirtualService);
        let mut roots: BTreeSet<&Key> = BTreeSet::new();
        for key in changed {
            roots.insert(key);
            roots.extend(self.documents.delegating_to(key));
        }
        if roots.is_empty() {
            return Vec::new();
        }
        let mut needed: BTreeSet<Key> = roots.iter().map(|&key| key.clone()).collect();
        for &root in &roots {
            needed.extend(self.documents.delegates_of(root));
        }
        let documents = needed.iter().filter_map(|key| self.documents.get(key));
        let typed = self.mesh.type_virtual_services(documents, report);
        let inner = &self.mesh.inner;
        let was = by_key(before);
        let now: HashMap<&ResourceName, &Arc<VirtualService>> = typed
            .iter()
            .map(|virtual_service| (virtual_service.resource(), virtual_service))
            .collect();
        roots
            .into_iter()
            .map(|key| {
                let old = was.get(key).copied();
                let old = old.unwrap_or_else(|| self.documents.get(key));
                let old = old.and_then(|old| {
                    let age = old.meta().creation_timestamp.unwrap_or(0);
                    inner.virtual_service(age, &old.meta().qualified_name())
                });
                let new = now.get(&key.resource_name());
                (old.cloned(), new.copied().cloned())
            })
            .filter(|(old, new)| old.is_some() || new.is_some())
            .collect()
    }

    fn destination_rules(
        &self,
        before: &[Before],
        report: &mut Report,
    ) -> Vec<Change<DestinationRule>> {
        let changed = before
            .iter()
            .filter(|(key, _)| key.kind() == Kind::DestinationRule);
        changed
            .map(|(key, old)| {
                let old = old.as_ref().and_then(|old| {
                    let age = old.meta().creation_timestamp.unwrap_or(0);
                    let name = old.meta().qualified_name();
                    self.mesh.inner.destination_rule(age, &name).cloned()
                });
                let new = self.documents.get(key);
                let new = new.and_then(|new| self.mesh.type_destination_rule(new, report));
                (old, new)
            })
            .collect()
    }
}
