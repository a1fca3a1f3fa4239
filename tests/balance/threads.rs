//! Several threads at once: nothing is counted twice, nothing is lost, nobody is ejected beyond the share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use meshroute::balance::{Choice, Ended, Limit, Pool, State, Worker};

use super::*;

#[test]
fn counters_agree_when_all_threads_are_done() {
    let policy = "loadBalancer: {simple: LEAST_REQUEST}, connectionPool: {http: {http2MaxRequests: 3}}, \
                  outlierDetection: {consecutive5xxErrors: 2, interval: 1s, baseEjectionTime: 1s, maxEjectionPercent: 50}";
    let endpoints = alike(10);
    let state = Arc::new(state(policy, &texts(&endpoints)));
    let is_over_limit = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (state, is_over_limit) = (&state, &is_over_limit);
            scope.spawn(move || {
                let mut worker = Worker::new(thread);
                for number in 0..20_000_u64 {
                    let word = spread(thread << 32 | number);
                    let now = Duration::from_millis(number);
                    let permit = state.admit(Limit::Requests, now);
                    let lease = state.choose(&mut worker, &Choice::new(word).at(now));
                    let lease = lease.expect("half of them are never ejected");
                    let wrong = state.ejected() > 5 || state.in_use(Limit::Requests) > 3;
                    is_over_limit.fetch_or(wrong, Ordering::Relaxed);
                    let ended = if word.is_multiple_of(3) {
                        Ended::Status(200)
                    } else {
                        Ended::Reset
                    };
                    lease.finish(ended, now);
                    drop(permit);
                }
            });
        }
    });
    assert!(!is_over_limit.load(Ordering::Relaxed));
    let ejected = (0..10).filter(|place| state.is_ejected(*place)).count();
    assert_eq!(ejected, state.ejected() as usize);
    assert!((0..10).all(|place| state.active(place) == 0));
    assert_eq!(state.in_use(Limit::Requests), 0);
    // All are back after the longest ejection, and each thread would see them.
    state.tick(seconds(1_000));
    assert_eq!(state.ejected(), 0);
    let chosen = counts(
        &state,
        &places(&state, &mut Worker::new(0), 10_000, seconds(1_000)),
    );
    assert!(chosen.iter().all(|count| *count > 0));
}

#[test]
fn states_may_be_followed_while_others_choose() {
    let pool = |first: usize| {
        let policy = "loadBalancer: {simple: ROUND_ROBIN}, outlierDetection: {consecutive5xxErrors: 1, maxEjectionPercent: 100}";
        let endpoints: Vec<String> = (first..first + 4)
            .map(|last| format!("{{address: 10.0.0.{last}}}"))
            .collect();
        Arc::new(Pool::new(&cluster(policy, &texts(&endpoints))))
    };
    let pools: Vec<Arc<Pool>> = (1..5).map(pool).collect();
    let mut state = Arc::new(State::new(pools[0].clone(), seconds(0)));
    for round in 0..40 {
        let old = state.clone();
        let chooser = std::thread::spawn(move || {
            let mut worker = Worker::new(round);
            for number in 0..500 {
                if let Some(lease) = old.choose(&mut worker, &Choice::new(number)) {
                    lease.finish(Ended::Status(500), seconds(0));
                }
            }
        });
        state = Arc::new(state.carry(pools[round as usize % 4].clone(), seconds(0)));
        chooser.join().expect("nobody panics");
        let ejected = (0..4).filter(|place| state.is_ejected(*place)).count();
        assert_eq!(ejected, state.ejected() as usize, "round {round}");
    }
}
