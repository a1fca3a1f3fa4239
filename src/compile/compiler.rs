//! Routers of many proxies of one mesh: proxies that nothing tells apart share one.

use std::collections::BTreeSet;
use std::fmt;

use crate::mesh::Mesh;
use crate::router::Router;
use crate::terms::hash::{HashMap, HashSet};
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;
use crate::terms::proxy::{Proxy, ProxyKind};
use crate::terms::proxy_config::ProxyConfig;

use super::clusters::near_labels;
use super::scope::Scope;

/// Compiles the routers of many proxies of one mesh, and compiles none twice.
///
/// A router depends on little of its proxy: its namespace and DNS domain, the Sidecar that it follows, which label selectors
/// of the mesh (`sourceLabels`, `workloadSelector`, a Gateway's `selector`) select it, where it is, and at a gateway the services
/// that lead to it. Proxies that agree in that get clones of one router, which share all of its memory.
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use meshroute::{Compiler, Mesh, Proxy, Resources};
///
/// let mesh = Mesh::resolve(Resources::from_yaml("
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata: {name: shop, namespace: default}
/// spec:
///   hosts: [shop.example.com]
///   http:
///   - match: [{sourceLabels: {app: canary}}]
///     route: [{destination: {host: next}}]
///   - route: [{destination: {host: cart}}]
/// ")?)?;
/// let mut compiler = Compiler::new(&mesh);
/// for app in ["web", "api", "batch", "canary"] {
///     let router = compiler.compile(&Proxy::sidecar("default").label("app", app));
///     assert!(router.route_with("shop.example.com", "mesh", 0).is_ok());
/// }
/// assert_eq!(compiler.compiled(), 2);
/// # }
/// # Ok::<(), meshroute::Report>(())
/// ```
#[derive(Clone)]
pub struct Compiler {
    mesh: Mesh,
    selectors: Vec<Labels>,
    /// Keys of labels by which endpoints are near a client or far.
    places: Vec<Box<str>>,
    known: HashMap<Key, Router>,
}

/// What of a proxy its router depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    kind: ProxyKind,
    namespace: Box<str>,
    dns_domain: Option<Box<str>>,
    /// Name of the Sidecar that it follows.
    sidecar: Option<ResourceName>,
    /// Of the selectors of the mesh those that select it.
    selected_by: Box<[u32]>,
    /// Where it is.
    locality: Box<str>,
    /// Whether it has labels, and its values of those by which endpoints are near.
    near: Option<Box<[Option<Box<str>>]>>,
    /// At a gateway, the workload's port behind each server's port that is another.
    ports: Box<[(u16, u16)]>,
    /// At a gateway, the Gateways of the Gateway API that it serves, with their ports.
    served: Box<[(u32, Option<u16>)]>,
    /// What it does with requests.
    config: ProxyConfig,
}

impl fmt::Debug for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiler")
            .field("mesh", &self.mesh)
            .field("compiled", &self.known.len())
            .finish_non_exhaustive()
    }
}

impl Compiler {
    /// For proxies of `mesh`.
    ///
    /// # Complexity
    /// Linear in the rules of the mesh.
    pub fn new(mesh: &Mesh) -> Self {
        let inner = &mesh.inner;
        let http = inner
            .virtual_services
            .iter()
            .flat_map(|virtual_service| &virtual_service.http);
        let http = http.flat_map(|rule| rule.matches.iter().map(|entry| &entry.source_labels));
        let tls = inner
            .virtual_services
            .iter()
            .flat_map(|virtual_service| &virtual_service.tls);
        let tls = tls.flat_map(|rule| rule.matches.iter().map(|entry| &entry.l4.source_labels));
        let tcp = inner
            .virtual_services
            .iter()
            .flat_map(|virtual_service| &virtual_service.tcp);
        let tcp = tcp.flat_map(|rule| rule.matches.iter().map(|entry| &entry.source_labels));
        let rules = inner.destination_rules.iter();
        let rules = rules.filter_map(|rule| rule.workload_selector.as_ref());
        let gateways = inner.gateways.iter();
        let gateways = gateways.filter_map(|gateway| gateway.selector.as_ref());
        let all = http.chain(tls).chain(tcp).chain(rules).chain(gateways);
        let mut seen: HashSet<&Labels> = HashSet::default();
        let distinct = all.filter(|labels| !labels.is_empty() && seen.insert(labels));
        Compiler {
            selectors: distinct.cloned().collect(),
            places: places(mesh),
            mesh: mesh.clone(),
            known: HashMap::default(),
        }
    }

