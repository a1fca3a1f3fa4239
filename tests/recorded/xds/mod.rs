//! What istiod sent, whole (`tests/data/xds`), compared with what the crate writes for the same configuration: field by
//! field, whatever has to do with routing.

mod meaning;
mod read;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::archive::{archives, read, topic};
use crate::support::case::{self, Case};
use crate::support::engine::compile;
use crate::support::pending::{Pending, is_asked};
use meaning::{Differences, Part, differences};

/// The recorded cases of a topic, by the last part of their ids.
fn cases(topic: &str) -> BTreeMap<String, Case> {
    let archive = archives("recorded").into_iter();
    let archive = archive.filter(|path| {
        path.to_string_lossy()
            .ends_with(&format!("/{topic}.jsonl.gz"))
    });
    let cases = archive.flat_map(|path| case::read(&path).expect("an archive of cases"));
    let key = |case: &Case| case.id.rsplit('/').next().unwrap_or_default().to_owned();
    cases.map(|case| (key(&case), case)).collect()
}

/// Each dump with its case.
fn dumps() -> impl Iterator<Item = (String, Case, Value)> {
    archives("xds").into_iter().flat_map(|archive| {
        let topic = topic(&archive).expect("an archive").to_owned();
        let dumps = read(&archive).unwrap_or_else(|why| panic!("{}: {why}", archive.display()));
        let mut cases = cases(&topic);
        dumps.into_iter().map(move |dump| {
            let name = dump["case"].as_str().expect("the name of a case");
            let stem = name
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .trim_end_matches(".yaml");
            let case = cases
                .remove(stem)
                .unwrap_or_else(|| panic!("{name} is no case"));
            (topic.clone(), case, dump)
        })
    })
}

#[test]
fn what_is_written_for_an_envoy_is_what_istiod_wrote() {
    let mut pending = Pending::of("envoy");
    let mut compared = 0;
    for (topic, case, dump) in dumps() {
        if !is_asked(&case.id) {
            continue;
        }
        if let Some(need) = case.unmet_needs().next() {
            let reason = format!("needs {need}");
            pending.note(&topic, &case.id, &reason, vec![reason.clone()]);
            continue;
        }
        let router = compile(&case, "cluster.local").router;
        let written = serde_json::to_value(router.to_envoy()).expect("JSON");
        let mut found = Differences::default();
        for part in [
            Part::Routes,
            Part::Listeners,
            Part::Clusters,
            Part::Endpoints,
        ] {
            differences(part, &dump, &written, &mut found);
        }
        let reason: Vec<&str> = found.kinds.iter().map(String::as_str).collect();
        pending.note(&topic, &case.id, &reason.join(", "), found.lines);
        compared += 1;
    }
    pending.finish();
    assert!(compared > 400 || std::env::var_os("MESHROUTE_ONLY").is_some());
}
