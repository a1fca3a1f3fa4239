//! Roots and delegates, from YAML to the mesh.

use super::tests::{codes, resolve};
use crate::diagnostic::Code;
use crate::mesh::virtual_service::HttpAction;

const ROOT: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: root, namespace: shop}
spec:
  hosts: [cart]
  http:
  - name: r
    match: [{uri: {prefix: /a}}]
    delegate: {name: leaf, namespace: team}
    timeout: 3s
  - route: [{destination: {host: cart}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: leaf, namespace: team}
spec:
  http:
  - name: l
    match: [{uri: {exact: /a/b}}]
    route: [{destination: {host: b}}]
  - match: [{uri: {exact: /c}}]
    route: [{destination: {host: c}}]
";

#[test]
fn r_m_049_r_m_053_delegates_are_spliced_in_place() {
    let (mesh, report) = resolve(ROOT);
    assert_eq!(codes(&report), [Code::DELEGATE_CONFLICT], "{report}");
    let [root] = &mesh.inner.virtual_services[..] else {
        panic!("{mesh:?}");
    };
    let names: Vec<&str> = root.http.iter().map(|rule| &*rule.name).collect();
    assert_eq!(names, ["r-l", ""]);
    let HttpAction::Route(route) = &root.http[0].action else {
        panic!("{root:?}");
    };
    assert_eq!(&*route[0].destination.host, "b.team.svc.cluster.local");
    assert_eq!(root.http[0].policy.timeout.unwrap().as_secs(), 3);
}

#[test]
fn r_m_049_a_rule_without_its_delegate_is_dropped() {
    let without = ROOT.split("---").next().unwrap();
    let (mesh, report) = resolve(without);
    assert_eq!(codes(&report), [Code::DELEGATE_NOT_FOUND]);
    assert_eq!(mesh.inner.virtual_services[0].http.len(), 1);

    let private = ROOT.replace("spec:\n  http:", "spec:\n  exportTo: [.]\n  http:");
    let (mesh, report) = resolve(&private);
    assert_eq!(codes(&report), [Code::DELEGATE_NOT_VISIBLE]);
    assert_eq!(mesh.inner.virtual_services[0].http.len(), 1);
    let text = report.to_string();
    assert!(text.contains("VirtualService shop/root") && text.contains("VirtualService team/leaf"));

    let invalid = ROOT.replace("exact: /a/b", "regex: '['");
    let (mesh, report) = resolve(&invalid);
    assert_eq!(
        codes(&report),
        [Code::INVALID_REGEX, Code::DELEGATE_NOT_FOUND]
    );
    assert_eq!(mesh.inner.virtual_services.len(), 1);
}

#[test]
fn r_m_048_a_delegate_alone_is_noted() {
    let alone = ROOT.split("---").nth(1).unwrap();
    let (mesh, report) = resolve(alone);
    assert_eq!(codes(&report), [Code::UNUSED_DELEGATE]);
    assert!(mesh.inner.virtual_services.is_empty());
}

#[test]
fn delegates_cannot_yield_without_bound() {
    let list = |prefix: &str| {
        let entry = |n: usize| format!("{{uri: {{prefix: {prefix}{n}}}}}");
        (0..1_001).map(entry).collect::<Vec<_>>().join(", ")
    };
    let text = ROOT
        .replace("{uri: {prefix: /a}}", &list("/a"))
        .replace("{uri: {exact: /a/b}}", &list("/a1/"));
    let (mesh, report) = resolve(&text);
    let stopped = codes(&report).into_iter();
    let stopped = stopped.filter(|code| *code == Code::DELEGATES_TOO_LARGE);
    assert_eq!(stopped.count(), 1);
    assert!(mesh.inner.virtual_services.is_empty(), "nothing half-built");
}
