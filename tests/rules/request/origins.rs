//! Where the rule behind an answer was written: in the decision, in what `explain` prints, and with the line of the field
//! where the resources are at hand.

use meshroute::{Connection, Mesh, Proxy, Request, Resources, Router};

const ROUTES: &str = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: root, namespace: shop}
spec:
  hosts: [shop.example.com]
  http:
  - match:
    - uri: {prefix: /none}
    - uri: {prefix: /cart}
    delegate: {name: leaf, namespace: cart}
  - name: rest
    route: [{destination: {host: shop.example.com}}]
  tls:
  - match: [{sniHosts: [shop.example.com], port: 444}, {sniHosts: [shop.example.com], port: 443}]
    route: [{destination: {host: shop.example.com}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: leaf, namespace: cart}
spec:
  http:
  - match:
    - uri: {prefix: /cart/a}
    route: [{destination: {host: a.example.com}}]
  - match:
    - uri: {exact: /cart/x}
    - uri: {prefix: /cart/b}
    route: [{destination: {host: b.example.com}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: shop, namespace: shop}
spec:
  hosts: [shop.example.com]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]
";

fn read() -> (Resources, Router) {
    let resources = Resources::from_yaml(ROUTES).expect("YAML");
    let mesh = Mesh::resolve(resources.clone()).expect("a valid mesh");
    let router = Router::compile(&mesh, &Proxy::default());
    (resources, router)
}

fn request() -> Request<'static> {
    Request::get("http://shop.example.com/cart/b")
}

#[test]
fn a_rule_knows_its_delegate_its_root_and_the_match_of_each() {
    let (resources, router) = read();
    let decision = router.decide(&request(), 0);
    let origin = decision.origin().expect("written");
    assert_eq!(
        origin.to_string(),
        "<input>:17 VirtualService cart/leaf http[1].match[1], delegated by <input>:1 VirtualService shop/root http[0].match[1]"
    );
    // The root has the hosts: it is what recordings call the VirtualService.
    let named = decision.virtual_service().expect("written");
    assert_eq!(named.to_string(), "shop/root");
    let line = |written| {
        resources
            .locate_written(&written)
            .expect("in the text")
            .line
    };
    assert_eq!(
        ROUTES.lines().nth(line(origin.written()) as usize - 1),
        Some("    - uri: {prefix: /cart/b}")
    );
    let root = origin.delegated_by().expect("a root");
    assert_eq!(
        ROUTES.lines().nth(line(root) as usize - 1),
        Some("    - uri: {prefix: /cart}")
    );
}

#[test]
fn explain_names_the_place_of_each_rule_that_it_lists() {
    let (resources, router) = read();
    let explanation = router.explain(&request(), 0);
    let rules = |explanation: &meshroute::Explanation<'_>| -> Vec<String> {
        let steps = explanation.steps().iter();
        steps
            .map(ToString::to_string)
            .filter(|step| step.starts_with("rule"))
            .collect()
    };
    let root = "delegated by <input>:1 VirtualService shop/root http[0].match[1],";
    assert_eq!(
        rules(&explanation),
        [
            format!(
                "rule 0 of <input>:17 VirtualService cart/leaf http[0].match[0], {root} skipped: the path does not begin with `/cart/a`; it is `/cart/b` (the closest miss)"
            ),
            format!(
                "rule 1 of <input>:17 VirtualService cart/leaf http[1].match[0], {root} skipped: the path is not `/cart/x`; it is `/cart/b`"
            ),
            format!(
                "rule 2 of <input>:17 VirtualService cart/leaf http[1].match[1], {root} matches"
            ),
        ]
    );
    let located = explanation.located(|written| resources.locate_written(written));
    let last = rules(&located).pop().expect("a rule");
    assert_eq!(
        last,
        "rule 2 of <input>:27 VirtualService cart/leaf http[1].match[1], delegated by <input>:9 VirtualService shop/root http[0].match[1], matches"
    );
}

#[test]
fn a_connection_knows_the_match_of_its_tls_rule() {
    let (_, router) = read();
    let connection = Connection::to_port(443).sni("shop.example.com");
    let decision = router.decide_connection(&connection, 0);
    let origin = decision.origin().expect("written");
    assert_eq!(
        origin.to_string(),
        "<input>:1 VirtualService shop/root tls[0].match[1]"
    );
}

#[test]
fn what_was_not_read_from_a_text_has_no_line() {
    let (mut resources, _) = read();
    for document in &mut resources.documents {
        if let meshroute::resource::Resource::VirtualService(document) = document {
            document.source = Default::default();
        }
    }
    let mesh = Mesh::resolve(resources).expect("a valid mesh");
    let router = Router::compile(&mesh, &Proxy::default());
    let request = Request::get("http://shop.example.com/");
    let decision = router.decide(&request, 0);
    let origin = decision.origin().expect("written");
    assert_eq!(origin.to_string(), "VirtualService shop/root http[1]");
}
