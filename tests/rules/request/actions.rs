//! Forwarding: the split, header changes, rewrites, mirrors (R-H-111..R-H-132, R-H-141..R-H-145).

use meshroute::Request;
use meshroute::terms::header_list::HeaderList;

use super::{gateway, get, text, upstream, upstream_with};

/// A rule to two destinations, both `cart`, so that one draw is as good as another.
fn two(destination: &str, rule: &str) -> String {
    format!(
        "  - route:\n    - {{destination: {{host: cart}}, weight: 50, {destination}}}\n    - {{destination: {{host: cart}}, weight: 50, {destination}}}\n{rule}"
    )
}

fn one(destination: &str, rule: &str) -> String {
    format!("  - route: [{{destination: {{host: cart}}, {destination}}}]\n{rule}")
}

fn header(http: &str, request: &Request<'_>, name: &str) -> Option<String> {
    text(upstream(&gateway(http), request).headers.joined(name))
}

#[test]
fn r_h_111_a_single_destination_has_it_all() {
    let router = gateway("  - route: [{destination: {host: cart}, weight: 0}]");
    let decision = router.decide(&get("/"), u64::MAX);
    assert!(decision.cluster().is_some() && !decision.is_weighted());
    assert_eq!(decision.record().split, None);
}

#[test]
fn r_h_112_and_113_zero_weights_vanish_and_the_rest_share_exactly() {
    let router = gateway(
        "  - route:\n    - {destination: {host: shop}, weight: 0}\n    - {destination: {host: cart}, weight: 1}\n    - {destination: {host: shop, port: {number: 80}}, weight: 3}",
    );
    let decision = router.decide(&get("/"), 0);
    assert_eq!(
        decision
            .split()
            .map(|(_, weight)| weight)
            .collect::<Vec<_>>(),
        [1, 3]
    );
    // 64 000 words: the draw is a bijection of them, so a sample is as good as any other.
    let to_cart = (0..64_000_u64)
        .filter(|word| {
            let decision = router.decide(&get("/"), word.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            decision
                .cluster()
                .is_some_and(|cluster| cluster.host().starts_with("cart"))
        })
        .count();
    assert!(to_cart.abs_diff(16_000) < 660, "{to_cart} of 64000");
}

#[test]
fn r_h_117_remove_then_evaluate_then_set_then_add() {
    // Recorded: http-headers-1100009 c10.
    let rule = "    headers: {request: {remove: [x-env], set: {x-a: '%REQ(x-env)%', x-b: '%REQ(x-user)%'}, add: {x-c: '%REQ(x-b)%c', x-b: more}}}";
    let request = get("/")
        .header("x-env", "prod")
        .header("x-user", "jane")
        .header("x-b", "old");
    let header = |name| header(&one("weight: 1", rule), &request, name);
    assert_eq!(header("x-env"), None);
    assert_eq!(header("x-a"), None);
    assert_eq!(header("x-b").as_deref(), Some("jane,more"));
    assert_eq!(header("x-c").as_deref(), Some("oldc"));
}

#[test]
fn r_h_119_an_empty_value_changes_nothing() {
    let rule = "    headers: {request: {set: {x-a: ''}}}";
    let request = get("/").header("x-a", "kept");
    assert_eq!(
        header(&one("weight: 1", rule), &request, "x-a").as_deref(),
        Some("kept")
    );
}

#[test]
fn r_h_120_format_strings() {
    let rule = "    headers: {request: {set: {x-a: '100%%', x-b: '[%REQ(x-none?:PATH)%]', x-d: '%DOWNSTREAM_REMOTE_ADDRESS%'}}}\n    rewrite: {uri: /new}";
    let router = gateway(&one("weight: 1", rule));
    let request = get("/a?b");
    let decision = router.decide(&request, 0);
    let applied = decision.apply_with(&request, &|command| {
        (command == "DOWNSTREAM_REMOTE_ADDRESS").then(|| "192.0.2.1:5".to_owned())
    });
    let meshroute::decision::Applied::Forward(upstream) = applied else {
        panic!("{applied:?}");
    };
    let header = |name| text(upstream.headers.get(name)).unwrap_or_default();
    assert_eq!(header("x-a"), "100%");
    // The path before it is rewritten.
    assert_eq!(header("x-b"), "[/a?b]");
    assert_eq!(header("x-d"), "192.0.2.1:5");
}

#[test]
fn r_h_121_with_one_destination_the_destination_wins() {
    let rule = "    headers: {request: {set: {x: route}, add: {y: route}, remove: [z]}}";
    let http = one(
        "headers: {request: {set: {x: dest, z: dest}, add: {y: dest}}}",
        rule,
    );
    let request = get("/");
    assert_eq!(header(&http, &request, "x").as_deref(), Some("dest"));
    assert_eq!(header(&http, &request, "y").as_deref(), Some("route,dest"));
    assert_eq!(header(&http, &request, "z").as_deref(), Some("dest"));
}

#[test]
fn r_h_122_with_two_destinations_the_route_wins() {
    let rule = "    headers: {request: {set: {x: route}, add: {y: route}, remove: [z]}}";
    let http = two(
        "headers: {request: {set: {x: dest, z: dest}, add: {y: dest}}}",
        rule,
    );
    let request = get("/");
    assert_eq!(header(&http, &request, "x").as_deref(), Some("route"));
    assert_eq!(header(&http, &request, "y").as_deref(), Some("dest,route"));
    assert_eq!(header(&http, &request, "z"), None);
}

#[test]
fn r_h_123_who_rewrites_the_host() {
    let by_destination = "headers: {request: {set: {host: dest.com}}}";
    let by_route = "    headers: {request: {add: {':authority': route.com}}}";
    let by_rewrite = "    rewrite: {authority: rewrite.com}";
    for shape in [one, two] {
        for (rule, expected) in [
            (String::new(), "dest.com"),
            (by_route.to_owned(), "route.com"),
            (by_rewrite.to_owned(), "rewrite.com"),
        ] {
            let router = gateway(&shape(by_destination, &rule));
            assert_eq!(upstream(&router, &get("/")).authority, expected);
        }
    }
}

#[test]
fn r_h_125_response_changes() {
    let rule = "    headers: {response: {remove: [x-gone], set: {x-a: '%REQ(x-user)%', x-t: '%RESP(x-t)%!'}, add: {x-b: new}}}";
    let router = gateway(&one("headers: {request: {set: {x-user: sent}}}", rule));
    let request = get("/").header("x-user", "jane");
    let mut response: HeaderList = [("x-gone", "1"), ("x-b", "old"), ("x-t", "t")]
        .into_iter()
        .collect();
    router
        .decide(&request, 0)
        .apply_to_response(&request, 200, &mut response);
    assert!(!response.contains("x-gone"));
    // Formats of the response see the request as it was sent upstream.
    assert_eq!(text(response.get("x-a")).as_deref(), Some("sent"));
    assert_eq!(text(response.joined("x-b")).as_deref(), Some("old,new"));
    assert_eq!(text(response.get("x-t")).as_deref(), Some("t!"));
}

#[test]
fn r_h_126_and_127_uri_rewrite() {
    for (asked, uri, target, expected) in [
        ("{uri: {prefix: /foo}}", "/", "/foo/bar?x", "//bar?x"),
        ("{uri: {prefix: /foo/}}", "/", "/foo/bar", "/bar"),
        ("{uri: {prefix: /}}", "/v2", "/foo", "/v2foo"),
        ("{uri: {exact: /foo}}", "/new", "/foo?x=1", "/new?x=1"),
        ("{uri: {regex: '/f.*'}}", "/new", "/foo/bar?x", "/new?x"),
        // R-H-132: the length of the prefix is cut, whatever the case.
        (
            "{uri: {prefix: /foo}, ignoreUriCase: true}",
            "/x",
            "/FOObar",
            "/xbar",
        ),
    ] {
        let http = format!(
            "  - match: [{asked}]\n    route: [{{destination: {{host: cart}}}}]\n    rewrite: {{uri: {uri}}}"
        );
        let sent = upstream(&gateway(&http), &get(target));
        assert_eq!(sent.path, expected, "{asked} {target}");
        assert_eq!(
            sent.headers.get("x-envoy-original-path"),
            Some(target.as_bytes())
        );
    }
}

#[test]
fn r_h_130_regex_rewrite_replaces_every_match_and_keeps_the_query() {
    let rule = "    rewrite: {uriRegexRewrite: {match: 'o(.)', rewrite: '<\\1\\0>'}}";
    let sent = upstream(&gateway(&one("weight: 1", rule)), &get("/foobo?ooo"));
    assert_eq!(sent.path, "/f<ooo>bo?ooo");
}

#[test]
fn r_h_142_mirrors_draw_for_themselves() {
    let rule = "    mirrors: [{destination: {host: shop}, percentage: {value: 50}}, {destination: {host: cart}}, {destination: {host: shop, subset: none}, percentage: {value: 0}}]";
    let router = gateway(&one("weight: 1", rule));
    let mut counts = [0_u32; 3];
    for word in 0..4_000_u64 {
        let decision = router.decide(&get("/"), word.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for cluster in decision.mirrors() {
            counts[if cluster.subset().is_some() {
                2
            } else {
                usize::from(cluster.host().starts_with("cart"))
            }] += 1;
        }
    }
    assert!(counts[0].abs_diff(2_000) < 200, "{counts:?}");
    assert_eq!(counts[1..], [4_000, 0]);
}

#[test]
fn r_h_144_delays_and_aborts_draw_independently() {
    let rule = "    fault: {delay: {fixedDelay: 2s, percentage: {value: 50}}, abort: {httpStatus: 418, percentage: {value: 50}}}";
    let router = gateway(&one("weight: 1", rule));
    let mut counts = [0_u32; 4];
    for word in 0..4_000_u64 {
        let decision = router.decide(&get("/"), word.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let aborted = decision.status() == Some(418);
        counts[usize::from(aborted) * 2 + usize::from(decision.delay().is_some())] += 1;
    }
    assert!(
        counts.iter().all(|count| count.abs_diff(1_000) < 170),
        "{counts:?}"
    );
}

#[test]
fn r_h_145_and_146_timeout_and_retries() {
    let router = gateway(&one(
        "weight: 1",
        "    timeout: 1.5s\n    retries: {attempts: 3, perTryTimeout: 2s}",
    ));
    let decision = router.decide(&get("/"), 0);
    assert_eq!(
        decision.timeout(),
        Some(std::time::Duration::from_millis(1_500))
    );
    assert_eq!(decision.retries().map(|retries| retries.attempts), Some(3));
    let owned = serde_json::to_value(decision.record()).unwrap_or_default();
    assert_eq!(owned["policy"]["timeout"], "1.500s");
    assert_eq!(owned["policy"]["retries"]["per_try_timeout"], "2s");
}

#[test]
fn repeated_lines_travel_as_the_proxy_keeps_them() {
    let request = get("/")
        .header("user-agent", "")
        .header("user-agent", "a")
        .header("X-B", "1")
        .header("x-b", "2");
    let sent = upstream_with(&gateway(&one("weight: 1", "")), &request, 3);
    assert_eq!(sent.headers.values("user-agent").count(), 1);
    assert_eq!(text(sent.headers.get("user-agent")).as_deref(), Some("a"));
    assert_eq!(sent.headers.values("x-b").count(), 2);
}
