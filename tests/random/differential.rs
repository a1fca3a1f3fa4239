//! Router == specification: random configurations and requests, every field of every decision.
//!
//! `MESHROUTE_DIFFERENTIAL=20000 cargo test --release --test random differential` runs longer; `MESHROUTE_SEED=7` starts
//! elsewhere. A configuration on which the two differ is shrunk and written out as a case of the form `routing-case/v1`.

use std::path::PathBuf;

use serde_json::json;

use crate::generate::{Generated, generate_mixed};
use crate::spec::{Answer, Call, Proxy, World, possible_answers};
use crate::support::Yaml;
use crate::support::case::{self, Case};
use crate::support::engine::{ask, compile};
use crate::support::gateway_services;

/// Words of entropy that each request is decided with.
const WORDS: [u64; 6] = [
    0,
    u64::MAX,
    0x0123_4567_89ab_cdef,
    0x9e37_79b9_7f4a_7c15,
    0x5555_5555_5555_5555,
    0xd1b5_4a32_d192_ed03,
];

/// A request on which the two differ: its index, the engine's decision, and the nearest answer of the specification.
struct Difference {
    index: usize,
    engine: Yaml,
    specification: Yaml,
}

/// What came of one configuration.
enum Result {
    Same,
    /// Admission would refuse a resource; nothing to compare.
    Refused(String),
    Differs(Difference),
}

#[test]
fn the_router_decides_as_the_specification_says() {
    let number = |name: &str, default: u64| {
        let said = std::env::var(name).ok().and_then(|text| text.parse().ok());
        said.unwrap_or(default)
    };
    let (first, count) = (
        number("MESHROUTE_SEED", 1),
        number("MESHROUTE_DIFFERENTIAL", 300),
    );
    let mut refused = Vec::new();
    for seed in first..first + count {
        let generated = generate_mixed(seed);
        match run(&generated) {
            Result::Same => {}
            Result::Refused(why) => refused.push(format!("seed {seed}: {why}")),
            Result::Differs(_) => {
                let smallest = shrunk(generated);
                let Result::Differs(difference) = run(&smallest) else {
                    panic!("seed {seed}: the difference went away while shrinking");
                };
                let path = write_out(seed, &smallest, &difference);
                panic!(
                    "seed {seed} differs, see {}\nrequest       {}\nengine        {}\nspecification {}",
                    path.display(),
                    smallest.requests[difference.index],
                    difference.engine,
                    difference.specification
                );
            }
        }
    }
    // The generator means to write what admission accepts.
    let share = refused.len() as u64 * 100 / count.max(1);
    assert!(share <= 10, "{share} % refused:\n{}", refused.join("\n"));
}

/// Asks both.
fn run(generated: &Generated) -> Result {
    let registers =
        |resource: &Yaml| resource["kind"] == "Service" || resource["kind"] == "ServiceEntry";
    if !generated.resources.iter().any(registers) {
        // This crate's own rule, unknown to Istio: hosts are taken as written.
        return Result::Refused("an empty registry is open".to_owned());
    }
    let case = as_case(generated);
    let engine = compile(&case, "cluster.local");
    if let Some((name, why)) = engine.refused.first() {
        return Result::Refused(format!("{name}: {why}"));
    }
    let proxy = Proxy {
        gateway: generated.proxy["type"] == "gateway",
        namespace: crate::spec::text(&generated.proxy, "namespace").to_owned(),
        labels: generated.proxy["labels"].clone(),
        address: "1.1.1.1".parse().ok(),
    };
    let resources = case.resources[0].1.clone() + &gateway_services::written(&case);
    let world = World::read(&resources, "default", generated.mesh.clone(), proxy);
    for (index, call) in case.calls.iter().enumerate() {
        let answers = possible_answers(&world, &Call::read(&call.request));
        let answers: Vec<Yaml> = answers
            .iter()
            .map(Answer::to_json)
            .map(without_details)
            .collect();
        for word in WORDS {
            let decision = without_details(ask(&engine.router, call, word));
            if !answers.contains(&decision) {
                let distance = |answer: &&Yaml| distance(answer, &decision);
                let nearest = answers.iter().min_by_key(distance).cloned();
                return Result::Differs(Difference {
                    index,
                    engine: decision,
                    specification: nearest.unwrap_or(Yaml::Null),
                });
            }
        }
    }
    Result::Same
}

/// Without what a recording does not say of a request that found no route.
fn without_details(mut decision: Yaml) -> Yaml {
    let Some(fields) = decision.as_object_mut() else {
        return decision;
    };
    let unrouted = !fields.contains_key("position");
    if unrouted {
        fields.remove("virtual_host");
        fields.remove("route_config");
    }
    if fields
        .get("outcome")
        .is_some_and(|outcome| outcome == "no_listener" || outcome == "no_filter_chain")
    {
        fields.remove("listener");
    }
    if unrouted && fields.contains_key("cluster") {
        // Bytes are passed on: what is in them is nobody's business.
        for field in ["status", "upstream_request", "tcp", "virtual_service"] {
            fields.remove(field);
        }
    }
    if fields
        .get("policy")
        .and_then(Yaml::as_object)
        .is_some_and(|policy| policy.is_empty())
    {
        fields.remove("policy");
    }
    if fields.get("route").is_some_and(|route| route == "") {
        fields.remove("route");
    }
    decision
}

