//! The hash of a request, as its decision says it (R-B-01..R-B-06).

use meshroute::balance::{RequestHash, hash_bytes};
use meshroute::terms::header_list::HeaderList;
use meshroute::{Connection, Mesh, Proxy, Request, Resources, Router};

use super::yaml;

fn router(balancer: &str) -> Router {
    let policy = format!("loadBalancer: {{{balancer}}}");
    let text = yaml("STATIC", &policy, &["{address: 10.0.0.1}"]);
    let mesh = Mesh::resolve(Resources::from_yaml(&text).expect("valid")).expect("valid");
    Router::compile(&mesh, &Proxy::sidecar("default"))
}

fn hash(balancer: &str, request: &Request<'_>) -> Option<u64> {
    router(balancer).decide(request, 9).request_hash(request)
}

fn request() -> Request<'static> {
    Request::get("http://shop.example.com/a?q=%20x&q=y")
}

#[test]
fn r_b_02_a_header_by_its_lines() {
    let by_header = "consistentHash: {httpHeaderName: X-User}";
    let one = request().header("x-user", "jane");
    assert_eq!(hash(by_header, &one), Some(hash_bytes(b"jane")));
    let two = request().header("X-USER", "b").header("x-user", "a");
    let expected = RequestHash::of_header([&b"a"[..], b"b"]);
    assert_eq!(hash(by_header, &two), expected);
    assert_eq!(hash(by_header, &request()), None);
}

#[test]
fn r_b_03_a_cookie_or_the_one_that_the_client_is_given() {
    let lasting = "consistentHash: {httpCookie: {name: s, ttl: 60s}}";
    let router = router(lasting);
    let with = request().header("cookie", "a=1; s=\"x\"");
    let decision = router.decide(&with, 9);
    assert_eq!(decision.request_hash(&with), Some(hash_bytes(b"x")));
    let mut response = HeaderList::new();
    decision.apply_to_response(&with, 200, &mut response);
    assert_eq!(response.get("set-cookie"), None);

    let without = request().header("cookie", "s=");
    let decision = router.decide(&without, 9);
    decision.apply_to_response(&without, 200, &mut response);
    let line = response.get("set-cookie").expect("a cookie is set");
    let line = String::from_utf8_lossy(line).into_owned();
    let value = line.split('"').nth(1).expect("in quotes");
    // The client that sends it back comes to the same endpoint.
    let first = decision.request_hash(&without);
    let cookie = format!("s={value}");
    let again = request().header("cookie", &cookie);
    assert_eq!(first, Some(hash_bytes(value.as_bytes())));
    assert_eq!(router.decide(&again, 77).request_hash(&again), first);
    assert_eq!(
        hash("consistentHash: {httpCookie: {name: s}}", &request()),
        None
    );
}

#[test]
fn r_b_04_a_parameter_and_r_b_05_an_address() {
    let by_parameter = "consistentHash: {httpQueryParameterName: q}";
    assert_eq!(hash(by_parameter, &request()), Some(hash_bytes(b"%20x")));
    let by_source = "consistentHash: {useSourceIp: true}";
    let source = "10.99.99.99".parse().expect("an address");
    let request = request().connection(Connection::to_port(80).source(source));
    assert_eq!(hash(by_source, &request), Some(hash_bytes(b"10.99.99.99")));
}

#[test]
fn r_b_06_who_does_not_choose_by_hash_is_told_none() {
    let with = request().header("x-user", "jane").header("cookie", "s=1");
    for balancer in [
        "simple: RANDOM",
        "simple: LEAST_REQUEST",
        "consistentHash: {maglev: {tableSize: 131}}",
    ] {
        assert_eq!(hash(balancer, &with), None, "{balancer}");
    }
}

#[test]
fn asking_for_a_hash_allocates_nothing() {
    let cases = [
        ("consistentHash: {httpHeaderName: X-User}", "x-user", "jane"),
        (
            "consistentHash: {httpCookie: {name: s, ttl: 60s}}",
            "cookie",
            "a=1",
        ),
        ("consistentHash: {httpQueryParameterName: q}", "x", "y"),
    ];
    for (balancer, name, value) in cases {
        let router = router(balancer);
        let request = request().header(name, value);
        let decision = router.decide(&request, 9);
        let info = allocation_counter::measure(|| {
            assert!(decision.request_hash(&request).is_some());
        });
        assert_eq!(info.count_total, 0, "{balancer}");
    }
}
