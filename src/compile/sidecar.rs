//! The outbound side of a sidecar: listeners of every imported service port, and where unknown traffic goes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::mesh::config::OutboundTrafficPolicy;
use crate::mesh::service::{Protocol, Registry, Resolution, ServicePort};
use crate::mesh::virtual_service::{DestinationRef, VirtualService};
use crate::router::{
    Action, ChainMatch, Cidr, Cluster, Filter, FilterChain, Forward, Listener, Response,
    RouteConfig, Rule, Split, TcpProxy, View, VirtualHost,
};
use crate::terms::condition::RequestMatch;
use crate::terms::host;
use crate::terms::proxy::Proxy;
use crate::terms::route_policy::{DirectResponse, HashKey, RoutePolicy};

use super::clusters::Clusters;
use super::domains;
use super::http_rules::Listening;
use super::scope::{EgressListener, Scope, ServiceView};
use super::sidecar_hosts::PortServices;
use super::sidecar_listeners::{Listeners, Offer};
use super::sidecar_tcp::TcpPort;
use super::tcp_filters::FilterMaker;

/// What all listeners of one sidecar are made from.
pub(super) struct Sidecar<'a> {
    proxy: &'a Proxy,
    scope: &'a Scope<'a>,
    clusters: &'a RefCell<Clusters<'a>>,
    proxy_domain: String,
    default_policy: Arc<RoutePolicy>,
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

    /// Listeners of the mesh side.
    pub(super) fn view(&self) -> View {
        let fallthrough = self.fallthrough();
        let mut listeners = Listeners::default();
        let mut configs = RouteConfigs::new(self);
        for egress in self.scope.listeners() {
            let virtual_services = HostIndex::new(egress.virtual_services());
            match egress.port() {
                Some(port) => {
                    let explicit = ServicePort {
                        name: port.name.clone(),
                        number: port.number,
                        protocol: port.protocol,
                        target_port: None,
                        target_port_name: None,
                    };
                    for service in egress.services() {
                        let bind = egress.bind().parse().ok();
                        self.offer(
                            &mut listeners,
                            &mut configs,
                            (egress, &virtual_services),
                            (service, &explicit),
                            bind,
                        );
                    }
                }
                None => {
                    listeners.lock();
                    let bind: Option<IpAddr> = egress.bind().parse().ok();
                    for service in egress.services() {
                        for port in service.ports() {
                            for bind in binds(service, port, bind) {
                                self.offer(
                                    &mut listeners,
                                    &mut configs,
                                    (egress, &virtual_services),
                                    (service, port),
                                    bind,
                                );
                            }
                        }
                    }
                }
            }
        }
        if self.scope.is_open() {
            self.open_registry(&mut listeners, &mut configs);
        }
        View::new(
            listeners.finish(&fallthrough),
            Some(Arc::new(Listener {
                name: "virtualOutbound".into(),
                address: None,
                port: 0,
                chains: Vec::new(),
                default_chain: Some(Box::new(fallthrough)),
            })),
            super::path_normalization(&self.scope.mesh().config),
        )
    }

    /// Nothing is registered: the hosts of VirtualServices are all that there is, on port 80 (R-H-044).
    fn open_registry(&self, listeners: &mut Listeners, configs: &mut RouteConfigs<'_, 'a>) {
        let Some(egress) = self.scope.listener_for(80) else {
            return;
        };
        let config = configs.shared(egress, 80, false);
        listeners.add(Offer {
            bind: None,
            port: 80,
            protocol: Protocol::Http,
            tcp: &mut Vec::new,
            http: &mut || Arc::clone(&config),
        });
    }

    fn offer(
        &self,
        listeners: &mut Listeners,
        configs: &mut RouteConfigs<'_, 'a>,
        (egress, virtual_services): (&'a EgressListener<'a>, &HostIndex<'_>),
        (service, port): (&'a ServiceView, &ServicePort),
        bind: Option<IpAddr>,
    ) {
        let inner = service.service();
        if inner.resolution == Resolution::Alias || port.protocol == Protocol::Udp {
            return;
        }
        let own = inner.addresses.iter().find(|one| !one.ip.is_unspecified());
        let is_range = own.is_some_and(|one| one.prefix != if one.ip.is_ipv4() { 32 } else { 128 });
        let mut ranges = Vec::new();
        // HTTP ports share every address; others listen on the service's own (R-M-066).
        let bind = match bind {
            None if !port.protocol.is_http() => match own {
                Some(_) if is_range => {
                    ranges = inner
                        .addresses
                        .iter()
                        .map(|one| Cidr {
                            address: one.ip,
                            prefix: one.prefix,
                        })
                        .collect();
                    None
                }
                Some(address) => Some(address.ip),
                None => None,
            },
            bind => bind,
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
            if alone {
                self.sniffed_config(egress, service, port.number)
            } else {
                configs.shared(egress, port.number, port.protocol == Protocol::HttpProxy)
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

    /// A detected port on a service's own address: only that service, whatever the host (R-H-041).
    fn sniffed_config(
        &self,
        egress: &'a EgressListener<'a>,
        service: &ServiceView,
        port: u16,
    ) -> Arc<RouteConfig> {
        let services = PortServices::new(
            egress,
            port,
            &self.proxy_domain,
            Arc::clone(&self.default_policy),
        );
        let name = domains::domain_name(&service.hostname().to_ascii_lowercase(), port);
        let virtual_hosts = services
            .virtual_hosts(&self.on_port(egress, port))
            .into_iter()
            .filter(|one| *one.name == *name)
            .map(|one| {
                Arc::new(VirtualHost {
                    domains: Box::new(["*".into()]),
                    ..VirtualHost::clone(&one)
                })
            })
            .collect();
        Arc::new(RouteConfig::new(
            &format!("{}:{port}", service.hostname()),
            virtual_hosts,
        ))
    }

    fn on_port<'s>(&'s self, egress: &'s EgressListener<'a>, port: u16) -> OnPort<'s, 'a> {
        OnPort {
            egress,
            port,
            proxy: self.proxy,
            clusters: self.clusters,
        }
    }

    /// Where traffic for nobody goes if it may: where the client meant it to go, or to the Sidecar's egress proxy (R-H-052).
    fn unknown_host_cluster(&self) -> Arc<Cluster> {
        let mut clusters = self.clusters.borrow_mut();
        match self.scope.egress_proxy() {
            Some(proxy) => clusters.destination(proxy, self.scope.service(&proxy.host), 0),
            None => clusters.passthrough(),
        }
    }

    /// Where a connection goes that no chain wants (R-M-064).
    fn fallthrough(&self) -> FilterChain {
        let cluster = match self.scope.outbound_traffic_policy() {
            OutboundTrafficPolicy::AllowAny => self.unknown_host_cluster(),
            OutboundTrafficPolicy::RegistryOnly => self.clusters.borrow().black_hole(),
        };
        FilterChain {
            name: "PassthroughFilterChain".into(),
            matches: ChainMatch::default(),
            terminates_tls: false,
            filter: Filter::Tcp(TcpProxy::to(cluster)),
        }
    }

    /// The virtual host of every host that no other one has (R-H-052).
    fn fallback_host(&self) -> Arc<VirtualHost> {
        let (name, action) = match self.scope.outbound_traffic_policy() {
            OutboundTrafficPolicy::AllowAny => (
                "allow_any",
                Action::Forward(Forward {
                    split: Split::single(self.unknown_host_cluster()),
                    policy: Arc::default(),
                    headers: None,
                    mirrors: Box::new([]),
                    hash_policy: Box::new([]),
                }),
            ),
            OutboundTrafficPolicy::RegistryOnly => (
                "block_all",
                Action::Respond(Response {
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
            virtual_service: None,
            matches: Arc::new(RequestMatch::any()),
            action: Arc::new(action),
        };
        Arc::new(VirtualHost {
            name: name.into(),
            domains: Box::new(["*".into()]),
            require_tls: false,
            rules: Arc::new(std::iter::once(rule).collect()),
        })
    }
}

/// The addresses that a service port listens on: a headless TCP service on each of its endpoints (R-M-069), any other
/// where its egress listener says.
fn binds(service: &ServiceView, port: &ServicePort, bind: Option<IpAddr>) -> Vec<Option<IpAddr>> {
    let inner = service.service();
    let per_endpoint = bind.is_none()
        && inner.resolution == Resolution::Passthrough
        && inner.addresses.iter().all(|one| one.ip.is_unspecified())
        && !port.protocol.is_http();
    if !per_endpoint {
        return vec![bind];
    }
    if inner.registry == Registry::External
        && inner.endpoints.is_empty()
        && inner.selector.is_empty()
    {
        return vec![bind];
    }
    inner
        .endpoints
        .iter()
        .filter_map(|endpoint| endpoint.address.as_deref()?.parse().ok())
        .map(Some)
        .collect()
}

/// The route configurations of a sidecar, each made once: one per port.
struct RouteConfigs<'s, 'a> {
    sidecar: &'s Sidecar<'a>,
    by_port: HashMap<u16, Arc<RouteConfig>>,
}

impl<'s, 'a> RouteConfigs<'s, 'a> {
    fn new(sidecar: &'s Sidecar<'a>) -> Self {
        RouteConfigs {
            sidecar,
            by_port: HashMap::new(),
        }
    }

    /// The one that all HTTP services of `port` share; the host decides within it.
    fn shared(
        &mut self,
        egress: &'a EgressListener<'a>,
        port: u16,
        http_proxy: bool,
    ) -> Arc<RouteConfig> {
        let sidecar = self.sidecar;
        Arc::clone(self.by_port.entry(port).or_insert_with(|| {
            let services = PortServices::new(
                egress,
                if http_proxy { 0 } else { port },
                &sidecar.proxy_domain,
                Arc::clone(&sidecar.default_policy),
            );
            let listening = sidecar.on_port(egress, if http_proxy { 0 } else { port });
            let mut virtual_hosts = services.virtual_hosts(&listening);
            virtual_hosts.push(sidecar.fallback_host());
            Arc::new(RouteConfig::new(&port.to_string(), virtual_hosts))
        }))
    }
}

/// One HTTP port of a sidecar, as VirtualServices see it.
struct OnPort<'s, 'a> {
    egress: &'s EgressListener<'a>,
    port: u16,
    proxy: &'s Proxy,
    clusters: &'s RefCell<Clusters<'a>>,
}

impl Listening for OnPort<'_, '_> {
    fn gateway(&self) -> &str {
        "mesh"
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn is_tls(&self) -> bool {
        false
    }

    fn proxy(&self) -> &Proxy {
        self.proxy
    }

    /// Only services that expose the listener's port are looked at, and only that port of them (R-H-040, R-M-138).
    fn destination(&self, destination: &DestinationRef, _namespace: &str) -> Arc<Cluster> {
        let service = self
            .egress
            .service_on(&destination.host, self.port)
            .cloned()
            .and_then(|service| match self.port {
                0 => Some(service),
                port => service.trim_ports(|number| number == port),
            });
        self.clusters
            .borrow_mut()
            .destination(destination, service.as_ref(), self.port)
    }

    fn service(&self, hostname: &Arc<str>, port: u16) -> Arc<Cluster> {
        self.clusters
            .borrow_mut()
            .cluster(hostname, port, &Arc::default())
    }

    fn hash_key(&self, host: &Arc<str>, subset: &str, port: Option<u16>) -> Option<HashKey> {
        let mut clusters = self.clusters.borrow_mut();
        clusters.rule(host)?.hash_key(subset, port).cloned()
    }
}

/// VirtualServices by host, so that a service finds its own without a walk over all.
struct HostIndex<'a> {
    all: &'a [Arc<VirtualService>],
    exact: HashMap<&'a str, Vec<usize>>,
    wildcards: Vec<(usize, &'a str)>,
}

impl<'a> HostIndex<'a> {
    fn new(all: &'a [Arc<VirtualService>]) -> Self {
        let mut index = HostIndex {
            all,
            exact: HashMap::new(),
            wildcards: Vec::new(),
        };
        for (place, service) in all.iter().enumerate() {
            if service.tls.is_empty() && service.tcp.is_empty() {
                continue;
            }
            for name in &service.hosts {
                if host::is_wildcard(name) {
                    index.wildcards.push((place, name));
                } else {
                    index.exact.entry(name).or_default().push(place);
                }
            }
        }
        index
    }

    /// Those with a host that overlaps `hostname`, in order.
    fn of_host(&self, hostname: &str) -> Vec<&'a Arc<VirtualService>> {
        let mut places: Vec<usize> = self
            .wildcards
            .iter()
            .filter(|(_, name)| host::overlaps(name, hostname))
            .map(|(place, _)| *place)
            .collect();
        if host::is_wildcard(hostname) {
            let overlapping = self
                .exact
                .iter()
                .filter(|(name, _)| host::overlaps(name, hostname));
            places.extend(overlapping.flat_map(|(_, own)| own));
        } else {
            places.extend(self.exact.get(hostname).into_iter().flatten());
        }
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| &self.all[place]).collect()
    }
}
