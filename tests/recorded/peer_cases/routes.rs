//! `route-build-cases/v1`: the routes that one VirtualService yields. Paths of Envoy's messages are read from the rules of a
//! gateway that binds the VirtualService.

use std::path::{Path, PathBuf};

use meshroute::router::{Action, Rule};
use meshroute::terms::condition::PathMatch;
use meshroute::terms::route_policy::{HashKey, PathRewrite};
use meshroute::{Request, Router};
use serde_json::json;

use crate::support::case::{self, Case};
use crate::support::engine::compile;
use crate::support::{Yaml, list, text};

/// Each assertion of each case, as `case: path`.
pub fn run(folder: &Path) -> Vec<(String, Option<String>)> {
    let mut files = Vec::new();
    case::files(folder, &mut files).expect("the folder can be read");
    let mut out = Vec::new();
    for file in files {
        let content = std::fs::read_to_string(&file).expect("the file can be read");
        let all: Yaml = serde_yaml::from_str(&content).expect("the file is YAML");
        for case in list(&all, "cases") {
            let (router, refused) = router(case);
            let request = Request::get("/").authority("any.example.org").port(8080);
            let decision = router.decide(&request, 0);
            let hosts = decision.route_config().map(|config| config.virtual_hosts());
            let rules = hosts
                .and_then(|mut hosts| hosts.next())
                .map_or(&[][..], |host| host.rules());
            for assertion in list(case, "assert") {
                let path = text(assertion, "path");
                let wrong = match &refused {
                    Some(why) => Some(why.clone()),
                    None => check(rules, assertion),
                };
                out.push((format!("{}: {path}", text(case, "name")), wrong));
            }
        }
    }
    out
}

/// A gateway `some-gateway` with the VirtualService of the case, and the first refusal.
fn router(case: &Yaml) -> (Router, Option<String>) {
    let mut vs = case["virtual_service"].clone();
    if list(&vs["spec"], "hosts").is_empty() {
        vs["spec"]["hosts"] = json!(["*"]);
    }
    let gateway = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
        "metadata": {"name": "some-gateway", "namespace": "default"},
        "spec": {"servers": [{"port": {"number": 8080, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]},
    });
    let service = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
        "metadata": {"name": "example", "namespace": "default"},
        "spec": {
            "hosts": ["*.example.org"], "resolution": "NONE",
            "ports": [{"number": 8080, "name": "default", "protocol": "HTTP"}],
        },
    });
    let mut documents = vec![vs, gateway, service];
    documents.extend(list(case, "other_resources").iter().cloned());
    let documents: Vec<String> = documents.iter().map(Yaml::to_string).collect();
    let case = Case {
        topic: String::new(),
        file: PathBuf::new(),
        id: text(case, "name").to_owned(),
        needs: vec![],
        resources: vec![("resources".to_owned(), documents.join("\n---\n"))],
        default_namespace: "default".to_owned(),
        mesh: Yaml::Null,
        proxy: json!({"type": "gateway", "namespace": "default"}),
        calls: vec![],
        expect_invalid: None,
        recorded: false,
        raw: Yaml::Null,
    };
    let engine = compile(&case, "cluster.local");
    let refused = engine
        .refused
        .first()
        .map(|(name, why)| format!("{name} is refused: {why}"));
    (engine.router, refused)
}

/// What is wrong with one assertion.
fn check(rules: &[Rule], assertion: &Yaml) -> Option<String> {
    let path = text(assertion, "path");
    let wanted = &assertion["want"];
    let got = if path == "routes" {
        json!(rules.len())
    } else {
        let parts = path
            .strip_prefix("routes[")
            .and_then(|rest| rest.split_once("]."));
        let Some((index, field)) = parts else {
            return Some(format!("`{path}` is not modelled"));
        };
        let Some(rule) = index.parse().ok().and_then(|index: usize| rules.get(index)) else {
            return Some("no such route".to_owned());
        };
        match read(rule, field) {
            Some(value) => value,
            None => return Some(format!("`{field}` is not modelled")),
        }
    };
    let same = match text(assertion, "op") {
        "BeEmpty" => got.as_array().is_some_and(Vec::is_empty),
        "len" => {
            got == *wanted
                || got
                    .as_array()
                    .is_some_and(|all| json!(all.len()) == *wanted)
        }
        "consist_of" => {
            got == Yaml::Array(wanted.as_array().into_iter().flatten().map(hash).collect())
        }
        _ => got == *wanted,
    };
    (!same).then(|| format!("expected {wanted}, got {got}"))
}

