//! `tls` and `tcp` rules (R-M-165, R-M-166).

use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::mesh::virtual_service::{L4Match, TcpRoute, TlsMatch, TlsRoute};
use crate::resolve::check::{domain, network};
use crate::resolve::{Context, Sink, not_empty};
use crate::resource as raw;
use crate::terms::host;
use crate::terms::name::GatewayName;
use crate::terms::origin::RouteOrigin;
use crate::terms::subnet;

use super::matches::own_match;
use super::{destinations, matches, names};

/// One `tls` rule of a VirtualService with these `hosts`, as written.
pub(super) fn tls_rule(
    rule: &raw::TlsRoute,
    parent: &raw::VirtualService,
    namespace: &str,
    origin: RouteOrigin,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> TlsRoute {
    let matches_at = at.field("match");
    if rule.r#match.is_empty() {
        sink.push(
            &matches_at,
            Code::MISSING_FIELD,
            "a `tls` rule needs a `match`",
        );
    }
    require_route(rule.route.is_empty(), "tls", at, sink);
    let mut matches = Vec::with_capacity(rule.r#match.len());
    for (index, matched) in rule.r#match.iter().enumerate() {
        let at = matches_at.index(index);
        let sni_at = at.field("sniHosts");
        if matched.sni_hosts.is_empty() {
            sink.push(
                &sni_at,
                Code::MISSING_FIELD,
                "a `tls` match needs a server name",
            );
        }
        for (index, name) in matched.sni_hosts.iter().enumerate() {
            check_server_name(name, parent, &sni_at.index(index), sink);
        }
        let l4 = Layer4 {
            destination_subnets: &matched.destination_subnets,
            port: matched.port,
            source_labels: &matched.source_labels,
            gateways: &matched.gateways,
            source_namespace: &matched.source_namespace,
            warn_of_legacy_gateways: true,
        };
        matches.push(TlsMatch {
            sni_hosts: matched
                .sni_hosts
                .iter()
                .map(|name| name.as_str().into())
                .collect(),
            l4: l4.typed(index, namespace, &at, cx, sink),
        });
    }
    TlsRoute {
        matches,
        route: destinations::of_stream(&rule.route, namespace, &at.field("route"), cx, sink),
        origin: Arc::new(origin),
    }
}

/// One `tcp` rule.
pub(super) fn tcp_rule(
    rule: &raw::TcpRoute,
    namespace: &str,
    origin: RouteOrigin,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> TcpRoute {
    require_route(rule.route.is_empty(), "tcp", at, sink);
    let matches_at = at.field("match");
    let mut matches = Vec::with_capacity(rule.r#match.len());
    for (index, matched) in rule.r#match.iter().enumerate() {
        let at = matches_at.index(index);
        if !matched.source_subnet.is_empty() {
            sink.push(
                &at.field("sourceSubnet"),
                Code::WITHOUT_EFFECT,
                "Istio does not evaluate `sourceSubnet`",
            );
        }
        let l4 = Layer4 {
            destination_subnets: &matched.destination_subnets,
            port: matched.port,
            source_labels: &matched.source_labels,
            gateways: &matched.gateways,
            source_namespace: &matched.source_namespace,
            warn_of_legacy_gateways: false, // R-M-147
        };
        matches.push(l4.typed(index, namespace, &at, cx, sink));
    }
    TcpRoute {
        matches,
        route: destinations::of_stream(&rule.route, namespace, &at.field("route"), cx, sink),
        origin: Arc::new(origin),
    }
}

/// What `tls` and `tcp` matches have in common, as written.
struct Layer4<'a> {
    destination_subnets: &'a [String],
    port: u32,
    source_labels: &'a raw::Labels,
    gateways: &'a [String],
    source_namespace: &'a str,
    warn_of_legacy_gateways: bool,
}

impl Layer4<'_> {
    /// `sourceNamespace` is not checked here by Istio, unlike that of `http` matches (R-M-166).
    fn typed(
        &self,
        index: usize,
        namespace: &str,
        at: &At<'_>,
        cx: &Context<'_>,
        sink: &mut Sink<'_>,
    ) -> L4Match {
        let subnets_at = at.field("destinationSubnets");
        for (index, subnet) in self.destination_subnets.iter().enumerate() {
            let verdict = network::subnet(subnet);
            sink.check(&subnets_at.index(index), Code::INVALID_ADDRESS, verdict);
        }
        if self.port != 0 {
            sink.check(
                &at.field("port"),
                Code::INVALID_PORT,
                network::port(self.port),
            );
        }
        let gateways_at = at.field("gateways");
        let warn = self.warn_of_legacy_gateways;
        names::check_gateways(self.gateways, &gateways_at, warn, sink);
        L4Match {
            destination_subnets: self
                .destination_subnets
                .iter()
                .filter_map(|written| subnet::parse(written))
                .collect(),
            port: (self.port != 0).then_some(self.port),
            source_labels: matches::source_labels(
                self.source_labels,
                &at.field("sourceLabels"),
                sink,
            ),
            source_namespace: not_empty(self.source_namespace),
            gateways: names::gateways(self.gateways, namespace, cx),
            index: own_match(index),
        }
    }
}

fn require_route(is_empty: bool, section: &str, at: &At<'_>, sink: &mut Sink<'_>) {
    if is_empty {
        sink.push(
            &at.field("route"),
            Code::MISSING_FIELD,
            format!("a `{section}` rule needs a `route`"),
        );
    }
}

/// A server name is a domain that some host of the VirtualService, as written, covers; an address is only warned of.
fn check_server_name(name: &str, parent: &raw::VirtualService, at: &At<'_>, sink: &mut Sink<'_>) {
    let without_mesh = parent
        .gateways
        .iter()
        .all(|gateway| gateway != GatewayName::MESH);
    let verdict = match without_mesh {
        true => domain::gateway_bound_host(name, true),
        false => domain::wildcard_domain(name),
    };
    match verdict {
        Err(_) if network::ip(name).is_ok() => sink.push(
            at,
            Code::SNI_IS_ADDRESS,
            format!("clients do not send an address such as `{name}` as server name"),
        ),
        Err(message) => sink.push(at, Code::INVALID_HOST, message),
        Ok(()) => {
            if !parent
                .hosts
                .iter()
                .any(|host| host::is_subset_of(name, host))
            {
                sink.push_with_help(
                    at,
                    Code::SNI_HOST_NOT_COVERED,
                    format!("server name `{name}` is not covered by any of `hosts`"),
                    "add it to `hosts`, or a wildcard that covers it; short names are compared as written",
                );
            }
        }
    }
}
