//! Reading 10 000 VirtualServices: `Resources::from_yaml` and `Resources::from_json` beside the plain readers that they are
//! built on, in the same run. Each contender's answer is checked before it is timed.
//!
//! `cargo bench --bench read`; the figures are bytes per second of the same text.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use meshroute::resource::{Resource, Resources};
use serde::Deserialize;
use std::fmt::Write;
use std::hint::black_box;

/// How many VirtualServices: few if the bench only runs as a test.
fn size() -> usize {
    if std::env::args().any(|argument| argument == "--test") {
        50
    } else {
        10_000
    }
}

fn yaml(size: usize) -> String {
    let mut text = String::new();
    for n in 0..size {
        let _ = write!(
            text,
            "---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: service-{n}
  namespace: namespace-{}
  labels:
    app: service-{n}
spec:
  hosts:
  - service-{n}.example.com
  gateways:
  - istio-system/ingress
  http:
  - name: api
    match:
    - uri:
        prefix: /api/v{}
      headers:
        x-tenant:
          exact: tenant-{}
    - uri:
        exact: /health
    timeout: 2.5s
    retries:
      attempts: 3
      perTryTimeout: 500ms
      retryOn: 5xx,reset
    route:
    - destination:
        host: service-{n}
        subset: v1
        port:
          number: 8080
      weight: 90
    - destination:
        host: service-{n}
        subset: v2
        port:
          number: 8080
      weight: 10
  - route:
    - destination:
        host: service-{n}
",
            n % 40,
            n % 3,
            n % 7
        );
    }
    text
}

/// The same documents as one JSON list.
fn json(yaml: &str) -> String {
    let documents: Vec<serde_json::Value> = serde_yaml::Deserializer::from_str(yaml)
        .map(|document| {
            serde_json::Value::deserialize(document).expect("the bench's own YAML is sound")
        })
        .collect();
    serde_json::json!({"apiVersion": "v1", "kind": "List", "items": documents}).to_string()
}

/// What a program would derive for the fields of these documents, and nothing else.
#[allow(dead_code)]
mod derived {
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct Document {
        pub api_version: String,
        pub kind: String,
        pub metadata: Metadata,
        pub spec: Spec,
    }

    #[derive(Deserialize)]
    pub struct Metadata {
        pub name: String,
        pub namespace: String,
        pub labels: BTreeMap<String, String>,
    }

    #[derive(Deserialize)]
    pub struct Spec {
        pub hosts: Vec<String>,
        pub gateways: Vec<String>,
        pub http: Vec<Http>,
    }

    #[derive(Deserialize)]
    pub struct Http {
        pub name: Option<String>,
        #[serde(default)]
        pub r#match: Vec<Match>,
        pub timeout: Option<String>,
        pub retries: Option<Retries>,
        pub route: Vec<Route>,
    }

    #[derive(Deserialize)]
    pub struct Match {
        pub uri: Option<Text>,
        #[serde(default)]
        pub headers: BTreeMap<String, Text>,
    }

    #[derive(Deserialize)]
    pub struct Text {
        pub exact: Option<String>,
        pub prefix: Option<String>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct Retries {
        pub attempts: u32,
        pub per_try_timeout: String,
        pub retry_on: String,
    }

    #[derive(Deserialize)]
    pub struct Route {
        pub destination: Destination,
        pub weight: Option<u32>,
    }

    #[derive(Deserialize)]
    pub struct Destination {
        pub host: String,
        pub subset: Option<String>,
        pub port: Option<Port>,
    }

    #[derive(Deserialize)]
    pub struct Port {
        pub number: u32,
    }

    #[derive(Deserialize)]
    pub struct List {
        pub items: Vec<Document>,
    }
}

fn check(resources: &Resources, size: usize) {
    assert_eq!(resources.documents.len(), size);
    assert!(resources.notes.is_empty(), "{}", resources.notes);
    let Some(Resource::VirtualService(last)) = resources.documents.last() else {
        panic!("the last is a VirtualService")
    };
    assert_eq!(last.meta.name, format!("service-{}", size - 1));
    assert_eq!(last.spec.http[0].route[0].weight, 90);
    assert_eq!(
        last.spec.http[0]
            .timeout
            .map(|timeout| timeout.to_string())
            .as_deref(),
        Some("2.500s")
    );
}

fn read_yaml(criterion: &mut Criterion) {
    let size = size();
    let text = yaml(size);
    let ours = || Resources::from_yaml(&text).expect("the bench's own YAML is sound");
    let typed = || {
        serde_yaml::Deserializer::from_str(&text)
            .map(|document| derived::Document::deserialize(document).expect("sound"))
            .collect::<Vec<_>>()
    };
    let untyped = || {
        serde_yaml::Deserializer::from_str(&text)
            .map(|document| serde_yaml::Value::deserialize(document).expect("sound"))
            .collect::<Vec<_>>()
    };
    check(&ours(), size);
    assert_eq!(typed().len(), size);
    assert_eq!(untyped().len(), size);
    let mut group = criterion.benchmark_group("read/yaml");
    group
        .sample_size(10)
        .throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("meshroute", |bencher| bencher.iter(|| black_box(ours())));
    group.bench_function("serde_yaml derived structs", |bencher| {
        bencher.iter(|| black_box(typed()))
    });
    group.bench_function("serde_yaml::Value", |bencher| {
        bencher.iter(|| black_box(untyped()))
    });
    group.finish();
}

fn read_json(criterion: &mut Criterion) {
    let size = size();
    let text = json(&yaml(size));
    let ours = || Resources::from_json(&text).expect("the bench's own JSON is sound");
    let typed = || serde_json::from_str::<derived::List>(&text).expect("sound");
    let untyped = || serde_json::from_str::<serde_json::Value>(&text).expect("sound");
    check(&ours(), size);
    assert_eq!(typed().items.len(), size);
    assert_eq!(untyped()["items"].as_array().map(Vec::len), Some(size));
    let mut group = criterion.benchmark_group("read/json");
    group
        .sample_size(10)
        .throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("meshroute", |bencher| bencher.iter(|| black_box(ours())));
    group.bench_function("serde_json derived structs", |bencher| {
        bencher.iter(|| black_box(typed()))
    });
    group.bench_function("serde_json::Value", |bencher| {
        bencher.iter(|| black_box(untyped()))
    });
    group.finish();
}

criterion_group!(benches, read_yaml, read_json);
criterion_main!(benches);
