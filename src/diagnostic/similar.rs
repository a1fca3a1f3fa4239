//! "Did you mean": the candidate that is nearest to what was written, if one is near.

/// The candidate nearest to `text`, if it is near enough to be meant: at most a third of its letters differ, case aside.
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64;
    if text.len() > LONGEST {
        return None;
    }
    let plain = |text: &str| {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect::<Vec<_>>()
    };
    let wanted = plain(text);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| {
            let letters = plain(candidate);
            (
                distance(&wanted, &letters),
                letters.len().max(wanted.len()),
                candidate,
            )
        })
        .filter(|(distance, length, _)| distance * 3 <= *length)
        .min_by_key(|(distance, _, _)| *distance)
        .map(|(_, _, candidate)| candidate)
}

/// How many letters to insert, remove, replace, or swap with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let fields = ["weight", "destination", "headers"];
        assert_eq!(nearest("weigth", fields), Some("weight"));
        assert_eq!(nearest("header", fields), Some("headers"));
        assert_eq!(nearest("Destination", fields), Some("destination"));
        assert_eq!(nearest("subset", fields), None);
        assert_eq!(
            nearest("round_robin", ["ROUND_ROBIN", "RANDOM"]),
            Some("ROUND_ROBIN")
        );
    }
}
