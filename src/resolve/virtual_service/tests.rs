//! What VirtualServices become, from YAML to the mesh.

use crate::diagnostic::{Code, Report};
use crate::mesh::Mesh;
use crate::mesh::virtual_service::{HttpAction, HttpRoute, VirtualService};
use crate::resolve::Options;
use crate::resource::Resources;
use crate::terms::condition::{Condition, HeaderMatch, PathMatch, QueryMatch, ValueMatch};
use crate::terms::route_policy::{PathRewrite, RedirectPort, RetryPolicy};

pub(super) fn resolve(text: &str) -> (Mesh, Report) {
    Mesh::resolve_lenient(Resources::from_yaml(text).unwrap())
}

/// The one VirtualService of a text that has nothing wrong with it.
fn only(text: &str) -> VirtualService {
    let (mesh, report) = resolve(text);
    assert!(!report.has_errors(), "{report}");
    let [only] = &mesh.inner.virtual_services[..] else {
        panic!("not one VirtualService: {mesh:?}");
    };
    VirtualService::clone(only)
}

/// One VirtualService in namespace `shop` with these rules.
fn with_rules(http: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: a, namespace: shop}}\n\
         spec:\n  hosts: [cart]\n  gateways: [edge]\n  http:\n{http}"
    )
}

fn rule(http: &str) -> HttpRoute {
    only(&with_rules(http)).http.remove(0)
}

pub(super) fn codes(report: &Report) -> Vec<Code> {
    report.iter().map(|diagnostic| diagnostic.code()).collect()
}

#[test]
fn r_h_008_r_h_009_names_are_completed_with_the_own_namespace() {
    let service = only(
        "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: shop}
spec:
  hosts: [cart, cart.other, cart.example.com]
  gateways: [edge, infra/edge, mesh, old.infra.svc.cluster.local]
  http:
  - route: [{destination: {host: Cart, subset: v1, port: {number: 8080}}}]
    mirror: {host: shadow}
",
    );
    let hosts: Vec<&str> = service.hosts.iter().map(|host| &**host).collect();
    assert_eq!(
        hosts,
        [
            "cart.shop.svc.cluster.local",
            "cart.other",
            "cart.example.com"
        ]
    );
    let gateways: Vec<String> = service
        .gateways
        .iter()
        .map(|name| name.to_string())
        .collect();
    assert_eq!(gateways, ["shop/edge", "infra/edge", "mesh", "infra/old"]);
    let HttpAction::Route(route) = &service.http[0].action else {
        panic!("{service:?}");
    };
    assert_eq!(&*route[0].destination.host, "Cart.shop.svc.cluster.local");
    assert_eq!(route[0].destination.subset.as_deref(), Some("v1"));
    assert_eq!(route[0].destination.port, Some(8080));
    let mirror = &service.http[0].mirrors[0].destination;
    assert_eq!(&*mirror.host, "shadow.shop.svc.cluster.local");
}

#[test]
fn cluster_domain_is_an_option() {
    let text = with_rules("  - route: [{destination: {host: b}}]");
    let options = Options::default().with_cluster_domain("");
    let (mesh, _) = Mesh::resolve_with(Resources::from_yaml(&text).unwrap(), &options);
    assert_eq!(&*mesh.inner.virtual_services[0].hosts[0], "cart.shop");
}

#[test]
fn r_h_010_no_gateways_means_mesh() {
    let service = only(
        "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec:
  hosts: [cart]
  http: [{route: [{destination: {host: cart}}]}]
",
    );
    assert_eq!(service.gateways.len(), 1);
    assert!(service.is_in_mesh());
}

#[test]
fn r_h_089_r_h_094_presence_and_any_path() {
    let rule = rule(
        "  - match:\n    - uri: {}\n      method: {}\n      headers: {Host: {exact: a}, X-A: {}}\n      \
         withoutHeaders: {x-b: {regex: '*'}, x-c: null}\n      queryParams: {Q: null}\n    \
         route: [{destination: {host: b}}]",
    );
    let request = &rule.matches[0].request;
    assert_eq!(request.path, PathMatch::any());
    let header = |name: &str, test, invert| {
        Condition::Header(HeaderMatch {
            name: name.into(),
            test,
            invert,
        })
    };
    for expected in [
        header(":method", ValueMatch::Present, false),
        header(":authority", ValueMatch::Exact("a".into()), false),
        header("x-a", ValueMatch::Present, false),
        header("x-b", ValueMatch::Present, true),
        header("x-c", ValueMatch::Present, true),
        Condition::Query(QueryMatch {
            key: "Q".into(),
            test: ValueMatch::Present,
        }),
    ] {
        assert!(request.conditions.contains(&expected), "{request:?}");
    }
    assert_eq!(request.conditions.len(), 6);
    assert!(!request.is_catch_all());
}

