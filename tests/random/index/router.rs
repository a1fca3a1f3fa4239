//! A whole router with its indexes against the same router looking at one rule after the other.

use std::fmt::Write;

use meshroute::terms::condition::{
    Condition, HeaderMatch, PathMatch, QueryMatch, RequestMatch, ValueMatch,
};
use meshroute::{Mesh, Proxy, Request, Resources, Router};

/// One `match`, or nothing where no VirtualService can say it, or Istio's validation would refuse it.
fn yaml(rule: &RequestMatch) -> Option<String> {
    let text = |test: &ValueMatch| match test {
        ValueMatch::Present => Some("{}".to_owned()),
        ValueMatch::Exact(text) if !text.is_empty() => Some(format!("{{exact: {text:?}}}")),
        ValueMatch::Prefix(text) if !text.is_empty() => Some(format!("{{prefix: {text:?}}}")),
        ValueMatch::Regex(regex) if !regex.as_str().is_empty() => {
            Some(format!("{{regex: {:?}}}", regex.as_str()))
        }
        _ => None,
    };
    let (path, fold) = match &rule.path {
        PathMatch::Exact { value, ignore_case } => (format!("exact: {value:?}"), *ignore_case),
        PathMatch::Prefix { value, ignore_case } => (format!("prefix: {value:?}"), *ignore_case),
        PathMatch::Regex(regex) => (format!("regex: {:?}", regex.as_str()), false),
        PathMatch::SeparatedPrefix(_) => return None,
    };
    let mut out = format!("uri: {{{path}}}, ignoreUriCase: {fold}");
    let mut names = Vec::new();
    for condition in &rule.conditions {
        let (field, name, test) = match condition {
            Condition::Header(HeaderMatch {
                name,
                test,
                invert: false,
            }) => ("headers", name, test),
            Condition::Header(HeaderMatch {
                name,
                test,
                invert: true,
            }) => ("withoutHeaders", name, test),
            Condition::Query(QueryMatch { key, test }) => ("queryParams", key, test),
            Condition::Claim(_) => continue,
        };
        // One condition a field is enough here: `RuleIndex` alone is compared with more.
        if name.starts_with(':') || names.contains(&field) {
            continue;
        }
        names.push(field);
        let _ = write!(out, ", {field}: {{{name}: {}}}", text(test)?);
    }
    Some(out)
}

#[test]
fn decide_equals_decide_by_scan() {
    let mut compared = 0;
    for seed in 0..u64::from(super::cases(12)) {
        let mut source = super::rules::Source::new(seed);
        let shape = source.shape();
        let mut text = String::from(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, namespace: default}\nspec:\n  hosts: [a.example.com]\n  http:\n",
        );
        let rules = (0..80).filter_map(|_| yaml(&source.rule(&shape)));
        for (count, rule) in rules.enumerate() {
            let _ = writeln!(
                text,
                "  - match: [{{{rule}}}]\n    route: [{{destination: {{host: to-{count}.example.com, port: {{number: 80}}}}}}]"
            );
        }
        let mesh = Resources::from_yaml(&text)
            .and_then(Mesh::resolve)
            .unwrap_or_else(|report| panic!("{report}\n{text}"));
        let router = Router::compile(&mesh, &Proxy::default());
        for _ in 0..200 {
            let plain = source.request(&shape);
            let query: Vec<String> = plain
                .query
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            let target = format!("{}?{}", plain.path, query.join("&"));
            let mut request = Request::get(&target)
                .authority("a.example.com")
                .gateway("mesh");
            for (name, value) in plain
                .headers
                .iter()
                .filter(|(name, _)| !name.starts_with(':'))
            {
                request = request.header(name, value.as_bytes());
            }
            let (indexed, scanned) = (
                router.decide(&request, 7),
                router.decide_by_scan(&request, 7),
            );
            assert_eq!(
                indexed.position(),
                scanned.position(),
                "{target} {:?}\n{text}",
                plain.headers
            );
            compared += usize::from(indexed.position().is_some());
        }
    }
    assert!(compared > 200, "only {compared} requests had a rule");
}
