//! Any two configurations: a router that followed the change answers as one that is compiled anew.
//!
//! The input is a host, a path and two YAML texts, the second behind a line `%%%`: its resources are applied over the first.
//! `cargo +nightly fuzz run live fuzz/corpus/live`, or `.ci/fuzz live`

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshroute::live::{Changes, LiveRouter};
use meshroute::{Proxy, Request, Resources, Router};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let mut parts = text.splitn(3, '\n');
    let mut part = || parts.next().unwrap_or_default();
    let (host, path, yaml) = (part(), part(), part());
    let Some((before, after)) = yaml.split_once("\n%%%\n") else {
        return;
    };
    let read = |text| Resources::from_yaml_lenient(text).0;
    for proxy in [Proxy::default(), Proxy::sidecar("default"), Proxy::gateway("default")] {
        let (mut live, _) = LiveRouter::new(read(before), proxy.clone());
        if live.update(Changes::new().apply_all(read(after))).is_err() {
            return;
        }
        let anew = Router::compile(live.mesh(), &proxy);
        for port in [80, 443, 8080] {
            let request = Request::new("GET", path).authority(host).port(port);
            for entropy in [0, 1 << 40, u64::MAX] {
                assert_eq!(
                    live.router().decide(&request, entropy).record(),
                    anew.decide(&request, entropy).record()
                );
            }
        }
    }
});
