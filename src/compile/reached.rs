//! What an update has made anew.

use std::collections::BTreeSet;

use crate::router::VirtualHost;

/// How far an update has reached into one side of a proxy.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Lower-case domains of virtual hosts that went, came or were made anew.
    pub domains: BTreeSet<Box<str>>,
    /// How many virtual hosts went, came or were made anew.
    pub virtual_hosts: usize,
    /// How many listeners.
    pub listeners: usize,
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
}
