//! Where a sidecar's client asks for a host: by every name of a service, at the first of the ports that it takes HTTP on.

use std::cell::OnceCell;
use std::sync::Arc;

use super::host_table::HostTable;
use super::{Arrival, Chunked, Listener, Place, RouteConfig, Tables, View, VirtualHostKind};
use crate::terms::hash::{HashMap, HashSet};

/// Where a host is asked for that no service claims.
pub(crate) const HTTP_PORT: u16 = 80;
/// So many arrivals more than at first may be there, beside as many as there were at first.
const SPARE: usize = if cfg!(test) { 4 } else { 1024 };

/// The outbound side of a sidecar. Cheap to clone: the parts are shared.
#[derive(Clone, Default)]
pub(super) struct ServiceArrivals {
    /// From every name of a service to a place in `arrivals`.
    services: HostTable,
    /// The same of names of services with a listener of their own, which are no domains there (R-H-041).
    own: HostTable,
    arrivals: Chunked<Arrival>,
    /// How many of them were there when all were found.
    at_first: usize,
    /// The places in `arrivals` of those at listeners that services share, which are few.
    numbers: HashMap<Arrival, u32>,
    /// Where services share a listener, sorted.
    shared: Vec<Place>,
}

impl ServiceArrivals {
    /// Those of a side.
    pub(super) fn new(view: &View, tables: &Tables) -> Self {
        let mut made = ServiceArrivals::default();
        let mut arrivals = Vec::new();
        let mut services: Vec<(&str, u32)> = Vec::new();
        let mut own: Vec<(&str, u32)> = Vec::new();
        let (mut seen, mut seen_own) = (HashSet::<&str>::default(), HashSet::<&str>::default());
        for listener in view.listeners() {
            let Some(config) = shared_config(view, listener) else {
                continue;
            };
            made.shared.push(listener.place());
            for host in config.virtual_hosts() {
                let VirtualHostKind::Service(service) = &host.kind else {
                    continue;
                };
                for domain in host.domains().filter(|domain| seen.insert(domain)) {
                    let arrival = shared_arrival(view, tables, domain, service, listener);
                    let place = made.numbers.entry(arrival).or_insert_with(|| {
                        arrivals.push(arrival);
                        arrivals.len() as u32 - 1
                    });
                    services.push((domain, *place));
                }
            }
        }
        for listener in view.listeners() {
            let place = arrivals.len() as u32;
            let names = own_names(view, listener);
            if !names.is_empty() {
                arrivals.push(Arrival::at(listener));
            }
            for name in names {
                if seen_own.insert(&**name) {
                    own.push((name, place));
                }
                if seen.insert(name) {
                    services.push((name, place));
                }
            }
        }
        made.services = HostTable::new(services.iter().copied());
        made.own = HostTable::new(own.iter().copied());
        made.at_first = arrivals.len();
        made.arrivals = arrivals.into_iter().collect();
        made
    }

    /// The same where services that are called `names` may be others, and the listeners at `changed`.
    pub(super) fn update(
        &self,
        view: &View,
        tables: &Tables,
        names: &[&str],
        changed: &[Place],
    ) -> Self {
        let mut next = self.clone();
        for &place in changed {
            let listener = view.at(place);
            let is_shared = listener.is_some_and(|one| shared_config(view, one).is_some());
            match next.shared.binary_search(&place) {
                Err(at) if is_shared => next.shared.insert(at, place),
                Ok(at) if !is_shared => drop(next.shared.remove(at)),
                _ => {}
            }
        }
        let shared = next.shared.iter().filter_map(|&place| {
            let listener = view.at(place)?;
            Some((&**listener, view.first_route_config(listener)?))
        });
        let shared: Vec<(&Listener, &RouteConfig)> = shared.collect();
        let mut come: Vec<Arrival> = Vec::new();
        let mut place_of_new = |arrival: Arrival| {
            come.push(arrival);
            (self.arrivals.len() + come.len() - 1) as u32
        };
        let (mut services, mut own): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
        let owners = Owners::new(view, changed);
        for &name in names {
            let old = self.own.get(name);
            let own_place = match (old, self.own_of(name, &owners)) {
                (_, None) => None,
                (Some(old), Some(new)) if self.arrivals[old as usize] == new => Some(old),
                (_, Some(new)) => Some(place_of_new(new)),
            };
            if own_place != old {
                own.push((name, own_place));
            }
            let mut claims =
                shared
                    .iter()
                    .filter_map(|(listener, config)| match &config.owner(name)?.kind {
                        VirtualHostKind::Service(service) => Some((listener, service)),
                        _ => None,
                    });
            let place = match claims.next() {
                Some((listener, service)) => {
                    let arrival = shared_arrival(view, tables, name, service, listener);
                    let numbers = next.numbers.entry(arrival);
                    Some(*numbers.or_insert_with(|| place_of_new(arrival)))
                }
                None => own_place,
            };
            if place != self.services.get(name) {
                services.push((name, place));
            }
        }
        if !services.is_empty() {
            next.services = self.services.update(services);
        }
        if !own.is_empty() {
            next.own = self.own.update(own);
        }
        if !come.is_empty() {
            let places = self.arrivals.len()..;
            next.arrivals = self.arrivals.with(places.zip(come));
        }
        next
    }

