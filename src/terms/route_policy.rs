//! What happens to a request and its response on a matched rule: policies per route, typed and shared by all views.

use std::sync::Arc;
use std::time::Duration;

use super::condition::ValueMatch;
use super::regex::Rewriter;
use super::weighted::FractionalPercent;

/// A path rewrite (R-H-126..R-H-132).
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum PathRewrite {
    /// `rewrite.uri`: replaces the matched prefix, or the whole path after an exact or regex match.
    Uri(Box<str>),
    /// `rewrite.uriRegexRewrite`: replaces every match in the path.
    Regex(Rewriter),
}

short_debug! { enum PathRewrite {Uri(part), Regex(part)} }

/// `rewrite`.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Rewrite {
    /// The path rewrite, if any.
    pub path: Option<PathRewrite>,
    /// The host rewrite, if any; beats every host set by headers (R-H-123).
    pub authority: Option<Box<str>>,
}

short_debug! { Rewrite {path, authority} }

impl Rewrite {
    /// Whether it rewrites anything.
    pub(crate) fn is_some(&self) -> bool {
        self.path.is_some() || self.authority.is_some()
    }
}

/// When and how a request is tried again (R-H-146, R-H-147).
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Retries beyond the first try.
    pub attempts: u32,
    /// Conditions as Envoy spells them, joined with `,`.
    pub retry_on: Box<str>,
    /// Status codes that are tried again (`retriable-status-codes`).
    pub retriable_status_codes: Box<[u32]>,
    /// Limit of each try.
    pub per_try_timeout: Option<Duration>,
    /// Base interval between tries; Envoy's 25 ms if unset.
    pub backoff: Option<Duration>,
    /// Prefer hosts that were not tried yet.
    pub avoid_previous_hosts: bool,
    /// `retryIgnorePreviousHosts` was written; if not, a destination that hashes its requests keeps to its hosts (R-H-146).
    pub previous_hosts_written: bool,
    /// How often another host is chosen when one was tried already.
    pub host_selection_attempts: u32,
    /// Tries may go to other localities.
    pub remote_localities: bool,
}

short_debug! {
    RetryPolicy {attempts, retry_on, retriable_status_codes, per_try_timeout, backoff,
    avoid_previous_hosts, previous_hosts_written, host_selection_attempts, remote_localities}
}

impl Default for RetryPolicy {
    /// What Istio tells Envoy to retry where nobody wrote anything (R-H-146).
    fn default() -> Self {
        RetryPolicy {
            attempts: 2,
            retry_on: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
                .into(),
            retriable_status_codes: Box::new([]),
            per_try_timeout: None,
            backoff: None,
            avoid_previous_hosts: true,
            previous_hosts_written: false,
            host_selection_attempts: 5,
            remote_localities: false,
        }
    }
}

/// `corsPolicy` (R-H-148).
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct CorsPolicy {
    /// Origins that are allowed: any of these.
    pub allow_origins: Box<[ValueMatch]>,
    /// Methods, joined with `,`.
    pub allow_methods: Option<Box<str>>,
    /// Request headers, joined with `,`.
    pub allow_headers: Option<Box<str>>,
    /// Response headers, joined with `,`.
    pub expose_headers: Option<Box<str>>,
    /// How long a preflight answer holds; whole seconds.
    pub max_age: Option<Duration>,
    /// Credentials; unset means that no header is sent.
    pub allow_credentials: Option<bool>,
    /// Whether a preflight of an origin that is not allowed goes on to the upstream (Istio's default).
    pub forward_unmatched_preflights: bool,
}

short_debug! {
    CorsPolicy {allow_origins, allow_methods, allow_headers, expose_headers, max_age,
    allow_credentials, forward_unmatched_preflights}
}

/// `fault.delay` (R-H-144).
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct FaultDelay {
    /// How long.
    pub duration: Duration,
    /// How often.
    pub percentage: FractionalPercent,
}

short_debug! { FaultDelay {duration, percentage} }

/// What an injected abort answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AbortStatus {
    /// HTTP status.
    Http(u16),
    /// gRPC status code (0..=16).
    Grpc(u32),
}

impl AbortStatus {
    /// The HTTP status of the answer: for a gRPC status it is 200, whether the client speaks gRPC or not.
    pub fn as_http(self) -> u16 {
        match self {
            AbortStatus::Http(status) => status,
            AbortStatus::Grpc(_) => 200,
        }
    }
}