    /// The router of `proxy`, as [`Router::compile`] makes it.
    ///
    /// # Complexity
    /// Linear in the distinct selectors of the mesh (at a gateway, also in its services), and a compilation for the first of
    /// the proxies that nothing tells apart.
    pub fn compile(&mut self, proxy: &Proxy) -> Router {
        let key = self.key(proxy);
        let mesh = &self.mesh;
        let known = self.known.entry(key);
        known
            .or_insert_with(|| Router::compile(mesh, proxy))
            .clone()
    }

    /// How many routers it has compiled.
    pub fn compiled(&self) -> usize {
        self.known.len()
    }

    fn key(&self, proxy: &Proxy) -> Key {
        let selectors = (0..).zip(&self.selectors);
        let selecting = selectors.filter(|(_, selector)| selector.selects(proxy.labels()));
        let inner = &self.mesh.inner;
        let sidecar = inner
            .sidecar_index
            .effective(proxy.namespace(), proxy.labels());
        Key {
            kind: proxy.kind(),
            namespace: proxy.namespace().into(),
            dns_domain: proxy.dns_domain().map(Into::into),
            sidecar: sidecar.map(|sidecar| sidecar.resource.clone()),
            selected_by: selecting.map(|(place, _)| place).collect(),
            locality: proxy.locality().into(),
            near: (!proxy.labels().is_empty()).then(|| self.near(proxy)),
            ports: self.ports(proxy),
            served: self.served(proxy),
            config: Scope::gateway(&self.mesh, proxy).proxy_config(),
        }
    }

    fn served(&self, proxy: &Proxy) -> Box<[(u32, Option<u16>)]> {
        if proxy.kind() != ProxyKind::Gateway {
            return Box::default();
        }
        let scope = Scope::gateway(&self.mesh, proxy);
        let gateways = (0..).zip(&self.mesh.inner.gateways);
        let served = gateways.filter_map(|(place, gateway)| {
            let services = gateway.services.as_ref()?;
            scope
                .is_behind(services)
                .then_some((place, gateway, services))
        });
        let ports = served.flat_map(|(place, gateway, services)| {
            let servers = gateway.servers.iter();
            let scope = &scope;
            servers.map(move |server| (place, scope.gateway_port(services, server.port)))
        });
        ports.collect()
    }

    fn near(&self, proxy: &Proxy) -> Box<[Option<Box<str>>]> {
        let values = self.places.iter().map(|key| proxy.labels().get(key));
        values.map(|value| value.map(Into::into)).collect()
    }

    fn ports(&self, proxy: &Proxy) -> Box<[(u16, u16)]> {
        if proxy.kind() != ProxyKind::Gateway {
            return Box::default();
        }
        let scope = Scope::gateway(&self.mesh, proxy);
        let servers = self.mesh.inner.gateways.iter();
        let servers = servers.flat_map(|gateway| &gateway.servers);
        let mut ports: Vec<(u16, u16)> = servers
            .filter_map(|server| Some((server.port, scope.workload_port(server.port)?)))
            .collect();
        ports.sort_unstable();
        ports.dedup();
        ports.into()
    }
}

