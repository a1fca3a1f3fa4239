//! The head of a request as a proxy reads it, before it looks at any route: from the bytes that were sent to authority and
//! target, or to the reason why the request is refused.
//!
//! Over HTTP/1.1 a target in absolute form names the authority, and what `Host` says does not count.

use crate::decision::BadRequest;
use crate::terms::request::{Protocol, Request, Sent};

/// Authority and target. The authority is ASCII; the target too, over HTTP/1.1.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head<'q> {
    pub authority: &'q str,
    /// Not yet normalised, with the query.
    pub target: &'q str,
    /// What a target in absolute form says: `http` or `https`.
    pub scheme: Option<&'static str>,
}

/// The method that asks for a tunnel, of which the target is an authority.
const CONNECT: &str = "CONNECT";

/// Longest authority or target that is put together from pieces.
const LONGEST: usize = 8 * 1024;

/// Hands the head of `request` to `run`.
///
/// # Complexity
/// Linear in authority and target. No allocation.
#[inline]
pub(super) fn with_head<R>(
    request: &Request<'_>,
    run: impl FnOnce(Result<Head<'_>, BadRequest>) -> R,
) -> R {
    if request.has_more_hosts || request.target_is_query {
        return with_joined_head(request, run);
    }
    run(read(request, request.authority, request.target))
}

/// Whether the first bytes of the connection look like HTTP: what a listener that detects protocols asks.
pub(super) fn is_recognised(request: &Request<'_>) -> bool {
    request.protocol == Protocol::Http2
        || match request.target {
            Sent::Text(target) if request.method == CONNECT => is_host(target),
            Sent::Text(target) => request.target_is_query || is_url(target),
            Sent::Bytes(_) => false,
        }
}

/// A second `Host` is joined to the first, as a repeated line is, and the query of a URL without a path follows a `/`.
// Out of line, so that only a request that needs it pays for the stack.
#[cold]
#[inline(never)]
fn with_joined_head<R>(
    request: &Request<'_>,
    run: impl FnOnce(Result<Head<'_>, BadRequest>) -> R,
) -> R {
    let (mut hosts, mut target) = (Joined::new(), Joined::new());
    let mut authority = request.authority;
    if request.has_more_hosts && request.protocol == Protocol::Http1 {
        let Some(Sent::Text(first)) = authority else {
            return run(Err(BadRequest::InvalidAuthority));
        };
        hosts.push(first.trim_matches([' ', '\t']).as_bytes());
        request.for_each_value("host", &mut |value| {
            hosts.push(b",");
            hosts.push(value);
        });
        authority = Some(hosts.sent());
    }
    let sent = match request.target {
        Sent::Text(query) if request.target_is_query => {
            target.push(b"/");
            target.push(query.as_bytes());
            target.sent()
        }
        sent => sent,
    };
    if hosts.overflows || target.overflows {
        return run(Err(BadRequest::HeadersTooLarge));
    }
    run(read(request, authority, sent))
}

/// Pieces, one after the other.
struct Joined {
    buffer: [u8; LONGEST],
    len: usize,
    overflows: bool,
}

impl Joined {
    fn new() -> Self {
        Joined {
            buffer: [0; LONGEST],
            len: 0,
            overflows: false,
        }
    }

    fn push(&mut self, piece: &[u8]) {
        match self.buffer.get_mut(self.len..self.len + piece.len()) {
            Some(room) => {
                room.copy_from_slice(piece);
                self.len += piece.len();
            }
            None => self.overflows = true,
        }
    }

    fn sent(&self) -> Sent<'_> {
        Sent::new(&self.buffer[..self.len])
    }
}

#[inline]
fn read<'q>(
    request: &Request<'_>,
    authority: Option<Sent<'q>>,
    target: Sent<'q>,
) -> Result<Head<'q>, BadRequest> {
    if let (Protocol::Http1, Some(Sent::Text(authority)), Sent::Text(target)) =
        (request.protocol, authority, target)
    {
        // Nearly every request.
        let is_fine = target.starts_with('/') && is_visible(target.as_bytes());
        if is_fine && is_host(authority) && is_method(request.method) {
            return Ok(Head {
                authority,
                target,
                scheme: None,
            });
        }
    }
    match request.protocol {
        Protocol::Http1 => read_http1(request, authority, target),
        Protocol::Http2 => read_http2(request, authority, target),
    }
}

