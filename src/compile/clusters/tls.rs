//! TLS towards the endpoints of a cluster: what its policy says, else automatic mutual TLS (R-M-111..R-M-113, R-M-119).
//!
//! Istio: `ClusterBuilder.buildUpstreamTLSSettings`, `buildUpstreamClusterTLSContext`, `mtlsChecker`.

use std::sync::Arc;

use crate::mesh::config::MeshConfig;
use crate::mesh::peer_authentication::PeerTls;
use crate::mesh::service::{Endpoint, Registry, Resolution};
use crate::mesh::{self, EffectiveRule};
use crate::router::{
    ClusterSettings, ClusterSide, ClusterTls, Discovery, UpstreamProtocol, UpstreamTls,
};
use crate::terms::hash::HashMap;
use crate::terms::traffic_policy::{ClientTls, ClientTlsMode, LoadBalancing, RuleTrafficPolicy};

use super::settings::ClusterInputs;

const CONFIG_MAP: &str = "configmap://";
/// What stands for a credential that cannot be found.
const INVALID: &str = "invalid://";
/// ALPN of mutual TLS in the mesh.
const IN_MESH: &[&str] = &["istio-peer-exchange", "istio"];
/// The same over HTTP/2.
const IN_MESH_H2: &[&str] = &["istio-peer-exchange", "istio", "h2"];

/// What TLS depends on beside settings.
pub(super) struct TlsInputs<'a> {
    pub mesh: &'a mesh::Inner,
    pub inputs: ClusterInputs<'a>,
    pub settings: &'a ClusterSettings,
    pub rule: Option<&'a EffectiveRule>,
    pub subset: Option<&'a str>,
    /// All of the service.
    pub pool: &'a [Endpoint],
    /// The names of the service's workloads.
    pub identities: &'a Arc<[Box<str>]>,
}

impl TlsInputs<'_> {
    /// The TLS of the cluster.
    pub(super) fn tls(&self) -> ClusterTls {
        let policy = self.inputs.policy;
        match policy.and_then(|policy| policy.tls.as_deref()) {
            Some(written) => match written.mode {
                ClientTlsMode::Disable => ClusterTls::Plain,
                ClientTlsMode::IstioMutual => ClusterTls::Always(self.istio_mutual(Some(written))),
                ClientTlsMode::Simple | ClientTlsMode::Mutual => self.own(written),
            },
            None if !self.is_automatic() => ClusterTls::Plain,
            None => {
                let tls = self.istio_mutual(None);
                match self.settings.discovery {
                    // Nothing is known of an endpoint there.
                    Discovery::OriginalDst { .. } => ClusterTls::Always(tls),
                    _ => ClusterTls::Automatic(tls),
                }
            }
        }
    }

    /// Whether an endpoint is told as one that takes mutual TLS.
    pub(super) fn is_mutual(&self, endpoint: &Endpoint) -> bool {
        if !endpoint.has_sidecar {
            return false;
        }
        if let Some(mode) = self.written_mode() {
            return mode == ClientTlsMode::IstioMutual;
        }
        let namespace = match &endpoint.workload {
            Some(workload) => &workload.namespace,
            None => self.inputs.service.namespace(),
        };
        let port = endpoint.port(&self.inputs.port.name).unwrap_or_default();
        let policies = &self.mesh.peer_authentication_index;
        policies.of_workload(namespace, &endpoint.labels, port) != PeerTls::Disable
    }

    /// What is written for this very place: a subset does not inherit here.
    fn written_mode(&self) -> Option<ClientTlsMode> {
        let policy = self.written()?;
        let mut of_port = policy.ports.iter();
        let of_port = of_port.find(|port_policy| {
            port_policy.port == self.inputs.port.number && port_policy.settings.tls.is_some()
        });
        let tls = of_port.map_or(&policy.settings.tls, |port_policy| {
            &port_policy.settings.tls
        });
        Some(tls.as_ref()?.mode)
    }

    fn written(&self) -> Option<&RuleTrafficPolicy> {
        let rule = self.rule?;
        match self.subset {
            None => rule.traffic_policy(),
            Some(subset) => rule.subset(subset)?.traffic_policy.as_deref(),
        }
    }

    /// Whether mutual TLS is tried without being asked for.
    fn is_automatic(&self) -> bool {
        let service = self.inputs.service;
        if service.mesh_external || !self.mesh.config.auto_mtls {
            return false;
        }
        let written = self.written();
        let balancer = written.and_then(|policy| policy.settings.load_balancer.as_deref());
        let is_passthrough = service.resolution == Resolution::Passthrough
            || balancer.is_some_and(|balancer| balancer.balancing == LoadBalancing::Passthrough);
        let port = &self.inputs.port.name;
        let mut serving = self
            .pool
            .iter()
            .filter(|endpoint| endpoint.port(port).is_some())
            .peekable();
        if is_passthrough
            && (serving.peek().is_none() || !serving.all(|endpoint| endpoint.has_sidecar))
        {
            return false;
        }
        let policies = &self.mesh.peer_authentication_index;
        policies.of_namespace(service.namespace()) != PeerTls::Disable
    }

    fn is_http2(&self) -> bool {
        self.settings.protocol == UpstreamProtocol::Http2
    }

    fn is_forwarded(&self) -> bool {
        self.settings.discovery == Discovery::DynamicForwardProxy
    }

    /// Mutual TLS with the mesh's own certificates.
    fn istio_mutual(&self, written: Option<&ClientTls>) -> UpstreamTls {
        let sni = written.and_then(|written| written.sni.clone());
        let names = written.map_or(&[][..], |written| &written.subject_alt_names);
        let (port, host) = (self.inputs.port.number, &self.inputs.service.hostname);
        // Where the endpoint is the request's host, so is its name.
        let is_automatic = self.is_forwarded() && sni.is_none();
        let subset = self.subset.unwrap_or_default();
        UpstreamTls {
            auto_sni: is_automatic,
            auto_san_validation: is_automatic,
            sni: match sni {
                None if is_automatic => None,
                None => Some(format!("outbound_.{port}_.{subset}_.{host}").into()),
                sni => sni,
            },
            alpn: match self.is_http2() {
                true => IN_MESH_H2,
                false => IN_MESH,
            },
            certificate: Some("default".into()),
            validation: Some("ROOTCA".into()),
            subject_alt_names: match names {
                [] => Arc::clone(self.identities),
                names => names.into(),
            },
            ..UpstreamTls::default()
        }
    }

    /// TLS by the rule's own certificates. A sidecar does not get credentials, unless the rule is for some workloads only:
    /// then nothing is encrypted (R-M-113).
    fn own(&self, written: &ClientTls) -> ClusterTls {
        let credential = written.credential_name.as_deref();
        let is_secret =
            credential.is_some_and(|name| !name.starts_with(CONFIG_MAP) && name != INVALID);
        let selects = self
            .rule
            .is_some_and(|rule| rule.workload_selector().is_some());
        if is_secret && self.inputs.side == ClusterSide::Mesh && !selects {
            return ClusterTls::Plain;
        }
        let is_mutual = written.mode == ClientTlsMode::Mutual;
        let names = match &*written.subject_alt_names {
            [] if self.inputs.service.registry == Registry::External => Arc::clone(self.identities),
            names => names.into(),
        };
        let skips = written.insecure_skip_verify == Some(true);
        let mut tls = UpstreamTls {
            sni: written.sni.clone(),
            auto_sni: written.sni.is_none(),
            auto_san_validation: !skips
                && (self.is_forwarded()
                    || written.sni.is_none() && written.subject_alt_names.is_empty()),
            alpn: match self.is_http2() {
                true => &["h2"],
                false => &[],
            },
            ..UpstreamTls::default()
        };
        if let Some(credential) = credential {
            let name = match credential.contains("://") {
                true => credential.to_owned(),
                false => format!("kubernetes://{credential}"),
            };
            if is_mutual {
                tls.certificate = Some(name.as_str().into());
            }
            tls.validation = match skips {
                true => None,
                false if credential == INVALID => Some(name.into()),
                false => Some(format!("{name}-cacert").into()),
            };
        } else {
            if is_mutual {
                let files = (&written.client_certificate, &written.private_key);
                let (Some(certificate), Some(key)) = files else {
                    return ClusterTls::Plain;
                };
                tls.certificate = Some(format!("file-cert:{certificate}~{key}").into());
            }
            let authorities = written.ca_certificates.as_deref().unwrap_or("system");
            tls.validation = (!skips).then(|| format!("file-root:{authorities}").into());
        }
        if tls.validation.is_some() {
            tls.subject_alt_names = names;
            tls.crl = written.ca_crl.clone();
        }
        ClusterTls::Always(tls)
    }
}

