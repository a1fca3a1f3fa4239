//! The rule book (`src/guide/rules`) against its citations: each id that a source, a test or a chapter cites is defined in
//! the book, and defined once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn files(directory: &Path, out: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).expect("the tree can be read");
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            files(&path, out);
        } else if path
            .extension()
            .is_some_and(|ext| ext == "rs" || ext == "md")
        {
            out.push(path);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The ids in a text, in capitals: `R-H-076`, also where a test is named after it (`r_h_076_..`).
fn cited(text: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (lead, separator) in [("R-", "-"), ("r_", "_")] {
        for rest in text.split(lead).skip(1) {
            let mut parts = rest.splitn(2, separator);
            let (Some(book), Some(rest)) = (parts.next(), parts.next()) else {
                continue;
            };
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let book = book.to_ascii_uppercase();
            if digits.len() >= 2 && ["H", "M", "B", "G"].contains(&book.as_str()) {
                out.insert(format!("R-{book}-{digits}"));
            }
        }
    }
    out
}

/// How often each id is defined: where it stands behind its anchor.
fn defined() -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for chapter in ["http", "model", "balancing", "gateway_api"] {
        let text = text(&root().join(format!("src/guide/rules/{chapter}.md")));
        for rest in text.split("<a id=\"").skip(1) {
            let (anchor, rest) = rest
                .split_once("\"></a>**")
                .expect("an id behind its anchor");
            let id = rest.split("**").next().expect("bold");
            assert_eq!(anchor, id.to_lowercase(), "the anchor is the id");
            *out.entry(id.to_owned()).or_default() += 1;
        }
    }
    out
}

#[test]
fn every_rule_that_is_cited_is_defined_once() {
    let defined = defined();
    assert!(defined.len() > 450, "only {} rules", defined.len());
    let twice: Vec<_> = defined.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "defined more than once: {twice:?}");
    let mut sources = Vec::new();
    for folder in ["src", "tests", "examples", "benches"] {
        files(&root().join(folder), &mut sources);
    }
    let mut problems = Vec::new();
    for path in &sources {
        let unknown = cited(&text(path));
        let unknown = unknown.iter().filter(|id| !defined.contains_key(*id));
        problems.extend(unknown.map(|id| format!("{}: {id}", path.display())));
    }
    assert!(
        problems.is_empty(),
        "nowhere defined:\n{}",
        problems.join("\n")
    );
}

#[test]
fn citations_are_found_in_texts_and_names() {
    let text = "(R-H-001, R-M-080..R-M-087) fn r_h_047_and_r_b_03_domains() R-X-1 our_h_1";
    let found: Vec<String> = cited(text).into_iter().collect();
    assert_eq!(
        found,
        ["R-B-03", "R-H-001", "R-H-047", "R-M-080", "R-M-087"]
    );
}