/// The keys of the labels that failover goes by, of the mesh, of DestinationRules and of services (R-M-128).
fn places(mesh: &Mesh) -> Vec<Box<str>> {
    let inner = &mesh.inner;
    let rules = inner.destination_rules.iter();
    let policies = rules.flat_map(|rule| {
        let subsets = rule.subsets.iter();
        let of_subsets = subsets.filter_map(|subset| subset.traffic_policy.as_deref());
        rule.traffic_policy.as_deref().into_iter().chain(of_subsets)
    });
    let settings = policies.flat_map(|policy| {
        let ports = policy.ports.iter().map(|port| &port.settings);
        std::iter::once(&policy.settings).chain(ports)
    });
    let balancers = settings.filter_map(|settings| settings.load_balancer.as_deref());
    let (localities, zones): (Vec<_>, Vec<_>) = balancers
        .map(|balancer| (balancer.locality.as_ref(), balancer.zone_aware.as_ref()))
        .chain([(
            inner.config.locality.as_ref(),
            inner.config.zone_aware.as_ref(),
        )])
        .unzip();
    let localities = localities.into_iter().flatten();
    let zones = zones.into_iter().flatten();
    let written = localities
        .flat_map(|locality| &locality.failover_priority)
        .chain(zones.flat_map(|zone| &zone.failover_priority));
    let keys = written.map(|label| label.split('=').next().unwrap_or_default());
    let mut keys: BTreeSet<Box<str>> = keys.map(Into::into).collect();
    let near = inner
        .services
        .iter()
        .filter_map(|service| service.traffic_distribution);
    for distribution in near.collect::<HashSet<_>>() {
        keys.extend(near_labels(distribution).iter().map(|key| Box::from(*key)));
    }
    keys.into_iter().collect()
}

#[cfg(all(test, feature = "yaml"))]
mod tests {
    use super::*;
    use crate::Resources;

    const MESH: &str = "
apiVersion: v1
kind: Service
metadata: {name: web, namespace: a}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: a}
spec:
  hosts: [web.a.svc.cluster.local]
  http:
  - match: [{sourceLabels: {app: canary}}]
    route: [{destination: {host: next.a.svc.cluster.local}}]
  - route: [{destination: {host: web.a.svc.cluster.local}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: b}
spec:
  host: web.a.svc.cluster.local
  workloadSelector: {matchLabels: {tier: front}}
  trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: few, namespace: b}
spec: {workloadSelector: {labels: {app: alone}}, egress: [{hosts: ['./*']}]}
";

    #[test]
    fn proxies_that_nothing_tells_apart_share_a_router() {
        let resources = Resources::from_yaml(MESH).unwrap_or_else(|report| panic!("{report}"));
        let (mesh, _) = Mesh::resolve_lenient(resources);
        let mut compiler = Compiler::new(&mesh);
        let proxies = |namespace: &str| {
            let apps = ["x", "y", "canary", "alone"];
            let of_app = |app| Proxy::sidecar(namespace).label("app", app);
            let tiers = apps.map(|app| [of_app(app), of_app(app).label("tier", "front")]);
            tiers.into_iter().flatten().collect::<Vec<Proxy>>()
        };
        for proxy in proxies("a").iter().chain(&proxies("b")) {
            let shared = compiler.compile(proxy);
            let own = Router::compile(&mesh, proxy);
            for host in ["web.a.svc.cluster.local", "web.a", "web"] {
                let request = crate::Request::get("/").authority(host).port(80);
                let [shared, own] = [&shared, &own].map(|router| {
                    let decision = router.decide(&request, 7);
                    format!("{:#?}", decision.to_owned())
                });
                assert_eq!(shared, own, "{proxy:?} {host}");
            }
        }
        // In each namespace canary and others, front and others; in the second the one with a Sidecar of its own too.
        assert_eq!(compiler.compiled(), 4 + 6);
    }

    #[test]
    fn r_m_128_proxies_are_told_apart_by_where_they_are_and_by_the_labels_that_failover_goes_by() {
        let yaml = "
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: a}
spec:
  host: web.a.svc.cluster.local
  trafficPolicy:
    loadBalancer: {localityLbSetting: {failoverPriority: [rack, tier=front]}}
    outlierDetection: {}
";
        let resources = Resources::from_yaml(yaml).unwrap_or_else(|report| panic!("{report}"));
        let (mesh, _) = Mesh::resolve_lenient(resources);
        let mut compiler = Compiler::new(&mesh);
        let at = |place: &str| Proxy::sidecar("a").with_locality(place).label("app", "x");
        for (proxy, expected) in [
            (at("r1/z1"), 1),
            (at("r1/z1").label("app", "y"), 1),
            (at("r1/z2"), 2),
            (at("r1/z2").label("rack", "1"), 3),
            (at("r1/z2").label("rack", "2"), 4),
            (at("r1/z2").label("rack", "2").label("zone", "z"), 4),
        ] {
            compiler.compile(&proxy);
            assert_eq!(compiler.compiled(), expected, "{proxy:?}");
        }
    }
}
