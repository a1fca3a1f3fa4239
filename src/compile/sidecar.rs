//! The outbound side of a sidecar: listeners of every imported service port, and where unknown traffic goes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::mesh::config::OutboundTrafficPolicy;
use crate::mesh::service::{Protocol, Registry, Resolution, Service, ServicePort};
use crate::router::listener::FALLTHROUGH;
use crate::router::{
    Action, ChainMatch, ClusterId, Filter, FilterChain, Forward, Listener, LocalReply, Rule, Split,
    TcpProxy, VirtualHost, VirtualHostKind,
};
use crate::terms::address::Address;
use crate::terms::condition::RequestMatch;
use crate::terms::hash::HashSet;
use crate::terms::proxy::Proxy;
use crate::terms::route_policy::{DirectResponse, RoutePolicy};
use crate::terms::subnet;

use super::bound_services::BoundServices;
use super::clusters::Clusters;
use super::domains;
use super::scope::{EgressListener, Scope, ServiceView};
use super::sidecar_hosts::PortServices;
use super::sidecar_listeners::{Listeners, Offer, plaintext_http};
use super::sidecar_port::{HttpPorts, OnPort};
use super::sidecar_tcp::TcpPort;
use super::tcp_filters::FilterMaker;

/// Envoy's name of the listener that gets what no other one claims.
const VIRTUAL_OUTBOUND: &str = "virtualOutbound";
/// Where a sidecar's redirected traffic arrives (Istio: `proxyListenPort`).
const OUTBOUND_PORT: u16 = 15001;

/// Address (`None`: every one) and port of a listener.
pub(super) type Place = (Option<IpAddr>, u16);

/// What all listeners of one sidecar are made from.
pub(super) struct Sidecar<'a> {
    pub(super) proxy: &'a Proxy,
    pub(super) scope: &'a Scope<'a>,
    pub(super) clusters: &'a RefCell<Clusters<'a>>,
    pub(super) proxy_domain: String,
    pub(super) default_policy: Arc<RoutePolicy>,
}

impl<'a> Sidecar<'a> {
    pub(super) fn new(
        proxy: &'a Proxy,
        scope: &'a Scope<'a>,
        clusters: &'a RefCell<Clusters<'a>>,
    ) -> Self {
        let config = &scope.mesh().config;
        Sidecar {
            proxy,
            scope,
            clusters,
            proxy_domain: match proxy.dns_domain() {
                Some(domain) => domain.to_owned(),
                None => format!("{}.svc.{}", proxy.namespace(), config.domain),
            },
            default_policy: Arc::new(RoutePolicy {
                retries: config.default_route_retries(),
                ..RoutePolicy::default()
            }),
        }
    }

    /// What the egress listener at this place offers on a port, and how VirtualServices see the port.
    pub(super) fn on_port(&self, egress: usize, port: u16) -> (PortServices<'_>, OnPort<'_, 'a>) {
        let egress = &self.scope.listeners()[egress];
        let services = PortServices {
            port,
            egress,
            proxy_domain: &self.proxy_domain,
            default_policy: &self.default_policy,
        };
        let listening = OnPort {
            egress,
            port,
            proxy: self.proxy,
            clusters: self.clusters,
        };
        (services, listening)
    }

    /// Listeners of the mesh side, or those at `places`, sorted by port and address.
    pub(super) fn listeners(
        &self,
        configs: &mut HttpPorts,
        places: Option<&HashSet<Place>>,
    ) -> Vec<Arc<Listener>> {
        let mut listeners = Listeners::default();
        for (at, egress) in self.scope.listeners().iter().enumerate() {
            let virtual_services = BoundServices::new(egress);
            if egress.port().is_none() {
                listeners.lock();
            }
            for service in egress.services() {
                for (place, bind, port) in self.offers(egress, &service) {
                    if places.is_none_or(|places| places.contains(&place)) {
                        let offered = (&service, &*port, bind);
                        self.offer(
                            &mut listeners,
                            configs,
                            (at, &virtual_services),
                            offered,
                            place,
                        );
                    }
                }
            }
        }
        if self.scope.is_open() && places.is_none_or(|places| places.contains(&(None, 80))) {
            self.open_registry(&mut listeners, configs);
        }
        let mut listeners = listeners.finish(&self.fallthrough());
        if places.is_none() {
            listeners.push(self.loop_guard());
        }
        listeners.sort_by_key(|listener| (listener.port, listener.address));
        listeners
    }

