//! Path, header, query and claim matching (R-H-082..R-H-106).

use meshroute::Request;
use meshroute::terms::claims::{Claim, Claims};

use super::{fits, get};

#[test]
fn r_h_082_path_matchers_do_not_see_the_query() {
    assert!(fits("{uri: {exact: /a}}", &get("/a?x=1")));
    assert!(!fits("{uri: {exact: '/a?x=1'}}", &get("/a?x=1")));
}

#[test]
fn r_h_083_exact_is_byte_equality() {
    assert!(!fits("{uri: {exact: /foo}}", &get("/foo/")));
    assert!(!fits("{uri: {exact: /foo}}", &get("/Foo")));
}

#[test]
fn r_h_084_prefix_has_no_segment_boundary() {
    for path in ["/foo", "/foo/", "/foobar"] {
        assert!(fits("{uri: {prefix: /foo}}", &get(path)), "{path}");
    }
    assert!(!fits("{uri: {prefix: /foo}}", &get("/fo")));
}

#[test]
fn r_h_086_regex_is_a_full_match() {
    assert!(!fits("{uri: {regex: /foo}}", &get("/foo/bar")));
    assert!(!fits("{uri: {regex: '\\d+$'}}", &get("/a123")));
    assert!(fits("{uri: {regex: '/a|/a/b'}}", &get("/a/b?c")));
}

#[test]
fn r_h_088_ignore_uri_case_is_not_for_regexes() {
    assert!(fits(
        "{uri: {exact: /foo}, ignoreUriCase: true}",
        &get("/FOO")
    ));
    assert!(fits(
        "{uri: {prefix: /FOO}, ignoreUriCase: true}",
        &get("/foo/b")
    ));
    assert!(!fits(
        "{uri: {regex: /foo}, ignoreUriCase: true}",
        &get("/FOO")
    ));
}

#[test]
fn r_h_093_header_names_have_no_case() {
    let request = get("/").header("X-UsEr", "jane");
    assert!(fits("{headers: {x-User: {exact: jane}}}", &request));
    assert!(!fits("{headers: {x-user: {exact: Jane}}}", &request));
}

#[test]
fn r_h_094_an_empty_match_asks_for_presence() {
    assert!(fits("{headers: {x: {}}}", &get("/").header("x", "")));
    assert!(!fits("{headers: {x: {}}}", &get("/")));
}

#[test]
fn r_h_095_an_empty_exact_is_not_presence() {
    assert!(fits(
        "{headers: {x: {exact: ''}}}",
        &get("/").header("x", "")
    ));
    assert!(!fits(
        "{headers: {x: {exact: ''}}}",
        &get("/").header("x", "a")
    ));
    assert!(!fits("{headers: {x: {exact: ''}}}", &get("/")));
}

#[test]
fn r_h_096_a_missing_header_passes_no_test() {
    assert!(!fits("{headers: {x: {regex: '.*'}}}", &get("/")));
}

#[test]
fn r_h_097_of_repeated_lines_one_must_pass() {
    // Recorded with Envoy 1.40: http-match-1100007 c15, weights-1100002 c8.
    let request = get("/").header("x", "a").header("x", "b");
    assert!(fits("{headers: {x: {exact: a}}}", &request));
    assert!(fits("{headers: {x: {exact: b}}}", &request));
    assert!(!fits("{headers: {x: {exact: 'a,b'}}}", &request));
    assert!(!fits("{withoutHeaders: {x: {exact: b}}}", &request));
    assert!(fits("{withoutHeaders: {x: {exact: 'a,b'}}}", &request));
}

#[test]
fn r_h_097_some_headers_keep_one_line() {
    // Recorded: sidecar-resource-1100011 c32.
    let request = get("/")
        .header("user-agent", "a")
        .header("user-agent", "")
        .header("User-Agent", "b");
    assert!(fits("{headers: {user-agent: {exact: 'a,b'}}}", &request));
    assert!(!fits("{headers: {user-agent: {exact: b}}}", &request));
}

#[test]
fn r_h_098_without_headers_asks_for_absence() {
    assert!(fits("{withoutHeaders: {x: {}}}", &get("/")));
    assert!(!fits(
        "{withoutHeaders: {x: {}}}",
        &get("/").header("x", "")
    ));
}

