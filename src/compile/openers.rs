//! Which services open which listener of a sidecar, so that a listener is made anew without a walk over all services.

use std::sync::Arc;

use crate::mesh::service::Protocol;
use crate::router::Place;
use crate::terms::hash::{HashMap, HashSet};

use super::sidecar::Sidecar;

/// The services that open listeners, by lower-case name.
#[derive(Clone, Debug, Default)]
pub(super) struct Openers {
    by_place: HashMap<Place, Opened>,
    /// The places of each, so that it can be taken from them.
    places: HashMap<Arc<str>, Vec<Place>>,
}

/// Who opens a listener.
#[derive(Clone, Debug, Default)]
pub(super) struct Opened {
    /// Services that have plain HTTP taken there, and nothing else.
    plain: HashSet<Arc<str>>,
    others: HashSet<Arc<str>>,
}

impl Openers {
    /// All of them.
    ///
    /// # Complexity
    /// Linear in the ports of services.
    pub(super) fn new(sidecar: &Sidecar<'_>) -> Self {
        let mut openers = Openers::default();
        for egress in sidecar.scope.listeners() {
            for service in egress.services() {
                let name = service.hostname().to_ascii_lowercase();
                let places = sidecar.places_of(egress, &service);
                openers.add(&name.into(), places);
            }
        }
        openers
    }

    /// Services of these lower-case names have come, changed or gone.
    pub(super) fn update<'n>(
        &mut self,
        sidecar: &Sidecar<'_>,
        names: impl IntoIterator<Item = &'n Arc<str>>,
    ) {
        for name in names {
            for place in self.places.remove(name).unwrap_or_default() {
                let Some(opened) = self.by_place.get_mut(&place) else {
                    continue;
                };
                opened.plain.remove(name);
                opened.others.remove(name);
                if opened.plain.is_empty() && opened.others.is_empty() {
                    self.by_place.remove(&place);
                }
            }
            for egress in sidecar.scope.listeners() {
                for service in egress.folded(name) {
                    self.add(name, sidecar.places_of(egress, &service));
                }
            }
        }
    }

    /// Who opens the listener at this place; `None`: nobody.
    pub(super) fn at(&self, place: Place) -> Option<&Opened> {
        self.by_place.get(&place)
    }

    fn add(&mut self, name: &Arc<str>, places: impl Iterator<Item = (Place, Protocol)>) {
        let known = self.places.entry(Arc::clone(name)).or_default();
        for (place, protocol) in places {
            let opened = self.by_place.entry(place).or_default();
            let names = match is_plain(protocol) {
                true => &mut opened.plain,
                false => &mut opened.others,
            };
            if names.insert(Arc::clone(name)) && !known.contains(&place) {
                known.push(place);
            }
        }
    }
}

impl Opened {
    /// Whether nobody has anything but plain HTTP taken there.
    pub(super) fn is_plain(&self) -> bool {
        self.others.is_empty()
    }

    /// All of them, in no order.
    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.plain.iter().chain(&self.others)
    }
}

/// Whether a port that carries this is, alone with its like, nothing but a plain HTTP port.
pub(super) fn is_plain(protocol: Protocol) -> bool {
    protocol.is_http() && protocol != Protocol::HttpProxy
}
