//! The crate without its default feature: JSON in, destination out.

use meshroute::{Mesh, Proxy, Request, Resources, Router};

const MANIFESTS: &str = r#"
{"apiVersion": "v1", "kind": "List", "items": [
  {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
   "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 8080}]}},
  {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "web", "namespace": "default"},
   "spec": {"hosts": ["web"], "http": [
     {"match": [{"uri": {"prefix": "/v2"}}], "route": [{"destination": {"host": "web", "subset": "v2"}}]},
     {"route": [{"destination": {"host": "web"}}]}]}}
]}
"#;

#[test]
fn json_alone_goes_all_the_way() {
    let resources = Resources::from_json(MANIFESTS).unwrap_or_else(|report| panic!("{report}"));
    let mesh = Mesh::resolve(resources).unwrap_or_else(|report| panic!("{report}"));
    let router = Router::compile(&mesh, &Proxy::default());
    let destination = router.route_with("web", "mesh", 1).expect("a destination");
    assert_eq!(destination.port(), 8080);
    let request = Request::get("http://web:8080/v2/x");
    let decision = router.decide(&request, 1);
    let cluster = decision.cluster().expect("a cluster");
    assert_eq!(
        cluster.name(),
        "outbound|8080|v2|web.default.svc.cluster.local"
    );
    assert!(!cluster.exists(), "no DestinationRule names the subset");
}
