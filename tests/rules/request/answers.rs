//! Answers of the proxy itself: redirects, direct responses, faults, CORS, gRPC (R-H-133..R-H-139, R-H-144, R-H-148).

use meshroute::terms::header_list::HeaderList;
use meshroute::{Mesh, Proxy, Request, Resources, Router};

use super::{answer, gateway, get, text};

fn location(redirect: &str, asked: &str, request: &Request<'_>) -> String {
    let router = gateway(&format!(
        "  - match: [{asked}]\n    redirect: {{{redirect}}}"
    ));
    let answer = answer(&router, request);
    text(answer.headers.get("location")).unwrap_or_default()
}

#[test]
fn r_h_134_and_135_scheme_and_host() {
    let any = "{uri: {prefix: /}}";
    let sent = |authority| Request::get("/a?b").authority(authority);
    for (redirect, authority, expected) in [
        ("uri: /n", "A.com:8080", "http://A.com:8080/n?b"),
        (
            "authority: 'new.com:8443'",
            "a.com",
            "http://new.com:8443/a?b",
        ),
        ("scheme: https", "a.com:80", "https://a.com/a?b"),
        ("scheme: https", "a.com:8080", "https://a.com:8080/a?b"),
        ("scheme: http", "a.com:80", "http://a.com:80/a?b"),
        ("port: 8443", "a.com:80", "http://a.com:8443/a?b"),
        ("port: 8443", "[::1]:80", "http://[::1]:8443/a?b"),
        ("scheme: https, uri: /", "[::1]:80", "https://[::1]/?b"),
    ] {
        assert_eq!(
            location(redirect, any, &sent(authority)),
            expected,
            "{redirect}"
        );
    }
}

#[test]
fn r_h_136_port() {
    let any = "{uri: {prefix: /}}";
    for (redirect, expected) in [
        ("port: 80", "http://a.example.com/"),
        ("port: 443, scheme: https", "https://a.example.com/"),
        ("port: 80, scheme: https", "https://a.example.com:80/"),
        ("port: 8080, authority: b.com", "http://b.com:8080/"),
        (
            "derivePort: FROM_PROTOCOL_DEFAULT, uri: /",
            "http://a.example.com/",
        ),
    ] {
        assert_eq!(location(redirect, any, &get("/")), expected, "{redirect}");
    }
}

#[test]
fn r_h_137_path() {
    for (redirect, asked, target, expected) in [
        ("uri: /n", "{uri: {prefix: /}}", "/o?q=1", "/n?q=1"),
        ("uri: '/n?z=2'", "{uri: {prefix: /}}", "/o?q=1", "/n?z=2"),
        ("uri: n", "{uri: {prefix: /}}", "/o", "/n"),
        (
            "authority: a.example.com",
            "{uri: {prefix: /}}",
            "/x/../o?q",
            "/o?q",
        ),
    ] {
        let expected = format!("http://a.example.com{expected}");
        assert_eq!(
            location(redirect, asked, &get(target)),
            expected,
            "{redirect}"
        );
    }
}

#[test]
fn r_h_133_status() {
    for (code, expected) in [("", 301), (", redirectCode: 307", 307)] {
        let router = gateway(&format!("  - redirect: {{uri: /n{code}}}"));
        assert_eq!(answer(&router, &get("/")).status, expected);
    }
}

#[test]
fn r_h_138_redirects_know_no_cors() {
    let router = gateway("  - redirect: {uri: /n}\n    corsPolicy: {allowOrigins: [{exact: '*'}]}");
    let request = get("/").header("origin", "https://a.com");
    assert!(
        !answer(&router, &request)
            .headers
            .contains("access-control-allow-origin")
    );
}

#[test]
fn r_h_139_direct_responses() {
    let direct = |response: &str, rest: &str| {
        gateway(&format!("  - directResponse: {{{response}}}\n{rest}"))
    };
    let plain = answer(&direct("status: 503, body: {string: gone}", ""), &get("/"));
    assert_eq!((plain.status, &plain.body[..]), (503, &b"gone"[..]));
    assert_eq!(
        text(plain.headers.get("content-type")).as_deref(),
        Some("text/plain")
    );

    let typed = "    headers: {response: {set: {content-type: application/json}}}";
    let typed = answer(
        &direct("status: 200, body: {string: '{}'}", typed),
        &get("/"),
    );
    assert_eq!(
        text(typed.headers.get("content-type")).as_deref(),
        Some("application/json")
    );

    let empty = answer(&direct("status: 204", ""), &get("/"));
    assert!(empty.headers.is_empty() && empty.body.is_empty());

    let created = answer(&direct("status: 201", ""), &get("/a?b"));
    assert_eq!(
        text(created.headers.get("location")).as_deref(),
        Some("http://a.example.com/a?b")
    );

    let head = Request::new("HEAD", "/").authority("a.example.com");
    let head = answer(&direct("status: 200, body: {string: ok}", ""), &head);
    assert!(head.body.is_empty() && head.headers.contains("content-type"));
}

