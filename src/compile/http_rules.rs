//! One VirtualService, seen from one listener: its `http` rules that survive, as rules of the table (R-H-002..R-H-006,
//! R-H-029..R-H-038).

use std::sync::Arc;

use crate::mesh::virtual_service::{
    DestinationRef, HttpAction, HttpMatch, HttpRoute, VirtualService, WeightedRef,
};
use crate::router::{
    Action, ClusterId, Forward, LocalReply, Mirror, Redirection, Rule, Split, WeightedCluster,
};
use crate::terms::condition::RequestMatch;
use crate::terms::name::GatewayName;
use crate::terms::origin::{MatchIndex, Origin};
use crate::terms::proxy::Proxy;
use crate::terms::route_policy::{HashKey, Redirect, RedirectPort};

/// What a listener knows when it asks for the rules of a VirtualService.
pub(super) trait Listening {
    /// The gateway that it is, or the mesh.
    fn gateway(&self) -> &GatewayName;
    /// The port that `match.port` means, and the default port of a destination (R-H-029).
    fn port(&self) -> u16;
    /// Whether the listener terminates TLS: the scheme that a redirect's port is compared with (R-H-136).
    fn is_tls(&self) -> bool;
    /// Whose view it is.
    fn proxy(&self) -> &Proxy;
    /// The cluster of a destination of a VirtualService in `namespace` (R-H-107..R-H-109, R-M-137).
    fn destination(&self, destination: &DestinationRef, namespace: &str) -> ClusterId;
    /// The key of consistent hashing that the DestinationRule of a destination asks for (R-M-121).
    fn hash_key(&self, host: &Arc<str>, subset: Option<&str>, port: Option<u16>)
    -> Option<HashKey>;
}

/// The rules of `service` that a request to `listening` may match, in order; empty: the VirtualService does not exist
/// for this listener (R-H-033).
pub(super) fn rules(service: &VirtualService, listening: &dyn Listening) -> Vec<Rule> {
    let most = service.http.iter().map(|route| route.matches.len().max(1));
    let mut out = Vec::with_capacity(most.sum());
    for route in &service.http {
        let mut action = None;
        if route.matches.is_empty() {
            let action = build_action(route, service, listening);
            out.push(Rule {
                name: Arc::clone(&route.name),
                origin: Some(Origin::new(&route.origin, MatchIndex::default())),
                matches: Arc::new(RequestMatch::any()),
                action,
            });
            return out;
        }
        for entry in &route.matches {
            if !applies(entry, listening) {
                continue;
            }
            let action = action.get_or_insert_with(|| build_action(route, service, listening));
            out.push(Rule {
                name: rule_name(route, entry),
                origin: Some(Origin::new(&route.origin, entry.index)),
                matches: Arc::clone(&entry.request),
                action: Arc::clone(action),
            });
            if entry.request.is_catch_all() {
                return out;
            }
        }
    }
    out
}

/// `<http name>[.<match name>]` (R-H-035).
fn rule_name(route: &HttpRoute, entry: &HttpMatch) -> Arc<str> {
    match &*entry.name {
        "" => Arc::clone(&route.name),
        name => format!("{}.{name}", route.name).into(),
    }
}

/// The part of a match that is settled per proxy and listener: port, gateways, source (R-H-029, R-H-031, R-H-032).
fn applies(entry: &HttpMatch, listening: &dyn Listening) -> bool {
    if entry
        .port
        .is_some_and(|port| port != u32::from(listening.port()))
    {
        return false;
    }
    if !entry.gateways.is_empty() {
        return entry.gateways.contains(listening.gateway());
    }
    let proxy = listening.proxy();
    entry.source_labels.selects(proxy.labels()) && proxy.is_in(entry.source_namespace.as_deref())
}

fn build_action(
    route: &HttpRoute,
    service: &VirtualService,
    listening: &dyn Listening,
) -> Arc<Action> {
    let headers = route.headers.clone();
    let policy = Arc::clone(&route.policy);
    Arc::new(match &route.action {
        HttpAction::Redirect(redirect) => Action::Redirect(Redirection {
            port: redirect_port(redirect, listening),
            redirect: Arc::clone(redirect),
            headers,
            policy,
        }),
        HttpAction::Respond(response) => Action::Respond(LocalReply {
            response: Arc::clone(response),
            headers,
            policy,
        }),
        HttpAction::Route(destinations) => {
            let hash_policy = hash_policy(destinations, listening);
            let is_hashed = destinations.len() == 1 && !hash_policy.is_empty();
            Action::Forward(Forward {
                split: split(destinations, &service.resource().namespace, listening),
                policy: match is_hashed {
                    true => policy.for_hashed_destination(),
                    false => policy,
                },
                headers,
                mirrors: route
                    .mirrors
                    .iter()
                    .map(|mirror| Mirror {
                        cluster: listening
                            .destination(&mirror.destination, &service.resource().namespace),
                        percentage: mirror.percentage,
                    })
                    .collect(),
                hash_policy,
            })
        }
    })
}

/// The port that a redirect writes: given or derived, unless it is the default of the scheme (R-H-136).
fn redirect_port(redirect: &Redirect, listening: &dyn Listening) -> Option<u16> {
    let port = match redirect.port {
        RedirectPort::None => return None,
        RedirectPort::Port(port) => port,
        RedirectPort::FromRequestPort => listening.port(),
    };
    let scheme = match redirect.scheme.as_deref() {
        Some(scheme) => scheme,
        None if listening.is_tls() => "https",
        None => "http",
    };
    match (scheme, port) {
        ("http", 80) | ("https", 443) | (_, 0) => None,
        _ => Some(port),
    }
}

/// The weighted clusters of a list of destinations: one takes all whatever its weight, of several those with weight
/// zero are removed (R-H-111, R-H-112).
pub(super) fn split(
    destinations: &[WeightedRef],
    namespace: &str,
    listening: &dyn Listening,
) -> Split {
    let weighted = destinations.len() > 1;
    let picked = destinations
        .iter()
        .filter(|weighted_ref| !weighted || weighted_ref.weight > 0);
    let clusters = picked.map(|weighted_ref| WeightedCluster {
        cluster: listening.destination(&weighted_ref.destination, namespace),
        weight: if weighted { weighted_ref.weight } else { 1 },
        headers: weighted_ref.headers.clone(),
    });
    // One without a destination that can be picked leads where one without a host does.
    Split::new(clusters, weighted).unwrap_or_else(|| {
        let nobody = DestinationRef::default();
        Split::single(listening.destination(&nobody, namespace))
    })
}

/// Hash policies of all destinations that can be picked, one after the other (R-M-122).
fn hash_policy(destinations: &[WeightedRef], listening: &dyn Listening) -> Box<[HashKey]> {
    let weighted = destinations.len() > 1;
    destinations
        .iter()
        .filter(|weighted_ref| !weighted || weighted_ref.weight > 0)
        .filter_map(|weighted_ref| {
            let destination = &weighted_ref.destination;
            listening.hash_key(
                &destination.host,
                destination.subset.as_deref(),
                destination.port,
            )
        })
        .collect()
}