/// The names that workloads may have which were made for services without names of their own: those that select the same
/// endpoints share them.
#[derive(Debug, Default)]
pub(super) struct Identities(HashMap<IdentityInputs, Arc<[Box<str>]>>);

/// Where the endpoints stand (a mesh does not change), and the namespace of those without a workload.
type IdentityInputs = (*const Endpoint, Box<str>);

impl Identities {
    /// The names that workloads of a service may have, sorted: its endpoints' and its own, each under every name of the trust
    /// domain (Istio: `PushContext.ServiceAccounts`).
    pub(super) fn of(
        &mut self,
        config: &MeshConfig,
        service: &mesh::Service,
        pool: &[Endpoint],
    ) -> Arc<[Box<str>]> {
        if !service.subject_alt_names.is_empty() || pool.len() < 2 {
            return identities(config, service, pool);
        }
        let known = self.0.entry((pool.as_ptr(), service.namespace().into()));
        Arc::clone(known.or_insert_with(|| identities(config, service, pool)))
    }
}

fn identities(config: &MeshConfig, service: &mesh::Service, pool: &[Endpoint]) -> Arc<[Box<str>]> {
    let domains = || std::iter::once(&config.trust_domain).chain(&config.trust_domain_aliases);
    let mut names: Vec<Box<str>> = service.subject_alt_names.to_vec();
    let mut accounts: Vec<(&str, &str)> = pool
        .iter()
        .filter_map(|endpoint| {
            let workload = endpoint.workload.as_ref();
            let namespace = workload.map(|workload| &*workload.namespace);
            let account = endpoint.service_account.as_deref()?;
            Some((namespace.unwrap_or(service.namespace()), account))
        })
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    for (namespace, account) in accounts {
        names.extend(domains().map(|domain| {
            format!("spiffe://{domain}/ns/{namespace}/sa/{account}").into_boxed_str()
        }));
    }
    names.sort_unstable();
    names.dedup();
    names.into()
}
