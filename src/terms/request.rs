//! One request, and the connection that it arrives on, as the caller describes them. Everything is borrowed.

use std::net::IpAddr;

use super::claims::Claims;
use super::inline_list::InlineList;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tls {
    /// Plain text.
    #[default]
    None,
    /// TLS.
    Tls,
    /// TLS with a client certificate.
    Mutual,
}

/// The version of HTTP that a request came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2: the cookie crumbs are joined, and authority and target are read by its rules.
    Http2,
}

impl Protocol {
    /// `HTTP/1.1`, `HTTP/2`.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Http1 => "HTTP/1.1",
            Protocol::Http2 => "HTTP/2",
        }
    }
}

/// Bytes as they were sent, known to be text or known not to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sent<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Sent<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        std::str::from_utf8(bytes).map_or(Sent::Bytes(bytes), Sent::Text)
    }
}

/// A connection as a listener sees it: what filter chains are chosen by.
#[derive(Clone, Default)]
pub struct Connection<'a> {
    pub(crate) port: u16,
    pub(crate) address: Option<IpAddr>,
    pub(crate) tls: Tls,
    pub(crate) sni: Option<&'a str>,
    pub(crate) alpn: &'a [&'a str],
    pub(crate) gateway: Option<&'a str>,
    pub(crate) source: Option<IpAddr>,
}

short_debug! { Connection<'_> {port, address, tls, sni, alpn, gateway, source} }

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

    /// The same connection, from this client. Unknown, nothing is said of the client to the upstream.
    #[must_use]
    pub fn source(mut self, address: IpAddr) -> Self {
        self.source = Some(address);
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

/// A request as it arrives: request line, authority, headers, and the connection below it. Authority, target and header
/// values are bytes: whatever a client may send.
#[derive(Clone)]
pub struct Request<'a> {
    pub(crate) protocol: Protocol,
    pub(crate) method: &'a str,
    /// As the caller says; `None`: by the connection.
    pub(crate) scheme: Option<&'a str>,
    /// `None`: there was no `Host`.
    pub(crate) authority: Option<Sent<'a>>,
    /// The authority is that of a URL: a `Host` line beside it takes its place.
    authority_of_url: bool,
    /// There are further `host` lines among the headers.
    pub(crate) has_more_hosts: bool,
    /// The authority is that of the first `host` line of the source.
    authority_of_source: bool,
    /// There are lines that are about this hop: `connection`, `transfer-encoding` or `upgrade`.
    has_hop_lines: bool,
    pub(crate) target: Sent<'a>,
    /// The target is a query, which follows a `/` that the URL did not write.
    pub(crate) target_is_query: bool,
    pub(crate) headers: InlineList<(&'a str, &'a [u8]), 8>,
    pub(crate) source: Option<&'a (dyn HeaderSource + Sync)>,
    pub(crate) claims: Option<&'a Claims>,
    pub(crate) connection: Connection<'a>,
}

/// A URL as a client reads it: what it sends of it, and where.
struct Url<'a> {
    is_secure: bool,
    authority: &'a str,
    /// Begins with `/` or `?`, or is empty.
    target: &'a str,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !is_scheme {
            return None;
        }
        // Neither fragment nor user are sent.
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        Some(Url {
            is_secure: scheme.eq_ignore_ascii_case("https"),
            authority: authority.rsplit('@').next().unwrap_or_default(),
            target,
        })
    }
}

impl<'a> Request<'a> {
    /// A request with `method` for `url`: `http(s)://authority/path?query`, or just the target, `/path?query` (then give it
    /// an [`authority`](Self::authority)). Of a URL, neither fragment nor user are sent. The listener port is the URL's, or
    /// 80, or 443 for `https`; an `https` URL arrives over TLS with the host as its server name. Any text is accepted; what a
    /// proxy would refuse, `decide` refuses.
    pub fn new(method: &'a str, url: &'a str) -> Self {
        let mut request = Request {
            protocol: Protocol::Http1,
            method,
            scheme: None,
            authority: None,
            authority_of_url: false,
            has_more_hosts: false,
            authority_of_source: false,
            has_hop_lines: false,
            target: Sent::Text(url),
            target_is_query: false,
            headers: InlineList::default(),
            source: None,
            claims: None,
            connection: Connection::to_port(80),
        };
        if let Some(url) = Url::parse(url) {
            request.visit(&url);
        }
        request
    }

