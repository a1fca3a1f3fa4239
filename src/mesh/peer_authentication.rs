//! PeerAuthentications: which workloads take mutual TLS, as far as their clients ask for it (R-M-119).

use std::sync::Arc;

use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;

/// What a workload takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub(crate) enum PeerTls {
    /// `DISABLE`: plain text.
    Disable,
    /// `PERMISSIVE`: both; what holds where nothing is said.
    #[default]
    Permissive,
    /// `STRICT`: mutual TLS.
    Strict,
}

/// A PeerAuthentication, typed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub(crate) struct PeerAuthentication {
    /// Its name.
    pub resource: ResourceName,
    /// Seconds since the epoch; 0 where unset.
    pub creation: i64,
    /// The workloads that it is for; empty: all of its namespace, in the root namespace all of the mesh.
    pub selector: Labels,
    /// What they take; `None`: what the wider policy says.
    pub mode: Option<PeerTls>,
    /// The same on some of their own ports; `None`: as on the others.
    pub ports: Box<[(u16, Option<PeerTls>)]>,
}

/// The PeerAuthentications of a mesh.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeerAuthenticationIndex {
    of_mesh: Option<PeerTls>,
    by_namespace: HashMap<Arc<str>, Own>,
}

/// Those of one namespace.
#[derive(Clone, Debug, Default)]
struct Own {
    /// The oldest without a selector.
    general: Option<Arc<PeerAuthentication>>,
    selecting: Vec<Arc<PeerAuthentication>>,
}

impl PeerAuthenticationIndex {
    /// Of these, which are in config order.
    pub(crate) fn new(all: &[Arc<PeerAuthentication>], root_namespace: &str) -> Self {
        let mut index = PeerAuthenticationIndex::default();
        for authentication in all {
            let namespace = Arc::clone(&authentication.resource.namespace);
            let own = index.by_namespace.entry(namespace).or_default();
            if !authentication.selector.is_empty() {
                own.selecting.push(Arc::clone(authentication));
            } else if own.general.is_none() {
                own.general = Some(Arc::clone(authentication));
            }
        }
        // In the root namespace one with a selector is for nobody.
        let root = index.by_namespace.remove(root_namespace);
        index.of_mesh = root
            .and_then(|own| own.general)
            .and_then(|authentication| authentication.mode);
        index
    }

    /// What services of a namespace take, as a hint: what is for some workloads or ports only does not count.
    pub(crate) fn of_namespace(&self, namespace: &str) -> PeerTls {
        let own = self.by_namespace.get(namespace);
        let general = own.and_then(|own| own.general.as_ref());
        let mode = general
            .and_then(|authentication| authentication.mode)
            .or(self.of_mesh);
        mode.unwrap_or_default()
    }

    /// What a workload with these labels takes on one of its own ports.
    pub(crate) fn of_workload(&self, namespace: &str, labels: &Labels, port: u16) -> PeerTls {
        let own = self.by_namespace.get(namespace);
        let mut selecting = own.into_iter().flat_map(|own| &own.selecting);
        let Some(own) = selecting.find(|authentication| authentication.selector.selects(labels))
        else {
            return self.of_namespace(namespace);
        };
        let of_port = own.ports.iter().find(|(number, _)| *number == port);
        let mode = of_port.and_then(|(_, mode)| *mode).or(own.mode);
        mode.unwrap_or_else(|| self.of_namespace(namespace))
    }
}
