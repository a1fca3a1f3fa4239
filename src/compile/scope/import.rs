//! What the `hosts` of one egress listener import (R-M-071): sets by namespace, asked once per host.

use crate::mesh::sidecar::{EgressHost, EgressNamespace};
use crate::mesh::virtual_service::Semantics;
use crate::terms::hash::HashMap;
use crate::terms::host_index::HostSet;

/// The `hosts` of an egress listener, ready to be asked.
#[derive(Debug, Default)]
pub(crate) struct Import<'a> {
    included: Sets<'a>,
    excluded: Sets<'a>,
    /// Nothing needs to be asked: `*/*` without exclusions.
    everything: bool,
}

/// Host patterns by namespace.
#[derive(Debug, Default)]
struct Sets<'a> {
    everywhere: HostSet,
    by_namespace: HashMap<&'a str, HostSet>,
}

impl<'a> Import<'a> {
    /// Reads `hosts` for a proxy of `namespace`.
    pub(super) fn new(hosts: &'a [EgressHost], namespace: &'a str) -> Self {
        let is_all =
            |host: &EgressHost| host.namespace == EgressNamespace::Any && &*host.host == "*";
        let excludes = hosts.iter().any(|host| host.exclude);
        if hosts.iter().any(is_all) && !excludes {
            return Import::everything();
        }
        Import {
            included: Sets::new(hosts, false, namespace),
            excluded: Sets::new(hosts, true, namespace),
            everything: false,
        }
    }

    /// Everything: `*/*`.
    pub(super) fn everything() -> Self {
        Import {
            everything: true,
            ..Import::default()
        }
    }

    /// Whether the service `hostname` of `namespace` is imported: some entry covers it.
    pub(super) fn covers(&self, namespace: &str, hostname: &str) -> bool {
        self.everything
            || self.included.any(namespace, |set| set.covers(hostname))
                && !self.excludes(namespace, hostname)
    }

    /// Whether a VirtualService of `namespace` with these hosts is imported: some entry overlaps one of them that is not
    /// excluded. In the words of the Gateway API, some entry covers one of them (R-G-056).
    pub(super) fn selects<'h>(
        &self,
        namespace: &str,
        semantics: Semantics,
        hosts: impl IntoIterator<Item = &'h str>,
    ) -> bool {
        let mut hosts = hosts.into_iter();
        let fits = |set: &HostSet, host| match semantics {
            Semantics::VirtualService => set.overlaps(host),
            Semantics::GatewayApi => set.covers(host),
        };
        self.everything
            || hosts.any(|host| {
                self.included.any(namespace, |set| fits(set, host))
                    && !self.excludes(namespace, host)
            })
    }

    fn excludes(&self, namespace: &str, host: &str) -> bool {
        self.excluded.any(namespace, |set| set.covers(host))
    }
}

impl<'a> Sets<'a> {
    fn new(hosts: &'a [EgressHost], exclude: bool, own: &'a str) -> Self {
        let mut everywhere = Vec::new();
        let mut named: HashMap<&str, Vec<&str>> = HashMap::default();
        for host in hosts.iter().filter(|host| host.exclude == exclude) {
            match &host.namespace {
                EgressNamespace::Any => everywhere.push(&*host.host),
                EgressNamespace::Own => named.entry(own).or_default().push(&host.host),
                EgressNamespace::Named(name) => named.entry(name).or_default().push(&host.host),
            }
        }
        Sets {
            everywhere: everywhere.into_iter().collect(),
            by_namespace: named
                .into_iter()
                .map(|(namespace, hosts)| (namespace, hosts.into_iter().collect()))
                .collect(),
        }
    }

    fn any(&self, namespace: &str, ask: impl Fn(&HostSet) -> bool) -> bool {
        let own = self.by_namespace.get(namespace);
        own.is_some_and(&ask) || ask(&self.everywhere)
    }
}
