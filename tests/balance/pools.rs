//! What a pool is made of: addresses, duplicates, names that DNS resolves; and what choosing costs.

use std::net::IpAddr;

use meshroute::balance::{Choice, Ended, Pool, State, Worker};

use super::*;

fn targets(pool: &Pool) -> Vec<String> {
    let all = (0..pool.len()).filter_map(|place| pool.target(place));
    all.map(|target| target.to_string()).collect()
}

#[test]
fn addresses_are_as_envoy_writes_them_and_duplicates_count_once() {
    let endpoints = [
        "{address: 10.0.0.1, weight: 3}",
        "{address: '2001:db8::1', ports: {http: 8080}}",
        "{address: 10.0.0.1, weight: 9}",
    ];
    let pool = Pool::new(&cluster("loadBalancer: {simple: ROUND_ROBIN}", &endpoints));
    assert_eq!(targets(&pool), ["10.0.0.1:80", "[2001:db8::1]:8080"]);
    let state = State::new(pool, seconds(0));
    let places = places(&state, &mut Worker::new(0), 8, seconds(0));
    assert_eq!(counts(&state, &places), [6, 2]);
}

#[test]
fn r_m_130_each_address_of_a_name_is_an_endpoint() {
    let endpoints = [
        "{address: a.example.com}",
        "{address: b.example.com, weight: 2}",
        "{address: 10.0.0.9}",
    ];
    let cluster = cluster_of("DNS", "loadBalancer: {simple: ROUND_ROBIN}", &endpoints);
    assert_eq!(
        targets(&Pool::new(&cluster)),
        ["a.example.com:80", "b.example.com:80", "10.0.0.9:80"]
    );
    let mut asked = Vec::new();
    let pool = Pool::resolved(&cluster, |host| -> Vec<IpAddr> {
        asked.push(host.to_owned());
        let said: &[&str] = match host {
            "b.example.com" => &["10.0.1.1", "fd00::1", "10.0.1.1"],
            _ => &[],
        };
        said.iter()
            .map(|text| text.parse().expect("an address"))
            .collect()
    });
    assert_eq!(asked, ["a.example.com", "b.example.com"]);
    assert_eq!(
        targets(&pool),
        ["10.0.1.1:80", "[fd00::1]:80", "10.0.0.9:80"]
    );
    assert!(pool.endpoint(0).is_some_and(|lb| lb.weight() == 2));
    let state = State::new(pool, seconds(0));
    let places = places(&state, &mut Worker::new(0), 10, seconds(0));
    assert_eq!(counts(&state, &places), [4, 4, 2]);
}

#[test]
fn nothing_to_choose_from_is_no_choice() {
    for policy in [
        "simple: ROUND_ROBIN",
        "simple: LEAST_REQUEST",
        "simple: RANDOM",
        "consistentHash: {useSourceIp: true}",
    ] {
        let state = state(&format!("loadBalancer: {{{policy}}}"), &[]);
        assert!(state.pool().is_empty());
        assert!(state.choose(&mut Worker::new(9), &Choice::new(9)).is_none());
        assert_eq!((state.active(3), state.is_ejected(3)), (0, false));
        assert!(state.pool().target(0).is_none() && state.pool().endpoint(0).is_none());
    }
}

#[test]
fn choosing_and_finishing_allocate_nothing() {
    let ejecting = "outlierDetection: {consecutive5xxErrors: 10000, minHealthPercent: 10}";
    for balancer in [
        "simple: ROUND_ROBIN",
        "simple: LEAST_REQUEST",
        "simple: RANDOM",
        "consistentHash: {httpHeaderName: x}",
        "consistentHash: {httpHeaderName: x, maglev: {tableSize: 131}}",
        "simple: ROUND_ROBIN, warmup: {duration: 1h}",
        "simple: LEAST_REQUEST, warmup: {duration: 1h}",
        "simple: ROUND_ROBIN, localityLbSetting: {distribute: [{from: r1/z1/*, to: {'*': 100}}]}",
    ] {
        for endpoints in [alike(50), weighted(&[1, 2, 3, 4])] {
            let policy = format!("loadBalancer: {{{balancer}}}, {ejecting}");
            let state = state(&policy, &texts(&endpoints));
            let mut worker = Worker::new(5);
            worker.refresh(&state, seconds(1));
            let tried = [state.pool().id(0).expect("one")];
            let info = allocation_counter::measure(|| {
                for number in 0..1_000 {
                    let choice = Choice::new(spread(number)).hash(Some(spread(!number)));
                    let choice = choice.at(seconds(2)).tried(&tried);
                    let lease = state.choose(&mut worker, &choice).expect("one");
                    let ended = if number.is_multiple_of(3) {
                        Ended::Status(500)
                    } else {
                        Ended::Status(200)
                    };
                    lease.into_owned().finish(ended, seconds(2));
                }
            });
            assert_eq!(info.count_total, 0, "{balancer}");
        }
    }
}

#[test]
fn what_is_printed_is_short() {
    let state = state("loadBalancer: {simple: RANDOM}", &texts(&alike(300)));
    let mut worker = Worker::new(0);
    let lease = state.choose(&mut worker, &Choice::new(0)).expect("one");
    let permit = state.admit(meshroute::balance::Limit::Requests, seconds(0));
    for text in [
        format!("{state:?}"),
        format!("{worker:?}"),
        format!("{lease:?}"),
        format!("{permit:?}"),
        format!("{:?}", state.pool()),
    ] {
        assert!(text.len() < 300, "{text}");
    }
}
