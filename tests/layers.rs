//! The layers of the crate (DESIGN section 4): a noun imports only words, a verb imports the noun on its left and the noun
//! on its right, no verb imports a verb, and the hot path cannot even name a configuration type.

use std::collections::{BTreeMap, BTreeSet};
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
    // Other crates' types: the public API only.
    ("adapter", &["terms", "decision", "router"]),
    // One endpoint of a cluster, by what the router knows of it: no clock, no generator, no lock.
    ("balance", &["terms", "router"]),
    // All requests at once: the tables and the predicates; the walk only by the router's methods, to confirm.
    ("space", &["terms", "router", "decision"]),
    // Who has to do with an answer and who has not: reads the mesh beside the decision; calls the verbs by their methods.
    (
        "explain",
        &[
            "terms",
            "diagnostic",
            "resource",
            "mesh",
            "router",
            "decision",
        ],
    ),
    // A repository as people have it: its files, what there is to say about it, the proxies that it holds.
    (
        "check",
        &[
            "terms",
            "diagnostic",
            "resource",
            "lint",
            "explain",
            "router",
            "decision",
        ],
    ),
    // Routing tests: asks what everyone may ask.
    (
        "suite",
        &["terms", "diagnostic", "router", "decision", "check"],
    ),
    // The command: the public API only, by the name of the crate.
    ("bin", &[]),
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

/// A file without its tests, as the module that it is.
struct Room {
    module: Vec<String>,
    uses: Vec<Vec<String>>,
    /// What it hands on: a name, and whose it is.
    hands_on: BTreeMap<String, Vec<String>>,
}

/// The module of a file below the root.
fn module(file: &Path, root: &Path) -> Vec<String> {
    let relative = file.strip_prefix(root).expect("below the root");
    let names = relative.with_extension("");
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    names
        .filter(|name| name != "mod" && name != "lib")
        .collect()
}

/// The paths of a use tree: `a::{b, c::d}` are `a::b` and `a::c::d`.
fn paths(tree: &str, before: &[String], out: &mut Vec<Vec<String>>) {
    let mut start = 0;
    let mut depth = 0;
    let mut items = Vec::new();
    for (at, byte) in tree.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                items.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&tree[start..]);
    for item in items.iter().map(|item| item.trim()) {
        let item = item.split(" as ").next().unwrap_or_default();
        let (head, inner) = match item.split_once('{') {
            Some((head, inner)) => (head, inner.strip_suffix('}')),
            None => (item, None),
        };
        let names = head.split("::").filter(|name| !name.is_empty());
        let names = names.filter(|name| *name != "self" || before.is_empty());
        let path = before.iter().cloned();
        let path: Vec<String> = path.chain(names.map(str::to_owned)).collect();
        match inner {
            Some(inner) => paths(inner, &path, out),
            None if !item.is_empty() => out.push(path),
            None => {}
        }
    }
}

/// A path of a use in `module`, from the root of the crate; `None`: it is of another crate, or of this file.
fn from_root(
    path: &[String],
    module: &[String],
    modules: &BTreeSet<Vec<String>>,
) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|name| *name == "super").count();
    let (base, rest) = match path.first()?.as_str() {
        "crate" => (&[][..], &path[1..]),
        "self" => (module, &path[1..]),
        "super" => (module.get(..module.len().checked_sub(ups)?)?, &path[ups..]),
        _ => (module, path),
    };
    let whole = [base, rest].concat();
    let is_inner = modules.contains(&whole[..(module.len() + 1).min(whole.len())]);
    let is_plain = !["crate", "self", "super"].contains(&path[0].as_str());
    (!is_plain || is_inner).then_some(whole)
}

impl Room {
    fn new(text: &str, module: Vec<String>, modules: &BTreeSet<Vec<String>>) -> Self {
        let text = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        let mut room = Room {
            module,
            uses: Vec::new(),
            hands_on: BTreeMap::new(),
        };
        for (at, _) in text.match_indices("use ") {
            let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
            let before = text[line..at].trim();
            if !(before.is_empty() || before.starts_with("pub") && !before.contains("//")) {
                continue;
            }
            let tree = text[at + 4..].split(';').next().unwrap_or_default();
            let tree: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
            let mut all = Vec::new();
            paths(&tree, &[], &mut all);
            for path in all {
                let Some(path) = from_root(&path, &room.module, modules) else {
                    continue;
                };
                if let (false, Some(name)) = (before.is_empty(), path.last()) {
                    room.hands_on.insert(name.clone(), path.clone());
                }
                room.uses.push(path);
            }
        }
        room
    }
}

/// The module that a path leads to, through what modules hand on.
fn owner(path: &[String], rooms: &BTreeMap<Vec<String>, Room>) -> Option<Vec<String>> {
    let length = (0..=path.len())
        .rev()
        .find(|&length| rooms.contains_key(&path[..length]))?;
    let module = &path[..length];
    let handed = path
        .get(length)
        .and_then(|name| rooms[module].hands_on.get(name));
    match handed {
        Some(handed) if handed.as_slice() != path => owner(handed, rooms),
        _ => Some(module.to_vec()),
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let tests = test_modules(&files);
    files.retain(|file| !tests.contains(file));
    let modules: BTreeSet<Vec<String>> = files.iter().map(|file| module(file, &root)).collect();
    let rooms: BTreeMap<Vec<String>, Room> = files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).expect("sources are UTF-8");
            let module = module(file, &root);
            (module.clone(), Room::new(&text, module, &modules))
        })
        .collect();
    let mut edges: BTreeSet<(Vec<String>, Vec<String>)> = BTreeSet::new();
    for room in rooms.values() {
        for target in room.uses.iter().filter_map(|path| owner(path, &rooms)) {
            // A module and what is below it are one place.
            if !target.starts_with(&room.module) && !room.module.starts_with(&target) {
                edges.insert((room.module.clone(), target));
            }
        }
    }
    assert!(edges.len() > 500, "{} imports were read", edges.len());
    // What nobody imports, and what imports nothing, is on no circle.
    loop {
        let from: BTreeSet<_> = edges.iter().map(|(from, _)| from.clone()).collect();
        let to: BTreeSet<_> = edges.iter().map(|(_, to)| to.clone()).collect();
        let before = edges.len();
        edges.retain(|edge| to.contains(&edge.0) && from.contains(&edge.1));
        if edges.len() == before {
            break;
        }
    }
    let left = edges
        .iter()
        .map(|(from, to)| format!("{} -> {}", from.join("::"), to.join("::")));
    let left: Vec<String> = left.collect();
    assert!(left.is_empty(), "circles among:\n{}", left.join("\n"));
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
