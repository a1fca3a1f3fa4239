//! Which changes make everything anew: the one list of them. What [`Reach::Router`](super::Reach::Router) tells users is this,
//! and the three that only compile can see: the registry gets its first service or loses its last (`MeshChange::whole`), a
//! Sidecar's egress proxy is another, or a gateway's ports are (`Compiled::update`).

use super::key::{Before, by_key, is_route};
use super::{About, Key, LiveRouter};
use crate::resource::{Kind, Resource};

/// How much of a mesh changes type anew.
pub(super) enum Anew {
    /// The resources themselves, and what depends on them.
    Changed,
    /// The mesh; resources of kinds that have not changed stay what they are.
    Kinds(Vec<Kind>),
    /// The mesh, whatever its resources are.
    Everything,
}

impl LiveRouter {
    /// How much these changes, which are in the documents already, type anew.
    pub(super) fn anew(&self, keys: &[Key], before: &[Before], about: &About) -> Anew {
        if about.has_config || self.decides_by_namespace(keys) {
            Anew::Everything
        } else if keys.iter().any(self.reaches_all(before)) {
            Anew::Kinds(keys.iter().map(Key::kind).collect())
        } else {
            Anew::Changed
        }
    }

    /// Whether the settings make a namespace's labels decide of everything in it, or of its ServiceEntries.
    fn decides_by_namespace(&self, keys: &[Key]) -> bool {
        let settings = self.mesh_config.as_ref().map(|config| &config.spec);
        settings.is_some_and(|settings| {
            let kinds = [Kind::Namespace, Kind::ServiceEntry];
            settings.selects_namespaces()
                || (settings.caps_by_namespace()
                    && keys.iter().any(|key| kinds.contains(&key.kind())))
        })
    }

    /// Whether a changed resource is one that others are merged with, or that every proxy or route may ask for.
    fn reaches_all<'a>(&'a self, before: &'a [Before]) -> impl Fn(&Key) -> bool + 'a {
        let has_gateway_api = self.documents.has_gateway_api();
        let was = by_key(before);
        move |key| match key.kind() {
            Kind::Gateway | Kind::Sidecar | Kind::PeerAuthentication => true,
            Kind::VirtualService => false,
            kind if is_route(kind) => false,
            kind if kind.is_written_for_gateway_api() => true,
            // Routes and Gateways ask for services, for labels and for certificates.
            Kind::Service
            | Kind::ServiceEntry
            | Kind::Namespace
            | Kind::Secret
            | Kind::ConfigMap => has_gateway_api,
            // Policies are merged with them.
            Kind::DestinationRule => self.documents.has_policies(),
            _ => {
                let old = was.get(key).copied().flatten();
                let both = old.into_iter().chain(self.documents.get(key));
                both.into_iter().any(configures_proxies)
            }
        }
    }
}

/// Whether a workload says what its own proxy does (`proxy.istio.io/config`).
fn configures_proxies(document: &Resource) -> bool {
    match document {
        Resource::Pod(pod) => pod.proxy_config.is_some(),
        Resource::Deployment(deployment) => deployment.proxy_config.is_some(),
        _ => false,
    }
}
