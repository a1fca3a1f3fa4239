//! The configuration of a proxy: of the mesh, of its workload, and its own (R-M-211, R-M-038, R-H-124, R-H-150, R-H-151).

use meshroute::decision::{Answer, Applied, UpstreamRequest};
use meshroute::terms::proxy_config::{GatewayTopology, ProxyConfig};
use meshroute::terms::request::Protocol;
use meshroute::{Mesh, Proxy, Request, Resources, Router};

const GATEWAY: &str = r#"
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["secure.test"], tls: {httpsRedirect: true}}
  - {port: {number: 8080, name: http2, protocol: HTTP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: istio-system}
spec:
  hosts: ["*"]
  gateways: [edge]
  http:
  - match: [{uri: {prefix: /moved}}]
    rewrite: {authority: inside.test, uri: /}
    timeout: 2s
    route: [{destination: {host: shop}}]
  - {route: [{destination: {host: shop}}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: istio-system}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}, {name: http2, port: 8080}]}
"#;

fn gateway() -> Proxy {
    Proxy::gateway("istio-system").label("istio", "ingressgateway")
}

/// With these settings of the mesh and these workloads.
fn mesh(config: &str, workloads: &str) -> Mesh {
    let resources = Resources::builder()
        .mesh_config("mesh.yaml", config)
        .yaml("all.yaml", format!("{GATEWAY}\n---\n{workloads}"));
    let (resources, report) = resources.build_lenient();
    assert!(!report.has_errors(), "{report}");
    Mesh::resolve(resources).unwrap_or_else(|report| panic!("{report}"))
}

fn with_default(config: &str) -> Router {
    let config = format!("defaultConfig: {config}");
    Router::compile(&mesh(&config, ""), &gateway())
}

fn upstream(router: &Router, request: &Request<'_>) -> UpstreamRequest {
    match router.decide(request, 0).apply(request) {
        Applied::Forward(upstream) => upstream,
        other => panic!("{other:?}"),
    }
}

