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
    /// The client is sent to the path without its escaped slashes (R-H-150).
    PathRedirect,
    /// The request is answered directly.
    Respond(&'r LocalReply),
    /// An injected fault answers.
    Abort(&'r FaultAbort),
    /// The CORS filter answers a preflight request.
    CorsPreflight(&'r CorsPolicy),
    /// The proxy refuses the request before it looks at any route.
    BadRequest(BadRequest),
    /// Nothing answers: 404, or a closed connection.
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
            NotFound::NoVirtualHost | NotFound::NoRule => Some(404),
        }
    }
}

/// Why a request is refused before any route is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BadRequest {
    /// It names no host: 400 (R-H-073).
    MissingHost,
    /// The authority holds a byte that none may hold: 400.
    InvalidAuthority,
    /// Authority or target hold a control byte: 400.
    InvalidCharacters,
    /// The target is neither a path, `*` nor a URL, or holds a byte that none may hold: 400.
    InvalidTarget,
    /// The target is not a URL with a host: 400.
    InvalidUrl,
    /// The target is a URL of another scheme than `http` and `https`: 400.
    InvalidScheme,
    /// The target is an `https` URL, in plain text, at a gateway before which no proxy is trusted: 403.
    HttpsUrlOnPlaintext,
    /// The path does not begin with `/`: 404 (R-H-073).
    AbsolutePathRejected,
    /// The path cannot be normalised, or holds a `#`: 400 (R-H-070, R-H-072).
    PathNormalizationFailed,
    /// Authority or target do not fit any buffer: 431.
    HeadersTooLarge,
    /// HTTP/2: the authority is empty or holds a byte that none may hold, or `te` is more than `trailers`; the stream is reset.
    InvalidHeaderField,
    /// HTTP/2: the target does not begin with `/`; the stream is reset.
    MessagingViolation,
    /// The method is none that Envoy knows: 400 (R-H-152).
    InvalidMethod,
    /// `connection` names what it may not, or too much: 400 (R-H-153).
    ConnectionHeaderRejected,
    /// `transfer-encoding` is more than `chunked`: 501 (R-H-152).
    InvalidTransferEncoding,
    /// Both `transfer-encoding` and `content-length`: 400 (R-H-152).
    ChunkedContentLength,
    /// A header has a `_` in its name: 400, or over HTTP/2 the stream is reset (R-H-150).
    UnexpectedUnderscore {
        /// Over HTTP/2.
        is_http2: bool,
    },
    /// The connection is to change to a protocol that no proxy of the mesh lets through, or by `CONNECT`: 403 (R-H-154).
    UpgradeFailed,
}

impl BadRequest {
    /// Envoy's word for it, as in its access log.
    pub fn detail(self) -> &'static str {
        match self {
            BadRequest::MissingHost => "missing_host_header",
            BadRequest::InvalidAuthority => "http.invalid_authority",
            BadRequest::InvalidCharacters => "http1.invalid_characters",
            BadRequest::InvalidTarget => "http1.codec_error",
            BadRequest::InvalidUrl => "http1.invalid_url",
            BadRequest::InvalidScheme => "http1.invalid_scheme",
            BadRequest::HttpsUrlOnPlaintext => "http1.https_url_on_plaintext_connection",
            BadRequest::AbsolutePathRejected => "absolute_path_rejected",
            BadRequest::PathNormalizationFailed => "path_normalization_failed",
            BadRequest::HeadersTooLarge => "http1.headers_too_large",
            BadRequest::InvalidHeaderField => "http2.invalid.header.field",
            BadRequest::MessagingViolation => "http2.violation.of.messaging.rule",
            BadRequest::InvalidMethod => "http1.codec_error",
            BadRequest::ConnectionHeaderRejected => "http1.connection_header_rejected",
            BadRequest::InvalidTransferEncoding => "http1.invalid_transfer_encoding",
            BadRequest::ChunkedContentLength => "http1.content_length_and_chunked_not_allowed",
            BadRequest::UnexpectedUnderscore { is_http2: false } => "http1.unexpected_underscore",
            BadRequest::UnexpectedUnderscore { is_http2: true } => "http2.unexpected_underscore",
            BadRequest::UpgradeFailed => "upgrade_failed",
        }
    }

    /// The status of the answer; `None`: the stream is reset.
    pub fn status(self) -> Option<u16> {
        match self {
            BadRequest::HttpsUrlOnPlaintext | BadRequest::UpgradeFailed => Some(403),
            BadRequest::AbsolutePathRejected => Some(404),
            BadRequest::HeadersTooLarge => Some(431),
            BadRequest::InvalidTransferEncoding => Some(501),
            BadRequest::InvalidHeaderField
            | BadRequest::MessagingViolation
            | BadRequest::UnexpectedUnderscore { is_http2: true } => None,
            _ => Some(400),
        }
    }

    /// It was refused for its first line, or for bytes: before any header is looked at.
    pub(crate) fn is_of_first_line(self) -> bool {
        matches!(
            self,
            BadRequest::InvalidCharacters
                | BadRequest::InvalidTarget
                | BadRequest::InvalidMethod
                | BadRequest::HeadersTooLarge
                | BadRequest::InvalidHeaderField
                | BadRequest::MessagingViolation
        )
    }

    /// It was refused while it was read: the answer is the same to every client, gRPC or not.
    pub(crate) fn is_unreadable(self) -> bool {
        let read = [
            BadRequest::MissingHost,
            BadRequest::AbsolutePathRejected,
            BadRequest::PathNormalizationFailed,
            BadRequest::UpgradeFailed,
        ];
        !read.contains(&self)
    }
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status() {
            Some(status) => write!(f, "{status}: ")?,
            None => f.write_str("stream reset: ")?,
        }
        f.write_str(self.detail())
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
            Outcome::Redirect(_) | Outcome::HttpsRedirect | Outcome::PathRedirect => "redirect",
            Outcome::Respond(response) if response.has_location() => "redirect",
            Outcome::Respond(_) => "direct_response",
            Outcome::Abort(_) => "fault_abort",
            Outcome::CorsPreflight(_) => "cors_response",
            Outcome::BadRequest(_) => "bad_request",
            Outcome::NotFound(why) => match why {
                NotFound::NoGateway | NotFound::NoListener => "no_listener",
                NotFound::NoFilterChain => "no_filter_chain",
                NotFound::ProtocolMismatch => "connection_failure",
                NotFound::NoVirtualHost | NotFound::NoRule => "no_route",
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
            Outcome::PathRedirect => Some(307),
            Outcome::Respond(response) => Some(response.response().status),
            Outcome::Abort(abort) => Some(abort.status.as_http()),
            Outcome::CorsPreflight(_) => Some(200),
            Outcome::BadRequest(why) => why.status(),
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
            Outcome::PathRedirect => f.write_str("redirect 307 to the path without escapes")?,
            Outcome::Respond(response) => {
                write!(f, "direct response {}", response.response().status)?;
            }
            Outcome::Abort(abort) => match abort.status {
                AbortStatus::Http(status) => write!(f, "injected fault {status}")?,
                AbortStatus::Grpc(code) => write!(f, "injected fault: gRPC status {code}")?,
            },
            Outcome::CorsPreflight(_) => f.write_str("CORS preflight response 200")?,
            Outcome::BadRequest(why) => why.fmt(f)?,
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