    /// The first listener of a service's own that has this name, where those at the places of `owners` are others than before.
    fn own_of(&self, name: &str, owners: &Owners<'_>) -> Option<Arrival> {
        let new = owners.changed(name);
        let at = |place: Place| Arrival {
            address: place.1,
            ..Arrival::at_port(place.0)
        };
        let Some(old) = self.own.get(name) else {
            return new.map(at);
        };
        let old = self.arrivals[old as usize];
        let old_place = (old.port, old.address);
        if new.is_some_and(|new| new <= old_place) {
            return new.map(at);
        }
        if !owners.places.contains(&old_place) {
            return Some(old);
        }
        // It has lost the name, and who has it next is not known.
        owners.of_all(name).map(at)
    }

    /// Whether there are many arrivals that no service has any more.
    pub(super) fn is_crowded(&self) -> bool {
        self.arrivals.len() > 2 * self.at_first + SPARE
    }

    /// Where `host` (without port) is asked for.
    pub(super) fn of(&self, host: &str) -> Arrival {
        let place = self.services.find_host(host);
        let arrival = place.and_then(|place| self.arrivals.get(place as usize));
        arrival.copied().unwrap_or(Arrival::at_port(HTTP_PORT))
    }

    /// The names of services with a listener of their own.
    pub(super) fn own_names(&self) -> impl Iterator<Item = String> {
        self.own.iter().map(|(name, _)| name)
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        let tables = self.services.memory_usage() + self.own.memory_usage();
        tables + self.arrivals.memory_usage() + size_of_val(&*self.shared)
    }
}

/// Which listener of a service's own is the first that has a name: among those that an update has made, and among all.
struct Owners<'v> {
    view: &'v View,
    places: HashSet<Place>,
    changed: HashMap<&'v str, Place>,
    /// Found when a name is first lost.
    all: OnceCell<HashMap<&'v str, Place>>,
}

impl<'v> Owners<'v> {
    fn new(view: &'v View, changed: &[Place]) -> Self {
        let listeners = changed.iter().filter_map(|&place| view.at(place));
        Owners {
            view,
            places: changed.iter().copied().collect(),
            changed: first_places(view, listeners),
            all: OnceCell::new(),
        }
    }

    fn changed(&self, name: &str) -> Option<Place> {
        self.changed.get(name).copied()
    }

    fn of_all(&self, name: &str) -> Option<Place> {
        let all = self
            .all
            .get_or_init(|| first_places(self.view, self.view.listeners()));
        all.get(name).copied()
    }
}

/// The first place of each name of a service that has one of these listeners to itself.
fn first_places<'v>(
    view: &'v View,
    listeners: impl IntoIterator<Item = &'v Arc<Listener>>,
) -> HashMap<&'v str, Place> {
    let mut first: HashMap<&str, Place> = HashMap::default();
    for listener in listeners {
        let place = listener.place();
        for name in own_names(view, listener) {
            let known = first.entry(name).or_insert(place);
            *known = place.min(*known);
        }
    }
    first
}

/// The first route configuration of a listener that is no service's own.
fn shared_config<'v>(view: &'v View, listener: &Listener) -> Option<&'v RouteConfig> {
    let config = view.first_route_config(listener)?;
    let first = config.virtual_hosts().next().map(|host| &host.kind);
    let is_own = matches!(first, Some(VirtualHostKind::OwnListener { .. }));
    (!is_own).then_some(config)
}

/// The names of the service that has this listener to itself.
fn own_names<'v>(view: &'v View, listener: &Listener) -> &'v [Box<str>] {
    let config = view.first_route_config(listener);
    let first = config.and_then(|config| config.virtual_hosts().next());
    match first.map(|host| &host.kind) {
        Some(VirtualHostKind::OwnListener { names, .. }) => names,
        _ => &[],
    }
}

/// At the first HTTP port of the service that is called `name` where the service shares `listener`; if it has none that is
/// shared, there.
fn shared_arrival(
    view: &View,
    tables: &Tables,
    name: &str,
    service: &str,
    listener: &Listener,
) -> Arrival {
    let first = tables.http_ports.get(&service.to_ascii_lowercase());
    let first = first.filter(|first| *first != listener.port());
    let is_called_so = |listener: &&Listener| {
        let config = view.first_route_config(listener);
        let owner = config.and_then(|config| config.owner(name));
        owner.is_some_and(|owner| owner.service() == Some(service))
    };
    let first = first.and_then(|first| view.listener(None, first));
    let first = first.map(|listener| &**listener);
    Arrival::at(first.filter(is_called_so).unwrap_or(listener))
}
