//! The walk: from a request to a decision, through the tables and nothing else. No clock, lock or log, and
//! no allocation but that of [`names`](super::names).
//!
//! side -> listener -> filter chain -> normalised path -> virtual host -> https redirect -> first rule that fits ->
//! faults -> CORS -> draw of a destination.

use std::sync::Arc;

use super::cors::{self, Cors};
use super::head::{Head, is_recognised, with_head};
use super::names::Names;
use super::path::{PathFault, with_normal_form};
use super::probe::Probe;
use super::refusal;
use super::subject::Subject;
use crate::decision::{BadRequest, Decision, NotFound, Outcome, Side};
use crate::router::{
    Action, ChainFacts, Cluster, ClusterTable, Filter, FilterChain, GatewayId, Listener,
    RouteConfig, Rule, Split, Tables, TcpProxy, Transport, View, VirtualHost,
};
use crate::terms::connection_manager::ConnectionManager;
use crate::terms::request::{Connection, Protocol, Request, Tls};
use crate::terms::route_policy::CorsPolicy;
use crate::terms::weighted::{Draw, FractionalPercent, split_entropy};

/// Decides a request.
pub(super) fn decide<'r, P: Probe>(
    tables: &'r Tables,
    request: &Request<'_>,
    entropy: u64,
    probe: &mut P,
) -> Decision<'r> {
    let clusters = &tables.clusters;
    with_head(request, |head| {
        let connection = &request.connection;
        let protocols = detected(request, head.is_ok());
        let authority = head.as_ref().map_or("", |head| head.authority);
        match choose_side(tables, connection, protocols, Some(authority)) {
            Ok(side) => {
                let arriving = (connection, protocols, Some((request, head)));
                run((clusters, side), arriving, entropy, probe)
            }
            Err(why) => nowhere(clusters, why, entropy, probe),
        }
    })
}

/// Decides a request at a gateway that is known already, whichever the request names; `None`: it is of no side of the proxy.
pub(super) fn decide_at<'r, P: Probe>(
    tables: &'r Tables,
    gateway: GatewayId,
    request: &Request<'_>,
    entropy: u64,
    probe: &mut P,
) -> Option<Decision<'r>> {
    let side = tables.side_of(gateway)?;
    with_head(request, |head| {
        let protocols = detected(request, head.is_ok());
        let arriving = (&request.connection, protocols, Some((request, head)));
        Some(run((&tables.clusters, side), arriving, entropy, probe))
    })
}

/// Decides a bare connection.
pub(super) fn decide_connection<'r, P: Probe>(
    tables: &'r Tables,
    connection: &Connection<'_>,
    entropy: u64,
    probe: &mut P,
) -> Decision<'r> {
    let clusters = &tables.clusters;
    match choose_side(tables, connection, connection.alpn, None) {
        Ok(side) => {
            let arriving = (connection, connection.alpn, None);
            run((clusters, side), arriving, entropy, probe)
        }
        Err(why) => nowhere(clusters, why, entropy, probe),
    }
}

/// The decision of what arrives nowhere.
fn nowhere<'r, P: Probe>(
    clusters: &'r ClusterTable,
    why: NotFound,
    entropy: u64,
    probe: &mut P,
) -> Decision<'r> {
    let mut decision = undecided(clusters, entropy);
    Walk::new(&mut decision, probe).not_found(why);
    decision
}

/// The protocols of a connection with a request on it: those that the client offers; on one in plain text, HTTP has been
/// detected, if the request looks like that.
fn detected<'c>(request: &Request<'c>, is_readable: bool) -> &'c [&'c str] {
    match (request.connection.alpn, request.protocol) {
        ([], _) if request.connection.tls != Tls::None => &[],
        ([], _) if !is_readable && !is_recognised(request) => &[],
        ([], Protocol::Http1) => &["http/1.1"],
        ([], Protocol::Http2) => &["h2c"],
        (offered, _) => offered,
    }
}

/// A request, and its head as far as that can be read.
type Readable<'a> = (&'a Request<'a>, Result<Head<'a>, BadRequest>);

