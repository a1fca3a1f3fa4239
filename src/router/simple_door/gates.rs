//! The gates of the simple door: which one a gateway name means, and where a host is asked for at it.
//!
//! Gateways with the same servers share a gate: which of them a request names makes no difference.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::router::host_table::HostTable;
use crate::router::{GatewayBinding, Listener, ServerBinding, Tables, View, VirtualHost};
use crate::terms::hash::HashMap;
use crate::terms::route_error::RouteError;

use super::own_names;
use super::writer::Known;

/// Up to so many names are looked at one by one.
const FEW_NAMES: usize = 8;
/// Up to so many shared listeners of a sidecar are asked one by one.
const FEW_LISTENERS: usize = 4;

/// From gateway names to numbers of gates.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    few: Box<[(Box<str>, u32)]>,
    many: HashMap<Box<str>, u32>,
}

/// Where the simple door asks for hosts.
#[derive(Debug)]
pub(super) enum Gate {
    /// `mesh`.
    Mesh(MeshGate),
    /// Gateways with the same servers.
    Gateway(GatewayGate),
}

/// The outbound side of a sidecar.
#[derive(Clone, Debug)]
pub(super) struct MeshGate {
    /// From each domain to the first shared listener with a virtual host of the domain's own; `None`: they are so few that
    /// they are asked one by one.
    claims: Option<HostTable>,
    /// From each name of a service with a listener of its own to the place of the listener.
    pub own: HostTable,
}

/// Gateways with the same servers.
#[derive(Debug)]
pub(super) struct GatewayGate {
    /// Place of the first of them among the bindings.
    binding: usize,
    /// From each host pattern to the first server that admits it.
    admits: HostTable,
}

/// The connection on which a host is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub port: u16,
    pub address: Option<IpAddr>,
    pub tls: bool,
}

impl Names {
    /// Of equal names the first counts.
    fn new(names: Vec<(Box<str>, u32)>) -> Self {
        let mut many = HashMap::default();
        let mut few = Vec::new();
        for (name, gate) in names {
            if !many.contains_key(&name) {
                many.insert(name.clone(), gate);
                few.push((name, gate));
            }
        }
        if few.len() <= FEW_NAMES {
            many = HashMap::default();
        } else {
            few.clear();
        }
        Names {
            few: few.into(),
            many,
        }
    }

    #[inline]
    pub fn find(&self, name: &str) -> Option<u32> {
        match self.few.iter().find(|(other, _)| **other == *name) {
            Some(&(_, gate)) => Some(gate),
            None if self.many.is_empty() => None,
            None => self.many.get(name).copied(),
        }
    }

    pub fn memory_usage(&self) -> usize {
        let text: usize = self.few.iter().map(|(name, _)| name.len()).sum();
        let more: usize = self.many.keys().map(|name| name.len()).sum();
        let entry = size_of::<(Box<str>, u32)>();
        text + more + self.few.len() * entry + self.many.capacity() * (entry + 1)
    }
}

/// The gates of a router and their names.
pub(super) fn gates(tables: &Tables) -> (Names, Vec<Gate>) {
    let mut gates = Vec::new();
    let mut names: Vec<(Box<str>, u32)> = Vec::new();
    if let Some(view) = &tables.mesh {
        names.push(("mesh".into(), 0));
        gates.push(Gate::Mesh(MeshGate::new(view, tables)));
    }
    let mut by_servers: HashMap<&[ServerBinding], u32> = HashMap::default();
    let mut gate_of = Vec::new();
    for (place, binding) in tables.bindings.iter().enumerate() {
        let gate = *by_servers.entry(&binding.servers).or_insert_with(|| {
            gates.push(Gate::Gateway(GatewayGate::new(place, binding)));
            gates.len() as u32 - 1
        });
        let name = format!("{}/{}", binding.namespace, binding.name);
        names.push((name.into(), gate));
        gate_of.push(gate);
    }
    // Without a namespace, a name means the gateway in the proxy's own one before any other; and `mesh` is no gateway.
    let bindings = || tables.bindings.iter().zip(&gate_of);
    let own = bindings().filter(|(binding, _)| *binding.namespace == *tables.namespace);
    for (binding, &gate) in own.chain(bindings()).filter(|one| &*one.0.name != "mesh") {
        names.push((binding.name.clone(), gate));
    }
    (Names::new(names), gates)
}

