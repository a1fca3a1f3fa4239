//! What is read of Envoy's configuration, what is refused, and what is said of the rest.

use meshroute::envoy::EnvoyConfig;
use meshroute::{Report, Request, Router};

fn read(text: &str) -> Result<(Router, Report), Report> {
    Router::from_envoy(&EnvoyConfig::from_json(text)?)
}

/// A route configuration with this route, which leads to the cluster `a` unless it says otherwise.
fn route(rest: &str) -> String {
    let action = match ["route\"", "redirect\"", "directResponse\""]
        .iter()
        .any(|action| rest.contains(action))
    {
        true => "",
        false => r#", "route": {"cluster": "a"}"#,
    };
    let path = match rest.contains("match\"") {
        true => "",
        false => r#", "match": {"prefix": "/"}"#,
    };
    format!(
        r#"{{"name": "80", "virtualHosts": [{{"name": "v", "domains": ["*"], "routes": [{{{rest}{action}{path}}}]}}]}}"#
    )
}

#[test]
fn what_is_not_honoured_is_named() {
    let cases = [
        (
            r#""match": {"prefix": "/", "grpc": {}}"#,
            "MR0503",
            "virtualHosts[0].routes[0].match.grpc",
        ),
        (
            r#""match": {"pathMatchPolicy": {}}"#,
            "MR0503",
            "virtualHosts[0].routes[0].match.pathMatchPolicy",
        ),
        (
            r#""route": {"clusterHeader": "x-a"}"#,
            "MR0503",
            "virtualHosts[0].routes[0].route.clusterHeader",
        ),
        (
            r#""name": "", "nonForwardingAction": {}, "redirect": {"regexRewrite": {}}"#,
            "MR0503",
            "virtualHosts[0].routes[0].redirect.regexRewrite",
        ),
        (
            r#""match": {"prefix": "/", "headers": [{"name": "a", "stringMatch": {"suffix": "b"}}]}"#,
            "MR0503",
            "virtualHosts[0].routes[0].match.headers[0].stringMatch.suffix",
        ),
        (
            r#""match": {"safeRegex": {"regex": "("}}"#,
            "MR0502",
            "virtualHosts[0].routes[0].match.safeRegex",
        ),
        (
            r#""requestHeadersToAdd": [{"header": {"key": "a", "value": "%"}}]"#,
            "MR0502",
            "virtualHosts[0].routes[0].requestHeadersToAdd[0]",
        ),
        (
            r#""directResponse": {"status": 99}"#,
            "MR0502",
            "virtualHosts[0].routes[0].directResponse.status",
        ),
        (
            r#""route": {"weightedClusters": {"clusters": [{"name": "a"}]}}"#,
            "MR0502",
            "virtualHosts[0].routes[0].route.weightedClusters.clusters",
        ),
    ];
    for (rest, code, field) in cases {
        let report = match read(&route(rest)) {
            Ok((_, report)) => panic!("{rest} is read: {report}"),
            Err(report) => report,
        };
        let found = report.errors().any(|error| {
            let at = error.field().map(ToString::to_string);
            error.code().id() == code && at.as_deref() == Some(field)
        });
        assert!(found, "{rest}: {report}");
    }
}

#[test]
fn what_may_matter_is_a_warning_and_what_does_not_is_not_spoken_of() {
    let (_, report) =
        read(&route(r#""decorator": {"operation": "a"}, "tracing": {}"#)).expect("a router");
    assert!(report.is_empty(), "{report}");
    let (_, report) = read(&route(r#""statefulSession": {}"#)).expect("a router");
    let warnings: Vec<String> = report.warnings().map(ToString::to_string).collect();
    assert!(
        warnings.len() == 1 && warnings[0].contains("statefulSession"),
        "{report}"
    );
}

#[test]
fn what_is_no_configuration_is_refused() {
    for text in [
        "",
        "{}",
        "[1]",
        "null",
        r#"{"kind": "Gateway"}"#,
        r#"{"virtualHosts": 1}"#,
        r#"{"listeners": {}}"#,
    ] {
        assert!(read(text).is_err() || text == "[]", "{text}");
    }
}

#[test]
fn a_dump_of_an_envoy_is_read_in_its_own_spelling() {
    let dump = r#"{"configs": [
        {"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": {"node": {"id": "a"}}},
        {"@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump", "dynamic_route_configs": [
            {"version_info": "1", "route_config": {
                "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
                "name": "80", "ignore_port_in_host_matching": true,
                "virtual_hosts": [{"name": "v", "domains": ["a.b"], "routes": [
                    {"match": {"path_separated_prefix": "/x"}, "redirect": {"response_code": "SEE_OTHER", "path_redirect": "/y"}}]}]}}]}]}"#;
    let (router, report) = read(dump).expect("a router");
    assert!(report.is_empty(), "{report}");
    let decision = router.decide(&Request::get("http://a.b/x/1"), 0);
    assert_eq!(decision.status(), Some(303));
    assert_eq!(
        router.decide(&Request::get("http://a.b/xy"), 0).status(),
        Some(404)
    );
}

#[test]
fn a_timeout_that_is_not_said_is_fifteen_seconds() {
    let (router, _) = read(&route(r#""name": "r""#)).expect("a router");
    let decision = router.decide(&Request::get("http://a.b/"), 0);
    let timeout = decision.policy().and_then(|policy| policy.timeout);
    assert_eq!(timeout, Some(std::time::Duration::from_secs(15)));
    assert_eq!(decision.cluster().map(|cluster| cluster.name()), Some("a"));
}

#[test]
fn an_inverted_test_asks_for_the_header_unless_a_missing_one_counts_as_empty() {
    let with = |rest: &str| {
        let header = format!(
            r#""match": {{"prefix": "/", "headers": [{{"name": "X-A", "invertMatch": true{rest}}}]}}"#
        );
        read(&route(&header)).expect("a router").0
    };
    let status = |router: &Router, value: Option<&str>| {
        let request = Request::get("http://a.b/");
        let request = match value {
            Some(value) => request.header("x-a", value),
            None => request,
        };
        router.decide(&request, 0).cluster().is_some()
    };
    let strict = with(r#", "stringMatch": {"exact": "1"}"#);
    let lenient = with(r#", "stringMatch": {"exact": "1"}, "treatMissingHeaderAsEmpty": true"#);
    let absent = with(r#", "presentMatch": true"#);
    for (value, [by_strict, by_lenient, by_absent]) in [
        (Some("1"), [false, false, false]),
        (Some("2"), [true, true, false]),
        (None, [false, true, true]),
    ] {
        assert_eq!(status(&strict, value), by_strict, "{value:?}");
        assert_eq!(status(&lenient, value), by_lenient, "{value:?}");
        assert_eq!(status(&absent, value), by_absent, "{value:?}");
    }
}

#[test]
fn a_route_configuration_that_is_not_given_is_spoken_of() {
    let manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    let text = format!(
        r#"{{"listeners": [{{"name": "l", "address": {{"socketAddress": {{"address": "0.0.0.0", "portValue": 80}}}},
            "filterChains": [{{"filters": [{{"name": "hcm", "typedConfig": {{"@type": "{manager}", "rds": {{"routeConfigName": "gone"}}}}}}]}}]}}]}}"#
    );
    let (router, report) = read(&text).expect("a router");
    assert!(
        report.to_string().contains("`gone` is not given"),
        "{report}"
    );
    assert_eq!(
        router.decide(&Request::get("http://a.b/"), 0).status(),
        Some(404)
    );
}
