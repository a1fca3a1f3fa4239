//! `tls` of a DestinationRule: TLS towards the endpoints (R-M-111..R-M-113, R-M-119).

/// `ClientTLSSettings`. Where there are none at all, Istio decides per endpoint (automatic mutual TLS, R-M-119).
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientTls {
    /// `mode`.
    pub mode: ClientTlsMode,
    /// `clientCertificate`: path of the client's certificate chain.
    pub client_certificate: Option<Box<str>>,
    /// `privateKey`: path of its key.
    pub private_key: Option<Box<str>>,
    /// `caCertificates`: path of the authorities; `None`: the server is not verified, unless the system's are used.
    pub ca_certificates: Option<Box<str>>,
    /// `caCrl`: path of the revocation list.
    pub ca_crl: Option<Box<str>>,
    /// `credentialName`: a secret instead of paths. Read by gateways, and by sidecars where the rule has a workload
    /// selector; elsewhere it yields no TLS at all (R-M-113).
    pub credential_name: Option<Box<str>>,
    /// `subjectAltNames`: names that the server may have; empty with `ISTIO_MUTUAL`: its service accounts (R-M-112).
    pub subject_alt_names: Box<[Box<str>]>,
    /// `sni`; `None` with `ISTIO_MUTUAL`: `outbound_.<port>_.<subset>_.<host>` (R-M-112).
    pub sni: Option<Box<str>>,
    /// `insecureSkipVerify`: the server's certificate is not verified; unset: the mesh's setting.
    pub insecure_skip_verify: Option<bool>,
}

short_debug! {
    ClientTls {mode, client_certificate, private_key, ca_certificates, ca_crl, credential_name,
    subject_alt_names, sni, insecure_skip_verify}
}

/// `mode` (R-M-111).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientTlsMode {
    /// `DISABLE`, also where `tls` is there without a mode: plain text.
    #[default]
    Disable,
    /// `SIMPLE`: TLS.
    Simple,
    /// `MUTUAL`: TLS with a certificate of the client's.
    Mutual,
    /// `ISTIO_MUTUAL`: mutual TLS with Istio's certificates.
    IstioMutual,
}