    fn visit(&mut self, url: &Url<'a>) {
        self.authority = Some(Sent::Text(url.authority));
        self.authority_of_url = true;
        self.target_is_query = url.target.starts_with('?');
        self.target = Sent::Text(if url.target.is_empty() {
            "/"
        } else {
            url.target
        });
        let host = super::host::without_port(url.authority);
        let port = url.authority.get(host.len() + 1..);
        let port = port.and_then(|port| port.parse().ok());
        self.connection = Connection::to_port(port.unwrap_or(if url.is_secure { 443 } else { 80 }));
        if url.is_secure {
            self.connection.tls = Tls::Tls;
            self.connection.sni = Some(host);
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

    /// The same request with one more header line. A line named `host` is the authority, in place of a URL's; beside
    /// another one it is a second `Host`.
    #[must_use]
    pub fn header<V: AsRef<[u8]> + ?Sized>(mut self, name: &'a str, value: &'a V) -> Self {
        let value = value.as_ref();
        if !name.eq_ignore_ascii_case("host") {
            self.has_hop_lines |= is_hop_line(name);
            self.headers.push((name, value));
        } else if self.authority.is_none() || self.authority_of_url {
            return self.authority(value);
        } else {
            self.headers.push((name, value));
            self.has_more_hosts = true;
        }
        self
    }

    /// A request with `method` for `target` at `authority`, each as it was sent: nothing is parsed as a URL. It arrives over
    /// HTTP/1.1 at port 80.
    pub fn of<A, T>(method: &'a str, authority: &'a A, target: &'a T) -> Self
    where
        A: AsRef<[u8]> + ?Sized,
        T: AsRef<[u8]> + ?Sized,
    {
        Request::new(method, "").authority(authority).target(target)
    }

    /// The same request with its headers looked up in `source`, beside those given by [`header`](Self::header). A `host` line in it is
    /// the authority where none is given but a URL's; a further one is a second `Host`.
    #[must_use]
    pub fn header_source(mut self, source: &'a (dyn HeaderSource + Sync)) -> Self {
        self.source = Some(source);
        if self.authority.is_none() || self.authority_of_url {
            let (mut first, mut count) = (None, 0_u32);
            source.for_each_value("host", &mut |value| {
                count += 1;
                first = first.or(Some(value));
            });
            if let Some(first) = first {
                self = self.authority(first);
                self.authority_of_source = true;
                self.has_more_hosts |= count > 1;
            }
        }
        self
    }

    /// The same request arriving at listener `port`.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.connection.port = port;
        self
    }

    /// The same request for this authority (`Host`, `:authority`), as sent: any case, with or without a port.
    #[must_use]
    pub fn authority<V: AsRef<[u8]> + ?Sized>(mut self, authority: &'a V) -> Self {
        self.authority = Some(Sent::new(authority.as_ref()));
        self.authority_of_url = false;
        if std::mem::take(&mut self.authority_of_source) {
            let mut lines = self.headers.iter();
            self.has_more_hosts = lines.any(|(name, _)| name.eq_ignore_ascii_case("host"));
        }
        self
    }

    /// The same request for this target, byte for byte as sent: `/path?query`, `*`, or in absolute form
    /// `http://authority/path`.
    #[must_use]
    pub fn target<V: AsRef<[u8]> + ?Sized>(mut self, target: &'a V) -> Self {
        self.target = Sent::new(target.as_ref());
        self.target_is_query = false;
        self
    }

    /// The same request in this version of HTTP.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// The same request with this scheme (`:scheme`). Unset, it is what an absolute target says, else what
    /// `x-forwarded-proto` does, else `https` over TLS and `http` otherwise.
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

    /// Calls `visit` with each value of header `name` (lower case), in order and without the blanks around it. O(headers).
    pub(crate) fn for_each_value(&self, name: &str, visit: &mut dyn FnMut(&'a [u8])) {
        for (line, value) in self.headers.iter() {
            if line.eq_ignore_ascii_case(name) {
                visit(trimmed(value));
            }
        }
        if let Some(source) = self.source {
            let mut is_authority = self.authority_of_source && name == "host";
            source.for_each_value(name, &mut |value| {
                if !std::mem::take(&mut is_authority) {
                    visit(trimmed(value));
                }
            });
        }
    }

    /// Whether there may be lines that are about this hop: `connection`, `transfer-encoding` or `upgrade`.
    #[inline]
    pub(crate) fn may_have_hop_lines(&self) -> bool {
        self.has_hop_lines || self.source.is_some()
    }

    /// The first value of header `name` (lower case).
    pub(crate) fn first_value(&self, name: &str) -> Option<&'a [u8]> {
        let mut first = None;
        self.for_each_value(name, &mut |value| first = first.or(Some(value)));
        first
    }

    /// Calls `visit` with each header line but `host`, in order.
    pub(crate) fn for_each_header(&self, visit: &mut dyn FnMut(&'a str, &'a [u8])) {
        let mut visit = |name: &'a str, value| {
            if !name.eq_ignore_ascii_case("host") {
                visit(name, trimmed(value));
            }
        };
        for (name, value) in self.headers.iter() {
            visit(name, value);
        }
        if let Some(source) = self.source {
            source.for_each(&mut visit);
        }
    }
}

/// Whether a header is about the connection that a request comes on.
#[inline]
fn is_hop_line(name: &str) -> bool {
    let known = match name.len() {
        7 => "upgrade",
        10 => "connection",
        17 => "transfer-encoding",
        _ => return false,
    };
    name.eq_ignore_ascii_case(known)
}

/// A value as it arrives: HTTP drops the blanks around it.
#[inline]
fn trimmed(value: &[u8]) -> &[u8] {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if is_blank(value.first()) || is_blank(value.last()) {
        value.trim_ascii()
    } else {
        value
    }
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("authority", &self.authority)
            .field("target", &self.target)
            .field("port", &self.connection.port)
            .finish_non_exhaustive()
    }
}