/// In how many fields two decisions differ; the cluster counts most, since it says which answer is meant.
fn distance(a: &Yaml, b: &Yaml) -> usize {
    let fields = |value: &Yaml| value.as_object().cloned().unwrap_or_default();
    let (a, b) = (fields(a), fields(b));
    let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
    names.sort();
    names.dedup();
    let weight = |name: &&String| match name.as_str() {
        "cluster" | "outcome" => 3,
        _ => 1,
    };
    names
        .iter()
        .filter(|name| a.get(**name) != b.get(**name))
        .map(weight)
        .sum()
}

fn as_case(generated: &Generated) -> Case {
    let documents: Vec<String> = generated.resources.iter().map(Yaml::to_string).collect();
    Case {
        topic: String::new(),
        file: PathBuf::new(),
        id: "generated".to_owned(),
        needs: vec![],
        resources: vec![("resources".to_owned(), documents.join("\n---\n"))],
        default_namespace: "default".to_owned(),
        mesh: generated.mesh.clone(),
        proxy: generated.proxy.clone(),
        calls: generated
            .requests
            .iter()
            .map(|request| case::Call {
                name: String::new(),
                request: request.clone(),
                expect: Yaml::Null,
            })
            .collect(),
        expect_invalid: None,
        recorded: false,
        raw: Yaml::Null,
    }
}

/// The smallest configuration that can be reached by leaving things out while the two still differ.
fn shrunk(mut generated: Generated) -> Generated {
    let differs = |candidate: &Generated| matches!(run(candidate), Result::Differs(_));
    if let Result::Differs(difference) = run(&generated) {
        generated.requests = vec![generated.requests[difference.index].clone()];
    }
    loop {
        let before = generated.clone();
        for index in (0..generated.resources.len()).rev() {
            let mut candidate = generated.clone();
            candidate.resources.remove(index);
            if differs(&candidate) {
                generated = candidate;
            }
        }
        for index in 0..generated.resources.len() {
            for path in paths(&generated.resources[index]["spec"]).into_iter().rev() {
                let mut candidate = generated.clone();
                remove(&mut candidate.resources[index]["spec"], &path);
                if differs(&candidate) {
                    generated = candidate;
                }
            }
        }
        for path in paths(&generated.mesh).into_iter().rev() {
            let mut candidate = generated.clone();
            remove(&mut candidate.mesh, &path);
            if differs(&candidate) {
                generated = candidate;
            }
        }
        for path in paths(&generated.requests[0]["headers"]).into_iter().rev() {
            let mut candidate = generated.clone();
            remove(&mut candidate.requests[0]["headers"], &path);
            if differs(&candidate) {
                generated = candidate;
            }
        }
        if generated == before {
            return generated;
        }
    }
}

/// JSON pointers to everything within a value, outer before inner.
fn paths(value: &Yaml) -> Vec<String> {
    let children: Vec<(String, &Yaml)> = match value {
        Yaml::Array(all) => all
            .iter()
            .enumerate()
            .map(|(i, v)| (i.to_string(), v))
            .collect(),
        Yaml::Object(all) => all
            .iter()
            .map(|(k, v)| (k.replace('~', "~0").replace('/', "~1"), v))
            .collect(),
        _ => vec![],
    };
    let mut out = Vec::new();
    for (name, child) in children {
        out.push(format!("/{name}"));
        out.extend(
            paths(child)
                .into_iter()
                .map(|path| format!("/{name}{path}")),
        );
    }
    out
}

/// Leaves out what a pointer points to, if it is still there.
fn remove(value: &mut Yaml, path: &str) {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    match value.pointer_mut(parent) {
        Some(Yaml::Array(all)) => {
            if let Ok(index) = name.parse::<usize>()
                && index < all.len()
            {
                all.remove(index);
            }
        }
        Some(Yaml::Object(all)) => {
            all.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        _ => {}
    }
}

/// Writes the case, with what the specification expects, where the build directory is.
fn write_out(seed: u64, generated: &Generated, difference: &Difference) -> PathBuf {
    let documents: Vec<String> = generated
        .resources
        .iter()
        .map(|resource| serde_yaml::to_string(resource).unwrap_or_else(|_| resource.to_string()))
        .collect();
    let case = json!({
        "schema": "routing-case/v1",
        "id": format!("differential/{seed}"),
        "name": format!("differential {seed}"),
        "needs": [],
        "proxy": generated.proxy,
        "mesh": generated.mesh,
        "resources": documents.join("---\n"),
        "calls": [{
            "name": "c0",
            "request": generated.requests[difference.index],
            "expect": difference.specification,
        }],
    });
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("differential-{seed}.yaml"));
    let written = serde_yaml::to_string(&case).unwrap_or_else(|_| case.to_string());
    std::fs::write(&path, written).expect("the build directory can be written to");
    path
}
