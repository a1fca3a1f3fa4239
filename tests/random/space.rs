//! Comparisons of two routers against every request of a tiny alphabet: what differs is told, and what is told differs.
//!
//! `MESHROUTE_PAIRS=1000000 cargo test --release --test random space` runs longer; `MESHROUTE_SEED=7` starts elsewhere.

use std::collections::BTreeSet;

use meshroute::space::{self, Witness};
use meshroute::{Decision, Mesh, Outcome, Proxy, Request, Resources, Router};
use serde_json::{Value, json};

use crate::generate::dice::Dice;

const HOSTS: [&str; 5] = ["a.test", "*.test", "b.test", "*", "*.a.test"];
const ASKED_HOSTS: [&str; 6] = [
    "a.test",
    "b.test",
    "c.test",
    "x.a.test",
    "other.example",
    "a.test:8080",
];
const PATHS: [&str; 7] = ["/", "/a", "/a/", "/ab", "/a/b", "/b", "/A"];
const ASKED_PATHS: [&str; 13] = [
    "/", "/a", "/a/", "/ab", "/a/b", "/b", "/A", "/abc", "/a/bc", "/c", "/A/", "/B", "/a/c",
];
const REGEXES: [&str; 7] = ["/a.*", "/[ab]", ".*b", "(?i)/a", ".*", "/a|/b", "/a(/.*)?"];
const VALUES: [&str; 4] = ["1", "2", "12", ""];
const ASKED_VALUES: [Option<&str>; 6] =
    [None, Some(""), Some("1"), Some("2"), Some("12"), Some("3")];
const VALUE_REGEXES: [&str; 4] = ["1.*", "[12]", ".*", "2?"];

fn value_test(dice: &mut Dice) -> Value {
    match dice.number(0, 4) {
        0 | 1 => json!({"exact": dice.pick(&VALUES[..3])}),
        2 => json!({"prefix": dice.pick(&VALUES[..3])}),
        3 => json!({"regex": dice.pick(&VALUE_REGEXES)}),
        _ => json!({}),
    }
}

fn a_match(dice: &mut Dice) -> Value {
    let mut out = json!({});
    if !dice.one_in(4) {
        out["uri"] = match dice.number(0, 4) {
            0 | 1 => json!({"prefix": dice.pick(&PATHS)}),
            2 | 3 => json!({"exact": dice.pick(&PATHS)}),
            _ => json!({"regex": dice.pick(&REGEXES)}),
        };
        if dice.one_in(5) && out["uri"].get("regex").is_none() {
            out["ignoreUriCase"] = json!(true);
        }
    }
    if dice.one_in(3) {
        out["headers"]["x-a"] = value_test(dice);
    }
    if dice.one_in(6) {
        out["withoutHeaders"]["x-a"] = value_test(dice);
    }
    if dice.one_in(5) {
        out["queryParams"]["k"] = value_test(dice);
    }
    if dice.one_in(5) {
        let methods: [Value; 3] = [
            json!({"exact": "GET"}),
            json!({"exact": "POST"}),
            json!({"regex": "P.*"}),
        ];
        out["method"] = dice.pick(&methods);
    }
    if dice.one_in(9) {
        out["authority"] = dice.pick(&[
            json!({"exact": "a.test"}),
            json!({"prefix": "x."}),
            json!({"regex": ".*:.*"}),
        ]);
    }
    if dice.one_in(9) {
        out["scheme"] = json!({"exact": "https"});
    }
    if dice.one_in(9) {
        out["port"] = json!(dice.pick(&[80, 443]));
    }
    out
}

fn route(dice: &mut Dice) -> Value {
    let destination =
        |name: &str| json!({"host": format!("to-{name}.example.com"), "port": {"number": 80}});
    let mut out = match dice.number(0, 9) {
        0 => json!({"redirect": {"uri": "/new", "redirectCode": dice.pick(&[301, 302])}}),
        1 => json!({"directResponse": {"status": dice.pick(&[200, 503])}}),
        2 | 3 => {
            let (left, right) = dice.pick(&[(50, 50), (1, 1), (3, 1), (75, 25)]);
            json!({"route": [
                {"destination": destination("a"), "weight": left},
                {"destination": destination("b"), "weight": right},
            ]})
        }
        _ => json!({"route": [{"destination": destination(dice.pick(&["a", "b", "c"]))}]}),
    };
    if out.get("route").is_some() {
        dice.maybe(6, &mut out, "timeout", |dice| {
            json!(dice.pick(&["1s", "2s"]))
        });
        dice.maybe(
            9,
            &mut out,
            "rewrite",
            |dice| json!({"uri": dice.pick(&["/a", "/z", "/a/"])}),
        );
        dice.maybe(
            9,
            &mut out,
            "headers",
            |_| json!({"request": {"set": {"x-set": "1"}}}),
        );
    }
    let count = dice.number(0, 2);
    let matches: Vec<Value> = (0..count).map(|_| a_match(dice)).collect();
    if !matches.is_empty() {
        out["match"] = json!(matches);
    }
    out
}

