//! The listeners of a sidecar: where each imported service port is opened, and what a connection finds there.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::mesh::config::OutboundTrafficPolicy;
use crate::mesh::service::{Protocol, Registry, Resolution, Service, ServicePort};
use crate::router::{ChainMatch, Filter, FilterChain, Listener, Place, TcpProxy};
use crate::terms::address::Address;
use crate::terms::hash::HashMap;
use crate::terms::subnet;

use super::domains;
use super::scope::{EgressListener, ServiceView};
use super::sidecar::Sidecar;
use super::sidecar_listeners::{Listeners, PortOpening, plaintext_http};
use super::sidecar_port::HttpPorts;
use super::sidecar_tcp::TcpPort;
use super::tcp_filters::FilterMaker;

/// Envoy's name of the listener that gets what no other one claims.
const VIRTUAL_OUTBOUND: &str = "virtualOutbound";
/// Where a sidecar's redirected traffic arrives (Istio: `proxyListenPort`).
const LOOP: Place = (15001, None);

impl<'a> Sidecar<'a> {
    /// Listeners of the mesh side.
    pub(super) fn listeners(&self, configs: &mut HttpPorts) -> Vec<Arc<Listener>> {
        let services = |egress: &EgressListener<'a>| egress.services().collect();
        self.listeners_of(configs, &services, &|_| true)
    }

