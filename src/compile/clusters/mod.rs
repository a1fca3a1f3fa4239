//! Clusters of one side of a proxy: what a host, a port and a subset resolve to, made once each and named by id.
//!
//! A proxy has a cluster for each port (not UDP) of each service in its scope, and one more for each subset of the
//! DestinationRule that holds for the service (R-M-136). Routes may name others: those do not exist (R-M-139).

use std::sync::Arc;

use crate::mesh::EffectiveRule;
use crate::mesh::config::OutboundTrafficPolicy;
use crate::mesh::service::{Protocol, Resolution, Service, ServicePort};
use crate::mesh::virtual_service::DestinationRef;
use crate::router::{
    Cluster, ClusterFacts, ClusterId, ClusterIds, ClusterKind, ClusterSide, ClusterTable, Numbered,
    Special,
};
use crate::terms::cluster::ClusterName;
use crate::terms::hash::HashMap;
use crate::terms::host::namespace_of;
use crate::terms::labels::Labels;
use crate::terms::traffic_policy::TrafficPolicy;

use super::references::References;
use super::scope::{Scope, ServiceView};
use endpoints::{Behind, Pool, SharedSets};
use locality::Client;
pub(super) use locality::near_labels;
use settings::{ClusterInputs, SharedSettings, SubsetPolicies};
use tls::{Identities, TlsInputs};

mod endpoints;
mod locality;
mod settings;
#[cfg(all(test, feature = "yaml"))]
mod tests;
mod tls;

/// The clusters that the routes of one side of a proxy name.
#[derive(Debug)]
pub(crate) struct Clusters<'s> {
    scope: &'s Scope<'s>,
    ids: &'s mut ClusterIds,
    hosts: HashMap<Arc<str>, Host<'s>>,
    /// What applies to a host without a DestinationRule.
    default_policy: Option<Arc<TrafficPolicy>>,
    settings: SharedSettings,
    sets: SharedSets,
    identities: Identities,
    made: HashMap<ClusterId, Cluster>,
}

/// What all clusters of one host have in common.
#[derive(Debug)]
struct Host<'s> {
    service: Option<ServiceView>,
    rule: Option<&'s Arc<EffectiveRule>>,
    pool: Pool,
    /// Names that its workloads may have.
    identities: Arc<[Box<str>]>,
}

impl<'s> Clusters<'s> {
    /// No clusters yet, for routes of `scope`; `ids` are those of a router before, or none.
    pub(super) fn new(scope: &'s Scope<'s>, ids: &'s mut ClusterIds) -> Self {
        Clusters {
            scope,
            ids,
            hosts: HashMap::default(),
            default_policy: scope.mesh().config.default_traffic_policy.clone(),
            settings: SharedSettings::default(),
            sets: SharedSets::default(),
            identities: Identities::default(),
            made: HashMap::default(),
        }
    }

    /// The cluster of a destination (Istio: `GetDestinationCluster`, R-M-137, R-H-107..R-H-109).
    ///
    /// `service` is the service as the route's place sees it: on a sidecar's HTTP listener only one that exposes the
    /// listener's port, trimmed to that port (R-M-138); at a gateway the one of the VirtualService's namespace first
    /// (R-M-046).
    pub(super) fn destination(
        &mut self,
        destination: &DestinationRef,
        service: Option<&ServiceView>,
        listener_port: u16,
    ) -> ClusterId {
        if destination.host.is_empty() {
            return self.unknown_service();
        }
        let only_port = || match service?.ports()[..] {
            [ref port] => Some(port.number),
            _ => None,
        };
        let port = destination.port.or_else(only_port).unwrap_or(listener_port);
        let alias = service.and_then(|service| service.service().external_name.as_ref());
        let host = alias.unwrap_or(&destination.host);
        self.cluster(host, port, destination.subset.as_ref())
    }

    /// The cluster `outbound|port|subset|host`. The same id for the same name.
    pub(super) fn cluster(
        &mut self,
        host: &Arc<str>,
        port: u16,
        subset: Option<&Arc<str>>,
    ) -> ClusterId {
        let id = self.ids.of_host(host, port, subset);
        if !self.made.contains_key(&id) {
            let made = self.make(host, port, subset);
            self.made.insert(id, made);
        }
        id
    }