fn virtual_service(dice: &mut Dice, name: usize) -> Value {
    let hosts = dice.some(&HOSTS, 1, 2);
    let gateways = dice.pick(&[vec!["mesh"], vec!["gw"], vec!["mesh", "gw"]]);
    // `*` is no host for the mesh.
    let gateways = if hosts.contains(&"*") {
        vec!["gw"]
    } else {
        gateways
    };
    let count = dice.number(1, 4);
    let http: Vec<Value> = (0..count).map(|_| route(dice)).collect();
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": format!("vs{name}"), "namespace": "default"},
        "spec": {"hosts": hosts, "gateways": gateways, "http": http},
    })
}

/// The same configuration with something done to it, which may or may not change an answer.
fn mutant(dice: &mut Dice, services: &[Value]) -> Vec<Value> {
    let mut out = services.to_vec();
    let place = dice.number(0, out.len() as u64 - 1) as usize;
    let Some(rules) = out[place]["spec"]["http"].as_array_mut() else {
        return out;
    };
    let rule = dice.number(0, rules.len() as u64 - 1) as usize;
    match dice.number(0, 5) {
        0 => *rules = dice.shuffled(rules),
        1 if rules.len() > 1 => drop(rules.remove(rule)),
        2 => {
            let matches = rules[rule].get("match").and_then(Value::as_array).cloned();
            let all = matches.map(|matches| dice.shuffled(&matches));
            // One rule for each match, in some order.
            if let Some(all) = all {
                let split = all.into_iter().map(|one| {
                    let mut rule = rules[rule].clone();
                    rule["match"] = json!([one]);
                    rule
                });
                let split: Vec<Value> = split.collect();
                rules.splice(rule..=rule, split);
            }
        }
        3 => rules[rule] = route(dice),
        4 => rules.insert(rule, route(dice)),
        _ => {
            if rules[rule].get("match").is_some() {
                rules[rule]["match"][0] = a_match(dice);
            }
        }
    }
    out
}

fn router(services: &[Value]) -> Option<Router> {
    let mut documents = vec![json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
        "metadata": {"name": "gw", "namespace": "default"},
        "spec": {"selector": {"istio": "gw"}, "servers": [
            {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]},
            {"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": ["*.test"],
             "tls": {"mode": "SIMPLE", "credentialName": "cert"}},
        ]},
    })];
    for name in ["a", "b", "c"] {
        documents.push(json!({
            "apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"hosts": [format!("to-{name}.example.com")], "resolution": "DNS",
                     "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}]},
        }));
    }
    documents.extend(services.iter().cloned());
    let text: Vec<String> = documents.iter().map(Value::to_string).collect();
    let resources = Resources::from_json(&text.join("\n")).ok()?;
    let (mesh, _) = Mesh::resolve_lenient(resources);
    Some(Router::compile(&mesh, &Proxy::default()))
}

/// What a client and an upstream can tell of an answer, by the front door alone.
fn shown(decision: &Decision<'_>, request: &Request<'_>) -> String {
    let total: u64 = decision.split().map(|(_, weight)| u64::from(weight)).sum();
    let mut split: Vec<String> = decision
        .split()
        .map(|(cluster, weight)| {
            format!(
                "{} {}",
                cluster.name(),
                u64::from(weight) * 1000 / total.max(1)
            )
        })
        .collect();
    split.sort();
    match decision.outcome() {
        Outcome::Forward { .. } => {
            let meshroute::decision::Applied::Forward(upstream) = decision.apply(request) else {
                return format!("{split:?} nowhere");
            };
            let has = |name| upstream.headers.get(name).is_some();
            let told = (has("x-set"), has("x-envoy-original-path"));
            format!(
                "{split:?} {:?} {} {told:?}",
                decision.timeout(),
                upstream.path
            )
        }
        Outcome::NotFound(why) => format!("not found {:?}", why.status()),
        outcome => format!(
            "{} {:?} {:?}",
            outcome.name(),
            decision.status(),
            decision.apply(request)
        ),
    }
}

