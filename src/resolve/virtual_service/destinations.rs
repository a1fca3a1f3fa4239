//! Destinations, their weights, and mirrors (R-H-107..R-H-112, R-H-142, R-M-158, R-M-159).

use crate::diagnostic::{At, Code};
use crate::mesh::virtual_service::{DestinationRef, MirrorRef, WeightedRef};
use crate::resolve::check::{domain, network, quantity};
use crate::resolve::{Context, Sink};
use crate::resource as raw;
use crate::terms::weighted::FractionalPercent;

use super::{headers, names};

/// The weighted destinations of an `http` rule.
pub(super) fn of_http(
    written: &[raw::HttpRouteDestination],
    namespace: &str,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Vec<WeightedRef> {
    let entries = written.iter().map(|route| Weighted {
        destination: route.destination.as_ref(),
        weight: route.weight,
        headers: route.headers.as_deref(),
    });
    weighted(entries, namespace, at, cx, sink)
}

/// The weighted destinations of a `tls` or `tcp` rule.
pub(super) fn of_stream(
    written: &[raw::RouteDestination],
    namespace: &str,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Vec<WeightedRef> {
    let entries = written.iter().map(|route| Weighted {
        destination: route.destination.as_ref(),
        weight: route.weight,
        headers: None,
    });
    weighted(entries, namespace, at, cx, sink)
}

/// What both kinds of destinations have.
struct Weighted<'w> {
    destination: Option<&'w raw::Destination>,
    weight: i32,
    headers: Option<&'w raw::Headers>,
}

fn weighted<'w>(
    entries: impl ExactSizeIterator<Item = Weighted<'w>> + Clone,
    namespace: &str,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Vec<WeightedRef> {
    check_weights(entries.clone().map(|route| route.weight), at, sink);
    let mut out = Vec::with_capacity(entries.len());
    for (index, route) in entries.enumerate() {
        let at = at.index(index);
        let headers = headers::changes(route.headers, &at.field("headers"), sink);
        let destination = required(route.destination, namespace, &at, cx, sink);
        out.extend(destination.map(|destination| WeightedRef {
            destination,
            weight: u32::try_from(route.weight).unwrap_or(0),
            headers,
        }));
    }
    out
}

/// `mirror`, then `mirrors`; one with an explicit share of 0 is left out (R-H-142).
pub(super) fn mirrors(
    rule: &raw::HttpRoute,
    namespace: &str,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Vec<MirrorRef> {
    let mut out = Vec::new();
    let share = mirror_share(rule, at, sink);
    if let Some(mirror) = &rule.mirror {
        let destination = destination(mirror, namespace, &at.field("mirror"), cx, sink);
        out.extend(share.map(|percentage| MirrorRef {
            destination,
            percentage,
        }));
    }
    let mirrors = at.field("mirrors");
    for (index, mirror) in rule.mirrors.iter().enumerate() {
        let at = mirrors.index(index);
        let share = match &mirror.percentage {
            None => Some(FractionalPercent::ALWAYS),
            Some(written) => {
                let at = at.field("percentage");
                sink.check(
                    &at.field("value"),
                    Code::INVALID_PERCENTAGE,
                    quantity::fraction(written.value),
                );
                (written.value > 0.0).then(|| FractionalPercent::from_percent_value(written.value))
            }
        };
        let destination = required(mirror.destination.as_ref(), namespace, &at, cx, sink);
        out.extend(
            destination
                .zip(share)
                .map(|(destination, percentage)| MirrorRef {
                    destination,
                    percentage,
                }),
        );
    }
    out
}

/// The share of `mirror`: `mirrorPercentage` beats `mirrorPercent`, neither means all, and 0 means no mirror.
fn mirror_share(
    rule: &raw::HttpRoute,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<FractionalPercent> {
    if let Some(percent) = rule.mirror_percent {
        let at = at.field("mirrorPercent");
        if percent > 100 {
            sink.push(
                &at,
                Code::INVALID_PERCENTAGE,
                format!("percentage `{percent}` is not in the range 0 to 100"),
            );
        }
        sink.push_with_help(
            &at,
            Code::DEPRECATED_FIELD,
            "`mirrorPercent` is deprecated",
            "write `mirrorPercentage: {value: ..}`",
        );
    }
    if let Some(written) = &rule.mirror_percentage {
        let at = at.field("mirrorPercentage");
        sink.check(
            &at.field("value"),
            Code::INVALID_PERCENTAGE,
            quantity::fraction(written.value),
        );
        return (written.value > 0.0).then(|| FractionalPercent::from_percent_value(written.value));
    }
    match rule.mirror_percent {
        Some(percent) => (percent > 0)
            .then(|| FractionalPercent::from_percent(i32::try_from(percent).unwrap_or(i32::MAX))),
        None => Some(FractionalPercent::ALWAYS),
    }
}

/// The destination of a list's element, which must be there.
fn required(
    written: Option<&raw::Destination>,
    namespace: &str,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<DestinationRef> {
    let at = at.field("destination");
    if written.is_none() {
        sink.push(&at, Code::MISSING_FIELD, "`destination` is required");
    }
    written.map(|written| destination(written, namespace, &at, cx, sink))
}

/// One destination, with its host completed.
fn destination(
    written: &raw::Destination,
    namespace: &str,
    at: &At<'_>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> DestinationRef {
    let host_at = at.field("host");
    if written.host == "*" {
        sink.push(&host_at, Code::INVALID_HOST, "a destination cannot be `*`");
    } else {
        sink.check(
            &host_at,
            Code::INVALID_HOST,
            domain::wildcard_domain(&written.host),
        );
    }
    if !written.subset.is_empty() && !domain::is_label(&written.subset) {
        sink.push(
            &at.field("subset"),
            Code::INVALID_NAME,
            format!("`{}` is not the name of a subset", written.subset),
        );
    }
    if let Some(port) = &written.port {
        let at = at.field("port");
        sink.check(
            &at.field("number"),
            Code::INVALID_PORT,
            network::port(port.number),
        );
    }
    DestinationRef {
        host: names::host(&written.host, namespace, cx),
        subset: match written.subset.as_str() {
            "" => None,
            name => Some(cx.intern(name)),
        },
        port: written
            .port
            .as_ref()
            .and_then(|port| u16::try_from(port.number).ok()),
    }
}

/// No weight below zero, and among several destinations one above it. Envoy adds the weights up in 32 bits.
fn check_weights(weights: impl ExactSizeIterator<Item = i32>, at: &At<'_>, sink: &mut Sink<'_>) {
    let count = weights.len();
    let mut total: i64 = 0;
    for (index, weight) in weights.enumerate() {
        if weight < 0 {
            sink.push(
                &at.index(index).field("weight"),
                Code::INVALID_WEIGHT,
                format!("weight `{weight}` is below 0"),
            );
        }
        total += i64::from(weight);
    }
    if count > 1 && total == 0 {
        sink.push_with_help(
            at,
            Code::INVALID_WEIGHT,
            "the weights of all destinations are 0",
            "give at least one destination a weight",
        );
    }
    if total > i64::from(u32::MAX) {
        sink.push(
            at,
            Code::INVALID_WEIGHT,
            format!("the sum of the weights, `{total}`, is more than Envoy accepts (4294967295)"),
        );
    }
}
