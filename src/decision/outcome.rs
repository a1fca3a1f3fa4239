//! How a decision ends: forwarded, redirected, answered, or not found.

use std::fmt;

use crate::router::{Cluster, Forward, LocalReply, Redirection, TcpProxy};
use crate::terms::route_policy::{AbortStatus, CorsPolicy, FaultAbort};

/// How a decision ends.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Outcome<'r> {
    /// The request goes to a cluster. Where [`Cluster::exists`] is false, a proxy answers
    /// [503 or 500](crate::terms::route_policy::MissingClusterStatus) instead.
    Forward {
        /// The action of the rule.
        action: &'r Forward,
        /// The cluster that the draw chose.
        cluster: &'r Cluster,
    },
    /// The bytes of the connection go to a cluster.
    Tcp {
        /// The filter.
        proxy: &'r TcpProxy,
        /// The cluster that the draw chose.
        cluster: &'r Cluster,
    },
    /// Only for a bare connection: its filter chain routes HTTP, so a request is needed to say more.
    AwaitRequest,
    /// The request is answered with a `location`.
    Redirect(&'r Redirection),
    /// The virtual host wants TLS: 301 to the same URL with https (R-H-065).
    HttpsRedirect,
    /// The request is answered directly.
    Respond(&'r LocalReply),
    /// An injected fault answers.
    Abort(&'r FaultAbort),
    /// The CORS filter answers a preflight request.
    CorsPreflight(&'r CorsPolicy),
    /// Nothing answers: 404, 400, or a closed connection.
    NotFound(NotFound),
}

/// Why nothing answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotFound {
    /// The proxy has no such gateway, or does not serve that side at all.
    NoGateway,
    /// No listener at that address and port.
    NoListener,
    /// The listener has no filter chain for this connection.
    NoFilterChain,
    /// Plain text where the filter chain terminates TLS, or TLS where it expects plain HTTP: the connection is closed.
    ProtocolMismatch,
    /// The request names no host: 400 (R-H-073).
    NoHost,
    /// The path is empty or does not begin with `/`: 404 (R-H-073).
    NoPath,
    /// The path cannot be normalised, or holds a `#`: 400 (R-H-070, R-H-072).
    BadPath,
    /// The path does not fit any buffer: 431.
    TooLong,
    /// No virtual host for this host: 404.
    NoVirtualHost,
    /// The virtual host has no rule for this request: 404 (R-H-001).
    NoRule,
}

impl NotFound {
    /// The status of the answer; `None`: the connection is closed.
    pub fn status(self) -> Option<u16> {
        match self {
            NotFound::NoGateway
            | NotFound::NoListener
            | NotFound::NoFilterChain
            | NotFound::ProtocolMismatch => None,
            NotFound::NoHost | NotFound::BadPath => Some(400),
            NotFound::NoPath | NotFound::NoVirtualHost | NotFound::NoRule => Some(404),
            NotFound::TooLong => Some(431),
        }
    }
}

impl Outcome<'_> {
    /// One word for it: `cluster`, `no_such_cluster`, `redirect` (every answer with a location), `direct_response`,
    /// `fault_abort`, `cors_response`, `no_route`, `no_listener`, `no_filter_chain`, `connection_failure`, `bad_request`, `await_request`.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Forward { cluster, .. } | Outcome::Tcp { cluster, .. } => {
                if cluster.exists() {
                    "cluster"
                } else {
                    "no_such_cluster"
                }
            }
            Outcome::AwaitRequest => "await_request",
            Outcome::Redirect(_) | Outcome::HttpsRedirect => "redirect",
            Outcome::Respond(response) if response.has_location() => "redirect",
            Outcome::Respond(_) => "direct_response",
            Outcome::Abort(_) => "fault_abort",
            Outcome::CorsPreflight(_) => "cors_response",
            Outcome::NotFound(why) => match why {
                NotFound::NoGateway | NotFound::NoListener => "no_listener",
                NotFound::NoFilterChain => "no_filter_chain",
                NotFound::ProtocolMismatch => "connection_failure",
                NotFound::NoHost | NotFound::BadPath | NotFound::TooLong => "bad_request",
                NotFound::NoPath | NotFound::NoVirtualHost | NotFound::NoRule => "no_route",
            },
        }
    }

    /// The status that the proxy itself answers with; `None` where the upstream answers or the connection is closed. A
    /// gRPC request gets 200 and a `grpc-status` instead.
    pub fn status(&self) -> Option<u16> {
        match self {
            Outcome::Forward { action, cluster } => {
                (!cluster.exists()).then_some(action.policy().missing_cluster.as_u16())
            }
            Outcome::Tcp { .. } | Outcome::AwaitRequest => None,
            Outcome::Redirect(redirection) => Some(redirection.redirect().status),
            Outcome::HttpsRedirect => Some(301),
            Outcome::Respond(response) => Some(response.response().status),
            Outcome::Abort(abort) => Some(abort.status.as_http()),
            Outcome::CorsPreflight(_) => Some(200),
            Outcome::NotFound(why) => why.status(),
        }
    }
}

impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Forward { cluster, .. } => write!(f, "cluster {}", cluster.name())?,
            Outcome::Tcp { cluster, .. } => write!(f, "tcp to cluster {}", cluster.name())?,
            Outcome::AwaitRequest => f.write_str("routes HTTP: needs a request")?,
            Outcome::Redirect(redirection) => {
                write!(f, "redirect {}", redirection.redirect().status)?;
            }
            Outcome::HttpsRedirect => f.write_str("redirect 301 to https")?,
            Outcome::Respond(response) => {
                write!(f, "direct response {}", response.response().status)?;
            }
            Outcome::Abort(abort) => match abort.status {
                AbortStatus::Http(status) => write!(f, "injected fault {status}")?,
                AbortStatus::Grpc(code) => write!(f, "injected fault: gRPC status {code}")?,
            },
            Outcome::CorsPreflight(_) => f.write_str("CORS preflight response 200")?,
            Outcome::NotFound(why) => why.fmt(f)?,
        }
        match self {
            Outcome::Forward { cluster, .. } | Outcome::Tcp { cluster, .. }
                if !cluster.exists() =>
            {
                f.write_str(", which does not exist")
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotFound::NoGateway => "no such gateway",
            NotFound::NoListener => "no listener at this address and port",
            NotFound::NoFilterChain => "no filter chain for this connection",
            NotFound::ProtocolMismatch => {
                "connection closed: TLS where plain text is expected, or the reverse"
            }
            NotFound::NoHost => "400: the request names no host",
            NotFound::NoPath => "404: the path does not begin with `/`",
            NotFound::BadPath => "400: the path cannot be normalised",
            NotFound::TooLong => "431: the path is too long",
            NotFound::NoVirtualHost => "404: no virtual host for this host",
            NotFound::NoRule => "404: no rule of the virtual host matches",
        })
    }
}

#[cfg(all(test, feature = "yaml"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::terms::route_policy::MissingClusterStatus;
    use crate::{Mesh, Proxy, Request, Resources, Router};

    #[test]
    fn r_m_139_a_missing_cluster_answers_what_the_rule_says() {
        let text = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: default}
spec: {hosts: [a.example.com], http: [{route: [{destination: {host: nowhere.example.com}}]}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: a, namespace: default}
spec: {hosts: [a.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}
";
        let mesh = Mesh::resolve(Resources::from_yaml(text).expect("YAML")).expect("a mesh");
        let router = Router::compile(&mesh, &Proxy::default());
        let decision = router.decide(&Request::get("http://a.example.com/"), 0);
        let Outcome::Forward { action, cluster } = decision.outcome() else {
            panic!("{decision}");
        };
        assert_eq!(decision.status(), Some(503));
        let mut action = action.clone();
        Arc::make_mut(&mut action.policy).missing_cluster =
            MissingClusterStatus::InternalServerError;
        let action = &action;
        assert_eq!(Outcome::Forward { action, cluster }.status(), Some(500));
    }
}