#[test]
fn r_h_099_a_missing_header_counts_as_empty() {
    for (test, expected) in [
        ("exact: v", true),
        ("prefix: p", true),
        ("regex: 'a.*'", true),
        ("regex: '.*'", false),
        ("exact: ''", false),
    ] {
        let asked = format!("{{withoutHeaders: {{x: {{{test}}}}}}}");
        assert_eq!(fits(&asked, &get("/")), expected, "{test}");
    }
}

#[test]
fn r_h_100_method_authority_and_scheme_are_pseudo_headers() {
    assert!(fits(
        "{method: {exact: GET}, headers: {':method': {prefix: G}}}",
        &get("/")
    ));
    assert!(!fits(
        "{method: {exact: GET}, withoutHeaders: {':method': {exact: GET}}}",
        &get("/")
    ));
    assert!(fits("{scheme: {exact: http}}", &get("/")));
    let secure = Request::get("https://a.example.com/");
    assert!(fits("{scheme: {exact: https}}", &secure));
    assert!(fits(
        "{headers: {x-forwarded-proto: {exact: https}}}",
        &secure
    ));
}

#[test]
fn r_h_101_authority_is_matched_as_it_was_sent() {
    let sent = |authority| Request::get("/").authority(authority);
    assert!(fits("{authority: {exact: foo.com}}", &sent("foo.com")));
    assert!(!fits(
        "{authority: {exact: foo.com}}",
        &sent("foo.com:8080")
    ));
    assert!(!fits("{authority: {exact: foo.com}}", &sent("Foo.com")));
}

#[test]
fn r_h_102_host_is_the_authority_and_path_has_its_query() {
    assert!(fits("{headers: {Host: {exact: a.example.com}}}", &get("/")));
    assert!(fits(
        "{headers: {':path': {exact: '/a?b'}}}",
        &get("/x/../a?b")
    ));
}

#[test]
fn r_h_103_query_values_are_raw_and_first() {
    let first = |test, target| fits(&format!("{{queryParams: {{a: {{{test}}}}}}}"), &get(target));
    assert!(first("exact: '1'", "/?a=1&a=2"));
    assert!(!first("exact: '2'", "/?a=1&a=2"));
    assert!(!first("exact: '1'", "/?a=%31"));
    assert!(first("exact: '1=2?a=3'", "/?b&a=1=2?a=3"));
    assert!(!first("exact: '1'", "/?A=1"));
}

#[test]
fn r_h_104_a_bare_key_is_the_empty_value() {
    let asked = |test, target| fits(&format!("{{queryParams: {{a: {test}}}}}"), &get(target));
    assert!(asked("{exact: ''}", "/?a"));
    assert!(asked("{exact: ''}", "/?a="));
    assert!(asked("{}", "/?a=x"));
    assert!(!asked("{exact: ''}", "/"));
    assert!(!asked("{regex: '.*'}", "/?b"));
}

#[test]
fn r_h_105_claims() {
    let nested = Claim::Object(
        [(
            "key".to_owned(),
            Claim::List(vec![Claim::String("b".into()), Claim::String("a".into())]),
        )]
        .into(),
    );
    let claims = Claims::new()
        .with("sub", Claim::String("jane".into()))
        .with("level", Claim::Other)
        .with("nested", nested);
    let request = get("/").claims(&claims);
    assert!(fits(
        "{headers: {'@request.auth.claims.sub': {prefix: ja}}}",
        &request
    ));
    assert!(fits(
        "{headers: {'@request.auth.claims.nested.key': {exact: a}}}",
        &request
    ));
    assert!(fits(
        "{headers: {'@request.auth.claims[nested][key]': {exact: b}}}",
        &request
    ));
    assert!(!fits(
        "{headers: {'@request.auth.claims.level': {regex: '.*'}}}",
        &request
    ));
    assert!(!fits(
        "{headers: {'@request.auth.claims.sub': {exact: jane}}}",
        &get("/")
    ));
    assert!(fits(
        "{withoutHeaders: {'@request.auth.claims.sub': {exact: jane}}}",
        &get("/")
    ));
    assert!(!fits(
        "{withoutHeaders: {'@request.auth.claims.sub': {exact: jane}}}",
        &request
    ));
}
