//! A request as the conditions of a rule see it: the normalised path, and headers with the few that the proxy itself
//! would have set, looked up without a copy.

use super::path::Target;
use crate::decision::Side;
use crate::terms::claims::Claim;
use crate::terms::condition::Facts;
use crate::terms::request::{Request, Tls};

/// Headers of which a proxy keeps one line only: further lines are appended to it with `,`, unless they are empty.
/// Every other header keeps its lines, and each line is tested on its own.
const ONE_LINE: [&str; 28] = [
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "authorization",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "grpc-accept-encoding",
    "grpc-timeout",
    "keep-alive",
    "origin",
    "proxy-connection",
    "referer",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];

/// Longest joined value of repeated lines of such a header; a longer one is cut.
const LONGEST_JOINED: usize = 8 * 1024;

/// Whether a proxy keeps one line of this header (given in lower case).
pub(super) fn keeps_one_line(name: &str) -> bool {
    ONE_LINE.binary_search(&name).is_ok()
}

/// What is matched.
#[derive(Clone, Copy)]
pub(super) struct Subject<'q, 'b> {
    pub request: &'q Request<'b>,
    pub side: Side,
    /// Normalised, with the query.
    pub target: &'q str,
    /// Normalised, without the query.
    pub path: &'q str,
    /// What follows the first `?`.
    pub query: Option<&'q str>,
}

impl<'q, 'b: 'q> Subject<'q, 'b> {
    /// `target` is normalised.
    pub fn new(request: &'q Request<'b>, side: Side, target: Target<'q>) -> Self {
        Subject {
            request,
            side,
            target: target.whole(),
            path: target.path(),
            query: target.query(),
        }
    }

    /// What the proxy calls the protocol of the connection: `x-forwarded-proto`. A gateway sets it; a sidecar keeps what
    /// the client says (R-H-065, R-H-081).
    pub fn forwarded_proto(&self) -> &'q str {
        let by_connection = match self.request.connection.tls {
            Tls::None => "http",
            Tls::Tls | Tls::Mutual => "https",
        };
        if self.side == Side::Gateway {
            return by_connection;
        }
        let mut given = None;
        self.request
            .for_each_value("x-forwarded-proto", &mut |value| {
                given = given.or(std::str::from_utf8(value).ok());
            });
        given.unwrap_or(by_connection)
    }

    /// `:scheme`: as the caller says, else as `x-forwarded-proto` does.
    pub fn scheme(&self) -> &'q str {
        self.request
            .scheme
            .unwrap_or_else(|| self.forwarded_proto())
    }

    /// The value of a pseudo header or of one that the proxy sets; `Err`: it is an ordinary header.
    fn own_value(&self, name: &str) -> Result<Option<&'q [u8]>, ()> {
        let value = match name {
            ":authority" | "host" => self.request.authority,
            ":method" => self.request.method,
            ":path" => self.target,
            ":scheme" => self.scheme(),
            "x-forwarded-proto" => self.forwarded_proto(),
            _ if name.starts_with(':') => return Ok(None),
            _ => return Err(()),
        };
        Ok(Some(value.as_bytes()))
    }

    /// Whether one of the values of header `name` (lower case) passes `test`; `None`: there is no value. Names are
    /// compared without case (R-H-093).
    pub fn any_value(&self, name: &str, test: &dyn Fn(&[u8]) -> bool) -> Option<bool> {
        let mut passes = None;
        self.for_each_tested(name, &mut |value| {
            passes = Some(passes == Some(true) || test(value))
        });
        passes
    }

    /// Calls `visit` with each value of header `name` (lower case) that a condition is tested on: each line, or the lines
    /// of one that a proxy keeps in one line, joined.
    pub fn for_each_tested(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        if let Ok(value) = self.own_value(name) {
            return value.into_iter().for_each(visit);
        }
        let (mut count, mut first) = (0_u32, None);
        self.request.for_each_value(name, &mut |value| {
            count += 1;
            first = first.or(Some(value));
        });
        match (count, first) {
            (0 | 1, first) => first.into_iter().for_each(visit),
            _ if keeps_one_line(name) => self.with_joined(name, visit),
            _ => self.request.for_each_value(name, &mut |value| visit(value)),
        }
    }

    /// Hands the one value of a header that keeps one line to `run`; `None` where it is absent or empty.
    pub fn with_line<R>(&self, name: &str, run: impl FnOnce(Option<&[u8]>) -> R) -> R {
        let (mut count, mut first) = (0_u32, None);
        self.request.for_each_value(name, &mut |value| {
            count += 1;
            first = first.or(Some(value));
        });
        match count {
            0 | 1 => run(first.filter(|value| !value.is_empty())),
            _ => self.with_joined(name, |value| {
                run(Some(value).filter(|value| !value.is_empty()))
            }),
        }
    }

    // Out of line, so that only a request that repeats such a header pays for the stack.
    #[cold]
    #[inline(never)]
    fn with_joined<R>(&self, name: &str, run: impl FnOnce(&[u8]) -> R) -> R {
        let mut buffer = [0_u8; LONGEST_JOINED];
        let mut len = 0;
        self.request.for_each_value(name, &mut |value| {
            let comma: &[u8] = if len > 0 && !value.is_empty() {
                b","
            } else {
                b""
            };
            for part in [comma, value] {
                let room = &mut buffer[len..];
                let taken = part.len().min(room.len());
                room[..taken].copy_from_slice(&part[..taken]);
                len += taken;
            }
        });
        run(&buffer[..len])
    }

    /// The first raw value of query parameter `key`: nothing is decoded, `k` alone is `k=` (R-H-103, R-H-104).
    pub fn query_value(&self, key: &str) -> Option<&'q str> {
        self.query?.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name == key).then_some(value)
        })
    }

    /// Whether the client speaks gRPC: its answers are then gRPC ones (R-H-139).
    pub fn is_grpc(&self) -> bool {
        self.any_value("content-type", &is_grpc_content)
            .unwrap_or(false)
    }
}

impl Facts for Subject<'_, '_> {
    fn path(&self) -> &str {
        self.path
    }

    fn for_each_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.for_each_tested(name, visit);
    }

    fn query_value(&self, key: &str) -> Option<&[u8]> {
        Subject::query_value(self, key).map(str::as_bytes)
    }

    fn claim(&self, path: &[Box<str>]) -> Option<&Claim> {
        self.request.claims?.get(path)
    }
}

/// Whether a `content-type` says gRPC.
pub(super) fn is_grpc_content(value: &[u8]) -> bool {
    value
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| rest.is_empty() || rest[0] == b'+' || rest[0] == b';')
}