    /// The DestinationRule that holds for the service `host`, for what routes ask of it (R-M-120, R-M-121).
    pub(super) fn rule(&mut self, host: &Arc<str>) -> Option<&'s Arc<EffectiveRule>> {
        self.host(host).rule
    }

    /// The service of a host name as the whole proxy sees it.
    pub(super) fn service(&mut self, host: &Arc<str>) -> Option<ServiceView> {
        self.host(host).service.clone()
    }

    /// `PassthroughCluster`.
    pub(super) fn passthrough(&mut self) -> ClusterId {
        self.special(Special::Passthrough)
    }

    /// `BlackHoleCluster`.
    pub(super) fn black_hole(&mut self) -> ClusterId {
        self.special(Special::BlackHole)
    }

    /// `AllowAnyDynamicDNSCluster`.
    pub(super) fn dynamic_dns(&mut self) -> ClusterId {
        self.special(Special::DynamicDns)
    }

    /// `UnknownService`: where a destination without a host leads (R-M-137).
    pub(super) fn unknown_service(&mut self) -> ClusterId {
        self.special(Special::UnknownService)
    }

    /// Makes every cluster that the scope has, whether or not something names it (R-M-136).
    pub(super) fn make_all(&mut self) {
        for special in [
            Special::BlackHole,
            Special::Passthrough,
            Special::DynamicDns,
        ] {
            if self.has(special) {
                self.special(special);
            }
        }
        for service in self.scope.services() {
            self.make_of(&service);
        }
    }

    /// Makes a cluster for each port of the service, and for each subset.
    fn make_of(&mut self, service: &ServiceView) {
        if service.service().is_alias() {
            return;
        }
        let host = service.hostname();
        let rule = self.host(host).rule;
        let subsets = rule.map_or(&[][..], |rule| rule.subsets());
        let ports = service.ports().iter();
        for port in ports.filter(|port| port.protocol != Protocol::Udp) {
            self.cluster(host, port.number, None);
            for subset in subsets {
                self.cluster(host, port.number, Some(&subset.name));
            }
        }
    }

    /// Makes every cluster of this host that it has or had.
    pub(super) fn remake(&mut self, host: &Arc<str>) {
        if let Some(service) = self.scope.service(host) {
            self.make_of(&service);
        }
        for index in 0.. {
            let Some(numbered) = self.ids.all_of_host(host).get(index) else {
                return;
            };
            let (port, subset) = (numbered.port, numbered.subset.clone());
            self.cluster(host, port, subset.as_ref());
        }
    }

    /// A cluster that has been made.
    #[cfg(all(test, feature = "yaml"))]
    pub(super) fn get(&self, id: ClusterId) -> &Cluster {
        &self.made[&id]
    }

    /// What has been made, by id.
    pub(super) fn take_made(&mut self) -> impl Iterator<Item = (ClusterId, Cluster)> + use<> {
        std::mem::take(&mut self.made).into_iter()
    }

    /// All clusters, in the order of their ids: every one has been made. The ids of a router before that nothing asked for are
    /// taken back.
    pub(super) fn take_all(&mut self) -> Vec<(ClusterId, Cluster)> {
        let special: Vec<_> = self.ids.special().collect();
        special.into_iter().for_each(|(special, _)| {
            self.special(special);
        });
        let made = std::mem::take(&mut self.made);
        self.ids
            .release(made.len(), |_, numbered| made.contains_key(&numbered.id));
        self.ids.shrink();
        let mut all: Vec<_> = made.into_iter().collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all
    }

    /// Whether it is worth while to look for ids that can be taken back.
    pub(super) fn is_crowded(&self) -> bool {
        self.ids.is_crowded()
    }

    /// Takes back the ids of clusters that the proxy has not (R-M-136) and that nothing names; `known` are those of the router
    /// before.
    pub(super) fn release(
        &mut self,
        references: &References,
        known: &ClusterTable,
    ) -> Vec<ClusterId> {
        let mut ids = std::mem::take(self.ids);
        let released = ids.release(references.walked(), |host, numbered| {
            let exists = || {
                let made = self.made.get(&numbered.id);
                let cluster = made.or_else(|| known.get(numbered.id));
                // Without any registry all that is named exists, for as long as it is.
                !self.scope.is_open() && cluster.is_some_and(Cluster::exists)
            };
            references.has(numbered.id) || exists() || self.is_of_scope(host, numbered)
        });
        *self.ids = ids;
        released
    }

    /// Whether [`make_all`](Self::make_all) makes this cluster.
    fn is_of_scope(&self, host: &Arc<str>, numbered: &Numbered) -> bool {
        let Some(service) = self.scope.service(host) else {
            return false;
        };
        let rule = rule_of(self.scope, host, Some(&service));
        let subset = numbered.subset.as_deref();
        !service.service().is_alias()
            && service
                .ports()
                .numbered(numbered.port)
                .any(|port| port.protocol != Protocol::Udp)
            && subset.is_none_or(|name| rule.is_some_and(|rule| rule.subset(name).is_some()))
    }

    /// Whether the proxy has a cluster that is no service's.
    fn has(&self, special: Special) -> bool {
        let is_sidecar = self.ids.side() == ClusterSide::Mesh;
        let policy = self.scope.mesh().config.outbound_traffic_policy;
        match special {
            Special::BlackHole => true,
            Special::Passthrough => is_sidecar,
            Special::DynamicDns => {
                is_sidecar && policy == OutboundTrafficPolicy::AllowAnyDynamicDns
            }
            Special::UnknownService => false,
        }
    }

    fn special(&mut self, special: Special) -> ClusterId {
        let exists = self.has(special);
        let id = self.ids.of_special(special);
        self.made.entry(id).or_insert_with(|| {
            let config = &self.scope.mesh().config;
            let (name, kind) = match special {
                Special::Passthrough => ("PassthroughCluster", ClusterKind::Passthrough),
                Special::BlackHole => ("BlackHoleCluster", ClusterKind::BlackHole),
                Special::DynamicDns => ("AllowAnyDynamicDNSCluster", ClusterKind::DynamicDns),
                Special::UnknownService => ("UnknownService", ClusterKind::Outbound),
            };
            Cluster::from(ClusterFacts {
                exists,
                settings: Arc::new(settings::special(special, config)),
                ..ClusterFacts::named(name, kind)
            })
        });
        id
    }

    fn host(&mut self, host: &Arc<str>) -> &mut Host<'s> {
        let (scope, identities) = (self.scope, &mut self.identities);
        self.hosts
            .entry(Arc::clone(host))
            .or_insert_with(|| Host::new(scope, identities, host))
    }

    fn make(&mut self, host_name: &Arc<str>, port: u16, subset: Option<&Arc<str>>) -> Cluster {
        let (scope, side) = (self.scope, self.ids.side());
        let default_policy = self.default_policy.clone();
        let subset = subset.map(|subset| &**subset);
        let host = self.hosts.entry(Arc::clone(host_name));
        let host = host.or_insert_with(|| Host::new(scope, &mut self.identities, host_name));
        let labels = host.subset_labels(subset);
        let policy = match host.rule {
            Some(rule) => rule.policy(subset, port),
            None => default_policy,
        };
        let mut facts = ClusterFacts {
            labels: host.labels(labels),
            destination_rule: host.rule.and_then(|rule| rule.sources().first().cloned()),
            ..ClusterFacts::outbound(ClusterName::new(host_name, port, subset))
        };
        let mut endpoints = Arc::default();
        if let Some((service, port)) = host.service_and_port(port) {
            let without_subset = host.rule.and_then(|rule| rule.policy(None, port.number));
            let own = host.rule.and_then(|rule| rule.subset(subset?));
            let own = own.and_then(|own| own.traffic_policy.as_deref());
            let of_subset = SubsetPolicies {
                own: own.map(|own| &own.settings),
                without_subset: without_subset.as_deref(),
            };
            let inputs = ClusterInputs {
                side,
                service,
                port,
                policy: policy.as_deref(),
                of_subset: subset.is_some().then_some(of_subset),
            };
            facts.settings = self.settings.of(&inputs, &scope.mesh().config);
            let tls = TlsInputs {
                mesh: scope.mesh(),
                inputs,
                settings: &facts.settings,
                rule: host.rule.map(|rule| &**rule),
                subset,
                pool: &host.pool.endpoints,
                identities: &host.identities,
            };
            facts.tls = tls.tls();
            facts.proxy_protocol = policy.as_ref().and_then(|policy| policy.proxy_protocol);
            let behind = Behind {
                pool: &host.pool,
                inputs,
                settings: &facts.settings,
                tls: &tls,
                labels,
                client: Client {
                    locality: scope.locality(),
                    labels: scope.labels(),
                },
                config: &scope.mesh().config,
            };
            endpoints = self.sets.of(&behind);
        }
        facts.exists = scope.is_open() || host.exists(port, subset, !endpoints.is_empty());
        facts.traffic_policy = policy;
        Cluster {
            facts: Arc::new(facts),
            endpoints,
        }
    }
}

