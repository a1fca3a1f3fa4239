//! Circuit breakers: each limit, and the retry budget (R-B-61).

use meshroute::balance::{Limit, Permit, State};

use super::*;

fn limited(pool: &str) -> State {
    state(&format!("connectionPool: {{{pool}}}"), &texts(&alike(2)))
}

/// As many as there is room for, up to 100.
fn all(state: &State, limit: Limit, now: Duration) -> Vec<Permit> {
    (0..100)
        .map_while(|_| state.admit(limit, now).ok())
        .collect()
}

#[test]
fn r_b_61_each_limit_is_its_own_and_room_is_given_back() {
    let state = limited(
        "tcp: {maxConnections: 3}, http: {http1MaxPendingRequests: 4, http2MaxRequests: 5, maxRetries: 6}",
    );
    let limits = [
        (Limit::Connections, 3),
        (Limit::PendingRequests, 4),
        (Limit::Requests, 5),
        (Limit::Retries, 6),
    ];
    for _ in 0..2 {
        let held = limits.map(|(limit, room)| {
            let held = all(&state, limit, seconds(0));
            assert_eq!(
                (held.len(), state.in_use(limit)),
                (room, room as u32),
                "{limit:?}"
            );
            let refused = state.admit(limit, seconds(0)).expect_err("no room");
            assert_eq!(refused.0, limit);
            held
        });
        drop(held);
        assert!(limits.iter().all(|(limit, _)| state.in_use(*limit) == 0));
    }
    let told = state
        .admit(Limit::Retries, seconds(0))
        .map(|permit| permit.limit());
    assert_eq!(told, Ok(Limit::Retries));
}

#[test]
fn r_b_61_without_a_limit_nobody_counts() {
    let state = limited("tcp: {connectTimeout: 1s}");
    for limit in [Limit::Connections, Limit::PendingRequests, Limit::Requests] {
        assert_eq!(all(&state, limit, seconds(0)).len(), 100);
        assert_eq!(state.in_use(limit), 0);
    }
}

#[test]
fn r_b_61_a_retry_budget_is_a_share_of_the_requests() {
    let policy = "retryBudget: {percent: 20, minRetryConcurrency: 3}";
    let state = state(policy, &texts(&alike(2)));
    let retries = || all(&state, Limit::Retries, seconds(0)).len();
    assert_eq!(retries(), 3);
    let mut requests = all(&state, Limit::Requests, seconds(0));
    requests.extend(all(&state, Limit::PendingRequests, seconds(0)));
    assert_eq!((requests.len(), retries()), (200, 40));
    requests.truncate(19);
    assert_eq!(retries(), 3);
    requests.clear();
    assert_eq!(retries(), 3);
}

#[test]
fn r_m_117_a_budget_over_an_interval_counts_what_has_begun_in_it() {
    let policy = "retryBudget: {percent: 50, minRetryConcurrency: 1, budgetInterval: 10s}";
    let state = state(policy, &texts(&alike(2)));
    let retries = |now: u64| all(&state, Limit::Retries, Duration::from_millis(now)).len();
    let begin = |count: usize, now: u64| {
        let mut permits =
            (0..count).map(|_| state.admit(Limit::Requests, Duration::from_millis(now)));
        assert!(permits.all(|permit| permit.is_ok()));
    };
    begin(40, 500);
    // They are over, and count all the same; tenth by tenth they are forgotten.
    assert_eq!([retries(500), retries(9_900)], [20, 20]);
    begin(10, 5_000);
    assert_eq!(
        [
            retries(9_999),
            retries(10_000),
            retries(14_999),
            retries(15_000)
        ],
        [25, 5, 5, 1]
    );
    // The tenths are used again.
    begin(8, 25_000);
    assert_eq!([retries(25_000), retries(80_000)], [4, 1]);
}
