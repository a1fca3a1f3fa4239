//! The answer for one request: where it goes, and what happens to it on the way. Borrowed from the router.
//!
//! [`Decision`] is what the walk found; [`Outcome`] how it ends. Both are cheap copies of references. To keep one beside a
//! request, [`Decision::record`]. To carry it out, [`Decision::apply`] and [`Decision::apply_to_response`].

mod applied;
mod debug;
mod destination;
mod exchange;
mod outcome;
mod record;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::router::{
    Cluster, ClusterTable, Listener, Mirror, RouteConfig, Router, Rule, TcpProxy, VirtualHost,
    WeightedCluster,
};
use crate::terms::connection_manager::ConnectionManager;
use crate::terms::name::ResourceName;
use crate::terms::origin::Origin;
use crate::terms::route_policy::{FaultAbort, FaultDelay, HashKey, RetryPolicy, RoutePolicy};
use crate::terms::weighted::{Draw, FractionalPercent, split_entropy};

pub use crate::terms::route_error::RouteError;
pub use applied::{Answer, Applied, UpstreamRequest};
pub use destination::{Destination, DestinationRecord};
pub use exchange::Exchange;
pub use outcome::{BadRequest, NotFound, Outcome};
pub use record::{
    DecisionRecord, FaultRecord, MirrorRecord, PolicyRecord, RetriesRecord, UpstreamRequestRecord,
};

/// The side of a proxy that a decision was made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a proxy has two sides")]
pub enum Side {
    /// The outbound side of a sidecar: the gateway name `mesh`.
    Mesh,
    /// A gateway.
    Gateway,
}

/// What a router decided for a request (or a connection).
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use meshroute::{Mesh, Proxy, Request, Resources, Router};
///
/// let yaml = "
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata: {name: shop, namespace: default}
/// spec:
///   hosts: [shop.example.com]
///   http:
///   - {match: [{headers: {x-user: {exact: jane}}}], route: [{destination: {host: shop, subset: v2}}]}
///   - route: [{destination: {host: shop}}]
/// ";
/// let mesh = Mesh::resolve(Resources::from_yaml(yaml)?)?;
/// let router = Router::compile(&mesh, &Proxy::default());
///
/// let request = Request::get("http://shop.example.com/cart");
/// let decision = router.decide(&request, 42);
/// if let Some(cluster) = decision.cluster() {
///     assert_eq!((cluster.host(), cluster.port()), ("shop.default.svc.cluster.local", Some(80)));
/// }
/// assert_eq!(decision.virtual_service().map(|name| name.to_string()), Some("default/shop".to_owned()));
/// // For people, and for a log.
/// assert!(decision.to_string().starts_with("cluster outbound|80||shop.default.svc.cluster.local (rule 1"));
/// assert_eq!(decision.record().position, Some(1));
/// # }
/// # Ok::<(), meshroute::Report>(())
/// ```
#[derive(Clone, Copy)]
pub struct Decision<'r> {
    pub(crate) clusters: &'r ClusterTable,
    pub(crate) side: Side,
    pub(crate) manager: ConnectionManager,
    pub(crate) listener: Option<&'r Arc<Listener>>,
    pub(crate) route_config: Option<&'r Arc<RouteConfig>>,
    pub(crate) virtual_host: Option<&'r Arc<VirtualHost>>,
    /// Index of the rule in its virtual host, and the rule.
    pub(crate) rule: Option<(usize, &'r Rule)>,
    /// What the split draw picked, also where something else answers in the end.
    pub(crate) chosen: Option<&'r WeightedCluster>,
    pub(crate) outcome: Outcome<'r>,
    /// Injected delay that this request draws.
    pub(crate) delay: Option<Duration>,
    /// The caller's entropy: mirrors are drawn from it when they are asked for.
    pub(crate) entropy: u64,
}

