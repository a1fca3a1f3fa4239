//! Everything that there is to say about manifests before they are applied: what cannot be read, what Istio's admission
//! would refuse, what linking found, and what hardly means what its author meant. Fails if one of it is an error.
//!
//! ```text
//! cargo run --release --example lint
//! cargo run --release --example lint -- manifests/
//! ```

use std::process::ExitCode;

use meshroute::lint::lint;
use meshroute::{Mesh, Resources};

/// A VirtualService with three mistakes: a port that the service has as `targetPort` only, a subset and a Gateway that do
/// not exist.
const MISTAKEN: &str = "
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: default}
spec: {selector: {app: reviews}, ports: [{name: http, port: 9080, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: default}
spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: default}
spec:
  hosts: [reviews.example.com]
  gateways: [public]
  http:
  - match: [{uri: {prefix: /next}}]
    route: [{destination: {host: reviews, subset: v2, port: {number: 9080}}}]
  - route: [{destination: {host: reviews, port: {number: 8080}}}]
";

fn main() -> ExitCode {
    let mut reading = Resources::builder();
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        reading = reading.yaml("mistaken.yaml", MISTAKEN);
    }
    for path in paths {
        reading = reading.path(path);
    }
    let (resources, mut report) = reading.build_lenient();
    let (mesh, resolving) = Mesh::resolve_lenient(resources.clone());
    report.append(resolving);
    report.append(resources.locate(lint(&mesh)));
    report.sort_by_location();
    println!("{report}");
    if report.has_errors() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
