//! `connectionPool`, of a DestinationRule or of the mesh (R-M-095..R-M-103, R-M-172).

use std::time::Duration;

use crate::diagnostic::{At, Code};
use crate::resolve::Sink;
use crate::resource as raw;
use crate::terms::duration::ProtoDuration;
use crate::terms::traffic_policy::{
    ConnectionPool, H2Upgrade, Http2Keepalive, HttpPool, TcpKeepalive, TcpPool,
};

/// Types `connectionPool`.
pub(crate) fn resolve(
    written: &raw::ConnectionPoolSettings,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> ConnectionPool {
    if written.tcp.is_none() && written.http.is_none() {
        let message = "a connection pool needs `tcp` or `http`";
        sink.push(at, Code::EMPTY_POLICY, message);
    }
    ConnectionPool {
        tcp: written
            .tcp
            .as_ref()
            .map(|tcp| tcp_pool(tcp, &at.field("tcp"), sink)),
        http: written
            .http
            .as_ref()
            .map(|http| http_pool(http, &at.field("http"), sink)),
    }
}

fn tcp_pool(written: &raw::TcpSettings, at: &At<'_>, sink: &mut Sink<'_>) -> TcpPool {
    TcpPool {
        max_connections: limit(written.max_connections, "maxConnections", at, sink),
        connect_timeout: sink.span(written.connect_timeout, "connectTimeout", at),
        keepalive: written
            .tcp_keepalive
            .as_ref()
            .map(|keepalive| tcp_keepalive(keepalive, &at.field("tcpKeepalive"), sink)),
        max_connection_duration: sink.span(
            written.max_connection_duration,
            "maxConnectionDuration",
            at,
        ),
        // Zero is allowed here, and switches the timeout off.
        idle_timeout: match written.idle_timeout {
            Some(timeout) if timeout.is_zero() => Some(Duration::ZERO),
            other => sink.span(other, "idleTimeout", at),
        },
    }
}

/// Types `tcpKeepalive`.
pub(crate) fn tcp_keepalive(
    written: &raw::TcpKeepalive,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> TcpKeepalive {
    TcpKeepalive {
        probes: Some(written.probes).filter(|probes| *probes > 0),
        time: sink.span(written.time, "time", at),
        interval: sink.span(written.interval, "interval", at),
    }
}

fn http_pool(written: &raw::HttpSettings, at: &At<'_>, sink: &mut Sink<'_>) -> HttpPool {
    let h2_upgrade = h2_upgrade(written.h2_upgrade_policy);
    if h2_upgrade == H2Upgrade::Upgrade && written.use_client_protocol {
        let message = "`useClientProtocol` cannot stand beside `h2UpgradePolicy: UPGRADE`";
        sink.push(at, Code::CONFLICTING_FIELDS, message);
    }
    HttpPool {
        http1_max_pending_requests: limit(
            written.http1_max_pending_requests,
            "http1MaxPendingRequests",
            at,
            sink,
        ),
        http2_max_requests: limit(written.http2_max_requests, "http2MaxRequests", at, sink),
        max_requests_per_connection: limit(
            written.max_requests_per_connection,
            "maxRequestsPerConnection",
            at,
            sink,
        ),
        max_retries: limit(written.max_retries, "maxRetries", at, sink),
        idle_timeout: sink.span(written.idle_timeout, "idleTimeout", at),
        h2_upgrade,
        use_client_protocol: written.use_client_protocol,
        max_concurrent_streams: limit(
            written.max_concurrent_streams,
            "maxConcurrentStreams",
            at,
            sink,
        ),
        http2_keepalive: written
            .http2_keep_alive
            .as_ref()
            .and_then(|keepalive| http2_keepalive(keepalive, &at.field("http2KeepAlive"), sink)),
    }
}

fn h2_upgrade(written: raw::H2UpgradePolicy) -> H2Upgrade {
    match written {
        raw::H2UpgradePolicy::Default => H2Upgrade::Default,
        raw::H2UpgradePolicy::DoNotUpgrade => H2Upgrade::DoNotUpgrade,
        raw::H2UpgradePolicy::Upgrade => H2Upgrade::Upgrade,
    }
}

/// `None` after an error: both spans are needed.
fn http2_keepalive(
    written: &raw::Http2KeepAlive,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<Http2Keepalive> {
    let mut needed = |value: Option<ProtoDuration>, field: &'static str| {
        if value.is_none() {
            let message = format!("HTTP/2 pings need `{field}`");
            sink.push(&at.field(field), Code::MISSING_FIELD, message);
        }
        sink.span(value, field, at)
    };
    let interval = needed(written.interval, "interval");
    let timeout = needed(written.timeout, "timeout");
    Some(Http2Keepalive {
        interval: interval?,
        timeout: timeout?,
    })
}

/// A limit: zero is none; a negative one is an error.
fn limit(value: i32, field: &'static str, at: &At<'_>, sink: &mut Sink<'_>) -> Option<u32> {
    if value < 0 {
        let message = format!("`{field}` cannot be negative, and is `{value}`");
        sink.push(&at.field(field), Code::INVALID_LIMIT, message);
    }
    u32::try_from(value).ok().filter(|limit| *limit > 0)
}
