//! The layers of the crate (DESIGN section 4): a noun imports only words, a verb imports the noun on its left and the noun
//! on its right, no verb imports a verb, and the hot path cannot even name a configuration type.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Layer -> the layers that it may name. Everything below `src/` belongs to one.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("terms", &[]),
    ("diagnostic", &["terms"]),
    ("resource", &["terms", "diagnostic"]),
    ("mesh", &["terms"]),
    ("router", &["terms"]),
    ("decision", &["terms", "router"]),
    ("parse", &["terms", "diagnostic", "resource"]),
    ("resolve", &["terms", "diagnostic", "resource", "mesh"]),
    ("lint", &["terms", "diagnostic", "mesh"]),
    // Finished tables become a router by `Router::new` and `Router::resettled`, methods that `route` gives to the noun: what
    // the simple door answers is what the walk finds, and the walk is `route`'s.
    ("compile", &["terms", "mesh", "router"]),
    ("route", &["terms", "router", "decision"]),
    // The other door: Envoy's configuration, from a router's tables and into them.
    ("envoy", &["terms", "diagnostic", "router"]),
    // One endpoint of a cluster, by what the router knows of it: no clock, no generator, no lock.
    ("balance", &["terms", "router"]),
    // Keeps the nouns, and what compile keeps of them; calls the verbs, by their methods.
    (
        "live",
        &[
            "terms",
            "diagnostic",
            "resource",
            "mesh",
            "compile",
            "router",
        ],
    ),
];

fn sources(directory: &Path, out: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(directory).expect("the source tree is readable");
    for entry in entries {
        let path = entry.expect("the source tree is readable").path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

/// The layer of a file: its first directory below `src/`, or its name.
fn layer(path: &Path, root: &Path) -> String {
    let relative = path.strip_prefix(root).expect("below the root");
    let first = relative.iter().next().expect("a name");
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The files that are tests of their neighbours: `#[cfg(test)] mod name;`. They may look anywhere.
fn test_modules(files: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut out = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).expect("sources are UTF-8");
        let directory = file.parent().expect("a file has a directory");
        let own = directory.join(file.file_stem().expect("a name"));
        for (attribute, item) in text.lines().zip(text.lines().skip(1)) {
            let tests_only = attribute.starts_with("#[cfg(") && attribute.contains("test");
            let name = item
                .split_once("mod ")
                .and_then(|(_, rest)| rest.strip_suffix(';'));
            if let (true, Some(name)) = (tests_only, name) {
                out.insert(directory.join(format!("{name}.rs")));
                out.insert(own.join(format!("{name}.rs")));
            }
        }
    }
    out
}

/// The layers that a text names by `crate::`, comments aside. `use crate::{a, b}` counts both.
fn named_layers(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut named = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let group = match rest.strip_prefix('{') {
            Some(inner) => inner.split('}').next().unwrap_or_default().to_owned(),
            None => rest.to_owned(),
        };
        let parts: Vec<&str> = if rest.starts_with('{') {
            group.split(',').collect()
        } else {
            vec![group.as_str()]
        };
        for part in parts {
            let name: String = part
                .trim()
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if name.chars().next().is_some_and(|c| c.is_ascii_lowercase()) {
                named.insert(name);
            }
        }
    }
    named
}

#[test]
fn every_layer_names_only_what_it_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 50, "the tree was read");
    let tests = test_modules(&files);
    let mut problems = Vec::new();
    for file in files {
        let layer = layer(&file, &root);
        if layer == "lib" || tests.contains(&file) {
            continue;
        }
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == layer) else {
            problems.push(format!("{}: no layer has this file", file.display()));
            continue;
        };
        let text = fs::read_to_string(&file).expect("sources are UTF-8");
        let text = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        for named in named_layers(text) {
            let is_layer = MAY_IMPORT.iter().any(|(name, _)| *name == named);
            if is_layer && named != layer && !allowed.contains(&named.as_str()) {
                problems.push(format!("{}: `{layer}` names `{named}`", file.display()));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn no_file_uses_unsafe_code() {
    let lib = include_str!("../src/lib.rs");
    assert!(lib.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn the_reader_of_imports_reads_them() {
    let text =
        "use crate::{terms, mesh::Mesh};\n// crate::route\nfn f() -> crate::router::Router {}";
    let named: Vec<String> = named_layers(text).into_iter().collect();
    assert_eq!(named, ["mesh", "router", "terms"]);
}