#[cold]
fn read_http1<'q>(
    request: &Request<'_>,
    authority: Option<Sent<'q>>,
    target: Sent<'q>,
) -> Result<Head<'q>, BadRequest> {
    let has_control = |sent: Sent<'_>| match sent {
        Sent::Text(text) => text.bytes().any(is_control),
        Sent::Bytes(bytes) => bytes.iter().copied().any(is_control),
    };
    let trimmed = |sent: Sent<'q>| match sent {
        Sent::Text(text) => Sent::Text(text.trim_matches([' ', '\t'])),
        bytes @ Sent::Bytes(_) => bytes,
    };
    if request.method != CONNECT && !is_method(request.method) {
        return Err(BadRequest::InvalidMethod);
    }
    let authority = authority.map(trimmed);
    if has_control(target) || authority.is_some_and(has_control) {
        return Err(BadRequest::InvalidCharacters);
    }
    if request.method == CONNECT {
        return Err(match text(target) {
            Some(target) if is_host(target) => BadRequest::UpgradeFailed,
            _ => BadRequest::InvalidTarget,
        });
    }
    let Some(target) = text(target).filter(|target| is_url(target)) else {
        return Err(BadRequest::InvalidTarget);
    };
    let is_relative =
        target.starts_with('/') || (request.method == "OPTIONS" && target.starts_with('*'));
    if !is_relative {
        return read_absolute(target);
    }
    let head = Head {
        authority: match authority {
            None => return Err(BadRequest::MissingHost),
            Some(authority) => text(authority).ok_or(BadRequest::InvalidAuthority)?,
        },
        target,
        scheme: None,
    };
    let is_valid = head.authority.bytes().all(is_authority_byte);
    is_valid.then_some(head).ok_or(BadRequest::InvalidAuthority)
}

/// `scheme://[user@]host[:port][/path][?query]`
fn read_absolute(target: &str) -> Result<Head<'_>, BadRequest> {
    let (scheme, rest) = target.split_once("://").ok_or(BadRequest::InvalidUrl)?;
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    // A user is allowed, and not part of the authority.
    let authority = match authority.split_once('@') {
        Some((user, authority)) if user.bytes().all(is_user_byte) => authority,
        Some(_) => return Err(BadRequest::InvalidUrl),
        None => authority,
    };
    if !scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) || !is_host_and_port(authority) {
        return Err(BadRequest::InvalidUrl);
    }
    let schemes = ["http", "https"];
    let scheme = schemes
        .into_iter()
        .find(|known| scheme.eq_ignore_ascii_case(known));
    Ok(Head {
        authority,
        target: if target.is_empty() { "/" } else { target },
        scheme: Some(scheme.ok_or(BadRequest::InvalidScheme)?),
    })
}

#[cold]
fn read_http2<'q>(
    request: &Request<'_>,
    authority: Option<Sent<'q>>,
    target: Sent<'q>,
) -> Result<Head<'q>, BadRequest> {
    let is_valid = |authority: &str| {
        let mut bytes = authority.bytes();
        !authority.is_empty() && bytes.all(|byte| is_authority_byte(byte) && byte != b'@')
    };
    let authority = match authority {
        None => None,
        Some(Sent::Text(authority)) if is_valid(authority) => Some(authority),
        Some(_) => return Err(BadRequest::InvalidHeaderField),
    };
    if has_invalid_line(request) {
        return Err(BadRequest::InvalidHeaderField);
    }
    let target = text(target).ok_or(BadRequest::InvalidHeaderField)?;
    if !target.starts_with('/') && (request.method, target) != ("OPTIONS", "*") {
        return Err(BadRequest::MessagingViolation);
    }
    Ok(Head {
        authority: authority.ok_or(BadRequest::MissingHost)?,
        target,
        scheme: None,
    })
}

/// Whether a header says what only HTTP/1.1 can mean, or no length (R-H-158).
fn has_invalid_line(request: &Request<'_>) -> bool {
    let (mut is_invalid, mut has_length) = (false, false);
    request.for_each_header(&mut |name, value| {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        is_invalid |= match name.len() {
            2 => is("te") && !value.eq_ignore_ascii_case(b"trailers"),
            7 => is("upgrade"),
            10 => is("connection") || is("keep-alive"),
            14 if is("content-length") => {
                std::mem::replace(&mut has_length, true) || !is_length(value)
            }
            16 => is("proxy-connection"),
            17 => is("transfer-encoding"),
            _ => false,
        };
    });
    is_invalid
}

/// Whether it is a number of bytes: digits, of a number that 63 bits hold.
fn is_length(value: &[u8]) -> bool {
    let digits = value.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(value).ok().filter(|_| digits);
    number.is_some_and(|number| number.parse::<i64>().is_ok())
}

/// Whether Envoy's parser of HTTP/1.1 knows the method (R-H-152), `CONNECT` aside.
#[inline]
fn is_method(method: &str) -> bool {
    matches!(
        method,
        "GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS" | "PATCH"
    ) || is_rare_method(method)
}

