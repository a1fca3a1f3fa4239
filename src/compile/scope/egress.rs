//! One egress listener of a sidecar: the services and VirtualServices that it imports (R-M-060, R-M-071, R-M-073, R-M-074).

use std::sync::Arc;

use smallvec::SmallVec;

use crate::mesh::service::Protocol;
use crate::mesh::sidecar::{self, EgressPort};
use crate::mesh::{self, VirtualService};
use crate::terms::address::Address;
use crate::terms::hash::HashMap;
use crate::terms::host_index::HostIndex;
use crate::terms::name::GatewayName;

use super::import::Import;
use super::service_view::ServiceView;

/// An egress listener as one sidecar has it.
#[derive(Debug)]
pub(crate) struct EgressListener<'m> {
    written: Option<&'m sidecar::EgressListener>,
    services: Vec<ServiceView>,
    by_hostname: HashMap<Arc<str>, SmallVec<[u32; 1]>>,
    virtual_services: Vec<Arc<VirtualService>>,
    /// VirtualService hosts -> index in `virtual_services` of their first owner.
    owners: HostIndex<u32>,
}

impl<'m> EgressListener<'m> {
    /// What `written` (`None`: `*/*` on every port) imports for a proxy of `namespace`. O(services + VirtualServices).
    pub(super) fn new(
        mesh: &'m mesh::Inner,
        namespace: &'m str,
        written: Option<&'m sidecar::EgressListener>,
    ) -> Self {
        let import = match written {
            Some(listener) => Import::new(&listener.hosts, namespace),
            None => Import::everything(),
        };
        let services = import_services(mesh, namespace, &import, port_to_match(written));
        let virtual_services = import_virtual_services(mesh, namespace, &import);
        let mut by_hostname: HashMap<Arc<str>, SmallVec<[u32; 1]>> =
            HashMap::with_capacity_and_hasher(services.len(), Default::default());
        for (at, service) in (0u32..).zip(&services) {
            by_hostname
                .entry(Arc::clone(service.hostname()))
                .or_default()
                .push(at);
        }
        let mut owners = HostIndex::with_capacity(virtual_services.len());
        for (at, virtual_service) in (0u32..).zip(&virtual_services) {
            for host in &virtual_service.hosts {
                owners.insert(host, at);
            }
        }
        EgressListener {
            written,
            services,
            by_hostname,
            virtual_services,
            owners,
        }
    }

    /// The listener as written; `None`: the default one.
    pub(super) fn written(&self) -> Option<&'m sidecar::EgressListener> {
        self.written
    }

    /// Whether a Sidecar says what it imports.
    pub fn is_written(&self) -> bool {
        self.written.is_some()
    }

    /// Its port; `None`: every port that no listener before it names.
    pub fn port(&self) -> Option<&'m EgressPort> {
        self.written.and_then(|listener| listener.port.as_ref())
    }

    /// Its bind address; `None`: nothing is said.
    pub fn bind(&self) -> Option<&'m Address> {
        self.written?.bind.as_ref()
    }

    /// The imported services in Istio's order; one host name may stand several times (same namespace).
    pub fn services(&self) -> &[ServiceView] {
        &self.services
    }

    /// The imported services named `hostname`, in that order.
    pub fn named(&self, hostname: &str) -> impl Iterator<Item = &ServiceView> {
        let at = self.by_hostname.get(hostname);
        at.into_iter()
            .flatten()
            .filter_map(|at| self.services.get(*at as usize))
    }

    /// The first imported service named `hostname` that exposes `port` (R-H-040). Port 0 (HTTP_PROXY and Unix socket
    /// listeners): the first of that name.
    pub fn service_on(&self, hostname: &str, port: u16) -> Option<&ServiceView> {
        self.named(hostname)
            .find(|service| port == 0 || service.port(port).is_some())
    }

    /// The imported VirtualServices: private, exported to the namespace, public, each in config order (R-M-060).
    pub fn virtual_services(&self) -> &[Arc<VirtualService>] {
        &self.virtual_services
    }

    /// Index in [`Self::virtual_services`] of the one that owns the most specific VirtualService host for the service
    /// `hostname`: only through it may a wildcard host claim the service (R-M-062, R-H-043). O(length of `hostname`).
    pub fn most_specific(&self, hostname: &str) -> Option<usize> {
        self.owners.most_specific(hostname).map(|at| *at as usize)
    }
}

/// The port that imported services must expose: a listener's own, unless it is an HTTP proxy or a socket (R-M-074).
pub(super) fn port_to_match(written: Option<&sidecar::EgressListener>) -> Option<u16> {
    let port = written?.port.as_ref()?;
    (port.number != 0 && port.protocol != Protocol::HttpProxy).then_some(port.number)
}

fn import_services(
    mesh: &mesh::Inner,
    namespace: &str,
    import: &Import<'_>,
    port: Option<u16>,
) -> Vec<ServiceView> {
    let mut imported: Vec<ServiceView> = mesh
        .service_index
        .visible_to(namespace)
        .filter(|service| import.covers(service.namespace(), &service.hostname))
        .filter_map(|service| {
            let view = ServiceView::new(service);
            match port {
                Some(port) => view.trim_ports(|number| number == port),
                None => Some(view),
            }
        })
        .map(|view| {
            let owner = Arc::clone(&view.service().resource.namespace);
            view.trim_aliases(|alias| import.covers(&owner, alias))
        })
        .collect();
    keep_one_namespace_per_hostname(&mut imported, namespace);
    imported
}

/// Of several namespaces with a host name: the client's, else the first with a Kubernetes service, else the first
/// (R-M-073).
fn keep_one_namespace_per_hostname(services: &mut Vec<ServiceView>, client: &str) {
    struct Winner {
        namespace: Arc<str>,
        kubernetes: bool,
    }
    let mut winners: HashMap<Arc<str>, Winner> =
        HashMap::with_capacity_and_hasher(services.len(), Default::default());
    let mut contested = false;
    for view in services.iter() {
        let service = view.service();
        let this = || Winner {
            namespace: Arc::clone(&service.resource.namespace),
            kubernetes: service.is_kubernetes(),
        };
        let winner = winners
            .entry(Arc::clone(&service.hostname))
            .or_insert_with(this);
        contested |= *winner.namespace != *service.namespace();
        let better = service.is_kubernetes() && !winner.kubernetes && *winner.namespace != *client;
        if service.namespace() == client || better {
            *winner = this();
        }
    }
    if contested {
        services.retain(|view| {
            winners
                .get(view.hostname())
                .is_some_and(|winner| *winner.namespace == *view.service().namespace())
        });
    }
}

fn import_virtual_services(
    mesh: &mesh::Inner,
    namespace: &str,
    import: &Import<'_>,
) -> Vec<Arc<VirtualService>> {
    mesh.virtual_service_index
        .bound_to(&GatewayName::Mesh, namespace)
        .filter(|virtual_service| {
            let hosts = virtual_service.hosts.iter().map(|host| &**host);
            import.selects(&virtual_service.resource().namespace, hosts)
        })
        .map(Arc::clone)
        .collect()
}
