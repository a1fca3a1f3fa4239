//! A registry that follows changes == one resolved anew, over random sequences of changes of every kind of resource: the
//! services, their order, and what there is to say about the resources that come.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::key::Key;
use super::{About, Changes, LiveRouter};
use crate::diagnostic::Code;
use crate::mesh::{Mesh, Service};
use crate::resource::Resources;
use crate::{Options, Proxy, Report};

const NAMES: [&str; 3] = ["a", "b", "c"];
const NAMESPACES: [&str; 2] = ["default", "prod"];
const HOSTS: [&str; 4] = [
    "a.default.svc.cluster.local",
    "b.prod.svc.cluster.local",
    "x.com",
    "y.com",
];
const KINDS: [&str; 6] = [
    "Service",
    "EndpointSlice",
    "Pod",
    "Deployment",
    "WorkloadEntry",
    "ServiceEntry",
];

/// Numbers that decide what a document is.
type Dice = [usize; 5];

fn labels(number: usize) -> Value {
    match number % 4 {
        0 => json!({"app": "a"}),
        1 => json!({"app": "a", "version": "v1"}),
        2 => json!({"app": "b"}),
        _ => json!({"topology.kubernetes.io/region": "eu"}),
    }
}

fn spec(kind: &str, name: &str, [first, two, three, ..]: Dice) -> Value {
    let address = format!("10.0.{first}.{two}");
    match kind {
        "Service" if first % 5 == 0 => json!({
            "type": "ExternalName",
            "externalName": HOSTS[two % 4],
            "ports": [{"name": "http", "port": 80}],
        }),
        "Service" => {
            let target = [json!(8080), json!("web"), Value::Null][two % 3].clone();
            let mut spec = json!({
                "clusterIP": "10.1.0.1",
                "ports": [{"name": "http", "port": if first == 7 { 0 } else { 80 }, "targetPort": target}],
                "publishNotReadyAddresses": three % 3 == 0,
            });
            if three % 4 > 0 {
                spec["selector"] = labels(three);
            }
            spec
        }
        "Pod" => json!({
            "containers": [{"name": "c", "ports": [{"name": "web", "containerPort": 9000 + two}]}],
        }),
        "Deployment" => json!({
            "replicas": first % 2,
            "selector": {"matchLabels": {}},
            "template": {
                "metadata": {"labels": labels(two)},
                "spec": {"containers": [{"name": "c", "ports": [{"name": "web", "containerPort": 7000}]}]},
            },
        }),
        "WorkloadEntry" => json!({
            "address": if three % 4 == 0 { format!("{name}.example.com") } else { address },
            "labels": labels(two),
            "locality": if first % 2 == 0 { "eu/west" } else { "" },
            "ports": {"web": 7070},
        }),
        _ => {
            let mut spec = json!({
                "hosts": [HOSTS[first % 4]],
                "resolution": if two % 2 == 0 { "STATIC" } else { "DNS" },
                "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
            });
            match three % 4 {
                0 => spec["workloadSelector"] = json!({"labels": labels(first)}),
                1 => spec["workloadSelector"] = json!({"labels": {}}),
                2 => spec["endpoints"] = json!([{"address": address}]),
                _ => {}
            }
            if first % 3 == 0 {
                spec["addresses"] = json!(["10.2.0.1", "10.2.0.2"]);
            }
            spec
        }
    }
}

fn document(kind: &str, namespace: &str, name: &str, dice: Dice) -> Value {
    let group = match kind {
        "Service" | "Pod" => "v1",
        "Deployment" => "apps/v1",
        "EndpointSlice" => "discovery.k8s.io/v1",
        _ => "networking.istio.io/v1",
    };
    let [first, two, three, four, five] = dice;
    let mut document = json!({
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels(four)},
    });
    if five % 3 == 0 {
        document["metadata"]["creationTimestamp"] =
            json!(format!("2026-01-0{}T00:00:00Z", 1 + four % 2));
    }
    if kind != "EndpointSlice" {
        document["spec"] = spec(kind, name, dice);
    }
    match kind {
        "Pod" => {
            let phase = ["Running", "Pending", "Succeeded"][first % 3];
            document["status"] = json!({"phase": phase, "podIP": format!("10.3.0.{three}")});
        }
        "EndpointSlice" => {
            document["metadata"]["labels"] =
                json!({"kubernetes.io/service-name": NAMES[first % 3]});
            let target = json!({"kind": "Pod", "name": NAMES[two % 3], "namespace": namespace});
            document["addressType"] = json!("IPv4");
            document["ports"] = json!([{"name": "http", "port": 8000 + three}]);
            document["endpoints"] = json!([
                {"addresses": [format!("10.4.0.{four}")], "targetRef": target},
                {"addresses": ["10.4.1.1"], "conditions": {"ready": four % 2 == 0}, "zone": "z"},
            ]);
        }
        _ => {}
    }
    document
}

