//! The services of a mesh as lints ask for them.

use std::sync::Arc;

use crate::mesh::{EffectiveRule, Inner, Service};
use crate::terms::hash::HashSet;
use crate::terms::host::{is_wildcard, namespace_of};
use crate::terms::host_index::HostIndex;
use crate::terms::labels::Labels;

/// Services by host name, wildcard hosts of ServiceEntries included.
pub(super) struct Registry<'a> {
    mesh: &'a Inner,
    wildcards: HostIndex<&'a Arc<Service>>,
    /// Namespaces with a service.
    namespaces: HashSet<&'a str>,
    has_external: bool,
}

impl<'a> Registry<'a> {
    pub(super) fn new(mesh: &'a Inner) -> Self {
        let mut wildcards = HostIndex::default();
        for service in &mesh.services {
            if is_wildcard(&service.hostname) {
                wildcards.insert(&service.hostname, service);
            }
        }
        let namespaces = mesh.services.iter().map(|service| service.namespace());
        let has_external = mesh.services.iter().any(|service| !service.is_kubernetes());
        Registry {
            mesh,
            wildcards,
            namespaces: namespaces.collect(),
            has_external,
        }
    }

    /// Whether the half of the configuration that would have `host` is here: a service of the namespace that it names, or, for a host
    /// outside of the cluster, some ServiceEntry. Where it is not, it may be in another repository.
    pub(super) fn has_half_of(&self, host: &str) -> bool {
        match namespace_of(host, &self.mesh.config.domain) {
            // Of another mesh.
            "" if host.contains(".svc.") => false,
            "" => self.has_external || host.ends_with(".svc") || self.has_half_of_short(host),
            // What Istio itself installs stands in no repository of routes.
            root if root == &*self.mesh.config.root_namespace => {
                let istiod = format!("istiod.{root}.svc.{}", self.mesh.config.domain);
                !self.mesh.service_index.named(&istiod).is_empty()
            }
            namespace => self.namespaces.contains(namespace),
        }
    }

    /// Whether `host` is `name.namespace`, which is not completed, of a namespace that has services.
    fn has_half_of_short(&self, host: &str) -> bool {
        let parts: Vec<&str> = host.split('.').collect();
        matches!(parts.as_slice(), [_, namespace] if self.namespaces.contains(namespace))
    }

    /// The ServiceEntry whose wildcard covers `host`, which has no service of its own.
    pub(super) fn covering(&self, host: &str) -> Option<&Arc<Service>> {
        let exact = self.mesh.service_index.named(host);
        let covering = self.wildcards.most_specific(host);
        exact.is_empty().then_some(covering.copied()).flatten()
    }

    /// Whether no service is known at all, so that no host can be called unknown.
    pub(super) fn is_open(&self) -> bool {
        self.mesh.services.is_empty()
    }

    /// The services named `host`, one per namespace; else the ServiceEntry whose wildcard covers it.
    pub(super) fn named(&self, host: &str) -> &[Arc<Service>] {
        let exact = self.mesh.service_index.named(host);
        if exact.is_empty() {
            let covering = self.wildcards.most_specific(host);
            covering.map_or(&[], |service| std::slice::from_ref(*service))
        } else {
            exact
        }
    }

    /// The service that `host` means to clients in `namespace`: their own, else one that they see, Kubernetes first.
    pub(super) fn seen_from(&self, host: &str, namespace: &str) -> Option<&Arc<Service>> {
        if let Some(own) = self.mesh.service_index.in_namespace(host, namespace)
            && own.visibility.includes(namespace)
        {
            return Some(own);
        }
        let named = self.named(host);
        let visible = || {
            named
                .iter()
                .filter(|service| service.visibility.includes(namespace))
        };
        visible()
            .find(|service| service.namespace() == namespace)
            .or_else(|| visible().find(|service| service.is_kubernetes()))
            .or_else(|| visible().next())
    }

    /// The DestinationRule that holds for `host` as workloads of `namespace` without labels see it.
    pub(super) fn rule(&self, host: &str, namespace: &str) -> Option<&'a Arc<EffectiveRule>> {
        let owner = self.seen_from(host, namespace).map_or_else(
            || namespace_of(host, &self.mesh.config.domain),
            |service| service.namespace(),
        );
        self.mesh
            .destination_rule_index
            .lookup(host, owner, namespace, &Labels::EMPTY)
    }
}

/// The kind of the resource that made a service.
pub(super) fn kind(service: &Service) -> &'static str {
    if service.is_kubernetes() {
        "Service"
    } else {
        "ServiceEntry"
    }
}
