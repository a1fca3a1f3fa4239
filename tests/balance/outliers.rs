//! Outlier detection: what ejects an endpoint, for how long, and how many (R-B-60).

use meshroute::balance::{Choice, Ended, EndpointId, Health, State, Worker};

use super::*;

/// Sends requests until one meets the endpoint at `place`, which ends like this.
fn meet(state: &State, worker: &mut Worker, place: usize, ended: Ended, now: Duration) {
    for number in 0..10_000 {
        let lease = state.choose(worker, &Choice::new(spread(number)).at(now));
        let lease = lease.expect("somebody is eligible");
        if lease.place() == Some(place) {
            return lease.finish(ended, now);
        }
    }
    panic!("nobody meets {place}");
}

/// Four endpoints under these settings of outlier detection.
fn four(settings: &str) -> (State, Worker) {
    let policy = format!(
        "loadBalancer: {{simple: ROUND_ROBIN}}, outlierDetection: {{interval: 10s, baseEjectionTime: 30s, \
         maxEjectionPercent: 100, {settings}}}"
    );
    (state(&policy, &texts(&alike(4))), Worker::new(0))
}

fn ejected(state: &State) -> Vec<usize> {
    let all = 0..state.pool().len();
    let ejected: Vec<usize> = all.filter(|place| state.is_ejected(*place)).collect();
    assert_eq!(ejected.len(), state.ejected() as usize);
    ejected
}

#[test]
fn r_b_60_what_ejects_and_what_does_not() {
    use Ended::{Cancelled, Connected, NotConnected, Reset, Status, Timeout};
    let s = Status;
    let three = "consecutive5xxErrors: 3";
    let gateway = "consecutive5xxErrors: 0, consecutiveGatewayErrors: 2";
    let split = "splitExternalLocalOriginErrors: true, consecutive5xxErrors: 2, consecutiveLocalOriginFailures: 2";
    let codes = "consecutive5xxErrors: 2, outlierDetectionHttpErrorCodes: [429, 503]";
    let cases: &[(&str, &[Ended], bool)] = &[
        (three, &[s(500), s(503)], false),
        (three, &[s(500), s(503), s(599)], true),
        (
            three,
            &[s(500), s(200), s(500), s(404), s(500), s(500)],
            false,
        ),
        (three, &[s(600), s(499), s(1)], false),
        (three, &[Reset, Timeout, NotConnected], true),
        (three, &[Reset, Cancelled, Reset], false),
        (three, &[Reset, Reset, Connected, Reset], false),
        (gateway, &[s(500), s(500), s(500)], false),
        (gateway, &[s(502), s(500), s(504)], false),
        (gateway, &[s(502), s(504)], true),
        (gateway, &[Reset, Timeout], true),
        (split, &[NotConnected, NotConnected], true),
        (
            split,
            &[NotConnected, s(500), NotConnected, s(200), NotConnected],
            false,
        ),
        // A connection was made each time.
        (split, &[Reset, Timeout, Reset, Timeout], false),
        (split, &[Reset, NotConnected], true),
        (split, &[NotConnected, Connected, NotConnected], false),
        (split, &[s(500), s(500)], true),
        (codes, &[s(429), s(503)], true),
        (codes, &[s(500), s(500), s(502)], false),
        (codes, &[s(429), s(500), s(429)], false),
        (
            "consecutive5xxErrors: 0",
            &[s(500), s(500), s(500), s(500), s(500)],
            false,
        ),
    ];
    for (settings, endings, expected) in cases {
        let (state, mut worker) = four(settings);
        for ended in *endings {
            meet(&state, &mut worker, 2, *ended, seconds(1));
        }
        let expected: &[usize] = if *expected { &[2] } else { &[] };
        assert_eq!(ejected(&state), expected, "{settings}: {endings:?}");
    }
}

#[test]
fn r_b_60_in_split_mode_any_error_is_a_gateway_error() {
    let split = "splitExternalLocalOriginErrors: true, consecutive5xxErrors: 0, consecutiveGatewayErrors: 2";
    let (state, mut worker) = four(split);
    meet(&state, &mut worker, 0, Ended::Status(500), seconds(1));
    meet(&state, &mut worker, 0, Ended::Status(501), seconds(1));
    assert_eq!(ejected(&state), [0]);
}

#[test]
fn r_b_60_an_ejected_endpoint_comes_back_at_a_tick_and_is_away_longer_each_time() {
    let (state, mut worker) = four("consecutive5xxErrors: 2");
    let mut now = seconds(1);
    for away in [30, 60, 90] {
        for _ in 0..2 {
            meet(&state, &mut worker, 1, Ended::Status(500), now);
        }
        assert_eq!(ejected(&state), [1]);
        let chosen = counts(&state, &places(&state, &mut worker, 30, now));
        assert_eq!(chosen, [10, 0, 10, 10]);
        // The tick after its time: ticks are each 10 s from the start.
        let back = seconds((now.as_secs() + away).div_ceil(10) * 10);
        places(&state, &mut worker, 1, back - Duration::from_millis(1));
        assert_eq!(ejected(&state), [1], "after {away} s");
        let chosen = counts(&state, &places(&state, &mut worker, 40, back));
        assert_eq!((ejected(&state), chosen), (vec![], vec![10; 4]));
        now = back + seconds(1);
    }
    // Three healthy ticks later, 30 s again.
    now += seconds(30);
    state.tick(now);
    for _ in 0..2 {
        meet(&state, &mut worker, 1, Ended::Status(500), now);
    }
    state.tick(now + seconds(40));
    assert_eq!(ejected(&state), [0; 0]);
}