/// The key in an Envoy hash policy.
fn hash(policy: &Yaml) -> Yaml {
    let key = &policy["policySpecifier"];
    match (&key["cookie"]["name"], &key["queryParameter"]["name"]) {
        (Yaml::String(name), _) => json!(format!("cookie {name}")),
        (_, Yaml::String(name)) => json!(format!("query {name}")),
        _ => Yaml::Null,
    }
}

/// A field of an Envoy route, from the rule; `None` if it is not modelled.
fn read(rule: &Rule, field: &str) -> Option<Yaml> {
    let forward = rule.action().as_forward();
    let policy = forward.map(|forward| forward.policy());
    let symbol = |name: &str| json!({"@symbol": format!("envoyroute.{name}")});
    Some(match field {
        "name" => json!(rule.name()),
        "route.timeout.seconds" => json!(policy?.timeout.map_or(0, |timeout| timeout.as_secs())),
        "match.safeRegex.regex" => match &rule.matches().path {
            PathMatch::Regex(regex) => json!(regex.as_str()),
            _ => Yaml::Null,
        },
        "route.hashPolicy" => forward?
            .hash_policy()
            .iter()
            .map(|key| match key {
                HashKey::Cookie { name, .. } => json!(format!("cookie {name}")),
                HashKey::QueryParameter(name) => json!(format!("query {name}")),
                _ => Yaml::Null,
            })
            .collect(),
        "route.retryPolicy.retryHostPredicate" => {
            let avoid = policy?
                .retries
                .as_ref()
                .is_some_and(|retries| retries.avoid_previous_hosts);
            json!(usize::from(avoid))
        }
        "route.prefixRewrite" => match &policy?.rewrite.path {
            Some(PathRewrite::Uri(uri)) => json!(uri),
            _ => Yaml::Null,
        },
        "route.hostRewriteSpecifier" => json!({
            "@type": "envoyroute.RouteAction_HostRewriteLiteral",
            "hostRewriteLiteral": policy?.rewrite.authority,
        }),
        "redirect.responseCode" => match rule.action() {
            Action::Redirect(redirection) => match redirection.redirect().status {
                308 => symbol("RedirectAction_PERMANENT_REDIRECT"),
                other => json!(other),
            },
            _ => Yaml::Null,
        },
        "redirect.hostRedirect" => match rule.action() {
            Action::Redirect(redirection) => json!(redirection.redirect().authority),
            _ => Yaml::Null,
        },
        "redirect.pathRewriteSpecifier" => match rule.action() {
            Action::Redirect(redirection) => match &redirection.redirect().prefix_rewrite {
                Some(prefix) => {
                    json!({"@type": "envoyroute.RedirectAction_PrefixRewrite", "prefixRewrite": prefix})
                }
                None => json!({
                    "@type": "envoyroute.RedirectAction_PathRedirect",
                    "pathRedirect": redirection.redirect().uri,
                }),
            },
            _ => Yaml::Null,
        },
        "directResponse.status" => match rule.action() {
            Action::Respond(response) => json!(response.response().status),
            _ => Yaml::Null,
        },
        "directResponse.body.specifier.inlineString" => match rule.action() {
            Action::Respond(response) => json!(String::from_utf8_lossy(&response.response().body)),
            _ => Yaml::Null,
        },
        _ => return None,
    })
}
