//! What is kept of a sidecar's side, so that a change of the mesh costs what it touches: the claims on each HTTP port, and
//! which services open which listener. Units that a change has made stale are made anew, and so is each listener that a
//! stale service opens or shares, unless it stays the same plain HTTP port.

use std::sync::Arc;

use crate::mesh::service::Protocol;
use crate::router::{HTTP_PORT, Listener, Place, ServicePorts, View};
use crate::terms::hash::{HashMap, HashSet};

use super::openers::{Opened, Openers, is_plain};
use super::reached::Reached;
use super::references::References;
use super::scope::{Scope, ServiceView};
use super::sidecar::Sidecar;
use super::sidecar_port::HttpPorts;
use super::stale::Stale;

/// The claims of a sidecar.
#[derive(Clone, Debug, Default)]
pub(super) struct SidecarTables {
    ports: HttpPorts,
    /// Found when a listener may first be another one.
    openers: Option<Openers>,
}

impl SidecarTables {
    /// Lets everyone claim.
    pub(super) fn new(sidecar: &Sidecar<'_>) -> (Self, View) {
        let mut ports = HttpPorts::default();
        let listeners = sidecar.listeners(&mut ports);
        let fallback = sidecar.virtual_outbound(&mut ports);
        let configs = ports.take_changed().into_iter();
        let normalization = sidecar.scope.mesh().config.path_normalization;
        let config = sidecar.scope.proxy_config();
        let view = View::new(
            listeners,
            Some(Arc::new(fallback)),
            configs.map(|(_, config)| config),
            config.connection_manager(false, normalization),
        );
        let tables = SidecarTables {
            ports,
            openers: None,
        };
        (tables, view)
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
        // Hosts that are domains of another port only, or of none, are answered by it at this one.
        reached.is_everywhere |= reached.domains.contains("*");
        let places = self.stale_places(sidecar, view, stale);
        if places.is_empty() {
            return view.with_route_configs(self.ports.take_changed());
        }
        let made = sidecar.listeners_at(&mut self.ports, &places);
        let configs = self.ports.take_changed();
        let mut changes: HashMap<Place, Option<Arc<Listener>>> =
            places.into_keys().map(|place| (place, None)).collect();
        changes.extend(made.into_iter().map(|made| (made.place(), Some(made))));
        let next = view.with_route_configs(configs);
        let next = next.with_listeners(changes.iter().map(|(place, made)| (*place, made.clone())));
        reached.listeners += changes.len();
        for place in changes.into_keys() {
            let (old, new) = (view.at(place), next.at(place));
            old.iter().for_each(|old| reached.listener(view, old));
            new.iter().for_each(|new| reached.listener(&next, new));
            // Where a host is asked for that nothing claims.
            reached.is_everywhere |= place == (HTTP_PORT, None);
            reached.places.push(place);
        }
        next
    }

    /// Whether it is worth while to look for route configurations that no listener names.
    pub(super) fn is_crowded(&self) -> bool {
        self.ports.is_crowded()
    }

    /// The side without the route configurations that no listener names, and what something of it names.
    pub(super) fn release(&mut self, view: &View) -> (View, References) {
        let next = view.with_route_configs(self.ports.release(view));
        let mut references = References::default();
        references.add_view(&next);
        self.ports.add_references(&mut references);
        (next, references)
    }

    /// Where listeners may be others than they were, with the lower-case names of all services that open them.
    fn stale_places(
        &mut self,
        sidecar: &Sidecar<'_>,
        view: &View,
        stale: &Stale,
    ) -> HashMap<Place, Vec<Arc<str>>> {
        let mut touched: HashMap<Place, bool> = HashMap::default();
        for egress in sidecar.scope.listeners() {
            let folded = stale.services.iter().flat_map(|name| egress.folded(name));
            let old = stale.changed_services.iter().map(ServiceView::new);
            for service in old.chain(folded) {
                for (place, protocol) in sidecar.places_of(egress, &service) {
                    *touched.entry(place).or_insert(true) &= is_plain(protocol);
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
                        touched.extend(others.map(|(place, _)| (place, false)));
                    }
                }
            }
        }
        if touched.is_empty() {
            return HashMap::default();
        }
        match &mut self.openers {
            Some(openers) => openers.update(sidecar, &stale.services),
            None => self.openers = Some(Openers::new(sidecar)),
        }
        let opened = |place| self.openers.as_ref().and_then(|openers| openers.at(place));
        let stays = |place, only_http| {
            // Whoever shares a plain HTTP port makes no difference to it.
            only_http
                && view.at(place).is_some_and(|old| old.is_plain_http())
                && opened(place).is_some_and(Opened::is_plain)
        };
        let others = touched
            .into_iter()
            .filter(|&(place, only_http)| !stays(place, only_http));
        others
            .map(|(place, _)| {
                let names = opened(place).into_iter().flat_map(Opened::names);
                (place, names.cloned().collect())
            })
            .collect()
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
