//! The four steps of the seed, as files under `examples/version/`: Services, a split by host, a split by subset, a Gateway.

use std::collections::BTreeMap;

use meshroute::{Mesh, Proxy, Resources, RouteError, Router};

const SERVICES: &str = include_str!("../../examples/version/services.yaml");
const BY_HOST: &str = include_str!("../../examples/version/split-by-host.yaml");
const BY_SUBSET: &str = include_str!("../../examples/version/split-by-subset.yaml");
const GATEWAY: &str = include_str!("../../examples/version/gateway.yaml");

fn router(more: &str) -> Router {
    let yaml = format!("{SERVICES}---\n{more}");
    let resources = Resources::from_yaml(&yaml).unwrap_or_else(|report| panic!("{report}"));
    let mesh = Mesh::resolve(resources).unwrap_or_else(|report| panic!("{report}"));
    Router::compile(&mesh, &Proxy::default())
}

/// Shares in per mille over evenly spread entropy words.
fn shares(router: &Router, host: &str, gateway: &str) -> BTreeMap<String, usize> {
    const WORDS: u64 = 100_000;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for word in 0..WORDS {
        let entropy = word.wrapping_mul(u64::MAX / WORDS);
        let destination = router
            .route_with(host, gateway, entropy)
            .unwrap_or_else(|why| panic!("{host} at {gateway}: {why}"));
        let name = match destination.subset() {
            Some(subset) => format!("{} {subset}", destination.host()),
            None => destination.host().to_owned(),
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(name, count)| (name, (count * 1000 + 50_000) / 100_000))
        .collect()
}

/// Within four standard deviations of what the sample can show.
fn assert_share(shares: &BTreeMap<String, usize>, name: &str, expected: usize) {
    assert!(shares[name].abs_diff(expected) <= 4, "{name}: {shares:?}");
}

fn workloads(router: &Router, host: &str) -> Vec<String> {
    let destination = router.route_with(host, "mesh", 0).expect("a destination");
    destination
        .workloads()
        .map(|name| name.to_string())
        .collect()
}

#[test]
fn step_a_services_alone() {
    let router = router("");
    let destination = router.route("version", "mesh").expect("a destination");
    assert_eq!(destination.host(), "version.default.svc.cluster.local");
    assert_eq!(destination.port(), 8080);
    assert_eq!(destination.subset(), None);
    assert_eq!(destination.labels().get("app"), Some("version"));
    assert_eq!(
        workloads(&router, "version"),
        ["default/version-v1", "default/version-v2"]
    );
    assert_eq!(workloads(&router, "version-v2"), ["default/version-v2"]);
}

#[test]
fn hosts_answer_by_every_name_that_istio_gives_them() {
    let router = router("");
    for host in [
        "version",
        "version.default",
        "version.default.svc",
        "version.default.svc.cluster.local",
        "version.default.svc.cluster.local.",
        "VERSION.Default",
        "version:8080",
        "version.default.svc.cluster.local:1",
    ] {
        let destination = router
            .route_with(host, "mesh", 7)
            .unwrap_or_else(|why| panic!("{host}: {why}"));
        assert_eq!(
            destination.host(),
            "version.default.svc.cluster.local",
            "{host}"
        );
        assert_eq!(destination.port(), 8080, "{host}");
    }
    assert!(router.route_with("version.other", "mesh", 7).is_err());
}

#[test]
fn wildcards_answer_longest_suffix_first() {
    let yaml = r"
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: wide, namespace: default}
spec: {hosts: ['*.example.com'], http: [{route: [{destination: {host: wide}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: narrow, namespace: default}
spec: {hosts: ['*.shop.example.com'], http: [{route: [{destination: {host: narrow}}]}]}
";
    let resources = Resources::from_yaml(yaml).expect("resources");
    let router = Router::compile(&Mesh::resolve(resources).expect("mesh"), &Proxy::default());
    let host = |name| {
        router
            .route_with(name, "mesh", 0)
            .map(|destination| destination.host().to_owned())
    };
    assert_eq!(
        host("a.example.com").expect("wide"),
        "wide.default.svc.cluster.local"
    );
    assert_eq!(
        host("a.b.example.com").expect("wide"),
        "wide.default.svc.cluster.local"
    );
    assert_eq!(
        host("A.SHOP.example.com:80").expect("narrow"),
        "narrow.default.svc.cluster.local"
    );
    assert!(
        host("example.com").is_err(),
        "`*` stands for at least one character"
    );
}

#[test]
fn step_b_split_by_host() {
    let router = router(BY_HOST);
    let shares = shares(&router, "version", "mesh");
    assert_share(&shares, "version-v1.default.svc.cluster.local", 100);
    assert_share(&shares, "version-v2.default.svc.cluster.local", 900);
}

#[test]
fn step_c_split_by_subset() {
    let router = router(BY_SUBSET);
    let shares = shares(&router, "version", "mesh");
    assert_share(&shares, "version.default.svc.cluster.local v1", 100);
    assert_share(&shares, "version.default.svc.cluster.local v2", 900);
    let v1 = (0..u64::MAX)
        .step_by(usize::MAX / 1000)
        .filter_map(|word| router.route_with("version", "mesh", word).ok())
        .find(|destination| destination.subset() == Some("v1"))
        .expect("a tenth goes to v1");
    assert_eq!(v1.port(), 8080);
    assert_eq!(v1.labels().get("version"), Some("v1"));
    let names: Vec<String> = v1.workloads().map(|name| name.to_string()).collect();
    assert_eq!(names, ["default/version-v1"]);
}

#[test]
fn step_d_gateway() {
    let router = router(GATEWAY);
    let shares = shares(&router, "ssup2.com", "version");
    assert_share(&shares, "version.default.svc.cluster.local v1", 100);
    assert_share(&shares, "version.default.svc.cluster.local v2", 900);
    assert!(router.route_with("ssup2.com", "default/version", 0).is_ok());

    let why = router
        .route("ssup2.com", "mesh")
        .expect_err("bound to the gateway only");
    assert_eq!(why, RouteError::Passthrough);
    let why = router
        .route("other.com", "version")
        .expect_err("no server has it");
    assert_eq!(why, RouteError::HostNotAdmitted);
    let why = router
        .route("ssup2.com", "nowhere")
        .expect_err("no such gateway");
    assert_eq!(why, RouteError::UnknownGateway);

    let by_mesh = router.route("version", "mesh").expect("the service itself");
    assert_eq!(by_mesh.subset(), None);
    assert_eq!(by_mesh.host(), "version.default.svc.cluster.local");
}

#[test]
fn resources_of_a_router_outlive_nothing() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Router>();
}