/// A document that comes, or one of its name that goes.
fn change() -> impl Strategy<Value = (usize, usize, usize, bool, Dice)> {
    let dice = [0..8_usize, 0..8_usize, 0..8_usize, 0..8_usize, 0..8_usize];
    (
        0..6_usize,
        0..2_usize,
        0..3_usize,
        prop::bool::weighted(0.75),
        dice,
    )
}

fn whole(live: &LiveRouter) -> (Mesh, Report) {
    let mut report = Report::new();
    let documents = live.documents.iter();
    let mesh = Mesh::resolve_documents(documents, None, &Options::default(), None, &mut report);
    (mesh, report)
}

fn texts(report: impl IntoIterator<Item = crate::Diagnostic>, coming: &[Key]) -> Vec<String> {
    let about = About::new(coming.iter().cloned(), false);
    let about = report
        .into_iter()
        .filter(|diagnostic| about.is_of(diagnostic));
    let mut texts: Vec<String> = about.map(|diagnostic| diagnostic.to_string()).collect();
    texts.sort();
    texts.dedup();
    texts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 96 }))]

    #[test]
    fn following_changes_of_the_registry_is_resolving_it_anew(
        first in prop::collection::vec(change(), 0..16),
        steps in prop::collection::vec(prop::collection::vec(change(), 1..4), 1..12),
    ) {
        let (mut live, _) = LiveRouter::new(Resources::new(), Proxy::default());
        for step in std::iter::once(first).chain(steps) {
            let mut changes = Changes::new();
            for (kind, namespace, name, comes, dice) in step {
                let (kind, namespace, name) = (KINDS[kind], NAMESPACES[namespace], NAMES[name]);
                let text = document(kind, namespace, name, dice).to_string();
                let read = Resources::from_json(&text).unwrap_or_else(|why| panic!("{text}: {why}"));
                changes = match comes {
                    true => changes.apply_all(read),
                    false => {
                        let kind = read.documents[0].kind();
                        changes.delete(kind, namespace, name)
                    }
                };
            }
            let coming = changes.clone().collapsed().resources.into_iter();
            let coming: Vec<Key> = coming.filter(|(_, new)| new.is_some()).map(|(key, _)| key).collect();
            let notes = changes.notes.clone();
            let before = live.mesh().inner.services.clone();
            match live.update(changes) {
                Err(report) => {
                    prop_assert!(report.has_errors());
                    // Nothing has changed, and what comes next goes on from there.
                    let same = before.iter().zip(&live.mesh().inner.services);
                    prop_assert!(same.clone().count() == before.len());
                    prop_assert!(same.into_iter().all(|(old, new)| std::sync::Arc::ptr_eq(old, new)));
                }
                Ok(update) => {
                    let (mesh, report) = whole(&live);
                    let said = texts(update.report, &coming);
                    let expected = texts(notes.into_iter().chain(report), &coming);
                    prop_assert_eq!(said, expected);
                    let (ours, theirs) = (&live.mesh().inner.services, &mesh.inner.services);
                    let names = |all: &[std::sync::Arc<Service>]| -> Vec<String> {
                        all.iter().map(|service| format!("{} {} {:?}", service.hostname, service.resource, service.addresses)).collect()
                    };
                    prop_assert_eq!(names(ours), names(theirs));
                    for (our, their) in ours.iter().zip(theirs) {
                        prop_assert!(our.is_same(their), "{our:#?}\n{their:#?}");
                    }
                    prop_assert_eq!(live.mesh().inner.open, mesh.inner.open);
                }
            }
        }
    }
}

#[test]
fn what_there_is_to_say_of_a_service_is_said_again_when_it_comes_again() {
    let entry = json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {
            "hosts": ["b.prod.svc.cluster.local"],
            "resolution": "STATIC",
            "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
        },
    });
    let service = |label: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "b", "namespace": "prod", "labels": {"x": label}},
            "spec": {"ports": [{"name": "http", "port": 80}]},
        })
    };
    let read = |document: Value| Resources::from_json(&document.to_string()).expect("readable");
    let (mut live, _) = LiveRouter::new(read(entry), Proxy::default());
    for label in ["one", "two"] {
        let changes = Changes::new().apply_all(read(service(label)));
        let update = live.update(changes).expect("valid");
        let shared = update
            .report
            .iter()
            .filter(|diagnostic| diagnostic.code() == Code::HOST_SHARED);
        assert_eq!(shared.count(), 1, "{label}");
    }
}
