//! Round robin, least request, random, original destination; priorities, localities, slow start, retries.

use std::net::SocketAddr;

use meshroute::balance::{Choice, Health, Pool, State, Worker};
use proptest::prelude::*;

use super::*;

const ROUND_ROBIN: &str = "loadBalancer: {simple: ROUND_ROBIN}";
const LEAST_REQUEST: &str = "loadBalancer: {simple: LEAST_REQUEST}";
const RANDOM: &str = "loadBalancer: {simple: RANDOM}";

#[test]
fn r_b_50_round_robin_goes_round_from_a_place_of_its_own() {
    let endpoints = alike(3);
    let state = state(ROUND_ROBIN, &texts(&endpoints));
    for (seed, expected) in [(0, [0, 1, 2, 0, 1]), (4, [1, 2, 0, 1, 2])] {
        let mut worker = Worker::new(seed);
        assert_eq!(places(&state, &mut worker, 5, seconds(0)), expected);
    }
    // Workers do not see each other.
    let (mut one, mut other) = (Worker::new(0), Worker::new(0));
    places(&state, &mut one, 2, seconds(0));
    assert_eq!(places(&state, &mut other, 1, seconds(0)), [0]);
    assert_eq!(places(&state, &mut one, 1, seconds(0)), [2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn r_b_50_over_whole_rounds_each_has_exactly_its_weight(
        weights in prop::collection::vec(1_u32..50, 2..12), seed: u64, rounds in 1_u64..4,
    ) {
        let endpoints = weighted(&weights);
        let state = state(ROUND_ROBIN, &texts(&endpoints));
        let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        let mut worker = Worker::new(seed);
        let counts = counts(&state, &places(&state, &mut worker, sum * rounds, seconds(0)));
        for (count, weight) in counts.iter().zip(&weights) {
            // Doubles round: a turn may fall on the other side of the end.
            prop_assert!(count.abs_diff(u64::from(*weight) * rounds) <= 1, "{counts:?} for {weights:?}");
        }
    }
}

#[test]
fn r_b_51_least_request_takes_the_less_busy_of_two() {
    let endpoints = alike(4);
    let state = state(LEAST_REQUEST, &texts(&endpoints));
    let mut worker = Worker::new(0);
    let idle = counts(&state, &places(&state, &mut worker, 40_000, seconds(0)));
    assert_shares(&idle, &[1.0; 4]);
    // Keep place 0 busy: it is chosen only where it is drawn twice.
    let mut held = Vec::new();
    for number in 0.. {
        let lease = state.choose(&mut worker, &Choice::new(spread(number)));
        let lease = lease.expect("somebody is eligible");
        match lease.place() {
            Some(0) => held.push(lease),
            _ => drop(lease),
        }
        if held.len() == 3 {
            break;
        }
    }
    assert_eq!([0, 1, 2, 3].map(|place| state.active(place)), [3, 0, 0, 0]);
    let busy = counts(&state, &places(&state, &mut worker, 40_000, seconds(0)));
    assert_shares(&busy, &[1.0, 5.0, 5.0, 5.0]);
    drop(held);
    assert_eq!(state.active(0), 0);
}

#[test]
fn r_b_51_with_weights_a_busy_endpoint_weighs_less() {
    let endpoints = weighted(&[1, 2]);
    let state = state(LEAST_REQUEST, &texts(&endpoints));
    let mut worker = Worker::new(0);
    assert_eq!(
        counts(&state, &places(&state, &mut worker, 300, seconds(0))),
        [100, 200]
    );
    // Nothing ends: the n-th turn takes n / weight, n of them n² / 2 weights; so 1 to the square root of 2.
    let mut held = Vec::new();
    for number in 0..90 {
        held.extend(state.choose(&mut worker, &Choice::new(number)));
    }
    let active = [state.active(0), state.active(1)];
    assert_eq!(active[0] + active[1], 90);
    assert!((36..=39).contains(&active[0]), "{active:?}");
}

#[test]
fn r_b_51_random_is_uniform_whatever_the_weights() {
    let endpoints = weighted(&[1, 90, 1, 1, 1]);
    let state = state(RANDOM, &texts(&endpoints));
    let counts = counts(
        &state,
        &places(&state, &mut Worker::new(0), 50_000, seconds(0)),
    );
    assert_shares(&counts, &[1.0; 5]);
    // The same word, the same endpoint: there is no other generator.
    let choice = Choice::new(7);
    let place = |seed| {
        let lease = state.choose(&mut Worker::new(seed), &choice);
        lease.and_then(|lease| lease.place())
    };
    assert_eq!(place(0), place(1));
}

#[test]
fn r_b_51_passthrough_goes_where_the_client_meant() {
    let meant: SocketAddr = "10.9.9.9:8080".parse().expect("an address");
    let policy = "loadBalancer: {simple: PASSTHROUGH}";
    let state = State::new(Pool::new(&cluster_of("NONE", policy, &[])), seconds(0));
    let mut worker = Worker::new(0);
    assert!(state.choose(&mut worker, &Choice::new(1)).is_none());
    let lease = state.choose(&mut worker, &Choice::new(1).destination(meant));
    let lease = lease.expect("it was told").into_owned();
    assert_eq!(lease.target().socket_addr(), Some(meant));
    assert_eq!(lease.place(), None);
}

#[test]
fn r_b_54_a_retry_takes_another_endpoint_if_it_can() {
    let endpoints = alike(3);
    let hash = "loadBalancer: {consistentHash: {httpHeaderName: x, ringHash: {}}}";
    let table = "loadBalancer: {consistentHash: {httpHeaderName: x, maglev: {tableSize: 131}}}";
    for policy in [ROUND_ROBIN, hash, table] {
        let state = state(policy, &texts(&endpoints));
        let mut worker = Worker::new(0);
        for number in 0..50 {
            let mut tried = Vec::new();
            for _ in 0..3 {
                let choice = Choice::new(spread(number)).hash(Some(spread(number)));
                let lease = state
                    .choose(&mut worker, &choice.tried(&tried))
                    .expect("one");
                // Six entries of a ring or table may all be those that were tried.
                if policy == ROUND_ROBIN {
                    assert!(!tried.contains(&lease.id()), "{policy}");
                }
                tried.push(lease.id());
            }
            let choice = Choice::new(spread(number)).tried(&tried);
            assert!(state.choose(&mut worker, &choice).is_some(), "any will do");
            tried.dedup();
            assert!(tried.len() > 1, "{policy}: it moves on");
        }
    }
}

/// Two endpoints in the client's zone, two in another region.
const APART: [&str; 4] = [
    "{address: 10.0.0.1, locality: r1/z1}",
    "{address: 10.0.0.2, locality: r1/z1}",
    "{address: 10.0.0.3, locality: r2/z2}",
    "{address: 10.0.0.4, locality: r2/z2}",
];

#[test]
fn r_b_12_the_next_priority_takes_what_the_first_cannot() {
    for balancer in ["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"] {
        let policy = format!("loadBalancer: {{simple: {balancer}}}, outlierDetection: {{}}");
        let state = state(&policy, &APART);
        let mut worker = Worker::new(0);
        let mut share = || counts(&state, &places(&state, &mut worker, 20_000, seconds(0)));
        assert_shares(&share(), &[1.0, 1.0, 0.0, 0.0]);
        state.set_health(0, Health::Unhealthy, seconds(0));
        assert_shares(&share(), &[0.0, 70.0, 15.0, 15.0]);
        state.set_health(1, Health::Unhealthy, seconds(0));
        assert_shares(&share(), &[0.0, 0.0, 1.0, 1.0]);
        state.set_health(0, Health::Degraded, seconds(0));
        state.set_health(2, Health::Unhealthy, seconds(0));
        // 70 in the second, healthy; then 30 in the first, degraded.
        assert_shares(&share(), &[30.0, 0.0, 0.0, 70.0]);
        state.set_health(0, Health::Healthy, seconds(0));
        state.set_health(1, Health::Healthy, seconds(0));
        assert_shares(&share(), &[1.0, 1.0, 0.0, 0.0]);
    }
}

#[test]
fn r_b_13_nobody_is_chosen_where_nobody_is_well_unless_there_is_panic() {
    let endpoints = alike(4);
    for (least, expected) in [(0, None), (50, Some(()))] {
        let policy = format!("{ROUND_ROBIN}, outlierDetection: {{minHealthPercent: {least}}}");
        let state = state(&policy, &texts(&endpoints));
        (0..4).for_each(|place| state.set_health(place, Health::Unhealthy, seconds(0)));
        let mut worker = Worker::new(0);
        let chosen = state.choose(&mut worker, &Choice::new(1)).map(drop);
        assert_eq!(chosen, expected);
        // One of four is below a half: all are used; three of four are not.
        state.set_health(3, Health::Healthy, seconds(0));
        let all = counts(&state, &places(&state, &mut worker, 400, seconds(0)));
        let expected: [u64; 4] = if least == 0 { [0, 0, 0, 400] } else { [100; 4] };
        assert_eq!(all, expected);
    }
}

#[test]
fn r_b_52_localities_are_chosen_by_weight_and_by_their_health() {
    let policy = "loadBalancer: {simple: ROUND_ROBIN, localityLbSetting: {distribute: \
                  [{from: r1/z1/*, to: {r1/z1/*: 80, r2/z2/*: 20}}]}}";
    let state = state(policy, &APART);
    let mut worker = Worker::new(3);
    let mut share = || counts(&state, &places(&state, &mut worker, 1_000, seconds(0)));
    assert_eq!(share(), [400, 400, 100, 100]);
    // Half of the first is 0.7 of it: 56 to 20.
    state.set_health(0, Health::Unhealthy, seconds(0));
    let counts = share();
    assert_eq!(counts[0], 0);
    assert!(counts[1].abs_diff(737) <= 2, "{counts:?}");
    assert!(counts[2].abs_diff(counts[3]) <= 1, "{counts:?}");
}

#[test]
fn r_b_53_a_new_endpoint_warms_up() {
    let warm = |aggression: f64| {
        format!(
            "loadBalancer: {{simple: ROUND_ROBIN, warmup: {{duration: 100s, minimumPercent: 10, aggression: {aggression}}}}}"
        )
    };
    let (two, three) = (alike(2), alike(3));
    // Of a hundred picks, what the third, new one gets after so many seconds.
    for (aggression, after, share) in [
        (1.0, 0, 0.10),
        (1.0, 5, 0.10),
        (1.0, 50, 0.50),
        (2.0, 25, 0.50),
        (2.0, 0, 0.10),
        (1.0, 101, 1.0),
    ] {
        let policy = warm(aggression);
        let old = state(&policy, &texts(&two));
        let pool = Pool::new(&cluster(&policy, &texts(&three)));
        let came = seconds(1_000);
        let state = old.carry(pool, came);
        let mut worker = Worker::new(0);
        worker.refresh(&state, came + seconds(after));
        let picks = places(&state, &mut worker, 10_000, came + seconds(after));
        let counts = counts(&state, &picks);
        let expected = 10_000.0 * share / (2.0 + share);
        assert!(
            (counts[2] as f64 - expected).abs() <= 2.0,
            "{aggression} after {after} s: {counts:?}"
        );
        assert!(counts[0].abs_diff(counts[1]) <= 1, "{counts:?}");
    }
}

#[test]
fn r_m_094_the_own_zone_is_preferred_where_there_are_peers() {
    let endpoints = [
        "{address: 10.0.0.1, locality: r1/z1}",
        "{address: 10.0.0.2, locality: r1/z2}",
        "{address: 10.0.0.3, locality: r1/z2}",
        "{address: 10.0.0.4, locality: r1/z2}",
    ];
    let policy = "loadBalancer: {simple: ROUND_ROBIN, zoneAwareLbSetting: {minClusterSize: 2}}";
    let cluster = cluster(policy, &endpoints);
    let alone = State::new(Pool::new(&cluster), seconds(0));
    let counts_of = |state: &State| {
        let places = places(state, &mut Worker::new(0), 20_000, seconds(0));
        counts(state, &places)
    };
    assert_shares(&counts_of(&alone), &[1.0; 4]);
    // Half of the clients in a zone with a fourth of the endpoints: half of theirs stays.
    let peers = [("r1/z1", 2), ("r1/z2", 2)];
    let state = State::new(Pool::new(&cluster).with_peers("r1/z1", peers), seconds(0));
    assert_shares(&counts_of(&state), &[3.0, 1.0, 1.0, 1.0]);
}
