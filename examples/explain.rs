//! Why a request goes where it goes: the same walk as `decide`, recorded.
//!
//! ```text
//! cargo run --release --example explain
//! cargo run --release --example explain -- manifests/ https://shop.example.com/cart x-user=jane
//! ```

use std::error::Error;

use meshroute::{Mesh, Proxy, Request, Resources, Router};

const SHOP: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: default}
spec:
  selector: {app: shop}
  ports: [{name: http, port: 80}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec:
  hosts: [shop]
  http:
  - name: testers
    match:
    - headers: {x-user: {exact: jane}}
      uri: {prefix: /cart}
    route: [{destination: {host: shop, subset: next}}]
  - name: everyone
    route: [{destination: {host: shop}}]
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let resources = match arguments.first() {
        Some(path) => Resources::from_path(path)?,
        None => Resources::from_yaml(SHOP)?,
    };
    let url = arguments
        .get(1)
        .map_or("http://shop/cart/7", String::as_str);
    // Lenient, as an apply to a cluster would be: what admission refuses is left out, and said.
    let (mesh, report) = Mesh::resolve_lenient(resources.clone());
    print!("{report}");
    let router = Router::compile(&mesh, &Proxy::default());
    let mut request = Request::get(url);
    if arguments.is_empty() {
        request = request.header("x-user", "john");
    }
    for header in arguments.iter().skip(2) {
        if let Some((name, value)) = header.split_once('=') {
            request = request.header(name, value);
        }
    }
    let explanation = router.explain(&request, 0);
    // The router keeps no text: the resources know the lines of the rules.
    println!(
        "{}",
        explanation.located(|written| resources.locate_written(written))
    );
    Ok(())
}
