//! VirtualServices, typed: names resolved, delegates merged, regexes parsed.

use std::sync::Arc;

use ipnet::IpNet;

use crate::terms::condition::RequestMatch;
use crate::terms::header_operations::HeaderChanges;
use crate::terms::labels::Labels;
use crate::terms::name::{GatewayName, ResourceName};
use crate::terms::origin::{Author, MatchIndex, RouteOrigin};
use crate::terms::route_policy::{DirectResponse, Redirect, RoutePolicy};
use crate::terms::weighted::FractionalPercent;

use super::visibility::Visibility;

/// A root VirtualService with its delegates merged in.
#[derive(Clone, Debug)]
pub(crate) struct VirtualService {
    /// The resource that it was written as.
    pub author: Arc<Author>,
    /// Seconds since the epoch; 0 where unset.
    pub creation: i64,
    /// Hosts: short names are FQDNs; case as written.
    pub hosts: Vec<Arc<str>>,
    /// `mesh` or `namespace/name`; never empty.
    pub gateways: Vec<GatewayName>,
    /// Who can see it.
    pub visibility: Visibility,
    /// In which words it was written.
    pub semantics: Semantics,
    /// `http`, in the order that decides.
    pub http: Vec<HttpRoute>,
    /// `tls`, in order.
    pub tls: Vec<TlsRoute>,
    /// `tcp`, in order.
    pub tcp: Vec<TcpRoute>,
}

/// What differs for VirtualServices that istiod makes of routes of the Gateway API, beside what their rules say by
/// themselves (`internal.istio.io/route-semantics`; R-G-052..R-G-060).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Semantics {
    /// Written as a VirtualService.
    #[default]
    VirtualService,
    /// Made of routes of the Gateway API.
    GatewayApi,
}

impl VirtualService {
    /// Whether it comes before all others that a client in `namespace` sees alike: routes of its own namespace in the words of
    /// the Gateway API.
    pub(crate) fn is_first_for(&self, namespace: &str) -> bool {
        self.semantics == Semantics::GatewayApi && *self.resource().namespace == *namespace
    }

    /// Its place among all: creation time, then name, then namespace (R-H-021).
    pub(crate) fn config_key(&self) -> (i64, &str, &str) {
        let resource = self.resource();
        (self.creation, &resource.name, &resource.namespace)
    }

    /// Its name.
    pub(crate) fn resource(&self) -> &ResourceName {
        self.author.resource()
    }

    /// Every destination and mirror of its rules.
    pub(crate) fn destinations(&self) -> impl Iterator<Item = &DestinationRef> {
        let http = self.http.iter().flat_map(|rule| {
            let routes = match &rule.action {
                HttpAction::Route(routes) => routes.as_slice(),
                HttpAction::Redirect(_) | HttpAction::Respond(_) => &[],
            };
            let mirrors = rule.mirrors.iter().map(|mirror| &mirror.destination);
            routes.iter().map(|route| &route.destination).chain(mirrors)
        });
        let tls = self.tls.iter().flat_map(|rule| &rule.route);
        let tcp = self.tcp.iter().flat_map(|rule| &rule.route);
        http.chain(tls.chain(tcp).map(|route| &route.destination))
    }

    /// Whether all its rules are `http` ones.
    pub(crate) fn is_http_only(&self) -> bool {
        self.tls.is_empty() && self.tcp.is_empty()
    }

    /// Whether it has the hosts of `other`, and stands where that stands among others.
    pub(crate) fn claims_like(&self, other: &VirtualService) -> bool {
        self.hosts == other.hosts
            && self.gateways == other.gateways
            && self.visibility == other.visibility
            && self.creation == other.creation
            && self.resource() == other.resource()
    }

    /// Whether it is bound to a gateway.
    pub(crate) fn is_bound_to(&self, gateway: &GatewayName) -> bool {
        self.gateways.contains(gateway)
    }

    /// Whether sidecars use it.
    pub(crate) fn is_in_mesh(&self) -> bool {
        self.is_bound_to(&GatewayName::Mesh)
    }

    /// Whether gateways use it.
    pub(crate) fn is_at_gateways(&self) -> bool {
        self.gateways
            .iter()
            .any(|gateway| *gateway != GatewayName::Mesh)
    }
}

