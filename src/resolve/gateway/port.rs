//! Port and bind address of a server (R-M-179).

use crate::diagnostic::{At, Code};
use crate::mesh::service::Protocol;
use crate::resource as raw;

use super::super::Sink;
use super::super::check::network;

/// Where a server listens.
#[derive(Default)]
pub(super) struct Bind {
    pub address: Option<std::net::IpAddr>,
    pub is_socket: bool,
}

/// R-M-179.
pub(super) fn check_bind(written: &raw::Server, at: &At<'_>, sink: &mut Sink<'_>) -> Bind {
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
pub(super) fn check(
    port: &raw::Port,
    is_socket: bool,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Protocol {
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
