//! Annotations that admission refuses on every kind (R-M-146), and those that would mean something to istiod.

use crate::diagnostic::{At, Code, FieldPath, Report};
use crate::resource::Resource;

use super::Sink;

const REFUSED: [(&str, &str); 3] = [
    (
        "istio.io/dry-run",
        "only an AuthorizationPolicy can be tried without effect",
    ),
    (
        "internal.istio.io/webhook-always-reject",
        "it asks admission to refuse the resource",
    ),
    (
        "internal.istio.io/parents",
        "Istio itself makes it for resources of the Gateway API",
    ),
];

/// What Istio's Gateway API controller writes on the resources that it makes. Their other semantics are not modelled.
const NOT_EVALUATED: [&str; 2] = [
    "internal.istio.io/route-semantics",
    "internal.istio.io/gateway-service",
];

/// Istio 1.30: on a ServiceEntry, the first of several addresses that answers.
const CONNECT_STRATEGY: &str = "istio.io/connect-strategy";

/// Whether the resource may be used; pushes an error for each annotation that forbids it.
pub(super) fn are_allowed(resource: &Resource, report: &mut Report) -> bool {
    let annotations = &resource.meta().annotations;
    if annotations.is_empty() || resource.kind().is_of_kubernetes() {
        return true;
    }
    let locate = |field: &FieldPath| resource.source().locate(field);
    let mut sink = Sink::new(report, resource.reference(), locate);
    let metadata = At::ROOT.field("metadata");
    let at = metadata.field("annotations");
    for (name, reason) in REFUSED {
        if annotations.contains_key(name) {
            sink.push(
                &at.key(name),
                Code::INVALID_ANNOTATION,
                format!("annotation `{name}` is not allowed: {reason}"),
            );
        }
    }
    if annotations.contains_key(CONNECT_STRATEGY) {
        sink.push(
            &at.key(CONNECT_STRATEGY),
            Code::FIELD_WITHOUT_EFFECT,
            format!("annotation `{CONNECT_STRATEGY}` decides which address of a name is connected to, not where a request goes"),
        );
    }
    for name in NOT_EVALUATED {
        if annotations.contains_key(name) {
            sink.push_with_help(
                &at.key(name),
                Code::WITHOUT_EFFECT,
                format!("annotation `{name}` marks what was made of a Gateway API resource; it is not evaluated"),
                "the answers may differ from Istio's; give the VirtualService or Gateway itself",
            );
        }
    }
    !sink.failed()
}