#[test]
fn r_h_005_a_null_match_asks_nothing() {
    let rule = rule("  - match: [null]\n    route: [{destination: {host: b}}]");
    assert!(rule.matches[0].request.is_catch_all());
}

#[test]
fn r_h_133_r_h_136_redirects() {
    let of = |redirect: &str| match rule(&format!("  - redirect: {redirect}")).action {
        HttpAction::Redirect(redirect) => redirect,
        other => panic!("{other:?}"),
    };
    let plain = of("{uri: /n}");
    assert_eq!((plain.status, plain.uri.as_deref()), (301, Some("/n")));
    assert_eq!(plain.port, RedirectPort::None);
    assert_eq!(of("{port: 8080}").port, RedirectPort::Port(8080));
    let derived = of("{derivePort: FROM_REQUEST_PORT, redirectCode: 308}");
    assert_eq!(
        (derived.port, derived.status),
        (RedirectPort::FromRequestPort, 308)
    );

    let (_, report) = resolve(&with_rules("  - redirect: {uri: /n, redirectCode: 304}"));
    assert_eq!(codes(&report), [Code::REFUSED_BY_ENVOY]);
}

#[test]
fn r_h_118_r_h_119_header_changes() {
    let rule = rule(
        "  - route: [{destination: {host: b}}]\n    headers:\n      request: {set: {X-B: b, x-a: '100%%', \
         ':authority': c.d, x-empty: ''}, add: {x-n: '%REQ(x)%'}, remove: [X-R]}\n      response: {remove: [x-s]}",
    );
    let headers = rule.headers.unwrap();
    let names: Vec<&str> = headers
        .request
        .set
        .iter()
        .map(|(name, _)| &**name)
        .collect();
    assert_eq!(names, ["x-b", "x-a"]);
    assert_eq!(headers.authority.as_deref(), Some("c.d"));
    assert_eq!(&*headers.request.remove[0], "x-r");
    assert_eq!(&*headers.response.remove[0], "x-s");
    assert_eq!(&*headers.request.add[0].0, "x-n");
}

#[test]
fn r_h_142_mirrors_in_order_without_those_of_share_zero() {
    let shares = |http: &str| -> Vec<u32> {
        let rule = rule(&format!(
            "  - route: [{{destination: {{host: b}}}}]\n{http}"
        ));
        let share =
            |mirror: &crate::mesh::virtual_service::MirrorRef| mirror.percentage.numerator();
        rule.mirrors.iter().map(share).collect()
    };
    assert_eq!(shares("    mirror: {host: m}"), [1_000_000]);
    assert_eq!(
        shares("    mirror: {host: m}\n    mirrorPercentage: {value: 0.57}"),
        [5_699]
    );
    assert!(shares("    mirror: {host: m}\n    mirrorPercentage: {value: 0}").is_empty());
    assert_eq!(
        shares("    mirror: {host: m}\n    mirrorPercent: 30\n    mirrorPercentage: {value: 50}"),
        [500_000]
    );
    assert_eq!(
        shares("    mirror: {host: m}\n    mirrorPercent: 30"),
        [300_000]
    );
    assert_eq!(
        shares(
            "    mirrors: [{destination: {host: m}}, {destination: {host: n}, percentage: {value: 0}}]"
        ),
        [1_000_000]
    );
}

#[test]
fn r_h_144_r_h_146_r_h_148_policies() {
    let default = rule("  - route: [{destination: {host: b}}]").policy;
    assert_eq!(default.retries, Some(RetryPolicy::default()));
    assert_eq!(default.timeout, None);

    let rule = rule(
        "  - route: [{destination: {host: b}}]\n    timeout: 1.5s\n    retries: {attempts: 0}\n    \
         fault: {delay: {fixedDelay: 2s}, abort: {grpcStatus: NOT_FOUND, percentage: {value: 10}}}\n    \
         corsPolicy: {allowOrigin: [a], maxAge: 60s, unmatchedPreflights: IGNORE}\n    \
         rewrite: {uriRegexRewrite: {match: '/a(.*)', rewrite: '\\1'}, authority: x}",
    );
    let policy = rule.policy;
    assert_eq!(policy.timeout.unwrap().as_millis(), 1500);
    assert_eq!(policy.retries, None);
    assert_eq!(
        policy.fault_delay.as_ref().unwrap().percentage.numerator(),
        0
    );
    assert_eq!(
        policy.fault_abort.as_ref().unwrap().percentage.numerator(),
        100_000
    );
    let cors = policy.cors.as_ref().unwrap();
    assert_eq!(*cors.allow_origins, [ValueMatch::Exact("a".into())]);
    assert!(!cors.forward_unmatched_preflights);
    assert!(matches!(policy.rewrite.path, Some(PathRewrite::Regex(_))));
    assert_eq!(policy.rewrite.authority.as_deref(), Some("x"));
}

