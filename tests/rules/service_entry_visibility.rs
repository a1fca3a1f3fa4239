//! How far the mesh lets ServiceEntries be seen (R-M-216).

use meshroute::live::{Changes, LiveRouter};
use meshroute::{Mesh, Proxy, Resources, Router};

const SERVICE_ENTRY: &str = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n\
    metadata: {name: ext, namespace: a}\n\
    spec: {EXPORT hosts: [ext.com], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 1.2.3.4}]}\n";

/// A ServiceEntry of namespace `a` in a mesh with these settings, and what Namespaces are given.
fn resources(visibility: &str, export_to: &str, namespaces: &str) -> Resources {
    let mesh = format!(
        "outboundTrafficPolicy: {{mode: REGISTRY_ONLY}}\nserviceEntryVisibility: {visibility}\n"
    );
    let text = SERVICE_ENTRY.replace("EXPORT", export_to) + namespaces;
    let builder = Resources::builder().mesh_config("mesh", mesh);
    let (resources, report) = builder.yaml("test.yaml", text).build_lenient();
    assert!(report.is_empty(), "{report}");
    resources
}

/// Whether the ServiceEntry is seen from `a` and from `b`.
fn seen(resources: Resources) -> ([bool; 2], Vec<String>) {
    let (mesh, report) = Mesh::resolve_lenient(resources);
    let seen = ["a", "b"].map(|viewer| sees(&Router::compile(&mesh, &Proxy::sidecar(viewer))));
    let said = report.iter().map(|one| one.code().to_string());
    (seen, said.collect())
}

fn sees(router: &Router) -> bool {
    router
        .route_with("ext.com", "mesh", 0)
        .is_ok_and(|found| found.host() == "ext.com")
}

/// Settings, `exportTo`, Namespaces; who sees it, what is said.
type Row<'a> = (&'a str, &'a str, &'a str, [bool; 2], &'a [&'a str]);

