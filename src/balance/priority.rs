//! Which priority takes a request, by the health of each (R-B-10..R-B-13). Integers, as in Envoy.

/// 140 %: a priority with five healthy endpoints of seven still takes all of its load.
const OVERPROVISIONING: u64 = 140;

/// How many endpoints a priority has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub all: u32,
    pub healthy: u32,
    pub degraded: u32,
}

/// What a priority takes of the whole load, in percent, and whether its endpoints are eligible whatever their health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub healthy: u32,
    pub degraded: u32,
    pub panics: bool,
}

/// The load of each priority, the first one first. `panic_threshold`: below this share of healthy endpoints (percent) a priority
/// panics; 0: never. Where all of them panic, who has how many endpoints decides (R-B-13).
pub(super) fn loads(counts: &[Count], panic_threshold: f64) -> Vec<Load> {
    let health = |part: u32, all: u32| match all {
        0 => 0,
        all => (OVERPROVISIONING * u64::from(part) / u64::from(all)).min(100) as u32,
    };
    let healthy: Vec<u32> = counts
        .iter()
        .map(|level| health(level.healthy, level.all))
        .collect();
    let degraded: Vec<u32> = counts
        .iter()
        .map(|level| health(level.degraded, level.all))
        .collect();
    let total: u32 = healthy.iter().chain(&degraded).sum::<u32>().min(100);
    let share = |count: &Count| match count.all {
        0 => 0.0,
        all => 100.0 * f64::from(count.healthy + count.degraded) / f64::from(all),
    };
    let mut loads: Vec<Load> = counts
        .iter()
        .map(|count| Load {
            panics: total < 100 && panic_threshold > 0.0 && share(count) < panic_threshold,
            ..Load::default()
        })
        .collect();
    if panic_threshold > 0.0 && loads.iter().all(|load| load.panics) {
        return in_total_panic(counts, loads);
    }
    if total == 0 {
        return loads;
    }
    let mut left = 100;
    for (load, health) in loads.iter_mut().zip(&healthy) {
        load.healthy = left.min(health * 100 / total);
        left -= load.healthy;
    }
    for (load, health) in loads.iter_mut().zip(&degraded) {
        load.degraded = left.min(health * 100 / total);
        left -= load.degraded;
    }
    // What rounding leaves goes to the first that has any.
    if let Some(first) = loads.iter_mut().find(|load| load.healthy > 0) {
        first.healthy += left;
    } else if let Some(first) = loads.iter_mut().find(|load| load.degraded > 0) {
        first.degraded += left;
    }
    loads
}

/// All panic: each priority takes its share of all endpoints, whatever their health.
fn in_total_panic(counts: &[Count], mut loads: Vec<Load>) -> Vec<Load> {
    let all: u64 = counts.iter().map(|count| u64::from(count.all)).sum();
    let mut left = 100;
    for (load, count) in loads.iter_mut().zip(counts) {
        load.healthy = (u64::from(count.all) * 100).checked_div(all).unwrap_or(0) as u32;
        left -= load.healthy;
    }
    let first = counts.iter().position(|count| count.all > 0);
    if let Some(load) = first.and_then(|first| loads.get_mut(first)) {
        load.healthy += left;
    }
    loads
}

/// Which endpoints of a priority a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eligible {
    Healthy,
    Degraded,
    /// All, whatever their health: panic.
    All,
}

/// The priority of a request: the first whose loads, added up, reach `hash % 100 + 1`; the healthy ones of all priorities come
/// before the degraded ones (R-B-12).
pub(super) fn choose(loads: &[Load], hash: u64) -> Option<(usize, Eligible)> {
    let wanted = (hash % 100) as u32 + 1;
    let mut sum = 0;
    for (priority, load) in loads.iter().enumerate() {
        sum += load.healthy;
        if sum >= wanted {
            let eligible = match load.panics {
                true => Eligible::All,
                false => Eligible::Healthy,
            };
            return Some((priority, eligible));
        }
    }
    for (priority, load) in loads.iter().enumerate() {
        sum += load.degraded;
        if sum >= wanted {
            let eligible = match load.panics {
                true => Eligible::All,
                false => Eligible::Degraded,
            };
            return Some((priority, eligible));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healthy(counts: &[(u32, u32)]) -> Vec<u32> {
        let counts = counts.iter().map(|&(healthy, all)| Count {
            all,
            healthy,
            degraded: 0,
        });
        let counts: Vec<Count> = counts.collect();
        let loads = loads(&counts, 0.0);
        loads.iter().map(|load| load.healthy).collect()
    }

    #[test]
    fn r_b_10_health_counts_endpoints_and_forgives_a_few() {
        assert_eq!(healthy(&[(5, 7), (3, 3)]), [100, 0]);
        assert_eq!(healthy(&[(1, 2), (3, 3)]), [70, 30]);
    }

    #[test]
    fn r_b_11_what_rounding_leaves_goes_to_the_first_with_a_load() {
        // 140 / 3 = 46 each: of 92, 50 and 50.
        assert_eq!(healthy(&[(1, 3), (1, 3)]), [50, 50]);
        // 28 + 28 + 28 = 84: 33 each, and one is left.
        assert_eq!(healthy(&[(1, 5), (1, 5), (1, 5)]), [34, 33, 33]);
        assert_eq!(healthy(&[(0, 5), (0, 0)]), [0, 0]);
    }

    #[test]
    fn r_b_12_the_hash_decides_among_the_loads() {
        let loads = [
            Load {
                healthy: 70,
                ..Load::default()
            },
            Load {
                healthy: 30,
                ..Load::default()
            },
        ];
        assert_eq!(choose(&loads, 169), Some((0, Eligible::Healthy)));
        assert_eq!(choose(&loads, 170), Some((1, Eligible::Healthy)));
        assert_eq!(choose(&[Load::default()], 0), None);
    }

    #[test]
    fn r_b_13_below_the_threshold_all_are_eligible() {
        let count = |healthy, all| Count {
            all,
            healthy,
            degraded: 0,
        };
        let panics = |counts: &[Count], threshold| -> Vec<bool> {
            let loads = loads(counts, threshold);
            loads.iter().map(|load| load.panics).collect()
        };
        assert_eq!(panics(&[count(1, 4)], 50.0), [true]);
        assert_eq!(panics(&[count(1, 4)], 0.0), [false]);
        assert_eq!(panics(&[count(0, 4)], 50.0), [true]);
        assert_eq!(panics(&[count(0, 0)], 50.0), [true]);
        // The second priority takes what the first cannot: nobody panics.
        assert_eq!(panics(&[count(1, 4), count(4, 4)], 50.0), [false, false]);
        assert_eq!(choose(&loads(&[count(0, 4)], 0.0), 7), None);
    }

    #[test]
    fn r_b_13_where_all_panic_the_number_of_endpoints_decides() {
        let count = |healthy, all| Count {
            all,
            healthy,
            degraded: 0,
        };
        let healthy = |counts: &[Count]| -> Vec<u32> {
            let loads = loads(counts, 50.0);
            assert!(loads.iter().all(|load| load.panics));
            loads.iter().map(|load| load.healthy).collect()
        };
        // 14 + 14 of 100: not enough, though somebody is healthy.
        assert_eq!(healthy(&[count(1, 10), count(3, 30)]), [25, 75]);
        // What rounding leaves goes to the first that has any endpoint.
        assert_eq!(
            healthy(&[count(0, 0), count(0, 1), count(0, 299)]),
            [0, 1, 99]
        );
        assert_eq!(healthy(&[]), [0; 0]);
    }
}
