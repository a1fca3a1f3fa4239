//! Comparing: each field of `expect` with the engine's decision, over as many words of entropy as it takes.

use super::case::{Call, Case};
use super::engine::{Engine, ask_for_endpoint, unknown_fields};
use super::{Yaml, list, text};

/// How one call ended.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Fields that differ.
    pub differences: Vec<Difference>,
    /// Fields, needs or outcomes that cannot be checked here.
    pub unchecked: Vec<String>,
    /// What was accepted for a reason that is worth saying.
    pub notes: Vec<String>,
    /// The decision nearest to what was expected.
    pub decision: Yaml,
    /// The entropy that it was drawn with.
    pub entropy: u64,
}

/// One field that differs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// FORMAT.md's name of it.
    pub field: String,
    /// As in the case.
    pub expected: String,
    /// As the engine says.
    pub got: String,
}

/// Words of entropy that are tried until a weighted pick, a fault or a mirror falls as recorded.
const TRIES: u64 = 20_000;

/// Asks the engine and compares.
pub fn judge(case: &Case, engine: &Engine, call: &Call) -> Verdict {
    let mut best: Option<Verdict> = None;
    for entropy in (0..TRIES).map(spread) {
        let decision = ask_for_endpoint(&engine.router, call, entropy);
        let verdict_is_open = depends_on_entropy(&decision);
        let verdict = compare(case, engine, call, decision, entropy);
        let hopeless = !verdict.differences.iter().all(may_be_drawn_otherwise);
        let better = best.as_ref().is_none_or(|best| rank(&verdict) < rank(best));
        if better {
            best = Some(verdict);
        }
        let done = best.as_ref().is_some_and(|best| rank(best) == (0, 0));
        if done || hopeless || !verdict_is_open {
            break;
        }
    }
    let mut verdict = best.expect("one word at least was tried");
    let unmet = case.unmet_needs();
    verdict
        .unchecked
        .extend(unmet.map(|need| format!("needs {need}")));
    verdict.unchecked.extend(case.unknown_fields());
    verdict.unchecked.extend(
        unknown_fields(call)
            .iter()
            .map(|field| format!("request.{field}")),
    );
    verdict
}

fn rank(verdict: &Verdict) -> (usize, usize) {
    (verdict.differences.len(), verdict.notes.len())
}