/// `fault.abort` (R-H-144).
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct FaultAbort {
    /// With what.
    pub status: AbortStatus,
    /// How often.
    pub percentage: FractionalPercent,
}

short_debug! { FaultAbort {status, percentage} }

/// One key of consistent hashing (R-M-089, R-M-090).
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum HashKey {
    /// A request header.
    Header(Box<str>),
    /// A cookie.
    Cookie {
        /// Its name.
        name: Box<str>,
        /// Its path, if one is generated.
        path: Box<str>,
        /// Unset: only an existing cookie is hashed. Zero: a session cookie is generated. Else: one that lives so long.
        ttl: Option<Duration>,
        /// Further attributes of a generated cookie.
        attributes: Box<[(Box<str>, Box<str>)]>,
    },
    /// The client's address.
    SourceIp,
    /// A query parameter.
    QueryParameter(Box<str>),
}

short_debug! {
    enum HashKey {Header(part), Cookie {name, path, ttl, attributes}, SourceIp,
    QueryParameter(part)}
}

/// The parts of a rule's action that do not depend on the view: shared, never copied.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct RoutePolicy {
    /// Whole-request timeout; unset or zero: none (R-H-145).
    pub timeout: Option<Duration>,
    /// Retries; unset: none.
    pub retries: Option<RetryPolicy>,
    /// CORS.
    pub cors: Option<Arc<CorsPolicy>>,
    /// Injected delay.
    pub fault_delay: Option<FaultDelay>,
    /// Injected abort.
    pub fault_abort: Option<FaultAbort>,
    /// Path and host rewrite.
    pub rewrite: Rewrite,
    /// What is answered where the rule leads to a cluster that does not exist.
    pub missing_cluster: MissingClusterStatus,
}

short_debug! { RoutePolicy {timeout, retries, cors, fault_delay, fault_abort, rewrite, missing_cluster} }

/// The status that a proxy answers with where a rule leads to a cluster that does not exist: Envoy's
/// `cluster_not_found_response_code`. A cluster without endpoints is another matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MissingClusterStatus {
    /// 503: what routes of VirtualServices answer (R-M-139).
    #[default]
    ServiceUnavailable,
    /// 500: what routes of the Gateway API answer.
    InternalServerError,
}

impl MissingClusterStatus {
    /// The number.
    pub const fn as_u16(self) -> u16 {
        match self {
            MissingClusterStatus::ServiceUnavailable => 503,
            MissingClusterStatus::InternalServerError => 500,
        }
    }
}

impl RoutePolicy {
    /// The policy for a single destination that is chosen by consistent hashing: a retry goes to the host that the hash
    /// names, unless the rule says otherwise (R-H-146).
    pub fn for_hashed_destination(self: &Arc<Self>) -> Arc<Self> {
        match &self.retries {
            Some(retries) if retries.avoid_previous_hosts && !retries.previous_hosts_written => {
                let mut policy = RoutePolicy::clone(self);
                policy.retries = Some(RetryPolicy {
                    avoid_previous_hosts: false,
                    ..retries.clone()
                });
                Arc::new(policy)
            }
            _ => Arc::clone(self),
        }
    }
}

/// The port of a redirect (R-H-136).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedirectPort {
    /// None: also `derivePort: FROM_PROTOCOL_DEFAULT`.
    #[default]
    None,
    /// `port`.
    Port(u16),
    /// `derivePort: FROM_REQUEST_PORT`: the listener port of compile time.
    FromRequestPort,
}

/// `redirect` (R-H-133..R-H-137).
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Redirect {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    /// Replaces the whole path.
    pub uri: Option<Box<str>>,
    /// Replaces the matched prefix.
    pub prefix_rewrite: Option<Box<str>>,
    /// Replaces the host.
    pub authority: Option<Box<str>>,
    /// Replaces the scheme.
    pub scheme: Option<Box<str>>,
    /// The port.
    pub port: RedirectPort,
}

short_debug! { Redirect {status, uri, prefix_rewrite, authority, scheme, port} }

/// `directResponse` (R-H-139).
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirectResponse {
    /// HTTP status.
    pub status: u16,
    /// Body; empty: none.
    pub body: Box<[u8]>,
}

short_debug! { DirectResponse {status, body} }