    /// Where the ports of a service are opened, with what is opened.
    fn offers<'e>(
        &'e self,
        egress: &'e EgressListener<'_>,
        service: &'e ServiceView,
    ) -> impl Iterator<Item = (Place, Bind, Cow<'e, ServicePort>)> + 'e {
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
                let place = (address, port.number);
                (place, bind, port.clone())
            })
        })
    }

    /// Where the ports of a service are opened, and what they carry.
    pub(super) fn places_of<'e>(
        &'e self,
        egress: &'e EgressListener<'_>,
        service: &'e ServiceView,
    ) -> impl Iterator<Item = (Place, Protocol)> + 'e {
        let offers = self.offers(egress, service);
        offers.map(|(place, _, port)| (place, port.protocol))
    }

    /// What the first service port carries that is opened at this place.
    pub(super) fn first_at(&self, place: Place) -> Option<Protocol> {
        self.scope.listeners().iter().find_map(|egress| {
            egress.services().find_map(|service| {
                let mut offers = self.places_of(egress, &service);
                let found = offers.find(|(other, _)| *other == place);
                found.map(|(_, protocol)| protocol)
            })
        })
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
        let listener = Listener::new(
            VIRTUAL_OUTBOUND,
            None,
            OUTBOUND_PORT,
            Vec::new(),
            Some(black_hole),
        );
        Arc::new(listener)
    }

    /// Nothing is registered: the hosts of VirtualServices are all that there is, on port 80 (R-H-044).
    fn open_registry(&self, listeners: &mut Listeners, configs: &mut HttpPorts) {
        let Some(egress) = self.scope.listener_for(80) else {
            return;
        };
        let config = configs.shared(self, egress, 80);
        listeners.add(Offer {
            bind: None,
            port: 80,
            protocol: Protocol::Http,
            tcp: &mut Vec::new,
            http: &mut || config,
        });
    }

    fn offer(
        &self,
        listeners: &mut Listeners,
        configs: &mut HttpPorts,
        (egress, virtual_services): (usize, &BoundServices<'_>),
        (service, port, asked): (&ServiceView, &ServicePort, Bind),
        (bind, _): Place,
    ) {
        let inner = service.service();
        let own = own_address(inner);
        let is_range = own.is_some_and(|own| !subnet::is_single(own));
        // A range is told apart on every address.
        let ranges: Vec<IpNet> = match asked {
            Bind::Default if is_range && !port.protocol.is_http() => inner.addresses.clone(),
            _ => Vec::new(),
        };
        let cluster_port = match service.ports() {
            [only] => only.number,
            _ => port.number,
        };
        let alone = port.protocol == Protocol::Unsupported && bind.is_some();
        let filters = FilterMaker::new(self.scope, self.clusters);
        let mut tcp = || {
            let tcp_port = TcpPort {
                service: inner,
                port: port.number,
                cluster_port,
                shares_wildcard: (own.is_none() || is_range) && bind.is_none(),
                ranges: ranges.clone(),
                server_names: self.server_names(service),
                proxy: self.proxy,
            };
            let bound = virtual_services.of_host(service.hostname());
            if port.protocol.is_tls() {
                tcp_port.tls_chains(&bound, &filters)
            } else {
                tcp_port.tcp_chains(&bound, &filters)
            }
        };
        let mut http = || {
            // Whoever offers the listener, its routes are those of the egress listener that has its port (R-H-041).
            let egress = self.scope.listener_for(port.number).unwrap_or(egress);
            if alone {
                configs.of_one_service(self, egress, service, port.number)
            } else {
                configs.shared(self, egress, port.number)
            }
        };
        listeners.add(Offer {
            bind,
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

    /// Where traffic for nobody goes if it may: where the client meant it to go, or to the Sidecar's egress proxy (R-H-052).
    fn unknown_host_cluster(&self) -> ClusterId {
        let mut clusters = self.clusters.borrow_mut();
        match self.scope.egress_proxy() {
            Some(proxy) => clusters.destination(proxy, self.scope.service(&proxy.host).as_ref(), 0),
            None => clusters.passthrough(),
        }
    }

    /// Where a connection goes that no chain wants (R-M-064).
    fn fallthrough(&self) -> FilterChain {
        let cluster = match self.scope.outbound_traffic_policy() {
            OutboundTrafficPolicy::AllowAny | OutboundTrafficPolicy::AllowAnyDynamicDns => {
                self.unknown_host_cluster()
            }
            OutboundTrafficPolicy::RegistryOnly => self.clusters.borrow_mut().black_hole(),
        };
        FilterChain {
            name: FALLTHROUGH.into(),
            matches: ChainMatch::default(),
            terminates_tls: false,
            filter: Filter::Tcp(TcpProxy::to(cluster)),
        }
    }

    /// The virtual host of every host that no other one has (R-H-052).
    pub(super) fn fallback_host(&self) -> Arc<VirtualHost> {
        let (name, action) = match self.scope.outbound_traffic_policy() {
            OutboundTrafficPolicy::AllowAny => {
                ("allow_any", forward_all(self.unknown_host_cluster()))
            }
            OutboundTrafficPolicy::AllowAnyDynamicDns => (
                "allow_any_dynamic_dns",
                forward_all(self.clusters.borrow_mut().dynamic_dns()),
            ),
            OutboundTrafficPolicy::RegistryOnly => (
                "block_all",
                Action::Respond(LocalReply {
                    response: Arc::new(DirectResponse {
                        status: 502,
                        body: Box::new([]),
                    }),
                    headers: None,
                    policy: Arc::default(),
                }),
            ),
        };
        let rule = Rule {
            name: name.into(),
            origin: None,
            matches: Arc::new(RequestMatch::any()),
            action: Arc::new(action),
        };
        Arc::new(VirtualHost {
            name: name.into(),
            kind: VirtualHostKind::Unclaimed,
            domains: Box::new(["*".into()]),
            require_tls: false,
            rules: Arc::new(std::iter::once(rule).collect()),
        })
    }
}

/// Everything to one cluster, with nothing on the way.
fn forward_all(cluster: ClusterId) -> Action {
    Action::Forward(Forward {
        split: Split::single(cluster),
        policy: Arc::default(),
        headers: None,
        mirrors: Box::new([]),
        hash_policy: Box::new([]),
    })
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
