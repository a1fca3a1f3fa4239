//! Which VirtualServices a scope holds, and what they bring with them.

use super::fixtures::{mesh, names, service, sidecar, to, virtual_service};
use crate::compile::clusters::Clusters;
use crate::compile::scope::{EgressListener, Scope};
use crate::router::ClusterIds;
use crate::terms::name::{GatewayName, ResourceName};
use crate::terms::proxy::Proxy;

fn virtual_services(listener: &EgressListener<'_>) -> Vec<String> {
    let all = listener.virtual_services();
    all.map(|virtual_service| virtual_service.resource().to_string())
        .collect()
}

#[test]
fn r_m_060_a_listener_imports_virtual_services_private_then_exported_then_public() {
    let route = to("x.com");
    let exported = |list: &str| format!("exportTo: [{list}], {route}");
    let mesh = mesh(
        &[
            virtual_service("b", "public-old", 1, "a.com", &route),
            virtual_service("a", "public-new", 2, "a.com", &route),
            virtual_service("b", "exported", 3, "a.com", &exported("a")),
            virtual_service("a", "private", 4, "a.com", &exported("'.'")),
            virtual_service("b", "elsewhere", 0, "a.com", &exported("c")),
            virtual_service(
                "a",
                "gateway",
                0,
                "a.com",
                &format!("gateways: [gw], {route}"),
            ),
        ]
        .concat(),
    );
    let proxy = Proxy::sidecar("a");
    let scope = Scope::sidecar(&mesh, &proxy);
    assert_eq!(
        virtual_services(&scope.listeners()[0]),
        ["a/private", "b/exported", "b/public-old", "a/public-new"]
    );
    let gateway = GatewayName::Named(ResourceName::new("a", "gw"));
    let bound: Vec<String> = scope
        .virtual_services_for_gateway(&gateway)
        .map(|virtual_service| virtual_service.resource().to_string())
        .collect();
    assert_eq!(bound, ["a/gateway"]);
}

#[test]
fn r_h_026_a_virtual_service_is_imported_by_any_host_that_overlaps() {
    let imported = |hosts: &str| {
        let all = [
            sidecar("a", hosts),
            virtual_service("b", "wild", 1, "*.com", &to("x.com")),
            virtual_service("b", "exact", 2, "a.com", &to("x.com")),
        ];
        let mesh = mesh(&all.concat());
        let proxy = Proxy::sidecar("a");
        virtual_services(&Scope::sidecar(&mesh, &proxy).listeners()[0]).join(" ")
    };
    assert_eq!(imported("'b/a.com'"), "b/wild b/exact");
    assert_eq!(imported("'b/b.com'"), "b/wild");
    assert_eq!(imported("'*/*.a.com'"), "b/wild");
    assert_eq!(imported("'c/*'"), "");
    assert_eq!(imported("'*/*', '~b/a.com'"), "b/wild");
}

#[test]
fn r_m_072_destinations_of_imported_virtual_services_are_imported_with_the_ports_they_name() {
    let both = "http: [{route: [{destination: {host: x.b.svc.cluster.local, port: {number: 80}}}],
        mirror: {host: y.b.svc.cluster.local}},
        {match: [{sourceNamespace: z}], route: [{destination: {host: z.b.svc.cluster.local}}]}]";
    let mesh = mesh(
        &[
            service("b", "x", 1, &[80, 81], ""),
            service("b", "y", 2, &[82, 83], ""),
            service("b", "z", 3, &[84], ""),
            sidecar("a", "'a/*'"),
            virtual_service("a", "vs", 1, "v.com", both),
        ]
        .concat(),
    );
    let proxy = Proxy::sidecar("a");
    let scope = Scope::sidecar(&mesh, &proxy);
    assert!(scope.listeners()[0].services().next().is_none());
    assert_eq!(names(scope.services()), ["b:x.b:80", "b:y.b:82+83"]);
    let mut ids = ClusterIds::default();
    let mut clusters = Clusters::new(&scope, &mut ids);
    let mut exists = |host: &str, port| {
        let id = clusters.cluster(&host.into(), port, None);
        clusters.get(id).exists()
    };
    assert!(exists("x.b.svc.cluster.local", 80));
    assert!(!exists("x.b.svc.cluster.local", 81));
    assert!(!exists("z.b.svc.cluster.local", 84));
}

#[test]
fn r_m_062_the_most_specific_virtual_service_host_owns_a_service() {
    let mesh = mesh(
        &[
            virtual_service("a", "wild", 1, "*.com", &to("x.com")),
            virtual_service("a", "longer", 2, "*.b.com", &to("x.com")),
            virtual_service("a", "exact", 3, "a.b.com", &to("x.com")),
            virtual_service("a", "late", 4, "*.com", &to("x.com")),
        ]
        .concat(),
    );
    let proxy = Proxy::sidecar("a");
    let scope = Scope::sidecar(&mesh, &proxy);
    let listener = &scope.listeners()[0];
    let owner = |host| {
        let owner = listener.most_specific(host);
        owner.map_or_else(String::new, |owner| owner.resource().name.to_string())
    };
    assert_eq!(owner("a.b.com"), "exact");
    assert_eq!(owner("c.b.com"), "longer");
    assert_eq!(owner("d.com"), "wild");
    assert_eq!(owner("*.b.com"), "longer");
    assert_eq!(owner("d.org"), "");
}
