//! Sidecars by namespace: which one a workload follows (R-M-070).

use std::sync::Arc;

use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;

use super::sidecar::Sidecar;

/// The Sidecars of a mesh.
#[derive(Clone, Debug, Default)]
pub(crate) struct SidecarIndex {
    by_namespace: HashMap<Arc<str>, Own>,
    /// The first one of the root namespace without a selector: for namespaces that have none.
    root: Option<Arc<Sidecar>>,
}

/// The Sidecars of one namespace.
#[derive(Clone, Debug, Default)]
struct Own {
    selecting: Vec<Arc<Sidecar>>,
    general: Option<Arc<Sidecar>>,
}

impl SidecarIndex {
    /// Indexes `sidecars`, which are in config order.
    pub(crate) fn new(sidecars: &[Arc<Sidecar>], root_namespace: &str) -> Self {
        let mut index = SidecarIndex::default();
        for sidecar in sidecars {
            let own = index
                .by_namespace
                .entry(Arc::clone(&sidecar.resource.namespace))
                .or_default();
            if sidecar.workload_selector.is_some() {
                own.selecting.push(Arc::clone(sidecar));
            } else if own.general.is_none() {
                own.general = Some(Arc::clone(sidecar));
            }
        }
        index.root = index
            .by_namespace
            .get(root_namespace)
            .and_then(|own| own.general.clone());
        index
    }

    /// The Sidecar that a workload with `labels` in `namespace` follows: the first that selects it, else its namespace's
    /// general one, else the root namespace's (R-M-070).
    pub(crate) fn effective(&self, namespace: &str, labels: &Labels) -> Option<&Arc<Sidecar>> {
        let own = self.by_namespace.get(namespace);
        own.and_then(|own| own.choose(labels))
            .or(self.root.as_ref())
    }
}

impl Own {
    fn choose(&self, labels: &Labels) -> Option<&Arc<Sidecar>> {
        self.selecting
            .iter()
            .find(|sidecar| {
                sidecar
                    .workload_selector
                    .as_ref()
                    .is_some_and(|selector| selector.selects(labels))
            })
            .or(self.general.as_ref())
    }
}
