//! What survives a change: of endpoints, of settings, in a router that follows its configuration.

use std::sync::Arc;

use meshroute::balance::{Choice, Ended, Limit, Pool, State, Worker};
use meshroute::live::{Changes, LiveRouter};

use super::*;

const POLICY: &str = "loadBalancer: {simple: LEAST_REQUEST}, connectionPool: {tcp: {maxConnections: 2}}, \
                      outlierDetection: {consecutive5xxErrors: 2, maxEjectionPercent: 100}";

fn pool(policy: &str, addresses: &[u8]) -> Pool {
    let endpoints: Vec<String> = addresses
        .iter()
        .map(|last| format!("{{address: 10.0.0.{last}}}"))
        .collect();
    Pool::new(&cluster(policy, &texts(&endpoints)))
}

/// The place of an address.
fn place(state: &State, address: &str) -> Option<usize> {
    let all = 0..state.pool().len();
    all.into_iter().find(|place| {
        let target = state.pool().target(*place);
        target.is_some_and(|target| target.to_string() == address)
    })
}

fn fail(state: &State, worker: &mut Worker, at: usize, times: usize) {
    let mut left = times;
    for number in 0..100_000 {
        let lease = state
            .choose(worker, &Choice::new(spread(number)))
            .expect("one");
        if lease.place() == Some(at) {
            lease.finish(Ended::Status(500), seconds(1));
            left -= 1;
            if left == 0 {
                return;
            }
        }
    }
    panic!("nobody meets {at}");
}

#[test]
fn counters_follow_an_endpoint_and_go_with_it() {
    let old = State::new(pool(POLICY, &[1, 2, 3]), seconds(0));
    let mut worker = Worker::new(0);
    fail(&old, &mut worker, 0, 2);
    fail(&old, &mut worker, 2, 2);
    fail(&old, &mut worker, 1, 1);
    assert_eq!(old.ejected(), 2);
    let lease = old
        .choose(&mut worker, &Choice::new(0))
        .expect("one")
        .into_owned();
    assert_eq!(lease.place(), Some(1));
    let connection = old.admit(Limit::Connections, seconds(1)).expect("room");
    // The first goes, another comes, in another order.
    let new = old.carry(pool(POLICY, &[9, 3, 2]), seconds(2));
    let at = |last: u8| place(&new, &format!("10.0.0.{last}:80")).expect("it is there");
    assert_eq!(
        (new.ejected(), new.is_ejected(at(3)), new.is_ejected(at(9))),
        (1, true, false)
    );
    assert_eq!((new.active(at(2)), new.in_use(Limit::Connections)), (1, 1));
    assert_eq!(place(&new, "10.0.0.1:80"), None);
    // One failure more, and the second has had its two.
    fail(&new, &mut worker, at(2), 1);
    assert_eq!((new.ejected(), new.is_ejected(at(2))), (2, true));
    // What the old state begot counts in the new one.
    lease.finish(Ended::Status(200), seconds(2));
    drop(connection);
    assert_eq!((new.active(at(2)), new.in_use(Limit::Connections)), (0, 0));
    // The last answers of one that is gone eject nobody.
    let late = old.choose(&mut worker, &Choice::new(0));
    drop(late);
    assert_eq!(new.ejected(), 2);
}

#[test]
fn other_settings_begin_anew() {
    let old = State::new(pool(POLICY, &[1, 2]), seconds(0));
    let mut worker = Worker::new(0);
    fail(&old, &mut worker, 0, 2);
    let lease = old.choose(&mut worker, &Choice::new(0)).expect("one");
    let new = old.carry(
        pool(
            &POLICY.replace("maxConnections: 2", "maxConnections: 3"),
            &[1, 2],
        ),
        seconds(2),
    );
    assert_eq!((new.ejected(), new.active(0), new.active(1)), (0, 0, 0));
    drop(lease);
    assert_eq!((new.active(0), new.active(1)), (0, 0));
    assert_eq!(old.ejected(), 1);
}

#[test]
fn round_robin_goes_on_where_it_was() {
    let policy = "loadBalancer: {simple: ROUND_ROBIN}";
    let old = State::new(pool(policy, &[1, 2, 3]), seconds(0));
    let mut worker = Worker::new(0);
    assert_eq!(places(&old, &mut worker, 4, seconds(0)), [0, 1, 2, 0]);
    let new = old.carry(pool(policy, &[1, 2, 3, 4]), seconds(1));
    // The fifth: of four, the one at place 0.
    assert_eq!(places(&new, &mut worker, 5, seconds(1)), [0, 1, 2, 3, 0]);
}

#[test]
fn a_change_of_endpoints_reaches_a_running_pool_and_nothing_else_does() {
    let shop = |addresses: &[&str]| {
        let endpoints = addresses.iter().map(|one| format!("{{address: {one}}}"));
        yaml("STATIC", POLICY, &texts(&endpoints.collect::<Vec<_>>()))
    };
    let other = |port: u16| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: other, namespace: default}}\n\
             spec: {{clusterIP: 10.1.0.1, ports: [{{name: http, port: {port}}}]}}\n"
        )
    };
    let resources =
        |text: &str| Resources::from_yaml(text).unwrap_or_else(|report| panic!("{report}"));
    let start = resources(&shop(&["10.0.0.1", "10.0.0.2"]));
    let (mut live, _) = LiveRouter::new(start, Proxy::sidecar("default"));
    let mut update = |text: &str| {
        let changes = Changes::new().apply_all(resources(text));
        live.update(changes)
            .unwrap_or_else(|report| panic!("{report}"));
        of(live.router())
    };
    let first = update(&other(80));
    let state = State::new(Pool::new(&first), seconds(0));
    let mut worker = Worker::new(0);
    fail(&state, &mut worker, 0, 2);

    // Another service changes: the pool is the same one.
    let second = update(&other(81));
    assert!(Arc::ptr_eq(second.endpoint_set(), first.endpoint_set()));
    assert!(state.updated(&second, seconds(2)).is_none());

    let third = update(&shop(&["10.0.0.1", "10.0.0.7"]));
    let new = state.updated(&third, seconds(3));
    let new = new.expect("an endpoint is another");
    assert_eq!(
        (new.ejected(), new.is_ejected(0), new.is_ejected(1)),
        (1, true, false)
    );
    assert!(place(&new, "10.0.0.7:80").is_some());
}
