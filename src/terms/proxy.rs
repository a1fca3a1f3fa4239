//! Whose view a router is compiled for: a gateway workload, a sidecar, or (the default) both at once.

use std::net::IpAddr;
use std::sync::Arc;

use super::labels::Labels;
use super::name::ResourceName;
use super::proxy_config::ProxyConfig;

/// The label of the workloads of a Gateway of the Gateway API.
const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// What part of the mesh a proxy serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyKind {
    /// The outbound side of a sidecar: the gateway name `mesh`.
    Sidecar,
    /// A gateway workload: the Gateways whose selector selects its labels.
    Gateway,
    /// Both at once, with every Gateway bound whatever its selector: what `Proxy::default()` is.
    Any,
}

/// The proxy whose view a [`Router`](crate::Router) answers for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    kind: ProxyKind,
    namespace: Box<str>,
    labels: Labels,
    dns_domain: Option<Box<str>>,
    address: Option<IpAddr>,
    locality: Box<str>,
    gateway: Option<ResourceName>,
    config: Option<Arc<ProxyConfig>>,
}

short_debug! {
    Proxy {kind, namespace, labels, dns_domain, address, locality, gateway, config}
}

impl Default for Proxy {
    /// Namespace `default`, no labels, every Gateway bound whatever its selector, and the mesh view beside them.
    fn default() -> Self {
        Proxy::new(ProxyKind::Any, "default")
    }
}

impl Proxy {
    fn new(kind: ProxyKind, namespace: &str) -> Self {
        Proxy {
            kind,
            namespace: namespace.into(),
            labels: Labels::default(),
            dns_domain: None,
            address: None,
            locality: Box::default(),
            gateway: None,
            config: None,
        }
    }

    /// A sidecar (or any mesh client) in `namespace`.
    pub fn sidecar(namespace: &str) -> Self {
        Proxy::new(ProxyKind::Sidecar, namespace)
    }

    /// A gateway workload in `namespace`; give it the labels that Gateway selectors select.
    pub fn gateway(namespace: &str) -> Self {
        Proxy::new(ProxyKind::Gateway, namespace)
    }

    /// The workload that Istio makes for the Gateway `namespace/name` (or `name`, in `default`) of the Gateway API: it stands
    /// behind the Service `<name>-<class>` and serves what is reached through that (R-G-017).
    pub fn gateway_named(name: &str) -> Self {
        let (namespace, name) = name.split_once('/').unwrap_or(("default", name));
        let mut proxy = Proxy::gateway(namespace).label(GATEWAY_NAME, name);
        proxy.gateway = Some(ResourceName::new(namespace, name));
        proxy
    }

    /// The same proxy with a workload label.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key, value);
        self
    }

    /// The same proxy with these workload labels.
    #[must_use]
    pub fn with_labels(mut self, labels: Labels) -> Self {
        self.labels = labels;
        self
    }

    /// The same proxy with another DNS search domain than `<namespace>.svc.<cluster domain>`; it decides which short
    /// host names reach a service (R-H-048).
    #[must_use]
    pub fn with_dns_domain(mut self, domain: &str) -> Self {
        self.dns_domain = Some(domain.into());
        self
    }

    /// The same proxy at this address; the services that list it as an endpoint say through which of its ports a gateway
    /// is reached (R-M-016).
    #[must_use]
    pub fn with_address(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// The same proxy at this place, `region/zone/subzone`, of which the tail may be missing: endpoints near it may come first
    /// (R-M-124).
    #[must_use]
    pub fn with_locality(mut self, locality: &str) -> Self {
        self.locality = locality.into();
        self
    }

    /// The same proxy with a configuration of its own. Without one it has that of the Pod at its address, else of the first
    /// workload of its namespace that has all of its labels (annotation `proxy.istio.io/config`), each in place of what the
    /// mesh says for all (`defaultConfig`).
    #[must_use]
    pub fn with_config(mut self, config: ProxyConfig) -> Self {
        self.config = Some(Arc::new(config));
        self
    }

    /// What part of the mesh it serves.
    pub fn kind(&self) -> ProxyKind {
        self.kind
    }

    /// Its namespace (Istio: the proxy's config namespace).
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether its namespace is this one; `None` is any.
    pub(crate) fn is_in(&self, namespace: Option<&str>) -> bool {
        namespace.is_none_or(|namespace| namespace == &*self.namespace)
    }

    /// Its workload labels.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Its address, if it is known.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Where it is, `region/zone/subzone`; empty: unknown.
    pub fn locality(&self) -> &str {
        &self.locality
    }

    /// The Gateway of the Gateway API whose workload it is: as it was [named](Self::gateway_named), else as the label that Istio
    /// gives such workloads says; `None`: it is none that Istio has made.
    pub fn named_gateway(&self) -> Option<ResourceName> {
        let labelled = || {
            let name = self.labels.get(GATEWAY_NAME)?;
            (self.kind == ProxyKind::Gateway).then(|| ResourceName::new(&self.namespace, name))
        };
        self.gateway.clone().or_else(labelled)
    }

    /// Its configuration, if it was given one.
    pub fn config(&self) -> Option<&ProxyConfig> {
        self.config.as_deref()
    }

    /// Its DNS search domain, if it is not the default one.
    pub fn dns_domain(&self) -> Option<&str> {
        self.dns_domain.as_deref()
    }
}
