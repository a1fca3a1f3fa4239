//! What Sidecars become, and what is said about them.

use crate::diagnostic::Report;
use crate::mesh::Mesh;
use crate::mesh::config::OutboundTrafficPolicy;
use crate::mesh::service::Protocol;
use crate::mesh::sidecar::EgressNamespace;
use crate::resource::Resources;
use crate::terms::address::Address;

fn resolve(spec: &str) -> (Mesh, Report) {
    let yaml = format!(
        "{{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {{name: s, namespace: a}}, spec: {spec}}}"
    );
    let (resources, mut report) = Resources::from_yaml_lenient(&yaml);
    let (mesh, more) = Mesh::resolve_lenient(resources);
    report.append(more);
    (mesh, report)
}

fn problems(spec: &str) -> Vec<String> {
    let (_, report) = resolve(spec);
    let problem = |diagnostic: &crate::diagnostic::Diagnostic| {
        let field = diagnostic
            .field()
            .map(ToString::to_string)
            .unwrap_or_default();
        format!("{} {field}", diagnostic.code().name())
    };
    report.iter().map(problem).collect()
}

#[test]
fn r_m_071_egress_hosts_are_split_into_namespace_and_host() {
    let (mesh, report) = resolve(
        "{workloadSelector: {labels: {app: x}}, outboundTrafficPolicy: {mode: REGISTRY_ONLY},
          egress: [{port: {number: 80, protocol: http, name: p}, bind: 1.1.1.1, hosts: [./a.b, '~/c.d', '~n/*', '*/*.e']}]}",
    );
    assert!(report.is_empty(), "{report}");
    let sidecar = &mesh.inner.sidecars[0];
    assert_eq!(
        sidecar.outbound_traffic_policy,
        Some(OutboundTrafficPolicy::RegistryOnly)
    );
    let listener = &sidecar.egress[0];
    let port = listener.port.as_ref().expect("it has one");
    assert_eq!(
        (port.number, port.protocol, &listener.bind),
        (80, Protocol::Http, &Address::parse("1.1.1.1"))
    );
    let hosts: Vec<_> = listener
        .hosts
        .iter()
        .map(|host| (&host.namespace, &*host.host, host.exclude))
        .collect();
    let n = EgressNamespace::Named("n".into());
    assert_eq!(
        hosts,
        [
            (&EgressNamespace::Own, "a.b", false),
            (&EgressNamespace::Any, "c.d", true),
            (&n, "*", true),
            (&EgressNamespace::Any, "*.e", false),
        ]
    );
}

#[test]
fn r_m_185_problems_name_their_field() {
    assert_eq!(problems("{}"), ["empty-sidecar spec"]);
    assert_eq!(
        problems("{egress: [{hosts: ['*/*']}, {hosts: [reviews]}]}"),
        [
            "catch-all-not-last spec.egress[0]",
            "invalid-host spec.egress[1].hosts[0]"
        ]
    );
    assert_eq!(
        problems("{egress: [{hosts: ['./*', './a.b']}]}"),
        ["redundant-egress-host spec.egress[0].hosts[1]"]
    );
    assert_eq!(
        problems("{egress: [{hosts: ['*/short']}, {port: {number: 80}, hosts: []}]}"),
        [
            "catch-all-not-last spec.egress[0]",
            "invalid-host spec.egress[0].hosts[0]",
            "missing-field spec.egress[1].hosts",
        ]
    );
}

#[test]
fn what_has_no_effect_is_said() {
    assert_eq!(
        problems("{ingress: [{port: {number: 80, protocol: HTTP}, defaultEndpoint: ':8080'}]}"),
        ["field-without-effect spec.ingress"]
    );
    assert_eq!(
        problems("{egress: [{captureMode: NONE, hosts: ['*/*']}]}"),
        ["field-without-effect spec.egress[0].captureMode"]
    );
}

#[test]
fn r_h_052_an_egress_proxy_is_a_destination_and_deprecated() {
    let proxy = "egressProxy: {host: proxy, subset: v1, port: {number: 3128}}";
    let (mesh, report) = resolve(&format!(
        "{{outboundTrafficPolicy: {{mode: ALLOW_ANY, {proxy}}}}}"
    ));
    assert_eq!(report.len(), 1, "{report}");
    let written = mesh.inner.sidecars[0]
        .egress_proxy
        .as_ref()
        .expect("it is set");
    assert_eq!(
        (&*written.host, written.port),
        ("proxy.a.svc.cluster.local", Some(3128))
    );
    assert_eq!(
        problems(&format!("{{outboundTrafficPolicy: {{{proxy}}}}}")),
        [
            "deprecated-field spec.outboundTrafficPolicy.egressProxy",
            "conflicting-fields spec.outboundTrafficPolicy.egressProxy",
        ]
    );
}
