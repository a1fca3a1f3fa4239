//! What the CORS filter does with a request: nothing, headers on its response, or the answer itself (R-H-148).

use super::subject::Subject;
use crate::terms::route_policy::CorsPolicy;

/// What the CORS filter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cors {
    /// Not a CORS request, or one from an origin that is not allowed.
    None,
    /// The response gets headers.
    Simple,
    /// The filter answers.
    Preflight {
        /// Whether the origin is allowed: otherwise it is not named in the answer.
        allowed: bool,
    },
}

/// What the filter does with this request. No allocation.
pub(super) fn evaluate(policy: &CorsPolicy, subject: &Subject<'_, '_>) -> Cors {
    // A header without a value is as good as none.
    let allowed = subject.with_line("origin", |origin| {
        let origin = origin.filter(|origin| !origin.is_empty());
        origin.map(|origin| is_allowed(policy, origin))
    });
    let Some(allowed) = allowed else {
        return Cors::None;
    };
    let is_preflight = subject.request.method == "OPTIONS"
        && subject.with_line("access-control-request-method", |method| {
            method.is_some_and(|method| !method.is_empty())
        });
    match (is_preflight, allowed) {
        (true, true) => Cors::Preflight { allowed: true },
        (true, false) if !policy.forward_unmatched_preflights => Cors::Preflight { allowed: false },
        (false, true) => Cors::Simple,
        _ => Cors::None,
    }
}

/// A test that the text `*` passes allows every origin.
fn is_allowed(policy: &CorsPolicy, origin: &[u8]) -> bool {
    policy
        .allow_origins
        .iter()
        .any(|test| test.holds(b"*") || test.holds(origin))
}