impl Gate {
    /// The side of the proxy that it belongs to.
    pub fn view<'t>(&self, tables: &'t Tables) -> Option<&'t View> {
        match self {
            Gate::Mesh(_) => tables.mesh.as_ref(),
            Gate::Gateway(_) => tables.gateway.as_ref(),
        }
    }

    pub fn as_mesh(&self) -> Option<&MeshGate> {
        match self {
            Gate::Mesh(mesh) => Some(mesh),
            Gate::Gateway(_) => None,
        }
    }

    /// Where `host` (without port) is asked for, and which virtual host answers there, if that came out on the way.
    ///
    /// # Errors
    /// Where it is not.
    pub fn arrival<'t>(
        &self,
        tables: &'t Tables,
        host: &str,
    ) -> Result<(Arrival, Option<Known<'t>>), RouteError> {
        match self {
            Gate::Mesh(gate) => gate.arrival(tables, host),
            Gate::Gateway(gate) => Ok((gate.arrival(tables, host)?, None)),
        }
    }

    pub fn memory_usage(&self) -> usize {
        let tables = match self {
            Gate::Mesh(gate) => {
                let claims = gate.claims.as_ref().map_or(0, HostTable::memory_usage);
                claims + gate.own.memory_usage()
            }
            Gate::Gateway(gate) => gate.admits.memory_usage(),
        };
        size_of::<Gate>() + tables
    }
}

impl GatewayGate {
    fn new(place: usize, binding: &GatewayBinding) -> Self {
        let servers = binding.servers.iter().zip(0_u32..);
        let patterns = servers.flat_map(|(server, place)| {
            let hosts = server.hosts.iter();
            hosts.map(move |host| (host.to_ascii_lowercase(), place))
        });
        let patterns: Vec<(String, u32)> = patterns.collect();
        GatewayGate {
            binding: place,
            admits: least_of_fitting(patterns.iter().map(|(host, place)| (host.as_str(), *place))),
        }
    }

    /// Its servers.
    pub fn servers<'t>(&self, tables: &'t Tables) -> &'t [ServerBinding] {
        let binding = tables.bindings.get(self.binding);
        binding.map_or(&[], |binding| &binding.servers)
    }

    /// The patterns of all its servers, in lower case, in no order.
    pub fn patterns(&self) -> impl Iterator<Item = String> {
        self.admits.iter().map(|(pattern, _)| pattern)
    }

    /// At the first server that admits the host, over TLS where it wants that.
    fn arrival(&self, tables: &Tables, host: &str) -> Result<Arrival, RouteError> {
        let place = self.admits.find_host(host);
        let server = place.and_then(|place| self.servers(tables).get(place as usize));
        let server = server.ok_or(RouteError::HostNotAdmitted)?;
        Ok(Arrival::at(server))
    }
}

impl Arrival {
    /// At a server of a gateway.
    pub(super) fn at(server: &ServerBinding) -> Self {
        Arrival {
            port: server.port,
            address: server.bind,
            tls: server.tls,
        }
    }
}

impl MeshGate {
    fn new(view: &View, tables: &Tables) -> Self {
        let mut gate = MeshGate {
            claims: None,
            own: own_names::table(view, &tables.namespace),
        };
        if shared(view).nth(FEW_LISTENERS).is_some() {
            let claims = shared(view).flat_map(|(place, listener)| {
                let config = view.first_route_config(listener).into_iter();
                let hosts = config.flat_map(|config| config.virtual_hosts());
                let claiming = hosts.filter(|host| !host.is_fallback());
                claiming.flat_map(move |host| host.domains().map(move |domain| (domain, place)))
            });
            gate.claims = Some(least_of_fitting(claims));
        }
        gate
    }

    /// The same where the hosts `names` (no wildcards) may be claimed otherwise.
    pub fn update(&self, tables: &Tables, names: &[&str]) -> Self {
        let (Some(claims), Some(view)) = (&self.claims, &tables.mesh) else {
            return self.clone();
        };
        let changes = names.iter().map(|&name| {
            let claims_it = |(_, listener): &(u32, &Listener)| {
                let config = view.first_route_config(listener);
                let owner = config.and_then(|config| config.owner(name));
                owner.is_some_and(|owner| !owner.is_fallback())
            };
            let own = shared(view).find(claims_it).map(|(place, _)| place);
            // One that is behind a wildcard needs no entry, but may have one.
            let least = own.map(|own| own.min(claims.find_wildcard_of(name).unwrap_or(own)));
            (name, least)
        });
        MeshGate {
            claims: Some(claims.update(changes)),
            own: self.own.clone(),
        }
    }

