//! Questions about all requests at once, on configurations that people write.

use meshroute::space::{self, Aspect, Comparison, Goal};
use meshroute::{Mesh, Proxy, Resources, Router};
use serde_json::{Value, json};

/// A router of one VirtualService with these rules, whose destinations are `a`, `b` and so on unless they say otherwise.
fn router(http: &[Value]) -> Router {
    let rules = ('a'..).zip(http).map(|(name, rule)| {
        let mut rule = rule.clone();
        let is_written = ["route", "redirect", "directResponse"]
            .iter()
            .any(|field| rule.get(field).is_some());
        if !is_written {
            rule["route"] = json!([{"destination": {"host": format!("{name}.example.com")}}]);
        }
        rule
    });
    let document = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {"hosts": ["shop.example.com"], "http": rules.collect::<Vec<_>>()},
    });
    let resources = Resources::from_json(&document.to_string()).expect("JSON");
    let (mesh, _) = Mesh::resolve_lenient(resources);
    Router::compile(&mesh, &Proxy::default())
}

fn path(kind: &str, text: &str) -> Value {
    json!({"match": [{"uri": {kind: text}}]})
}

fn header(name: &str, test: Value, uri: &str) -> Value {
    json!({"match": [{"headers": {name: test}, "uri": {"prefix": uri}}]})
}

#[test]
fn rules_that_no_request_reaches_are_told_with_all_that_cover_them() {
    let without = json!({"match": [{"withoutHeaders": {"x-a": {"exact": "1"}}}]});
    let any = || json!({});
    for (name, rules, dead) in [
        (
            "exact under prefix",
            vec![path("prefix", "/a"), path("exact", "/a/b")],
            vec![(1, vec![0])],
        ),
        (
            "prefix with a header under prefix",
            vec![
                path("prefix", "/a"),
                header("x-a", json!({"exact": "1"}), "/a/b"),
            ],
            vec![(1, vec![0])],
        ),
        (
            "regex under prefix",
            vec![path("prefix", "/a"), path("regex", "/a[0-9]+/.*")],
            vec![(1, vec![0])],
        ),
        (
            "regex beside prefix",
            vec![path("prefix", "/a"), path("regex", "/.*")],
            vec![],
        ),
        (
            "anything after a regex for every path",
            vec![
                path("regex", "/.*"),
                path("exact", "/a"),
                path("regex", ".*b"),
            ],
            vec![(1, vec![0]), (2, vec![0])],
        ),
        (
            "two headers that are each other's contrary",
            vec![
                header("x-a", json!({"exact": "1"}), "/"),
                without,
                path("prefix", "/cart"),
            ],
            vec![(2, vec![0, 1])],
        ),
        (
            "presence and absence",
            vec![
                header("x-a", json!({}), "/"),
                json!({"match": [{"withoutHeaders": {"x-a": {}}}]}),
                any(),
            ],
            vec![(2, vec![0, 1])],
        ),
        (
            "all methods but some",
            vec![
                json!({"match": [{"method": {"regex": "GET|POST"}}]}),
                json!({"match": [{"method": {"exact": "PUT"}}]}),
            ],
            vec![],
        ),
        (
            "prefixes that a regex and a prefix share",
            vec![
                path("regex", "/a"),
                path("prefix", "/a/"),
                path("regex", "/a(/.*)?"),
            ],
            vec![(2, vec![0, 1])],
        ),
        (
            "a path that is never normal",
            vec![path("exact", "/a/../b")],
            vec![(0, vec![])],
        ),
        (
            "what a gateway says itself",
            vec![header("x-envoy-internal", json!({}), "/")],
            vec![(0, vec![])],
        ),
    ] {
        let classes = space::classes(&router(&rules));
        assert!(
            classes.not_proved().is_empty(),
            "{name}: {:?}",
            classes.not_proved()
        );
        let rule = |place: usize| format!("http[{place}]");
        let found: Vec<_> = classes
            .dead_rules()
            .iter()
            .filter(|rule| rule.is_dead_everywhere)
            .collect();
        assert_eq!(found.len(), dead.len(), "{name}: {found:?}");
        for (place, covering) in dead {
            let own = found.iter().find(|found| found.rule.contains(&rule(place)));
            let own = own.unwrap_or_else(|| panic!("{name}: {place} is not told: {found:?}"));
            assert_eq!(own.covered_by.len(), covering.len(), "{name}: {own}");
            for (text, place) in own.covered_by.iter().zip(covering) {
                assert!(text.contains(&rule(place)), "{name}: {own}");
            }
        }
    }
}

