//! Small meshes for the tests of what proxies see.

use crate::compile::scope::ServiceView;
use crate::mesh::Mesh;
use crate::resource::Resources;

/// The mesh of a text without errors.
pub(crate) fn mesh(yaml: &str) -> Mesh {
    let (resources, mut report) = Resources::from_yaml_lenient(yaml);
    let (mesh, more) = Mesh::resolve_lenient(resources);
    report.append(more);
    assert!(!report.has_errors(), "{report}");
    mesh
}

/// A Kubernetes Service `name` in `namespace`, `second` seconds old, exported as the annotation says.
pub(crate) fn service(
    namespace: &str,
    name: &str,
    second: u32,
    ports: &[u16],
    export_to: &str,
) -> String {
    let ports: Vec<String> = ports
        .iter()
        .map(|port| format!("{{name: http-{port}, port: {port}}}"))
        .collect();
    let ports = ports.join(", ");
    format!(
        "apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {namespace}
  creationTimestamp: '2026-01-01T00:00:{second:02}Z'
  annotations: {{networking.istio.io/exportTo: '{export_to}'}}
spec: {{ports: [{ports}]}}
---
"
    )
}

/// A ServiceEntry of `host`.
pub(crate) fn entry(namespace: &str, name: &str, second: u32, host: &str, port: u16) -> String {
    istio(
        "ServiceEntry",
        namespace,
        name,
        second,
        &format!(
            "{{hosts: ['{host}'], resolution: STATIC, ports: [{{name: http, number: {port}, protocol: HTTP}}]}}"
        ),
    )
}

/// A resource of `networking.istio.io`, `second` seconds old.
pub(crate) fn istio(kind: &str, namespace: &str, name: &str, second: u32, spec: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1
kind: {kind}
metadata:
  name: {name}
  namespace: {namespace}
  creationTimestamp: '2026-01-01T00:00:{second:02}Z'
spec: {spec}
---
"
    )
}

/// A Sidecar with one egress listener.
pub(crate) fn sidecar(namespace: &str, hosts: &str) -> String {
    istio(
        "Sidecar",
        namespace,
        "sidecar",
        0,
        &format!("{{egress: [{{hosts: [{hosts}]}}]}}"),
    )
}

/// Each service as `namespace:host:ports`.
pub(crate) fn names(services: impl IntoIterator<Item = ServiceView>) -> Vec<String> {
    let name = |view: ServiceView| {
        let host = view.hostname().trim_end_matches(".svc.cluster.local");
        let ports: Vec<String> = view
            .ports()
            .iter()
            .map(|port| port.number.to_string())
            .collect();
        format!("{}:{host}:{}", view.service().namespace(), ports.join("+"))
    };
    services.into_iter().map(name).collect()
}

/// A VirtualService in `namespace` for `host` that sends to `destinations`.
pub(crate) fn virtual_service(
    namespace: &str,
    name: &str,
    second: u32,
    host: &str,
    rest: &str,
) -> String {
    istio(
        "VirtualService",
        namespace,
        name,
        second,
        &format!("{{hosts: ['{host}'], {rest}}}"),
    )
}

/// An `http` rule that sends everything to `host`.
pub(crate) fn to(host: &str) -> String {
    format!("http: [{{route: [{{destination: {{host: {host}}}}}]}}]")
}
