//! Label sets by their pairs, so that whether a selector selects one of them is known without asking all (R-M-059).

use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;

/// Label sets.
#[derive(Default)]
pub(super) struct LabelSets<'m> {
    all: Vec<&'m Labels>,
    by_pair: HashMap<(&'m str, &'m str), Vec<usize>>,
}

impl<'m> LabelSets<'m> {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether `selector` selects one of them. O(sets that have its rarest pair).
    pub(super) fn has_selected(&self, selector: &Labels) -> bool {
        let lists = selector
            .iter()
            .map(|pair| self.by_pair.get(&pair).map_or(&[][..], Vec::as_slice));
        match lists.min_by_key(|list| list.len()) {
            None => !self.all.is_empty(),
            Some(rarest) => rarest
                .iter()
                .any(|place| selector.selects(self.all[*place])),
        }
    }
}

impl<'m> FromIterator<&'m Labels> for LabelSets<'m> {
    fn from_iter<I: IntoIterator<Item = &'m Labels>>(all: I) -> Self {
        let mut sets = LabelSets::default();
        for (place, labels) in all.into_iter().enumerate() {
            sets.all.push(labels);
            for pair in labels.iter() {
                sets.by_pair.entry(pair).or_default().push(place);
            }
        }
        sets
    }
}
