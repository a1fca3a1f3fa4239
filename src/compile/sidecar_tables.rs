//! What is kept of a sidecar's side, so that a change of the mesh costs what it touches: the claims on each HTTP port. Units
//! that a change has made stale are made anew, and so is each listener that a stale service opens or shares, unless it
//! stays the same plain HTTP port.

use std::sync::Arc;

use crate::mesh::service::Protocol;
use crate::router::{Listener, ServicePorts, View};
use crate::terms::connection_manager::ConnectionManager;
use crate::terms::hash::HashSet;

use super::outbound_listeners::Place;
use super::reached::Reached;
use super::scope::{Scope, ServiceView};
use super::sidecar::Sidecar;
use super::sidecar_port::HttpPorts;
use super::stale::Stale;

/// The claims of a sidecar.
#[derive(Clone, Debug, Default)]
pub(super) struct SidecarTables {
    ports: HttpPorts,
}

impl SidecarTables {
    /// Lets everyone claim.
    pub(super) fn new(sidecar: &Sidecar<'_>) -> (Self, View) {
        let mut ports = HttpPorts::default();
        let listeners = sidecar.listeners(&mut ports, None);
        let fallback = sidecar.virtual_outbound(&mut ports);
        let configs = ports.take_changed().into_iter();
        let view = View::new(
            listeners,
            Some(Arc::new(fallback)),
            configs.map(|(_, config)| config),
            ConnectionManager {
                path_normalization: sidecar.scope.mesh().config.path_normalization,
                ..ConnectionManager::default()
            },
        );
        (SidecarTables { ports }, view)
    }

    /// The side after a change.
    pub(super) fn update(
        &mut self,
        sidecar: &Sidecar<'_>,
        view: &View,
        stale: &Stale,
        reached: &mut Reached,
    ) -> View {
        self.ports.update(sidecar, stale, view, reached);
        let places = self.stale_places(sidecar, view, stale);
        if places.is_empty() {
            return view.with_route_configs(self.ports.take_changed());
        }
        let made = sidecar.listeners(&mut self.ports, Some(&places));
        reached.listeners += places.len();
        let is_other =
            |listener: &&Arc<Listener>| !places.contains(&(listener.address, listener.port));
        let mut listeners: Vec<Arc<Listener>> =
            view.listeners().iter().filter(is_other).cloned().collect();
        listeners.extend(made);
        listeners.sort_by_key(|listener| (listener.port, listener.address));
        let view = view.with_route_configs(self.ports.take_changed());
        view.with_listeners(listeners)
    }

    /// Where listeners may be others than they were.
    fn stale_places(&self, sidecar: &Sidecar<'_>, view: &View, stale: &Stale) -> HashSet<Place> {
        let mut places = HashSet::default();
        for egress in sidecar.scope.listeners() {
            let folded = stale.services.iter().flat_map(|name| egress.folded(name));
            let old = stale.changed_services.iter().map(ServiceView::new);
            for service in old.chain(folded) {
                for (place, protocol) in sidecar.places_of(egress, &service) {
                    let stays = || self.stays_http(sidecar, view, place, protocol);
                    if !places.contains(&place) && !stays() {
                        places.insert(place);
                    }
                }
            }
            // The services that a `tls` or `tcp` rule is for.
            for virtual_service in stale
                .changes()
                .filter(|virtual_service| !virtual_service.is_http_only())
            {
                for host in &virtual_service.hosts {
                    let names = egress.names_overlapping(host);
                    for service in names.flat_map(|name| egress.folded(name)) {
                        let of_service = sidecar.places_of(egress, &service);
                        let others = of_service.filter(|(_, protocol)| !protocol.is_http());
                        places.extend(others.map(|(place, _)| place));
                    }
                }
            }
        }
        places
    }

    /// Whether a port that some service takes HTTP on is, and was, nothing else: who shares it makes no difference.
    fn stays_http(
        &self,
        sidecar: &Sidecar<'_>,
        view: &View,
        place: Place,
        protocol: Protocol,
    ) -> bool {
        let is_plain = |protocol: Protocol| protocol.is_http() && protocol != Protocol::HttpProxy;
        is_plain(protocol)
            && view.at(place).is_some_and(Listener::is_plain_http)
            && sidecar.first_at(place).is_some_and(is_plain)
    }
}

/// The first HTTP (or detected) port of each service, for the simple door.
pub(super) fn service_ports(scope: &Scope<'_>) -> ServicePorts {
    let services = scope.services().into_iter();
    let with_port = services.filter_map(|service| {
        let name = service.hostname().to_ascii_lowercase();
        Some((name.into(), first_port(&service)?))
    });
    with_port.collect()
}

/// The same after a change.
pub(super) fn stale_service_ports(
    scope: &Scope<'_>,
    before: &ServicePorts,
    stale: &Stale,
) -> ServicePorts {
    let named = stale.services.iter().flat_map(|name| {
        let folded = scope.mesh().service_index.folded(name).iter();
        folded.map(|service| Arc::clone(&service.hostname))
    });
    let mut changed: Vec<(Box<str>, Option<u16>)> = Vec::new();
    let gone = stale.services.iter().cloned();
    let mut seen: HashSet<Arc<str>> = HashSet::default();
    for hostname in named.chain(stale.hosts.iter().cloned()).chain(gone) {
        if !seen.insert(Arc::clone(&hostname)) {
            continue;
        }
        let port = scope
            .service(&hostname)
            .and_then(|service| first_port(&service));
        let name: Box<str> = hostname.to_ascii_lowercase().into();
        match changed.iter_mut().find(|(other, _)| *other == name) {
            Some((_, known)) => *known = known.or(port),
            None => changed.push((name, port)),
        }
    }
    before.with(changed)
}

fn first_port(service: &ServiceView) -> Option<u16> {
    let mut ports = service.ports().iter();
    let takes_http =
        ports.find(|port| port.protocol.is_http() || port.protocol == Protocol::Unsupported);
    takes_http.map(|port| port.number)
}