/// A connection, its protocols, and perhaps a request on it.
type Arriving<'a> = (&'a Connection<'a>, &'a [&'a str], Option<Readable<'a>>);

fn run<'r, P: Probe>(
    (clusters, (side, view)): (&'r ClusterTable, (Side, &'r View)),
    (connection, protocols, request): Arriving<'_>,
    entropy: u64,
    probe: &mut P,
) -> Decision<'r> {
    let mut decision = undecided(clusters, entropy);
    let mut walk = Walk::new(&mut decision, probe);
    if let Some(chain) = walk.arrive(side, view, connection, protocols) {
        walk.run_chain(view, chain, connection, request);
    }
    decision
}

/// The decision of which nothing is known yet.
#[inline]
fn undecided(clusters: &ClusterTable, entropy: u64) -> Decision<'_> {
    Decision {
        clusters,
        side: Side::Mesh,
        manager: ConnectionManager::default(),
        listener: None,
        route_config: None,
        virtual_host: None,
        rule: None,
        chosen: None,
        outcome: Outcome::NotFound(NotFound::NoGateway),
        delay: None,
        entropy,
    }
}

/// A walk under way: the decision so far, written where the caller wants it, and who watches.
struct Walk<'r, 'p, P> {
    decision: &'p mut Decision<'r>,
    probe: &'p mut P,
}

impl<'r, 'p, P: Probe> Walk<'r, 'p, P> {
    fn new(decision: &'p mut Decision<'r>, probe: &'p mut P) -> Self {
        Walk { decision, probe }
    }

    fn not_found(&mut self, why: NotFound) {
        self.decision.outcome = Outcome::NotFound(why);
    }

