//! The answer for one request: where it goes, and what happens to it on the way. Borrowed from the router.

use std::time::Duration;

use crate::router::{
    Action, Cluster, Forward, Listener, Mirror, Redirection, Response, RouteConfig, Rule, TcpProxy,
    VirtualHost, WeightedCluster,
};
use crate::terms::route_policy::{CorsPolicy, FaultAbort};

/// What a router decided for a request (or a connection).
#[derive(Clone, Copy, Debug)]
pub struct Decision<'r> {
    pub(crate) listener: Option<&'r Listener>,
    pub(crate) route_config: Option<&'r RouteConfig>,
    pub(crate) virtual_host: Option<&'r VirtualHost>,
    /// Index of the rule in its virtual host, and the rule.
    pub(crate) rule: Option<(usize, &'r Rule)>,
    pub(crate) outcome: Outcome<'r>,
    /// Injected delay that this request draws.
    pub(crate) delay: Option<Duration>,
    /// The caller's entropy: mirrors are drawn from it when they are asked for.
    pub(crate) entropy: u64,
}

/// How a decision ends.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Outcome<'r> {
    /// The request goes to a cluster. Where [`Cluster::exists`] is false, Envoy answers 503 instead.
    Forward {
        /// The action of the rule.
        action: &'r Forward,
        /// The cluster that the draw chose.
        chosen: &'r WeightedCluster,
    },
    /// The bytes of the connection go to a cluster.
    Tcp {
        /// The filter.
        proxy: &'r TcpProxy,
        /// The cluster that the draw chose.
        chosen: &'r WeightedCluster,
    },
    /// The request is answered with a `location`.
    Redirect(&'r Redirection),
    /// The virtual host wants TLS: 301 to the same URL with https (R-H-065).
    HttpsRedirect,
    /// The request is answered directly.
    Respond(&'r Response),
    /// An injected fault answers.
    Abort(&'r FaultAbort),
    /// The CORS filter answers a preflight request.
    CorsPreflight(&'r CorsPolicy),
    /// Nothing answers: 404, a closed connection, or 400.
    NotFound(NotFound),
}

/// Why nothing answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotFound {
    /// No listener at that address and port.
    NoListener,
    /// The listener has no filter chain for this connection.
    NoFilterChain,
    /// No virtual host for this host: 404.
    NoVirtualHost,
    /// The virtual host has no rule for this request: 404 (R-H-001).
    NoRule,
    /// Envoy answers 400 before it routes: no host, `#` in the path, a path that cannot be normalised.
    BadRequest,
}

/// What a rule does, for matching on.
pub type ActionRef<'r> = &'r Action;

impl<'r> Decision<'r> {
    /// The cluster that the request or connection goes to.
    pub fn cluster(&self) -> Option<&'r Cluster> {
        match self.outcome {
            Outcome::Forward { chosen, .. } | Outcome::Tcp { chosen, .. } => Some(&chosen.cluster),
            _ => None,
        }
    }

    /// The mirrors of the rule, whether or not this request draws them.
    pub(crate) fn all_mirrors(&self) -> &'r [Mirror] {
        match self.outcome {
            Outcome::Forward { action, .. } => &action.mirrors,
            _ => &[],
        }
    }
}
