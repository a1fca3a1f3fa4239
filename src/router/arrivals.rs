//! Where a plain request for a host arrives: by the name of a gateway, at which port and address, and whether over TLS.
//!
//! At a Gateway it is the first server that admits the host. At `mesh` it is the first HTTP port of the service that the
//! host names, and port 80 for a host that no service claims. Gateways with the same servers are one: which of them a
//! request names makes no difference.

use std::sync::Arc;

use super::arrival::Arrival;
use super::host_table::HostTable;
use super::service_arrivals::ServiceArrivals;
use super::{Place, ServedGateway, ServedServer, Tables};
use crate::terms::hash::HashMap;
use crate::terms::name::GatewayName;
use crate::terms::route_error::RouteError;

/// Up to so many names are looked at one by one.
const FEW_NAMES: usize = 8;

/// Where requests arrive, at each gateway. Cheap to clone: the parts are shared.
#[derive(Clone, Default)]
pub(crate) struct Arrivals {
    names: Arc<GatewayNames>,
    mesh: Arc<ServiceArrivals>,
    gateways: Arc<[ServerArrivals]>,
}

/// Gateways that a request may name: `mesh`, or all Gateways with the same servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GatewayId(u32);

/// From names of gateways to their ids.
#[derive(Clone, Debug, Default)]
struct GatewayNames {
    few: Box<[(Box<str>, GatewayId)]>,
    many: HashMap<Box<str>, GatewayId>,
}

/// The servers of a Gateway.
#[derive(Clone, Debug)]
struct ServerArrivals {
    /// From each host pattern to the first server that admits it.
    admits: HostTable,
    /// Of each server.
    arrivals: Box<[Arrival]>,
}

impl GatewayId {
    /// `mesh`.
    pub(crate) const MESH: GatewayId = GatewayId(0);

    /// A number of its own, from 0.
    #[inline]
    pub(crate) fn number(self) -> usize {
        self.0 as usize
    }
}

impl Arrivals {
    /// Those of these tables.
    ///
    /// # Complexity
    /// Linear in the names of services and in the hosts of servers.
    pub(crate) fn new(tables: &Tables) -> Self {
        let mut gateways = Vec::new();
        let mut names: Vec<(Box<str>, GatewayId)> = Vec::new();
        if tables.mesh.is_some() {
            names.push((GatewayName::MESH.into(), GatewayId::MESH));
        }
        let mut by_servers: HashMap<&[ServedServer], GatewayId> = HashMap::default();
        let mut ids = Vec::new();
        for gateway in tables.gateways.iter() {
            let id = *by_servers.entry(&gateway.servers).or_insert_with(|| {
                gateways.push(ServerArrivals::new(&gateway.servers));
                GatewayId(gateways.len() as u32)
            });
            let name = format!("{}/{}", gateway.namespace, gateway.name);
            names.push((name.into(), id));
            ids.push((gateway, id));
        }
        // Without a namespace, a name means the Gateway in the proxy's own one before any other; and `mesh` is none.
        let is_own = |gateway: &ServedGateway| *gateway.namespace == *tables.namespace;
        let own = ids.iter().filter(|(gateway, _)| is_own(gateway));
        for (gateway, id) in own
            .chain(&ids)
            .filter(|(gateway, _)| &*gateway.name != GatewayName::MESH)
        {
            names.push((gateway.name.clone(), *id));
        }
        let mesh = tables.mesh.as_ref();
        let mesh = mesh.map(|view| ServiceArrivals::new(view, tables));
        Arrivals {
            names: Arc::new(GatewayNames::new(names)),
            mesh: Arc::new(mesh.unwrap_or_default()),
            gateways: gateways.into(),
        }
    }

    /// The same where services may have come, changed or gone that are called `names`, and the listeners of the mesh side at
    /// `changed`; Gateways are what they were.
    ///
    /// # Complexity
    /// In proportion to the names, for each shared listener.
    pub(crate) fn update(&self, tables: &Tables, names: &[&str], changed: &[Place]) -> Self {
        let mesh = match &tables.mesh {
            Some(view) => Arc::new(self.mesh.update(view, tables, names, changed)),
            None => Arc::clone(&self.mesh),
        };
        Arrivals {
            mesh,
            ..self.clone()
        }
    }

