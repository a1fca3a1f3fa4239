//! `trafficPolicy` at one place, with its `portLevelSettings` (R-M-170).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::{At, Code, Diagnostic, Severity};
use crate::resolve::Sink;
use crate::resolve::check::network;
use crate::resource as raw;
use crate::terms::traffic_policy::{PortTrafficPolicy, RuleTrafficPolicy, TrafficPolicy};

use super::{connection_pool, load_balancer, outlier_detection, tls, tunnel};

/// What the API server takes at most.
const MAX_PORT_LEVEL_SETTINGS: usize = 4096;

/// Types a policy; `warning` is how bad a warning is here.
pub(super) fn resolve(
    written: &raw::TrafficPolicy,
    warning: Severity,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> RuleTrafficPolicy {
    if *written == raw::TrafficPolicy::default() {
        sink.push_with_help(
            at,
            Code::EMPTY_POLICY,
            "a traffic policy needs at least one setting",
            "leave `trafficPolicy` out, or give it a setting",
        );
    }
    if written.tunnel.is_some() && written.proxy_protocol.is_some() {
        let message = "`tunnel` and `proxyProtocol` cannot both be set";
        sink.push(at, Code::CONFLICTING_FIELDS, message);
    }
    let four = FourSettings {
        load_balancer: &written.load_balancer,
        connection_pool: &written.connection_pool,
        outlier_detection: &written.outlier_detection,
        tls: &written.tls,
    };
    let settings = TrafficPolicy {
        tunnel: written
            .tunnel
            .as_ref()
            .map(|written| Arc::new(tunnel::tunnel(written, &at.field("tunnel"), sink))),
        proxy_protocol: written.proxy_protocol.as_ref().map(tunnel::proxy_protocol),
        retry_budget: written
            .retry_budget
            .as_ref()
            .map(|written| tunnel::retry_budget(written, &at.field("retryBudget"), sink)),
        ..four.resolve(warning, at, sink)
    };
    let ports_at = at.field("portLevelSettings");
    let ports = ports(&written.port_level_settings, &ports_at, sink);
    RuleTrafficPolicy { settings, ports }
}

/// The settings that a policy and its port-level entries have in common.
struct FourSettings<'a> {
    load_balancer: &'a Option<raw::LoadBalancerSettings>,
    connection_pool: &'a Option<raw::ConnectionPoolSettings>,
    outlier_detection: &'a Option<raw::OutlierDetection>,
    tls: &'a Option<raw::ClientTlsSettings>,
}

impl FourSettings<'_> {
    fn is_empty(&self) -> bool {
        self.load_balancer.is_none()
            && self.connection_pool.is_none()
            && self.outlier_detection.is_none()
            && self.tls.is_none()
    }

    fn resolve(&self, warning: Severity, at: &At<'_>, sink: &mut Sink<'_>) -> TrafficPolicy {
        let has_outlier_detection = self.outlier_detection.is_some();
        let load_balancer = self.load_balancer.as_ref().map(|written| {
            let at = at.field("loadBalancer");
            load_balancer::resolve(written, has_outlier_detection, warning, &at, sink)
        });
        let connection_pool = self
            .connection_pool
            .as_ref()
            .map(|written| connection_pool::resolve(written, &at.field("connectionPool"), sink));
        let outlier_detection = self.outlier_detection.as_ref().map(|written| {
            outlier_detection::resolve(written, warning, &at.field("outlierDetection"), sink)
        });
        let tls = self
            .tls
            .as_ref()
            .map(|written| tls::resolve(written, &at.field("tls"), sink));
        TrafficPolicy {
            load_balancer: load_balancer.map(Arc::new),
            connection_pool: connection_pool.map(Arc::new),
            outlier_detection: outlier_detection.map(Arc::new),
            tls: tls.map(Arc::new),
            ..TrafficPolicy::default()
        }
    }
}

fn ports(
    written: &[raw::PortTrafficPolicy],
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Box<[PortTrafficPolicy]> {
    if written.len() > MAX_PORT_LEVEL_SETTINGS {
        let message = format!("there are more than {MAX_PORT_LEVEL_SETTINGS} entries");
        sink.push(at, Code::INVALID_LIMIT, message);
        return Box::default();
    }
    let mut seen = BTreeSet::new();
    let mut ports = Vec::with_capacity(written.len());
    for (index, entry) in written.iter().enumerate() {
        let at = at.index(index);
        let port = port(entry, &at, sink);
        if port.is_some_and(|port| !seen.insert(port)) {
            sink.push_with_help(
                &at,
                Code::WITHOUT_EFFECT,
                "the port has an earlier entry, which is the one that counts",
                "merge the two entries",
            );
        }
        let four = FourSettings {
            load_balancer: &entry.load_balancer,
            connection_pool: &entry.connection_pool,
            outlier_detection: &entry.outlier_detection,
            tls: &entry.tls,
        };
        if four.is_empty() {
            let message = "a port's policy needs at least one setting";
            sink.push_full(&at, Diagnostic::new(Code::EMPTY_POLICY, message));
        }
        let settings = four.resolve(Severity::Note, &at, sink);
        ports.extend(port.map(|port| PortTrafficPolicy { port, settings }));
    }
    ports.into()
}

/// The port of an entry; `None` after an error.
fn port(entry: &raw::PortTrafficPolicy, at: &At<'_>, sink: &mut Sink<'_>) -> Option<u16> {
    let at = at.field("port");
    let Some(selector) = &entry.port else {
        sink.push(&at, Code::MISSING_FIELD, "a port's policy needs its port");
        return None;
    };
    let verdict = network::port(selector.number);
    sink.check(&at.field("number"), Code::INVALID_PORT, verdict);
    u16::try_from(selector.number).ok().filter(|port| *port > 0)
}