/// One `http` rule.
#[derive(Clone, Debug)]
pub(crate) struct HttpRoute {
    /// Its name; may be empty.
    pub name: Arc<str>,
    /// Its matches; empty: everything.
    pub matches: Vec<HttpMatch>,
    /// What it does.
    pub action: HttpAction,
    /// Policies, shared by every view; where `retries` was not written, the mesh's default is in it.
    pub policy: Arc<RoutePolicy>,
    /// Header changes of the rule, for all its destinations.
    pub headers: Option<Arc<HeaderChanges>>,
    /// `mirror`, then `mirrors` (R-H-142).
    pub mirrors: Vec<MirrorRef>,
    /// Where it is written.
    pub(crate) origin: Arc<RouteOrigin>,
}

/// One `match` of an `http` rule.
#[derive(Clone, Debug)]
pub(crate) struct HttpMatch {
    /// Its name; may be empty.
    pub name: Box<str>,
    /// `port`; `None`: any.
    pub port: Option<u32>,
    /// Resolved `gateways`; empty: any.
    pub gateways: Vec<GatewayName>,
    /// `sourceLabels`.
    pub source_labels: Labels,
    /// `sourceNamespace`; `None`: any.
    pub source_namespace: Option<Box<str>>,
    /// What is asked of the request.
    pub request: Arc<RequestMatch>,
    /// Which match it is.
    pub(crate) index: MatchIndex,
}

/// What an `http` rule does; precedence is settled (R-H-037).
#[derive(Clone, Debug)]
pub(crate) enum HttpAction {
    /// `route`.
    Route(Vec<WeightedRef>),
    /// `redirect`.
    Redirect(Arc<Redirect>),
    /// `directResponse`.
    Respond(Arc<DirectResponse>),
}

/// A destination as written, with its host resolved to an FQDN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DestinationRef {
    /// Host; case as written.
    pub host: Arc<str>,
    /// Subset.
    pub subset: Option<Arc<str>>,
    /// Port; `None`: settled per listener (R-M-137, R-M-138).
    pub port: Option<u16>,
}

/// A weighted destination.
#[derive(Clone, Debug)]
pub(crate) struct WeightedRef {
    /// Where.
    pub destination: DestinationRef,
    /// Weight as written.
    pub weight: u32,
    /// Header changes of this destination.
    pub headers: Option<Arc<HeaderChanges>>,
}

/// A mirror.
#[derive(Clone, Debug)]
pub(crate) struct MirrorRef {
    /// Where.
    pub destination: DestinationRef,
    /// How often.
    pub percentage: FractionalPercent,
}

/// One `tls` rule.
#[derive(Clone, Debug)]
pub(crate) struct TlsRoute {
    /// Its matches.
    pub matches: Vec<TlsMatch>,
    /// Its destinations.
    pub route: Vec<WeightedRef>,
    /// Where it is written.
    pub(crate) origin: Arc<RouteOrigin>,
}

/// One `match` of a `tls` rule.
#[derive(Clone, Debug)]
pub(crate) struct TlsMatch {
    /// Server names as written.
    pub sni_hosts: Vec<Box<str>>,
    /// What it asks beside them.
    pub l4: L4Match,
}

/// One `tcp` rule.
#[derive(Clone, Debug)]
pub(crate) struct TcpRoute {
    /// Its matches; empty: everything.
    pub matches: Vec<L4Match>,
    /// Its destinations.
    pub route: Vec<WeightedRef>,
    /// Where it is written.
    pub(crate) origin: Arc<RouteOrigin>,
}

/// What `tls` and `tcp` matches have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct L4Match {
    /// `destinationSubnets`.
    pub destination_subnets: Vec<IpNet>,
    /// `port`; `None`: any.
    pub port: Option<u32>,
    /// `sourceLabels`.
    pub source_labels: Labels,
    /// `sourceNamespace`; `None`: any.
    pub source_namespace: Option<Box<str>>,
    /// Resolved `gateways`; empty: any.
    pub gateways: Vec<GatewayName>,
    /// Which match it is.
    pub(crate) index: MatchIndex,
}
