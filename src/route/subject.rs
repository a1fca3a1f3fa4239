//! A request as the conditions of a rule see it: the normalised path, and headers with the few that the proxy itself
//! would have set, looked up without a copy.

use super::head::Head;
use super::names::Names;
use super::path::Target;
use crate::router::Router;
use crate::terms::claims::Claim;
use crate::terms::condition::Facts;
use crate::terms::connection_manager::ConnectionManager;
use crate::terms::request::{Connection, Request, Tls};

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
    names: &'q Names,
    pub manager: ConnectionManager,
    pub authority: &'q str,
    /// The scheme that the target names.
    pub named_scheme: Option<&'static str>,
    /// Normalised, with the query.
    pub target: &'q str,
    /// Normalised, without the query.
    pub path: &'q str,
    /// What follows the first `?`.
    pub query: Option<&'q str>,
}

/// Where the value of a header comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own<'q> {
    /// From the lines that were given.
    Given,
    /// It is gone.
    Absent,
    /// From the proxy.
    Value(&'q [u8]),
    /// The addresses that were given, and the client's.
    ForwardedFor,
    /// The address that stands for the client.
    ExternalAddress,
    /// The port at which the request arrived.
    Port,
    /// The lines that were given, joined with `; `.
    Crumbs,
}

impl<'q, 'b: 'q> Subject<'q, 'b> {
    /// `target` is that of `head`, normalised; `names` are those of the request, which nothing has been asked yet.
    pub(super) fn new(
        request: &'q Request<'b>,
        names: &'q Names,
        manager: ConnectionManager,
        head: Head<'q>,
        target: Target<'q>,
    ) -> Self {
        Subject {
            request,
            names,
            manager,
            authority: head.authority,
            named_scheme: head.scheme,
            target: target.whole(),
            path: target.path(),
            query: target.query(),
        }
    }

    /// Whether one of the values of header `name` (lower case) passes `test`; `None`: there is no value. Names are
    /// compared without case (R-H-093).
    pub(super) fn any_value(&self, name: &str, test: &dyn Fn(&[u8]) -> bool) -> Option<bool> {
        let mut passes = None;
        self.for_each_tested(name, &mut |value| {
            passes = Some(passes == Some(true) || test(value))
        });
        passes
    }

    /// Calls `visit` with each value of header `name` (lower case) that a condition is tested on: each line, or the lines
    /// of one that a proxy keeps in one line, joined.
    pub(super) fn for_each_tested(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        match self.own(name) {
            Own::Given => self.for_each_given(name, visit),
            Own::Absent => {}
            Own::Value(value) => visit(value),
            Own::ForwardedFor => self.with_forwarded_for(visit),
            Own::ExternalAddress => self.with_external_address(visit),
            Own::Port => self.with_port(visit),
            Own::Crumbs => self.for_each_joined(name, b"; ", visit),
        }
    }

    fn for_each_given(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        let (mut count, mut first) = (0_u32, None);
        self.for_each_line(name, &mut |value| {
            count += 1;
            first = first.or(Some(value));
        });
        let Some(first) = first else { return };
        if self.is_nominated(name) {
            return;
        }
        match count {
            1 => visit(first),
            _ if keeps_one_line(name) => self.with_joined(name, b",", visit),
            _ => self.for_each_line(name, &mut |value| visit(value)),
        }
    }

    fn for_each_joined(&self, name: &str, between: &[u8], visit: &mut dyn FnMut(&[u8])) {
        if self.first_line(name).is_some() {
            self.with_joined(name, between, visit);
        }
    }

    /// Hands the one value of a header that keeps one line to `run`; `None` where it is absent or empty.
    pub(super) fn with_line<R>(&self, name: &str, run: impl FnOnce(Option<&[u8]>) -> R) -> R {
        let (mut count, mut first) = (0_u32, None);
        self.for_each_line(name, &mut |value| {
            count += 1;
            first = first.or(Some(value));
        });
        match count {
            0 | 1 => run(first.filter(|value| !value.is_empty())),
            _ => self.with_joined(name, b",", |value| {
                run(Some(value).filter(|value| !value.is_empty()))
            }),
        }
    }

    // Out of line, so that only a request that repeats such a header pays for the stack.
    #[cold]
    #[inline(never)]
    fn with_joined<R>(&self, name: &str, between: &[u8], run: impl FnOnce(&[u8]) -> R) -> R {
        let mut pieces = Pieces::new();
        self.for_each_line(name, &mut |value| {
            // An empty line adds nothing to a list, but an empty crumb to a cookie.
            if !pieces.is_empty() && (!value.is_empty() || between != b",") {
                pieces.push(between);
            }
            pieces.push(value);
        });
        run(pieces.as_bytes())
    }

    /// Calls `visit` with each line of header `name` (lower case) as it was given.
    #[inline]
    pub(super) fn for_each_line(&self, name: &str, visit: &mut dyn FnMut(&'q [u8])) {
        self.names.for_each_line(self.request, name, visit);
    }

    /// The first line of header `name` (lower case) as it was given.
    pub(super) fn first_line(&self, name: &str) -> Option<&'q [u8]> {
        self.names.first_line(self.request, name)
    }

    /// Whether a `connection` line names header `name` (lower case).
    pub(super) fn connection_names(&self, name: &str) -> bool {
        self.names.are_nominating(self.request, name)
    }

    /// The first raw value of query parameter `key`: nothing is decoded, `k` alone is `k=` (R-H-103, R-H-104).
    #[inline]
    pub(super) fn query_value(&self, key: &str) -> Option<&'q [u8]> {
        self.names.parameter(self.query?, key)
    }

    /// Whether the client speaks gRPC: its answers are then gRPC ones (R-H-139).
    pub(super) fn is_grpc(&self) -> bool {
        self.any_value("content-type", &is_grpc_content)
            .unwrap_or(false)
    }
}

