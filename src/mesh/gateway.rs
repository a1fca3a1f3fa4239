//! Gateway resources: servers that gateway workloads open (R-M-013..R-M-038).

use std::net::IpAddr;
use std::sync::Arc;

use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;

use super::service::Protocol;

/// A Gateway, typed.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    /// Its name.
    pub resource: ResourceName,
    /// Seconds since the epoch; 0 where unset.
    pub creation: i64,
    /// The workloads that it is for; `None` or empty: every gateway workload.
    pub selector: Option<Labels>,
    /// The Services whose workloads it is for, instead of a selector; `None`: it is no Gateway of the Gateway API.
    pub services: Option<GatewayServices>,
    /// Its servers in order.
    pub servers: Vec<Server>,
}

/// Through what a Gateway of the Gateway API is reached: the workloads behind these Services serve it (R-G-016, R-G-017).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GatewayServices {
    /// The Gateway as written; of each of its listeners one Gateway is made. The Services are of its namespace.
    pub gateway: ResourceName,
    /// Their host names.
    pub hosts: Vec<Arc<str>>,
    /// Istio makes the Service and the workload for it.
    pub is_managed: bool,
}

/// One server of a Gateway.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Port number as written: what `match.port` means.
    pub port: u16,
    /// Port name.
    pub port_name: Box<str>,
    /// Protocol, read (R-M-017).
    pub protocol: Protocol,
    /// Protocol as spelled: servers are grouped by it (R-M-017).
    pub protocol_text: Box<str>,
    /// Its hosts (R-M-015).
    pub hosts: Vec<ServerHost>,
    /// Bind address; `None`: every address.
    pub bind: Option<IpAddr>,
    /// TLS settings.
    pub tls: Option<ServerTls>,
}

/// A host of a server, and who may bind it. Prints `namespace/host` or `host`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ServerHost {
    /// The namespace whose resources may bind it; `None`: any.
    pub namespace: Option<Box<str>>,
    /// The pattern.
    pub host: Box<str>,
}

impl ServerHost {
    /// Reads `host`, `namespace/host`, `./host` (the namespace `own`) or `*/host` (R-M-015).
    pub fn parse(written: &str, own: &str) -> Self {
        let (namespace, host) = match written.split_once('/') {
            None => (None, written),
            Some(("*", host)) => (None, host),
            Some((".", host)) => (Some(own), host),
            Some((namespace, host)) => (Some(namespace), host),
        };
        ServerHost {
            namespace: namespace.map(Box::from),
            host: host.into(),
        }
    }

    /// The pattern, if a resource of `namespace` may bind it (R-M-007).
    pub fn open_to(&self, namespace: &str) -> Option<&str> {
        let owner = self.namespace.as_deref();
        let is_open = owner.is_none_or(|owner| owner == namespace);
        is_open.then_some(&*self.host)
    }
}

impl std::fmt::Display for ServerHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

/// TLS mode of a server; unset means `Passthrough` (R-M-026).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) enum ServerTlsMode {
    #[default]
    Passthrough,
    Simple,
    Mutual,
    AutoPassthrough,
    IstioMutual,
    OptionalMutual,
}

/// TLS settings of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerTls {
    /// Its mode.
    pub mode: ServerTlsMode,
    /// Plain-text requests are redirected to https.
    pub https_redirect: bool,
    /// Everything else as written, for the embedder that terminates TLS.
    #[allow(dead_code, reason = "nothing terminates TLS yet")]
    pub settings: Arc<TlsSettings>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub(crate) enum TlsVersion {
    V1_0,
    V1_1,
    V1_2,
    V1_3,
}

/// Certificates and parameters of a server, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) struct TlsSettings {
    pub credential_names: Vec<Box<str>>,
    pub server_certificate: Option<Box<str>>,
    pub private_key: Option<Box<str>>,
    pub ca_certificates: Option<Box<str>>,
    pub ca_credential_name: Option<Box<str>>,
    pub ca_crl: Option<Box<str>>,
    pub subject_alt_names: Vec<Box<str>>,
    pub verify_certificate_spki: Vec<Box<str>>,
    pub verify_certificate_hash: Vec<Box<str>>,
    pub min_protocol_version: Option<TlsVersion>,
    pub max_protocol_version: Option<TlsVersion>,
    pub cipher_suites: Vec<Box<str>>,
    pub tls_certificates: Vec<(Box<str>, Box<str>)>,
}
