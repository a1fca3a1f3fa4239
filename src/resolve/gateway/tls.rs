//! TLS of a server: its mode, and certificates that fit it (R-M-026, R-M-180, R-M-181).

use std::collections::HashSet;
use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::mesh::gateway::{ServerTls, ServerTlsMode, TlsSettings, TlsVersion};
use crate::mesh::service::Protocol;
use crate::resolve::not_empty;
use crate::resource as raw;

use super::super::Sink;

/// R-M-180, R-M-181.
pub(super) fn resolve(
    written: &raw::Server,
    protocol: Protocol,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<ServerTls> {
    let at = at.field("tls");
    let Some(tls) = &written.tls else {
        if protocol.is_tls() {
            sink.push_with_help(
                &at,
                Code::MISSING_FIELD,
                "a server for HTTPS or TLS needs TLS settings",
                "write `tls: {mode: SIMPLE, credentialName: ...}`, or `mode: PASSTHROUGH`",
            );
        }
        return None;
    };
    let mode = mode(tls.mode);
    if protocol.is_http() {
        let has_paths = !tls.server_certificate.is_empty()
            || !tls.private_key.is_empty()
            || !tls.ca_certificates.is_empty();
        if mode != ServerTlsMode::Passthrough || has_paths {
            sink.push_with_help(
                &at,
                Code::CONFLICTING_FIELDS,
                "a plain HTTP server cannot have TLS settings",
                "`tls: {httpsRedirect: true}` alone is allowed",
            );
        }
    } else if !protocol.is_tls() {
        sink.push(
            &at,
            Code::CONFLICTING_FIELDS,
            "only a server for HTTPS or TLS can have TLS settings",
        );
    } else if tls.https_redirect {
        sink.push(
            &at.field("httpsRedirect"),
            Code::WITHOUT_EFFECT,
            "`httpsRedirect` belongs on an HTTP server: this one already asks for TLS",
        );
    }
    check_tls(tls, mode, &at, sink);
    Some(ServerTls {
        mode,
        https_redirect: tls.https_redirect,
        settings: Arc::new(settings(tls)),
    })
}

fn mode(written: raw::ServerTlsMode) -> ServerTlsMode {
    match written {
        raw::ServerTlsMode::Passthrough => ServerTlsMode::Passthrough,
        raw::ServerTlsMode::Simple => ServerTlsMode::Simple,
        raw::ServerTlsMode::Mutual => ServerTlsMode::Mutual,
        raw::ServerTlsMode::AutoPassthrough => ServerTlsMode::AutoPassthrough,
        raw::ServerTlsMode::IstioMutual => ServerTlsMode::IstioMutual,
        raw::ServerTlsMode::OptionalMutual => ServerTlsMode::OptionalMutual,
    }
}

/// Whether Istio hands the text on to Envoy: a known suite, or an expression that begins with an operator.
fn is_cipher_suite(text: &str) -> bool {
    const SUITES: [&str; 16] = [
        "ALL",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-RSA-AES256-SHA",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
        "AES128-SHA",
        "AES256-SHA",
        "DES-CBC3-SHA",
    ];
    let is_expression = !text.starts_with(|first: char| first.is_ascii_alphanumeric());
    is_expression || SUITES.contains(&text)
}

/// Certificates and parameters that fit the mode (R-M-181).
fn check_tls(tls: &raw::ServerTlsSettings, mode: ServerTlsMode, at: &At<'_>, sink: &mut Sink<'_>) {
    use raw::TlsProtocol::{TlsV1_0, TlsV1_1};
    if matches!(tls.min_protocol_version, TlsV1_0 | TlsV1_1) && tls.cipher_suites.is_empty() {
        sink.push(
            &at.field("minProtocolVersion"),
            Code::WITHOUT_EFFECT,
            "TLS below 1.2 needs `cipherSuites` that allow it",
        );
    }
    let mut suites = HashSet::new();
    for (index, suite) in tls.cipher_suites.iter().enumerate() {
        if !is_cipher_suite(suite) {
            sink.push(
                &at.field("cipherSuites").index(index),
                Code::WITHOUT_EFFECT,
                format!("`{suite}` is not a cipher suite that Envoy knows, and is ignored"),
            );
        } else if !suites.insert(suite) {
            sink.push(
                &at.field("cipherSuites").index(index),
                Code::WITHOUT_EFFECT,
                format!("cipher suite `{suite}` stands here twice"),
            );
        }
    }
    let has_credentials = !tls.credential_name.is_empty() || !tls.credential_names.is_empty();
    let certificate_fields = [
        ("serverCertificate", !tls.server_certificate.is_empty()),
        ("privateKey", !tls.private_key.is_empty()),
        ("caCertificates", !tls.ca_certificates.is_empty()),
        ("tlsCertificates", !tls.tls_certificates.is_empty()),
        ("credentialName", !tls.credential_name.is_empty()),
        ("credentialNames", !tls.credential_names.is_empty()),
    ];
    match mode {
        ServerTlsMode::IstioMutual => {
            for (field, _) in certificate_fields.iter().filter(|(_, set)| *set) {
                sink.push(
                    &at.field(field),
                    Code::CONFLICTING_FIELDS,
                    format!(
                        "`{field}` cannot be set with ISTIO_MUTUAL, which has its own certificates"
                    ),
                );
            }
            return;
        }
        ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough => {
            let revocations = [("caCrl", !tls.ca_crl.is_empty())];
            let fields = certificate_fields.iter().chain(&revocations);
            for (field, _) in fields.filter(|(_, set)| *set) {
                sink.push(
                    &at.field(field),
                    Code::WITHOUT_EFFECT,
                    format!("`{field}` is not used: {mode:?} leaves TLS to the upstream"),
                );
            }
        }
        _ => {}
    }
    let sources = [
        !tls.credential_name.is_empty(),
        !tls.credential_names.is_empty(),
        !tls.server_certificate.is_empty() && !tls.private_key.is_empty(),
        !tls.tls_certificates.is_empty(),
    ];
    if sources.iter().filter(|set| **set).count() > 1 {
        sink.push_with_help(
            at,
            Code::CONFLICTING_FIELDS,
            "the certificate is given in more than one way",
            "keep one of `credentialName`, `credentialNames`, `serverCertificate` with `privateKey`, `tlsCertificates`",
        );
    }
    if tls.credential_names.len() > 2 || tls.tls_certificates.len() > 2 {
        sink.push(
            at,
            Code::WITHOUT_EFFECT,
            "only the first two certificates are used",
        );
    }
    let is_terminated = !matches!(
        mode,
        ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough
    );
    // Istio asks this only of modes that do not use the credential.
    if !is_terminated && has_credentials && !tls.ca_crl.is_empty() {
        sink.push(
            &at.field("caCrl"),
            Code::CONFLICTING_FIELDS,
            "the revocation list stands in the credential, not here",
        );
    }
    if has_credentials || !is_terminated {
        return;
    }
    if tls.tls_certificates.is_empty() {
        require(&tls.server_certificate, "serverCertificate", at, sink);
        require(&tls.private_key, "privateKey", at, sink);
    } else {
        for (index, certificate) in tls.tls_certificates.iter().enumerate() {
            let list = at.field("tlsCertificates");
            let at = list.index(index);
            require(
                &certificate.server_certificate,
                "serverCertificate",
                &at,
                sink,
            );
            require(&certificate.private_key, "privateKey", &at, sink);
        }
    }
    if matches!(mode, ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual) {
        require(&tls.ca_certificates, "caCertificates", at, sink);
    } else if !tls.ca_crl.is_empty() {
        sink.push(
            &at.field("caCrl"),
            Code::CONFLICTING_FIELDS,
            "SIMPLE TLS asks clients for no certificate that could be revoked",
        );
    }
}

fn require(value: &str, field: &'static str, at: &At<'_>, sink: &mut Sink<'_>) {
    if value.is_empty() {
        sink.push_with_help(
            &at.field(field),
            Code::MISSING_FIELD,
            format!("this TLS mode needs `{field}`"),
            "or name a secret with `credentialName`",
        );
    }
}

/// What the embedder that terminates TLS needs to know, as written.
fn settings(tls: &raw::ServerTlsSettings) -> TlsSettings {
    let list = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect();
    let mut credential_names: Vec<Box<str>> = list(&tls.credential_names);
    if !tls.credential_name.is_empty() {
        credential_names.insert(0, tls.credential_name.as_str().into());
    }
    TlsSettings {
        credential_names,
        server_certificate: not_empty(&tls.server_certificate),
        private_key: not_empty(&tls.private_key),
        ca_certificates: not_empty(&tls.ca_certificates),
        ca_credential_name: not_empty(&tls.ca_cert_credential_name),
        ca_crl: not_empty(&tls.ca_crl),
        subject_alt_names: list(&tls.subject_alt_names),
        verify_certificate_spki: list(&tls.verify_certificate_spki),
        verify_certificate_hash: list(&tls.verify_certificate_hash),
        min_protocol_version: version(tls.min_protocol_version),
        max_protocol_version: version(tls.max_protocol_version),
        cipher_suites: list(&tls.cipher_suites),
        tls_certificates: tls
            .tls_certificates
            .iter()
            .map(|certificate| {
                (
                    certificate.server_certificate.as_str().into(),
                    certificate.private_key.as_str().into(),
                )
            })
            .collect(),
    }
}

fn version(written: raw::TlsProtocol) -> Option<TlsVersion> {
    match written {
        raw::TlsProtocol::TlsAuto => None,
        raw::TlsProtocol::TlsV1_0 => Some(TlsVersion::V1_0),
        raw::TlsProtocol::TlsV1_1 => Some(TlsVersion::V1_1),
        raw::TlsProtocol::TlsV1_2 => Some(TlsVersion::V1_2),
        raw::TlsProtocol::TlsV1_3 => Some(TlsVersion::V1_3),
    }
}
