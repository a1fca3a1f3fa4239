//! What a host, a port and a subset resolve to.

use std::sync::Arc;

use super::Clusters;
use crate::compile::scope::Scope;
use crate::compile::scope::fixtures::{entry, istio, mesh, service};
use crate::mesh::virtual_service::DestinationRef;
use crate::router::{Cluster, ClusterId, ClusterIds, Router};
use crate::terms::proxy::Proxy;

/// Asks `ask` about the clusters of a sidecar in namespace `a` of the mesh that `yaml` describes.
fn with_clusters<T>(yaml: &str, ask: impl FnOnce(&Scope<'_>, &mut Clusters<'_>) -> T) -> T {
    let mesh = mesh(yaml);
    let proxy = Proxy::sidecar("a");
    let scope = Scope::sidecar(&mesh, &proxy);
    ask(
        &scope,
        &mut Clusters::new(&scope, &mut ClusterIds::default()),
    )
}

fn named(subset: &str) -> Option<Arc<str>> {
    (!subset.is_empty()).then(|| subset.into())
}

fn cluster(yaml: &str, host: &str, port: u16, subset: &str) -> Cluster {
    with_clusters(yaml, |_, clusters| {
        let id = clusters.cluster(&host.into(), port, named(subset).as_ref());
        clusters.get(id).clone()
    })
}

const REVIEWS: &str = "
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: a}
spec:
  selector: {app: reviews}
  ports: [{name: http, port: 9080}, {name: dns, port: 53, protocol: UDP}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v1, namespace: a}
spec: {template: {metadata: {labels: {app: reviews, version: v1}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v2, namespace: a}
spec: {template: {metadata: {labels: {app: reviews, version: v2}}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: a}
spec:
  host: reviews
  trafficPolicy: {loadBalancer: {simple: RANDOM}}
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: none, labels: {version: v9}}
  - {name: all}
---
";
const HOST: &str = "reviews.a.svc.cluster.local";

fn workloads(cluster: &Cluster) -> Vec<String> {
    cluster.workloads().map(ToString::to_string).collect()
}

#[test]
fn r_m_136_a_cluster_per_port_and_per_subset_but_not_for_udp() {
    let exists = |port, subset| cluster(REVIEWS, HOST, port, subset).exists();
    assert!(exists(9080, "") && exists(9080, "v1"));
    assert!(!exists(53, "") && !exists(80, "") && !exists(9080, "v3"));
    assert!(!cluster(REVIEWS, "nobody.com", 9080, "").exists());
}

#[test]
fn r_m_135_a_subset_has_the_endpoints_with_its_labels_and_all_without_labels() {
    let behind = |subset| workloads(&cluster(REVIEWS, HOST, 9080, subset));
    assert_eq!(behind(""), ["a/reviews-v1", "a/reviews-v2"]);
    assert_eq!(behind("all"), ["a/reviews-v1", "a/reviews-v2"]);
    assert_eq!(behind("v1"), ["a/reviews-v1"]);
    assert!(behind("none").is_empty());
}

#[test]
fn r_m_139_a_subset_without_endpoints_exists_unless_dns_finds_them() {
    assert!(cluster(REVIEWS, HOST, 9080, "none").exists());
    let dns = entry("a", "se", 0, "y.com", 80).replace("STATIC", "DNS");
    let rule = "{host: y.com, subsets: [{name: v1, labels: {version: v1}}, {name: all}]}";
    let yaml = dns + &istio("DestinationRule", "a", "dr", 0, rule);
    assert!(cluster(&yaml, "y.com", 80, "").exists());
    assert!(cluster(&yaml, "y.com", 80, "all").exists());
    assert!(!cluster(&yaml, "y.com", 80, "v1").exists());
}

#[test]
fn a_cluster_knows_its_parts_labels_and_policy() {
    let v1 = cluster(REVIEWS, HOST, 9080, "v1");
    assert_eq!(v1.name(), "outbound|9080|v1|reviews.a.svc.cluster.local");
    assert_eq!(
        (v1.host(), v1.port(), v1.subset()),
        (HOST, Some(9080), Some("v1"))
    );
    assert_eq!(v1.labels().to_string(), "app=reviews,version=v1");
    assert!(
        v1.traffic_policy()
            .is_some_and(|policy| policy.load_balancer.is_some())
    );
    let endpoint = v1.endpoints().next().expect("there is one");
    assert_eq!(v1.endpoint_port(endpoint), Some(9080));
    assert_eq!(cluster(REVIEWS, HOST, 9080, "").subset(), None);
}

#[test]
fn one_name_is_one_cluster() {
    with_clusters(REVIEWS, |_, clusters| {
        let mut get =
            |port, subset: &str| clusters.cluster(&HOST.into(), port, named(subset).as_ref());
        assert_eq!(get(9080, "v1"), get(9080, "v1"));
        assert_ne!(get(9080, "v1"), get(9081, "v1"));
    });
}

#[test]
fn a_name_keeps_its_id_in_whatever_order_it_is_asked_for() {
    let mesh = mesh(REVIEWS);
    let proxy = Proxy::sidecar("a");
    let scope = Scope::sidecar(&mesh, &proxy);
    let mut ids = ClusterIds::default();
    let names = [(9080, "v1"), (9080, ""), (80, "v2"), (9080, "v2")];
    let ask = |clusters: &mut Clusters<'_>, (port, subset): (u16, &str)| {
        clusters.cluster(&HOST.into(), port, named(subset).as_ref())
    };
    let first: Vec<_> = {
        let clusters = &mut Clusters::new(&scope, &mut ids);
        clusters.passthrough();
        names.map(|name| ask(clusters, name)).into()
    };
    let clusters = &mut Clusters::new(&scope, &mut ids);
    assert_eq!(ask(clusters, names[3]), first[3]);
    assert_ne!(ask(clusters, (1, "")), first[0]);
    assert_eq!(ask(clusters, names[0]), first[0]);
    // The ids of those that nothing asks for any more are taken back; the others stay.
    let all = clusters.take_all();
    let kept: Vec<_> = all
        .iter()
        .map(|(id, cluster)| {
            (
                id.index(),
                cluster.port(),
                cluster.subset().unwrap_or_default(),
            )
        })
        .collect();
    let expected = [
        (0, None, ""),
        (first[0].index(), Some(9080), "v1"),
        (first[3].index(), Some(9080), "v2"),
        (5, Some(1), ""),
    ];
    assert_eq!(kept, expected);
    // And others get them, the lowest first.
    let clusters = &mut Clusters::new(&scope, &mut ids);
    assert_eq!(ask(clusters, (2, "")), first[1]);
    assert_eq!(ask(clusters, names[0]), first[0]);
}

fn destination(host: &str, port: Option<u16>) -> DestinationRef {
    DestinationRef {
        host: host.into(),
        subset: None,
        port,
    }
}

#[test]
fn r_m_137_the_port_is_the_destinations_the_only_one_or_the_listeners() {
    let yaml = service("a", "one", 0, &[81], "") + &service("a", "two", 1, &[82, 83], "");
    with_clusters(&yaml, |scope, clusters| {
        let mut port = |host: &str, port, seen: bool| {
            let service = scope.service(host).filter(|_| seen);
            let id = clusters.destination(&destination(host, port), service.as_ref(), 99);
            clusters.get(id).port()
        };
        assert_eq!(port("one.a.svc.cluster.local", Some(7), true), Some(7));
        assert_eq!(port("one.a.svc.cluster.local", None, true), Some(81));
        assert_eq!(port("one.a.svc.cluster.local", None, false), Some(99));
        assert_eq!(port("two.a.svc.cluster.local", None, true), Some(99));
        assert_eq!(port("", None, false), None);
        let nowhere = clusters.destination(&destination("", None), None, 80);
        let nowhere = clusters.get(nowhere);
        assert_eq!(
            (nowhere.name(), nowhere.exists()),
            ("UnknownService", false)
        );
    });
}

#[test]
fn r_h_109_an_external_name_stands_for_its_target() {
    let alias = "
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: a}
spec: {type: ExternalName, externalName: one.a.svc.cluster.local, ports: [{port: 81}]}
---
";
    let yaml = service("a", "one", 0, &[81], "") + alias;
    with_clusters(&yaml, |scope, clusters| {
        let host = "alias.a.svc.cluster.local";
        let to = destination(host, None);
        let id = clusters.destination(&to, scope.service(host).as_ref(), 80);
        let cluster = clusters.get(id);
        assert_eq!(cluster.name(), "outbound|81||one.a.svc.cluster.local");
        assert!(cluster.exists());
        let id = clusters.cluster(&host.into(), 81, None);
        assert!(!clusters.get(id).exists());
        let service = scope.service("one.a.svc.cluster.local");
        assert_eq!(service.map(|service| service.aliases().len()), Some(1));
    });
}

