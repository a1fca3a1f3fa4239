//! Which listeners a sidecar opens and how services share them: HTTP ports on every address, TCP ports on the
//! service's address, mixed ones by detection (R-H-041, R-M-067..R-M-069).

use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

use crate::mesh::service::Protocol;
use crate::router::{ChainMatch, Filter, FilterChain, Listener, RouteConfigId, Transport};

use crate::terms::hash::{HashMap, HashSet};

use super::gateway_tcp::listener_name;

/// What a new port brings to a listener.
pub(super) struct PortOpening<'o> {
    /// `None`: every address.
    pub bind: Option<IpAddr>,
    pub port: u16,
    pub protocol: Protocol,
    /// TCP and TLS chains, made on demand.
    pub tcp: &'o mut dyn FnMut() -> Vec<FilterChain>,
    /// The HTTP route configuration, made on demand.
    pub http: &'o mut dyn FnMut() -> RouteConfigId,
}

/// What a port's protocol makes of its listener.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Http,
    Tcp,
    Detected,
}

fn class(protocol: Protocol) -> Option<Class> {
    match protocol {
        Protocol::Udp => None,
        Protocol::Unsupported => Some(Class::Detected),
        _ if protocol.is_http() => Some(Class::Http),
        _ => Some(Class::Tcp),
    }
}

struct Entry {
    bind: Option<IpAddr>,
    port: u16,
    protocol: Protocol,
    /// Made by an explicit egress listener: the catch-all one adds nothing to it.
    locked: bool,
    chains: Vec<FilterChain>,
    /// What the chains ask for.
    asked: HashSet<ChainMatch>,
}

impl Entry {
    /// Adds chains that ask for something else than those that are there.
    fn add(&mut self, chains: Vec<FilterChain>) {
        for chain in chains {
            if self.asked.insert(in_order(&chain.matches)) {
                self.chains.push(chain);
            }
        }
    }
}

/// The listeners of a sidecar while they are put together.
#[derive(Default)]
pub(super) struct Listeners {
    entries: Vec<Entry>,
    by_key: HashMap<(Option<IpAddr>, u16), usize>,
}

impl Listeners {
    /// Closes what is there: a catch-all egress listener adds no service to the ports of explicit ones.
    pub(super) fn lock(&mut self) {
        for entry in &mut self.entries {
            entry.locked = true;
        }
    }

    /// Adds a service port: a listener of its own, or its chains to one that is there.
    pub(super) fn add(&mut self, opening: PortOpening<'_>) {
        let Some(class_opened) = class(opening.protocol) else {
            return;
        };
        let key = (opening.bind, opening.port);
        let Some(&index) = self.by_key.get(&key) else {
            self.by_key.insert(key, self.entries.len());
            self.entries.push(first(opening, class_opened));
            return;
        };
        let entry = &mut self.entries[index];
        if entry.locked {
            return;
        }
        let current = class(entry.protocol).unwrap_or(Class::Detected);
        match (class_opened, current) {
            (Class::Http, Class::Http | Class::Detected) => return,
            (Class::Detected, Class::Detected) => {
                // What is told apart by its address is added, nothing else.
                let mut chains = (opening.tcp)();
                chains.retain(|chain| !chain.matches.destinations.is_empty());
                return entry.add(chains);
            }
            _ => {}
        }
        if speaks_first(opening.protocol, entry.protocol) {
            return;
        }
        let replaces = (class_opened, current) == (Class::Detected, Class::Http);
        let made = first(opening, class_opened);
        if replaces {
            *entry = made;
            return;
        }
        entry.add(made.chains);
        if class_opened != Class::Tcp || current == Class::Http {
            entry.protocol = Protocol::Unsupported;
        }
    }

    /// The finished listeners. A connection that no chain wants goes where unknown traffic goes.
    pub(super) fn finish(self, fallthrough: &FilterChain) -> Vec<Arc<Listener>> {
        self.entries
            .into_iter()
            .map(|entry| {
                let (mut any, mut chains): (Vec<_>, Vec<_>) = entry
                    .chains
                    .into_iter()
                    .partition(|chain| chain.matches == ChainMatch::default());
                let default_chain = match any.pop() {
                    Some(chain) if chains.is_empty() => {
                        chains.push(chain);
                        None
                    }
                    Some(chain) => Some(chain),
                    None => Some(fallthrough.clone()),
                };
                let name = listener_name(entry.bind, entry.port);
                Arc::new(Listener::new(
                    name,
                    entry.bind,
                    entry.port,
                    chains,
                    default_chain,
                ))
            })
            .collect()
    }
}

/// What HTTP without TLS looks like to a listener that detects protocols.
pub(super) fn plaintext_http() -> ChainMatch {
    ChainMatch {
        transport: Some(Transport::Plaintext),
        application_protocols: vec!["http/1.1".into(), "h2c".into()],
        ..ChainMatch::default()
    }
}

/// The listener of a first service port.
fn first(opening: PortOpening<'_>, class: Class) -> Entry {
    let mut protocol = opening.protocol;
    let mut chains = Vec::new();
    if class != Class::Http {
        chains = (opening.tcp)();
    }
    if class != Class::Tcp {
        let mut matches = ChainMatch::default();
        // On every address, other traffic may come through: HTTP is then told apart by detection. To an HTTP proxy, all is HTTP.
        let shares = opening.bind.is_none() && protocol != Protocol::HttpProxy;
        if class == Class::Detected || shares {
            matches = plaintext_http();
            protocol = Protocol::Unsupported;
        }
        chains.push(FilterChain {
            name: "".into(),
            matches,
            terminates_tls: false,
            filter: Filter::Http((opening.http)()),
        });
    }
    Entry {
        bind: opening.bind,
        port: opening.port,
        protocol,
        locked: false,
        asked: chains
            .iter()
            .map(|chain| in_order(&chain.matches))
            .collect(),
        chains,
    }
}

/// Mongo and MySQL servers speak first: detection would break them, so they share a port with nothing else (R-M-069).
fn speaks_first(incoming: Protocol, existing: Protocol) -> bool {
    let silent = |protocol| matches!(protocol, Protocol::Mongo | Protocol::Mysql);
    incoming != existing && (silent(incoming) || silent(existing))
}

/// What a chain asks for, whatever the order in which it says it.
fn in_order(asked: &ChainMatch) -> ChainMatch {
    let mut names = asked.server_names.clone();
    names.sort_unstable();
    names.dedup();
    let ranges = asked.destinations.iter();
    let mut ranges: Vec<_> = ranges.map(|range| IpNet::from(range.network())).collect();
    ranges.sort_unstable();
    ranges.dedup();
    ChainMatch {
        destinations: ranges,
        server_names: names,
        transport: asked.transport,
        application_protocols: asked.application_protocols.clone(),
    }
}
