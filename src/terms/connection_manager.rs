//! What a proxy does with a request before it routes it, as far as it is configured: Envoy calls this the HTTP connection
//! manager. MeshConfig and the side of the proxy say it, the walk does it.

use super::path_normalization::PathHandling;

/// The settings of a side that hold before anything is matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionManager {
    /// What is done to the path.
    pub path: PathHandling,
    /// Clients are strangers: what they say of themselves (`x-forwarded-*`) is overwritten or added to. True of gateways.
    pub is_edge: bool,
    /// How many proxies stand before this one whose `x-forwarded-*` are believed (`numTrustedProxies`).
    pub trusted_hops: u32,
    /// What becomes of `x-forwarded-client-cert`.
    pub client_certificate: ForwardClientCert,
    /// What is done with headers that have a `_` in their name.
    pub underscores: Underscores,
    /// The upstream is not told which attempt it is (`x-envoy-attempt-count`).
    pub hides_attempts: bool,
    /// The upstream is told neither how long it has nor what the path was (`x-envoy-expected-rq-timeout-ms`,
    /// `x-envoy-original-path`).
    pub hides_itself: bool,
    /// The upstream is told the host that a rule rewrites (`x-forwarded-host`).
    pub appends_host: bool,
    /// The upstream is told the port where the request arrived (`x-forwarded-port`).
    pub appends_port: bool,
}

/// What is done with headers that have a `_` in their name, which some upstreams take for a `-`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Underscores {
    /// Nothing.
    #[default]
    Allow,
    /// A request that has one is refused.
    Reject,
    /// They are dropped.
    Drop,
}

/// What becomes of `x-forwarded-client-cert` (`forwardClientCertDetails`). What a proxy writes into it is known only to
/// the one that has seen the certificate: the caller adds it after [`apply`](crate::Decision::apply).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForwardClientCert {
    /// It is removed.
    #[default]
    Sanitize,
    /// It is kept where the client has shown a certificate, else removed.
    ForwardOnly,
    /// The same, and the certificate that the client has shown is to be appended.
    AppendForward,
    /// It is removed, and the certificate that the client has shown is to be written.
    SanitizeSet,
    /// It is kept.
    AlwaysForwardOnly,
}
