//! One request, and the connection that it arrives on, as the caller describes them. Everything is borrowed.

use std::net::IpAddr;

use super::claims::Claims;
use super::inline_list::InlineList;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tls {
    /// Plain text.
    #[default]
    None,
    /// TLS.
    Tls,
    /// TLS with a client certificate.
    Mutual,
}

/// A connection as a listener sees it: what filter chains are chosen by.
#[derive(Clone, Debug, Default)]
pub struct Connection<'a> {
    pub(crate) port: u16,
    pub(crate) address: Option<IpAddr>,
    pub(crate) tls: Tls,
    pub(crate) sni: Option<&'a str>,
    pub(crate) alpn: &'a [&'a str],
    pub(crate) gateway: Option<&'a str>,
}

impl<'a> Connection<'a> {
    /// A plain-text connection to `port`, at an address that belongs to no service.
    pub fn to_port(port: u16) -> Self {
        Connection {
            port,
            ..Connection::default()
        }
    }

    /// The same connection, to this destination address.
    #[must_use]
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// The same connection over TLS with this server name (SNI). ASCII case does not matter.
    #[must_use]
    pub fn sni(mut self, server_name: &'a str) -> Self {
        if self.tls == Tls::None {
            self.tls = Tls::Tls;
        }
        self.sni = Some(server_name);
        self
    }

    /// The same connection with this protection.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The same connection offering these application protocols (ALPN).
    #[must_use]
    pub fn alpn(mut self, protocols: &'a [&'a str]) -> Self {
        self.alpn = protocols;
        self
    }

    /// The same connection, arriving at this gateway (`mesh`, `name` or `namespace/name`). Only a router compiled for
    /// `Proxy::default()`, which serves both sides, needs to be told.
    #[must_use]
    pub fn gateway(mut self, gateway: &'a str) -> Self {
        self.gateway = Some(gateway);
        self
    }
}

/// A source of header lines that a [`Request`] can look names up in, so that an embedder's own header map needs no
/// copy. Names are compared without ASCII case.
pub trait HeaderSource {
    /// Calls `visit` with each value of `name` (given in lower case), in order.
    fn for_each_value<'s>(&'s self, name: &str, visit: &mut dyn FnMut(&'s [u8]));
    /// Calls `visit` with each header line, in order.
    fn for_each<'s>(&'s self, visit: &mut dyn FnMut(&'s str, &'s [u8]));
}

/// A request as it arrives: request line, authority, headers, and the connection below it.
#[derive(Clone)]
pub struct Request<'a> {
    pub(crate) method: &'a str,
    /// As the caller says; `None`: by the connection.
    pub(crate) scheme: Option<&'a str>,
    pub(crate) authority: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: InlineList<(&'a str, &'a [u8]), 8>,
    pub(crate) source: Option<&'a (dyn HeaderSource + Sync)>,
    pub(crate) claims: Option<&'a Claims>,
    pub(crate) connection: Connection<'a>,
}

impl<'a> Request<'a> {
    /// A request with `method` for `url`: `http(s)://authority/path?query`, or just `/path?query` (then give it an
    /// [`authority`](Self::authority)). The listener port is the URL's, or 80, or 443 for `https`; an `https` URL
    /// arrives over TLS with the host as its server name. Any text is accepted; what a proxy would refuse, `decide` refuses.
    pub fn new(method: &'a str, url: &'a str) -> Self {
        let (scheme, rest) = match url.find("://") {
            Some(at) if !url[..at].contains('/') => (Some(&url[..at]), &url[at + 3..]),
            _ => (None, url),
        };
        let (authority, path) = if rest.len() == url.len() {
            ("", rest)
        } else {
            match rest.find(['/', '?']) {
                Some(at) => rest.split_at(at),
                None => (rest, "/"),
            }
        };
        let host = super::host::without_port(authority);
        let explicit = authority
            .get(host.len() + 1..)
            .and_then(|port| port.parse().ok());
        let secure = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        let mut connection = Connection::to_port(explicit.unwrap_or(if secure { 443 } else { 80 }));
        if secure {
            connection = connection.sni(host);
        }
        Request {
            method,
            scheme,
            authority,
            path,
            headers: InlineList::default(),
            source: None,
            claims: None,
            connection,
        }
    }

    /// A `GET` request for `url`; see [`Request::new`].
    pub fn get(url: &'a str) -> Self {
        Request::new("GET", url)
    }

    /// A `POST` request for `url`; see [`Request::new`].
    pub fn post(url: &'a str) -> Self {
        Request::new("POST", url)
    }

    /// The same request with one more header line. A line named `host` is the authority.
    #[must_use]
    pub fn header<V: AsRef<[u8]> + ?Sized>(mut self, name: &'a str, value: &'a V) -> Self {
        match (
            name.eq_ignore_ascii_case("host"),
            std::str::from_utf8(value.as_ref()),
        ) {
            (true, Ok(authority)) => self.authority = authority,
            _ => self.headers.push((name, value.as_ref())),
        }
        self
    }

    /// The same request with its headers looked up in `source`, beside those given by [`header`](Self::header).
    #[must_use]
    pub fn header_source(mut self, source: &'a (dyn HeaderSource + Sync)) -> Self {
        self.source = Some(source);
        self
    }

    /// The same request arriving at listener `port`.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.connection.port = port;
        self
    }

    /// The same request for this authority (`Host`), as sent: any case, with or without a port.
    #[must_use]
    pub fn authority(mut self, authority: &'a str) -> Self {
        self.authority = authority;
        self
    }

    /// The same request with this scheme (`:scheme`). Unset, it is `https` over TLS and `http` otherwise.
    #[must_use]
    pub fn scheme(mut self, scheme: &'a str) -> Self {
        self.scheme = Some(scheme);
        self
    }

    /// The same request with the claims of the token that the caller has verified.
    #[must_use]
    pub fn claims(mut self, claims: &'a Claims) -> Self {
        self.claims = Some(claims);
        self
    }

    /// The same request on this connection; replaces port, server name and gateway.
    #[must_use]
    pub fn connection(mut self, connection: Connection<'a>) -> Self {
        self.connection = connection;
        self
    }

    /// The same request arriving at this gateway; see [`Connection::gateway`].
    #[must_use]
    pub fn gateway(mut self, gateway: &'a str) -> Self {
        self.connection.gateway = Some(gateway);
        self
    }

    /// Calls `visit` with each value of header `name` (lower case), in order. O(headers).
    pub(crate) fn for_each_value(&self, name: &str, visit: &mut dyn FnMut(&'a [u8])) {
        for (line, value) in self.headers.iter() {
            if line.eq_ignore_ascii_case(name) {
                visit(value);
            }
        }
        if let Some(source) = self.source {
            source.for_each_value(name, visit);
        }
    }

    /// Calls `visit` with each header line, in order.
    pub(crate) fn for_each_header(&self, visit: &mut dyn FnMut(&'a str, &'a [u8])) {
        for (name, value) in self.headers.iter() {
            visit(name, value);
        }
        if let Some(source) = self.source {
            source.for_each(visit);
        }
    }
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("authority", &self.authority)
            .field("path", &self.path)
            .field("port", &self.connection.port)
            .finish_non_exhaustive()
    }
}
