//! Sidecar resources: what part of the mesh a workload imports (R-M-070..R-M-074).

use crate::terms::address::Address;
use crate::terms::labels::Labels;
use crate::terms::name::ResourceName;

use super::config::OutboundTrafficPolicy;
use super::service::Protocol;
use super::virtual_service::DestinationRef;

/// A Sidecar, typed.
#[derive(Clone, Debug)]
pub(crate) struct Sidecar {
    /// Its name.
    pub resource: ResourceName,
    /// The workloads that it is for; `None`: all of its namespace.
    pub workload_selector: Option<Labels>,
    /// Egress listeners in order; empty: one that imports `*/*`.
    pub egress: Vec<EgressListener>,
    /// Its own outbound policy; `None`: the mesh's (R-H-053).
    pub outbound_traffic_policy: Option<OutboundTrafficPolicy>,
    /// `outboundTrafficPolicy.egressProxy`: where traffic for nobody goes instead of its destination (R-H-052).
    pub egress_proxy: Option<DestinationRef>,
}

/// One egress listener.
#[derive(Clone, Debug)]
pub(crate) struct EgressListener {
    /// Its port; `None`: every port that no other listener names.
    pub port: Option<EgressPort>,
    /// Bind address; `None`: nothing is said.
    pub bind: Option<Address>,
    /// What it imports.
    pub hosts: Vec<EgressHost>,
}

/// Port of an egress listener.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EgressPort {
    /// Its number; 0 with a Unix domain socket.
    pub number: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its name.
    pub name: Box<str>,
}

/// One entry of an egress listener's `hosts`: `namespace/dnsName`, split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EgressHost {
    /// Where the hosts are.
    pub namespace: EgressNamespace,
    /// Host pattern.
    pub host: Box<str>,
    /// `~namespace/host`: taken away from what the other entries import.
    pub exclude: bool,
}

/// Namespace of an [`EgressHost`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EgressNamespace {
    /// `.`: the proxy's own, also where the Sidecar lives in the root namespace.
    Own,
    /// `*`, and `~` alone.
    Any,
    /// By name.
    Named(Box<str>),
}
