//! The names of services that have a listener of their own, at their address (R-H-041): no route configuration holds them.

use crate::router::View;
use crate::router::host_table::HostTable;
use crate::terms::hash::HashSet;

use super::gates::service_name;

/// From every name of such a service, full or short, with a trailing dot or without, to the place of its first listener.
pub(super) fn table(view: &View, namespace: &str) -> HostTable {
    let listeners = (0_u32..).zip(view.listeners());
    let own = listeners.filter(|(_, listener)| listener.address().is_some());
    let services = own.filter_map(|(place, listener)| {
        let virtual_host = view.first_route_config(listener)?.virtual_hosts().next()?;
        Some((service_name(virtual_host), place))
    });
    let mut seen = HashSet::default();
    let mut names: Vec<(String, u32)> = Vec::new();
    for (service, place) in services.filter(|(service, _)| seen.insert(*service)) {
        names.extend(of_service(service, namespace).map(|name| (name, place)));
    }
    HostTable::new(names.iter().map(|(name, place)| (name.as_str(), *place)))
}

/// The full name of a service and its short forms (R-H-048), each with a trailing dot too.
pub(super) fn of_service(service: &str, namespace: &str) -> impl Iterator<Item = String> {
    let dots = service
        .bytes()
        .enumerate()
        .filter(|(_, byte)| *byte == b'.');
    let ends = dots.take(3).map(|(at, _)| at);
    let short = ends.zip(1..).filter(move |&(end, labels)| {
        let (start, rest) = (&service[..end], &service[end + 1..]);
        // What is left out begins after the name, after the namespace or after `svc`.
        match labels {
            1 => rest
                .split_once('.')
                .is_some_and(|(own, rest)| own == namespace && rest.starts_with("svc.")),
            2 => rest.starts_with("svc."),
            _ => start.ends_with(".svc"),
        }
    });
    let names = short.map(|(end, _)| &service[..end]);
    names
        .chain(std::iter::once(service))
        .flat_map(|name| [name.to_owned(), format!("{name}.")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_h_048_short_names_of_the_own_and_of_another_namespace() {
        let service = "db.default.svc.cluster.local";
        let names = |namespace| -> Vec<String> {
            let names = of_service(service, namespace);
            names.filter(|name| !name.ends_with('.')).collect()
        };
        assert_eq!(
            names("default"),
            ["db", "db.default", "db.default.svc", service]
        );
        assert_eq!(names("prod"), ["db.default", "db.default.svc", service]);
        let outside: Vec<String> = of_service("db.example.com", "default").collect();
        assert_eq!(outside, ["db.example.com", "db.example.com."]);
    }
}
