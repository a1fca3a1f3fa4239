//! TLS towards the endpoints of a cluster (R-M-111..R-M-113, R-M-119).

use std::sync::Arc;

/// When the endpoints of a cluster are spoken to by TLS, and how.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterTls {
    /// Never.
    #[default]
    Plain,
    /// Always.
    Always(UpstreamTls),
    /// Those that [take mutual TLS](super::LbEndpoint::is_mutual_tls); the others in plain text.
    Automatic(UpstreamTls),
}

short_debug! { enum ClusterTls {Plain, Always(part), Automatic(part)} }

impl ClusterTls {
    /// How an endpoint is spoken to; `None`: in plain text.
    pub fn of(&self, takes_mutual_tls: bool) -> Option<&UpstreamTls> {
        match self {
            ClusterTls::Always(tls) => Some(tls),
            ClusterTls::Automatic(tls) if takes_mutual_tls => Some(tls),
            ClusterTls::Automatic(_) | ClusterTls::Plain => None,
        }
    }
}

/// TLS towards an endpoint. Certificates stand by the names that istiod gives their secrets: `default` and `ROOTCA` are the
/// mesh's own, `file-cert:CERT~KEY` and `file-root:PATH` files (`system`: the system's), `kubernetes://NAME` a credential.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamTls {
    /// The server name that is asked for; `None`: none, unless `auto_sni`.
    pub sni: Option<Box<str>>,
    /// The server name is the request's host.
    pub auto_sni: bool,
    /// The server must be the request's host.
    pub auto_san_validation: bool,
    /// Protocols that are offered, the dearest first.
    pub alpn: &'static [&'static str],
    /// The client's own certificate; `None`: it shows none.
    pub certificate: Option<Arc<str>>,
    /// What the server's certificate is verified by; `None`: it is not.
    pub validation: Option<Arc<str>>,
    /// Names of which the server must have one; empty: any.
    pub subject_alt_names: Arc<[Box<str>]>,
    /// Path of the revocation list.
    pub crl: Option<Box<str>>,
}

short_debug! {
    UpstreamTls {sni, auto_sni, auto_san_validation, alpn, certificate, validation,
    subject_alt_names, crl}
}
