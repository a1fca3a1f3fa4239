//! The traffic policy from YAML to the decision: whole for each cluster, shared between views, hashed by what the rules say
//! (R-H-115, R-M-080..R-M-087, R-M-120..R-M-122), and Istio's own cases of hash policies (`../shared/peer-cases/routes`).

mod hash_cases;

use std::sync::Arc;
use std::time::Duration;

use meshroute::terms::route_policy::HashKey;
use meshroute::terms::traffic_policy::{
    ClientTlsMode, H2Upgrade, HashAlgorithm, LoadBalancing, ProxyProtocol, TunnelProtocol,
};
use meshroute::{Connection, Mesh, Proxy, Request, Resources, Router};

const SERVICES: &str = "
apiVersion: v1
kind: Service
metadata: {name: a, namespace: ns}
spec:
  clusterIP: 10.0.0.1
  selector: {app: a}
  ports: [{name: http, port: 80}, {name: http-admin, port: 81}, {name: tcp, port: 90}]
---
apiVersion: v1
kind: Service
metadata: {name: b, namespace: ns}
spec: {clusterIP: 10.0.0.2, selector: {app: b}, ports: [{name: http, port: 80}]}
---
";

fn mesh(yaml: &str) -> Mesh {
    let resources = Resources::from_yaml(&format!("{SERVICES}{yaml}")).expect("readable");
    Mesh::resolve(resources).expect("valid")
}

fn rule(name: &str, namespace: &str, spec: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n---\n"
    )
}

fn routes(spec: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: vs, namespace: ns}}\nspec: {spec}\n---\n"
    )
}

fn client(mesh: &Mesh) -> Router {
    Router::compile(mesh, &Proxy::sidecar("ns"))
}

/// The keys of a request for `a` on `port`.
fn keys(router: &Router, port: u16) -> Vec<HashKey> {
    let request = Request::get("http://a/").port(port);
    router.decide(&request, 0).hash_policy().to_vec()
}

fn header(name: &str) -> HashKey {
    HashKey::Header(name.into())
}

