//! The small settings: `tunnel`, `proxyProtocol` and `retryBudget` (R-M-115..R-M-117, R-M-176).

use crate::diagnostic::{At, Code};
use crate::resolve::Sink;
use crate::resolve::check::{domain, network, quantity};
use crate::resource as raw;
use crate::terms::traffic_policy::{ProxyProtocol, RetryBudget, Tunnel, TunnelProtocol};

/// Types `tunnel`.
pub(super) fn tunnel(written: &raw::TunnelSettings, at: &At<'_>, sink: &mut Sink<'_>) -> Tunnel {
    let protocol = match written.protocol.as_str() {
        "" | "CONNECT" => TunnelProtocol::Connect,
        "POST" => TunnelProtocol::Post,
        other => {
            let message = format!("tunnel protocol `{other}` is neither `CONNECT` nor `POST`");
            sink.push(&at.field("protocol"), Code::INVALID_TUNNEL, message);
            TunnelProtocol::Connect
        }
    };
    let host = &written.target_host;
    if domain::fqdn(host).is_err() && network::ip(host).is_err() {
        let message = format!("tunnel target `{host}` is neither a host name nor an IP address");
        sink.push(&at.field("targetHost"), Code::INVALID_TUNNEL, message);
    }
    let verdict = network::port(written.target_port);
    sink.check(&at.field("targetPort"), Code::INVALID_PORT, verdict);
    Tunnel {
        protocol,
        target_host: host.as_str().into(),
        target_port: u16::try_from(written.target_port).unwrap_or(0),
    }
}

/// Types `proxyProtocol`.
pub(super) fn proxy_protocol(written: &raw::ProxyProtocol) -> ProxyProtocol {
    match written.version {
        raw::ProxyProtocolVersion::V1 => ProxyProtocol::V1,
        raw::ProxyProtocolVersion::V2 => ProxyProtocol::V2,
    }
}

/// Types `retryBudget`.
pub(super) fn retry_budget(
    written: &raw::RetryBudget,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> RetryBudget {
    if let Some(percent) = written.percent {
        let verdict = quantity::fraction(percent);
        sink.check(&at.field("percent"), Code::INVALID_PERCENTAGE, verdict);
    }
    let default = RetryBudget::default();
    RetryBudget {
        percent: written.percent.unwrap_or(default.percent),
        min_retry_concurrency: match written.min_retry_concurrency {
            0 => default.min_retry_concurrency,
            count => count,
        },
        budget_interval: sink.span(written.budget_interval, "budgetInterval", at),
    }
}
