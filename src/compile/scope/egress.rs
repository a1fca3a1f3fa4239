//! One egress listener of a sidecar: the services and VirtualServices that it imports (R-M-060, R-M-071, R-M-073, R-M-074).
//!
//! It lists nothing: what it imports is asked of the mesh by name, or walked.

use std::cell::RefCell;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::compile::rank::{ServiceRank, VirtualServiceRank};
use crate::mesh::service::{Protocol, Service};
use crate::mesh::sidecar::{self, EgressPort};
use crate::mesh::{self, VirtualService};
use crate::terms::address::Address;
use crate::terms::hash::{HashMap, HashSet};
use crate::terms::host::{is_subset_of, overlaps};
use crate::terms::name::GatewayName;

use super::import::Import;
use super::service_view::ServiceView;

/// An egress listener as one sidecar has it.
#[derive(Debug)]
pub(crate) struct EgressListener<'m> {
    mesh: &'m mesh::Inner,
    namespace: &'m str,
    written: Option<&'m sidecar::EgressListener>,
    import: Import<'m>,
    /// Who comes first of those that share a lower-case wildcard host.
    first_of_wildcard: RefCell<HashMap<Box<str>, Option<Arc<VirtualService>>>>,
}

impl<'m> EgressListener<'m> {
    /// What `written` (`None`: `*/*` on every port) imports for a proxy of `namespace`.
    pub(super) fn new(
        mesh: &'m mesh::Inner,
        namespace: &'m str,
        written: Option<&'m sidecar::EgressListener>,
    ) -> Self {
        EgressListener {
            mesh,
            namespace,
            written,
            import: match written {
                Some(listener) => Import::new(&listener.hosts, namespace),
                None => Import::everything(),
            },
            first_of_wildcard: RefCell::default(),
        }
    }