#[test]
fn every_setting_reaches_the_decision() {
    let mesh = mesh(&rule(
        "a",
        "ns",
        "
  host: a
  trafficPolicy:
    loadBalancer:
      simple: ROUND_ROBIN
      localityLbSetting: {failoverPriority: [x=y]}
      warmup: {duration: 30s, minimumPercent: 5, aggression: 2}
    connectionPool:
      tcp:
        maxConnections: 7
        connectTimeout: 1s
        idleTimeout: 2s
        maxConnectionDuration: 3s
        tcpKeepalive: {probes: 4, time: 5s, interval: 6s}
      http:
        http1MaxPendingRequests: 1
        http2MaxRequests: 2
        maxRequestsPerConnection: 3
        maxRetries: 4
        idleTimeout: 5s
        h2UpgradePolicy: UPGRADE
        maxConcurrentStreams: 6
        http2KeepAlive: {interval: 7s, timeout: 8s}
    outlierDetection:
      consecutive5xxErrors: 1
      consecutiveGatewayErrors: 2
      splitExternalLocalOriginErrors: true
      consecutiveLocalOriginFailures: 3
      interval: 4s
      baseEjectionTime: 5s
      maxEjectionPercent: 6
      minHealthPercent: 7
    tls: {mode: SIMPLE, sni: s, caCertificates: ca, subjectAltNames: [n]}
    proxyProtocol: {version: V2}
    retryBudget: {percent: 25, minRetryConcurrency: 5, budgetInterval: 9s}
",
    ));
    let router = client(&mesh);
    let request = Request::get("http://a/").port(80);
    let decision = router.decide(&request, 0);
    let policy = decision
        .cluster()
        .and_then(|cluster| cluster.traffic_policy());
    let policy = policy.expect("a policy");
    let seconds = Duration::from_secs;

    let balancer = policy.load_balancer.as_ref().expect("loadBalancer");
    assert_eq!(balancer.balancing, LoadBalancing::RoundRobin);
    let warmup = balancer.warmup.expect("warmup");
    assert_eq!(
        (warmup.duration, warmup.minimum_percent, warmup.aggression),
        (seconds(30), 5.0, 2.0)
    );
    let locality = balancer.locality.as_ref().expect("localityLbSetting");
    assert!(locality.enabled && &*locality.failover_priority[0] == "x=y");

    let pool = policy.connection_pool.as_ref().expect("connectionPool");
    let tcp = pool.tcp.as_ref().expect("tcp");
    assert_eq!(
        (tcp.max_connections, tcp.connect_timeout),
        (Some(7), Some(seconds(1)))
    );
    assert_eq!(
        (tcp.idle_timeout, tcp.max_connection_duration),
        (Some(seconds(2)), Some(seconds(3)))
    );
    let keepalive = tcp.keepalive.expect("tcpKeepalive");
    assert_eq!(
        (keepalive.probes, keepalive.time, keepalive.interval),
        (Some(4), Some(seconds(5)), Some(seconds(6)))
    );
    let http = pool.http.as_ref().expect("http");
    assert_eq!(
        (http.http1_max_pending_requests, http.http2_max_requests),
        (Some(1), Some(2))
    );
    assert_eq!(
        (http.max_requests_per_connection, http.max_retries),
        (Some(3), Some(4))
    );
    assert_eq!(
        (http.idle_timeout, http.h2_upgrade),
        (Some(seconds(5)), H2Upgrade::Upgrade)
    );
    assert_eq!(http.max_concurrent_streams, Some(6));
    let pings = http.http2_keepalive.expect("http2KeepAlive");
    assert_eq!((pings.interval, pings.timeout), (seconds(7), seconds(8)));

    let outlier = policy.outlier_detection.as_ref().expect("outlierDetection");
    assert_eq!(
        (
            outlier.consecutive_5xx_errors,
            outlier.consecutive_gateway_errors
        ),
        (1, 2)
    );
    assert!(outlier.split_external_local_origin_errors);
    assert_eq!(outlier.consecutive_local_origin_failures, 3);
    assert_eq!(
        (outlier.interval, outlier.base_ejection_time),
        (seconds(4), seconds(5))
    );
    assert_eq!(
        (outlier.max_ejection_percent, outlier.min_health_percent),
        (6, 7)
    );

    let tls = policy.tls.as_ref().expect("tls");
    assert_eq!(
        (tls.mode, tls.sni.as_deref(), tls.ca_certificates.as_deref()),
        (ClientTlsMode::Simple, Some("s"), Some("ca"))
    );
    assert_eq!(&*tls.subject_alt_names[0], "n");
    assert_eq!(policy.proxy_protocol, Some(ProxyProtocol::V2));
    let budget = policy.retry_budget.expect("retryBudget");
    assert_eq!(
        (
            budget.percent,
            budget.min_retry_concurrency,
            budget.budget_interval
        ),
        (25.0, 5, Some(seconds(9)))
    );
}

#[test]
fn r_m_088_to_r_m_110_defaults() {
    let mesh = mesh(&rule(
        "a",
        "ns",
        "{host: a, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true}}, outlierDetection: {}, connectionPool: {tcp: {maxConnections: 0}}, proxyProtocol: {}, retryBudget: {}}}",
    ));
    let router = client(&mesh);
    let request = Request::get("http://a/").port(80);
    let decision = router.decide(&request, 0);
    let policy = decision
        .cluster()
        .and_then(|cluster| cluster.traffic_policy())
        .expect("a policy");
    let hash = policy
        .load_balancer
        .as_ref()
        .and_then(|balancer| balancer.consistent_hash().cloned())
        .expect("a hash");
    assert_eq!(
        hash.algorithm,
        HashAlgorithm::RingHash {
            minimum_size: Some(1024)
        }
    );
    assert_eq!(hash.key, Some(HashKey::SourceIp));
    let outlier = policy.outlier_detection.as_ref().expect("outlierDetection");
    assert_eq!(
        (
            outlier.consecutive_5xx_errors,
            outlier.consecutive_gateway_errors
        ),
        (5, 0)
    );
    assert_eq!(
        (outlier.max_ejection_percent, outlier.min_health_percent),
        (10, 0)
    );
    let pool = policy
        .connection_pool
        .as_ref()
        .and_then(|pool| pool.tcp.clone())
        .expect("tcp");
    assert_eq!((pool.max_connections, pool.connect_timeout), (None, None));
    assert_eq!(policy.proxy_protocol, Some(ProxyProtocol::V1));
    let budget = policy.retry_budget.expect("retryBudget");
    assert_eq!((budget.percent, budget.min_retry_concurrency), (20.0, 3));
    assert_eq!(policy.tls, None);
}

