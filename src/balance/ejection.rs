//! Whether an endpoint is ejected, in one word that changes at once (R-B-60). Time is the caller's, in milliseconds.
//!
//! Envoy looks at its endpoints once an interval: only then does an ejection end, and only then does the multiplier of one that
//! stayed healthy fall. Here nothing looks; both are worked out from the word when it is asked.

/// When Envoy would look: at `start + interval`, `start + 2 * interval`, ...
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticks {
    pub start: u64,
    /// At least 1.
    pub interval: u64,
}

impl Ticks {
    /// How many there have been at `now`.
    pub(super) fn until(self, now: u64) -> u64 {
        now.saturating_sub(self.start) / self.interval.max(1)
    }

    /// The first one at `time` or later.
    pub(super) fn not_before(self, time: u64) -> u64 {
        let interval = self.interval.max(1);
        let count = time.saturating_sub(self.start).div_ceil(interval).max(1);
        self.start.saturating_add(count.saturating_mul(interval))
    }
}

/// How long an ejection lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EjectionTime {
    /// The first one; each further one is longer by as much.
    pub base: u64,
    pub longest: u64,
}

/// The state of an endpoint as it is kept: one bit, whether it is ejected; one, whether it has left the cluster; 20 bits, the
/// multiplier; 42 bits, when it was ejected, or when that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ejection {
    pub is_ejected: bool,
    pub is_gone: bool,
    /// How many times the base time it is ejected for; falls by one with each tick at which it is not.
    pub multiplier: u32,
    pub since: u64,
}

const TIME_BITS: u32 = 42;
const MULTIPLIER_BITS: u32 = 20;
const LATEST: u64 = (1 << TIME_BITS) - 1;
const LARGEST: u32 = (1 << MULTIPLIER_BITS) - 1;

impl Ejection {
    pub(super) fn from_word(word: u64) -> Self {
        Ejection {
            is_ejected: word >> 63 == 1,
            is_gone: word >> 62 & 1 == 1,
            multiplier: (word >> TIME_BITS) as u32 & LARGEST,
            since: word & LATEST,
        }
    }

    pub(super) fn word(self) -> u64 {
        let multiplier = u64::from(self.multiplier.min(LARGEST));
        u64::from(self.is_ejected) << 63
            | u64::from(self.is_gone) << 62
            | multiplier << TIME_BITS
            | self.since.min(LATEST)
    }

    /// As it is at `now`: an ejection may have ended, and the multiplier have fallen.
    pub(super) fn at(mut self, now: u64, ticks: Ticks, time: EjectionTime) -> Self {
        if self.is_ejected {
            let lasts = time.base.saturating_mul(self.multiplier.into());
            let over = self.since.saturating_add(lasts.min(time.longest));
            // Not at the tick at which it began.
            let ends = ticks.not_before(over.max(self.since.saturating_add(1)));
            if ends > now {
                return self;
            }
            self.is_ejected = false;
            self.since = ends;
        }
        let passed = ticks.until(now).saturating_sub(ticks.until(self.since));
        let fallen = u32::try_from(passed).unwrap_or(u32::MAX);
        self.multiplier = self.multiplier.saturating_sub(fallen);
        if passed > 0 {
            self.since = now;
        }
        self
    }

    /// As it is once it is ejected at `now`. `self` is as it was at that time.
    pub(super) fn ejected(mut self, now: u64, time: EjectionTime) -> Self {
        let so_far = time.base.saturating_mul(self.multiplier.into());
        if so_far < time.longest.saturating_add(time.base) {
            self.multiplier = (self.multiplier + 1).min(LARGEST);
        }
        self.is_ejected = true;
        self.since = now;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKS: Ticks = Ticks {
        start: 1_000,
        interval: 10_000,
    };
    const TIME: EjectionTime = EjectionTime {
        base: 30_000,
        longest: 300_000,
    };

    #[test]
    fn a_word_holds_it_all() {
        for is_ejected in [false, true] {
            for is_gone in [false, true] {
                for multiplier in [0, 1, LARGEST] {
                    for since in [0, 7, LATEST] {
                        let state = Ejection {
                            is_ejected,
                            is_gone,
                            multiplier,
                            since,
                        };
                        assert_eq!(Ejection::from_word(state.word()), state);
                    }
                }
            }
        }
        assert_eq!(Ejection::from_word(0), Ejection::default());
    }

    #[test]
    fn r_b_60_it_ends_at_the_first_tick_after_its_time() {
        let state = Ejection::default().ejected(12_000, TIME);
        assert_eq!((state.is_ejected, state.multiplier), (true, 1));
        // Over at 42 000; ticks are at 41 000 and 51 000.
        assert!(state.at(50_999, TICKS, TIME).is_ejected);
        let after = state.at(51_000, TICKS, TIME);
        assert_eq!((after.is_ejected, after.multiplier), (false, 1));
        // On the dot.
        let state = Ejection::default().ejected(11_000, TIME);
        assert!(state.at(40_999, TICKS, TIME).is_ejected);
        assert!(!state.at(41_000, TICKS, TIME).is_ejected);
    }

    #[test]
    fn r_b_60_the_multiplier_grows_with_each_ejection_and_falls_with_each_healthy_tick() {
        let mut state = Ejection::default();
        let mut now = 12_000;
        for times in 1..=3 {
            state = state.at(now, TICKS, TIME).ejected(now, TIME);
            assert_eq!(state.multiplier, times);
            now = TICKS.not_before(now + 30_000 * u64::from(times));
            assert!(state.at(now - 1, TICKS, TIME).is_ejected);
            assert!(!state.at(now, TICKS, TIME).is_ejected);
        }
        // Not at the tick that ended it, but at each one after that.
        let multiplier = |after: u64| state.at(now + after, TICKS, TIME).multiplier;
        assert_eq!(
            [0, 9_999, 10_000, 20_000, 30_000, 1 << 40].map(multiplier),
            [3, 3, 2, 1, 0, 0]
        );
        // It does not matter how often it is asked.
        let asked = state.at(now + 5, TICKS, TIME).at(now + 10_000, TICKS, TIME);
        assert_eq!(asked.at(now + 20_000, TICKS, TIME).multiplier, 1);
    }

    #[test]
    fn r_b_60_no_ejection_is_longer_than_the_longest() {
        let mut state = Ejection::default();
        for _ in 0..20 {
            state = state.ejected(1_000, TIME);
        }
        // Eleven times 30 s is the first that is not below 300 s and one more.
        assert_eq!(state.multiplier, 11);
        assert!(state.at(300_999, TICKS, TIME).is_ejected);
        assert!(!state.at(301_000, TICKS, TIME).is_ejected);
    }

    #[test]
    fn odd_times_end_too() {
        let never = EjectionTime {
            base: 0,
            longest: 0,
        };
        let state = Ejection::default().ejected(5, never);
        assert!(!state.at(11_000, TICKS, never).is_ejected);
        let no_interval = Ticks {
            start: 0,
            interval: 0,
        };
        assert_eq!(no_interval.until(7), 7);
        // Beyond what a word holds.
        let late = Ejection::default().ejected(u64::MAX, TIME).word();
        assert!(
            !Ejection::from_word(late)
                .at(u64::MAX, TICKS, TIME)
                .is_ejected
        );
    }
}
