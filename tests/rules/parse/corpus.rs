//! Manifests that other people wrote (`../shared/peer-cases`), if they are there: each is read, or refused with a place. And
//! the recorded configurations.

use meshroute::resource::Resources;
use meshroute::terms::source::SourceDocument;
use std::path::{Path, PathBuf};

use crate::support::archive;
use crate::support::beside;

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
    found.sort();
}

#[test]
fn every_manifest_is_read_or_refused_with_a_place() {
    let mut found = Vec::new();
    for name in ["peer-cases/parse-corpus", "peer-cases/analyzers"] {
        let Some(directory) = beside::find(name) else {
            return;
        };
        files(&directory, &mut found);
    }
    assert!(found.len() > 150, "only {} files", found.len());
    let mut resources_read = 0;
    for file in &found {
        let text = std::fs::read_to_string(file).unwrap();
        let (resources, report) = Resources::from_yaml_lenient(&text);
        resources_read += resources.documents.len();
        for diagnostic in &report {
            let location = diagnostic
                .location()
                .unwrap_or_else(|| panic!("{}: {diagnostic}", file.display()));
            let lines = text.lines().count() + 1;
            assert!(
                (1..=lines).contains(&(location.line as usize)),
                "{}: {diagnostic}",
                file.display()
            );
        }
    }
    assert!(resources_read > 200, "only {resources_read} resources");
}

/// The resources of the recorded cases were accepted by istiod, so reading them must find no error.
#[test]
fn recorded_configurations_are_read_without_errors() {
    let mut cases = 0;
    for (_, case) in archive::recorded() {
        if !case["expect_invalid"].is_null() {
            continue;
        }
        let text = case["resources"].as_str().expect("a text");
        let (_, report) = Resources::from_yaml_lenient(text);
        assert!(!report.has_errors(), "{}\n{report}", case["id"]);
        cases += 1;
    }
    assert!(cases > 1_600, "only {cases} cases");
}

#[test]
fn json_is_the_same_as_yaml() {
    let Some(directory) = beside::find("peer-cases/parse-corpus") else {
        return;
    };
    let mut found = Vec::new();
    files(&directory, &mut found);
    let mut compared = 0;
    for file in &found {
        let text = std::fs::read_to_string(file).unwrap();
        let mut documents = Vec::new();
        for document in serde_yaml::Deserializer::from_str(&text) {
            let Ok(mut value) = <serde_yaml::Value as serde::Deserialize>::deserialize(document)
            else {
                break;
            };
            if value.apply_merge().is_err() {
                break;
            }
            documents.extend(serde_json::to_string(&value));
        }
        let (from_yaml, report) = Resources::from_yaml_lenient(&text);
        if report.has_errors() {
            continue;
        }
        let from_json = Resources::from_json(&documents.join("\n")).unwrap();
        assert_eq!(
            from_yaml.documents.len(),
            from_json.documents.len(),
            "{}",
            file.display()
        );
        for (a, b) in from_yaml.documents.iter().zip(&from_json.documents) {
            assert_eq!(a.meta(), b.meta(), "{}", file.display());
            assert_eq!(
                format!("{:?}", content(a)),
                format!("{:?}", content(b)),
                "{}",
                file.display()
            );
            compared += 1;
        }
    }
    assert!(compared > 200, "only {compared} resources");
}

/// The resource without its place in the source.
fn content(resource: &meshroute::resource::Resource) -> meshroute::resource::Resource {
    let mut resource = resource.clone();
    *resource.source_mut() = SourceDocument::default();
    resource
}
