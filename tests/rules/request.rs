//! What happens at request time, one test for each rule of the specification (R-H-001, R-H-065..R-H-149).

mod actions;
mod answers;
mod hosts;
mod matching;
mod origins;

use meshroute::decision::{Answer, Applied, UpstreamRequest};
use meshroute::{Mesh, Proxy, Request, Resources, Router};

/// A gateway on ports 80 and 443 and one VirtualService for `*` with these `http` rules; `cart` and `shop` exist.
fn gateway(http: &str) -> Router {
    compile(&format!(
        r#"
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: edge, namespace: default}}
spec:
  servers:
  - {{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ["*"]}}
  - {{port: {{number: 443, name: https, protocol: HTTPS}}, hosts: ["*"], tls: {{mode: SIMPLE, credentialName: c}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: vs, namespace: default}}
spec:
  hosts: ["*"]
  gateways: [edge]
  http:
{http}
"#
    ))
}

/// A gateway proxy's view of this and of two services.
fn compile(yaml: &str) -> Router {
    let services = r#"
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: default}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: default}
spec: {clusterIP: 10.0.0.2, ports: [{name: http, port: 80}]}
---
"#;
    let text = format!("{services}{yaml}");
    let resources = Resources::from_yaml(&text).unwrap_or_else(|report| panic!("{report}"));
    let mesh = Mesh::resolve(resources).unwrap_or_else(|report| panic!("{report}"));
    Router::compile(&mesh, &Proxy::gateway("default"))
}

/// One rule with this match, and a second without: whether the first takes the request.
fn fits(one_match: &str, request: &Request<'_>) -> bool {
    let router = gateway(&format!(
        "  - match: [{one_match}]\n    route: [{{destination: {{host: cart}}}}]\n  - route: [{{destination: {{host: shop}}}}]"
    ));
    router.decide(request, 0).position() == Some(0)
}

fn get(target: &'static str) -> Request<'static> {
    Request::get(target).authority("a.example.com")
}

/// The request as the upstream gets it.
fn upstream(router: &Router, request: &Request<'_>) -> UpstreamRequest {
    upstream_with(router, request, 0)
}

fn upstream_with(router: &Router, request: &Request<'_>, entropy: u64) -> UpstreamRequest {
    match router.decide(request, entropy).apply(request) {
        Applied::Forward(upstream) => upstream,
        other => panic!("{other:?}"),
    }
}

/// What the proxy itself answers.
fn answer(router: &Router, request: &Request<'_>) -> Answer {
    match router.decide(request, 0).apply(request) {
        Applied::Answer(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn text(value: Option<impl AsRef<[u8]>>) -> Option<String> {
    value.map(|value| String::from_utf8_lossy(value.as_ref()).into_owned())
}
