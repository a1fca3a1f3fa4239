//! How a request to an endpoint ended.

/// How a request to an endpoint ended, or a connection to it: what outlier detection counts (R-B-60).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// It answered with this HTTP status; for gRPC see [`grpc`](Self::grpc).
    Status(u16),
    /// A connection was made, and nothing more is asked: bytes that are passed on.
    Connected,
    /// No connection could be made, or not in time.
    NotConnected,
    /// Connection or stream broke off before the answer was whole.
    Reset,
    /// There was a connection, and no answer in time.
    Timeout,
    /// The client gave up: that says nothing of the endpoint.
    Cancelled,
}

impl Ended {
    /// It answered with this `grpc-status`, which counts as the HTTP status that Envoy takes it for; `None`: there was none, and
    /// the HTTP status counts.
    pub fn grpc(http_status: u16, grpc_status: Option<u32>) -> Self {
        Ended::Status(match grpc_status {
            None => http_status,
            Some(0) => 200,
            Some(1) => 499,
            Some(3 | 9 | 11) => 400,
            Some(4) => 504,
            Some(5) => 404,
            Some(6 | 10) => 409,
            Some(7) => 403,
            Some(8) => 429,
            Some(12) => 501,
            Some(14) => 503,
            Some(16) => 401,
            Some(_) => 500,
        })
    }
}
