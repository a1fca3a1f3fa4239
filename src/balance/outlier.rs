//! Outlier detection: what the outcomes of requests do to an endpoint (R-B-60). Counters and no lock: what several threads say at
//! once counts as if one had said it after the other.
//!
//! Envoy: `source/common/upstream/outlier_detection_impl.cc`.

use super::atomics::{AtomicU32, AtomicU64, Ordering};
use super::ejection::{Ejection, EjectionTime, Ticks};

/// What ejects, and for how long: `OutlierDetection` in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// 0: they eject nobody.
    pub consecutive_5xx: u32,
    pub consecutive_gateway: u32,
    pub consecutive_local: u32,
    /// Whether failures to connect are counted apart.
    pub is_split: bool,
    pub max_percent: u32,
    pub time: EjectionTime,
}

/// How a request ended, for the detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The upstream answered with this.
    Code { code: u16, is_error: bool },
    /// A connection was made, and broke.
    Broken { code: u16 },
    /// No connection was made.
    NotConnected,
    /// A connection was made, and that is all that is known.
    Connected,
}

/// What all endpoints of a cluster share.
#[derive(Debug)]
pub(super) struct Detector {
    pub ticks: Ticks,
    /// How many endpoints there are, and how many of them are ejected.
    pub size: AtomicU32,
    pub ejected: AtomicU32,
    /// Changes whenever the health of an endpoint does.
    pub epoch: AtomicU64,
    /// The next tick.
    due: AtomicU64,
}

impl Detector {
    pub(super) fn new(ticks: Ticks, size: u32) -> Self {
        Detector {
            ticks,
            size: AtomicU32::new(size),
            ejected: AtomicU32::new(0),
            epoch: AtomicU64::new(0),
            due: AtomicU64::new(ticks.not_before(0)),
        }
    }

    pub(super) fn health_changed(&self) {
        self.epoch.fetch_add(1, Ordering::Release);
    }

    /// Whether a tick has come that nobody has seen yet; whoever is told so looks at the endpoints.
    pub(super) fn is_due(&self, now: u64) -> bool {
        let due = self.due.load(Ordering::Relaxed);
        now >= due && {
            let next = self.ticks.not_before(now.saturating_add(1));
            let order = Ordering::Relaxed;
            self.due.compare_exchange(due, next, order, order).is_ok()
        }
    }

    /// Takes a place among the ejected, if there is one left.
    fn reserve(&self, percent: u32) -> bool {
        let size = u64::from(self.size.load(Ordering::Relaxed));
        let one_more = |ejected: u32| {
            let share = (u64::from(ejected) + 1) * 100;
            (share <= u64::from(percent.min(100)) * size).then_some(ejected + 1)
        };
        let order = Ordering::AcqRel;
        self.ejected
            .fetch_update(order, Ordering::Acquire, one_more)
            .is_ok()
    }