    /// From the connection to its filter chain; `None`: the decision is made.
    fn arrive(
        &mut self,
        side: Side,
        view: &'r View,
        connection: &Connection<'_>,
        protocols: &[&str],
    ) -> Option<&'r FilterChain> {
        self.decision.side = side;
        self.decision.manager = view.manager();
        self.probe.side(side);
        let Some(listener) = view.listener(connection.address, connection.port) else {
            self.not_found(NotFound::NoListener);
            return None;
        };
        self.decision.listener = Some(listener);
        self.probe.listener(listener, view.is_fallback(listener));
        let chain = chain(listener, connection, protocols);
        match chain {
            Some(chain) => self.probe.chain(chain),
            None => self.not_found(NotFound::NoFilterChain),
        }
        chain
    }

    fn run_chain(
        &mut self,
        view: &'r View,
        chain: &'r FilterChain,
        connection: &Connection<'_>,
        request: Option<Readable<'_>>,
    ) {
        let is_tls = connection.tls != Tls::None;
        match (chain.filter(), request) {
            (_, _) if chain.terminates_tls() && !is_tls => {
                self.not_found(NotFound::ProtocolMismatch);
            }
            (Filter::Tcp(proxy), _) => self.run_tcp(proxy),
            (Filter::Http(_), _) if is_tls && !chain.terminates_tls() => {
                self.not_found(NotFound::ProtocolMismatch);
            }
            (Filter::Http(config), None) => {
                self.decision.route_config = Some(view.route_config(*config));
                self.decision.outcome = Outcome::AwaitRequest;
            }
            (Filter::Http(config), Some((request, head))) => {
                let config = view.route_config(*config);
                self.decision.route_config = Some(config);
                match (head, refusal::of_lines(request, self.decision.manager)) {
                    (Ok(head), None) => self.run_http(config, request, head),
                    (Err(why), Some(_)) if why.is_of_first_line() => self.refuse(why),
                    (Err(why), None) | (_, Some(why)) => self.refuse(why),
                }
            }
        }
    }

    fn run_tcp(&mut self, proxy: &'r TcpProxy) {
        let cluster = self.pick(proxy.split());
        self.decision.outcome = Outcome::Tcp { proxy, cluster };
    }

    fn run_http(&mut self, config: &'r Arc<RouteConfig>, request: &Request<'_>, head: Head<'_>) {
        let manager = self.decision.manager;
        let is_plain = request.connection.tls == Tls::None;
        let distrusts = manager.is_edge && manager.trusted_hops == 0;
        if head.scheme == Some("https") && is_plain && distrusts {
            return self.refuse(BadRequest::HttpsUrlOnPlaintext);
        }
        with_normal_form(head.target, manager.path, |target| {
            let refused = match target {
                Ok(target) => {
                    self.probe.path(head.target, target.whole());
                    let names = Names::default();
                    let subject = Subject::new(request, &names, manager, head, target);
                    match target.is_redirected() {
                        // A client that speaks gRPC follows no redirect.
                        true if subject.is_grpc() => BadRequest::PathNormalizationFailed,
                        true => return self.decision.outcome = Outcome::PathRedirect,
                        false if refusal::is_unknown_upgrade(request) => BadRequest::UpgradeFailed,
                        false => return self.run_virtual_host(config, &subject),
                    }
                }
                Err(PathFault::NotAbsolute) => BadRequest::AbsolutePathRejected,
                Err(PathFault::Malformed) => BadRequest::PathNormalizationFailed,
                Err(PathFault::TooLong) => BadRequest::HeadersTooLarge,
            };
            self.refuse(refused);
        });
    }

    fn refuse(&mut self, why: BadRequest) {
        self.decision.outcome = Outcome::BadRequest(why);
    }

    fn run_virtual_host(&mut self, config: &'r Arc<RouteConfig>, subject: &Subject<'_, '_>) {
        let authority = subject.authority;
        let Some(host) = config.claimant(authority) else {
            self.probe.no_virtual_host(config, authority);
            return self.not_found(NotFound::NoVirtualHost);
        };
        self.decision.virtual_host = Some(host);
        self.probe.virtual_host(config, authority, host);
        if !self.probe.goes_on(host) {
            return;
        }
        if host.requires_tls() && subject.forwarded_proto() != b"https" {
            self.probe.https_redirect();
            self.decision.outcome = Outcome::HttpsRedirect;
            return;
        }
        match self.first_rule(host, subject) {
            Some(rule) => self.run_action(rule.action(), subject),
            None => self.not_found(NotFound::NoRule),
        }
    }

    fn first_rule(&mut self, host: &'r VirtualHost, subject: &Subject<'_, '_>) -> Option<&'r Rule> {
        if !P::SEES_EVERY_RULE {
            let position = self.probe.first(host.rule_list(), subject)?;
            let rule = host.rules().get(position)?;
            self.probe.matched(position, rule);
            self.decision.rule = Some((position, rule));
            return Some(rule);
        }
        for (position, rule) in host.rules().iter().enumerate() {
            if rule.matches().holds(subject) {
                self.probe.matched(position, rule);
                self.decision.rule = Some((position, rule));
                return Some(rule);
            }
            self.probe.skipped(position, rule, subject);
        }
        None
    }

    /// Fault filter, CORS filter, router: in this order (R-H-149).
    fn run_action(&mut self, action: &'r Action, subject: &Subject<'_, '_>) {
        let policy = action.policy();
        let outcome = match action {
            Action::Forward(forward) => Outcome::Forward {
                action: forward,
                cluster: self.pick(forward.split()),
            },
            Action::Redirect(redirection) => Outcome::Redirect(redirection),
            Action::Respond(response) => Outcome::Respond(response),
        };
        if let Some(delay) = &policy.fault_delay
            && self.draws(Draw::FaultDelay, delay.percentage)
        {
            self.decision.delay = Some(delay.duration);
        }
        if let Some(abort) = &policy.fault_abort
            && self.draws(Draw::FaultAbort, abort.percentage)
        {
            self.decision.outcome = Outcome::Abort(abort);
            return;
        }
        self.decision.outcome = match (action, &policy.cors) {
            (Action::Forward(_), Some(cors)) if answers_preflight(cors, subject) => {
                Outcome::CorsPreflight(cors)
            }
            _ => outcome,
        };
    }

    fn pick(&mut self, split: &'r Split) -> &'r Cluster {
        let chosen = split.pick(split_entropy(self.decision.entropy, Draw::Split));
        self.decision.chosen = Some(chosen);
        let cluster = self.decision.clusters.cluster(chosen.cluster());
        if split.is_weighted() {
            let name = cluster.name();
            self.probe.split(name, chosen.weight(), split.total());
        }
        cluster
    }

    fn draws(&mut self, draw: Draw, chance: FractionalPercent) -> bool {
        let hit = chance.holds(split_entropy(self.decision.entropy, draw));
        self.probe.drawn(draw, chance, hit);
        hit
    }
}

fn answers_preflight(policy: &CorsPolicy, subject: &Subject<'_, '_>) -> bool {
    matches!(cors::evaluate(policy, subject), Cors::Preflight { .. })
}

fn chain<'r>(
    listener: &'r Listener,
    connection: &Connection<'_>,
    protocols: &[&str],
) -> Option<&'r FilterChain> {
    listener.chain(&ChainFacts {
        address: connection.address,
        server_name: connection.sni,
        transport: match connection.tls {
            Tls::None => Transport::Plaintext,
            Tls::Tls | Tls::Mutual => Transport::Tls,
        },
        application_protocols: protocols,
    })
}

