//! What a proxy does to the headers of a request before it routes it: what belongs to one hop goes, what only a proxy may
//! say of the client is overwritten, and cookie crumbs are one cookie (Envoy: `ConnectionManagerUtility`).
//!
//! [`Subject::own`] says it for one name, so that matching, forwarding and formats see the same. `x-request-id` is left to
//! the caller.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::names::tokens;
use super::refusal;
use super::subject::{Own, Subject, with_pieces};
use crate::terms::connection_manager::{ForwardClientCert, Underscores};
use crate::terms::request::{Protocol, Tls};

/// The headers that are neither always as they were given nor always gone.
pub(super) const TOUCHED: [&str; 9] = [
    "connection",
    "cookie",
    "te",
    "upgrade",
    "x-envoy-external-address",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-proto",
];

impl<'q> Subject<'q, '_> {
    /// What is done to header `name` (lower case).
    pub(super) fn own(&self, name: &str) -> Own<'q> {
        if self.manager.underscores == Underscores::Drop && name.contains('_') {
            return Own::Absent;
        }
        if let Some(rest) = name.strip_prefix("x-") {
            return match rest.split_once('-') {
                Some(("envoy", rest)) => self.envoy_header(rest),
                Some(("forwarded", rest)) => self.forwarded_header(rest),
                _ => Own::Given,
            };
        }
        match name {
            "connection" | "upgrade" if !self.is_upgrade() => Own::Absent,
            "keep-alive" | "proxy-connection" | "transfer-encoding" => Own::Absent,
            "http2-settings" if refusal::upgrade(self.request).is_some_and(refusal::is_h2c) => {
                Own::Absent
            }
            "te" if !self.is_upgrade() => match self.accepts_trailers() {
                true => Own::Value(b"trailers"),
                false => Own::Absent,
            },
            "cookie" if self.request.protocol == Protocol::Http2 => Own::Crumbs,
            ":authority" | "host" => Own::Value(self.authority.as_bytes()),
            ":method" => Own::Value(self.request.method.as_bytes()),
            ":path" => Own::Value(self.target.as_bytes()),
            ":scheme" => Own::Value(self.scheme().as_bytes()),
            _ if name.starts_with(':') => Own::Absent,
            _ => Own::Given,
        }
    }

    /// `x-envoy-` and this. No client is trusted to say how it is to be served; what only a proxy before this one knows, a
    /// gateway does not believe.
    fn envoy_header(&self, name: &str) -> Own<'q> {
        match name {
            "internal"
            | "retriable-status-codes"
            | "retriable-header-names"
            | "retry-on"
            | "retry-grpc-on"
            | "max-retries"
            | "upstream-alt-stat-name"
            | "upstream-rq-timeout-ms"
            | "upstream-rq-per-try-timeout-ms"
            | "upstream-rq-timeout-alt-response"
            | "expected-rq-timeout-ms"
            | "force-trace"
            | "ip-tags"
            | "original-url"
            | "hedge-on-per-try-timeout" => Own::Absent,
            "decorator-operation"
            | "downstream-service-cluster"
            | "downstream-service-node"
            | "original-path"
            | "original-host"
                if self.manager.is_edge =>
            {
                Own::Absent
            }
            "external-address" if self.manager.is_edge => Own::ExternalAddress,
            _ => Own::Given,
        }
    }

    /// `x-forwarded-` and this.
    fn forwarded_header(&self, name: &str) -> Own<'q> {
        match name {
            "proto" => Own::Value(self.forwarded_proto()),
            "port" if self.manager.appends_port && self.says_port() => Own::Port,
            "for" if self.manager.is_edge => Own::ForwardedFor,
            "client-cert" => match self.manager.client_certificate {
                ForwardClientCert::AlwaysForwardOnly => Own::Given,
                ForwardClientCert::ForwardOnly | ForwardClientCert::AppendForward
                    if self.request.connection.tls == Tls::Mutual =>
                {
                    Own::Given
                }
                _ => Own::Absent,
            },
            _ => Own::Given,
        }
    }

    /// Whether the proxy says at which port the request arrived: what a trusted proxy has said stays.
    fn says_port(&self) -> bool {
        self.manager.trusted_hops == 0 || self.request.first_value("x-forwarded-port").is_none()
    }

    /// Hands the port at which the request arrived to `visit`.
    pub(super) fn with_port(&self, visit: &mut dyn FnMut(&[u8])) {
        let mut port = self.request.connection.port;
        let (mut digits, mut start) = ([b'0'; 5], 5);
        while start == 5 || port > 0 {
            start -= 1;
            digits[start] = b'0' + (port % 10) as u8;
            port /= 10;
        }
        visit(&digits[start..]);
    }

    /// `x-forwarded-proto`: a gateway says it, unless a trusted proxy has; a sidecar keeps what the client says (R-H-065,
    /// R-H-081).
    pub(super) fn forwarded_proto(&self) -> &'q [u8] {
        let given = match self.manager.is_edge && self.manager.trusted_hops == 0 {
            true => None,
            false => self.first_line("x-forwarded-proto"),
        };
        given.unwrap_or(match self.request.connection.tls {
            Tls::None => b"http",
            Tls::Tls | Tls::Mutual => b"https",
        })
    }

    /// `:scheme`: as the caller or the target says, else as `x-forwarded-proto` does, if that is a scheme, else by the
    /// connection.
    pub(super) fn scheme(&self) -> &'q str {
        if let Some(said) = self.request.scheme.or(self.named_scheme) {
            return said;
        }
        let is_plain = self.request.connection.tls == Tls::None;
        let forwarded = match self.request.protocol {
            Protocol::Http1 => self.forwarded_proto(),
            // It is always sent.
            Protocol::Http2 => b"",
        };
        match forwarded {
            said if said.eq_ignore_ascii_case(b"http") => "http",
            said if said.eq_ignore_ascii_case(b"https") => "https",
            _ if is_plain => "http",
            _ => "https",
        }
    }

    /// Whether the connection changes its protocol: then what belongs to one hop stays.
    fn is_upgrade(&self) -> bool {
        self.request.protocol == Protocol::Http1
            && self
                .first_line("upgrade")
                .is_some_and(|to| !refusal::is_h2c(to))
            && self.connection_names("upgrade")
    }

    fn accepts_trailers(&self) -> bool {
        let mut found = false;
        self.for_each_line("te", &mut |value| {
            found |= tokens(value).any(|token| token.eq_ignore_ascii_case(b"trailers"));
        });
        found
    }

    /// Whether `connection` says that header `name` belongs to one hop.
    pub(super) fn is_nominated(&self, name: &str) -> bool {
        let is_safe = matches!(
            name,
            "close" | "connection" | "http2-settings" | "keep-alive" | "upgrade"
        );
        !is_safe && self.connection_names(name) && !self.is_upgrade()
    }

    /// The address that stands for the client: at a gateway, what the outermost trusted proxy says, else the client's own;
    /// at a sidecar, what the last proxy says, else the client's own.
    pub(super) fn remote_address(&self) -> Option<IpAddr> {
        let back = match (self.manager.is_edge, self.manager.trusted_hops) {
            (true, 0) => None,
            (true, hops) => Some(hops - 1),
            (false, _) => Some(0),
        };
        let mut said = None;
        if let Some(back) = back {
            self.with_line("x-forwarded-for", |given| {
                let mut addresses = given.unwrap_or_default().rsplit(|&byte| byte == b',');
                said = addresses
                    .nth(usize::try_from(back).unwrap_or(usize::MAX))
                    .and_then(|address| std::str::from_utf8(address.trim_ascii()).ok())
                    .and_then(|address| address.parse().ok());
            });
        }
        said.or(self.request.connection.source)
    }

    /// Hands the value of `x-forwarded-for` to `visit`: what was given, and the client's address, if it is known.
    pub(super) fn with_forwarded_for(&self, visit: &mut dyn FnMut(&[u8])) {
        let source = self.request.connection.source.map(AddressText::new);
        let source = source.as_ref().map(AddressText::as_bytes);
        self.with_line("x-forwarded-for", |given| match (given, source) {
            (None, None) => {}
            (Some(only), None) | (None, Some(only)) => visit(only),
            (Some(given), Some(source)) => with_pieces(&[given, b",", source], visit),
        });
    }

    /// Hands the value of `x-envoy-external-address` to `visit`.
    pub(super) fn with_external_address(&self, visit: &mut dyn FnMut(&[u8])) {
        if let Some(address) = self.remote_address() {
            visit(AddressText::new(address).as_bytes());
        }
    }
}

/// An address as text, without an allocation.
struct AddressText {
    buffer: [u8; 48],
    len: usize,
}

impl AddressText {
    fn new(address: IpAddr) -> Self {
        let mut text = AddressText {
            buffer: [0; 48],
            len: 0,
        };
        // The longest address has 45 bytes.
        let _ = write!(text, "{address}");
        text
    }

    fn as_bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}

impl std::fmt::Write for AddressText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        let room = self.buffer.get_mut(self.len..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}
