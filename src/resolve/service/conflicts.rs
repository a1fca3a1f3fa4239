//! Several services with one host name: which of them is not seen, or not by everyone (R-M-073).

use crate::diagnostic::{Code, Diagnostic, FieldPath, Location, Report, ResourceRef};
use crate::mesh::{Service, Visibility};
use crate::resource::Document;
use crate::terms::hash::HashMap;
use crate::terms::name::ResourceName;

use super::Documents;

/// Says of each service that another one of its name hides it, from everyone or from some. `services` are in the mesh's
/// order.
pub(super) fn report(services: &[Service], documents: &Documents<'_>, report: &mut Report) {
    let mut by_hostname: HashMap<&str, Vec<&Service>> = HashMap::default();
    for service in services {
        by_hostname
            .entry(&service.hostname)
            .or_default()
            .push(service);
    }
    let mut places = None;
    for service in services {
        let named = by_hostname
            .get(&*service.hostname)
            .map_or(&[][..], Vec::as_slice);
        if named.len() < 2 {
            continue;
        }
        let places = places.get_or_insert_with(|| Places::new(documents));
        if let Some(winner) = hides(named, service) {
            report.push(places.conflict(
                Code::HOST_TAKEN,
                service,
                winner,
                format!(
                    "host `{}` is already another service's in this namespace",
                    service.hostname
                ),
            ));
        } else if let Some(other) = shares(named, service) {
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
    }
}

/// The service of the same namespace that everyone sees instead: a Kubernetes one, else the oldest, unless both are
/// ServiceEntries that merge.
fn hides<'s>(named: &[&'s Service], service: &Service) -> Option<&'s Service> {
    let in_namespace = || {
        let same = |one: &&&Service| one.namespace() == service.namespace();
        named.iter().filter(same).copied()
    };
    let winner = in_namespace()
        .find(|one| one.is_kubernetes())
        .or_else(|| in_namespace().next())?;
    let is_same = winner.registry == service.registry && winner.resource == service.resource;
    let merges = !winner.is_kubernetes() && winner.merges_with(service);
    (!is_same && !merges).then_some(winner)
}

/// The first service of another namespace that some client sees too. Each pair is reported at the later one.
fn shares<'s>(named: &[&'s Service], service: &Service) -> Option<&'s Service> {
    named
        .iter()
        .copied()
        .take_while(|other| !std::ptr::eq(*other, service))
        .find(|other| {
            other.namespace() != service.namespace()
                && both_seen(&other.visibility, &service.visibility)
        })
}

/// Whether some namespace sees both.
fn both_seen(a: &Visibility, b: &Visibility) -> bool {
    match (a, b) {
        (Visibility::None, _) | (_, Visibility::None) => false,
        (Visibility::Public, _) | (_, Visibility::Public) => true,
        (Visibility::Namespaces(a), Visibility::Namespaces(b)) => {
            a.iter().any(|namespace| b.contains(namespace))
        }
    }
}

/// Where the hosts of services are written.
struct Places<'a> {
    entries: HashMap<ResourceName, &'a Document<crate::resource::ServiceEntry>>,
    services: HashMap<ResourceName, &'a Document<crate::resource::Service>>,
}

impl<'a> Places<'a> {
    fn new(documents: &Documents<'a>) -> Self {
        let entries = documents.service_entries.iter();
        let services = documents.services.iter();
        Places {
            entries: entries
                .map(|one| (one.meta.qualified_name(), *one))
                .collect(),
            services: services
                .map(|one| (one.meta.qualified_name(), *one))
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
        let document = self.entries.get(name);
        let index = document.and_then(|document| {
            let mut hosts = document.spec.hosts.iter();
            hosts.position(|host| **host == *service.hostname)
        });
        let hosts = FieldPath::from("spec.hosts");
        let field = index.map_or(hosts.clone(), |index| hosts.index(index));
        let location = document.and_then(|document| document.locate(&field));
        (reference("ServiceEntry"), field, location)
    }
}
