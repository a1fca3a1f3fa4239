//! "Did you mean": the candidate that is nearest to what was written, if one is near.

use strsim::osa_distance;

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
            .collect::<String>()
    };
    let wanted = plain(text);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| {
            let letters = plain(candidate);
            let length = letters.chars().count().max(wanted.chars().count());
            (osa_distance(&wanted, &letters), length, candidate)
        })
        .filter(|(distance, length, _)| distance * 3 <= *length)
        .min_by_key(|(distance, _, _)| *distance)
        .map(|(_, _, candidate)| candidate)
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
