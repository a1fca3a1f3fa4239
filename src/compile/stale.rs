//! Which units of compile have other inputs since a change of the mesh: the change itself, and who names, covers or leads
//! to what changed. The mesh's indexes answer; nothing is walked.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::mesh::change::{Change, MeshChange};
use crate::mesh::service::Service;
use crate::mesh::virtual_service::VirtualService;
use crate::mesh::{self, Mesh};
use crate::terms::hash::HashMap;
use crate::terms::host::{is_subset_of, is_wildcard};
use crate::terms::name::ResourceName;

/// Units whose inputs have changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Stale {
    /// VirtualServices that came, changed or went, or of which what they name did.
    pub virtual_services: HashMap<ResourceName, Change<VirtualService>>,
    /// Others that may own more or fewer of the services that their wildcards cover: that counts on a sidecar (R-M-062).
    pub owning: HashMap<ResourceName, Arc<VirtualService>>,
    /// Lower-case names of services that did.
    pub services: BTreeSet<Arc<str>>,
    /// The services themselves, as they were and as they are.
    pub changed_services: Vec<Arc<Service>>,
    /// The same of those that have other endpoints, and nothing else.
    pub moved_services: Vec<Arc<Service>>,
    /// Hosts of which the clusters may be others.
    pub hosts: BTreeSet<Arc<str>>,
}

impl Stale {
    /// What `change` has made stale of what was made for the mesh before `mesh`.
    pub(super) fn new(mesh: &Mesh, change: &MeshChange) -> Self {
        let mesh = &*mesh.inner;
        let mut stale = Stale::default();
        for (old, new) in &change.virtual_services {
            stale.add_change(mesh, (old, new));
        }
        for (old, new) in &change.services {
            stale.add_service(mesh, old.as_ref(), new.as_ref());
        }
        for host in &change.destination_rules {
            stale.add_destination_rule(mesh, host);
        }
        stale
    }

    /// The VirtualServices as they were and as they are.
    pub(super) fn changes(&self) -> impl Iterator<Item = &Arc<VirtualService>> {
        let all = self.virtual_services.values();
        all.flat_map(|(old, new)| old.iter().chain(new))
    }

    fn add_change(
        &mut self,
        mesh: &mesh::Inner,
        (old, new): (&Option<Arc<VirtualService>>, &Option<Arc<VirtualService>>),
    ) {
        let hosts = mesh.virtual_service_hosts();
        let claims_the_same = match (old, new) {
            (Some(old), Some(new)) => old.claims_like(new),
            _ => false,
        };
        for virtual_service in old.iter().chain(new) {
            // What a VirtualService leads to may be imported for that reason (R-M-072).
            let leads_to = virtual_service
                .destinations()
                .map(|destination| Arc::clone(&destination.host));
            self.hosts.extend(leads_to);
            if claims_the_same {
                continue;
            }
            for host in &virtual_service.hosts {
                let host = host.to_ascii_lowercase();
                if is_wildcard(&host) || !mesh.service_index.folded(&host).is_empty() {
                    let around = hosts.overlapping(&host);
                    let wild = around.filter(|virtual_service| {
                        virtual_service.hosts.iter().any(|host| is_wildcard(host))
                    });
                    self.owning.extend(wild.map(|virtual_service| {
                        (
                            virtual_service.resource().clone(),
                            Arc::clone(virtual_service),
                        )
                    }));
                }
            }
        }
        if let Some(virtual_service) = old.as_ref().or(new.as_ref()) {
            let change = (old.clone(), new.clone());
            self.virtual_services
                .insert(virtual_service.resource().clone(), change);
        }
    }

    /// A VirtualService that has not changed itself.
    fn add_same(&mut self, virtual_service: &Arc<VirtualService>) {
        self.virtual_services
            .entry(virtual_service.resource().clone())
            .or_insert_with(|| {
                (
                    Some(Arc::clone(virtual_service)),
                    Some(Arc::clone(virtual_service)),
                )
            });
    }

    fn add_service(
        &mut self,
        mesh: &mesh::Inner,
        old: Option<&Arc<Service>>,
        new: Option<&Arc<Service>>,
    ) {
        // Its endpoints are the clusters' alone, but for one that listens at each of them.
        if let (Some(old), Some(new)) = (old, new)
            && new.is_but_for_endpoints(old)
            && !new.listens_at_endpoints()
        {
            self.hosts.insert(Arc::clone(&new.hostname));
            self.moved_services
                .extend([Arc::clone(old), Arc::clone(new)]);
            return;
        }
        let hosts = mesh.virtual_service_hosts();
        for service in old.into_iter().chain(new) {
            let name = service.hostname.to_ascii_lowercase();
            let around = hosts.overlapping(&name);
            around.for_each(|virtual_service| self.add_same(virtual_service));
            let leading = hosts.leading_to(&service.hostname);
            leading.for_each(|virtual_service| self.add_same(virtual_service));
            self.hosts.insert(Arc::clone(&service.hostname));
            self.services.insert(name.into());
            self.changed_services.push(Arc::clone(service));
        }
    }

    fn add_destination_rule(&mut self, mesh: &mesh::Inner, host: &Arc<str>) {
        let hosts = mesh.virtual_service_hosts();
        hosts
            .leading_within(host)
            .for_each(|virtual_service| self.add_same(virtual_service));
        self.hosts.insert(Arc::clone(host));
        let named = mesh
            .service_index
            .names_overlapping(&host.to_ascii_lowercase());
        for name in named {
            for service in mesh.service_index.folded(name) {
                if is_subset_of(&service.hostname, host) {
                    self.services.insert(Arc::clone(name));
                    self.hosts.insert(Arc::clone(&service.hostname));
                }
            }
        }
    }
}
