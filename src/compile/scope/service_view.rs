//! A service as one proxy sees it: perhaps with fewer ports, or fewer aliases. The service itself is shared, never copied.

use std::sync::Arc;

use crate::mesh::service::ServicePorts;
use crate::mesh::service::{Alias, Service, ServicePort};

/// A service, narrowed.
#[derive(Clone, Debug)]
pub(crate) struct ServiceView {
    service: Arc<Service>,
    ports: Option<ServicePorts>,
    aliases: Option<Arc<[Alias]>>,
}

impl ServiceView {
    /// The whole service.
    pub(crate) fn new(service: &Arc<Service>) -> Self {
        ServiceView {
            service: Arc::clone(service),
            ports: None,
            aliases: None,
        }
    }

    /// The service, whole.
    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Whether it is this service with all its ports.
    pub(crate) fn is_whole(&self, service: &Arc<Service>) -> bool {
        self.ports.is_none() && Arc::ptr_eq(&self.service, service)
    }

    /// Its host name.
    pub(crate) fn hostname(&self) -> &Arc<str> {
        &self.service.hostname
    }

    /// The ports that are seen, in order.
    pub(crate) fn ports(&self) -> &ServicePorts {
        self.ports.as_ref().unwrap_or(&self.service.ports)
    }

    /// The port `number`, if it is seen.
    pub(crate) fn port(&self, number: u16) -> Option<&ServicePort> {
        self.ports().numbered(number).next()
    }

    /// The ExternalName services that end here and are seen.
    pub(crate) fn aliases(&self) -> &[Alias] {
        self.aliases.as_deref().unwrap_or(&self.service.aliases)
    }

    /// The same view with the ports of this number; `None` if there are none.
    pub(crate) fn on_port(mut self, number: u16) -> Option<Self> {
        let ports = self.ports();
        let kept = ports.numbered(number).count();
        if kept == 0 {
            return None;
        }
        if kept < ports.len() {
            self.ports = Some(ports.numbered(number).cloned().collect());
        }
        Some(self)
    }

    /// The same view with the ports that `keep` keeps; `None` if that is none of them.
    pub(crate) fn trim_ports(mut self, keep: impl Fn(u16) -> bool) -> Option<Self> {
        let ports = self.ports();
        let kept = ports.iter().filter(|port| keep(port.number)).count();
        if kept == 0 {
            return None;
        }
        if kept < ports.len() {
            let ports = ports.iter().filter(|port| keep(port.number)).cloned();
            self.ports = Some(ports.collect());
        }
        Some(self)
    }

    /// The same view with the aliases that `keep` keeps.
    pub(crate) fn trim_aliases(mut self, keep: impl Fn(&str) -> bool) -> Self {
        if !self.aliases().iter().all(|alias| keep(&alias.hostname)) {
            let aliases = self.aliases().iter();
            self.aliases = Some(
                aliases
                    .filter(|alias| keep(&alias.hostname))
                    .cloned()
                    .collect(),
            );
        }
        self
    }

    /// Adds the ports that only `other` has (Istio: `appendSidecarServices`).
    pub(crate) fn merge_ports(&mut self, other: &ServiceView) {
        let ports = self.ports();
        let missing: Vec<_> = other
            .ports()
            .iter()
            .filter(|port| ports.numbered(port.number).next().is_none())
            .collect();
        if !missing.is_empty() {
            let all = ports.iter().chain(missing).cloned();
            self.ports = Some(all.collect());
        }
    }
}
