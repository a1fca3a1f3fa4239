//! `exportTo` as written (R-M-145).

use std::collections::BTreeSet;

use super::{Verdict, domain};

/// Checks every entry and their combination; calls `problem` with the entry's index and what is wrong with it.
/// `allow_none` is true for a ServiceEntry, which may be visible to nobody (`~`).
pub(crate) fn entries(
    export_to: &[String],
    namespace: &str,
    allow_none: bool,
    mut problem: impl FnMut(usize, String),
) {
    let mut seen = BTreeSet::new();
    for (index, entry) in export_to.iter().enumerate() {
        let name = if entry == "." { namespace } else { entry };
        if seen.contains(name) {
            problem(
                index,
                format!("`{entry}` names a namespace that `exportTo` has already"),
            );
        } else {
            match verdict_on(entry, name, allow_none) {
                Ok(()) => {
                    seen.insert(name);
                }
                Err(message) => problem(index, message),
            }
        }
    }
    for whole in ["*", "~"] {
        if seen.contains(whole) && seen.len() > 1 {
            let index = export_to
                .iter()
                .position(|entry| entry == whole)
                .unwrap_or(0);
            problem(
                index,
                format!("`{whole}` cannot stand beside other entries of `exportTo`"),
            );
        }
    }
}

fn verdict_on(entry: &str, name: &str, allow_none: bool) -> Verdict {
    match name {
        "~" if allow_none => Ok(()),
        "~" => Err("`~` (nobody) is not allowed in `exportTo` of this kind".to_owned()),
        "*" => Ok(()),
        _ if entry == "." || domain::is_label(name) => Ok(()),
        _ => Err(format!("`{entry}` is neither `.` nor `*` nor a namespace")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(export_to: &[&str], allow_none: bool) -> usize {
        let export_to: Vec<String> = export_to.iter().map(|&e| e.to_owned()).collect();
        let mut count = 0;
        entries(&export_to, "ns5", allow_none, |_, _| count += 1);
        count
    }

    #[test]
    fn r_m_145_entries() {
        assert_eq!(problems(&[], false), 0);
        assert_eq!(problems(&["*"], false), 0);
        assert_eq!(problems(&["ns1", "ns2", "ns5"], false), 0);
        assert_eq!(problems(&[".", "ns1"], false), 0);
        assert_eq!(problems(&[".", "ns5"], false), 1);
        assert_eq!(problems(&["ns1", "ns1"], false), 1);
        assert_eq!(problems(&["*", "ns1"], false), 1);
        assert_eq!(problems(&["~"], false), 1);
        assert_eq!(problems(&["~"], true), 0);
        assert_eq!(problems(&["~", "ns1"], true), 1);
        assert_eq!(problems(&["a/b"], false), 1);
    }
}
