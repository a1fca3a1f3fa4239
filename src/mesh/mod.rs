//! The noun between resolve and compile: all valid resources, typed and linked; not yet anyone's view.
//!
//! Names are FQDNs, gateway references are `namespace/name` or `mesh`, delegates are merged, regexes and durations are
//! parsed. Everything is in Istio's config order (creation time, name, namespace; R-H-021) and shared by `Arc`.

use std::fmt;
use std::sync::{Arc, OnceLock};

pub(crate) mod change;
pub(crate) mod config;
pub(crate) mod destination_rule;
pub(crate) mod destination_rule_index;
pub(crate) mod destination_rules_by_host;
pub(crate) mod gateway;
pub(crate) mod gateway_merge;
pub(crate) mod peer_authentication;
pub(crate) mod proxy_configs;
pub(crate) mod service;
pub(crate) mod service_index;
pub(crate) mod services_by_name;
pub(crate) mod sidecar;
pub(crate) mod sidecar_index;
pub(crate) mod virtual_service;
pub(crate) mod virtual_service_hosts;
pub(crate) mod virtual_service_index;
pub(crate) mod visibility;

pub(crate) use config::MeshConfig;
pub(crate) use destination_rule::DestinationRule;
pub(crate) use destination_rule_index::{DestinationRuleIndex, EffectiveRule};
pub(crate) use gateway::Gateway;
pub(crate) use peer_authentication::PeerAuthentication;
pub(crate) use service::Service;
pub(crate) use sidecar::Sidecar;
pub(crate) use virtual_service::VirtualService;
pub(crate) use visibility::{Visibility, VisibilityCap};

use change::Change;

use crate::terms::name::ResourceName;
use destination_rules_by_host::order;
use peer_authentication::PeerAuthenticationIndex;
use proxy_configs::ProxyConfigs;
use service_index::ServiceIndex;
use sidecar_index::SidecarIndex;
use virtual_service_hosts::VirtualServiceHosts;
use virtual_service_index::VirtualServiceIndex;

/// All valid resources of a mesh. Cheap to clone.
#[derive(Clone)]
pub struct Mesh {
    pub(crate) inner: Arc<Inner>,
}

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mesh")
            .field("services", &self.services.len())
            .field("virtual_services", &self.virtual_services.len())
            .field("destination_rules", &self.destination_rules.len())
            .field("gateways", &self.gateways.len())
            .field("sidecars", &self.sidecars.len())
            .finish_non_exhaustive()
    }
}

/// What a [`Mesh`] holds.
#[derive(Clone, Default)]
pub(crate) struct Inner {
    pub config: Arc<MeshConfig>,
    /// Kubernetes services and those that ServiceEntries make, in the order in which Istio sorts them.
    pub services: Vec<Arc<Service>>,
    /// Roots only, delegates merged in, in config order.
    pub virtual_services: Vec<Arc<VirtualService>>,
    /// Those with a workload selector first, then config order (R-M-075).
    pub destination_rules: Vec<Arc<DestinationRule>>,
    /// The same rules, merged, by host and by who may see them.
    pub destination_rule_index: Arc<DestinationRuleIndex>,
    /// In config order.
    pub gateways: Vec<Arc<Gateway>>,
    /// In config order.
    pub sidecars: Vec<Arc<Sidecar>>,
    /// In config order.
    pub peer_authentications: Vec<Arc<PeerAuthentication>>,
    /// What workloads say of the proxies beside them.
    pub proxy_configs: Arc<ProxyConfigs>,
    /// Nothing is registered in the whole mesh: hosts are taken as written, every destination counts as existing.
    pub open: bool,
    /// Of `services`; made by [`Inner::link`].
    pub service_index: ServiceIndex,
    /// Of `virtual_services`; made by [`Inner::link`].
    pub virtual_service_index: VirtualServiceIndex,
    /// Of `virtual_services`; made when first asked for.
    pub virtual_service_hosts: OnceLock<VirtualServiceHosts>,
    /// Of `sidecars`; made by [`Inner::link`].
    pub sidecar_index: Arc<SidecarIndex>,
    /// Of `peer_authentications`; made by [`Inner::link`].
    pub peer_authentication_index: Arc<PeerAuthenticationIndex>,
}

