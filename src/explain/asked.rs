//! What is explained: a request or connection, whose view answers it, and how.

use std::collections::HashSet;
use std::sync::Arc;

use crate::decision::{Decision, Side};
use crate::mesh::gateway::Server;
use crate::mesh::virtual_service::VirtualService;
use crate::mesh::{Gateway, Inner, Mesh};
use crate::router::Router;
use crate::terms::host::{fit, without_port};
use crate::terms::name::{GatewayName, ResourceName};
use crate::terms::origin::{Author, RouteField};
use crate::terms::proxy::{Proxy, ProxyKind};
use crate::terms::request::{Connection, Request, Sent, Tls};

/// The authority that a request names; empty if it names none.
pub(crate) fn authority(request: &Request<'_>) -> String {
    match request.authority {
        Some(Sent::Text(text)) => text.to_owned(),
        Some(Sent::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        None => String::new(),
    }
}

/// One question and its answer.
pub(super) struct Asked<'a> {
    pub mesh: &'a Inner,
    pub proxy: &'a Proxy,
    pub connection: &'a Connection<'a>,
    pub decision: Decision<'a>,
    /// The host, without its port, in lower case.
    pub host: String,
    /// What the host may be short for, itself first.
    pub names: Vec<String>,
    /// What VirtualServices are bound to that take part: `mesh`, or the Gateways of the proxy.
    pub gateways: Vec<GatewayName>,
    /// Every rule of the virtual host that answers.
    pub takes_part: HashSet<(ResourceName, Option<RouteField>)>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(
        mesh: &'a Mesh,
        proxy: &'a Proxy,
        router: &'a Router,
        authority: String,
        connection: &'a Connection<'a>,
        decision: Decision<'a>,
    ) -> Self {
        let mesh = &*mesh.inner;
        let host = without_port(&authority).to_ascii_lowercase();
        let mut asked = Asked {
            names: names(&host, proxy.namespace(), &mesh.config.domain, &decision),
            mesh,
            proxy,
            connection,
            decision,
            host,
            gateways: Vec::new(),
            takes_part: HashSet::new(),
        };
        asked.gateways = match asked.side(router) {
            Side::Mesh => vec![GatewayName::Mesh],
            Side::Gateway => {
                let served = router.tables.gateways.iter();
                served
                    .map(|one| GatewayName::Named(ResourceName::new(&one.namespace, &one.name)))
                    .collect()
            }
        };
        let rules = decision.virtual_host().map_or(&[][..], |host| host.rules());
        let origins = rules.iter().filter_map(|rule| rule.origin());
        for origin in origins.chain(decision.origin()) {
            let root: &Author = origin.root();
            asked.takes_part.insert((root.resource().clone(), None));
            let written = origin.delegated_by().unwrap_or_else(|| origin.written());
            let name = written.author().resource().clone();
            asked.takes_part.insert((name, Some(written.field())));
        }
        asked
    }

    /// The side that decides; of a decision that came to no side, the one that the proxy has.
    fn side(&self, router: &Router) -> Side {
        match (self.decision.listener(), self.connection.gateway) {
            (None, Some(GatewayName::MESH)) => Side::Mesh,
            (None, Some(_)) => Side::Gateway,
            (None, None) if router.tables.mesh.is_none() => Side::Gateway,
            (None, None) => Side::Mesh,
            (Some(_), _) => self.decision.side(),
        }
    }

    pub(super) fn is_at_gateway(&self) -> bool {
        self.gateways.first() != Some(&GatewayName::Mesh)
    }

    /// Whether one of the hosts of a VirtualService, or of a server, is this one; the closest of them.
    pub(super) fn closest<'h>(
        &self,
        hosts: impl IntoIterator<Item = &'h str>,
    ) -> Option<(u32, &'h str)> {
        let fits = hosts.into_iter().filter_map(|host| {
            let pattern = host.to_ascii_lowercase();
            let names = self.names.iter();
            let fit = names.filter_map(|name| fit(&pattern, name)).max()?;
            Some((fit, host))
        });
        fits.max_by_key(|(fit, _)| *fit)
    }

    /// Whether a rule of it is in the virtual host that answers.
    pub(super) fn has_part(&self, virtual_service: &VirtualService) -> bool {
        self.takes_part
            .contains(&(virtual_service.resource().clone(), None))
    }

    pub(super) fn is_tls(&self) -> bool {
        self.connection.tls != Tls::None
    }

    /// The Gateways that this proxy serves, in order.
    pub(super) fn served(&self) -> impl Iterator<Item = &Arc<Gateway>> {
        let all = self.mesh.gateways.iter();
        all.filter(|gateway| {
            let name = GatewayName::Named(gateway.resource.clone());
            self.gateways.contains(&name)
        })
    }

    /// Their servers at the port of the connection.
    pub(super) fn servers(&self) -> impl Iterator<Item = (&Arc<Gateway>, usize, &Server)> {
        self.served().flat_map(|gateway| {
            let servers = gateway.servers.iter().enumerate();
            let here = servers.filter(|(_, server)| server.port == self.connection.port);
            here.map(move |(index, server)| (gateway, index, server))
        })
    }

    /// How a message speaks of what takes part.
    pub(super) fn where_asked(&self) -> String {
        match self.gateways.as_slice() {
            [] => "a gateway of this proxy".to_owned(),
            gateways => super::list(gateways),
        }
    }

    /// Whether the proxy is a gateway workload that binds some Gateways only.
    pub(super) fn selects(&self) -> bool {
        self.proxy.kind() != ProxyKind::Any
    }
}

/// What a host may be short for, as seen from a namespace.
fn names(host: &str, namespace: &str, domain: &str, decision: &Decision<'_>) -> Vec<String> {
    let mut names = vec![host.to_owned()];
    let dots = host.matches('.').count();
    if dots == 0 && !host.is_empty() {
        names.push(format!("{host}.{namespace}.svc.{domain}"));
    }
    if dots == 1 {
        names.push(format!("{host}.svc.{domain}"));
    }
    if host.ends_with(".svc") {
        names.push(format!("{host}.{domain}"));
    }
    let service = decision.virtual_host().and_then(|host| host.service());
    names.extend(service.map(str::to_ascii_lowercase));
    names.dedup();
    names
}