    fn give_back(&self) {
        self.ejected.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What is known of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Monitor {
    ejection: AtomicU64,
    consecutive_5xx: AtomicU32,
    consecutive_gateway: AtomicU32,
    consecutive_local: AtomicU32,
}

impl Monitor {
    /// Whether it is ejected; an ejection ends when [`tick`](Self::tick) sees that it has.
    pub(super) fn is_ejected(&self) -> bool {
        self.load().is_ejected
    }

    fn load(&self) -> Ejection {
        Ejection::from_word(self.ejection.load(Ordering::Acquire))
    }

    fn swap(&self, from: Ejection, to: Ejection) -> bool {
        let (from, to) = (from.word(), to.word());
        let (yes, no) = (Ordering::AcqRel, Ordering::Acquire);
        self.ejection.compare_exchange(from, to, yes, no).is_ok()
    }

    /// Counts how a request ended, and ejects the endpoint where that was once too often.
    pub(super) fn count(&self, ending: Ending, rules: &Rules, detector: &Detector, now: u64) {
        match (ending, rules.is_split) {
            (Ending::Code { code, is_error }, false) => {
                self.count_code(code, is_error, rules, detector, now);
            }
            (Ending::Code { is_error, .. }, true) => {
                set_zero(&self.consecutive_local);
                // The code is lost on the way: any failure is a 503.
                let code = if is_error { 503 } else { 200 };
                self.count_code(code, is_error, rules, detector, now);
            }
            (Ending::Broken { code }, false) => self.count_code(code, true, rules, detector, now),
            (Ending::Broken { .. }, true) => {
                set_zero(&self.consecutive_local);
                self.count_local(rules, detector, now);
            }
            (Ending::NotConnected, false) => self.count_code(503, true, rules, detector, now),
            (Ending::NotConnected, true) => self.count_local(rules, detector, now),
            (Ending::Connected, false) => self.count_code(200, false, rules, detector, now),
            (Ending::Connected, true) => set_zero(&self.consecutive_local),
        }
    }

    fn count_code(&self, code: u16, is_error: bool, rules: &Rules, detector: &Detector, now: u64) {
        if !is_error {
            set_zero(&self.consecutive_5xx);
            set_zero(&self.consecutive_gateway);
            return;
        }
        if matches!(code, 502..=504) {
            let counter = &self.consecutive_gateway;
            self.one_more(counter, rules.consecutive_gateway, rules, detector, now);
        } else {
            set_zero(&self.consecutive_gateway);
        }
        let counter = &self.consecutive_5xx;
        self.one_more(counter, rules.consecutive_5xx, rules, detector, now);
    }

    fn count_local(&self, rules: &Rules, detector: &Detector, now: u64) {
        let counter = &self.consecutive_local;
        self.one_more(counter, rules.consecutive_local, rules, detector, now);
    }

    /// One failure more. Whoever makes it as many as eject begins to count anew, whether or not there was room to eject; of one
    /// that is ejected already, nothing begins anew.
    fn one_more(
        &self,
        counter: &AtomicU32,
        limit: u32,
        rules: &Rules,
        detector: &Detector,
        now: u64,
    ) {
        let count = counter.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
        if limit > 0 && count == limit && self.eject(rules, detector, now) {
            set_zero(counter);
        }
    }

    /// Ejects it if there is room; whether it was in use till now.
    fn eject(&self, rules: &Rules, detector: &Detector, now: u64) -> bool {
        loop {
            let kept = self.load();
            let state = kept.at(now, detector.ticks, rules.time);
            if state.is_ejected || state.is_gone {
                return false;
            }
            // One whose time is over, though nobody has said so yet, still has its place.
            let has_place = kept.is_ejected;
            if !has_place && !detector.reserve(rules.max_percent) {
                return true;
            }
            if self.swap(kept, state.ejected(now, rules.time)) {
                detector.health_changed();
                return true;
            }
            if !has_place {
                detector.give_back();
            }
        }
    }

    /// Ends the ejection if its time is over at `now`; whether it did.
    pub(super) fn tick(&self, rules: &Rules, detector: &Detector, now: u64) -> bool {
        loop {
            let kept = self.load();
            let state = kept.at(now, detector.ticks, rules.time);
            if !kept.is_ejected || state.is_ejected || kept.is_gone {
                return false;
            }
            if self.swap(kept, state) {
                self.begin_anew(detector);
                return true;
            }
        }
    }

    /// Ends the ejection before its time: an active health check found the endpoint well.
    pub(super) fn uneject(&self, detector: &Detector, now: u64) -> bool {
        loop {
            let kept = self.load();
            if !kept.is_ejected || kept.is_gone {
                return false;
            }
            let state = Ejection {
                is_ejected: false,
                since: now,
                ..kept
            };
            if self.swap(kept, state) {
                self.begin_anew(detector);
                return true;
            }
        }
    }

    fn begin_anew(&self, detector: &Detector) {
        set_zero(&self.consecutive_5xx);
        set_zero(&self.consecutive_gateway);
        set_zero(&self.consecutive_local);
        detector.give_back();
    }

    /// It has left the cluster: it is no longer one of the ejected, and never will be.
    pub(super) fn leave(&self, detector: &Detector) {
        loop {
            let kept = self.load();
            if kept.is_gone {
                return;
            }
            let gone = Ejection {
                is_gone: true,
                is_ejected: false,
                ..kept
            };
            if self.swap(kept, gone) {
                if kept.is_ejected {
                    detector.give_back();
                }
                return;
            }
        }
    }
}

/// Without a write where there is nothing to do: the line of memory stays shared.
fn set_zero(counter: &AtomicU32) {
    if counter.load(Ordering::Relaxed) != 0 {
        counter.store(0, Ordering::Release);
    }
}
