//! ExternalName services: which service each one ends at, so that it knows its other names (R-M-130, R-H-047).

use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Report, ResourceRef};
use crate::mesh::Service;
use crate::mesh::service::{Alias, AliasNames};
use crate::terms::hash::HashMap;

/// Longest chain of ExternalName services that is followed.
const LONGEST_CHAIN: usize = 10;

/// For each host that an ExternalName ends at, through others or at once, the names that lead to it; also for hosts that
/// no service has.
pub(in crate::resolve) fn names<'s>(
    services: impl IntoIterator<Item = &'s Service>,
    report: &mut Report,
) -> AliasNames {
    let services = services.into_iter();
    let aliases: Vec<&Service> = services
        .filter(|service| service.external_name.is_some())
        .collect();
    let next: HashMap<Arc<str>, Arc<str>> = aliases
        .iter()
        .filter_map(|service| {
            Some((
                Arc::clone(&service.hostname),
                Arc::clone(service.external_name.as_ref()?),
            ))
        })
        .collect();
    let mut names: HashMap<Arc<str>, Vec<Alias>> = HashMap::default();
    for service in aliases {
        let Some(target) = &service.external_name else {
            continue;
        };
        let mut end = target;
        let mut steps = 0;
        while let Some(further) = next.get(end).filter(|_| steps < LONGEST_CHAIN) {
            end = further;
            steps += 1;
        }
        if next.contains_key(end) {
            report.push(endless(service));
            continue;
        }
        names.entry(Arc::clone(end)).or_default().push(Alias {
            hostname: Arc::clone(&service.hostname),
            namespace: Arc::clone(&service.resource.namespace),
        });
    }
    let sorted = names.into_iter().map(|(host, mut names)| {
        names.sort_by(|a, b| (&a.namespace, &a.hostname).cmp(&(&b.namespace, &b.hostname)));
        (host, names.into())
    });
    sorted.collect()
}

fn endless(service: &Service) -> Diagnostic {
    let name = &service.resource;
    let message = format!(
        "ExternalName `{}` leads through {LONGEST_CHAIN} others and to no service",
        service.hostname
    );
    Diagnostic::new(Code::ALIAS_WITHOUT_END, message)
        .with_resource(ResourceRef::new("Service", &*name.namespace, &*name.name))
        .with_field("spec.externalName")
}