    /// Those at `places`, which only services of these lower-case names open there.
    pub(super) fn listeners_at(
        &self,
        configs: &mut HttpPorts,
        places: &HashMap<Place, Vec<Arc<str>>>,
    ) -> Vec<Arc<Listener>> {
        let names: BTreeSet<&Arc<str>> = places.values().flatten().collect();
        let services = |egress: &EgressListener<'a>| {
            let services = names.iter().flat_map(|name| egress.folded(name));
            let mut services: Vec<ServiceView> = services.collect();
            services.sort_by_cached_key(|service| egress.rank_of_service(service));
            services
        };
        self.listeners_of(configs, &services, &|place| places.contains_key(&place))
    }

    /// Those at the places that are wanted. `services` lists what an egress listener imports, in order, as far as it opens
    /// such a place.
    fn listeners_of(
        &self,
        configs: &mut HttpPorts,
        services: &dyn Fn(&EgressListener<'a>) -> Vec<ServiceView>,
        is_wanted: &dyn Fn(Place) -> bool,
    ) -> Vec<Arc<Listener>> {
        let mut listeners = Listeners::default();
        for (at, egress) in self.scope.listeners().iter().enumerate() {
            if egress.port().is_none() {
                listeners.lock();
            }
            for service in &services(egress) {
                for opening in self.openings(egress, service) {
                    if is_wanted(opening.place) {
                        self.open(&mut listeners, configs, at, service, &opening);
                    }
                }
            }
        }
        if self.scope.is_open() && is_wanted((80, None)) {
            self.open_registry(&mut listeners, configs);
        }
        let mut listeners = listeners.finish(&self.fallthrough());
        if is_wanted(LOOP) && !listeners.iter().any(|listener| listener.place() == LOOP) {
            listeners.push(self.loop_guard());
        }
        listeners
    }

    /// Where the ports of a service are opened.
    fn openings<'e>(
        &'e self,
        egress: &'e EgressListener<'_>,
        service: &'e ServiceView,
    ) -> impl Iterator<Item = Opening<'e>> + 'e {
        let bind = Bind::of(egress);
        let explicit = egress.port().map(|port| ServicePort {
            name: port.name.clone(),
            number: port.number,
            protocol: port.protocol,
            target_port: None,
            target_port_name: None,
        });
        let is_explicit = explicit.is_some();
        let own = service.ports().iter().filter(move |_| !is_explicit);
        let ports = explicit
            .map(Cow::Owned)
            .into_iter()
            .chain(own.map(Cow::Borrowed));
        let is_alias = service.service().resolution == Resolution::Alias;
        let ports = ports.filter(move |port| !is_alias && port.protocol != Protocol::Udp);
        ports.flat_map(move |port| {
            let binds = match is_explicit {
                true => vec![bind],
                false => self.binds(service, &port, bind),
            };
            binds.into_iter().map(move |bind| {
                let address = bind.address(service.service(), &port);
                Opening {
                    place: (port.number, address),
                    bind,
                    port: port.clone(),
                }
            })
        })
    }

    /// Where the ports of a service are opened, and what they carry.
    pub(super) fn places_of<'e>(
        &'e self,
        egress: &'e EgressListener<'_>,
        service: &'e ServiceView,
    ) -> impl Iterator<Item = (Place, Protocol)> + 'e {
        let openings = self.openings(egress, service);
        openings.map(|opening| (opening.place, opening.port.protocol))
    }

    /// Where a connection goes that no listener claims. Under `ALLOW_ANY_DYNAMIC_DNS`, plain-text HTTP is told apart.
    pub(super) fn virtual_outbound(&self, configs: &mut HttpPorts) -> Listener {
        let dynamic =
            self.scope.outbound_traffic_policy() == OutboundTrafficPolicy::AllowAnyDynamicDns;
        let http = dynamic.then(|| FilterChain {
            name: "virtualOutbound-catchall-tcp-http".into(),
            matches: plaintext_http(),
            terminates_tls: false,
            filter: Filter::Http(configs.add(
                "allow_any_dynamic_dns".to_owned(),
                vec![self.fallback_host()],
            )),
        });
        let chains = http.into_iter().collect();
        let rest = FilterChain {
            name: "virtualOutbound-catchall-tcp".into(),
            ..self.fallthrough()
        };
        Listener::new(VIRTUAL_OUTBOUND, None, 0, chains, Some(rest))
    }

    /// A connection to the proxy's own outbound port would come back forever.
    fn loop_guard(&self) -> Arc<Listener> {
        let black_hole = FilterChain {
            name: "virtualOutbound-blackhole".into(),
            matches: ChainMatch::default(),
            terminates_tls: false,
            filter: Filter::Tcp(TcpProxy::to(self.clusters.borrow_mut().black_hole())),
        };
        let listener = Listener::new(VIRTUAL_OUTBOUND, None, LOOP.0, Vec::new(), Some(black_hole));
        Arc::new(listener)
    }

    /// Nothing is registered: the hosts of VirtualServices are all that there is, on port 80 (R-H-044).
    fn open_registry(&self, listeners: &mut Listeners, configs: &mut HttpPorts) {
        let Some(egress) = self.scope.listener_for(80) else {
            return;
        };
        let config = configs.shared(self, egress, 80);
        listeners.add(PortOpening {
            bind: None,
            port: 80,
            protocol: Protocol::Http,
            tcp: &mut Vec::new,
            http: &mut || config,
        });
    }

    /// Opens a service port of the egress listener at place `egress`.
    fn open(
        &self,
        listeners: &mut Listeners,
        configs: &mut HttpPorts,
        egress: usize,
        service: &ServiceView,
        opening: &Opening<'_>,
    ) {
        let port = &*opening.port;
        let (_, address) = opening.place;
        let inner = service.service();
        let own = own_address(inner);
        let is_range = own.is_some_and(|own| !subnet::is_single(own));
        // A range is told apart on every address.
        let ranges: Vec<IpNet> = match opening.bind {
            Bind::Default if is_range && !port.protocol.is_http() => inner.addresses.clone(),
            _ => Vec::new(),
        };
        let cluster_port = match service.ports()[..] {
            [ref only] => only.number,
            _ => port.number,
        };
        let alone = port.protocol == Protocol::Unsupported && address.is_some();
        let filters = FilterMaker::new(self.clusters);
        let mut tcp = || {
            let tcp_port = TcpPort {
                service: inner,
                port: port.number,
                cluster_port,
                shares_wildcard: (own.is_none() || is_range) && address.is_none(),
                ranges: ranges.clone(),
                server_names: self.server_names(service),
                proxy: self.proxy,
            };
            let bound = self.scope.listeners()[egress].streams_for(service.hostname());
            if port.protocol.is_tls() {
                tcp_port.tls_chains(&bound, &filters)
            } else {
                tcp_port.tcp_chains(&bound, &filters)
            }
        };
        let mut http = || {
            // Whoever opens the listener, its routes are those of the egress listener that has its port (R-H-041).
            let egress = self.scope.listener_for(port.number).unwrap_or(egress);
            if alone {
                configs.of_one_service(self, egress, service, port.number)
            } else {
                configs.shared(self, egress, port.number)
            }
        };
        listeners.add(PortOpening {
            bind: address,
            port: port.number,
            protocol: port.protocol,
            tcp: &mut tcp,
            http: &mut http,
        });
    }

    /// The addresses that a service port listens on: a headless TCP service on each of its endpoints, which it shares with
    /// all services of its host name and namespace (R-M-069), any other where its egress listener says.
    fn binds(&self, service: &ServiceView, port: &ServicePort, bind: Bind) -> Vec<Bind> {
        let inner = service.service();
        let per_endpoint =
            bind == Bind::Default && inner.listens_at_endpoints() && !port.protocol.is_http();
        if !per_endpoint {
            return vec![bind];
        }
        let twins = self.scope.mesh().service_index.twins(inner).iter();
        let endpoints = twins
            .filter(|twin| twin.registry == inner.registry)
            .flat_map(|twin| twin.endpoints.iter())
            .filter(|endpoint| endpoint.port(&port.name).is_some());
        let mut endpoints = endpoints.peekable();
        let is_unknown = endpoints.peek().is_none();
        if is_unknown && inner.registry == Registry::External && inner.selector.is_empty() {
            return vec![bind];
        }
        endpoints
            .filter_map(|endpoint| endpoint.address.as_ref()?.ip())
            .map(Bind::At)
            .collect()
    }

    /// The names under which TLS to a service without an address of its own is recognised.
    fn server_names(&self, service: &ServiceView) -> Vec<Box<str>> {
        let mut names = vec![service.hostname().to_string().into()];
        for alias in service.aliases() {
            names.push(alias.hostname.to_string().into());
            let short = domains::short_forms(&alias.hostname, &self.proxy_domain);
            names.extend(short.into_iter().map(String::into_boxed_str));
        }
        names
    }
}

