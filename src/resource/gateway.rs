//! `networking.istio.io` Gateway, as written.

use super::Labels;

message! {
    /// Listeners at the edge of the mesh.
    pub struct Gateway as "Gateway" {
        /// The listeners.
        "servers" servers: Vec<Server>,
        /// Labels of the gateway workloads that serve them; none means all.
        "selector" selector: Labels,
    }
}

message! {
    /// One listener of a gateway.
    pub struct Server as "Server" {
        /// Its port.
        "port" port: Option<Port>,
        /// The address to bind to.
        "bind" bind: String,
        /// Hosts that it serves, possibly with a namespace in front.
        "hosts" hosts: Vec<String>,
        /// TLS.
        "tls" tls: Option<ServerTlsSettings>,
        /// Without effect in a Gateway.
        "defaultEndpoint" default_endpoint: String,
        /// A name for statistics.
        "name" name: String,
    }
}

message! {
    /// A port of a server.
    pub struct Port as "Port" {
        /// Its number.
        "number" number: u32,
        /// Its protocol.
        "protocol" protocol: String,
        /// Its name.
        "name" name: String,
        /// Deprecated and without effect.
        "targetPort" target_port: u32,
    }
}

message! {
    /// TLS of a server.
    pub struct ServerTlsSettings as "ServerTLSSettings" {
        /// Whether plain HTTP is redirected.
        "httpsRedirect" https_redirect: bool,
        /// Which; unset means `PASSTHROUGH`.
        "mode" mode: ServerTlsMode,
        /// The path of the certificate.
        "serverCertificate" server_certificate: String,
        /// The path of the key.
        "privateKey" private_key: String,
        /// The path of the certificates that clients are checked with.
        "caCertificates" ca_certificates: String,
        /// The path of the revocation list.
        "caCrl" ca_crl: String,
        /// The secret with certificate and key.
        "credentialName" credential_name: String,
        /// Several such secrets.
        "credentialNames" credential_names: Vec<String>,
        /// The secret with the certificates that clients are checked with.
        "caCertCredentialName" ca_cert_credential_name: String,
        /// Several certificates by path.
        "tlsCertificates" tls_certificates: Vec<TlsCertificate>,
        /// Names of which a client's certificate must have one.
        "subjectAltNames" subject_alt_names: Vec<String>,
        /// Hashes of allowed client keys.
        "verifyCertificateSpki" verify_certificate_spki: Vec<String>,
        /// Hashes of allowed client certificates.
        "verifyCertificateHash" verify_certificate_hash: Vec<String>,
        /// The oldest version.
        "minProtocolVersion" min_protocol_version: TlsProtocol,
        /// The newest version.
        "maxProtocolVersion" max_protocol_version: TlsProtocol,
        /// Cipher suites.
        "cipherSuites" cipher_suites: Vec<String>,
    }
}

message! {
    /// A certificate by path.
    pub struct TlsCertificate as "ServerTLSSettings.TLSCertificate" {
        /// The path of the certificate.
        "serverCertificate" server_certificate: String,
        /// The path of the key.
        "privateKey" private_key: String,
        /// The path of the certificates that clients are checked with.
        "caCertificates" ca_certificates: String,
    }
}

enumeration! {
    /// Modes of TLS of a server.
    pub enum ServerTlsMode as "ServerTLSSettings.TLSmode" {
        /// Not terminated; routed by server name.
        Passthrough = 0 "PASSTHROUGH",
        /// Terminated.
        Simple = 1 "SIMPLE",
        /// Terminated, with a client certificate.
        Mutual = 2 "MUTUAL",
        /// Not terminated; the server name says the cluster.
        AutoPassthrough = 3 "AUTO_PASSTHROUGH",
        /// Terminated, with the mesh's own certificates.
        IstioMutual = 4 "ISTIO_MUTUAL",
        /// Terminated, with a client certificate if there is one.
        OptionalMutual = 5 "OPTIONAL_MUTUAL",
    }
}

enumeration! {
    /// Versions of TLS.
    pub enum TlsProtocol as "ServerTLSSettings.TLSProtocol" {
        /// Any.
        TlsAuto = 0 "TLS_AUTO",
        /// TLS 1.0.
        TlsV1_0 = 1 "TLSV1_0",
        /// TLS 1.1.
        TlsV1_1 = 2 "TLSV1_1",
        /// TLS 1.2.
        TlsV1_2 = 3 "TLSV1_2",
        /// TLS 1.3.
        TlsV1_3 = 4 "TLSV1_3",
    }
}
