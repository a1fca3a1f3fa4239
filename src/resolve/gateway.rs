//! Gateway: servers typed, hosts normalised, everything checked that Istio's admission checks (R-M-015, R-M-177..R-M-181).

use std::collections::HashSet;
use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::mesh::gateway::{self, Server, ServerTls, ServerTlsMode, TlsSettings};
use crate::mesh::{self, service::Protocol};
use crate::resource as raw;
use crate::resource::{self, Document};
use crate::terms::name::ResourceName;

use super::check::{domain, labels, network};
use super::{Context, Sink};

/// The Gateway of a document. `None` after an error was pushed.
pub(crate) fn gateway(
    document: &Document<resource::Gateway>,
    _cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<mesh::Gateway> {
    let meta = &document.meta;
    let written = &document.spec;
    let at = At::ROOT;
    let spec = at.field("spec");
    if !domain::is_label(&meta.name) {
        sink.push(
            &at.field("metadata").field("name"),
            Code::INVALID_NAME,
            format!(
                "`{}` is not the name of a gateway: one label without dots",
                meta.name
            ),
        );
    }
    check_selector(written, &spec, sink);
    let list = spec.field("servers");
    if written.servers.is_empty() {
        sink.push(
            &list,
            Code::MISSING_FIELD,
            "a gateway needs at least one server",
        );
    }
    let mut names = HashSet::new();
    let servers = written
        .servers
        .iter()
        .enumerate()
        .filter_map(|(index, server)| {
            let at = list.index(index);
            let name = server.port.as_ref().map_or("", |port| &port.name);
            if !name.is_empty() && !names.insert(name) {
                sink.push(
                    &at.field("port").field("name"),
                    Code::INVALID_NAME,
                    format!("port name `{name}` is used by another server of this gateway"),
                );
            }
            resolve_server(server, &meta.namespace, &at, sink)
        })
        .collect();
    (!sink.failed()).then(|| mesh::Gateway {
        resource: ResourceName::new(&meta.namespace, &meta.name),
        creation: meta.creation_timestamp.unwrap_or(0),
        selector: Some(
            written
                .selector
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
        )
        .filter(|_| !written.selector.is_empty()),
        servers,
    })
}

fn check_selector(written: &resource::Gateway, spec: &At<'_>, sink: &mut Sink<'_>) {
    let at = spec.field("selector");
    for (key, value) in &written.selector {
        let at = at.key(key);
        sink.check(&at, Code::INVALID_LABEL, labels::key(key));
        sink.check(&at, Code::INVALID_LABEL, labels::value(value));
    }
}

fn resolve_server(
    written: &raw::Server,
    namespace: &str,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<Server> {
    check_hosts(written, at, sink);
    let bind = check_bind(written, at, sink);
    if !written.default_endpoint.is_empty() {
        sink.push(
            &at.field("defaultEndpoint"),
            Code::FIELD_WITHOUT_EFFECT,
            "`defaultEndpoint` has no effect in Istio",
        );
    }
    let Some(port) = &written.port else {
        sink.push(
            &at.field("port"),
            Code::MISSING_FIELD,
            "a server needs a port",
        );
        return None;
    };
    let protocol = check_port(port, bind.is_socket, &at.field("port"), sink);
    let tls = resolve_tls(written, protocol, at, sink);
    let number = u16::try_from(port.number).ok()?;
    Some(Server {
        port: number,
        port_name: port.name.as_str().into(),
        protocol,
        protocol_text: port.protocol.as_str().into(),
        hosts: normalise_hosts(&written.hosts, namespace),
        bind: bind.address,
        tls,
        name: written.name.as_str().into(),
    })
}

/// `./h` is the gateway's namespace, `*/h` any, `*/*` everything: then nothing else counts (R-M-015).
fn normalise_hosts(hosts: &[String], namespace: &str) -> Vec<Box<str>> {
    let mut out: Vec<Box<str>> = Vec::with_capacity(hosts.len());
    for host in hosts {
        match host.split_once('/') {
            Some((".", name)) => out.push(format!("{namespace}/{name}").into()),
            Some(("*", "*")) => return vec!["*".into()],
            Some(("*", name)) => out.push(name.into()),
            _ => out.push(host.as_str().into()),
        }
    }
    out
}

/// R-M-178.
fn check_hosts(written: &raw::Server, at: &At<'_>, sink: &mut Sink<'_>) {
    let list = at.field("hosts");
    if written.hosts.is_empty() {
        sink.push(
            &list,
            Code::MISSING_FIELD,
            "a server needs at least one host",
        );
    }
    for (index, host) in written.hosts.iter().enumerate() {
        let at = list.index(index);
        let name = match host.split_once('/') {
            None => host,
            Some((namespace, name)) => {
                if namespace.is_empty() || name.is_empty() {
                    sink.push_with_help(
                        &at,
                        Code::INVALID_HOST,
                        format!("`{host}` lacks its namespace or its host"),
                        "write `namespace/host`, `./host`, `*/host` or just `host`",
                    );
                    continue;
                }
                if namespace != "*" && namespace != "." && !domain::is_label(namespace) {
                    sink.push(
                        &at,
                        Code::INVALID_HOST,
                        format!("`{namespace}` is not a namespace"),
                    );
                }
                name
            }
        };
        if name != "*" && name.parse::<std::net::IpAddr>().is_err() {
            if !name.contains('.') {
                sink.push_with_help(
                    &at,
                    Code::INVALID_HOST,
                    format!("`{name}` is a short name, which a gateway cannot complete"),
                    "write the full host name",
                );
            } else if name.starts_with('*') && !name.starts_with("*.") {
                sink.push_with_help(
                    &at,
                    Code::INVALID_HOST,
                    format!("`{name}` is a partial wildcard"),
                    "a wildcard stands for whole labels: `*.example.com`",
                );
            } else {
                sink.check(&at, Code::INVALID_HOST, domain::wildcard_domain(name));
            }
        }
    }
}

#[derive(Default)]
struct Bind {
    address: Option<std::net::IpAddr>,
    is_socket: bool,
}

/// R-M-179.
fn check_bind(written: &raw::Server, at: &At<'_>, sink: &mut Sink<'_>) -> Bind {
    let at = at.field("bind");
    let text = written.bind.as_str();
    if text.is_empty() {
        return Bind::default();
    }
    if let Some(path) = text.strip_prefix("unix://") {
        if !path.starts_with(['/', '@']) {
            sink.push(
                &at,
                Code::INVALID_ADDRESS,
                format!("`{text}` is neither an absolute path nor an abstract socket"),
            );
        } else {
            sink.push(
                &at,
                Code::WITHOUT_EFFECT,
                "a server on a Unix domain socket has no port: no request can be asked of it here",
            );
        }
        return Bind {
            address: None,
            is_socket: true,
        };
    }
    sink.check(&at, Code::INVALID_ADDRESS, network::ip(text));
    Bind {
        // The unspecified address is every address, as if nothing was written.
        address: text.parse().ok(),
        is_socket: false,
    }
}

/// R-M-179.
fn check_port(port: &raw::Port, is_socket: bool, at: &At<'_>, sink: &mut Sink<'_>) -> Protocol {
    let protocol = Protocol::parse(&port.protocol);
    if matches!(protocol, Protocol::Unsupported | Protocol::Udp) {
        sink.push_with_help(
            &at.field("protocol"),
            Code::UNSUPPORTED_PROTOCOL,
            format!(
                "`{}` is not a protocol that a gateway serves",
                port.protocol
            ),
            "one of HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TCP, TLS, MONGO, REDIS, MYSQL",
        );
    }
    if port.name.is_empty() {
        sink.push(
            &at.field("name"),
            Code::MISSING_FIELD,
            "the port of a server needs a name",
        );
    }
    if port.target_port != 0 {
        sink.push(
            &at.field("targetPort"),
            Code::UNSUPPORTED_BY_ISTIO,
            "`targetPort` has no effect on gateways",
        );
    }
    if !is_socket {
        sink.check(
            &at.field("number"),
            Code::INVALID_PORT,
            network::port(port.number),
        );
    } else if port.number != 0 {
        sink.push(
            &at.field("number"),
            Code::INVALID_PORT,
            "a server on a Unix domain socket has port number 0",
        );
    }
    protocol
}

/// R-M-180, R-M-181.
fn resolve_tls(
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
            return;
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
    if has_credentials {
        if !tls.ca_crl.is_empty() {
            sink.push(
                &at.field("caCrl"),
                Code::CONFLICTING_FIELDS,
                "the revocation list stands in the credential, not here",
            );
        }
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
    gateway::TlsSettings {
        credential_names,
        server_certificate: tls.server_certificate.as_str().into(),
        private_key: tls.private_key.as_str().into(),
        ca_certificates: tls.ca_certificates.as_str().into(),
        ca_credential_name: tls.ca_cert_credential_name.as_str().into(),
        ca_crl: tls.ca_crl.as_str().into(),
        subject_alt_names: list(&tls.subject_alt_names),
        verify_certificate_spki: list(&tls.verify_certificate_spki),
        verify_certificate_hash: list(&tls.verify_certificate_hash),
        min_protocol_version: version(tls.min_protocol_version),
        max_protocol_version: version(tls.max_protocol_version),
        cipher_suites: list(&tls.cipher_suites),
        tls_certificates: tls
            .tls_certificates
            .iter()
            .map(|one| {
                (
                    one.server_certificate.as_str().into(),
                    one.private_key.as_str().into(),
                )
            })
            .collect(),
    }
}

fn version(written: raw::TlsProtocol) -> Box<str> {
    match written {
        raw::TlsProtocol::TlsAuto => "",
        raw::TlsProtocol::TlsV1_0 => "TLSV1_0",
        raw::TlsProtocol::TlsV1_1 => "TLSV1_1",
        raw::TlsProtocol::TlsV1_2 => "TLSV1_2",
        raw::TlsProtocol::TlsV1_3 => "TLSV1_3",
    }
    .into()
}
