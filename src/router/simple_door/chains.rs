//! The filter chains of a listener for plain requests, by the server name: what a scan of all chains finds, found at once.

use std::net::IpAddr;

use crate::router::host_table::HostTable;
use crate::router::listener::ChainFacts;
use crate::router::{FilterChain, Listener, Transport};
use crate::terms::hash::HashMap;

/// Which chain gets a request for a host.
pub(super) struct Chains<'t> {
    /// From the server names of the chains to places in `found`.
    names: HostTable,
    found: Vec<Option<&'t FilterChain>>,
    /// The chain of a host without an entry.
    other: Option<&'t FilterChain>,
}

impl<'t> Chains<'t> {
    /// Of requests that come to `address`, plain or over TLS with their host as the server name.
    pub fn new(listener: &'t Listener, address: Option<IpAddr>, tls: bool) -> Self {
        let candidates = listener.chains_at(address);
        let mut by_name: HashMap<String, Vec<&FilterChain>> = HashMap::default();
        let mut order: Vec<String> = Vec::new();
        let mut unnamed: Vec<&FilterChain> = Vec::new();
        for chain in candidates {
            if chain.matches.server_names.is_empty() {
                unnamed.push(chain);
            }
            for name in &chain.matches.server_names {
                // A `*` asks for nothing.
                if &**name == "*" {
                    unnamed.push(chain);
                    continue;
                }
                let name = name.to_ascii_lowercase();
                if !by_name.contains_key(&name) {
                    order.push(name.clone());
                }
                by_name.entry(name).or_default().push(chain);
            }
        }
        let detected: &[&str] = &["http/1.1"];
        let best = |chains: &[&'t FilterChain], server_name: &str| {
            let facts = ChainFacts {
                address,
                server_name: tls.then_some(server_name),
                transport: if tls {
                    Transport::Tls
                } else {
                    Transport::Plaintext
                },
                application_protocols: if tls { &[] } else { detected },
            };
            listener.chain_among(chains.iter().copied(), &facts)
        };
        let other = best(&unnamed, super::OTHER);
        if !tls {
            order.clear();
        }
        let found = order.iter().map(|name| {
            let host = super::host_of(name);
            best(&by_name[name], &host)
        });
        let found = found.collect();
        Chains {
            names: HostTable::new(order.iter().map(String::as_str).zip(0..)),
            found,
            other,
        }
    }

    /// The chain for a host (without port).
    pub fn find(&self, host: &str) -> Option<&'t FilterChain> {
        if self.found.is_empty() {
            return self.other;
        }
        match self.names.find_host(host) {
            Some(place) => self.found.get(place as usize).copied().flatten(),
            None => self.other,
        }
    }
}