    /// To the first HTTP port of the service that is called so, or to port 80.
    fn arrival<'t>(
        &self,
        tables: &'t Tables,
        host: &str,
    ) -> Result<(Arrival, Option<Known<'t>>), RouteError> {
        let view = tables.mesh.as_ref().ok_or(RouteError::UnknownGateway)?;
        let to_port = |port| Arrival {
            port,
            address: None,
            tls: false,
        };
        if let Some((listener, virtual_host)) = self.first_claim(view, host) {
            let service = service_name(virtual_host);
            let first = tables.http_ports.get(service).copied();
            let first = first.unwrap_or(listener.port());
            let is_shared = first == listener.port()
                || view
                    .listener(None, first)
                    .is_some_and(|listener| claimed(view, listener, host).is_some());
            let port = if is_shared { first } else { listener.port() };
            let config = view.first_route_config(listener);
            let known = config.filter(|_| port == listener.port());
            let known = known.map(|config| Known {
                config,
                host: virtual_host,
            });
            return Ok((to_port(port), known));
        }
        // A service of which the protocol is detected has a listener of its own, at its address.
        let own = self.own.find_host(host);
        let own = own.and_then(|place| view.listeners().get(place as usize));
        let arrival = match own {
            Some(listener) => Arrival {
                address: listener.address(),
                ..to_port(listener.port())
            },
            None => to_port(80),
        };
        Ok((arrival, None))
    }

    /// The first shared listener with a virtual host of the host's own, and that.
    fn first_claim<'t>(
        &self,
        view: &'t View,
        host: &str,
    ) -> Option<(&'t Listener, &'t VirtualHost)> {
        match &self.claims {
            Some(claims) => {
                let listener = view.listeners().get(claims.find_host(host)? as usize)?;
                Some((listener, claimed(view, listener, host)?))
            }
            None => shared(view)
                .find_map(|(_, listener)| Some((listener, claimed(view, listener, host)?))),
        }
    }
}

/// The listeners at every address, with their places.
fn shared(view: &View) -> impl Iterator<Item = (u32, &Listener)> {
    let listeners = (0_u32..).zip(view.listeners());
    let shared = listeners.filter(|(_, listener)| listener.address().is_none());
    shared.map(|(place, listener)| (place, &**listener))
}

/// The virtual host of a listener that is the host's own.
fn claimed<'t>(view: &'t View, listener: &Listener, host: &str) -> Option<&'t VirtualHost> {
    let found = view.first_route_config(listener)?.find_host(host)?;
    (!found.is_fallback()).then_some(found)
}

/// Virtual hosts of sidecars are called `service:port`.
pub(super) fn service_name(host: &VirtualHost) -> &str {
    let name = host.name();
    name.rsplit_once(':').map_or(name, |(service, _)| service)
}

/// A table that finds, for each host, the least number of all the patterns that fit it.
fn least_of_fitting<'a>(patterns: impl Iterator<Item = (&'a str, u32)>) -> HostTable {
    let mut exact: HashMap<&str, u32> = HashMap::default();
    // Shorter suffixes, which fit all that a longer one fits, come first.
    let mut wildcards: BTreeMap<(usize, &str), u32> = BTreeMap::new();
    for (pattern, number) in patterns {
        let least = match pattern.starts_with('*') {
            true => wildcards.entry((pattern.len(), pattern)).or_insert(number),
            false => exact.entry(pattern).or_insert(number),
        };
        *least = number.min(*least);
    }
    let mut suffixes: HashMap<&str, u32> = HashMap::default();
    let mut lengths: Vec<usize> = Vec::new();
    let least_around = |host: &str, suffixes: &HashMap<&str, u32>, lengths: &[usize]| {
        let fitting = lengths.iter().rev().filter(|&&length| length < host.len());
        let mut fitting = fitting.filter_map(|length| host.get(host.len() - length..));
        fitting.find_map(|suffix| suffixes.get(suffix).copied())
    };
    let mut all: Vec<(&str, u32)> = Vec::with_capacity(exact.len() + wildcards.len());
    for ((_, pattern), number) in wildcards {
        let suffix = &pattern[1..];
        // The pattern itself stands for the hosts that it fits: its `*` is the one character more that a wildcard needs.
        let around = least_around(pattern, &suffixes, &lengths);
        let least = number.min(around.unwrap_or(number));
        suffixes.insert(suffix, least);
        if lengths.last() != Some(&suffix.len()) {
            lengths.push(suffix.len());
        }
        all.push((pattern, least));
    }
    for (host, number) in exact {
        let around = least_around(host, &suffixes, &lengths);
        all.push((host, number.min(around.unwrap_or(number))));
    }
    HostTable::new(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(host: &str, pattern: &str) -> bool {
        match pattern.strip_prefix('*') {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => host == pattern,
        }
    }

    proptest! {
        #[test]
        fn the_least_of_all_patterns_that_fit(
            patterns in proptest::collection::vec("(\\*|\\*\\.|)[ab]{0,2}(\\.[ab]{1,2}){0,2}", 0..12),
            hosts in proptest::collection::vec("[ab]{1,3}(\\.[ab]{1,2}){0,3}", 20),
        ) {
            let patterns: Vec<(&str, u32)> = patterns.iter().map(String::as_str).filter(|one| !one.is_empty()).zip(0..).collect();
            let table = least_of_fitting(patterns.iter().rev().copied());
            for host in &hosts {
                let expected = patterns.iter().find(|(pattern, _)| fits(host, pattern));
                prop_assert_eq!(table.find_host(host), expected.map(|(_, place)| *place), "{} {:?}", host, &patterns);
            }
        }
    }
}
