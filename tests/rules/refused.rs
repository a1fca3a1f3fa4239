//! What a cluster refuses is refused, and what is not read is named: the cases of `tests/data/refused.yaml`.

use meshroute::Mesh;
use meshroute::resource::Resources;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    rule: String,
    given: String,
    says: Vec<String>,
}

#[test]
fn what_a_cluster_refuses_is_said() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/refused.yaml");
    let text = std::fs::read_to_string(path).expect("the cases are part of the project");
    let cases: Vec<Case> = serde_yaml::from_str(&text).expect("the cases are sound");
    let mut wrong = Vec::new();
    for case in &cases {
        let (resources, read) = Resources::from_yaml_lenient(&case.given);
        let (_, resolved) = Mesh::resolve_lenient(resources);
        // What reading has said is not said again by resolving.
        let said: Vec<String> = read
            .iter()
            .chain(
                resolved
                    .iter()
                    .filter(|diagnostic| !read.iter().any(|other| other == *diagnostic)),
            )
            .map(|diagnostic| match diagnostic.field() {
                Some(field) => format!("{} {field}", diagnostic.code().name()),
                None => diagnostic.code().name().to_owned(),
            })
            .collect();
        if said != case.says {
            wrong.push(format!(
                "{}\n  said     {said:?}\n  expected {:?}",
                case.rule, case.says
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
