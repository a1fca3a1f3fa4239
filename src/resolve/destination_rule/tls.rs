//! `tls` towards the endpoints (R-M-111..R-M-113, R-M-175).

use crate::diagnostic::{At, Code};
use crate::resolve::{Sink, not_empty};
use crate::resource as raw;
use crate::terms::traffic_policy::{ClientTls, ClientTlsMode};

/// How a credential in a ConfigMap begins.
const CONFIG_MAP: &str = "configmap://";

/// Types `tls`.
pub(super) fn resolve(
    written: &raw::ClientTlsSettings,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> ClientTls {
    check(written, at, sink);
    ClientTls {
        mode: match written.mode {
            raw::ClientTlsMode::Disable => ClientTlsMode::Disable,
            raw::ClientTlsMode::Simple => ClientTlsMode::Simple,
            raw::ClientTlsMode::Mutual => ClientTlsMode::Mutual,
            raw::ClientTlsMode::IstioMutual => ClientTlsMode::IstioMutual,
        },
        client_certificate: not_empty(&written.client_certificate),
        private_key: not_empty(&written.private_key),
        ca_certificates: not_empty(&written.ca_certificates),
        ca_crl: not_empty(&written.ca_crl),
        credential_name: not_empty(&written.credential_name),
        subject_alt_names: written
            .subject_alt_names
            .iter()
            .map(|name| name.as_str().into())
            .collect(),
        sni: not_empty(&written.sni),
        insecure_skip_verify: written.insecure_skip_verify,
    }
}

fn check(written: &raw::ClientTlsSettings, at: &At<'_>, sink: &mut Sink<'_>) {
    let mut push = |field: &'static str, message: &str| {
        sink.push(&at.field(field), Code::INVALID_CLIENT_TLS, message);
    };
    let is_simple = written.mode == raw::ClientTlsMode::Simple;
    let is_mutual = written.mode == raw::ClientTlsMode::Mutual;
    let has_credential = !written.credential_name.is_empty();
    if let Some(name) = written.credential_name.strip_prefix(CONFIG_MAP) {
        let parts: Vec<&str> = name.split('/').collect();
        if parts.len() > 2 || parts.contains(&"") {
            push(
                "credentialName",
                "a ConfigMap is named `configmap://name` or `configmap://namespace/name`",
            );
        }
    }
    if written.insecure_skip_verify == Some(true) && (is_simple || is_mutual) {
        let verifies = !written.ca_certificates.is_empty() || !written.subject_alt_names.is_empty();
        // With `MUTUAL` the credential may be the client's only.
        if verifies || (is_simple && has_credential) {
            push(
                "insecureSkipVerify",
                "what verifies the server cannot stand beside `insecureSkipVerify: true`",
            );
        }
    }
    if has_credential && (is_simple || is_mutual) {
        let files = [
            &written.client_certificate,
            &written.private_key,
            &written.ca_certificates,
            &written.ca_crl,
        ];
        if files.iter().any(|path| !path.is_empty()) {
            push(
                "credentialName",
                "paths of certificates cannot stand beside `credentialName`",
            );
        }
        return;
    }
    if is_mutual && written.client_certificate.is_empty() {
        push("clientCertificate", "mutual TLS needs `clientCertificate`");
    }
    if is_mutual && written.private_key.is_empty() {
        push("privateKey", "mutual TLS needs `privateKey`");
    }
}
