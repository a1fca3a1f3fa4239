//! Any YAML, any host: the simple door answers what a walk through the same router answers, at every gateway.
//!
//! The input is a host, a gateway and an entropy word in decimal (three lines), and YAML behind them.
//! `cargo +nightly fuzz run simple_door fuzz/corpus/simple_door`, or `.ci/fuzz simple_door`

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshroute::{Mesh, Proxy, Resources, Router};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let mut parts = text.splitn(4, '\n');
    let mut part = || parts.next().unwrap_or_default();
    let (host, gateway, entropy, yaml) = (part(), part(), part(), part());
    let entropy = entropy.parse().unwrap_or(0);
    let (resources, _) = Resources::from_yaml_lenient(yaml);
    let (mesh, _) = Mesh::resolve_lenient(resources);
    for proxy in [
        Proxy::default(),
        Proxy::sidecar("default"),
        Proxy::gateway("default").label("istio", "ingressgateway"),
    ] {
        let router = Router::compile(&mesh, &proxy);
        for gateway in ["mesh", gateway] {
            for entropy in [entropy, 0, u64::MAX] {
                let walked = router.route_walked(host, gateway, entropy);
                let looked_up = router.route_with(host, gateway, entropy);
                let name = |found: meshroute::Destination<'_>| found.cluster().name().to_owned();
                assert_eq!(looked_up.map(name), walked.map(name), "{host:?} at {gateway:?}");
            }
        }
    }
});
