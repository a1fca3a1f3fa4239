//! The endpoint that a decision's cluster picks by the request's hash, as an embedder would ask for it.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use meshroute::balance::{Choice, Pool, State, Worker};
use meshroute::router::{Cluster, LbPolicy};
use meshroute::{Decision, Request};

/// What a cluster that chooses by hash says.
pub enum Picked {
    /// `address:port`.
    Endpoint(String),
    /// It has endpoints, and none is eligible: 503.
    NoHealthyUpstream,
}

/// So many pools are kept.
const KEPT: usize = 32;

thread_local! {
    static STATES: RefCell<Vec<(State, Worker)>> = const { RefCell::new(Vec::new()) };
}

/// The endpoint of a request; `None`: not chosen by a hash, or there is nothing to choose from.
pub fn pick(decision: &Decision<'_>, request: &Request<'_>) -> Option<Picked> {
    let cluster = decision.cluster().filter(|cluster| cluster.exists())?;
    let policy = cluster.settings().lb_policy;
    if !matches!(policy, LbPolicy::RingHash { .. } | LbPolicy::Maglev { .. }) {
        return None;
    }
    with_state(cluster, |state, worker| {
        if state.pool().is_empty() {
            return None;
        }
        let hash = decision.request_hash(request);
        // Without a hash chance picks: it only says that somebody is eligible.
        let Some(lease) = state.choose(worker, &Choice::new(1).hash(hash)) else {
            return Some(Picked::NoHealthyUpstream);
        };
        hash.map(|_| Picked::Endpoint(lease.target().to_string()))
    })
}

fn with_state<R>(cluster: &Cluster, run: impl FnOnce(&State, &mut Worker) -> R) -> R {
    STATES.with_borrow_mut(|states| {
        let is_known = |(state, _): &(State, Worker)| {
            let pool = state.pool();
            Arc::ptr_eq(pool.endpoint_set(), cluster.endpoint_set())
                && Arc::ptr_eq(pool.settings(), cluster.settings())
        };
        let place = states.iter().position(is_known).unwrap_or_else(|| {
            if states.len() == KEPT {
                states.remove(0);
            }
            let state = State::new(Pool::new(cluster), Duration::ZERO);
            states.push((state, Worker::new(0)));
            states.len() - 1
        });
        let (state, worker) = &mut states[place];
        run(state, worker)
    })
}
