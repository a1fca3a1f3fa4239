//! `security.istio.io` PeerAuthentication, as written.

use std::collections::BTreeMap;

use super::LabelSelector;

message! {
    /// Whether workloads take mutual TLS.
    pub struct PeerAuthentication as "PeerAuthentication" {
        /// The workloads that it is for; none means all of the namespace, in the root namespace all of the mesh.
        "selector" selector: Option<LabelSelector>,
        /// What they take.
        "mtls" mtls: Option<PeerMutualTls>,
        /// What they take on some of their own ports, by number.
        "portLevelMtls" port_level_mtls: BTreeMap<String, Option<PeerMutualTls>>,
    }
}

message! {
    /// What workloads take.
    pub struct PeerMutualTls as "PeerAuthentication.MutualTLS" {
        /// Mutual TLS, plain text or both.
        "mode" mode: PeerMutualTlsMode,
    }
}

enumeration! {
    /// Mutual TLS, plain text or both.
    pub enum PeerMutualTlsMode as "PeerAuthentication.MutualTLS.Mode" {
        /// What the wider policy says.
        Unset = 0 "UNSET",
        /// Plain text.
        Disable = 1 "DISABLE",
        /// Both.
        Permissive = 2 "PERMISSIVE",
        /// Mutual TLS.
        Strict = 3 "STRICT",
    }
}