#[test]
fn endpoints_of_service_entries_of_one_host_are_one_pool() {
    let with_endpoint = |name: &str, port: u16, address: &str| {
        entry("a", name, 0, "y.com", port).replace(
            "resolution",
            &format!("endpoints: [{{address: {address}}}], resolution"),
        )
    };
    let yaml = with_endpoint("one", 80, "1.1.1.1")
        + &with_endpoint("two", 81, "1.1.1.2").replace("name: http,", "name: web,");
    let addresses = |port| {
        let cluster = cluster(&yaml, "y.com", port, "");
        let addresses = cluster
            .endpoints()
            .filter_map(|endpoint| endpoint.address.clone());
        addresses
            .map(|address| address.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        (addresses(80).as_str(), addresses(81).as_str()),
        ("1.1.1.1", "1.1.1.2")
    );
}

#[test]
fn r_m_136_a_router_lists_the_clusters_of_all_ports_and_subsets() {
    let router = Router::compile(&mesh(REVIEWS), &Proxy::sidecar("a"));
    let name = |(_, cluster): (ClusterId, &Cluster)| cluster.name().to_owned();
    let mut names: Vec<String> = router.clusters().map(name).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "BlackHoleCluster",
            "PassthroughCluster",
            "outbound|9080|all|reviews.a.svc.cluster.local",
            "outbound|9080|none|reviews.a.svc.cluster.local",
            "outbound|9080|v1|reviews.a.svc.cluster.local",
            "outbound|9080||reviews.a.svc.cluster.local"
        ]
    );
    for (id, cluster) in router.clusters() {
        let same = router.cluster(id).map(Cluster::name);
        assert_eq!(same, Some(cluster.name()));
    }
    let other = Router::compile(&mesh(""), &Proxy::sidecar("a"));
    let last = router.clusters().last().map(|(id, _)| id);
    assert!(last.and_then(|id| other.cluster(id)).is_none());
}
