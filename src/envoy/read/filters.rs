//! What routes say to HTTP filters: faults and CORS.

use std::sync::Arc;

use super::context::Context;
use super::matches::value_match;
use crate::diagnostic::At;
use crate::envoy::model::{
    Any, CorsPolicy, Denominator, FractionalPercent, HttpFault, RuntimeFractionalPercent,
};
use crate::terms::route_policy::{self, AbortStatus, RoutePolicy};
use crate::terms::weighted;

use std::collections::BTreeMap;
use std::time::Duration;

pub(super) const CORS: &str = "envoy.filters.http.cors";
pub(super) const FAULT: &str = "envoy.filters.http.fault";

/// Settings of filters for one route, by the names of the filters.
pub(super) fn read(
    context: &mut Context<'_>,
    at: &At<'_>,
    settings: &BTreeMap<String, Any>,
    policy: &mut RoutePolicy,
) {
    for (name, any) in settings {
        let at = at.key(name);
        match name.as_str() {
            CORS => policy.cors = cors(context, &at, any),
            FAULT => fault(context, &at, any, policy),
            other => context.not_looked_at(&at, format_args!("what the route says to `{other}`")),
        }
    }
}

/// A chance in parts per million.
pub(super) fn chance(percent: &FractionalPercent) -> weighted::FractionalPercent {
    let parts = match percent.denominator {
        None | Some(Denominator::Hundred) => 10_000,
        Some(Denominator::TenThousand) => 100,
        Some(Denominator::Million) => 1,
    };
    weighted::FractionalPercent::per_million(percent.numerator.saturating_mul(parts))
}

/// The same, where the runtime may say otherwise.
pub(super) fn runtime_chance(
    context: &mut Context<'_>,
    at: &At<'_>,
    percent: &RuntimeFractionalPercent,
) -> weighted::FractionalPercent {
    if !percent.runtime_key.is_empty() {
        let what = format!("the runtime value `{}`", percent.runtime_key);
        context.not_looked_at(&at.field("runtimeKey"), what);
    }
    chance(&percent.default_value)
}

fn cors(
    context: &mut Context<'_>,
    at: &At<'_>,
    any: &Any,
) -> Option<Arc<route_policy::CorsPolicy>> {
    let cors: CorsPolicy = context.settings(at, any)?;
    if let Some(enabled) = &cors.filter_enabled {
        let at = at.field("filterEnabled");
        match runtime_chance(context, &at, enabled).numerator() {
            0 => return None,
            weighted::FractionalPercent::DENOMINATOR => {}
            _ => context.not_honoured(&at, "CORS by chance"),
        }
    }
    let mut allow_origins = Vec::new();
    for origin in &cors.allow_origin_string_match {
        allow_origins.push(value_match(
            context,
            &at.field("allowOriginStringMatch"),
            origin,
        )?);
    }
    let max_age = match cors.max_age.as_str() {
        "" => None,
        seconds => match seconds.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => {
                context.not_honoured(
                    &at.field("maxAge"),
                    format_args!("`{seconds}`, which is no number of seconds,"),
                );
                None
            }
        },
    };
    let said = |text: String| (!text.is_empty()).then(|| text.into());
    Some(Arc::new(route_policy::CorsPolicy {
        allow_origins: allow_origins.into(),
        allow_methods: said(cors.allow_methods),
        allow_headers: said(cors.allow_headers),
        expose_headers: said(cors.expose_headers),
        max_age,
        allow_credentials: cors.allow_credentials,
        forward_unmatched_preflights: cors.forward_not_matching_preflights.unwrap_or(true),
    }))
}

fn fault(context: &mut Context<'_>, at: &At<'_>, any: &Any, policy: &mut RoutePolicy) {
    let Some(fault) = context.settings::<HttpFault>(at, any) else {
        return;
    };
    if let Some(delay) = fault.delay {
        match delay.fixed_delay {
            Some(duration) => {
                policy.fault_delay = Some(route_policy::FaultDelay {
                    duration: duration.0,
                    percentage: chance(&delay.percentage),
                });
            }
            None => context.not_honoured(&at.field("delay"), "a delay without a fixed length"),
        }
    }
    if let Some(abort) = fault.abort {
        let status = match (abort.http_status, abort.grpc_status) {
            (Some(status), None) => u16::try_from(status).ok().map(AbortStatus::Http),
            (None, Some(code)) => Some(AbortStatus::Grpc(code)),
            _ => None,
        };
        match status {
            Some(status) => {
                policy.fault_abort = Some(route_policy::FaultAbort {
                    status,
                    percentage: chance(&abort.percentage),
                });
            }
            None => context.not_honoured(&at.field("abort"), "an abort without one fixed status"),
        }
    }
}
