//! Any YAML, any request: reading, resolving, compiling and deciding never panic, and every observer sees one decision.
//!
//! The input is a request (method, authority, path, one header line, an entropy word in decimal: five lines) and YAML behind it.
//! `cargo +nightly fuzz run decide fuzz/corpus/decide fuzz/seeds/decide`

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshroute::{Connection, Mesh, Proxy, Request, Resources, Router};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let mut parts = text.splitn(6, '\n');
    let mut part = || parts.next().unwrap_or_default();
    let (method, authority, path, header, entropy, yaml) =
        (part(), part(), part(), part(), part(), part());
    let (resources, _) = Resources::from_yaml_lenient(yaml);
    let (mesh, _) = Mesh::resolve_lenient(resources);
    let entropy = entropy.parse().unwrap_or(0);
    let (name, value) = header.split_once(": ").unwrap_or((header, ""));
    for proxy in [
        Proxy::default(),
        Proxy::sidecar("default"),
        Proxy::gateway("default").label("istio", "ingressgateway"),
    ] {
        let router = Router::compile(&mesh, &proxy);
        for port in [80, 443, 8080] {
            let request = Request::new(method, path)
                .authority(authority)
                .header(name, value)
                .port(port);
            let decision = router.decide(&request, entropy);
            assert_eq!(
                decision.record(),
                router.decide(&request, entropy).record()
            );
            drop(router.explain(&request, entropy).to_string());
            drop(decision.apply(&request));
            drop(router.decide_connection(&Connection::to_port(port).sni(authority), entropy));
        }
        drop(router.route_with(authority, "mesh", entropy).is_ok());
    }
});
