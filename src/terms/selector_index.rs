//! Selectors by the rarest of their pairs, so that those which select some labels are found without asking all of them
//! (R-M-059).

use super::hash::HashMap;
use super::labels::Labels;

/// Selectors, each with its place in the order in which they were given.
#[derive(Clone, Debug, Default)]
pub(crate) struct SelectorIndex<'a> {
    /// The places of those that have this pair and none that is rarer.
    by_pair: HashMap<(&'a str, &'a str), Vec<(usize, &'a Labels)>>,
    /// The places of those that select everything.
    general: Vec<usize>,
}

impl<'a> SelectorIndex<'a> {
    /// Indexes selectors. O(labels).
    pub(crate) fn new(selectors: impl IntoIterator<Item = &'a Labels> + Clone) -> Self {
        let mut uses: HashMap<(&str, &str), usize> = HashMap::default();
        for pair in selectors.clone().into_iter().flat_map(Labels::iter) {
            *uses.entry(pair).or_default() += 1;
        }
        let mut index = SelectorIndex::default();
        for (place, selector) in selectors.into_iter().enumerate() {
            match selector.iter().min_by_key(|pair| uses[pair]) {
                None => index.general.push(place),
                Some(rarest) => {
                    let list = index.by_pair.entry(rarest).or_default();
                    list.push((place, selector));
                }
            }
        }
        index
    }

    /// The places of the selectors that select `labels`, those that select everything first.
    ///
    /// # Complexity
    /// O(labels + selectors that have one of them as their rarest).
    pub(crate) fn selecting<'s>(&'s self, labels: &'s Labels) -> impl Iterator<Item = usize> + 's {
        let few = labels
            .iter()
            .filter_map(|pair| self.by_pair.get(&pair))
            .flatten()
            .filter(|(_, selector)| selector.selects(labels))
            .map(|(place, _)| *place);
        self.general.iter().copied().chain(few)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_m_059_agrees_with_asking_each_selector() {
        let pairs = [("a", "1"), ("a", "2"), ("b", "1"), ("c", "1")];
        let sets: Vec<Labels> = (0..16)
            .map(|bits| {
                let chosen = (0..4).filter(|bit| bits & (1 << bit) != 0);
                chosen.map(|bit| pairs[bit]).collect()
            })
            .collect();
        let index = SelectorIndex::new(&sets);
        for labels in &sets {
            let mut found: Vec<usize> = index.selecting(labels).collect();
            found.sort_unstable();
            let expected: Vec<usize> = (0..sets.len())
                .filter(|&place| sets[place].selects(labels))
                .collect();
            assert_eq!(found, expected, "{labels}");
        }
    }
}
