//! Earliest deadline first: who is picked waits `1 / weight` for its next turn; ties first in, first out (R-B-50).
//!
//! Envoy: `source/common/upstream/edf_scheduler.h`.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A schedule over places. Weights are asked for anew with each pick, so that they may change.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    now: f64,
    turn: u64,
    queue: BinaryHeap<Turn>,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    deadline: f64,
    order: u64,
    place: u32,
}

impl Turn {
    fn key(&self) -> (f64, u64) {
        (self.deadline, self.order)
    }
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Turn {}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Turn {
    /// The earliest is the greatest: the queue hands out that.
    fn cmp(&self, other: &Self) -> Ordering {
        let ((deadline, order), (theirs, after)) = (self.key(), other.key());
        theirs.total_cmp(&deadline).then(after.cmp(&order))
    }
}

impl Schedule {
    /// Of these places, as it is after `picks` picks. A place without a weight never has a turn.
    ///
    /// # Complexity
    /// O(n log n) for n places, whatever the number of picks.
    pub(super) fn new(places: &[u32], weight: impl Fn(u32) -> f64, picks: u64) -> Self {
        let weighted = || {
            let all = places.iter().map(|&place| (place, weight(place)));
            all.filter(|(_, weight)| *weight > 0.0)
        };
        let sum: f64 = weighted().map(|(_, weight)| weight).sum();
        let mut schedule = Schedule {
            now: 0.0,
            turn: 0,
            queue: BinaryHeap::with_capacity(places.len()),
        };
        // So many rounds are over for everybody; the rest is picked.
        let mut over = 0.0;
        for (place, weight) in weighted() {
            let turns = (weight * picks as f64 / sum).floor();
            over += turns;
            schedule.now = schedule.now.max(turns / weight);
            schedule.queue.push(Turn {
                deadline: (turns + 1.0) / weight,
                order: schedule.turn,
                place,
            });
            schedule.turn += 1;
        }
        // Less than one for each place is left.
        let left = (picks as f64 - over).clamp(0.0, places.len() as f64) as u64;
        for _ in 0..left {
            schedule.pick(&weight);
        }
        schedule
    }

    /// The next one, which is put back by what it weighs now.
    ///
    /// # Complexity
    /// Logarithmic. No allocation.
    pub(super) fn pick(&mut self, weight: impl Fn(u32) -> f64) -> Option<u32> {
        let mut next = self.queue.peek_mut()?;
        self.now = next.deadline;
        // A weight that fell to nothing would end its turns for good.
        let weight = weight(next.place).max(f64::MIN_POSITIVE);
        next.deadline = self.now + 1.0 / weight;
        next.order = self.turn;
        self.turn += 1;
        Some(next.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picks(schedule: &mut Schedule, weights: &[f64], count: usize) -> Vec<u32> {
        let weight = |place: u32| weights[place as usize];
        (0..count).filter_map(|_| schedule.pick(weight)).collect()
    }

    #[test]
    fn r_b_50_each_has_its_share_and_ties_go_first_in_first_out() {
        let weights = [1.0, 2.0, 4.0];
        let mut schedule = Schedule::new(&[0, 1, 2], |place| weights[place as usize], 0);
        // Deadlines: 2 at 1/4, 1 and 2 at 1/2, 2 at 3/4, 0, 1 and 2 at 1.
        assert_eq!(picks(&mut schedule, &weights, 7), [2, 1, 2, 2, 0, 1, 2]);
        let mut equal = Schedule::new(&[0, 1, 2], |_| 1.0, 0);
        assert_eq!(picks(&mut equal, &[1.0; 3], 5), [0, 1, 2, 0, 1]);
    }

    #[test]
    fn r_b_50_it_starts_where_so_many_picks_would_have_brought_it() {
        let weights = [3.0, 1.0, 5.0, 2.0];
        let weight = |place: u32| weights[place as usize];
        let places = [0, 1, 2, 3];
        for start in [0_u64, 1, 5, 11, 12, 500, 1_001] {
            let mut from_there = Schedule::new(&places, weight, start);
            // Over whole rounds everybody has had the same, wherever it began.
            let mut counts = [0; 4];
            for place in picks(&mut from_there, &weights, 1_100) {
                counts[place as usize] += 1;
            }
            assert_eq!(counts, [300, 100, 500, 200], "after {start}");
        }
        let huge = Schedule::new(&places, weight, u64::MAX);
        assert_eq!(huge.queue.len(), 4);
    }

    #[test]
    fn nobody_and_nothing_have_no_turn() {
        assert_eq!(Schedule::new(&[], |_| 1.0, 9).pick(|_| 1.0), None);
        assert_eq!(Schedule::new(&[0], |_| 0.0, 9).pick(|_| 1.0), None);
        let mut failing = Schedule::new(&[0, 1], |_| 1.0, 0);
        assert_eq!(failing.pick(|_| 0.0), Some(0));
        assert_eq!(failing.pick(|_| 1.0), Some(1));
        assert_eq!(failing.pick(|_| 1.0), Some(1));
    }
}
