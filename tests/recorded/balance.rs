//! Choosing an endpoint by hash, against every recorded pick of a real Envoy (R-B-01..R-B-41).

use std::collections::BTreeMap;

use meshroute::balance::{Algorithm, Endpoint, Health, Locality, Pool, RequestHash, Settings};
use serde_json::Value;

use super::support::archive;

/// The pool of a recorded cluster (`expect_clusters`).
fn pool(cluster: &Value) -> Pool {
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let algorithm = match cluster["lb_policy"].as_str() {
        Some("MAGLEV") => Algorithm::Maglev {
            table_size: number(&cluster["maglev"]["tableSize"]).unwrap_or(65_537),
        },
        _ => Algorithm::RingHash {
            minimum: number(&cluster["ring_hash"]["minimumRingSize"]).unwrap_or(1_024),
            maximum: number(&cluster["ring_hash"]["maximumRingSize"]).unwrap_or(8_388_608),
        },
    };
    let settings = Settings::new(algorithm)
        .locality_weighted(cluster["locality_weighted"].as_bool().unwrap_or(false))
        .panic_threshold(cluster["panic_threshold"].as_f64().unwrap_or(50.0));
    let groups = cluster["endpoints"].as_array().into_iter().flatten();
    let localities = groups.map(|group| {
        let endpoints = group["endpoints"].as_array().into_iter().flatten();
        let endpoints = endpoints.map(|endpoint| {
            let health = match endpoint["health"].as_str() {
                Some("unhealthy") => Health::Unhealthy,
                Some(other) => panic!("health `{other}`"),
                None => Health::Healthy,
            };
            Endpoint::new(endpoint["address"].as_str().expect("an address"))
                .weight(endpoint["weight"].as_u64().unwrap_or(1) as u32)
                .health(health)
        });
        Locality::new(group["locality"].as_str().unwrap_or_default(), endpoints)
            .priority(group["priority"].as_u64().unwrap_or(0) as u32)
            .weight(group["weight"].as_u64().unwrap_or(0) as u32)
    });
    Pool::new(settings, localities)
}

/// The hash of a recorded request by the policies of its route.
fn hash(call: &Value) -> Option<u64> {
    let request = &call["request"];
    let lines = |wanted: &str| -> Vec<String> {
        let headers = request["headers"].as_object().into_iter().flatten();
        let named = headers.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let values = named.flat_map(|(_, value)| match value {
            Value::Array(several) => several.clone(),
            value => vec![value.clone()],
        });
        values
            .map(|value| value.as_str().expect("text").to_owned())
            .collect()
    };
    let mut hash = RequestHash::default();
    for policy in call["expect"]["policy"]["hash_policy"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let text = |kind: &str, field: &str| policy[kind][field].as_str().unwrap_or_default();
        hash.add(if policy["header"].is_object() {
            let lines = lines(text("header", "headerName"));
            RequestHash::of_header(lines.iter().map(String::as_bytes))
        } else if policy["cookie"].is_object() {
            let lines = lines("cookie");
            let lines = lines.iter().map(String::as_bytes);
            RequestHash::of_cookie(lines, text("cookie", "name"))
        } else if policy["queryParameter"].is_object() {
            let target = request["path"].as_str().unwrap_or_default();
            RequestHash::of_query_parameter(target, text("queryParameter", "name"))
        } else {
            let source = request["source"].as_str().unwrap_or("10.99.99.99");
            Some(RequestHash::of_source(source.parse().expect("an address")))
        });
    }
    hash.value()
}

#[test]
fn every_recorded_pick_is_chosen() {
    let mut picks = 0;
    for (_, case) in archive::recorded().filter(|(topic, _)| topic == "picks") {
        let clusters = &case["expect_clusters"];
        let mut pools: BTreeMap<&str, Pool> = BTreeMap::new();
        for call in case["calls"].as_array().expect("calls") {
            let expect = &call["expect"];
            let (Some(wanted), Some(name)) =
                (expect["endpoint"].as_str(), expect["cluster"].as_str())
            else {
                continue;
            };
            let pool = pools.entry(name).or_insert_with(|| pool(&clusters[name]));
            let hash = hash(call).expect("a request that was picked for has a hash");
            let got = pool.choose_by_hash(hash, 0).map(Endpoint::address);
            assert_eq!(got, Some(wanted), "{} {}", case["id"], call["name"]);
            picks += 1;
        }
    }
    assert_eq!(picks, 1_054);
}