/// A well mixed word for each small number.
fn spread(number: u64) -> u64 {
    let mut word = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The decision holds something that another word could have drawn otherwise.
fn depends_on_entropy(decision: &Yaml) -> bool {
    let policy = &decision["policy"];
    let open = |share: &Yaml| {
        let percent = share["percent"].as_f64().unwrap_or(0.0);
        percent > 0.0 && percent < 100.0
    };
    decision["split"].is_object()
        || open(&policy["fault_abort"])
        || open(&policy["fault_delay"])
        || list(policy, "mirrors").iter().any(open)
}

/// Another word could make up for this difference.
fn may_be_drawn_otherwise(difference: &Difference) -> bool {
    let fields = [
        "outcome",
        "cluster",
        "status",
        "response_headers",
        "upstream_request",
        "mirrored_to",
        "body",
    ];
    fields
        .iter()
        .any(|field| difference.field.starts_with(field))
}

/// Fields of `expect` whose absence from a recorded, routed answer says that there was none.
const ABSENT_MEANS_NONE: &[&str] = &[
    "split",
    "policy",
    "virtual_service",
    "route",
    "body",
    "tcp",
    "cluster",
    "detail",
];

/// Begins of the names of headers that a proxy adds by itself: only raw recordings have them.
const OWN: &[&str] = &["x-envoy-", "x-forwarded-", "grpc-timeout", "te"];

/// Outcomes for which the recorder does not say which route was taken.
const FORMS: &[(&str, &[&str])] = &[
    (
        "matched",
        &[
            "cluster",
            "no_such_cluster",
            "redirect",
            "direct_response",
            "fault_abort",
            "cors_response",
        ],
    ),
    ("no_virtual_host", &["no_route"]),
    ("https_redirect", &["redirect"]),
    // Bytes that are no request were sent to where requests are awaited.
    (
        "connection_failure",
        &["connection_failure", "await_request"],
    ),
    ("multiple_filter_chains", &["connection_failure"]),
    ("protocol_error", &["connection_failure"]),
    ("tls_error", &["connection_failure"]),
];

fn compare(case: &Case, engine: &Engine, call: &Call, decision: Yaml, entropy: u64) -> Verdict {
    let mut verdict = Verdict {
        differences: vec![],
        unchecked: vec![],
        notes: vec![],
        decision,
        entropy,
    };
    let expect = &call.expect;
    let routed = case.recorded && expect["route_config"].is_string();
    let whole = routed || expect["strict"] == true;
    let fields: Vec<String> = expect
        .as_object()
        .map(|o| o.keys().cloned().collect())
        .unwrap_or_default();
    for field in &fields {
        // Where nothing listens, the recorder names its own socket.
        if field == "listener" && expect["outcome"] == "no_listener" {
            continue;
        }
        check(engine, call, expect, field, &mut verdict);
    }
    for field in ABSENT_MEANS_NONE.iter().filter(|_| whole) {
        let got = verdict.decision[*field].clone();
        let empty = got.as_object().is_some_and(|o| o.is_empty()) || got == "" || got == false;
        // The text of an injected fault is Envoy's own and was not noted.
        let unnoted = *field == "body" && expect["outcome"] == "fault_abort";
        if expect[*field].is_null() && !got.is_null() && !empty && !unnoted {
            verdict.differ(field, &Yaml::Null, &got);
        }
    }
    verdict
}

impl Verdict {
    /// Nothing differs.
    pub fn agrees(&self) -> bool {
        self.differences.is_empty()
    }

    fn differ(&mut self, field: &str, expected: &Yaml, got: &Yaml) {
        self.differences.push(Difference {
            field: field.to_owned(),
            expected: expected.to_string(),
            got: got.to_string(),
        });
    }
}

/// Checks one field of `expect`.
fn check(engine: &Engine, call: &Call, expect: &Yaml, field: &str, verdict: &mut Verdict) {
    let wanted = &expect[field];
    let got = verdict.decision[field].clone();
    match field {
        "strict" => {}
        "outcome" => outcome(wanted, &got, verdict),
        "policy" | "split" => {
            if !same(wanted, &got) {
                verdict.differ(field, wanted, &got);
            }
        }
        "response_headers" => {
            let got = without_generated(&got);
            // A recording has them all; what an author asserts is among them.
            let subset = |wanted: &Yaml| {
                let pairs = wanted.as_object().into_iter().flatten();
                pairs
                    .into_iter()
                    .all(|(name, value)| same(value, &got[name]))
            };
            let whole = expect["route_config"].is_string();
            if (whole && !same(wanted, &got)) || !subset(wanted) {
                verdict.differ(field, wanted, &got);
            }
        }
        "upstream_request" => upstream(call, wanted, &got, verdict),
        "mirrored_to" => {
            let sorted = |value: &Yaml| {
                let mut all: Vec<String> = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(Yaml::to_string)
                    .collect();
                all.sort();
                all
            };
            if sorted(wanted) != sorted(&got) {
                verdict.differ(field, wanted, &got);
            }
        }
        "status" if got.is_null() && forwarded_as_bytes(&verdict.decision) => {
            verdict
                .notes
                .push("the status of bytes that are passed on is not the proxy's".to_owned());
        }
        // Where nobody listens, the name that a recorder gives to its own entrance is not the proxy's.
        "listener" if got.is_null() && expect["outcome"] == "no_listener" => {}
        "detail" | "cluster" | "virtual_host" | "route_config" | "listener" | "position"
        | "route" | "virtual_service" | "status" | "body" | "tcp" | "endpoint" => {
            if !same(wanted, &got) {
                verdict.differ(field, wanted, &got);
            }
        }
        "not_passthrough" => {
            if verdict.decision["cluster"] == "PassthroughCluster" {
                verdict.differ(field, wanted, &verdict.decision["cluster"].clone());
            }
        }
        "weighted_split" => weighted_split(engine, call, wanted, verdict),
        other => verdict.unchecked.push(format!("expect.{other}")),
    }
}

/// `*` for the value of a cookie that a hash policy generated (FORMAT.md).
fn without_generated(headers: &Yaml) -> Yaml {
    let mut headers = headers.clone();
    let line = headers.get("set-cookie").and_then(Yaml::as_str);
    let parts = line.and_then(|line| {
        let (name, rest) = line.split_once("=\"")?;
        let (value, rest) = rest.split_once('"')?;
        let is_generated = value.len() == 16 && value.bytes().all(|b| b.is_ascii_hexdigit());
        is_generated.then(|| format!("{name}=\"*\"{rest}"))
    });
    if let Some(line) = parts {
        headers["set-cookie"] = line.into();
    }
    headers
}

/// The connection, not the request, was routed.
fn forwarded_as_bytes(decision: &Yaml) -> bool {
    decision["route_config"].is_null() && decision["cluster"].is_string()
}

fn outcome(wanted: &Yaml, got: &Yaml, verdict: &mut Verdict) {
    let wanted = wanted.as_str().unwrap_or("");
    let got_text = got.as_str().unwrap_or("");
    let agrees = match FORMS.iter().find(|(form, _)| *form == wanted) {
        Some((_, outcomes)) => outcomes.contains(&got_text),
        None => wanted == got_text,
    };
    if !agrees {
        verdict.differ("outcome", &wanted.into(), got);
    }
}

/// Equal, numbers by value.
fn same(wanted: &Yaml, got: &Yaml) -> bool {
    match (wanted, got) {
        (Yaml::Number(a), Yaml::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-9,
            _ => a == b,
        },
        (Yaml::Object(a), Yaml::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|b| same(value, b)))
        }
        (Yaml::Array(a), Yaml::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ => wanted == got,
    }
}