/// The DestinationRule that holds for a host (R-M-082).
fn rule_of<'s>(
    scope: &'s Scope<'s>,
    host: &str,
    service: Option<&ServiceView>,
) -> Option<&'s Arc<EffectiveRule>> {
    let mesh = scope.mesh();
    let namespace = match service {
        Some(service) => service.service().namespace(),
        None if scope.is_open() => namespace_of(host, &mesh.config.domain),
        None => return None,
    };
    mesh.destination_rule_index
        .lookup(host, namespace, scope.namespace(), scope.labels())
}

impl<'s> Host<'s> {
    fn new(scope: &'s Scope<'s>, identities: &mut Identities, host: &str) -> Self {
        let service = scope.service(host);
        let rule = rule_of(scope, host, service.as_ref());
        let pool = service
            .as_ref()
            .map(|service| Pool::of(scope, service.service()));
        let pool = pool.unwrap_or_default();
        let identities = service
            .as_ref()
            .map(|service| identities.of(&scope.mesh().config, service.service(), &pool.endpoints));
        Host {
            identities: identities.unwrap_or_default(),
            service,
            rule,
            pool,
        }
    }

    fn service_and_port(&self, port: u16) -> Option<(&Arc<Service>, &ServicePort)> {
        let view = self.service.as_ref()?;
        // Of ports with one number the one for datagrams has no cluster.
        let mut named = view.ports().numbered(port);
        let port = named.clone().find(|port| port.protocol != Protocol::Udp);
        Some((view.service(), port.or_else(|| named.next())?))
    }

