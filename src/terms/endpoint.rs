//! Endpoints: the workloads and addresses behind a service that the configuration holds.

use std::sync::Arc;

use super::address::Address;
use super::labels::Labels;
use super::name::ResourceName;

/// A workload or address behind a service, with the ports that it serves there. Everything else that is known of it reads as
/// if it stood here: `endpoint.labels`, `endpoint.weight`.
///
/// What several services say of one workload stands once: their endpoints differ in their ports alone.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Endpoint {
    pub(crate) facts: Arc<EndpointFacts>,
    /// Its own port for each service port that it serves, by name of the service port.
    pub ports: Arc<[EndpointPort]>,
}

short_debug! { Endpoint {facts, ports} }

/// What is known of an [`Endpoint`], whichever service it stands behind.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointFacts {
    /// `namespace/name` of the Deployment, Pod or WorkloadEntry; `None` for an inline endpoint.
    pub workload: Option<ResourceName>,
    /// Where it is reached, if the configuration holds that.
    pub address: Option<Address>,
    /// Labels that subsets select by (R-M-133).
    pub labels: Arc<Labels>,
    /// Load-balancing weight; 1 where unset.
    pub weight: u32,
    /// `region/zone/subzone`, if that is known.
    pub locality: Option<Arc<str>>,
    /// Network name; `None`: the default one.
    pub network: Option<Arc<str>>,
    /// Whether it takes requests.
    pub health: Health,
    /// Whether it has a sidecar, which takes mutual TLS (`security.istio.io/tlsMode: istio`, R-M-119).
    pub has_sidecar: bool,
    /// Its service account, in the namespace of its workload.
    pub service_account: Option<Arc<str>>,
}

short_debug! {
    EndpointFacts {workload, address, labels, weight, locality, network, health, has_sidecar, service_account}
}

impl std::ops::Deref for Endpoint {
    type Target = EndpointFacts;

    fn deref(&self) -> &EndpointFacts {
        &self.facts
    }
}

/// Whether an endpoint takes requests (R-M-134).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Health {
    /// It does.
    #[default]
    Healthy,
    /// It is not ready.
    Unhealthy,
    /// It ends: only requests that are bound to it still go there.
    Draining,
    /// It ends: nothing goes there any more.
    Terminating,
}

impl Health {
    /// Of an endpoint that is ready or not.
    pub(crate) fn ready(is_ready: bool) -> Self {
        match is_ready {
            true => Health::Healthy,
            false => Health::Unhealthy,
        }
    }
}

/// One port of an [`Endpoint`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointPort {
    /// Name of the service port that it serves.
    pub service_port: Box<str>,
    /// Its own number; 0 with a Unix domain socket.
    pub number: u16,
}

short_debug! { EndpointPort {service_port, number} }

impl EndpointFacts {
    /// As an endpoint that serves `ports`.
    pub(crate) fn serving(self, ports: Arc<[EndpointPort]>) -> Endpoint {
        Endpoint {
            facts: Arc::new(self),
            ports,
        }
    }
}

impl Endpoint {
    /// Its own port for the service port of this name; `None`: it does not serve it.
    pub fn port(&self, service_port: &str) -> Option<u16> {
        self.ports
            .iter()
            .find(|port| *port.service_port == *service_port)
            .map(|port| port.number)
    }
}