#[test]
fn views_share_one_policy() {
    let mesh = mesh(&rule(
        "a",
        "ns",
        "{host: a, trafficPolicy: {loadBalancer: {simple: RANDOM}}}",
    ));
    let policy = |namespace: &str| {
        let router = Router::compile(&mesh, &Proxy::sidecar(namespace));
        let request = Request::get("http://a.ns/").port(80);
        let decision = router.decide(&request, 0);
        decision
            .cluster()
            .and_then(|cluster| cluster.traffic_policy())
            .cloned()
            .expect("a policy")
    };
    assert!(Arc::ptr_eq(&policy("x"), &policy("y")));
}

#[test]
fn r_m_080_the_clients_own_rule_comes_first() {
    let mesh = mesh(&format!(
        "{}{}",
        rule(
            "owner",
            "ns",
            "{host: a, trafficPolicy: {loadBalancer: {simple: RANDOM}}}"
        ),
        rule(
            "client",
            "x",
            "{host: '*.cluster.local', trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}"
        )
    ));
    let balancing = |namespace: &str| {
        let router = Router::compile(&mesh, &Proxy::sidecar(namespace));
        let request = Request::get("http://a.ns/").port(80);
        let decision = router.decide(&request, 0);
        let policy = decision
            .cluster()
            .and_then(|cluster| cluster.traffic_policy())
            .cloned();
        policy
            .and_then(|policy| policy.load_balancer.clone())
            .map(|balancer| balancer.balancing.clone())
    };
    assert_eq!(balancing("x"), Some(LoadBalancing::RoundRobin));
    assert_eq!(balancing("ns"), Some(LoadBalancing::Random));
}

#[test]
fn r_m_084_the_mesh_fills_clusters_without_a_rule_too() {
    let resources = Resources::from_yaml(&format!(
        "{SERVICES}{}",
        rule(
            "a",
            "ns",
            "{host: a, trafficPolicy: {tls: {mode: DISABLE}}}"
        )
    ))
    .and_then(|mesh| {
        mesh.with_mesh_config_yaml(
            "{defaultTrafficPolicy: {outlierDetection: {consecutive5xxErrors: 9}}}",
        )
    })
    .expect("readable");
    let mesh = Mesh::resolve(resources).expect("valid");
    let router = client(&mesh);
    for host in ["a", "b"] {
        let url = format!("http://{host}/");
        let request = Request::get(&url).port(80);
        let decision = router.decide(&request, 0);
        let policy = decision
            .cluster()
            .and_then(|cluster| cluster.traffic_policy())
            .expect("a policy");
        assert_eq!(
            policy
                .outlier_detection
                .as_ref()
                .map(|outliers| outliers.consecutive_5xx_errors),
            Some(9),
            "{host}"
        );
        assert_eq!(policy.tls.is_some(), host == "a");
    }
}

