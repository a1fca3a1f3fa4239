//! `networking.istio.io` Sidecar, as written.

use super::{
    ConnectionPoolSettings, Destination, ServerTlsSettings, ServicePort, WorkloadSelector,
};

message! {
    /// What a sidecar listens to, and what it sees of the mesh.
    pub struct Sidecar as "Sidecar" {
        /// The workloads that it is for; none means all of the namespace.
        "workloadSelector" workload_selector: Option<WorkloadSelector>,
        /// Inbound listeners.
        "ingress" ingress: Vec<IstioIngressListener>,
        /// Outbound listeners, and what each sees.
        "egress" egress: Vec<IstioEgressListener>,
        /// Limits of inbound connections.
        "inboundConnectionPool" inbound_connection_pool: Option<ConnectionPoolSettings>,
        /// What happens to traffic to unknown hosts.
        "outboundTrafficPolicy" outbound_traffic_policy: Option<OutboundTrafficPolicy>,
    }
}

message! {
    /// An inbound listener.
    pub struct IstioIngressListener as "IstioIngressListener" {
        /// Its port.
        "port" port: Option<ServicePort>,
        /// The address to bind to.
        "bind" bind: String,
        /// How traffic is captured.
        "captureMode" capture_mode: CaptureMode,
        /// Where traffic goes: `127.0.0.1:port`, `0.0.0.0:port` or `unix://` path.
        "defaultEndpoint" default_endpoint: String,
        /// TLS.
        "tls" tls: Option<ServerTlsSettings>,
        /// Limits of connections.
        "connectionPool" connection_pool: Option<ConnectionPoolSettings>,
    }
}

message! {
    /// An outbound listener.
    pub struct IstioEgressListener as "IstioEgressListener" {
        /// Its port; none for the rest of the ports.
        "port" port: Option<ServicePort>,
        /// The address to bind to.
        "bind" bind: String,
        /// How traffic is captured.
        "captureMode" capture_mode: CaptureMode,
        /// What it sees, each `namespace/host`.
        "hosts" hosts: Vec<String>,
    }
}

enumeration! {
    /// How traffic is captured.
    pub enum CaptureMode as "CaptureMode" {
        /// As the mesh does.
        Default = 0 "DEFAULT",
        /// By iptables.
        Iptables = 1 "IPTABLES",
        /// Not at all.
        None = 2 "NONE",
    }
}

message! {
    /// What happens to traffic to unknown hosts.
    pub struct OutboundTrafficPolicy as "OutboundTrafficPolicy" {
        /// Which.
        "mode" mode: OutboundTrafficPolicyMode,
        /// A proxy through which such traffic goes; deprecated.
        "egressProxy" egress_proxy: Option<Destination>,
    }
}

enumeration! {
    /// Modes of traffic to unknown hosts.
    pub enum OutboundTrafficPolicyMode as "OutboundTrafficPolicy.Mode" {
        /// Refused.
        RegistryOnly = 0 "REGISTRY_ONLY",
        /// Passed through.
        AllowAny = 1 "ALLOW_ANY",
        /// Plain-text HTTP is resolved by its host; the rest is passed through. In MeshConfig only.
        AllowAnyDynamicDns = 3 "ALLOW_ANY_DYNAMIC_DNS",
    }
}