#[test]
fn what_changes_no_answer_is_not_told() {
    let split = |weights: [u32; 2]| {
        let [left, right] = weights;
        json!({"route": [
            {"destination": {"host": "x.example.com"}, "weight": left},
            {"destination": {"host": "y.example.com"}, "weight": right},
        ]})
    };
    let to = |mut rule: Value, host: &str| {
        rule["route"] = json!([{"destination": {"host": host}}]);
        rule
    };
    let named = |mut rule: Value| {
        rule["name"] = json!("renamed");
        rule
    };
    let two = |first: &str, second: &str| json!({"match": [{"uri": {"prefix": first}}, {"uri": {"prefix": second}}]});
    for (name, before, after) in [
        (
            "disjoint paths in another order",
            vec![to(path("exact", "/a"), "a"), to(path("exact", "/b"), "b")],
            vec![to(path("exact", "/b"), "b"), to(path("exact", "/a"), "a")],
        ),
        (
            "one rule or two",
            vec![to(two("/a", "/b"), "a")],
            vec![to(path("prefix", "/b"), "a"), to(path("prefix", "/a"), "a")],
        ),
        (
            "a name",
            vec![path("prefix", "/a")],
            vec![named(path("prefix", "/a"))],
        ),
        (
            "shares in lowest terms",
            vec![split([50, 50])],
            vec![split([1, 1])],
        ),
        (
            "a prefix as a regex",
            vec![path("prefix", "/a")],
            vec![path("regex", "/a.*")],
        ),
        (
            "a regex written otherwise",
            vec![path("regex", "/(a|b)")],
            vec![path("regex", "/[ab]")],
        ),
        (
            "a rule that none reaches",
            vec![
                to(path("prefix", "/a"), "a"),
                to(path("exact", "/a/b"), "b"),
            ],
            vec![to(path("prefix", "/a"), "a")],
        ),
        (
            "what falls through to the same",
            vec![to(path("prefix", "/a"), "a"), to(json!({}), "a")],
            vec![to(json!({}), "a")],
        ),
    ] {
        let changes = space::diff(&router(&before), &router(&after));
        assert!(changes.is_empty(), "{name}: {changes}");
    }
}

#[test]
fn every_aspect_of_an_answer_counts_until_it_is_left_out() {
    let rule = |field: &str, value: Value| {
        let mut rule = json!({"route": [
            {"destination": {"host": "x.example.com"}, "weight": 30},
            {"destination": {"host": "y.example.com"}, "weight": 70},
        ]});
        if field == "weight" {
            rule["route"][0]["weight"] = value;
        } else if field == "destination" {
            rule["route"][0]["destination"]["host"] = value;
        } else {
            rule[field] = value;
        }
        router(&[rule])
    };
    let plain = router(&[json!({"route": [
        {"destination": {"host": "x.example.com"}, "weight": 30},
        {"destination": {"host": "y.example.com"}, "weight": 70},
    ]})]);
    for (aspect, field, value) in [
        (Aspect::Weights, "weight", json!(31)),
        (Aspect::Mirrors, "mirror", json!({"host": "z.example.com"})),
        (
            Aspect::Headers,
            "headers",
            json!({"request": {"set": {"x-a": "1"}}}),
        ),
        (Aspect::Timeout, "timeout", json!("3s")),
        (Aspect::Retries, "retries", json!({"attempts": 7})),
        (Aspect::Cors, "corsPolicy", json!({"allowMethods": ["GET"]})),
        (
            Aspect::Faults,
            "fault",
            json!({"delay": {"fixedDelay": "1s", "percentage": {"value": 5.0}}}),
        ),
        (Aspect::Rewrite, "rewrite", json!({"uri": "/new"})),
    ] {
        let other = rule(field, value);
        let changes = space::diff(&plain, &other);
        assert!(!changes.changes().is_empty(), "{field}");
        for change in changes.changes() {
            assert_eq!(change.aspects, [aspect], "{change}");
        }
        let left_out = Comparison::new().without(aspect).diff(&plain, &other);
        assert!(left_out.is_empty(), "{field}: {left_out}");
    }
    let other = rule("destination", json!("z.example.com"));
    let changes = space::diff(&plain, &other);
    assert!(
        changes
            .changes()
            .iter()
            .all(|change| change.aspects.contains(&Aspect::Destination))
    );
}