#[test]
fn r_m_121_a_service_without_routes_hashes_by_the_listeners_port() {
    let at_81 = "{port: {number: 81}, loadBalancer: {consistentHash: {httpHeaderName: admin}}}";
    let mesh = mesh(&rule(
        "a",
        "ns",
        &format!(
            "{{host: a, trafficPolicy: {{loadBalancer: {{consistentHash: {{httpHeaderName: top}}}}, portLevelSettings: [{at_81}]}}}}"
        ),
    ));
    let router = client(&mesh);
    assert_eq!(keys(&router, 80), [header("top")]);
    assert_eq!(keys(&router, 81), [header("admin")]);
}

#[test]
fn r_m_121_a_route_hashes_by_the_port_that_its_destination_names() {
    let at_80 = "{port: {number: 80}, loadBalancer: {consistentHash: {httpHeaderName: x}}}";
    let rules = rule(
        "a",
        "ns",
        &format!("{{host: a, trafficPolicy: {{portLevelSettings: [{at_80}]}}}}"),
    );
    let with = |destination: &str| {
        let vs = routes(&format!(
            "{{hosts: [a], http: [{{route: [{{destination: {destination}}}]}}]}}"
        ));
        keys(&client(&mesh(&format!("{rules}{vs}"))), 80)
    };
    assert_eq!(with("{host: a, port: {number: 80}}"), [header("x")]);
    assert_eq!(with("{host: a}"), []);
}

#[test]
fn r_m_122_a_split_hashes_by_the_keys_of_all_its_destinations() {
    let hash = |name: &str, key: &str| {
        rule(
            name,
            "ns",
            &format!(
                "{{host: {name}, trafficPolicy: {{loadBalancer: {{consistentHash: {{httpHeaderName: {key}}}}}}}}}"
            ),
        )
    };
    let split = "{hosts: [a], http: [{route: [{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 1}]}]}";
    let mesh = mesh(&format!(
        "{}{}{}",
        hash("a", "x"),
        hash("b", "y"),
        routes(split)
    ));
    assert_eq!(keys(&client(&mesh), 80), [header("x"), header("y")]);
}

#[test]
fn r_m_120_and_r_m_115_what_tcp_reads() {
    let spec = "
  host: a
  trafficPolicy:
    connectionPool: {tcp: {idleTimeout: 5s, maxConnectionDuration: 6s}}
    loadBalancer: {consistentHash: {useSourceIp: true}}
    tunnel: {protocol: POST, targetHost: t.com, targetPort: 443}
    portLevelSettings: [{port: {number: 90}, loadBalancer: {simple: RANDOM}}]
";
    let router = client(&mesh(&rule("a", "ns", spec)));
    let address = "10.0.0.1".parse().expect("an address");
    let connection = Connection::to_port(90).address(address);
    let decision = router.decide_connection(&connection, 0);
    let proxy = match decision.outcome() {
        meshroute::Outcome::Tcp { proxy, .. } => proxy,
        other => panic!("{other:?}"),
    };
    assert_eq!(proxy.idle_timeout(), Some(Duration::from_secs(5)));
    assert_eq!(
        proxy.max_connection_duration(),
        Some(Duration::from_secs(6))
    );
    assert!(proxy.hashes_source_ip());
    let tunnel = proxy.tunnel().expect("a tunnel");
    assert_eq!(
        (tunnel.protocol, tunnel.target_port),
        (TunnelProtocol::Post, 443)
    );
}

#[test]
fn r_m_096_and_r_m_098_what_a_policy_leaves_open_is_the_meshs() {
    let resources = Resources::from_yaml(SERVICES).expect("readable");
    let resources = resources
        .with_mesh_config_yaml("{connectTimeout: 5s, tcpKeepalive: {probes: 3}}")
        .expect("readable");
    let mesh = Mesh::resolve(resources).expect("valid");
    let router = Router::compile(&mesh, &Proxy::sidecar("ns"));
    let decision = router.decide(&Request::get("http://a.ns/").port(80), 0);
    let settings = decision.cluster().expect("a cluster").settings();
    assert_eq!(settings.connect_timeout, Duration::from_secs(5));
    let probes = settings.keepalive.and_then(|keepalive| keepalive.probes);
    assert_eq!(probes, Some(3));
}
