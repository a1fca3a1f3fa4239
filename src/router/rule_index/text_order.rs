//! Sorting texts by number: much of what building an index costs.

/// Sorts numbers by their texts, and those of one text by themselves: the texts are equal before `start`.
///
/// Sixteen bytes of each text stand beside its number, so that a text is fetched once for each sixteen bytes in which it
/// agrees with others, and not once for each comparison.
pub(super) fn sort_by_text<'t>(
    order: &mut [(u128, u32)],
    start: usize,
    text: &impl Fn(u32) -> &'t [u8],
) {
    for (head, at) in order.iter_mut() {
        *head = word_at(text(*at), start);
    }
    order.sort_unstable();
    for alike in order
        .chunk_by_mut(|a, b| a.0 == b.0)
        .filter(|alike| alike.len() > 1)
    {
        // A text that ends here is the beginning of all that go on: zeros stand for its end.
        let length = |at: u32| text(at).len().min(start + WORD + 1);
        alike.sort_unstable_by_key(|(_, at)| (length(*at), *at));
        let ended = alike.partition_point(|(_, at)| length(*at) <= start + WORD);
        let going_on = &mut alike[ended..];
        if start < LONG {
            sort_by_text(going_on, start + WORD, text);
        } else {
            going_on.sort_unstable_by_key(|(_, at)| (text(*at), *at));
        }
    }
}

/// Bytes of a text that are compared at once.
const WORD: usize = 16;
/// Texts that agree in so many bytes are compared whole.
const LONG: usize = 8 * WORD;

/// Sixteen bytes of a text, padded with zeros, as an integer that compares like them.
fn word_at(text: &[u8], start: usize) -> u128 {
    let rest = text.get(start..).unwrap_or_default();
    if let Some(word) = rest.first_chunk() {
        return u128::from_be_bytes(*word);
    }
    let mut word = [0; WORD];
    word[..rest.len()].copy_from_slice(rest);
    u128::from_be_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_are_sorted_and_equal_ones_by_number(texts in prop::collection::vec((0_usize..40, "[ab\0]{0,3}", 0_usize..200), 0..60)) {
            let texts: Vec<Vec<u8>> = texts.into_iter()
                .map(|(before, middle, after)| [vec![b'x'; before], middle.into_bytes(), vec![0; after]].concat())
                .collect();
            let mut order: Vec<(u128, u32)> = texts.iter().map(|_| 0).zip(0..).collect();
            sort_by_text(&mut order, 0, &|at| &texts[at as usize]);
            let mut expected: Vec<u32> = (0..texts.len() as u32).collect();
            expected.sort_by_key(|&at| &texts[at as usize]);
            prop_assert_eq!(order.into_iter().map(|(_, at)| at).collect::<Vec<_>>(), expected);
        }
    }
}