fn rows(rows: &[Row<'_>]) {
    for (visibility, export_to, namespaces, expected, codes) in rows {
        let (seen, said) = seen(resources(visibility, export_to, namespaces));
        assert_eq!(seen, *expected, "{visibility} {export_to} {namespaces}");
        assert_eq!(said, *codes, "{visibility}");
    }
}

const LABELLED: &str =
    "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {trusted: 'yes'}}\n";

#[test]
fn r_m_216_visibility_is_a_cap_on_what_export_to_says() {
    let all = [true, true];
    let own = [true, false];
    let none = [false, false];
    rows(&[
        ("{applyToSidecars: true}", "", "", all, &[]),
        (
            "{applyToSidecars: true, defaultVisibility: UNSPECIFIED}",
            "",
            "",
            all,
            &[],
        ),
        (
            "{applyToSidecars: true, defaultVisibility: PUBLIC}",
            "exportTo: [.],",
            "",
            own,
            &[],
        ),
        (
            "{applyToSidecars: true, defaultVisibility: NAMESPACE}",
            "",
            "",
            own,
            &[],
        ),
        (
            "{applyToSidecars: true, defaultVisibility: NAMESPACE}",
            "exportTo: ['*'],",
            "",
            own,
            &[],
        ),
        (
            "{applyToSidecars: true, defaultVisibility: NAMESPACE}",
            "exportTo: [a, b],",
            "",
            own,
            &[],
        ),
        (
            "{applyToSidecars: true, defaultVisibility: NAMESPACE}",
            "exportTo: [b],",
            "",
            none,
            &[],
        ),
        (
            "{applyToSidecars: true, defaultVisibility: NAMESPACE}",
            "exportTo: ['~'],",
            "",
            none,
            &[],
        ),
        (
            "{applyToSidecars: true, defaultVisibility: NONE}",
            "",
            "",
            none,
            &[],
        ),
    ]);
}

#[test]
fn r_m_216_without_apply_to_sidecars_it_is_for_ambient_only() {
    rows(&[
        (
            "{defaultVisibility: NONE}",
            "",
            "",
            [true, true],
            &["MR0025"],
        ),
        (
            "{applyToSidecars: false, defaultVisibility: NONE}",
            "",
            "",
            [true, true],
            &["MR0025"],
        ),
    ]);
}

#[test]
fn r_m_216_the_first_policy_whose_rules_all_match_decides() {
    let policies = |policies: &str| {
        format!("{{applyToSidecars: true, defaultVisibility: NONE, policies: [{policies}]}}")
    };
    let named = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: a}}";
    let trusted = "namespaceSelector: {matchLabels: {trusted: 'yes'}}";
    let by_name = policies(&format!(
        "{{visibility: NAMESPACE, matchingRules: [{{{named}}}]}}"
    ));
    let by_label = policies(&format!(
        "{{visibility: PUBLIC, matchingRules: [{{{trusted}}}]}}"
    ));
    let both = policies(&format!(
        "{{visibility: PUBLIC, matchingRules: [{{{named}}}, {{{trusted}}}]}}, {{visibility: NAMESPACE}}"
    ));
    let everything = policies("{visibility: PUBLIC, matchingRules: [{namespaceSelector: {}}]}");
    let unset = policies("{visibility: PUBLIC, matchingRules: [{}]}, {visibility: NAMESPACE}");
    let unreadable = policies(
        "{visibility: PUBLIC, matchingRules: [{namespaceSelector: {matchExpressions: [{key: a, operator: Near}]}}]}",
    );
    rows(&[
        (&by_name, "", "", [true, false], &[]),
        (&by_label, "", LABELLED, [true, true], &[]),
        // Nothing but its name is known of a namespace that is not given.
        (&by_label, "", "", [false, false], &["MR0252"]),
        (&both, "", LABELLED, [true, true], &[]),
        (&both, "", "", [true, false], &["MR0252"]),
        (&everything, "", "", [true, true], &[]),
        (&unset, "", "", [true, false], &["MR0025"]),
        (&unreadable, "", LABELLED, [false, false], &["MR0025"]),
    ]);
}

#[test]
fn r_m_216_policies_times_namespaces_are_bounded() {
    let policies = "{visibility: NONE, matchingRules: [{}]}, ".repeat(1100);
    let visibility = format!("{{applyToSidecars: true, policies: [{policies}]}}");
    let entries: String = (0..1000)
        .map(|n| {
            let entry = SERVICE_ENTRY.replace("EXPORT", "");
            format!(
                "---\n{}",
                entry.replace("namespace: a", &format!("namespace: n{n}"))
            )
        })
        .collect();
    let (_, said) = seen(resources(&visibility, "", &entries));
    assert_eq!(said.iter().filter(|code| *code == "MR0253").count(), 1);
}

#[test]
fn r_m_216_what_comes_later_is_capped_too() {
    let visibility = "{applyToSidecars: true, defaultVisibility: NAMESPACE, \
        policies: [{visibility: PUBLIC, matchingRules: [{namespaceSelector: {matchLabels: {trusted: 'yes'}}}]}]}";
    let (mut live, _) = LiveRouter::new(resources(visibility, "", ""), Proxy::sidecar("b"));
    assert!(!sees(live.router()));
    for (labels, is_seen) in [("{trusted: 'yes'}", true), ("{}", false)] {
        let text =
            format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: a, labels: {labels}}}");
        let changed = Resources::from_yaml(&text).expect("valid");
        live.update(Changes::new().apply_all(changed))
            .expect("valid");
        assert_eq!(sees(live.router()), is_seen, "{labels}");
    }
    // From a namespace that had none.
    let text = SERVICE_ENTRY
        .replace("EXPORT", "")
        .replace("namespace: a", "namespace: c");
    let changed = Resources::from_yaml(&text).expect("valid");
    live.update(Changes::new().apply_all(changed))
        .expect("valid");
    assert!(!sees(live.router()));
}
