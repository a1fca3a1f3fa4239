//! A decision that lives on its own: it goes from the task that decides to the one that forwards, and waits for the response.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::router::{Action, Listener, RouteConfig, Router, Split, VirtualHost};
use crate::terms::connection_manager::ConnectionManager;

use super::{BadRequest, Decision, NotFound, Outcome, Side};

/// A decision with what it needs of its router: [`decision`](Self::decision) is the same one again, without a walk. For a
/// proxy's context of a request, or the extensions of one.
///
/// It keeps its listener, route configuration and virtual host, and the router's clusters, alive, whatever updates come: what
/// was decided is carried out.
///
/// # Complexity
/// Made and cloned by counting references up: no allocation. 128 bytes or less.
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use meshroute::{Mesh, Proxy, Request, Resources, Router};
///
/// let yaml = "
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata: {name: shop, namespace: default}
/// spec: {hosts: [shop.example.com], http: [{route: [{destination: {host: shop}}]}]}
/// ";
/// let mesh = Mesh::resolve(Resources::from_yaml(yaml)?)?;
/// let router = Router::compile(&mesh, &Proxy::default());
/// let exchange = {
///     let url = "http://shop.example.com/cart".to_owned();
///     router.decide(&Request::get(&url), 42).keep(&router).unwrap()
/// };
/// drop(router);
/// let elsewhere = std::thread::spawn(move || {
///     let decision = exchange.decision();
///     decision.cluster().map(|cluster| cluster.host().to_owned())
/// });
/// assert_eq!(elsewhere.join().unwrap().as_deref(), Some("shop.default.svc.cluster.local"));
/// # }
/// # Ok::<(), meshroute::Report>(())
/// ```
#[derive(Clone)]
pub struct Exchange {
    router: Router,
    listener: Option<Arc<Listener>>,
    route_config: Option<Arc<RouteConfig>>,
    virtual_host: Option<Arc<VirtualHost>>,
    entropy: u64,
    delay: Option<Duration>,
    /// Of the rule in its virtual host, or of the filter chain of its listener.
    position: u32,
    /// In the split.
    chosen: Option<u32>,
    ending: Ending,
    manager: ConnectionManager,
    side: Side,
}

/// An outcome by its name: what it has beside that, rule or filter chain know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Forward,
    Tcp,
    AwaitRequest,
    Redirect,
    HttpsRedirect,
    PathRedirect,
    Respond,
    Abort,
    CorsPreflight,
    BadRequest(BadRequest),
    NotFound(NotFound),
}

impl Exchange {
    pub(super) fn new(router: &Router, decision: &Decision<'_>) -> Self {
        let (ending, split) = match decision.outcome {
            Outcome::Forward { action, .. } => (Ending::Forward, Some(action.split())),
            Outcome::Tcp { proxy, .. } => (Ending::Tcp, Some(proxy.split())),
            Outcome::AwaitRequest => (Ending::AwaitRequest, None),
            Outcome::Redirect(_) => (Ending::Redirect, None),
            Outcome::HttpsRedirect => (Ending::HttpsRedirect, None),
            Outcome::PathRedirect => (Ending::PathRedirect, None),
            Outcome::Respond(_) => (Ending::Respond, None),
            Outcome::Abort(_) => (Ending::Abort, None),
            Outcome::CorsPreflight(_) => (Ending::CorsPreflight, None),
            Outcome::BadRequest(why) => (Ending::BadRequest(why), None),
            Outcome::NotFound(why) => (Ending::NotFound(why), None),
        };
        // A fault or a preflight answers where something was drawn all the same.
        let drawn_from = split.or_else(|| Some(decision.rule()?.action().as_forward()?.split()));
        let place = |split: &Split| Some(split.place_of(decision.chosen?));
        let position = match (decision.tcp(), decision.listener) {
            (Some(proxy), Some(listener)) => listener.place_of_tcp(proxy),
            _ => decision.position().unwrap_or_default(),
        };
        Exchange {
            router: router.clone(),
            listener: decision.listener.cloned(),
            route_config: decision.route_config.cloned(),
            virtual_host: decision.virtual_host.cloned(),
            entropy: decision.entropy,
            delay: decision.delay,
            position: position as u32,
            chosen: drawn_from.and_then(place).map(|place| place as u32),
            ending,
            manager: decision.manager,
            side: decision.side,
        }
    }

    /// The router that decided.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// The decision.
    ///
    /// # Complexity
    /// Some loads. No walk, no allocation.
    pub fn decision(&self) -> Decision<'_> {
        let clusters = &self.router.tables.clusters;
        let (position, listener) = (self.position as usize, self.listener.as_ref());
        let has_rule = matches!(
            self.ending,
            Ending::Forward
                | Ending::Redirect
                | Ending::Respond
                | Ending::Abort
                | Ending::CorsPreflight
        );
        let rule = self.virtual_host.as_deref().filter(|_| has_rule);
        let rule = rule.and_then(|host| Some((position, host.rules().get(position)?)));
        let proxy = match self.ending {
            Ending::Tcp => listener.and_then(|listener| listener.tcp_at(position)),
            _ => None,
        };
        let action = rule.map(|(_, rule)| rule.action());
        let forward = action.and_then(|action| action.as_forward());
        let split = proxy
            .map(|proxy| proxy.split())
            .or_else(|| Some(forward?.split()));
        let chosen = split.and_then(|split| split.at(self.chosen? as usize));
        let cluster = chosen.map(|chosen| clusters.cluster(chosen.cluster()));
        let policy = action.map(|action| action.policy());
        let outcome = match self.ending {
            Ending::Forward => forward
                .zip(cluster)
                .map(|(action, cluster)| Outcome::Forward { action, cluster }),
            Ending::Tcp => proxy
                .zip(cluster)
                .map(|(proxy, cluster)| Outcome::Tcp { proxy, cluster }),
            Ending::AwaitRequest => Some(Outcome::AwaitRequest),
            Ending::Redirect => match action {
                Some(Action::Redirect(redirection)) => Some(Outcome::Redirect(redirection)),
                _ => None,
            },
            Ending::HttpsRedirect => Some(Outcome::HttpsRedirect),
            Ending::PathRedirect => Some(Outcome::PathRedirect),
            Ending::Respond => match action {
                Some(Action::Respond(response)) => Some(Outcome::Respond(response)),
                _ => None,
            },
            Ending::Abort => policy
                .and_then(|policy| policy.fault_abort.as_ref())
                .map(Outcome::Abort),
            Ending::CorsPreflight => policy
                .and_then(|policy| policy.cors.as_deref())
                .map(Outcome::CorsPreflight),
            Ending::BadRequest(why) => Some(Outcome::BadRequest(why)),
            Ending::NotFound(why) => Some(Outcome::NotFound(why)),
        };
        Decision {
            clusters,
            side: self.side,
            manager: self.manager,
            listener,
            route_config: self.route_config.as_ref(),
            virtual_host: self.virtual_host.as_ref(),
            rule,
            chosen,
            // Whatever was decided stands in the tables that are kept.
            outcome: outcome.unwrap_or(Outcome::NotFound(NotFound::NoRule)),
            delay: self.delay,
            entropy: self.entropy,
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exchange").field(&self.decision()).finish()
    }
}
