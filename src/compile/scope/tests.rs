//! What scopes see.

use super::fixtures::{entry, istio, mesh, names, service, sidecar};
use crate::compile::clusters::Clusters;
use crate::compile::scope::Scope;
use crate::mesh::config::OutboundTrafficPolicy;
use crate::router::ClusterIds;
use crate::terms::proxy::Proxy;

#[test]
fn r_m_141_a_namespace_sees_private_then_exported_then_public_services() {
    let mesh = mesh(
        &[
            service("a", "public", 1, &[80], ""),
            service("a", "private", 5, &[80], "."),
            service("b", "exported", 4, &[80], "a,c"),
            service("b", "hidden", 0, &[80], "~"),
            service("b", "everyone", 0, &[80], "*,a"),
        ]
        .concat(),
    );
    let seen = |namespace: &str| {
        let proxy = Proxy::gateway(namespace);
        names(Scope::gateway(&mesh, &proxy).services())
    };
    assert_eq!(
        seen("a"),
        [
            "a:private.a:80",
            "b:exported.b:80",
            "b:everyone.b:80",
            "a:public.a:80"
        ]
    );
    assert_eq!(
        seen("c"),
        ["b:exported.b:80", "b:everyone.b:80", "a:public.a:80"]
    );
    assert_eq!(seen("d"), ["b:everyone.b:80", "a:public.a:80"]);
}

#[test]
fn r_m_073_of_one_host_the_clients_namespace_wins_then_kubernetes_then_the_first() {
    let host = "x.k.svc.cluster.local";
    let mesh = mesh(
        &[
            entry("a", "a", 1, host, 1),
            service("k", "x", 9, &[2], ""),
            entry("c", "c", 3, host, 3),
            entry("a", "only", 1, "y.com", 4),
            entry("c", "only", 0, "y.com", 5),
        ]
        .concat(),
    );
    let seen = |namespace: &str| {
        let proxy = Proxy::sidecar(namespace);
        names(Scope::sidecar(&mesh, &proxy).services())
    };
    assert_eq!(seen("c"), ["c:y.com:5", "c:x.k:3"]);
    assert_eq!(seen("a"), ["a:x.k:1", "a:y.com:4"]);
    assert_eq!(seen("other"), ["c:y.com:5", "k:x.k:2"]);
}

#[test]
fn r_m_073_service_entries_of_one_host_and_namespace_share_their_ports() {
    let mesh = mesh(
        &[
            entry("a", "a", 1, "y.com", 80),
            entry("a", "b", 2, "y.com", 81),
        ]
        .concat(),
    );
    let proxy = Proxy::sidecar("a");
    let scope = Scope::sidecar(&mesh, &proxy);
    assert_eq!(names(scope.services()), ["a:y.com:80+81"]);
    let listener = &scope.listeners()[0];
    assert_eq!(names(listener.services()), ["a:y.com:80", "a:y.com:81"]);
    let on = |port| {
        listener
            .service_on("y.com", port)
            .map(|view| view.ports().len())
    };
    assert_eq!((on(81), on(82), on(0)), (Some(1), None, Some(1)));
}

#[test]
fn r_m_070_the_first_selecting_sidecar_then_the_namespaces_then_the_root_namespaces() {
    let of = |namespace: &str, name: &str, second: u32, selector: &str, host: &str| {
        let spec = format!("{{{selector} egress: [{{hosts: ['*/{host}']}}]}}");
        istio("Sidecar", namespace, name, second, &spec)
    };
    let app = "workloadSelector: {labels: {app: a}},";
    let mesh = mesh(
        &[
            entry("x", "x", 0, "first.com", 80),
            entry("x", "y", 0, "general.com", 80),
            entry("x", "z", 0, "root.com", 80),
            of("a", "older-general", 1, "", "general.com"),
            of("a", "newer", 3, app, "general.com"),
            of("a", "older", 2, app, "first.com"),
            of("a", "newer-general", 4, "", "root.com"),
            of("b", "selecting", 1, app, "first.com"),
            of("istio-system", "root", 9, "", "root.com"),
        ]
        .concat(),
    );
    let seen = |proxy: Proxy| names(Scope::sidecar(&mesh, &proxy).services());
    let labelled = |namespace: &str| Proxy::sidecar(namespace).label("app", "a");
    assert_eq!(seen(labelled("a")), ["x:first.com:80"]);
    assert_eq!(seen(Proxy::sidecar("a")), ["x:general.com:80"]);
    assert_eq!(seen(labelled("b")), ["x:first.com:80"]);
    assert_eq!(seen(Proxy::sidecar("b")), ["x:root.com:80"]);
    let gateway = Proxy::gateway("a");
    assert_eq!(Scope::gateway(&mesh, &gateway).services().len(), 3);
}

#[test]
fn r_m_071_imports_by_namespace_and_host_without_the_excluded_ones() {
    let registry = [
        service("a", "one", 0, &[80], ""),
        service("a", "two", 1, &[80], ""),
        service("b", "three", 2, &[80], ""),
        entry("b", "wild", 3, "*.example.com", 80),
    ]
    .concat();
    let seen = |hosts: &str| {
        let mesh = mesh(&format!("{registry}{}", sidecar("a", hosts)));
        let proxy = Proxy::sidecar("a");
        let scope = Scope::sidecar(&mesh, &proxy);
        names(scope.services()).join(" ")
    };
    assert_eq!(seen("'./*'"), "a:one.a:80 a:two.a:80");
    assert_eq!(seen("'*/one.a.svc.cluster.local'"), "a:one.a:80");
    assert_eq!(seen("'b/*.com'"), "b:*.example.com:80");
    // A wildcard service is imported by what covers it, not by what overlaps it.
    assert_eq!(seen("'b/www.example.com'"), "");
    assert_eq!(seen("'*/*', '~a/*'"), "b:three.b:80 b:*.example.com:80");
    assert_eq!(
        seen("'*/*', '~a/two.a.svc.cluster.local', '~/*.com'"),
        "a:one.a:80 b:three.b:80"
    );
    assert_eq!(
        seen("'*/*', '~./one.a.svc.cluster.local', '~b/*'"),
        "a:two.a:80"
    );
    assert_eq!(seen("'~/*'"), "");
}

