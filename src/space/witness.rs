//! A request (or a connection) that shows an answer: it can be sent, printed, and asked of any router.

use std::collections::BTreeMap;
use std::fmt;

use super::arrivals::Arrival;
use crate::decision::{Decision, Side};
use crate::router::{Router, ServedServer};
use crate::terms::claims::{Claim, Claims};
use crate::terms::request::{Connection, Protocol, Request, Tls};

/// A request, or a connection without one, that shows an answer. Printed, it is one line for people:
/// ``GET http://shop.example.com/cart with `x-user: jane` ``.
#[derive(Clone, PartialEq)]
pub struct Witness {
    pub(super) gateway: Option<Box<str>>,
    pub(super) arrival: Arrival,
    pub(super) method: String,
    pub(super) authority: String,
    pub(super) target: String,
    pub(super) scheme: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) claims: BTreeMap<String, Claim>,
}

short_debug! { Witness {gateway, arrival, method, authority, target, scheme, headers, claims} }

impl Witness {
    /// A plain `GET /`.
    pub(super) fn new(router: &Router, arrival: Arrival, host: &str) -> Self {
        Witness {
            gateway: gateway(router, &arrival),
            arrival,
            method: "GET".to_owned(),
            authority: host.to_owned(),
            target: "/".to_owned(),
            scheme: None,
            headers: Vec::new(),
            claims: BTreeMap::new(),
        }
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The host, perhaps with a port.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The header lines, in order.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The port of the listener.
    pub fn port(&self) -> u16 {
        self.arrival.port
    }

    /// The server name of the TLS handshake.
    pub fn server_name(&self) -> Option<&str> {
        self.arrival.server_name.as_deref()
    }

    /// Whether it is a connection on which no HTTP is spoken.
    pub fn is_bare_connection(&self) -> bool {
        self.arrival.protocol.is_none()
    }

    /// Hands the request to `run`.
    pub fn with_request<R>(&self, run: impl FnOnce(&Request<'_>) -> R) -> R {
        let claims = self
            .claims
            .iter()
            .fold(Claims::new(), |claims, (name, claim)| {
                claims.with(name, claim.clone())
            });
        self.with_connection(|connection| {
            let mut request = Request::new(&self.method, "/")
                .target(&self.target)
                .authority(&self.authority)
                .protocol(self.arrival.protocol.unwrap_or_default())
                .claims(&claims)
                .connection(connection.clone());
            if let Some(scheme) = &self.scheme {
                request = request.scheme(scheme);
            }
            let request = self.headers.iter().fold(request, |request, (name, value)| {
                request.header(name, value)
            });
            run(&request)
        })
    }

    /// Hands the connection to `run`.
    pub fn with_connection<R>(&self, run: impl FnOnce(&Connection<'_>) -> R) -> R {
        let offered = self.arrival.application_protocol.as_deref();
        let mut connection = Connection::to_port(self.arrival.port)
            .tls(self.arrival.tls)
            .alpn(offered.as_slice());
        if let Some(address) = self.arrival.address {
            connection = connection.address(address);
        }
        if let Some(name) = &self.arrival.server_name {
            connection = connection.sni(name);
        }
        if let Some(gateway) = &self.gateway {
            connection = connection.gateway(gateway);
        }
        run(&connection)
    }

    /// What a router decides for it.
    pub fn decide<'r>(&self, router: &'r Router, entropy: u64) -> Decision<'r> {
        match self.is_bare_connection() {
            true => {
                self.with_connection(|connection| router.decide_connection(connection, entropy))
            }
            false => self.with_request(|request| router.decide(request, entropy)),
        }
    }

    /// Over HTTP/2 where the method is none of HTTP/1.1 that a proxy knows.
    pub(super) fn settle_protocol(&mut self, router: &Router) {
        use crate::decision::{BadRequest, Outcome};
        let outcome = self.decide(router, 0).outcome();
        if matches!(outcome, Outcome::BadRequest(BadRequest::InvalidMethod)) {
            self.arrival.protocol = Some(Protocol::Http2);
        }
    }
}

/// The gateway that a connection must name, at a router that serves both sides of a proxy.
fn gateway(router: &Router, arrival: &Arrival) -> Option<Box<str>> {
    let tables = &router.tables;
    if tables.mesh.is_none() || tables.gateway.is_none() {
        return None;
    }
    match arrival.side {
        Side::Mesh => Some("mesh".into()),
        Side::Gateway => {
            let mut gateways = tables.gateways.iter();
            let listens = |server: &ServedServer| server.port == arrival.port;
            let gateway = gateways.find(|gateway| gateway.servers.iter().any(listens))?;
            Some(format!("{}/{}", gateway.namespace, gateway.name).into())
        }
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Arrival {
            side,
            port,
            address,
            tls,
            server_name,
            application_protocol,
            protocol,
        } = &self.arrival;
        let scheme = match tls {
            Tls::None => "http",
            _ => "https",
        };
        match protocol {
            None => write!(f, "a connection")?,
            Some(_) => write!(
                f,
                "{} {scheme}://{}{}",
                self.method, self.authority, self.target
            )?,
        }
        for (at, (name, value)) in self.headers.iter().enumerate() {
            let word = if at == 0 { " with" } else { "," };
            write!(f, "{word} `{name}: {value}`")?;
        }
        for name in self.claims.keys() {
            write!(f, ", a token with the claim `{name}`")?;
        }
        if let Some(scheme) = &self.scheme {
            write!(f, ", scheme {scheme}")?;
        }
        write!(f, ", at port {port}")?;
        if let Some(address) = address {
            write!(f, " of {address}")?;
        }
        if let Some(name) = server_name {
            write!(f, ", server name {name}")?;
        }
        if let Some(name) = application_protocol {
            write!(f, ", offering {name}")?;
        }
        if *protocol == Some(Protocol::Http2) {
            f.write_str(", over HTTP/2")?;
        }
        match (side, &self.gateway) {
            (_, Some(gateway)) => write!(f, " of {gateway}"),
            _ => Ok(()),
        }
    }
}

/// A claim at the end of a path of nested objects, put into `claims`.
pub(super) fn add_claim(claims: &mut BTreeMap<String, Claim>, path: &[Box<str>], value: &str) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        claims.insert(first.to_string(), Claim::String(value.to_owned()));
        return;
    }
    let entry = claims
        .entry(first.to_string())
        .or_insert_with(|| Claim::Object(BTreeMap::new()));
    if let Claim::Object(members) = entry {
        add_claim(members, rest, value);
    }
}
