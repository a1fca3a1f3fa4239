//! The outbound side of a sidecar: what all of its listeners are made from, and where unknown traffic goes.

use std::cell::RefCell;
use std::sync::Arc;

use crate::mesh::config::OutboundTrafficPolicy;
use crate::router::{
    Action, ChainMatch, ClusterId, FALLTHROUGH, Filter, FilterChain, Forward, LocalReply, Rule,
    Split, TcpProxy, VirtualHost, VirtualHostKind,
};
use crate::terms::condition::RequestMatch;
use crate::terms::proxy::Proxy;
use crate::terms::route_policy::{DirectResponse, RoutePolicy};

use super::clusters::Clusters;
use super::on_port::OnPort;
use super::scope::Scope;
use super::sidecar_hosts::PortServices;

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
    pub(super) fn on_port(
        &self,
        egress: usize,
        port: u16,
    ) -> (PortServices<'_, 'a>, OnPort<'_, 'a>) {
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

    /// Where traffic for nobody goes if it may: where the client meant it to go, or to the Sidecar's egress proxy (R-H-052).
    fn unknown_host_cluster(&self) -> ClusterId {
        let mut clusters = self.clusters.borrow_mut();
        match self.scope.egress_proxy() {
            Some(proxy) => clusters.destination(proxy, self.scope.service(&proxy.host).as_ref(), 0),
            None => clusters.passthrough(),
        }
    }

    /// Where a connection goes that no chain wants (R-M-064).
    pub(super) fn fallthrough(&self) -> FilterChain {
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
