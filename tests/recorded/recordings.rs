//! That the recordings in `tests/data` are whole: each topic is there, each case has an id of its own, and where the
//! originals lie beside the checkout (`../shared`), the archives hold exactly them.
//!
//! `MESHROUTE_ARCHIVES=write cargo test --test recorded recordings` makes the archives anew from `../shared`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::archive;
use crate::support::beside;

use archive::SUFFIX;

fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared")
}

fn house(folder: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/data").join(folder)
}

/// What is in a folder, in the order of the names.
fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut out: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    out.sort();
    out
}

/// The original files of each topic: the folders of `conformance`, and `reported`.
fn originals() -> Vec<(String, Vec<PathBuf>)> {
    let mut folders = inside(&shared().join("conformance"));
    folders.retain(|path| path.is_dir());
    folders.push(shared().join("reported"));
    let topics = folders.iter().map(|folder| {
        let mut files = inside(folder);
        files.retain(|path| path.extension().is_some_and(|ext| ext == "yaml"));
        let name = folder.file_name().unwrap().to_string_lossy();
        (name.into_owned(), files)
    });
    topics.collect()
}

fn id(text: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix("id: "));
    line.expect("a case has an id").trim().to_owned()
}

fn write() {
    _ = std::fs::remove_dir_all(house("recorded"));
    _ = std::fs::remove_dir_all(house("xds"));
    for folder in ["recorded", "xds"] {
        std::fs::create_dir_all(house(folder)).unwrap();
    }
    for (topic, files) in originals() {
        let read = |file: &PathBuf| -> Value {
            let text = std::fs::read_to_string(file).unwrap();
            serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
        };
        let cases: Vec<Value> = files.iter().map(read).collect();
        let file = house("recorded").join(topic + SUFFIX);
        archive::write(&file, &cases).unwrap();
    }
    for file in inside(&shared().join("xds")) {
        if archive::topic(&file).is_some() {
            std::fs::copy(&file, house("xds").join(file.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn the_archives_are_whole() {
    if std::env::var("MESHROUTE_ARCHIVES").is_ok_and(|said| said == "write") {
        write();
    }
    let mut ids = BTreeSet::new();
    for (topic, case) in archive::recorded() {
        assert_eq!(case["schema"], "routing-case/v1", "{topic}");
        let id = case["id"].as_str().expect("an id").to_owned();
        assert!(case["resources"].is_string(), "{id} has resources");
        assert!(ids.insert(format!("{topic} {id}")), "{id} is there twice");
    }
    for dumps in archive::archives("xds") {
        let topic = archive::topic(&dumps).expect("an archive");
        for dump in archive::read(&dumps).expect("an archive") {
            let case = dump["case"].as_str().expect("the case that it is of");
            let name = case.rsplit('/').next().unwrap().trim_end_matches(".yaml");
            let id = format!("{topic} random/{name}");
            assert!(ids.contains(&id), "{case} is no case of the house");
            assert!(dump["listeners"].is_array() && dump["clusters"].is_array());
        }
    }
    if !shared().join("conformance").is_dir() {
        eprintln!("not compared with the originals: no ../shared beside this checkout");
        return;
    }
    let mut originally = BTreeSet::new();
    for (topic, files) in originals() {
        let texts = files
            .iter()
            .map(|file| std::fs::read_to_string(file).unwrap());
        originally.extend(texts.map(|text| format!("{topic} {}", id(&text))));
    }
    assert_eq!(ids, originally, "MESHROUTE_ARCHIVES=write makes them anew");
    for copy in archive::archives("xds") {
        let original = shared().join("xds").join(copy.file_name().unwrap());
        let same = std::fs::read(&original).unwrap() == std::fs::read(&copy).unwrap();
        assert!(same, "{} is another", copy.display());
    }
}

/// The number that a run without `../shared` says is true.
#[test]
fn what_is_beside_the_checkout_is_counted() {
    fn count(path: &Path) -> usize {
        match path.is_dir() {
            true => inside(path).iter().map(|path| count(path)).sum(),
            false => 1,
        }
    }
    for (folder, files) in beside::FOLDERS {
        if let Some(path) = beside::find(folder) {
            assert_eq!(count(&path), *files, "{folder}");
        }
    }
}