    fn subset_labels(&self, subset: Option<&str>) -> Option<&'s Arc<Labels>> {
        Some(&self.rule?.subset(subset?)?.labels)
    }

    /// Selector of the service and labels of the subset, together.
    fn labels(&self, subset: Option<&Arc<Labels>>) -> Arc<Labels> {
        let selector = self
            .service
            .as_ref()
            .map(|service| &service.service().selector);
        match (selector, subset.filter(|labels| !labels.is_empty())) {
            (None, None) => Arc::default(),
            (Some(only), None) | (None, Some(only)) => Arc::clone(only),
            (Some(selector), Some(labels)) if selector.is_empty() => Arc::clone(labels),
            (Some(selector), Some(labels)) => Arc::new(selector.union(labels)),
        }
    }

    fn exists(&self, port: u16, subset: Option<&str>, has_endpoints: bool) -> bool {
        let Some(service) = &self.service else {
            return false;
        };
        let port_exists = self
            .service_and_port(port)
            .is_some_and(|(_, port)| port.protocol != Protocol::Udp);
        let has = |name| self.rule.is_some_and(|rule| rule.subset(name).is_some());
        let subset_exists = subset.is_none_or(has);
        let resolution = match service.service().resolution {
            Resolution::Alias => false,
            Resolution::Dns | Resolution::DnsRoundRobin => has_endpoints,
            Resolution::Eds | Resolution::Passthrough | Resolution::DynamicDns => true,
        };
        port_exists && subset_exists && resolution
    }
}
