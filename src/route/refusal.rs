//! Why a request is refused for its header lines before any route is looked at: names with a `_`, what `connection` names,
//! how the body is framed, and protocols that the connection is to change to (R-H-150, R-H-152..R-H-154).

use super::names::tokens;
use crate::decision::BadRequest;
use crate::terms::connection_manager::{ConnectionManager, Underscores};
use crate::terms::request::{Protocol, Request};

/// So many tokens in `connection` are too many.
const TOO_MANY_TOKENS: usize = 10;
/// So long a `te` that `connection` names is too long.
const TOO_LONG_TE: usize = 256;

/// Why the lines are refused, if they are. Nearly no request has one that is looked at.
#[inline]
pub(super) fn of_lines(request: &Request<'_>, manager: ConnectionManager) -> Option<BadRequest> {
    let is_http1 = request.protocol == Protocol::Http1;
    if manager.underscores == Underscores::Reject && has_underscore(request) {
        let is_http2 = !is_http1;
        return Some(BadRequest::UnexpectedUnderscore { is_http2 });
    }
    if is_http1 && request.may_have_hop_lines() {
        return of_framing(request).or_else(|| of_connection(request));
    }
    None
}

#[cold]
fn has_underscore(request: &Request<'_>) -> bool {
    let mut found = false;
    request.for_each_header(&mut |name, _| found |= name.contains('_'));
    found
}

/// A body is framed by its length or in chunks, and by nothing else.
fn of_framing(request: &Request<'_>) -> Option<BadRequest> {
    let (mut lines, mut is_chunked) = (0_u32, false);
    request.for_each_value("transfer-encoding", &mut |value| {
        lines += 1;
        is_chunked = value.eq_ignore_ascii_case(b"chunked");
    });
    match lines {
        0 => None,
        _ if request.first_value("content-length").is_some() => {
            Some(BadRequest::ChunkedContentLength)
        }
        1 if is_chunked => None,
        _ => Some(BadRequest::InvalidTransferEncoding),
    }
}

/// `connection` names headers of this hop, and may name neither what tells where a request comes from nor what it is for.
fn of_connection(request: &Request<'_>) -> Option<BadRequest> {
    request.first_value("connection")?;
    if upgrade(request).is_some_and(|protocol| !is_h2c(protocol)) {
        return None;
    }
    let (mut count, mut is_rejected, mut loses_host) = (0, false, false);
    request.for_each_value("connection", &mut |value| {
        let parts = value.split(|&byte| byte == b',');
        count += parts.filter(|part| !part.is_empty()).count();
        for token in tokens(value) {
            let is = |name: &str| token.eq_ignore_ascii_case(name.as_bytes());
            let names = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
            is_rejected |= token.starts_with(b":") || names.into_iter().any(is);
            is_rejected |= is("te") && length_of(request, "te") >= TOO_LONG_TE;
            loses_host |= is("host");
        }
    });
    match is_rejected || count >= TOO_MANY_TOKENS {
        true => Some(BadRequest::ConnectionHeaderRejected),
        false => loses_host.then_some(BadRequest::MissingHost),
    }
}

/// How long the one line is in which all values of a header are kept.
fn length_of(request: &Request<'_>, name: &str) -> usize {
    let mut length = 0;
    request.for_each_value(name, &mut |value| {
        length += usize::from(length > 0) + value.len();
    });
    length
}

/// Whether the connection is to change to a protocol that is not let through.
#[inline]
pub(super) fn is_unknown_upgrade(request: &Request<'_>) -> bool {
    request.protocol == Protocol::Http1
        && request.may_have_hop_lines()
        && upgrade(request).is_some_and(|to| !is_h2c(to) && !to.eq_ignore_ascii_case(b"websocket"))
}

/// The protocol that the connection is to change to: `upgrade`, if `connection` names it.
pub(super) fn upgrade<'a>(request: &Request<'a>) -> Option<&'a [u8]> {
    let protocol = request.first_value("upgrade")?;
    let mut is_named = false;
    request.for_each_value("connection", &mut |value| {
        is_named |= tokens(value).any(|token| token.eq_ignore_ascii_case(b"upgrade"));
    });
    is_named.then_some(protocol)
}

/// HTTP/2 in plain text is not changed to: the wish is passed over.
pub(super) fn is_h2c(protocol: &[u8]) -> bool {
    protocol.eq_ignore_ascii_case(b"h2c")
}