#[test]
fn r_m_074_a_listener_with_a_port_imports_that_port() {
    let spec = "
  egress:
  - {port: {number: 81, protocol: HTTP, name: http}, hosts: ['*/*']}
  - {port: {number: 3128, protocol: HTTP_PROXY, name: proxy}, hosts: ['*/two.a.svc.cluster.local']}
  - {hosts: ['*/one.a.svc.cluster.local']}
";
    let mesh = mesh(
        &[
            service("a", "one", 0, &[80, 81], ""),
            service("a", "two", 1, &[82], ""),
            istio("Sidecar", "a", "sidecar", 0, spec),
        ]
        .concat(),
    );
    let proxy = Proxy::sidecar("a");
    let scope = Scope::sidecar(&mesh, &proxy);
    let of_listener = |at: usize| names(scope.listeners()[at].services());
    assert_eq!(of_listener(0), ["a:one.a:81"]);
    assert_eq!(of_listener(1), ["a:two.a:82"]);
    assert_eq!(of_listener(2), ["a:one.a:80+81"]);
    assert_eq!(names(scope.services()), ["a:one.a:81+80", "a:two.a:82"]);
    let port_of = |port| {
        scope
            .listener_for(port)
            .and_then(|at| scope.listeners()[at].port())
            .map(|own| own.number)
    };
    assert_eq!(
        (port_of(81), port_of(3128), port_of(80)),
        (Some(81), Some(3128), None)
    );
}

#[test]
fn r_h_053_an_empty_outbound_policy_of_a_sidecar_is_registry_only() {
    let policy = |spec: &str| {
        let mesh = mesh(&istio("Sidecar", "a", "sidecar", 0, spec));
        let proxy = Proxy::sidecar("a");
        Scope::sidecar(&mesh, &proxy).outbound_traffic_policy()
    };
    assert_eq!(
        policy("{egress: [{hosts: ['*/*']}]}"),
        OutboundTrafficPolicy::AllowAny
    );
    assert_eq!(
        policy("{outboundTrafficPolicy: {}}"),
        OutboundTrafficPolicy::RegistryOnly
    );
}

#[test]
fn an_empty_registry_is_open() {
    let mesh = mesh("");
    let proxy = Proxy::default();
    let scope = Scope::sidecar(&mesh, &proxy);
    assert!(scope.is_open());
    let mut ids = ClusterIds::default();
    let mut clusters = Clusters::new(&scope, &mut ids);
    let id = clusters.cluster(&"any.com".into(), 80, Some(&"v1".into()));
    assert!(clusters.get(id).exists());
}

#[test]
fn r_m_046_at_a_gateway_the_service_of_the_virtual_services_namespace_comes_first() {
    let mesh = mesh(
        &[
            entry("a", "a", 1, "y.com", 80),
            entry("b", "b", 2, "y.com", 81),
            entry("c", "c", 3, "y.com", 82).replace("hosts:", "exportTo: ['.'], hosts:"),
        ]
        .concat(),
    );
    let proxy = Proxy::gateway("istio-system");
    let scope = Scope::gateway(&mesh, &proxy);
    let port = |namespace| {
        scope
            .service_for("y.com", namespace)
            .map(|view| view.ports()[0].number)
    };
    assert_eq!(port("b"), Some(81));
    assert_eq!(port("c"), Some(80));
    assert_eq!(port("d"), Some(80));
}

#[test]
fn r_m_016_a_gateway_is_reached_through_the_target_port_of_the_workloads_first_service() {
    let ingress = "
apiVersion: v1
kind: Service
metadata: {name: ingress, namespace: a}
spec: {selector: {app: ingress}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: untranslated, namespace: a, labels: {experimental.istio.io/disable-gateway-port-translation: 'true'}}
spec: {selector: {app: ingress}, ports: [{name: http, port: 82, targetPort: 8082}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: by-address, namespace: b}
spec:
  hosts: [ingress.com]
  resolution: STATIC
  ports: [{name: http, number: 81, protocol: HTTP, targetPort: 8081}]
  endpoints: [{address: 1.1.1.1, ports: {http: 9091}}, {address: 1.1.1.2}]
---
";
    let mesh = mesh(ingress);
    let labelled = Proxy::gateway("a").label("app", "ingress");
    let port = |proxy: Proxy, number| Scope::gateway(&mesh, &proxy).workload_port(number);
    assert_eq!(port(labelled.clone(), 80), Some(8080));
    assert_eq!(port(labelled.clone(), 81), None);
    assert_eq!(port(labelled.clone(), 82), None);
    assert_eq!(port(Proxy::gateway("b").label("app", "ingress"), 80), None);
    let at = |address: &str| {
        labelled
            .clone()
            .with_address(address.parse().expect("an address"))
    };
    assert_eq!(port(at("1.1.1.1"), 81), Some(9091));
    assert_eq!(port(at("1.1.1.2"), 81), Some(8081));
    assert_eq!(port(at("1.1.1.2"), 80), Some(8080));
}