#[test]
fn r_h_139_grpc_clients_get_200_and_a_grpc_status() {
    let router = gateway("  - directResponse: {status: 503, body: {string: 'no 100%'}}");
    let request = get("/").header("content-type", "application/grpc+proto");
    let grpc = answer(&router, &request);
    assert_eq!(grpc.status, 200);
    assert_eq!(text(grpc.headers.get("grpc-status")).as_deref(), Some("14"));
    assert_eq!(
        text(grpc.headers.get("grpc-message")).as_deref(),
        Some("no 100%25")
    );
    assert!(grpc.body.is_empty());
    let other = get("/").header("content-type", "application/grpc-web");
    assert_eq!(answer(&router, &other).status, 503);
}

#[test]
fn r_h_144_aborts_carry_the_response_headers_of_the_route() {
    // Recorded: mixed-1100017 c10.
    let router = gateway(
        "  - route: [{destination: {host: cart}, headers: {response: {set: {x-a: dest}}}}]\n    headers: {response: {add: {x-b: route}}}\n    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}",
    );
    let aborted = answer(&router, &get("/"));
    assert_eq!(
        (aborted.status, &aborted.body[..]),
        (418, &b"fault filter abort"[..])
    );
    assert_eq!(text(aborted.headers.get("x-a")).as_deref(), Some("dest"));
    assert_eq!(text(aborted.headers.get("x-b")).as_deref(), Some("route"));
}

#[test]
fn r_h_144_grpc_aborts() {
    let router = gateway(
        "  - route: [{destination: {host: cart}}]\n    fault: {abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}}",
    );
    let plain = answer(&router, &get("/"));
    assert_eq!(
        (plain.status, &plain.body[..]),
        (200, &b"fault filter abort"[..])
    );
    let grpc = answer(
        &router,
        &get("/").header("content-type", "application/grpc"),
    );
    assert_eq!(grpc.status, 200);
    assert_eq!(text(grpc.headers.get("grpc-status")).as_deref(), Some("14"));
}

fn cors(policy: &str) -> String {
    format!("  - route: [{{destination: {{host: cart}}}}]\n    corsPolicy: {{{policy}}}")
}

