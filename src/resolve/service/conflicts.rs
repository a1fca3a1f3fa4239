//! Several services with one host name: which of them is not seen, or not by everyone (R-M-073).

use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, FieldPath, Location, Report, ResourceRef};
use crate::mesh::{Service, Visibility};
use crate::resource::Document;
use crate::terms::hash::HashMap;
use crate::terms::name::ResourceName;

use super::Documents;

/// Says of each service that another one of its name hides it, from everyone or from some. `services` are in the mesh's
/// order.
///
/// # Complexity
/// Linear in the services and the entries of their `exportTo`.
pub(in crate::resolve) fn report(
    services: &[Arc<Service>],
    documents: &Documents<'_>,
    report: &mut Report,
) {
    let mut by_hostname: HashMap<&str, Namesakes<'_>> = HashMap::default();
    for service in services {
        let namesakes = by_hostname.entry(&service.hostname).or_default();
        namesakes.count += 1;
        let winner = namesakes.winners.entry(service.namespace());
        let winner = winner.or_insert(service);
        if service.is_kubernetes() && !winner.is_kubernetes() {
            *winner = service;
        }
    }
    let mut places = None;
    for (place, service) in services.iter().enumerate() {
        let Some(namesakes) = by_hostname.get_mut(&*service.hostname) else {
            continue;
        };
        if namesakes.count < 2 {
            continue;
        }
        let places = places.get_or_insert_with(|| Places::new(documents));
        if let Some(winner) = namesakes.hides(service) {
            report.push(places.conflict(
                Code::HOST_TAKEN,
                service,
                winner,
                format!(
                    "host `{}` is already another service's in this namespace",
                    service.hostname
                ),
            ));
        } else if let Some(other) = namesakes.shares(service) {
            report.push(places.conflict(
                Code::HOST_SHARED,
                service,
                other,
                format!(
                    "host `{}` is also a service's of another namespace",
                    service.hostname
                ),
            ));
        }
        namesakes.seen(place, service);
    }
}

/// The services of one host name.
#[derive(Default)]
struct Namesakes<'s> {
    count: usize,
    /// By namespace, the one that everyone sees: a Kubernetes one, else the oldest.
    winners: HashMap<&'s str, &'s Service>,
    /// The first that some client sees, and that every client sees, of those before.
    any: FirstOfTwo<'s>,
    public: FirstOfTwo<'s>,
    /// The first that this namespace sees by name, of those before.
    named: HashMap<&'s str, FirstOfTwo<'s>>,
}

/// The first service, and the first one of another namespace than that, each with its place.
#[derive(Default)]
struct FirstOfTwo<'s>([Option<(usize, &'s Service)>; 2]);

impl<'s> FirstOfTwo<'s> {
    fn add(&mut self, place: usize, service: &'s Service) {
        match &mut self.0 {
            [first @ None, _] => *first = Some((place, service)),
            [Some((_, first)), second @ None] if first.namespace() != service.namespace() => {
                *second = Some((place, service));
            }
            _ => {}
        }
    }

    /// The first one that is not of `namespace`.
    fn not_of(&self, namespace: &str) -> Option<(usize, &'s Service)> {
        let mut both = self.0.iter().flatten();
        both.find(|(_, service)| service.namespace() != namespace)
            .copied()
    }
}

impl<'s> Namesakes<'s> {
    /// The service of the same namespace that everyone sees instead, unless both are ServiceEntries that merge.
    fn hides(&self, service: &Service) -> Option<&'s Service> {
        let winner = *self.winners.get(service.namespace())?;
        let is_same = winner.registry == service.registry && winner.resource == service.resource;
        let merges = !winner.is_kubernetes() && winner.merges_with(service);
        (!is_same && !merges).then_some(winner)
    }

    /// The first service of another namespace, of those before, that some client sees too.
    fn shares(&self, service: &Service) -> Option<&'s Service> {
        let own = service.namespace();
        let first = match &service.visibility {
            Visibility::None => None,
            Visibility::Public => self.any.not_of(own),
            Visibility::Namespaces(namespaces) => namespaces
                .iter()
                .filter_map(|namespace| self.named.get(namespace)?.not_of(own))
                .chain(self.public.not_of(own))
                .min_by_key(|(place, _)| *place),
        };
        first.map(|(_, service)| service)
    }

    /// Remembers a service for those that come after it.
    fn seen(&mut self, place: usize, service: &'s Service) {
        match &service.visibility {
            Visibility::None => return,
            Visibility::Public => self.public.add(place, service),
            Visibility::Namespaces(namespaces) => {
                for namespace in namespaces.iter() {
                    let list = self.named.entry(namespace).or_default();
                    list.add(place, service);
                }
            }
        }
        self.any.add(place, service);
    }
}

/// Where the hosts of services are written.
struct Places<'a> {
    entries: HashMap<ResourceName, Hosts<'a>>,
    services: HashMap<ResourceName, &'a Document<crate::resource::Service>>,
}

impl<'a> Places<'a> {
    fn new(documents: &Documents<'a>) -> Self {
        let entries = documents.service_entries.iter();
        let services = documents.services.iter();
        Places {
            entries: entries
                .map(|entry| (entry.meta.qualified_name(), Hosts::new(entry)))
                .collect(),
            services: services
                .map(|entry| (entry.meta.qualified_name(), *entry))
                .collect(),
        }
    }

    fn conflict(
        &self,
        code: Code,
        service: &Service,
        other: &Service,
        message: String,
    ) -> Diagnostic {
        let (resource, field, location) = self.place(service);
        let (other_resource, _, other_location) = self.place(other);
        Diagnostic::new(code, message)
            .with_resource(resource)
            .with_field(field)
            .with_location(location)
            .with_related(other_resource, "has the host too", other_location)
    }

    fn place(&self, service: &Service) -> (ResourceRef, FieldPath, Option<Location>) {
        let name = &service.resource;
        let reference = |kind| ResourceRef::new(kind, &*name.namespace, &*name.name);
        if service.is_kubernetes() {
            let field = FieldPath::from("metadata.name");
            let document = self.services.get(name);
            let location = document.and_then(|document| document.locate(&field));
            return (reference("Service"), field, location);
        }
        let hosts = FieldPath::from("spec.hosts");
        let entry = self.entries.get(name);
        let index = entry.and_then(|entry| entry.places.get(&*service.hostname));
        let field = index.map_or(hosts.clone(), |index| hosts.index(*index));
        let location = entry.and_then(|entry| entry.document.locate(&field));
        (reference("ServiceEntry"), field, location)
    }
}

/// A ServiceEntry, with the index of each of its hosts.
struct Hosts<'a> {
    document: &'a Document<crate::resource::ServiceEntry>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Hosts<'a> {
    fn new(document: &'a Document<crate::resource::ServiceEntry>) -> Self {
        let mut places = HashMap::default();
        for (index, host) in document.spec.hosts.iter().enumerate() {
            places.entry(host.as_str()).or_insert(index);
        }
        Hosts { document, places }
    }
}