#[test]
fn r_b_60_counting_begins_anew_after_an_ejection() {
    let (state, mut worker) = four("consecutive5xxErrors: 3");
    let before: Vec<_> = (0..400)
        .filter_map(|number| state.choose(&mut worker, &Choice::new(number)))
        .filter(|lease| lease.place() == Some(3))
        .take(8)
        .collect();
    // Five fail at once; three eject, and what comes later says nothing of the time after.
    for lease in before {
        lease.finish(Ended::Status(500), seconds(1));
    }
    assert_eq!(ejected(&state), [3]);
    state.tick(seconds(40));
    assert_eq!(ejected(&state), [0; 0]);
    for _ in 0..2 {
        meet(&state, &mut worker, 3, Ended::Status(500), seconds(41));
    }
    assert_eq!(ejected(&state), [0; 0]);
}

#[test]
fn r_b_60_no_more_than_their_share_are_ejected() {
    for (percent, most) in [
        (0, 0),
        (10, 0),
        (24, 0),
        (25, 1),
        (50, 2),
        (74, 2),
        (100, 4),
    ] {
        let settings = format!(
            "consecutive5xxErrors: 1, minHealthPercent: 100, maxEjectionPercent: {percent}"
        );
        let policy =
            format!("loadBalancer: {{simple: ROUND_ROBIN}}, outlierDetection: {{{settings}}}");
        let state = state(&policy, &texts(&alike(4)));
        let mut worker = Worker::new(0);
        for number in 0..40 {
            let lease = state
                .choose(&mut worker, &Choice::new(number))
                .expect("panic chooses all");
            lease.finish(Ended::Status(500), seconds(1));
        }
        // 0 and unset are Envoy's 10 %.
        assert_eq!(ejected(&state).len(), most, "{percent} %");
    }
}

#[test]
fn an_active_check_that_finds_it_well_brings_it_back() {
    let (state, mut worker) = four("consecutive5xxErrors: 1");
    meet(&state, &mut worker, 2, Ended::Timeout, seconds(1));
    assert_eq!(
        (ejected(&state), state.health(2)),
        (vec![2], Health::Unhealthy)
    );
    state.set_health(2, Health::Healthy, seconds(2));
    assert_eq!(
        (ejected(&state), state.health(2)),
        (vec![], Health::Healthy)
    );
    assert_eq!(
        counts(&state, &places(&state, &mut worker, 8, seconds(2))),
        [2; 4]
    );
    state.set_health(9, Health::Unhealthy, seconds(2));
    assert_eq!(state.health(9), Health::Unhealthy);
}

#[test]
fn r_b_60_hashes_of_an_ejected_endpoint_go_elsewhere_and_come_back() {
    for algorithm in [
        "ringHash: {minimumRingSize: 64}",
        "maglev: {tableSize: 131}",
    ] {
        let policy = format!(
            "loadBalancer: {{consistentHash: {{httpHeaderName: x, {algorithm}}}}}, \
             outlierDetection: {{consecutive5xxErrors: 1, maxEjectionPercent: 100}}"
        );
        let state = state(&policy, &texts(&alike(5)));
        let mut worker = Worker::new(0);
        let mut map = |now| -> Vec<EndpointId> {
            let ids = (0..1_000).map(|number| {
                let choice = Choice::new(0).hash(Some(spread(number))).at(now);
                state.choose(&mut worker, &choice).expect("one").id()
            });
            ids.collect()
        };
        let before = map(seconds(0));
        let lost = state.pool().id(3).expect("a place");
        let lease = |number| {
            state.choose(
                &mut Worker::new(0),
                &Choice::new(0).hash(Some(spread(number))),
            )
        };
        let number = before
            .iter()
            .position(|id| *id == lost)
            .expect("it has some");
        lease(number as u64)
            .expect("one")
            .finish(Ended::Reset, seconds(1));
        assert_eq!(ejected(&state), [3]);
        let without = map(seconds(2));
        assert!(!without.contains(&lost));
        let moved = before
            .iter()
            .zip(&without)
            .filter(|(old, new)| old != new)
            .count();
        let its = before.iter().filter(|id| **id == lost).count();
        assert!(
            moved >= its && moved < 700,
            "{algorithm}: {its} had to move, {moved} did"
        );
        assert_eq!(map(seconds(60)), before);
    }
}

#[test]
fn a_grpc_status_counts_as_what_envoy_takes_it_for() {
    for (status, expected) in [
        (None, 200),
        (Some(0), 200),
        (Some(14), 503),
        (Some(4), 504),
        (Some(13), 500),
        (Some(99), 500),
    ] {
        assert_eq!(Ended::grpc(200, status), Ended::Status(expected));
    }
}
