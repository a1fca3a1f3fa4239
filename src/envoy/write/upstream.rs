//! How the endpoints of a cluster are spoken to: TLS, the PROXY protocol, versions of HTTP.

use crate::envoy::model::*;
use crate::router::{self, ClusterTls, UpstreamProtocol, UpstreamTls};
use crate::terms::traffic_policy::ProxyProtocol;

const TLS: (&str, &str) = (
    "envoy.transport_sockets.tls",
    "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
);
const PLAIN: (&str, &str) = (
    "envoy.transport_sockets.raw_buffer",
    "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
);
const PROXY_PROTOCOL: (&str, &str) = (
    "envoy.transport_sockets.upstream_proxy_protocol",
    "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
);
const HTTP: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

pub(super) fn describe(out: &mut Cluster, cluster: &router::Cluster) {
    let told = |socket: NamedConfig| match cluster.proxy_protocol() {
        Some(version) => proxy_protocol(version, socket),
        None => socket,
    };
    match cluster.tls() {
        ClusterTls::Plain => {
            let is_told = cluster.proxy_protocol().is_some();
            let plain = named(("raw_buffer", PLAIN.1), &Empty {});
            out.transport_socket = is_told.then(|| told(plain));
        }
        ClusterTls::Always(tls) => out.transport_socket = Some(told(context(tls))),
        ClusterTls::Automatic(tls) => {
            let matched = |name: &str, matches: &[&str], socket| TransportSocketMatch {
                name: name.to_owned(),
                matches: matches
                    .iter()
                    .map(|mode| ("tlsMode".to_owned(), (*mode).into()))
                    .collect(),
                transport_socket: told(socket),
            };
            out.transport_socket_matches = vec![
                matched("tlsMode-istio", &["istio"], context(tls)),
                matched("tlsMode-disabled", &[], named(PLAIN, &Empty {})),
            ];
        }
    }
    if let Some(options) = http(cluster) {
        let options = Any::of(HTTP, &options);
        out.typed_extension_protocol_options
            .insert(HTTP.to_owned(), options);
    }
}

fn named((name, kind): (&str, &str), settings: &impl serde::Serialize) -> NamedConfig {
    NamedConfig {
        name: name.to_owned(),
        typed_config: Any::of(kind, settings),
    }
}

fn proxy_protocol(version: ProxyProtocol, transport_socket: NamedConfig) -> NamedConfig {
    let version = (version == ProxyProtocol::V2).then(|| "V2".to_owned());
    named(
        PROXY_PROTOCOL,
        &ProxyProtocolUpstreamTransport {
            config: Some(ProxyProtocolConfig { version }),
            transport_socket,
        },
    )
}

fn context(tls: &UpstreamTls) -> NamedConfig {
    let secret = |name: &str| SdsSecretConfig {
        name: name.to_owned(),
    };
    let exact = |name: &str| StringMatcher {
        exact: Some(name.to_owned()),
        ..StringMatcher::default()
    };
    let validation = tls
        .validation
        .as_deref()
        .map(|name| CombinedValidationContext {
            default_validation_context: CertificateValidationContext {
                match_subject_alt_names: tls
                    .subject_alt_names
                    .iter()
                    .map(|name| exact(name))
                    .collect(),
            },
            validation_context_sds_secret_config: secret(name),
        });
    named(
        TLS,
        &UpstreamTlsContext {
            common_tls_context: CommonTlsContext {
                alpn_protocols: tls.alpn.iter().map(|name| (*name).to_owned()).collect(),
                tls_certificate_sds_secret_configs: tls
                    .certificate
                    .iter()
                    .map(|name| secret(name))
                    .collect(),
                combined_validation_context: validation,
            },
            sni: tls.sni.as_deref().unwrap_or_default().to_owned(),
        },
    )
}

/// `None`: HTTP/1.1 as Envoy speaks it where nothing is said.
fn http(cluster: &router::Cluster) -> Option<HttpProtocolOptions> {
    let settings = cluster.settings();
    let common = CommonHttpProtocolOptions {
        idle_timeout: settings.idle_timeout.map(Span),
        max_connection_duration: settings.max_connection_duration.map(Span),
        max_requests_per_connection: settings.max_requests_per_connection,
    };
    let tls = match cluster.tls() {
        ClusterTls::Always(tls) | ClusterTls::Automatic(tls) => Some(tls),
        ClusterTls::Plain => None,
    };
    let upstream = tls.map(|tls| UpstreamHttpProtocolOptions {
        auto_sni: tls.auto_sni,
        auto_san_validation: tls.auto_san_validation,
    });
    let upstream = upstream.filter(|upstream| *upstream != UpstreamHttpProtocolOptions::default());
    let common = Some(common).filter(|common| *common != CommonHttpProtocolOptions::default());
    let http2 = Http2ProtocolOptions {
        max_concurrent_streams: settings.max_concurrent_streams,
    };
    let http1 = Some(Empty {});
    let (explicit, downstream) = match settings.protocol {
        UpstreamProtocol::Http1 if common.is_none() && upstream.is_none() => return None,
        UpstreamProtocol::Http1 => (
            Some(HttpVersions {
                http_protocol_options: http1,
                http2_protocol_options: None,
            }),
            None,
        ),
        UpstreamProtocol::Http2 => (
            Some(HttpVersions {
                http_protocol_options: None,
                http2_protocol_options: Some(http2),
            }),
            None,
        ),
        UpstreamProtocol::Downstream => (
            None,
            Some(HttpVersions {
                http_protocol_options: http1,
                http2_protocol_options: Some(http2),
            }),
        ),
    };
    Some(HttpProtocolOptions {
        common_http_protocol_options: common,
        upstream_http_protocol_options: upstream,
        explicit_http_config: explicit,
        use_downstream_protocol_config: downstream,
    })
}