/// The side that decides: the one that the connection names, where that Gateway has a server on the connection's port; else
/// the only one; else the mesh, unless it has nothing of its own for the host and a gateway has.
fn choose_side<'r>(
    tables: &'r Tables,
    connection: &Connection<'_>,
    protocols: &[&str],
    authority: Option<&str>,
) -> Result<(Side, &'r View), NotFound> {
    if let Some(name) = connection.gateway {
        let gateway = tables.arrivals.gateway(name).ok_or(NotFound::NoGateway)?;
        let mut arrivals = tables.arrivals.of_servers(gateway).iter();
        let listens = arrivals.any(|arrival| arrival.port == connection.port);
        if gateway != GatewayId::MESH && !listens {
            return Err(NotFound::NoListener);
        }
        return tables.side_of(gateway).ok_or(NotFound::NoGateway);
    }
    let mesh = tables.mesh.as_ref().map(|view| (Side::Mesh, view));
    let gateway = tables.gateway.as_ref().map(|view| (Side::Gateway, view));
    let clusters = &tables.clusters;
    match (mesh, gateway) {
        (Some(mesh), Some(gateway)) => {
            let claims = |(_, view): (Side, &'r View)| {
                claims(view, clusters, connection, protocols, authority)
            };
            let to_gateway = !claims(mesh) && claims(gateway);
            Ok(if to_gateway { gateway } else { mesh })
        }
        (mesh, gateway) => mesh.or(gateway).ok_or(NotFound::NoGateway),
    }
}

impl Tables {
    /// The side of the proxy that a gateway belongs to.
    pub(super) fn side_of(&self, gateway: GatewayId) -> Option<(Side, &View)> {
        match gateway {
            GatewayId::MESH => self.mesh.as_ref().map(|view| (Side::Mesh, view)),
            _ => self.gateway.as_ref().map(|view| (Side::Gateway, view)),
        }
    }
}

/// Whether a side has something of its own for a request or connection.
fn claims(
    view: &View,
    clusters: &ClusterTable,
    connection: &Connection<'_>,
    protocols: &[&str],
    authority: Option<&str>,
) -> bool {
    let Some(listener) = view.listener(connection.address, connection.port) else {
        return false;
    };
    if view.is_fallback(listener) {
        return false;
    }
    let Some(chain) = chain(listener, connection, protocols) else {
        return false;
    };
    match (chain.filter(), authority) {
        (Filter::Tcp(proxy), _) => proxy.origin().is_some() || !leads_nowhere(proxy, clusters),
        (Filter::Http(config), Some(authority)) => view
            .route_config(*config)
            .find(authority)
            .is_some_and(|host| !host.is_fallback()),
        (Filter::Http(_), None) => true,
    }
}

/// Whether a TCP chain is only what a sidecar falls back to: passthrough or black hole.
fn leads_nowhere(proxy: &TcpProxy, clusters: &ClusterTable) -> bool {
    let mut all = proxy.split().clusters();
    all.all(|entry| clusters.cluster(entry.cluster()).port().is_none())
}
