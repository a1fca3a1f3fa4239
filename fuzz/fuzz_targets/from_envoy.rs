//! Any bytes as an Envoy's configuration: reading never panics, and what is read and written again answers alike.
//!
//! `cargo +nightly fuzz run from_envoy fuzz/corpus/from_envoy fuzz/seeds/from_envoy`, or `.ci/fuzz from_envoy`

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshroute::envoy::EnvoyConfig;
use meshroute::{Connection, Request, Router};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let config = match EnvoyConfig::from_json(text) {
        Ok(config) => config,
        Err(report) => return assert!(report.has_errors()),
    };
    let router = match Router::from_envoy(&config) {
        Ok((router, report)) => {
            assert!(!report.has_errors(), "{report}");
            router
        }
        Err(report) => return assert!(report.has_errors()),
    };
    let written = serde_json::to_string(&router.to_envoy()).expect("JSON");
    let again = EnvoyConfig::from_json(&written).expect("what was written");
    let (again, report) = Router::from_envoy(&again).unwrap_or_else(|report| panic!("{report}\n{written}"));
    assert!(!report.has_errors(), "{report}");
    for port in [80, 443, 8080] {
        for (host, path) in [("a.b", "/"), ("x.a.b:80", "/x/y?q=1"), ("*", "/%2e")] {
            let request = Request::get(path).authority(host).header("x-a", "1");
            let request = request.connection(Connection::to_port(port));
            for entropy in [0, u64::MAX] {
                let answer = |router: &Router| {
                    let decision = router.decide(&request, entropy);
                    let cluster = decision.cluster().map(|cluster| cluster.name().to_owned());
                    (decision.status(), cluster, decision.rule().map(|rule| rule.name().to_owned()))
                };
                assert_eq!(answer(&router), answer(&again), "{written}");
            }
        }
    }
});
