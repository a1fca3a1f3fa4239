//! Which namespaces Istio looks at (R-M-212).

use meshroute::live::{Changes, LiveRouter};
use meshroute::{Mesh, Proxy, Resources, Router};

/// A mesh with these selectors, and two namespaces that each have a service; of a third the Namespace is not given.
fn resources(selectors: &str, labels_of_b: &str) -> Resources {
    let services: String = ["a", "b", "c"]
        .iter()
        .map(|namespace| {
            format!(
                "---\napiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: {namespace}}}\n\
                 spec: {{clusterIP: 10.0.0.1, ports: [{{name: http, port: 80}}]}}\n"
            )
        })
        .collect();
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\n\
         data:\n  mesh: |\n    discoverySelectors: {selectors}\n    outboundTrafficPolicy: {{mode: REGISTRY_ONLY}}\n\
         ---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: a, labels: {{mesh: 'on'}}}}\n\
         ---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: b, labels: {labels_of_b}}}\n{services}"
    );
    Resources::from_yaml(&text).expect("valid")
}

/// Whether the service of each namespace is known.
fn known(router: &Router) -> [bool; 3] {
    ["a", "b", "c"].map(|namespace| {
        let host = format!("web.{namespace}.svc.cluster.local");
        let found = router.route_with(&host, "mesh", 0);
        found.is_ok_and(|destination| destination.host() == host)
    })
}

fn ask(selectors: &str) -> ([bool; 3], Vec<String>) {
    let (mesh, report) = Mesh::resolve_lenient(resources(selectors, "{mesh: 'off'}"));
    let said = report.iter().map(|one| one.code().to_string());
    let router = Router::compile(&mesh, &Proxy::sidecar("a"));
    (known(&router), said.collect())
}

#[test]
fn r_m_212_what_no_selector_selects_is_left_out_and_named() {
    let (known, said) = ask("[{matchLabels: {mesh: 'on'}}]");
    assert_eq!(known, [true, false, true]);
    assert_eq!(said, ["MR0250", "MR0251"]);
}

#[test]
fn r_m_212_one_selector_of_several_suffices_and_names_are_labels() {
    let by_name = "[{matchLabels: {mesh: 'on'}}, {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [b]}]}]";
    assert_eq!(ask(by_name).0, [true, true, true]);
    assert_eq!(ask("[]").0, [true, true, true]);
    assert_eq!(ask("[{}]").0, [true, true, true]);
}

#[test]
fn r_m_212_a_selector_that_cannot_be_read_leaves_all_without_effect() {
    let (known, said) =
        ask("[{matchLabels: {mesh: 'on'}}, {matchExpressions: [{key: mesh, operator: Near}]}]");
    assert_eq!(known, [true, true, true]);
    assert_eq!(said, ["MR0025"]);
}

#[test]
fn r_m_212_a_namespace_that_is_labelled_anew_brings_and_takes_what_is_in_it() {
    let selectors = "[{matchLabels: {mesh: 'on'}}]";
    let (mut live, _) = LiveRouter::new(resources(selectors, "{}"), Proxy::sidecar("a"));
    assert_eq!(known(live.router()), [true, false, true]);
    for (labels, is_known) in [("{mesh: 'on'}", true), ("{mesh: 'off'}", false)] {
        let text =
            format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: b, labels: {labels}}}");
        let changed = Resources::from_yaml(&text).expect("valid");
        live.update(Changes::new().apply_all(changed))
            .expect("valid");
        assert_eq!(known(live.router()), [true, is_known, true]);
    }
    // A service that comes to a namespace that is not looked at is not seen.
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: other, namespace: b}\n\
                spec: {clusterIP: 10.0.0.9, ports: [{name: http, port: 80}]}";
    let changed = Resources::from_yaml(text).expect("valid");
    live.update(Changes::new().apply_all(changed))
        .expect("valid");
    let host = "other.b.svc.cluster.local";
    assert!(live.router().route_with(host, "mesh", 0).is_err());
}

#[test]
fn r_m_212_selectors_times_namespaces_are_bounded() {
    let selectors = "{matchLabels: {mesh: 'on'}}, ".repeat(1100);
    let namespaces: String = (0..1000)
        .map(|n| format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: n{n}}}\n"))
        .collect();
    let builder =
        Resources::builder().mesh_config("m", format!("discoverySelectors: [{selectors}]"));
    let (resources, _) = builder.yaml("test.yaml", namespaces).build_lenient();
    let (_, report) = Mesh::resolve_lenient(resources);
    let said = report.iter().map(|one| one.code().id());
    assert_eq!(said.filter(|code| *code == "MR0253").count(), 1);
}
