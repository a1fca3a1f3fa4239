//! A part of a mesh: what the virtual hosts of some hosts depend on, and nothing else.

use std::sync::Arc;

use crate::terms::hash::HashSet;

use super::service::Service;
use super::virtual_service_hosts::Neighbourhood;
use super::{Inner, Mesh};

impl Inner {
    /// The mesh of a neighbourhood: its VirtualServices, the services that these name, and `services`; settings, policies
    /// and gateways are shared. `None` where a host name stands for several services, or where the services are not plain: then the
    /// rest of the mesh has a say.
    ///
    /// # Complexity
    /// In proportion to the neighbourhood, the Gateways and the Sidecars.
    pub(crate) fn part(
        &self,
        neighbourhood: &Neighbourhood,
        services: &[Arc<Service>],
    ) -> Option<Mesh> {
        if !self.service_index.is_plain() {
            return None;
        }
        let all = || neighbourhood.members.iter().chain(&neighbourhood.covering);
        let mut names: Vec<&str> = neighbourhood.hosts.iter().map(|host| &**host).collect();
        for virtual_service in all() {
            names.extend(virtual_service.hosts.iter().map(|host| &**host));
            names.extend(virtual_service.destinations().map(|one| &*one.host));
        }
        let mut seen: HashSet<&str> = HashSet::default();
        let mut own: Vec<Arc<Service>> = services.to_vec();
        while let Some(name) = names.pop() {
            if !seen.insert(name) {
                continue;
            }
            let service = match self.service_index.named(name) {
                [] => continue,
                [only] if self.service_index.twins(only).len() == 1 => only,
                _ => return None,
            };
            names.extend(service.external_name.as_deref());
            if !own.iter().any(|one| Arc::ptr_eq(one, service)) {
                own.push(Arc::clone(service));
            }
        }
        let mut part = Inner {
            config: Arc::clone(&self.config),
            services: own,
            destination_rule_index: Arc::clone(&self.destination_rule_index),
            gateways: self.gateways.clone(),
            ..Inner::default()
        };
        for virtual_service in all() {
            super::virtual_service_index::put_in(&mut part.virtual_services, virtual_service);
        }
        let mut mesh = part.link();
        let inner = Arc::get_mut(&mut mesh.inner)?;
        inner.open = self.open;
        inner.sidecar_index = Arc::clone(&self.sidecar_index);
        Some(mesh)
    }
}
