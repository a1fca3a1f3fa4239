//! From a cluster to one of its endpoints: each rule of balancing by itself, over clusters as they are compiled. Picks that a
//! real Envoy made are in `tests/recorded`.

mod algorithms;
mod carry;
mod hashes;
mod limits;
mod outliers;
mod pools;
mod threads;

use std::time::Duration;

use meshroute::balance::{Choice, Pool, State, Worker};
use meshroute::router::Cluster;
use meshroute::{Mesh, Proxy, Request, Resources, Router};

/// A cluster of `endpoints` (a YAML list's items) under a traffic policy, as a client in `r1/z1` sees it.
pub fn cluster(policy: &str, endpoints: &[&str]) -> Cluster {
    cluster_of("STATIC", policy, endpoints)
}

/// The same, its endpoints found in this way.
pub fn cluster_of(resolution: &str, policy: &str, endpoints: &[&str]) -> Cluster {
    let text = yaml(resolution, policy, endpoints);
    let resources = Resources::from_yaml(&text).unwrap_or_else(|report| panic!("{report}\n{text}"));
    let mesh = Mesh::resolve(resources).unwrap_or_else(|report| panic!("{report}\n{text}"));
    let proxy = Proxy::sidecar("default").with_locality("r1/z1");
    of(&Router::compile(&mesh, &proxy))
}

/// The configuration of that cluster.
pub fn yaml(resolution: &str, policy: &str, endpoints: &[&str]) -> String {
    let endpoints = match (resolution, endpoints.join(", ")) {
        ("NONE", _) => String::new(),
        (_, endpoints) => format!(", endpoints: [{endpoints}]"),
    };
    format!(
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: shop, namespace: default}}\n\
         spec: {{hosts: [shop.example.com], ports: [{{number: 80, name: http, protocol: HTTP}}], \
         resolution: {resolution}{endpoints}}}\n---\n\
         apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: shop, namespace: default}}\n\
         spec: {{host: shop.example.com, trafficPolicy: {{{policy}}}}}\n"
    )
}

/// Where a request to the shop goes.
pub fn of(router: &Router) -> Cluster {
    let decision = router.decide(&Request::get("http://shop.example.com/"), 0);
    decision.cluster().expect("it is forwarded").clone()
}

/// `{address: 10.0.0.1}`, ... : so many, all alike.
pub fn alike(count: usize) -> Vec<String> {
    let address = |at: usize| format!("{{address: 10.0.{}.{}}}", at / 250, at % 250 + 1);
    (0..count).map(address).collect()
}

/// The same with these weights.
pub fn weighted(weights: &[u32]) -> Vec<String> {
    let all = alike(weights.len()).into_iter().zip(weights);
    all.map(|(endpoint, weight)| endpoint.replace('}', &format!(", weight: {weight}}}")))
        .collect()
}

/// The same, borrowed.
pub fn texts(endpoints: &[String]) -> Vec<&str> {
    endpoints.iter().map(String::as_str).collect()
}

/// Such a cluster, to be chosen from.
pub fn state(policy: &str, endpoints: &[&str]) -> State {
    State::new(Pool::new(&cluster(policy, endpoints)), Duration::ZERO)
}

/// So many seconds.
pub const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A well mixed word for each small number.
pub fn spread(number: u64) -> u64 {
    let mut word = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The places of so many choices, each of which is over before the next one.
pub fn places(state: &State, worker: &mut Worker, choices: u64, now: Duration) -> Vec<usize> {
    let choose = |number| {
        let choice = Choice::new(spread(number)).at(now);
        let lease = state.choose(worker, &choice).expect("somebody is eligible");
        lease.place().expect("one of the pool's")
    };
    (0..choices).map(choose).collect()
}

/// How often each place was chosen.
pub fn counts(state: &State, places: &[usize]) -> Vec<u64> {
    let mut counts = vec![0; state.pool().len()];
    for place in places {
        counts[*place] += 1;
    }
    counts
}

/// Each count is the share of all that it should be, within five standard deviations.
pub fn assert_shares(counts: &[u64], shares: &[f64]) {
    let all: u64 = counts.iter().sum();
    let whole: f64 = shares.iter().sum();
    assert_eq!(counts.len(), shares.len());
    for (count, share) in counts.iter().zip(shares) {
        let share = share / whole;
        let mean = all as f64 * share;
        let deviation = (mean * (1.0 - share)).sqrt();
        let off = (*count as f64 - mean).abs();
        assert!(off <= 5.0 * deviation, "{counts:?} for {shares:?}");
    }
}