#[test]
fn r_h_146_a_hashed_destination_keeps_to_its_hosts_unless_the_rule_says_otherwise() {
    let avoids = |retries: &str| {
        let policy = rule(&format!(
            "  - route: [{{destination: {{host: b}}}}]\n{retries}"
        ))
        .policy;
        let retries = policy.for_hashed_destination().retries.clone();
        retries.unwrap().avoid_previous_hosts
    };
    assert!(!avoids(""));
    assert!(!avoids("    retries: {attempts: 3}"));
    assert!(avoids(
        "    retries: {attempts: 3, retryIgnorePreviousHosts: true}"
    ));
}

#[test]
fn settings_that_do_nothing_are_warned_of() {
    let fields = |http: &str| -> Vec<String> {
        let (_, report) = resolve(&with_rules(http));
        assert!(!report.has_errors(), "{report}");
        let field = |d: &crate::diagnostic::Diagnostic| d.field().unwrap().to_string();
        report.iter().map(field).collect()
    };
    assert_eq!(
        fields("  - redirect: {uri: /n}\n    timeout: 1s\n    corsPolicy: {}"),
        ["spec.http[0].timeout", "spec.http[0].corsPolicy"]
    );
    assert_eq!(
        fields("  - route: [{destination: {host: b}}]\n    mirrorPercentage: {value: 1}"),
        ["spec.http[0]"]
    );
    assert_eq!(
        fields("  - route: [{destination: {host: b}}]\n    match: [{statPrefix: s}]"),
        ["spec.http[0].match[0].statPrefix"]
    );
}

#[test]
fn r_m_146_annotations_that_admission_refuses() {
    let text = with_rules("  - route: [{destination: {host: b}}]").replace(
        "namespace: shop}",
        "namespace: shop, annotations: {istio.io/dry-run: 'true'}}",
    );
    let (mesh, report) = resolve(&text);
    assert_eq!(codes(&report), [Code::INVALID_ANNOTATION]);
    assert!(mesh.inner.virtual_services.is_empty());
}

#[test]
fn r_m_167_rules_that_are_never_used() {
    let warnings = |http: &str| -> Vec<String> {
        let (_, report) = resolve(&with_rules(http));
        let text =
            |d: &crate::diagnostic::Diagnostic| format!("{} {}", d.code(), d.field().unwrap());
        report.warnings().map(text).collect()
    };
    let route = "    route: [{destination: {host: b}}]\n";
    let rules = |matches: &[&str]| -> String {
        let rule = |text: &&str| match *text {
            "" => format!("  -\n{route}"),
            one => format!("  - match: [{one}]\n{route}"),
        };
        matches.iter().map(rule).collect()
    };
    let unused = Code::UNUSED_RULE.id();
    let covered = Code::UNUSED_MATCH.id();
    assert_eq!(
        warnings(&rules(&["", ""])),
        [format!("{unused} spec.http[1]")]
    );
    assert_eq!(
        warnings(&rules(&[
            "{uri: {exact: /a}}",
            "{uri: {exact: /a}, name: other}"
        ])),
        [
            format!("{covered} spec.http[1].match[0]"),
            format!("{unused} spec.http[1]")
        ]
    );
    assert_eq!(
        warnings(&rules(&[
            "{uri: {prefix: /a}}",
            "{uri: {prefix: /a/b}, method: {exact: GET}}"
        ])),
        [format!("{covered} spec.http[1].match[0]")]
    );
    assert_eq!(
        warnings(&rules(&[
            "{uri: {prefix: /a}}",
            "{uri: {prefix: /a/b}, port: 80}"
        ])),
        [format!("{covered} spec.http[1].match[0]")]
    );
    assert!(warnings(&rules(&["{uri: {prefix: /a/b}}", "{uri: {prefix: /a}}"])).is_empty());
}

#[test]
fn errors_say_where_and_what_to_do() {
    let (_, report) = resolve(&with_rules(
        "  - route: [{destination: {host: b}, weight: 0}, {destination: {host: '*'}}]\n    timeout: 0s",
    ));
    let places: Vec<(u32, String)> = report
        .errors()
        .map(|d| (d.location().unwrap().line, d.field().unwrap().to_string()))
        .collect();
    assert_eq!(
        places,
        [
            (8, "spec.http[0].route".to_owned()),
            (8, "spec.http[0].route[1].destination.host".to_owned()),
            (9, "spec.http[0].timeout".to_owned()),
        ]
    );
}

#[test]
fn rules_alike_share_policy_and_match() {
    let service = only(&with_rules(
        "  - match: [{port: 80}]\n    route: [{destination: {host: b}}]\n  - route: [{destination: {host: b}}]\n    match: [{port: 81}]",
    ));
    let [first, second] = &service.http[..] else {
        panic!("{service:?}");
    };
    assert!(std::sync::Arc::ptr_eq(&first.policy, &second.policy));
    assert!(std::sync::Arc::ptr_eq(
        &first.matches[0].request,
        &second.matches[0].request
    ));
}