/// Calls `visit` with every request of the alphabet, and the host, scheme and side that it is for.
fn every_request(visit: &mut dyn FnMut(&Request<'_>, &str)) {
    for (gateway, scheme, port) in [
        ("mesh", "http", 80),
        ("gw", "http", 80),
        ("gw", "https", 443),
    ] {
        for host in ASKED_HOSTS {
            for path in ASKED_PATHS {
                for query in ASKED_VALUES {
                    let query = query.map(|value| format!("?k={value}")).unwrap_or_default();
                    let name = host.split(':').next().unwrap_or_default();
                    let url = format!("{scheme}://{name}{path}{query}");
                    for method in ["GET", "POST"] {
                        let request = Request::new(method, &url)
                            .authority(host)
                            .port(port)
                            .gateway(gateway);
                        for value in ASKED_VALUES {
                            match value {
                                None => visit(&request, host),
                                Some(value) => visit(&request.clone().header("x-a", value), host),
                            }
                        }
                    }
                }
            }
        }
    }
}

fn witness_shows(witness: &Witness, before: &Router, after: &Router) -> (String, String) {
    if witness.is_bare_connection() {
        let show = |router| witness.decide(router, 0).to_string();
        return (show(before), show(after));
    }
    witness.with_request(|request| {
        let show = |router: &Router| shown(&router.decide(request, 0), request);
        (show(before), show(after))
    })
}

fn check(seed: u64, exhaustive: bool) -> [usize; 3] {
    let mut dice = Dice::new(seed);
    let count = dice.number(1, 2) as usize;
    let services: Vec<Value> = (0..count)
        .map(|name| virtual_service(&mut dice, name))
        .collect();
    let others = match dice.one_in(4) {
        true => (0..count)
            .map(|name| virtual_service(&mut dice, name))
            .collect(),
        false => mutant(&mut dice, &services),
    };
    let (Some(before), Some(after)) = (router(&services), router(&others)) else {
        return [0; 3];
    };
    let changes = space::diff(&before, &after);
    let report = || {
        format!(
            "seed {seed}\nbefore {}\nafter {}\n{changes}",
            json!(services),
            json!(others)
        )
    };
    assert!(changes.not_proved().is_empty(), "not proved\n{}", report());
    for change in changes.changes() {
        let (one, other) = witness_shows(&change.witness, &before, &after);
        assert_ne!(
            one,
            other,
            "false difference: {}\n{}",
            change.witness,
            report()
        );
    }
    let told = !changes.changes().is_empty();
    let classes = space::classes(&before);
    assert!(
        classes.not_proved().is_empty(),
        "{:?} of\n{}",
        classes.not_proved(),
        report()
    );
    let dead = classes
        .dead_rules()
        .iter()
        .filter(|rule| rule.is_dead_everywhere);
    let dead: BTreeSet<&str> = dead.map(|rule| &*rule.rule).collect();
    if !exhaustive {
        return [usize::from(told), changes.changes().len(), 0];
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut asked = 0;
    every_request(&mut |request, host| {
        asked += 1;
        let show = |router: &Router| shown(&router.decide(request, 0), request);
        let (one, other) = (show(&before), show(&after));
        if let Some(origin) = before.decide(request, 0).origin() {
            assert!(
                !dead.contains(&*origin.to_string()),
                "{origin} is not dead: {request:?}\n{}",
                report()
            );
        }
        if one != other {
            let name = host.split(':').next().unwrap_or_default();
            // A change for the domain that claims the host.
            let domain = |own: &String| match own.strip_prefix('*') {
                Some(suffix) => name.ends_with(suffix),
                None => own == name,
            };
            let is_told = changes
                .changes()
                .iter()
                .any(|change| change.hosts.iter().any(domain));
            assert!(is_told, "missed: {request:?} {one} / {other}\n{}", report());
            seen.insert(host.to_owned());
        }
    });
    [usize::from(told), changes.changes().len(), asked]
}

#[test]
fn what_differs_is_told_and_what_is_told_differs() {
    let number = |name: &str, default: u64| {
        let said = std::env::var(name).ok().and_then(|text| text.parse().ok());
        said.unwrap_or(default)
    };
    let (first, count) = (number("MESHROUTE_SEED", 1), number("MESHROUTE_PAIRS", 24));
    let mut sums = [0; 3];
    for seed in first..first + count {
        let found = check(seed, true);
        sums.iter_mut()
            .zip(found)
            .for_each(|(sum, found)| *sum += found);
    }
    let [differing, classes, asked] = sums;
    eprintln!(
        "{count} pairs, {differing} differ, {classes} classes, {asked} requests asked of both"
    );
    // Both kinds of pair are there, or nothing was tested.
    assert!(
        differing as u64 > count / 10 && (differing as u64) < count,
        "{differing} of {count} differ"
    );
}
