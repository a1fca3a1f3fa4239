//! A decision applied to its request: what to send upstream, or what to answer.

use crate::terms::header_list::HeaderList;

/// What becomes of a request.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Applied {
    /// Send this to the [cluster](super::Decision::cluster), and hand its answer to
    /// [`apply_to_response`](super::Decision::apply_to_response).
    Forward(UpstreamRequest),
    /// Answer with this; the cluster, if there is one, is not asked.
    Answer(Answer),
    /// Forward the bytes of the connection as they are.
    ForwardBytes,
    /// Close the connection.
    Close,
}

short_debug! { enum Applied {Forward(part), Answer(part), ForwardBytes, Close} }

/// A request as an upstream is to get it. Its body stays as it is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamRequest {
    /// Method.
    pub method: String,
    /// Path with query, normalised and rewritten.
    pub path: String,
    /// Authority (`Host`), perhaps rewritten.
    pub authority: String,
    /// Header lines, also those that a proxy adds by itself (`x-forwarded-*`, `x-envoy-*`), but for `x-request-id` and what
    /// it writes of a client's certificate.
    pub headers: HeaderList,
}

short_debug! { UpstreamRequest {method, path, authority, headers} }

/// An answer that the proxy itself gives.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// HTTP status; 200 for a gRPC client, with the real one in `grpc-status`.
    pub status: u16,
    /// Header lines, without `date`, `server` and `content-length`.
    pub headers: HeaderList,
    /// Body; empty also for an answer to `HEAD`.
    pub body: Vec<u8>,
}

short_debug! { Answer {status, headers, body} }
