//! The hot path is pure: it allocates nothing, panics on nothing, and the same question has the same answer, whoever
//! watches (DESIGN section 5, invariants 1 and 7).

use meshroute::decision::{DecisionRecord, DestinationRecord};
use meshroute::{Connection, Destination, Mesh, Proxy, Request, Resources, Router};
use proptest::prelude::*;

const YAML: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: default}
spec: {clusterIP: 10.0.0.1, selector: {app: shop}, ports: [{name: http, port: 80}, {name: tcp-db, port: 5432}, {name: detected, port: 7777}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: default}
spec: {clusterIP: 10.0.0.2, selector: {app: cart}, ports: [{name: http, port: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop, namespace: default}
spec: {host: shop, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example.com"], tls: {httpsRedirect: true}}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*.example.com"], tls: {mode: SIMPLE, credentialName: c}}
  - {port: {number: 9443, name: tls, protocol: TLS}, hosts: ["db.example.com"], tls: {mode: PASSTHROUGH}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec:
  hosts: [shop, "*.example.com"]
  gateways: [mesh, edge]
  http:
  - name: headers
    match:
    - headers: {x-user: {regex: "j.*"}, x-team: {}}
      withoutHeaders: {x-robot: {}}
    - queryParams: {debug: {exact: "1"}}
    - {method: {exact: OPTIONS}, uri: {prefix: /cors}}
    route: [{destination: {host: shop, subset: v2}}]
    corsPolicy: {allowOrigins: [{prefix: "https://"}], allowMethods: [GET], maxAge: 1h}
    fault: {delay: {fixedDelay: 2s, percentage: {value: 50}}, abort: {httpStatus: 418, percentage: {value: 10}}}
  - name: regex
    match: [{uri: {regex: "/v[0-9]+/.*"}}, {uri: {exact: /EXACT}, ignoreUriCase: true}]
    redirect: {uri: /new, authority: other.example.com}
  - name: gone
    match: [{uri: {prefix: /gone}}]
    directResponse: {status: 410, body: {string: gone}}
  - name: split
    match: [{uri: {prefix: /s}}]
    route:
    - {destination: {host: shop, subset: v1}, weight: 10, headers: {request: {set: {x-v: "1"}}}}
    - {destination: {host: shop, subset: v2}, weight: 90}
    mirror: {host: cart}
    mirrorPercentage: {value: 30}
    rewrite: {uri: /}
  tls:
  - {match: [{port: 9443, sniHosts: [db.example.com]}], route: [{destination: {host: shop, port: {number: 5432}}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: default}
spec:
  hosts: [cart]
  http: [{route: [{destination: {host: cart}, weight: 1}, {destination: {host: shop}, weight: 3}]}]
"#;

fn router() -> Router {
    let resources = Resources::from_yaml(YAML).unwrap_or_else(|report| panic!("{report}"));
    let mesh = Mesh::resolve(resources).unwrap_or_else(|report| panic!("{report}"));
    Router::compile(&mesh, &Proxy::default())
}

/// Requests that take every turn of the walk.
fn requests() -> Vec<Request<'static>> {
    let long = "/x/../%20/%41/s%2F".repeat(40).leak();
    let longer = "/x/../%20/%41/s%2F".repeat(1_000).leak();
    vec![
        Request::get("http://shop/"),
        Request::get("http://shop/s/1?debug=2"),
        Request::get("http://shop.default.svc.cluster.local./v1/x"),
        Request::get("http://SHOP:8080/a/../exact"),
        Request::get("http://shop/gone"),
        Request::get("http://shop/none"),
        Request::get("http://shop/a#b"),
        Request::get("http://shop/a?debug=1&debug=2"),
        Request::get(long).authority("shop"),
        Request::get(longer).authority("shop"),
        Request::get("http://shop/s")
            .header("X-User", "jane")
            .header("x-team", "a")
            .header("x-team", "b"),
        Request::get("http://shop/s")
            .header("user-agent", "a")
            .header("user-agent", "b")
            .header("X-Robot", ""),
        Request::new("OPTIONS", "http://shop/cors")
            .header("origin", "https://a")
            .header("access-control-request-method", "GET"),
        Request::get("http://a.example.com/s"),
        Request::get("https://a.example.com/s"),
        Request::get("https://a.example.com/s").gateway("default/edge"),
        Request::get("https://db.example.com:9443/"),
        Request::get("http://a.example.com/s").gateway("nowhere"),
        Request::get("http://nobody.org/s"),
        Request::get("http://nobody.org:5432/").connection(Connection::to_port(5432)),
        Request::get("/no/host"),
        Request::get(""),
    ]
}

#[test]
fn deciding_allocates_nothing() {
    let router = router();
    for request in requests() {
        // Regex engines make their caches when they are first used.
        for entropy in 0..64 {
            let _ = router.decide(&request, entropy);
        }
        let info = allocation_counter::measure(|| {
            for entropy in 0..64_u64 {
                let word = entropy.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let decision = router.decide(&request, word);
                std::hint::black_box(decision.mirrors().count());
                // Kept, cloned, and the same again.
                let kept = decision.keep(&router).expect("its router").clone();
                std::hint::black_box(kept.decision().position());
                std::hint::black_box(decision.changes_response());
            }
        });
        assert_eq!(info.count_total, 0, "{request:?}");
    }
}

#[test]
fn a_kept_decision_is_small_and_goes_where_it_likes() {
    fn is_free<T: Clone + Send + Sync + 'static>() {}
    is_free::<meshroute::decision::Exchange>();
    assert!(size_of::<meshroute::decision::Exchange>() <= 128);
}

#[test]
fn a_decision_is_kept_by_the_router_that_made_it_only() {
    let (its, other) = (router(), router());
    let request = Request::get("http://shop.example.com/cart");
    let decision = its.decide(&request, 1);
    assert!(decision.keep(&its).is_some());
    assert!(decision.keep(&its.clone()).is_some());
    assert!(decision.keep(&other).is_none());
}

#[test]
fn deciding_a_connection_allocates_nothing() {
    let router = router();
    let database = Connection::to_port(9443).sni("db.example.com");
    let plain = Connection::to_port(80);
    let info = allocation_counter::measure(|| {
        std::hint::black_box(router.decide_connection(&database, 7));
        std::hint::black_box(router.decide_connection(&plain, 7));
    });
    assert_eq!(info.count_total, 0);
    let decision = router.decide_connection(&database, 7);
    let cluster = decision.cluster().map(|cluster| cluster.name());
    assert_eq!(
        cluster,
        Some("outbound|5432||shop.default.svc.cluster.local")
    );
}

#[test]
fn routing_allocates_nothing() {
    let router = router();
    let _ = router.route("cart", "mesh");
    let info = allocation_counter::measure(|| {
        for entropy in 0..64 {
            let _ = std::hint::black_box(router.route_with("cart", "mesh", entropy));
            let _ = std::hint::black_box(router.route("CART.default:80", "mesh"));
            let _ = std::hint::black_box(router.route("a.example.com", "edge"));
            let _ = std::hint::black_box(router.route("nobody.org", "mesh"));
            let _ = std::hint::black_box(router.route("nobody.org", "edge"));
            let _ = std::hint::black_box(router.route("cart", "nowhere"));
        }
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn the_generator_of_a_thread_reaches_every_destination() {
    let router = router();
    let to_cart = (0..4_000)
        .filter(|_| {
            router
                .route("cart", "mesh")
                .is_ok_and(|destination| destination.host().starts_with("cart"))
        })
        .count();
    // A quarter, give or take six standard deviations.
    assert!((836..1_164).contains(&to_cart), "{to_cart} of 4000");
}

#[test]
fn a_router_and_its_answers_travel() {
    fn travels<T: Send + Sync + 'static>() {}
    fn is_shared<T: Send + Sync>() {}
    travels::<Router>();
    travels::<DecisionRecord>();
    travels::<DestinationRecord>();
    is_shared::<meshroute::Decision<'_>>();
    is_shared::<Destination<'_>>();
    is_shared::<Request<'_>>();
}

#[test]
fn the_same_question_has_the_same_answer() {
    let (router, other) = (router(), router());
    for request in requests() {
        for entropy in [0, 1, u64::MAX, 0x5EED] {
            let owned = |router: &Router| router.decide(&request, entropy).observed(&request);
            assert_eq!(owned(&router), owned(&router.clone()));
            assert_eq!(owned(&router), owned(&other));
        }
    }
}

#[test]
fn explaining_decides_the_same() {
    let router = router();
    for request in requests() {
        for entropy in [0, 1, u64::MAX, 0x5EED] {
            let explanation = router.explain(&request, entropy);
            let decision = router.decide(&request, entropy);
            assert_eq!(explanation.decision().record(), decision.record());
            assert!(explanation.to_string().contains(&decision.to_string()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_that_a_client_sends_panics(
        method in "\\PC{0,8}",
        host in "(shop|cart|[a-c]\\.example\\.com|\\PC{0,12})(:\\PC{0,5})?",
        path in "(/|/s|/v1/|/gone|/cors)?[\\PC%./\\\\?#&=]{0,40}",
        headers in prop::collection::vec(("(x-user|x-team|host|origin|user-agent|\\PC{0,6})", prop::collection::vec(any::<u8>(), 0..12)), 0..6),
        sni in prop::option::of("\\PC{0,12}"),
        port in prop_oneof![Just(80_u16), Just(443), Just(9443), any::<u16>()],
        gateway in prop::option::of(prop_oneof![Just("mesh".to_owned()), Just("edge".to_owned()), "\\PC{0,6}"]),
        entropy in any::<u64>(),
    ) {
        thread_local!(static ROUTER: Router = router());
        let mut connection = Connection::to_port(port);
        if let Some(sni) = &sni {
            connection = connection.sni(sni);
        }
        if let Some(gateway) = &gateway {
            connection = connection.gateway(gateway);
        }
        let mut request = Request::new(&method, &path).authority(&host).connection(connection.clone());
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        ROUTER.with(|router| {
            let decision = router.decide(&request, entropy);
            prop_assert_eq!(router.explain(&request, entropy).decision().record(), decision.record());
            let _ = decision.observed(&request);
            let _ = router.decide_connection(&connection, entropy);
            let _ = router.route_with(&host, gateway.as_deref().unwrap_or("mesh"), entropy);
            Ok(())
        })?;
    }
}