/// A service port that is opened at a place.
struct Opening<'e> {
    place: Place,
    bind: Bind,
    port: Cow<'e, ServicePort>,
}

/// Where an egress listener listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bind {
    /// Nothing is said: HTTP on every address, the rest on each service's own (R-M-066).
    Default,
    /// The unspecified address, as written: every address, whatever the services' own are.
    Everywhere,
    At(IpAddr),
}

impl Bind {
    fn of(egress: &EgressListener<'_>) -> Self {
        match egress.bind().and_then(Address::ip) {
            Some(address) if address.is_unspecified() => Bind::Everywhere,
            Some(address) => Bind::At(address),
            None => Bind::Default,
        }
    }

    /// The address that a service port listens on; `None`: every one, as for a service whose own is a range.
    fn address(self, service: &Service, port: &ServicePort) -> Option<IpAddr> {
        match self {
            Bind::At(address) => Some(address),
            Bind::Default if !port.protocol.is_http() => {
                let own = own_address(service)?;
                subnet::is_single(own).then_some(own.addr())
            }
            Bind::Default | Bind::Everywhere => None,
        }
    }
}

fn own_address(service: &Service) -> Option<&IpNet> {
    let mut addresses = service.addresses.iter();
    addresses.find(|address| !address.addr().is_unspecified())
}