    /// Whether too much is there that no service arrives at any more.
    pub(crate) fn is_crowded(&self) -> bool {
        self.mesh.is_crowded()
    }

    /// The gateway of this name: `mesh`, `namespace/name`, or `name` in the proxy's namespace, or the only or first one of
    /// that name elsewhere.
    #[inline]
    pub(crate) fn gateway(&self, name: &str) -> Option<GatewayId> {
        self.names.find(name)
    }

    /// All gateways.
    pub(crate) fn ids(&self) -> impl Iterator<Item = GatewayId> + use<> {
        (0..self.gateways.len() as u32 + 1).map(GatewayId)
    }

    /// Where `host` (without port) is asked for at a gateway.
    ///
    /// # Errors
    /// Where it is not.
    pub(crate) fn of(&self, gateway: GatewayId, host: &str) -> Result<Arrival, RouteError> {
        match self.servers(gateway) {
            None => Ok(self.mesh.of(host)),
            Some(servers) => {
                let place = servers.admits.find_host(host);
                let arrival = place.and_then(|place| servers.arrivals.get(place as usize));
                arrival.copied().ok_or(RouteError::HostNotAdmitted)
            }
        }
    }

    /// Where the servers of a Gateway listen.
    pub(crate) fn of_servers(&self, gateway: GatewayId) -> &[Arrival] {
        let servers = self.servers(gateway);
        servers.map_or(&[], |servers| &servers.arrivals)
    }

    /// Hosts and patterns that decide where a request arrives and need be no domain of any virtual host.
    pub(crate) fn hosts(&self, gateway: GatewayId) -> Vec<String> {
        match self.servers(gateway) {
            None => self.mesh.own_names().collect(),
            Some(servers) => servers.admits.iter().map(|(pattern, _)| pattern).collect(),
        }
    }

    fn servers(&self, gateway: GatewayId) -> Option<&ServerArrivals> {
        self.gateways.get(gateway.number().checked_sub(1)?)
    }

    /// Heap bytes.
    pub(crate) fn memory_usage(&self) -> usize {
        let gateways = self.gateways.iter().map(|servers| {
            size_of_val(servers) + size_of_val(&*servers.arrivals) + servers.admits.memory_usage()
        });
        self.names.memory_usage() + self.mesh.memory_usage() + gateways.sum::<usize>()
    }
}

impl GatewayNames {
    /// Of equal names the first counts.
    fn new(names: Vec<(Box<str>, GatewayId)>) -> Self {
        let mut many = HashMap::default();
        let mut few = Vec::new();
        for (name, id) in names {
            if !many.contains_key(&name) {
                many.insert(name.clone(), id);
                few.push((name, id));
            }
        }
        if few.len() <= FEW_NAMES {
            many = HashMap::default();
        } else {
            few.clear();
        }
        GatewayNames {
            few: few.into(),
            many,
        }
    }

    #[inline]
    fn find(&self, name: &str) -> Option<GatewayId> {
        match self.few.iter().find(|(other, _)| **other == *name) {
            Some(&(_, id)) => Some(id),
            None if self.many.is_empty() => None,
            None => self.many.get(name).copied(),
        }
    }

    fn memory_usage(&self) -> usize {
        let text: usize = self.few.iter().map(|(name, _)| name.len()).sum();
        let more: usize = self.many.keys().map(|name| name.len()).sum();
        let entry = size_of::<(Box<str>, GatewayId)>();
        text + more + self.few.len() * entry + self.many.capacity() * (entry + 1)
    }
}

impl ServerArrivals {
    fn new(servers: &[ServedServer]) -> Self {
        let patterns = (0_u32..).zip(servers).flat_map(|(place, server)| {
            let hosts = server.hosts.iter();
            hosts.map(move |host| (host.to_ascii_lowercase(), place))
        });
        let patterns: Vec<(String, u32)> = patterns.collect();
        let patterns = patterns.iter().map(|(host, place)| (host.as_str(), *place));
        ServerArrivals {
            admits: HostTable::first_fit(patterns),
            arrivals: servers.iter().map(Arrival::from).collect(),
        }
    }
}