fn answer(router: &Router, request: &Request<'_>) -> Answer {
    match router.decide(request, 0).apply(request) {
        Applied::Answer(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn sent(upstream: &UpstreamRequest, name: &str) -> Option<String> {
    let value = upstream.headers.get(name)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// What a request over plain text comes to whose client speaks of `https`: only who trusts a proxy before it believes it.
fn trusts(router: &Router) -> bool {
    let request = Request::get("http://secure.test/").header("x-forwarded-proto", "https");
    router.decide(&request, 0).outcome().name() == "cluster"
}

fn pod(annotation: &str) -> String {
    format!(
        "apiVersion: v1
kind: Pod
metadata:
  name: edge-1
  namespace: istio-system
  labels: {{istio: ingressgateway, app: edge}}
  annotations: {{proxy.istio.io/config: '{annotation}'}}
status: {{podIP: 10.1.0.1, phase: Running}}
"
    )
}

#[test]
fn r_m_211_the_pod_of_a_proxy_configures_it() {
    let mesh = mesh("{}", &pod("gatewayTopology: {numTrustedProxies: 1}"));
    let trusts = |proxy: &Proxy| trusts(&Router::compile(&mesh, proxy));
    assert!(trusts(&gateway()));
    let at = |address: &str| gateway().with_address(address.parse().unwrap());
    assert!(trusts(&at("10.1.0.1")));
    // Another pod with the same labels, and what it says for itself.
    assert!(!trusts(&at("10.1.0.2")));
    assert!(!trusts(&gateway().with_config(ProxyConfig::default())));
}

#[test]
fn r_m_211_the_deployment_of_a_proxy_configures_it() {
    let deployment = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  template:
    metadata:
      labels: {istio: ingressgateway}
      annotations:
        proxy.istio.io/config: |
          gatewayTopology:
            numTrustedProxies: 2
";
    assert!(trusts(&Router::compile(
        &mesh("{}", deployment),
        &gateway()
    )));
}

#[test]
fn r_m_211_a_message_takes_the_place_of_the_meshs() {
    let config = "defaultConfig: {gatewayTopology: {numTrustedProxies: 1}, proxyHeaders: {attemptCount: {disabled: true}}}";
    let without = Router::compile(&mesh(config, ""), &gateway());
    assert!(trusts(&without));
    let pod = pod("gatewayTopology: {forwardClientCertDetails: SANITIZE}");
    let with = Router::compile(&mesh(config, &pod), &gateway());
    assert!(!trusts(&with));
    let request = Request::get("http://a.test:8080/");
    let told = |router| sent(&upstream(router, &request), "x-envoy-attempt-count");
    assert_eq!((told(&without), told(&with)), (None, None));
}

#[test]
fn r_m_211_a_proxy_says_it_itself() {
    let mut topology = GatewayTopology::default();
    topology.trusted_proxies = 1;
    let mut config = ProxyConfig::default();
    config.gateway_topology = Some(topology);
    let proxy = gateway().with_config(config);
    assert!(trusts(&Router::compile(&mesh("{}", ""), &proxy)));
}

#[test]
fn r_m_211_what_is_wrong_with_it_is_told_where_it_stands() {
    let (_, report) = Resources::from_yaml_lenient(&pod("gatewayTopology: {numTrustedProxy: 1}"));
    let report = report.to_string();
    assert!(report.contains("`numTrustedProxy`"), "{report}");
    assert!(report.contains("Pod istio-system/edge-1"), "{report}");
    // No proxy comes of this: the pod is refused where the proxy is put beside it.
    let refused = Resources::from_yaml(&pod("gatewayTopology: {numTrustedProxies: many}"));
    assert!(refused.is_err_and(|report| report.has_errors()));
}

#[test]
fn r_m_038_an_unprivileged_gateway_leaves_low_ports_alone() {
    let router = with_default("{proxyMetadata: {ISTIO_META_UNPRIVILEGED_POD: 'true'}}");
    let outcome = |port| {
        let request = Request::get("/").authority("a.test").port(port);
        router.decide(&request, 0).outcome().name()
    };
    assert_eq!((outcome(80), outcome(8080)), ("no_listener", "cluster"));
}

#[test]
fn r_h_150_escaped_slashes() {
    let request = Request::get("http://a.test:8080/a%2Fb?q=%2F");
    let grpc = request.clone().header("content-type", "application/grpc");
    let with = |action: &str| {
        let settings = format!("httpPathWithEscapedSlashesAction: {action}");
        with_default(&format!("{{connectionSettings: {{{settings}}}}}"))
    };
    assert_eq!(
        upstream(&with("KEEP_UNCHANGED"), &request).path,
        "/a%2Fb?q=%2F"
    );
    assert_eq!(
        upstream(&with("UNESCAPE_AND_FORWARD"), &request).path,
        "/a/b?q=%2F"
    );
    assert_eq!(answer(&with("REJECT_REQUEST"), &request).status, 400);
    let redirects = with("UNESCAPE_AND_REDIRECT");
    let redirect = answer(&redirects, &request);
    assert_eq!(redirect.status, 307);
    let location = redirect.headers.get("location");
    assert_eq!(location, Some(&b"/a/b?q=%2F"[..]));
    assert_eq!(redirects.decide(&request, 0).outcome().name(), "redirect");
    // gRPC clients follow none.
    let refused = answer(&redirects, &grpc);
    assert_eq!(refused.headers.get("grpc-status"), Some(&b"13"[..]));
    // What is normalised otherwise is no reason to redirect.
    let dots = Request::get("http://a.test:8080/a/../b");
    assert_eq!(upstream(&redirects, &dots).path, "/b");
}

#[test]
fn r_h_150_slashes_and_normalization_are_switches_of_their_own() {
    let config = "{pathNormalization: {normalization: NONE}, defaultConfig: {connectionSettings: {httpMergeSlashes: true, httpPathWithEscapedSlashesAction: UNESCAPE_AND_FORWARD}}}";
    let router = Router::compile(&mesh(config, ""), &gateway());
    for (target, expected) in [
        ("/a//b/../c", "/a/b/../c"),
        ("/a%2f%2Fb", "/a/b"),
        ("/a%5Cb", "/a\\b"),
        ("/%2e%2e/c", "/%2e%2e/c"),
    ] {
        let request = Request::get("/")
            .target(target)
            .authority("a.test")
            .port(8080);
        assert_eq!(upstream(&router, &request).path, expected, "{target}");
    }
    let config = "{pathNormalization: {normalization: MERGE_SLASHES}, defaultConfig: {connectionSettings: {httpMergeSlashes: false}}}";
    let router = Router::compile(&mesh(config, ""), &gateway());
    assert_eq!(
        upstream(&router, &Request::get("http://a.test:8080/a//b")).path,
        "/a//b"
    );
}

#[test]
fn r_h_150_underscores() {
    let with = |action: &str| {
        let settings =
            format!("httpHeadersWithUnderscoresAction: HEADERS_WITH_UNDERSCORES_{action}");
        with_default(&format!("{{connectionSettings: {{{settings}}}}}"))
    };
    let request = Request::get("http://a.test:8080/").header("x_user", "jane");
    let kept = |action| sent(&upstream(&with(action), &request), "x_user");
    assert_eq!(kept("ALLOW").as_deref(), Some("jane"));
    assert_eq!(kept("DROP_HEADER"), None);
    let rejects = with("REJECT_REQUEST");
    let detail = |request: &Request<'_>| rejects.decide(request, 0).record().detail;
    assert_eq!(
        detail(&request).as_deref(),
        Some("http1.unexpected_underscore")
    );
    let http2 = request.clone().protocol(Protocol::Http2);
    assert_eq!(
        detail(&http2).as_deref(),
        Some("http2.unexpected_underscore")
    );
    assert_eq!(
        detail(&Request::get("http://a.test:8080/").header("x-user", "a_b")),
        None
    );
}

#[test]
fn r_h_150_the_edge_profile() {
    let router = with_default("{connectionSettings: {profile: EDGE}}");
    assert_eq!(
        answer(&router, &Request::get("http://a.test:8080/a%2fb")).status,
        307
    );
    assert_eq!(
        upstream(&router, &Request::get("http://a.test:8080/a//b")).path,
        "/a/b"
    );
}

#[test]
fn r_h_151_headers_that_a_proxy_adds() {
    let names = [
        "x-envoy-attempt-count",
        "x-envoy-expected-rq-timeout-ms",
        "x-envoy-original-path",
        "x-forwarded-host",
        "x-forwarded-port",
    ];
    let request = Request::get("http://a.test:8080/moved").header("x-forwarded-port", "1");
    let told = |config: &str| {
        let upstream = upstream(&with_default(config), &request);
        names.map(|name| sent(&upstream, name).unwrap_or_default())
    };
    assert_eq!(told("{}"), ["1", "2000", "/moved", "", "1"]);
    let others = "{proxyHeaders: {attemptCount: {disabled: true}, envoyDebugHeaders: {disabled: true}, xForwardedHost: {enabled: true}, xForwardedPort: {enabled: true}}}";
    assert_eq!(told(others), ["", "", "", "a.test:8080", "8080"]);
    let trusting = "{gatewayTopology: {numTrustedProxies: 1}, proxyHeaders: {xForwardedPort: {enabled: true}}}";
    assert_eq!(told(trusting)[4], "1");
}

#[test]
fn r_h_124_a_host_is_told_once() {
    let router = with_default("{proxyHeaders: {xForwardedHost: {enabled: true}}}");
    for (given, expected) in [
        ("b.test", "b.test,a.test:8080"),
        ("b.test,a.test:8080", "b.test,a.test:8080"),
    ] {
        let request = Request::get("http://a.test:8080/moved").header("x-forwarded-host", given);
        assert_eq!(
            sent(&upstream(&router, &request), "x-forwarded-host").as_deref(),
            Some(expected)
        );
    }
    // A rule that rewrites nothing tells nothing.
    let plain = upstream(&router, &Request::get("http://a.test:8080/"));
    assert_eq!(sent(&plain, "x-forwarded-host"), None);
}