#[cold]
fn is_rare_method(method: &str) -> bool {
    const RARE: [&str; 26] = [
        "ACL",
        "BIND",
        "CHECKOUT",
        "COPY",
        "LINK",
        "LOCK",
        "MERGE",
        "MKACTIVITY",
        "MKCALENDAR",
        "MKCOL",
        "MOVE",
        "MSEARCH",
        "NOTIFY",
        "PROPFIND",
        "PROPPATCH",
        "PURGE",
        "REBIND",
        "REPORT",
        "SEARCH",
        "SOURCE",
        "SUBSCRIBE",
        "TRACE",
        "UNBIND",
        "UNLINK",
        "UNLOCK",
        "UNSUBSCRIBE",
    ];
    RARE.contains(&method)
}

fn text(sent: Sent<'_>) -> Option<&str> {
    match sent {
        Sent::Text(text) => Some(text),
        Sent::Bytes(_) => None,
    }
}

/// Whether `host` can be asked for: it is neither empty nor holds a byte that no authority may hold.
#[inline]
pub(super) fn is_host(host: &str) -> bool {
    let bytes = host.as_bytes();
    !bytes.is_empty() && (is_plain_host(bytes) || bytes.iter().copied().all(is_authority_byte))
}

/// The same where it is known of the first `known` bytes; what follows them is mostly a port.
#[inline]
pub(super) fn is_host_behind(host: &str, known: usize) -> bool {
    let rest = host.len() - known;
    let is_plain_port = || match host.as_bytes().last_chunk::<8>() {
        Some(last) => rest <= last.len() && is_plain_host(last),
        None => false,
    };
    known > 0 && (rest == 0 || is_plain_port()) || is_host(host)
}

/// Whether `test` holds for all bytes. Sixteen are looked at at once: without branches the compiler makes vectors of them.
#[inline]
fn every_byte(bytes: &[u8], test: impl Fn(u8) -> bool) -> bool {
    let is_fine = |block: &[u8; 16]| block.iter().fold(true, |all, &byte| all & test(byte));
    match bytes.last_chunk() {
        Some(last) => {
            let (blocks, _) = bytes.as_chunks();
            blocks.iter().all(is_fine) && is_fine(last)
        }
        None => match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            (Some(first), Some(last)) => {
                let both = first.iter().chain(last);
                both.fold(true, |all, &byte| all & test(byte))
            }
            _ => bytes.iter().all(|&byte| test(byte)),
        },
    }
}

/// Letters, digits, `-`, `.` and `:`. Says no too often.
#[inline]
fn is_plain_host(host: &[u8]) -> bool {
    let within = |byte: u8, first: u8, last: u8| byte.wrapping_sub(first) <= last - first;
    every_byte(host, |byte| {
        within(byte | 0x20, b'a', b'z') | within(byte, b'-', b'.') | within(byte, b'0', b':')
    })
}

/// Printable ASCII without the blank.
#[inline]
fn is_visible(target: &[u8]) -> bool {
    every_byte(target, |byte| byte.wrapping_sub(b'!') <= b'~' - b'!')
}

/// A byte of an authority, well-formed or not: Envoy asks no more.
fn is_authority_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'$'..=b'.' | b':' | b';' | b'=' | b'@' | b'[' | b']' | b'_' | b'~'
        )
}

fn is_user_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'$'..=b'.' | b':' | b';' | b'=' | b'_' | b'~')
}

/// Bytes that no line of a head may hold, wherever.
fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 10..=31 | 0x7f)
}

/// What is taken for a target at all: a path, `*`, or `scheme://host...`; its characters, not its form.
fn is_url(target: &str) -> bool {
    let path_byte = |byte: u8| matches!(byte, b'\t' | 0x0c | b'!'..=b'~');
    if target.starts_with(['/', '*']) {
        return target.bytes().all(path_byte);
    }
    let Some((scheme, rest)) = target.split_once("://") else {
        return false;
    };
    let scheme_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(scheme_byte)
        && host.bytes().all(is_authority_byte)
        && !host.contains("@@")
        && path.bytes().all(path_byte)
}

/// `host`, `[v6]`, each with or without `:port`.
fn is_host_and_port(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) => (
                host,
                port.strip_prefix(':').or(port.is_empty().then_some("0")),
            ),
            None => return false,
        },
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, Some("0")),
        },
    };
    let host_byte = |byte: u8| match authority.starts_with('[') {
        true => byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'),
        false => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'),
    };
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    !host.is_empty() && host.bytes().all(host_byte) && port.is_some_and(is_port)
}