/// The request as the upstream gets it. A field of `upstream_request` that is not known here is unchecked.
fn upstream(call: &Call, wanted: &Yaml, got: &Yaml, verdict: &mut Verdict) {
    let (mut wanted, mut got) = (wanted.clone(), got.clone());
    if forwarded_as_bytes(&verdict.decision) {
        // The recorder sent it.
        remove(&mut wanted, "headers", &|name| name == "connection");
    } else if call.request["raw"] != true {
        let unrecorded = |name: &str| OWN.iter().any(|own| name.starts_with(own));
        let asked = wanted["headers"].clone();
        remove(&mut got, "headers", &|name| {
            unrecorded(name) && asked[name].is_null()
        });
        let gone = list(&wanted, "removed_headers").to_vec();
        let names = got.get_mut("removed_headers").and_then(Yaml::as_array_mut);
        if let Some(names) = names {
            names.retain(|name| gone.contains(name) || !unrecorded(name.as_str().unwrap_or("")));
            if names.is_empty() {
                remove(&mut got, "", &|name| name == "removed_headers");
            }
        }
    }
    let (wanted, got) = (&wanted, &got);
    let whole = !wanted["path"].is_null() && !wanted["host"].is_null();
    if whole && !same(wanted, got) {
        verdict.differ("upstream_request", wanted, got);
        return;
    }
    for (part, value) in wanted.as_object().into_iter().flatten() {
        match part.as_str() {
            "path" | "host" if same(value, &got[part.as_str()]) => {}
            "url" if same(value, &got["path"]) => {}
            "headers" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    let name = name.to_ascii_lowercase();
                    let sent = call.request["headers"].as_object().into_iter().flatten();
                    let sent = sent
                        .into_iter()
                        .find(|(n, _)| n.eq_ignore_ascii_case(&name))
                        .map(|(_, v)| v.clone());
                    let arrived = match &got["headers"][name.as_str()] {
                        Yaml::Null => sent.unwrap_or(Yaml::Null),
                        changed => changed.clone(),
                    };
                    let arrived = if name == "host" {
                        got["host"].clone()
                    } else {
                        arrived
                    };
                    if !same(value, &arrived) {
                        verdict.differ(
                            &format!("upstream_request.headers.{name}"),
                            value,
                            &arrived,
                        );
                    }
                }
            }
            "path" | "host" | "url" | "removed_headers" => {
                if !same(value, &got[part.as_str()]) {
                    verdict.differ(
                        &format!("upstream_request.{part}"),
                        value,
                        &got[part.as_str()],
                    );
                }
            }
            other => verdict
                .unchecked
                .push(format!("expect.upstream_request.{other}")),
        }
    }
}

/// Takes the fields whose name passes `test` out of an object in `field` ("": the value itself), and the object if it is
/// empty then.
fn remove(value: &mut Yaml, field: &str, test: &dyn Fn(&str) -> bool) {
    let inner = match field {
        "" => Some(&mut *value),
        field => value.get_mut(field),
    };
    if let Some(fields) = inner.and_then(Yaml::as_object_mut) {
        fields.retain(|name, _| !test(name));
        if fields.is_empty() && !field.is_empty() {
            remove(value, "", &|name| name == field);
        }
    }
}

/// Shares by host of many requests: `[{host, weight}]`, the host by its first label.
fn weighted_split(engine: &Engine, call: &Call, wanted: &Yaml, verdict: &mut Verdict) {
    let rounds = 10_000u64;
    let clusters: Vec<String> = (0..rounds)
        .map(|round| {
            text(
                &ask_for_endpoint(&engine.router, call, spread(round)),
                "cluster",
            )
            .to_owned()
        })
        .collect();
    let all = wanted.as_array().into_iter().flatten();
    let total: f64 = all
        .clone()
        .filter_map(|share| share["weight"].as_f64())
        .sum();
    for share in all {
        let host = text(share, "host");
        let reached = |cluster: &&String| {
            let name = cluster.rsplit('|').next().unwrap_or("");
            name == host || name.split('.').next() == Some(host)
        };
        let got = clusters.iter().filter(reached).count() as f64 / rounds as f64;
        let expected = share["weight"].as_f64().unwrap_or(0.0) / total;
        if (got - expected).abs() > 0.02 {
            verdict.differ("weighted_split", share, &got.into());
        }
    }
}