#[test]
fn a_difference_names_its_class_and_has_a_request_for_it() {
    let to = |rule: Value, host: &str| {
        let mut rule = rule;
        rule["route"] = json!([{"destination": {"host": host}}]);
        rule
    };
    let default = to(json!({}), "shop.example.com");
    for (name, before, after, condition, target) in [
        (
            "a slash at the end",
            vec![
                to(path("prefix", "/cart"), "cart.example.com"),
                default.clone(),
            ],
            vec![
                to(path("prefix", "/cart/"), "cart.example.com"),
                default.clone(),
            ],
            "the path begins with `/cart`, but does not begin with `/cart/`",
            "/cart",
        ),
        (
            "a regex in place of an exact path",
            vec![to(path("exact", "/v1"), "v.example.com"), default.clone()],
            vec![
                to(path("regex", "/v[0-9]"), "v.example.com"),
                default.clone(),
            ],
            "the path matches the regex `/v[0-9]`, but is not `/v1`",
            "/v0",
        ),
        (
            "another header",
            vec![
                to(
                    header("x-user", json!({"exact": "jane"}), "/"),
                    "v2.example.com",
                ),
                default.clone(),
            ],
            vec![default.clone()],
            "header `x-user` is `jane`",
            "/",
        ),
    ] {
        let changes = space::diff(&router(&before), &router(&after));
        assert!(changes.not_proved().is_empty(), "{name}: {changes}");
        for change in changes.changes() {
            assert_eq!(change.conditions, [condition], "{name}");
            assert_eq!(change.witness.target(), target, "{name}");
        }
        assert!(!changes.changes().is_empty(), "{name}");
    }
}

#[test]
fn beyond_its_budget_nothing_is_taken_for_equal() {
    let before: Vec<Value> = (0..20)
        .map(|n| header(&format!("x-{n}"), json!({"exact": "1"}), "/"))
        .collect();
    let mut after = before.clone();
    after.reverse();
    let (before, after) = (router(&before), router(&after));
    let changes = Comparison::new().budget(10).diff(&before, &after);
    assert!(!changes.not_proved().is_empty(), "{changes}");
    assert!(!changes.is_empty());
    let large = json!({"match": [{"uri": {"regex": "/(a|b)*a(a|b){24}"}}]});
    let changes = space::diff(
        &router(&[large.clone(), json!({})]),
        &router(&[json!({}), large]),
    );
    assert!(!changes.is_empty());
}

#[test]
fn a_goal_is_reached_by_whom_its_rules_let_through() {
    let rules = [
        header("x-user", json!({"exact": "jane"}), "/cart"),
        path("prefix", "/cart"),
        json!({"match": [{"uri": {"exact": "/old"}}], "redirect": {"uri": "/new"}}),
    ];
    let router = router(&rules);
    let classes = space::classes(&router);
    let conditions = |goal: &Goal| -> Vec<Vec<String>> {
        let mut all: Vec<Vec<String>> = classes
            .reaching(goal)
            .map(|class| class.conditions.clone())
            .collect();
        all.dedup();
        all
    };
    let jane = vec![
        "the path begins with `/cart`".to_owned(),
        "header `x-user` is `jane`".to_owned(),
    ];
    assert_eq!(conditions(&Goal::Host("a.example.com".into())), [jane]);
    assert_eq!(
        conditions(&Goal::Host("b.example.com".into())),
        [vec!["the path begins with `/cart`".to_owned()]]
    );
    assert!(conditions(&Goal::Host("c.example.com".into())).is_empty());
    assert!(!conditions(&Goal::Cluster("PassthroughCluster".into())).is_empty());
    assert!(!conditions(&Goal::NotFound).is_empty());
    // The witnesses of all classes ask them all.
    for class in classes
        .all()
        .iter()
        .filter(|class| !class.witness.is_bare_connection())
    {
        class.witness.with_request(|request| {
            let never = classes.never_asked(&router, [request]);
            assert!(
                !never.iter().any(|other| std::ptr::eq(*other, class)),
                "{class}"
            );
            assert!(never.len() < classes.all().len());
        });
    }
}