impl Inner {
    /// Finishes a mesh whose lists are complete and in order: makes the indexes that every view starts from. O(n).
    pub(crate) fn link(mut self) -> Mesh {
        self.open = self.services.is_empty();
        self.service_index = ServiceIndex::new(&self.services);
        self.virtual_service_index = VirtualServiceIndex::new(&self.virtual_services);
        let sidecars = SidecarIndex::new(&self.sidecars, &self.config.root_namespace);
        self.sidecar_index = Arc::new(sidecars);
        let policies = &self.peer_authentications;
        let policies = PeerAuthenticationIndex::new(policies, &self.config.root_namespace);
        self.peer_authentication_index = Arc::new(policies);
        Mesh {
            inner: Arc::new(self),
        }
    }

    /// The VirtualServices by host and by where they lead. O(hosts) the first time.
    pub(crate) fn virtual_service_hosts(&self) -> &VirtualServiceHosts {
        let all = &self.virtual_services;
        self.virtual_service_hosts
            .get_or_init(|| VirtualServiceHosts::new(all))
    }

    /// Puts new services in the places of old ones; of each pair, either may be missing. Services that the mesh's order does
    /// not tell apart come in the order of the changes.
    ///
    /// # Complexity
    /// For each, some look-ups and a move of pointers.
    pub(crate) fn replace_services(&mut self, changes: &[Change<Service>]) {
        for old in changes.iter().filter_map(|(old, _)| old.as_ref()) {
            service_index::take_out(&mut self.services, old);
            self.service_index.remove(old);
        }
        for new in changes.iter().filter_map(|(_, new)| new.as_ref()) {
            service_index::put_in(&mut self.services, new);
            self.service_index.insert(new);
        }
        self.open = self.services.is_empty();
    }

    /// Puts `new` in the place of the VirtualService `old`; either may be missing.
    ///
    /// # Complexity
    /// A binary search and a move of pointers in each list that it stands in.
    pub(crate) fn replace_virtual_service(
        &mut self,
        old: Option<&Arc<VirtualService>>,
        new: Option<&Arc<VirtualService>>,
    ) {
        if let Some(hosts) = self.virtual_service_hosts.get_mut() {
            old.into_iter().for_each(|old| hosts.remove(old));
            new.into_iter().for_each(|new| hosts.insert(new));
        }
        if let Some(old) = old {
            virtual_service_index::take_out(&mut self.virtual_services, old);
            self.virtual_service_index.remove(old);
        }
        if let Some(new) = new {
            virtual_service_index::put_in(&mut self.virtual_services, new);
            self.virtual_service_index.insert(new);
        }
    }

    /// Puts `new` in the place of the DestinationRule `old` in the list; either may be missing.
    pub(crate) fn replace_destination_rule(
        &mut self,
        old: Option<&DestinationRule>,
        new: Option<&Arc<DestinationRule>>,
    ) {
        let rules = &mut self.destination_rules;
        if let Some(old) = old
            && let Ok(place) = rules.binary_search_by(|rule| order(rule).cmp(&order(old)))
        {
            rules.remove(place);
        }
        if let Some(new) = new {
            let place = rules.partition_point(|rule| order(rule) < order(new));
            rules.insert(place, Arc::clone(new));
        }
    }

    /// The DestinationRule of this name and age.
    pub(crate) fn destination_rule(
        &self,
        creation: i64,
        name: &ResourceName,
    ) -> Option<&Arc<DestinationRule>> {
        let rules = &self.destination_rules;
        [false, true].into_iter().find_map(|is_general| {
            let key = (is_general, creation, &*name.name, &*name.namespace);
            let place = rules.binary_search_by(|rule| order(rule).cmp(&key));
            rules.get(place.ok()?)
        })
    }

    /// The VirtualService of this name and age.
    pub(crate) fn virtual_service(
        &self,
        creation: i64,
        name: &ResourceName,
    ) -> Option<&Arc<VirtualService>> {
        let key = (creation, &*name.name, &*name.namespace);
        let all = &self.virtual_services;
        let place = all.binary_search_by(|one| one.config_key().cmp(&key));
        all.get(place.ok()?)
    }
}
