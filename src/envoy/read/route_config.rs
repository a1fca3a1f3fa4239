//! Route configurations: virtual hosts by domain.

use std::collections::HashSet;
use std::sync::Arc;

use super::clusters::Names;
use super::context::Context;
use super::route::rule;
use crate::diagnostic::At;
use crate::envoy::model::{self, RouteConfiguration, TlsRequirement};
use crate::envoy::unread::Kind;
use crate::router::{ClusterSide, RouteConfig, Rule, RuleList, VirtualHost, VirtualHostKind};

pub(super) fn read(
    context: &mut Context<'_>,
    names: &mut Names<'_>,
    side: ClusterSide,
    config: &RouteConfiguration,
) -> RouteConfig {
    let before = context.about(Kind::RouteConfiguration, &config.name);
    let hosts = At::ROOT.field("virtualHosts");
    if !config.ignore_port_in_host_matching
        && config
            .virtual_hosts
            .iter()
            .any(|host| host.domains.iter().any(|domain| domain != "*"))
    {
        // The tables find a host by its name alone.
        context.not_looked_at(
            &At::ROOT,
            "the port of the authority, which counts without `ignorePortInHostMatching`,",
        );
    }
    let mut seen: HashSet<String> = HashSet::new();
    let mut read: Vec<(VirtualHost, Vec<Rule>)> = Vec::with_capacity(config.virtual_hosts.len());
    for (index, host) in config.virtual_hosts.iter().enumerate() {
        let at = hosts.index(index);
        let domains = domains(context, &at.field("domains"), host, &mut seen);
        let routes = at.field("routes");
        let rules = host.routes.iter().enumerate();
        let rules =
            rules.filter_map(|(index, route)| rule(context, names, &routes.index(index), route));
        let rules = rules.collect();
        let require_tls = match host.require_tls.unwrap_or_default() {
            TlsRequirement::None => false,
            TlsRequirement::All => true,
            TlsRequirement::ExternalOnly => {
                context.not_honoured(&at.field("requireTls"), "`EXTERNAL_ONLY`");
                false
            }
        };
        let host = VirtualHost {
            name: host.name.as_str().into(),
            kind: kind(host, side, &domains),
            domains: domains.into(),
            require_tls,
            rules: Arc::default(),
        };
        read.push((host, rules));
    }
    let (hosts, lists): (Vec<VirtualHost>, Vec<Vec<Rule>>) = read.into_iter().unzip();
    let hosts = hosts.into_iter().zip(RuleList::all(lists));
    let hosts = hosts.map(|(host, rules)| Arc::new(VirtualHost { rules, ..host }));
    let made = RouteConfig::new(&config.name, hosts.collect());
    context.back_to(before);
    made
}

/// In lower case, each in one virtual host only.
fn domains(
    context: &mut Context<'_>,
    at: &At<'_>,
    host: &model::VirtualHost,
    seen: &mut HashSet<String>,
) -> Vec<Box<str>> {
    let mut out: Vec<Box<str>> = Vec::with_capacity(host.domains.len());
    for (index, domain) in host.domains.iter().enumerate() {
        let at = at.index(index);
        let domain = domain.to_lowercase();
        // What a namespace stands before is no host: nobody can ask for it.
        if domain.len() > 1 && domain.ends_with('*') && !domain.contains('/') {
            context.not_honoured(&at, format_args!("the beginning of a domain, `{domain}`,"));
        } else if !seen.insert(domain.clone()) {
            context.invalid(
                &at,
                format_args!("another virtual host has the domain `{domain}`, too"),
            );
        } else {
            out.push(domain.into());
        }
    }
    out
}

/// What it is for, as far as its shape says.
fn kind(host: &model::VirtualHost, side: ClusterSide, domains: &[Box<str>]) -> VirtualHostKind {
    let is_for_all = matches!(domains, [only] if **only == *"*");
    let named = host
        .name
        .rsplit_once(':')
        .map(|(name, _)| name.to_lowercase());
    let service = named.filter(|name| domains.iter().any(|domain| **domain == **name));
    match (side, service) {
        (ClusterSide::Mesh, None) if is_for_all && !host.name.contains(':') => {
            VirtualHostKind::Unclaimed
        }
        (ClusterSide::Mesh, Some(service)) => VirtualHostKind::Service(service.into()),
        (ClusterSide::Gateway, _)
            if host.routes.is_empty() && host.require_tls.is_none() && is_for_all =>
        {
            VirtualHostKind::BlackHole
        }
        _ => VirtualHostKind::Hosts,
    }
}