impl Router {
    /// What a condition on header `name` (lower case) sees of a request with this line of it, or without one, that arrives
    /// over `tls` at `port`; `None`: it sees none.
    pub(crate) fn header_as_matched(
        manager: ConnectionManager,
        tls: Tls,
        port: u16,
        name: &str,
        line: Option<&str>,
    ) -> Option<String> {
        let mut request = Request::get("/").connection(Connection::to_port(port).tls(tls));
        if let Some(line) = line {
            request = request.header(name, line);
        }
        let names = Names::default();
        let subject = Subject::new(&request, &names, manager, Head::default(), Target::new("/"));
        let mut seen = None;
        subject.for_each_tested(name, &mut |value| {
            seen = Some(String::from_utf8_lossy(value).into_owned());
        });
        seen
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
        Subject::query_value(self, key)
    }

    fn claim(&self, path: &[Box<str>]) -> Option<&Claim> {
        self.request.claims?.get(path)
    }
}

/// Hands `pieces`, one after the other, to `visit`.
#[cold]
#[inline(never)]
pub(super) fn with_pieces(pieces: &[&[u8]], visit: &mut dyn FnMut(&[u8])) {
    let mut joined = Pieces::new();
    pieces.iter().for_each(|piece| joined.push(piece));
    visit(joined.as_bytes());
}

/// Pieces of a value, one after the other, on the stack.
struct Pieces {
    buffer: [u8; LONGEST_JOINED],
    len: usize,
}

impl Pieces {
    fn new() -> Self {
        Pieces {
            buffer: [0; LONGEST_JOINED],
            len: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn push(&mut self, piece: &[u8]) {
        let room = &mut self.buffer[self.len..];
        let taken = piece.len().min(room.len());
        room[..taken].copy_from_slice(&piece[..taken]);
        self.len += taken;
    }

    fn as_bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}

/// Whether a `content-type` says gRPC.
pub(super) fn is_grpc_content(value: &[u8]) -> bool {
    value
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| rest.is_empty() || rest[0] == b'+' || rest[0] == b';')
}
