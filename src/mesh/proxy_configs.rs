//! The proxies that are configured by their workloads (annotation `proxy.istio.io/config`), for who asks what a proxy's is.

use std::net::IpAddr;
use std::sync::Arc;

use crate::terms::labels::Labels;
use crate::terms::proxy::Proxy;
use crate::terms::proxy_config::ProxyConfig;

/// What a Pod says of the proxy beside it, or a Deployment of those beside its pods.
#[derive(Clone, Debug)]
pub(crate) struct WorkloadConfig {
    pub namespace: Arc<str>,
    /// Of a Pod that has one.
    pub address: Option<IpAddr>,
    pub labels: Labels,
    pub config: ProxyConfig,
}

/// All of them, Pods before Deployments, each in config order.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProxyConfigs(Vec<WorkloadConfig>);

impl ProxyConfigs {
    pub(crate) fn new(all: Vec<WorkloadConfig>) -> Self {
        ProxyConfigs(all)
    }

    /// What holds for a proxy of its own: what it says itself, else the Pod at its address, else the first workload of its
    /// namespace that has all of its labels, if it has any (R-M-211).
    ///
    /// # Complexity
    /// Linear in the workloads with the annotation.
    pub(crate) fn of<'c>(&'c self, proxy: &'c Proxy) -> Option<&'c ProxyConfig> {
        if let Some(own) = proxy.config() {
            return Some(own);
        }
        let near = || {
            let all = self.0.iter();
            all.filter(|workload| *workload.namespace == *proxy.namespace())
        };
        let at_address = proxy
            .address()
            .and_then(|address| near().find(|workload| workload.address == Some(address)));
        let by_labels = || {
            // Another Pod is not this one, whatever its labels.
            let is_open = |workload: &&WorkloadConfig| {
                proxy.address().is_none() || workload.address.is_none()
            };
            let fits = |workload: &&WorkloadConfig| proxy.labels().selects(&workload.labels);
            let mut open = near().filter(is_open);
            (!proxy.labels().is_empty())
                .then(|| open.find(fits))
                .flatten()
        };
        at_address
            .or_else(by_labels)
            .map(|workload| &workload.config)
    }
}
