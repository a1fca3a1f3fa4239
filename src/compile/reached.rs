//! What an update has made anew.

use std::collections::BTreeSet;

use crate::router::{Listener, Place, View, VirtualHost, VirtualHostKind};

/// How far an update has reached into one side of a proxy.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Lower-case domains of virtual hosts that went, came or were made anew, or of which the listener did.
    pub domains: BTreeSet<Box<str>>,
    /// How many virtual hosts went, came or were made anew.
    pub virtual_hosts: usize,
    /// What stands for itself alone, and for none of what it covers: lower-case patterns of servers of which the listener was
    /// made anew.
    pub patterns: BTreeSet<Box<str>>,
    /// How many listeners.
    pub listeners: usize,
    /// Where those of the mesh side are.
    pub places: Vec<Place>,
    /// More than these domains may be answered otherwise.
    pub is_everywhere: bool,
}

impl Reached {
    /// Virtual hosts of one route configuration take the place of others.
    pub(super) fn replace<'h>(
        &mut self,
        gone: impl IntoIterator<Item = &'h VirtualHost>,
        come: impl IntoIterator<Item = &'h VirtualHost>,
    ) {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for host in gone.into_iter().chain(come) {
            names.insert(host.name());
            self.domains.extend(host.domains.iter().cloned());
        }
        self.virtual_hosts += names.len();
    }

    /// A listener goes, comes or takes the place of another one: all that it routes by.
    pub(super) fn listener(&mut self, view: &View, listener: &Listener) {
        for domain in view.domains_of(listener) {
            // A host is asked for here because it is a domain here, or called so by a server: `*` speaks for no others.
            match domain {
                "*" => self.patterns.insert(domain.into()),
                _ => self.domains.insert(domain.into()),
            };
        }
        for config in view.route_configs_of(listener) {
            let own = config.virtual_hosts().filter_map(|host| match &host.kind {
                VirtualHostKind::OwnListener { names, .. } => Some(names),
                _ => None,
            });
            self.domains.extend(own.flatten().cloned());
        }
    }
}