    /// The client's namespace.
    pub(in crate::compile) fn namespace(&self) -> &'m str {
        self.namespace
    }

    /// The listener as written; `None`: the default one.
    pub(super) fn written(&self) -> Option<&'m sidecar::EgressListener> {
        self.written
    }

    /// Its port; `None`: every port that no listener before it names.
    pub(crate) fn port(&self) -> Option<&'m EgressPort> {
        self.written.and_then(|listener| listener.port.as_ref())
    }

    /// Its bind address; `None`: nothing is said.
    pub(crate) fn bind(&self) -> Option<&'m Address> {
        self.written?.bind.as_ref()
    }

    /// The imported services in Istio's order; one host name may stand several times (same namespace).
    pub(crate) fn services(&self) -> impl Iterator<Item = ServiceView> {
        let index = &self.mesh.service_index;
        let (some, all) = match port_to_match(self.written) {
            Some(port) => (Some(index.visible_on(port, self.namespace)), None),
            None => (None, Some(index.visible_to(self.namespace))),
        };
        self.imported(some.into_iter().flatten().chain(all.into_iter().flatten()))
    }

    /// Those of them that have this port.
    pub(crate) fn services_on(&self, port: u16) -> impl Iterator<Item = ServiceView> {
        let visible = self.mesh.service_index.visible_on(port, self.namespace);
        self.imported(visible.into_iter())
            .filter(move |service| service.port(port).is_some())
    }

    /// Of visible services, in Istio's order, those that are imported.
    fn imported<'s>(
        &self,
        visible: impl Iterator<Item = &'s Arc<Service>>,
    ) -> impl Iterator<Item = ServiceView> {
        // Alone with its name, a service has nobody to give way to; of several, who does is asked once.
        let mut winners: HashMap<&str, Option<&str>> = HashMap::default();
        visible.filter_map(move |service| {
            if self.mesh.service_index.folded(&service.hostname).len() > 1 {
                let hostname = &*service.hostname;
                let winner = winners
                    .entry(hostname)
                    .or_insert_with(|| self.winner(hostname));
                if *winner != Some(service.namespace()) {
                    return None;
                }
            }
            self.view(service)
        })
    }

    /// The imported services of which the host name is `name` but for case, in that order.
    pub(crate) fn folded(&self, name: &str) -> SmallVec<[ServiceView; 1]> {
        let index = &self.mesh.service_index;
        match index.folded(name) {
            [] => SmallVec::new(),
            [only] if only.visibility.includes(self.namespace) => {
                self.view(only).into_iter().collect()
            }
            [_] => SmallVec::new(),
            _ => {
                let mut winners: SmallVec<[(&str, Option<&str>); 1]> = SmallVec::new();
                let mut imported = SmallVec::new();
                for service in index.folded_visible(name, self.namespace) {
                    let hostname = &*service.hostname;
                    let known = winners.iter().find(|(other, _)| *other == hostname);
                    let winner = known.map_or_else(|| self.winner(hostname), |known| known.1);
                    if known.is_none() {
                        winners.push((hostname, winner));
                    }
                    if winner == Some(service.namespace()) {
                        imported.extend(self.view(service));
                    }
                }
                imported
            }
        }
    }

    /// The imported services named `hostname`, in that order.
    pub(crate) fn named(&self, hostname: &str) -> impl Iterator<Item = ServiceView> {
        let folded = self.folded(hostname).into_iter();
        folded.filter(move |service| **service.hostname() == *hostname)
    }

    /// The first imported service named `hostname` that exposes `port` (R-H-040). Port 0 (HTTP_PROXY and Unix socket
    /// listeners): the first of that name.
    pub(crate) fn service_on(&self, hostname: &str, port: u16) -> Option<ServiceView> {
        self.named(hostname)
            .find(|service| port == 0 || service.port(port).is_some())
    }

    /// Lower-case names of services of the mesh that overlap `pattern` (R-M-002), but for case; not all are imported.
    pub(crate) fn names_overlapping(&self, pattern: &str) -> impl Iterator<Item = &'m Arc<str>> {
        let index = &self.mesh.service_index;
        index.names_overlapping(&pattern.to_ascii_lowercase())
    }

    /// The place among all of a service that is imported.
    pub(crate) fn rank_of_service(&self, service: &ServiceView) -> Option<ServiceRank> {
        ServiceRank::new(service.service(), self.namespace)
    }

    /// The imported VirtualServices: private, exported to the namespace, public, each in config order (R-M-060).
    pub(crate) fn virtual_services(&self) -> impl Iterator<Item = &'m Arc<VirtualService>> {
        let index = &self.mesh.virtual_service_index;
        let bound = index.bound_to(&GatewayName::Mesh, self.namespace);
        bound.filter(|virtual_service| self.selects(virtual_service))
    }

    /// Those of them that may have something to say of services with this port: more than do, none left out.
    pub(crate) fn virtual_services_on(&self, port: u16) -> Vec<&'m Arc<VirtualService>> {
        let hosts = self.mesh.virtual_service_hosts();
        let all = || self.virtual_services();
        let mut left = 2 * self.mesh.virtual_services.len();
        let mut seen: HashSet<*const VirtualService> = HashSet::default();
        let mut ranked: Vec<(VirtualServiceRank, &'m Arc<VirtualService>)> = Vec::new();
        for service in self.mesh.service_index.visible_on(port, self.namespace) {
            for virtual_service in hosts.overlapping(&service.hostname.to_ascii_lowercase()) {
                // Where many cover many services, walking all is less.
                let Some(fewer) = left.checked_sub(1) else {
                    return all().collect();
                };
                left = fewer;
                if seen.insert(Arc::as_ptr(virtual_service)) {
                    ranked.extend(
                        self.rank_of(virtual_service)
                            .map(|rank| (rank, virtual_service)),
                    );
                }
            }
        }
        ranked.sort_by(|(a, _), (b, _)| a.cmp(b));
        ranked
            .into_iter()
            .map(|(_, virtual_service)| virtual_service)
            .collect()
    }

    /// The place of a VirtualService among those that are imported; `None`: it is not.
    pub(crate) fn rank_of(
        &self,
        virtual_service: &Arc<VirtualService>,
    ) -> Option<VirtualServiceRank> {
        let is_bound = virtual_service.is_in_mesh() && self.selects(virtual_service);
        VirtualServiceRank::new(virtual_service, self.namespace).filter(|_| is_bound)
    }

    /// The imported VirtualServices with `tls` or `tcp` rules of which a host overlaps `hostname`, in order.
    pub(crate) fn streams_for(&self, hostname: &str) -> Vec<&'m Arc<VirtualService>> {
        let hosts = self.mesh.virtual_service_hosts();
        let name = hostname.to_ascii_lowercase();
        let around = hosts.overlapping(&name);
        let streams = around.filter(|virtual_service| {
            let mut hosts = virtual_service.hosts.iter();
            !virtual_service.is_http_only() && hosts.any(|host| overlaps(host, hostname))
        });
        let mut ranked: Vec<(VirtualServiceRank, &Arc<VirtualService>)> = streams
            .filter_map(|virtual_service| Some((self.rank_of(virtual_service)?, virtual_service)))
            .collect();
        ranked.sort_by(|(a, _), (b, _)| a.cmp(b));
        ranked.dedup_by(|(_, a), (_, b)| Arc::ptr_eq(a, b));
        ranked
            .into_iter()
            .map(|(_, virtual_service)| virtual_service)
            .collect()
    }

    /// The imported VirtualService that owns the most specific VirtualService host for the service `hostname`: only through
    /// it may a wildcard host claim the service (R-M-062, R-H-043).
    ///
    /// # Complexity
    /// In proportion to the length of `hostname` and the VirtualServices that share the host.
    pub(crate) fn most_specific(&self, hostname: &str) -> Option<Arc<VirtualService>> {
        let hosts = self.mesh.virtual_service_hosts();
        let name = hostname.to_ascii_lowercase();
        let has = |virtual_service: &VirtualService, fits: &dyn Fn(&str) -> bool| {
            virtual_service.hosts.iter().any(|host| fits(host))
        };
        let exact = hosts
            .with(&name)
            .filter(|virtual_service| has(virtual_service, &|host| host == hostname));
        self.first_of(exact).cloned().or_else(|| {
            hosts.covering(&name).find_map(|(length, list)| {
                let covers = |host: &str| host.len() == length && is_subset_of(hostname, host);
                let first = || {
                    self.first_of(list.filter(|virtual_service| has(virtual_service, &covers)))
                        .cloned()
                };
                if name != hostname {
                    return first();
                }
                // All such names ask the same of a wildcard.
                let wildcard = &name[name.len() + 1 - length..];
                let known = self.first_of_wildcard.borrow().get(wildcard).cloned();
                known.unwrap_or_else(|| {
                    let first = first();
                    let mut all = self.first_of_wildcard.borrow_mut();
                    all.insert(wildcard.into(), first.clone());
                    first
                })
            })
        })
    }

    fn first_of<'v>(
        &self,
        some: impl Iterator<Item = &'v Arc<VirtualService>>,
    ) -> Option<&'v Arc<VirtualService>> {
        let ranked = some
            .filter_map(|virtual_service| Some((self.rank_of(virtual_service)?, virtual_service)));
        ranked
            .min_by(|(a, _), (b, _)| a.cmp(b))
            .map(|(_, virtual_service)| virtual_service)
    }

    fn selects(&self, virtual_service: &VirtualService) -> bool {
        let hosts = virtual_service.hosts.iter().map(|host| &**host);
        self.import.selects(
            &virtual_service.resource().namespace,
            virtual_service.semantics,
            hosts,
        )
    }

    /// A visible service as it is imported; `None`: it is not.
    fn view(&self, service: &Arc<Service>) -> Option<ServiceView> {
        let import = &self.import;
        let owner = service.namespace();
        if !import.covers(owner, &service.hostname) {
            return None;
        }
        let view = ServiceView::new(service);
        let view = match port_to_match(self.written) {
            Some(port) => view.on_port(port)?,
            None => view,
        };
        Some(view.trim_aliases(|alias| import.covers(owner, alias)))
    }

    /// The namespace that has a host name, of several: the client's, else the first with a Kubernetes service, else the
    /// first (R-M-073).
    fn winner(&self, hostname: &str) -> Option<&'m str> {
        let index = &self.mesh.service_index;
        let visible = index.folded_visible(hostname, self.namespace).into_iter();
        let mut imported = visible
            .filter(|service| *service.hostname == *hostname && self.view(service).is_some());
        let mut winner = imported.next()?;
        for service in imported {
            let better = service.is_kubernetes()
                && !winner.is_kubernetes()
                && winner.namespace() != self.namespace;
            if service.namespace() == self.namespace || better {
                winner = service;
            }
        }
        Some(winner.namespace())
    }
}

/// The port that imported services must expose: a listener's own, unless it is an HTTP proxy or a socket (R-M-074).
pub(super) fn port_to_match(written: Option<&sidecar::EgressListener>) -> Option<u16> {
    let port = written?.port.as_ref()?;
    (port.number != 0 && port.protocol != Protocol::HttpProxy).then_some(port.number)
}