fn preflight(origin: &'static str) -> Request<'static> {
    Request::new("OPTIONS", "/")
        .authority("a.example.com")
        .header("origin", origin)
        .header("access-control-request-method", "PUT")
}

#[test]
fn r_h_148_preflight() {
    let router = gateway(&cors(
        "allowOrigins: [{exact: 'https://a.com'}], allowMethods: [GET, PUT], allowHeaders: [x-a, x-b], exposeHeaders: [x-c], maxAge: 90s, allowCredentials: true",
    ));
    let answer = answer(&router, &preflight("https://a.com"));
    let header = |name| text(answer.headers.get(name)).unwrap_or_default();
    assert_eq!(answer.status, 200);
    assert_eq!(header("access-control-allow-origin"), "https://a.com");
    assert_eq!(header("access-control-allow-credentials"), "true");
    assert_eq!(header("access-control-allow-methods"), "GET,PUT");
    assert_eq!(header("access-control-allow-headers"), "x-a,x-b");
    assert_eq!(header("access-control-max-age"), "90");
    // Another origin is forwarded, as Istio's default is; a request that is no preflight too.
    let outcome = |request: &Request<'_>| router.decide(request, 0).outcome().name();
    assert_eq!(outcome(&preflight("https://b.com")), "cluster");
    let options = Request::new("OPTIONS", "/")
        .authority("a")
        .header("origin", "https://a.com");
    assert_eq!(outcome(&options), "cluster");
}

#[test]
fn r_h_148_unmatched_preflights_can_be_answered_without_an_origin() {
    let router = gateway(&cors(
        "allowOrigins: [{exact: 'https://a.com'}], allowMethods: [GET], unmatchedPreflights: IGNORE",
    ));
    let answer = answer(&router, &preflight("https://b.com"));
    assert_eq!(answer.status, 200);
    assert!(!answer.headers.contains("access-control-allow-origin"));
}

#[test]
fn r_h_148_a_star_answers_with_what_is_asked_for() {
    let router = gateway(&cors(
        "allowOrigins: [{exact: '*'}], allowMethods: ['*'], allowHeaders: ['*']",
    ));
    let asked = preflight("https://b.com").header("access-control-request-headers", "x-a");
    for (request, headers) in [(preflight("https://b.com"), ""), (asked, "x-a")] {
        let answer = answer(&router, &request);
        let header = |name| text(answer.headers.get(name));
        assert_eq!(
            header("access-control-allow-methods").as_deref(),
            Some("PUT")
        );
        assert_eq!(
            header("access-control-allow-headers").as_deref(),
            Some(headers)
        );
    }
}

#[test]
fn r_h_148_headers_without_a_value_ask_for_nothing() {
    let router = gateway(&cors(
        "allowOrigins: [{exact: '*'}], unmatchedPreflights: IGNORE",
    ));
    let without_method = Request::new("OPTIONS", "/")
        .authority("a.example.com")
        .header("origin", "https://a.com")
        .header("access-control-request-method", "");
    for request in [preflight(""), without_method] {
        assert_eq!(router.decide(&request, 0).outcome().name(), "cluster");
    }
}

#[test]
fn r_h_148_simple_requests_and_origins() {
    let allowed = |origins: &str, origin: &'static str| {
        let router = gateway(&cors(&format!(
            "allowOrigins: [{origins}], exposeHeaders: [x-c]"
        )));
        let request = get("/").header("origin", origin);
        let mut response = HeaderList::new();
        router
            .decide(&request, 0)
            .apply_to_response(&request, 200, &mut response);
        assert_eq!(
            response.contains("access-control-expose-headers"),
            response.contains("access-control-allow-origin")
        );
        text(response.get("access-control-allow-origin"))
    };
    assert_eq!(
        allowed("{exact: '*'}", "https://a").as_deref(),
        Some("https://a")
    );
    assert_eq!(
        allowed("{regex: '.*'}", "https://a").as_deref(),
        Some("https://a")
    );
    assert_eq!(
        allowed("{prefix: 'https://'}", "https://a").as_deref(),
        Some("https://a")
    );
    assert_eq!(allowed("{prefix: 'https://'}", "http://a"), None);
    assert_eq!(allowed("{exact: '*'}", ""), None);
}

#[test]
fn r_h_149_a_fault_comes_before_cors() {
    let router = gateway(&format!(
        "{}\n    fault: {{abort: {{httpStatus: 418, percentage: {{value: 100}}}}}}",
        cors("allowOrigins: [{exact: '*'}]")
    ));
    let answer = answer(&router, &preflight("https://a.com"));
    assert_eq!(answer.status, 418);
    assert!(!answer.headers.contains("access-control-allow-origin"));
}

#[test]
fn r_b_03_a_hash_policy_gives_a_cookie_to_who_has_none() {
    let router = |cookie: &str| {
        let yaml = format!(
            "
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: default}}
spec: {{ports: [{{name: http, port: 80}}]}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: web, namespace: default}}
spec:
  host: web
  trafficPolicy: {{loadBalancer: {{consistentHash: {{httpCookie: {{{cookie}}}}}}}}}
"
        );
        let resources = Resources::from_yaml(&yaml).expect("readable");
        let mesh = Mesh::resolve(resources).expect("valid");
        Router::compile(&mesh, &Proxy::sidecar("default"))
    };
    let set_cookie = |cookie: &str, sent: &str| {
        let router = router(cookie);
        let request = Request::get("http://web/").header("cookie", sent);
        let decision = router.decide(&request, 7);
        let mut response = HeaderList::new();
        decision.apply_to_response(&request, 200, &mut response);
        let line = text(response.get("set-cookie"));
        line.map(|line| line.replace(&format!("{:016x}", decision.generated_cookie()), "*"))
    };
    let minute = "name: sess, path: /p, ttl: 60s";
    let written = Some("sess=\"*\"; Max-Age=60; Path=/p; HttpOnly".to_owned());
    assert_eq!(set_cookie(minute, "other=1"), written);
    assert_eq!(set_cookie(minute, "sess="), written);
    assert_eq!(set_cookie(minute, "other=1; sess=a"), None);
    let session = Some("sess=\"*\"; HttpOnly".to_owned());
    assert_eq!(set_cookie("name: sess, ttl: 0s", ""), session);
    assert_eq!(set_cookie("name: sess", ""), None);
}