impl<'r> Decision<'r> {
    /// How it ends.
    pub fn outcome(&self) -> Outcome<'r> {
        self.outcome
    }

    /// Which side of the proxy decided.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The listener that the connection arrived at.
    pub fn listener(&self) -> Option<&'r Listener> {
        self.listener.map(|listener| &**listener)
    }

    /// The route configuration of its filter chain; `None` where bytes are forwarded.
    pub fn route_config(&self) -> Option<&'r RouteConfig> {
        self.route_config.map(|config| &**config)
    }

    /// The virtual host that answers for the request's host. The choice is final (R-H-001).
    pub fn virtual_host(&self) -> Option<&'r VirtualHost> {
        self.virtual_host.map(|host| &**host)
    }

    /// The proxy of bytes that answers, where no rule does.
    pub(crate) fn tcp(&self) -> Option<&'r TcpProxy> {
        match self.outcome {
            Outcome::Tcp { proxy, .. } => Some(proxy),
            _ => None,
        }
    }

    /// The rule that matched.
    pub fn rule(&self) -> Option<&'r Rule> {
        self.rule.map(|(_, rule)| rule)
    }

    /// The place of the rule in its virtual host, from 0.
    pub fn position(&self) -> Option<usize> {
        self.rule.map(|(position, _)| position)
    }

    /// `<http name>[.<match name>]`, `default`, `allow_any`, `block_all`; empty where nothing is named (R-H-035).
    pub fn route_name(&self) -> Option<&'r str> {
        self.rule().map(Rule::name)
    }

    /// Where the rule was written; `None` for the default route of a service.
    pub fn origin(&self) -> Option<&'r Origin> {
        match self.tcp() {
            Some(proxy) => proxy.origin(),
            None => self.rule()?.origin(),
        }
    }

    /// The resource that has the hosts and gateways of the rule, such as a VirtualService (of rules of a delegate, what
    /// delegates to it); `None` for the default route of a service.
    pub fn virtual_service(&self) -> Option<&'r ResourceName> {
        Some(self.origin()?.root().resource())
    }

    /// The cluster that the request or connection goes to; `None` where something else answers. Where it does not
    /// [exist](Cluster::exists), a proxy answers 503 (of some rules 500).
    pub fn cluster(&self) -> Option<&'r Cluster> {
        match self.outcome {
            Outcome::Forward { cluster, .. } | Outcome::Tcp { cluster, .. } => Some(cluster),
            _ => None,
        }
    }

    /// The clusters that the rule splits over, in order, with their weights; empty where nothing is forwarded. A single
    /// destination has all of it, whatever its weight.
    pub fn split(&self) -> impl Iterator<Item = (&'r Cluster, u32)> + use<'r> {
        let forwarded = self.rule().and_then(|rule| rule.action().as_forward());
        let split = match self.tcp() {
            Some(proxy) => Some(proxy.split()),
            None => forwarded.map(|forward| forward.split()),
        };
        let clusters = self.clusters;
        let all = split.into_iter().flat_map(|split| split.clusters());
        all.map(|entry| (clusters.cluster(entry.cluster()), entry.weight()))
    }

    /// Whether the rule lists two destinations or more.
    pub fn is_weighted(&self) -> bool {
        match self.tcp() {
            Some(proxy) => proxy.split().is_weighted(),
            None => self
                .rule()
                .and_then(|rule| rule.action().as_forward())
                .is_some_and(|forward| forward.split().is_weighted()),
        }
    }

    /// Timeouts, retries, faults, CORS and rewrite of the rule.
    pub fn policy(&self) -> Option<&'r RoutePolicy> {
        self.rule().map(|rule| rule.action().policy())
    }

    /// How long the rule lets the whole exchange last; `None`: as long as it likes. What the request itself asks for is in
    /// [`timeout_for`](Self::timeout_for) (R-H-145).
    pub fn timeout(&self) -> Option<Duration> {
        self.policy()?.timeout.filter(|timeout| !timeout.is_zero())
    }

    /// When and how it is tried again; `None`: never (R-H-146, R-H-147).
    pub fn retries(&self) -> Option<&'r RetryPolicy> {
        self.policy()?.retries.as_ref()
    }

    /// What consistent hashing looks at, in order (R-H-115).
    pub fn hash_policy(&self) -> &'r [HashKey] {
        self.rule()
            .and_then(|rule| rule.action().as_forward())
            .map_or(&[], |forward| forward.hash_policy())
    }

    /// The clusters that get a copy of this very request: the mirrors that it draws (R-H-142). Only what is forwarded is
    /// mirrored, and only to clusters that exist.
    pub fn mirrors(&self) -> impl Iterator<Item = &'r Cluster> + use<'r> {
        let (entropy, clusters) = (self.entropy, self.clusters);
        let mirrors = match self.outcome {
            Outcome::Forward { action, cluster } if cluster.exists() => action.mirrors(),
            _ => &[],
        };
        (0_u16..)
            .zip(mirrors)
            .map(|(place, mirror)| (place, mirror, clusters.cluster(mirror.cluster())))
            .filter(move |(place, mirror, cluster)| {
                let word = split_entropy(entropy, Draw::Mirror(*place));
                cluster.exists() && mirror.percentage().holds(word)
            })
            .map(|(_, _, cluster)| cluster)
    }

    /// The mirrors of the rule with their chances, whether or not this request draws them.
    pub fn all_mirrors(&self) -> impl Iterator<Item = (&'r Cluster, FractionalPercent)> + use<'r> {
        let clusters = self.clusters;
        let forwarded = self.rule().and_then(|rule| rule.action().as_forward());
        let mirrors = forwarded.map_or(&[][..], |forward| forward.mirrors());
        let of = |mirror: &Mirror| (clusters.cluster(mirror.cluster()), mirror.percentage());
        mirrors.iter().map(of)
    }

    /// How long the request is held up by an injected fault, if it draws that (R-H-144).
    pub fn delay(&self) -> Option<Duration> {
        self.delay
    }

    /// The injected delay of the rule, whether or not this request draws it.
    pub fn fault_delay(&self) -> Option<&'r FaultDelay> {
        self.policy()?.fault_delay.as_ref()
    }

    /// The injected abort of the rule, whether or not this request draws it.
    pub fn fault_abort(&self) -> Option<&'r FaultAbort> {
        self.policy()?.fault_abort.as_ref()
    }

    /// The status that the proxy itself answers a request with that is not gRPC; `None` where the upstream answers or the
    /// connection is closed.
    pub fn status(&self) -> Option<u16> {
        self.outcome.status()
    }

    /// The same, to be kept: it owns what it needs of `router`, which made this decision. `None`: another router made it, as where a
    /// live one was updated in between; take the router once, for both.
    pub fn keep(&self, router: &Router) -> Option<Exchange> {
        let is_its = std::ptr::eq(self.clusters, &router.tables.clusters);
        is_its.then(|| Exchange::new(router, self))
    }

    /// What it says, as a record: for a log, or to be serialized. It lives on its own, and cannot be carried out.
    pub fn record(&self) -> DecisionRecord {
        DecisionRecord::new(self)
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.outcome.fmt(f)?;
        if let (Some((position, rule)), Some(host)) = (self.rule, self.virtual_host) {
            write!(f, " (rule {position}")?;
            if !rule.name().is_empty() {
                write!(f, " `{}`", rule.name())?;
            }
            if let Some(origin) = rule.origin() {
                let root = origin.root();
                write!(f, " of {} {}", root.kind(), root.resource())?;
            }
            write!(f, ", virtual host {})", host.name())?;
        }
        if let Some(delay) = self.delay {
            write!(f, " after {delay:?}")?;
        }
        Ok(())
    }
}
