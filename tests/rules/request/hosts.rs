//! Refusals, virtual hosts and https redirects (R-H-001, R-H-007, R-H-065, R-H-070..R-H-080).

use meshroute::terms::request::Protocol;
use meshroute::{Connection, Request};

use super::{answer, compile, gateway, get, upstream};

const SHOP: &str = "  - route: [{destination: {host: shop}}]";

#[test]
fn r_h_001_a_virtual_host_without_a_rule_is_404() {
    let router = compile(
        r#"
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: wide, namespace: default}
spec: {hosts: ["*"], gateways: [edge], http: [{route: [{destination: {host: shop}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: narrow, namespace: default}
spec: {hosts: [a.example.com], gateways: [edge], http: [{match: [{uri: {prefix: /a}}], route: [{destination: {host: cart}}]}]}
"#,
    );
    let decision = |url| router.decide(&Request::get(url), 0).record();
    assert_eq!(decision("http://a.example.com/b").outcome, "no_route");
    assert_eq!(decision("http://a.example.com/b").status, Some(404));
    assert_eq!(decision("http://b.example.com/b").outcome, "cluster");
    // R-H-076, R-H-077: port and case do not matter; R-H-080: a trailing dot does.
    let narrow = decision("http://A.Example.com:80/a");
    assert_eq!(narrow.virtual_host.as_deref(), Some("a.example.com:80"));
    let dotted = decision("http://a.example.com./a");
    assert_eq!(dotted.virtual_host.as_deref(), Some("*:80"));
}

#[test]
fn r_h_067_hosts_with_the_same_rules_are_one_virtual_host_as_far_as_the_redirect_is_the_same() {
    let router = compile(
        r#"
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  servers:
  - {port: {number: 80, name: a, protocol: HTTP}, hosts: ["*.com", deep.a.test], tls: {httpsRedirect: true}}
  - {port: {number: 80, name: b, protocol: HTTP}, hosts: [a.com, long.a.com, "*.org", "*"]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec: {hosts: ["*"], gateways: [edge], http: [{route: [{destination: {host: shop}}]}]}
"#,
    );
    let host = |name: &str| {
        let request = Request::get("/").authority(name);
        let request = request.header("x-forwarded-proto", "https");
        let record = router.decide(&request, 0).record();
        record.virtual_host.unwrap_or_default()
    };
    // `*.com` redirects, and stands between `a.com` and `*.org`.
    for (name, expected) in [
        ("long.a.com", "long.a.com:80"),
        ("a.com", "long.a.com:80"),
        ("x.org", "*.org:80"),
        ("x.net", "*.org:80"),
    ] {
        assert_eq!(host(name), expected, "{name}");
    }
}

#[test]
fn a_named_gateway_listens_on_its_own_ports_only() {
    let router = compile(
        r#"
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: a, namespace: default}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: b, namespace: default}
spec: {servers: [{port: {number: 81, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec: {hosts: ["*"], gateways: [a, b], http: [{route: [{destination: {host: shop}}]}]}
"#,
    );
    let outcome = |gateway, port| {
        let connection = Connection::to_port(port).gateway(gateway);
        let request = Request::get("/").authority("x.com").connection(connection);
        router.decide(&request, 0).record().outcome
    };
    assert_eq!(outcome("a", 80), "cluster");
    assert_eq!(outcome("b", 81), "cluster");
    assert_eq!(outcome("b", 80), "no_listener");
    assert_eq!(outcome("a", 81), "no_listener");
    assert_eq!(outcome("nobody", 80), "no_listener");
}

#[test]
fn r_h_007_a_missing_cluster_is_503_and_final() {
    let router = gateway(&format!(
        "  - match: [{{uri: {{prefix: /a}}}}]\n    route: [{{destination: {{host: missing}}}}]\n    headers: {{response: {{set: {{x: a}}}}}}\n{SHOP}"
    ));
    let decision = router.decide(&get("/a"), 0);
    assert_eq!(decision.outcome().name(), "no_such_cluster");
    let answer = answer(&router, &get("/a"));
    assert_eq!(answer.status, 503);
    // The route's changes are made all the same (R-H-159).
    assert_eq!(answer.headers.get("x"), Some(&b"a"[..]));
}

#[test]
fn r_h_071_the_normal_path_is_matched_and_forwarded() {
    let router =
        gateway("  - match: [{uri: {exact: /b}}]\n    route: [{destination: {host: shop}}]");
    assert_eq!(
        upstream(&router, &get("/a/../%62?c=/../d")).path,
        "/b?c=/../d"
    );
}

#[test]
fn r_h_072_and_073_refusals() {
    let router = gateway(SHOP);
    let status = |request: &Request<'_>| router.decide(request, 0).status();
    assert_eq!(status(&get("/a#b")), Some(400));
    assert_eq!(status(&get("/a%00")), Some(400));
    assert_eq!(status(&Request::get("/a")), Some(400));
    assert_eq!(status(&get("")), Some(400));
    assert_eq!(status(&get("a")), Some(400));
    assert_eq!(
        status(&get("http://a.example.com").target("http://a.example.com?x")),
        Some(404)
    );
    assert_eq!(status(&get("/")), None);
}

#[test]
fn r_h_074_host_is_forwarded_as_it_was_sent() {
    let router = gateway(SHOP);
    let request = Request::get("/").authority("A.example.com:8080");
    assert_eq!(upstream(&router, &request).authority, "A.example.com:8080");
}

#[test]
fn r_h_065_https_redirect_comes_before_the_rules() {
    let router = compile(
        r#"
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"], tls: {httpsRedirect: true}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs, namespace: default}
spec: {hosts: ["*"], gateways: [edge], http: [{route: [{destination: {host: shop}}]}]}
"#,
    );
    // What the client says of its own connection does not count at a gateway.
    let request = Request::get("/x/../a?b")
        .authority("a.example.com:80")
        .header("x-forwarded-proto", "https");
    let answer = answer(&router, &request);
    assert_eq!(answer.status, 301);
    let location = super::text(answer.headers.get("location"));
    assert_eq!(location.as_deref(), Some("https://a.example.com:80/a?b"));
}

#[test]
fn r_m_068_what_listens_and_what_does_not() {
    let router = gateway(SHOP);
    let outcome = |request: Request<'_>| router.decide(&request, 0).outcome().name();
    assert_eq!(outcome(Request::get("http://a:81/")), "no_listener");
    assert_eq!(outcome(Request::get("https://a/")), "cluster");
    assert_eq!(outcome(Request::get("http://a:443/")), "connection_failure");
    assert_eq!(
        outcome(Request::get("http://a/").gateway("edge")),
        "cluster"
    );
    assert_eq!(
        outcome(Request::get("http://a/").gateway("default/edge")),
        "cluster"
    );
    assert_eq!(
        outcome(Request::get("http://a/").gateway("other/edge")),
        "no_listener"
    );
    assert_eq!(
        outcome(Request::get("http://a/").gateway("mesh")),
        "no_listener"
    );
    let connection = Connection::to_port(80);
    let decision = router.decide_connection(&connection, 0);
    assert_eq!(decision.outcome().name(), "await_request");
}

/// Envoy's word for why a request is refused, and the status of the answer.
fn refused(request: &Request<'_>) -> Option<(String, Option<u16>)> {
    let router = gateway(SHOP);
    let record = router.decide(request, 0).record();
    record.detail.map(|detail| (detail, record.status))
}

fn detail(request: &Request<'_>) -> Option<String> {
    refused(request).map(|(detail, _)| detail)
}

#[test]
fn r_h_152_methods_and_framing() {
    let method = |method: &'static str| Request::new(method, "/").authority("a.example.com");
    for known in ["GET", "PURGE", "TRACE", "MSEARCH", "UNSUBSCRIBE"] {
        assert_eq!(detail(&method(known)), None, "{known}");
    }
    for unknown in ["get", "FOO", "", "GETS", "M-SEARCH", "QUERY"] {
        let expected = ("http1.codec_error".to_owned(), Some(400));
        assert_eq!(refused(&method(unknown)), Some(expected), "{unknown}");
    }
    // HTTP/2 knows no list.
    let http2 = Protocol::Http2;
    assert_eq!(detail(&method("FOO").protocol(http2)), None);
    for (encoding, length, expected) in [
        ("chunked", None, None),
        ("CHUNKED", None, None),
        (
            "gzip, chunked",
            None,
            Some(("http1.invalid_transfer_encoding", 501)),
        ),
        ("", None, Some(("http1.invalid_transfer_encoding", 501))),
        (
            "chunked",
            Some("5"),
            Some(("http1.content_length_and_chunked_not_allowed", 400)),
        ),
    ] {
        let mut request = method("POST").header("Transfer-Encoding", encoding);
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        let expected = expected.map(|(detail, status)| (detail.to_owned(), Some(status)));
        assert_eq!(refused(&request), expected, "{encoding}");
    }
    let twice = method("POST")
        .header("transfer-encoding", "chunked")
        .header("transfer-encoding", "chunked");
    assert_eq!(
        detail(&twice).as_deref(),
        Some("http1.invalid_transfer_encoding")
    );
}

#[test]
fn r_h_153_what_connection_may_not_name() {
    let rejected = Some("http1.connection_header_rejected");
    for (connection, expected) in [
        ("keep-alive", None),
        ("close, x-user, te", None),
        ("x-forwarded-port", None),
        ("X-Forwarded-For", rejected),
        ("close,x-forwarded-host", rejected),
        ("x-forwarded-proto", rejected),
        (":path", rejected),
        ("a,b,c,d,e,f,g,h,i", None),
        ("a,b,c,d,e,f,g,h,i,,", None),
        ("a,b,c,d,e,f,g,h,i,j", rejected),
        ("host", Some("missing_host_header")),
    ] {
        let request = get("/").header("connection", connection);
        assert_eq!(detail(&request).as_deref(), expected, "{connection}");
        let websocket = request.header("connection", "upgrade");
        let websocket = websocket.header("upgrade", "websocket");
        assert_eq!(detail(&websocket), None, "{connection}");
    }
    let long = "a".repeat(256);
    let te = get("/").header("te", &long);
    assert_eq!(detail(&te), None);
    assert_eq!(detail(&te.header("connection", "te")).as_deref(), rejected);
    // What it names goes; what ends at this hop anyway is none of it.
    let named = "x-user, cookie, keep-alive";
    let request = get("/").header("connection", named);
    let request = request.header("cookie", "a=b").header("x-user", "jane");
    let upstream = upstream(&gateway(SHOP), &request);
    let gone = ["x-user", "cookie", "keep-alive", "connection"];
    assert!(gone.iter().all(|name| !upstream.headers.contains(name)));
}

#[test]
fn r_h_158_http2_has_no_headers_of_one_hop() {
    let invalid = Some("http2.invalid.header.field");
    for (name, value, expected) in [
        ("connection", "keep-alive", invalid),
        ("Connection", "close", invalid),
        ("keep-alive", "timeout=5", invalid),
        ("proxy-connection", "keep-alive", invalid),
        ("transfer-encoding", "chunked", invalid),
        ("upgrade", "websocket", invalid),
        ("upgrade", "", invalid),
        ("te", "trailers", None),
        ("te", "Trailers", None),
        ("te", "gzip, trailers", invalid),
        ("te", "", invalid),
        ("content-length", "0", None),
        ("content-length", "9223372036854775807", None),
        ("content-length", "9223372036854775808", invalid),
        ("content-length", "+1", invalid),
        ("content-length", "1, 1", invalid),
        ("content-length", "", invalid),
        ("x-connection", "close", None),
    ] {
        let request = get("/").protocol(Protocol::Http2).header(name, value);
        assert_eq!(detail(&request).as_deref(), expected, "{name}: {value}");
        // Whatever else is wrong with it.
        let other = request.clone().target("no-path");
        let violation = expected.or(Some("http2.violation.of.messaging.rule"));
        assert_eq!(detail(&other).as_deref(), violation, "{name}: {value}");
    }
    for name in ["te", "content-length"] {
        let value = if name == "te" { "trailers" } else { "1" };
        let request = get("/").protocol(Protocol::Http2).header(name, value);
        let twice = detail(&request.header(name, value));
        assert_eq!(twice.as_deref(), invalid.filter(|_| name != "te"), "{name}");
    }
}

#[test]
fn r_h_154_upgrades_and_tunnels() {
    let to = |protocol: &'static str| {
        let request = get("/").header("connection", "Upgrade, HTTP2-Settings");
        request
            .header("upgrade", protocol)
            .header("http2-settings", "AAMA")
    };
    let failed = Some(("upgrade_failed".to_owned(), Some(403)));
    assert_eq!(refused(&to("other")), failed);
    assert_eq!(refused(&to("websocket, other")), failed);
    let router = gateway(SHOP);
    let websocket = upstream(&router, &to("WebSocket"));
    assert_eq!(websocket.headers.get("upgrade"), Some(&b"WebSocket"[..]));
    assert!(websocket.headers.contains("connection"));
    let h2c = upstream(&router, &to("h2c"));
    let gone = ["upgrade", "connection", "http2-settings"];
    assert!(gone.iter().all(|name| !h2c.headers.contains(name)));
    // Without `connection` it is only a wish.
    assert_eq!(refused(&get("/").header("upgrade", "other")), None);
    let connect = |target: &'static str| {
        let request = Request::new("CONNECT", "/").target(target);
        request.authority("a.example.com")
    };
    assert_eq!(refused(&connect("a.example.com:443")), failed);
    assert_eq!(detail(&connect("/")).as_deref(), Some("http1.codec_error"));
    // A client that speaks gRPC is told so in its words.
    let grpc = to("other").header("content-type", "application/grpc");
    assert_eq!(
        answer(&router, &grpc).headers.get("grpc-status"),
        Some(&b"7"[..])
    );
}
