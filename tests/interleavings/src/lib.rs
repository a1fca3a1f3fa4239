//! Every interleaving of what threads do to the counters of outlier detection (R-B-60): the files of the crate itself, over the
//! atomics of the model checker `loom`. `cargo test` here.
#![cfg(test)]
#![allow(dead_code)] // each file has more than is asked here

/// The checker's atomics, in place of `src/balance/atomics.rs`.
mod atomics {
    pub(super) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
}

#[path = "../../../src/balance/ejection.rs"]
mod ejection;
#[path = "../../../src/balance/outlier.rs"]
mod outlier;

use loom::sync::Arc;
use loom::sync::atomic::Ordering;
use loom::thread;

use ejection::{EjectionTime, Ticks};
use outlier::{Detector, Ending, Monitor, Rules};

const FAILED: Ending = Ending::NotConnected;
const ANSWERED: Ending = Ending::Code {
    code: 200,
    is_error: false,
};

struct Cluster {
    rules: Rules,
    detector: Detector,
    monitors: [Monitor; 2],
}

fn monitor() -> Monitor {
    Monitor::default()
}

/// Two endpoints, of which one may be ejected; so many failures eject.
fn cluster(failures: u32) -> Arc<Cluster> {
    Arc::new(Cluster {
        rules: Rules {
            consecutive_5xx: failures,
            consecutive_gateway: 0,
            consecutive_local: 0,
            is_split: false,
            max_percent: 50,
            time: EjectionTime {
                base: 10,
                longest: 300,
            },
        },
        detector: Detector::new(
            Ticks {
                start: 0,
                interval: 10,
            },
            2,
        ),
        monitors: [monitor(), monitor()],
    })
}

impl Cluster {
    fn count(&self, at: usize, ending: Ending, now: u64) {
        self.monitors[at].count(ending, &self.rules, &self.detector, now);
    }

    fn agrees(&self) -> u32 {
        let ejected = self.monitors.iter().filter(|one| one.is_ejected()).count();
        let counted = self.detector.ejected.load(Ordering::Acquire);
        assert_eq!(ejected as u32, counted);
        assert!(counted <= 1, "no more than their share");
        counted
    }
}

#[test]
fn two_failures_at_once_eject_once() {
    loom::model(|| {
        let cluster = cluster(2);
        let other = cluster.clone();
        let thread = thread::spawn(move || other.count(0, FAILED, 1));
        cluster.count(0, FAILED, 1);
        thread.join().expect("it ends");
        assert_eq!(cluster.agrees(), 1);
        // Once for the ejection: whoever looks after that sees it.
        assert_eq!(cluster.detector.epoch.load(Ordering::Acquire), 1);
    });
}

#[test]
fn two_endpoints_at_once_do_not_go_beyond_their_share() {
    loom::model(|| {
        let cluster = cluster(1);
        let other = cluster.clone();
        let thread = thread::spawn(move || other.count(0, FAILED, 1));
        cluster.count(1, FAILED, 1);
        thread.join().expect("it ends");
        assert_eq!(cluster.agrees(), 1);
    });
}

#[test]
fn an_ejection_ends_once_though_two_see_the_tick_and_one_fails_again() {
    loom::model(|| {
        let cluster = cluster(1);
        cluster.count(0, FAILED, 1);
        let other = cluster.clone();
        let thread = thread::spawn(move || {
            let state = &*other;
            state.monitors[0].tick(&state.rules, &state.detector, 20)
        });
        cluster.count(0, FAILED, 20);
        cluster.monitors[0].tick(&cluster.rules, &cluster.detector, 20);
        thread.join().expect("it ends");
        cluster.agrees();
    });
}

#[test]
fn an_endpoint_that_leaves_while_it_fails_is_no_longer_counted() {
    loom::model(|| {
        let cluster = cluster(1);
        let other = cluster.clone();
        let thread = thread::spawn(move || other.count(0, FAILED, 1));
        cluster.monitors[0].leave(&cluster.detector);
        thread.join().expect("it ends");
        assert_eq!(cluster.agrees(), 0);
    });
}

#[test]
fn one_tick_is_seen_by_one() {
    loom::model(|| {
        let cluster = cluster(1);
        let other = cluster.clone();
        let thread = thread::spawn(move || other.detector.is_due(10));
        let here = cluster.detector.is_due(10);
        let there = thread.join().expect("it ends");
        assert!(here ^ there);
    });
}

#[test]
fn whoever_sees_the_epoch_sees_the_ejection() {
    loom::model(|| {
        let cluster = cluster(1);
        let other = cluster.clone();
        let thread = thread::spawn(move || other.count(0, FAILED, 1));
        if cluster.detector.epoch.load(Ordering::Acquire) == 1 {
            assert!(cluster.monitors[0].is_ejected());
        }
        cluster.count(1, ANSWERED, 1);
        thread.join().expect("it ends");
        assert_eq!(cluster.agrees(), 1);
    });
}
