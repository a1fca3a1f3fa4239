//! The share of each endpoint within a priority, as doubles that add up to one (R-B-20, R-B-21).

/// An endpoint that may be chosen, and its share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    /// Place in the pool.
    pub endpoint: u32,
    pub share: f64,
}

/// One locality of a priority: its weight, how many endpoints it has, and those that are eligible, with their weights.
pub(super) struct LocalityShare {
    pub weight: u32,
    pub endpoints: usize,
    pub eligible: Vec<(u32, u32)>,
}

/// Shares by the weights of the endpoints alone (R-B-20).
pub(super) fn of_endpoints(eligible: &[(u32, u32)]) -> Vec<Share> {
    let sum: u64 = eligible.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let share = |&(endpoint, weight): &(u32, u32)| Share {
        endpoint,
        share: f64::from(weight) / sum as f64,
    };
    eligible.iter().map(share).collect()
}

/// Shares by the weights of the localities first. Localities without any endpoint do not count; those without an eligible one do,
/// and nobody takes their share (R-B-21).
pub(super) fn of_localities(localities: &[LocalityShare]) -> Vec<Share> {
    let counting = || localities.iter().filter(|locality| locality.endpoints > 0);
    let sum: u64 = counting().map(|locality| u64::from(locality.weight)).sum();
    let mut out = Vec::new();
    for locality in counting().filter(|locality| locality.weight > 0) {
        let share = f64::from(locality.weight) / sum as f64;
        let weights = locality
            .eligible
            .iter()
            .map(|(_, weight)| u64::from(*weight));
        let within: u64 = weights.sum();
        // In this order of operations: rings count with doubles.
        out.extend(locality.eligible.iter().map(|&(endpoint, weight)| Share {
            endpoint,
            share: f64::from(weight) * share / within as f64,
        }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_b_20_endpoints_by_their_weights() {
        let shares = of_endpoints(&[(0, 1), (1, 3)]);
        assert_eq!(shares[0].share, 0.25);
        assert_eq!(shares[1].share, 0.75);
    }

    #[test]
    fn r_b_21_empty_localities_do_not_count_and_unhealthy_ones_do() {
        let locality = |weight, endpoints, eligible: &[(u32, u32)]| LocalityShare {
            weight,
            endpoints,
            eligible: eligible.to_vec(),
        };
        let shares = of_localities(&[
            locality(10, 0, &[]),
            locality(1, 2, &[(0, 1), (1, 1)]),
            locality(2, 1, &[]),
            locality(1, 1, &[(2, 7)]),
            locality(0, 1, &[(3, 1)]),
        ]);
        let got: Vec<(u32, f64)> = shares
            .iter()
            .map(|share| (share.endpoint, share.share))
            .collect();
        assert_eq!(got, [(0, 0.125), (1, 0.125), (2, 0.25)]);
    }
}
