//! What a plain `GET /` finds in a virtual host, as far as that is the same for all its hosts: the walk of `route` for a
//! request without headers, query, claims or anything else.

use std::sync::Arc;

use crate::router::{Action, Rule, Split, VirtualHost};
use crate::terms::condition::{Condition, RequestMatch};
use crate::terms::route_error::RouteError;
use crate::terms::route_policy::RoutePolicy;
use crate::terms::weighted::FractionalPercent;

/// What a plain request finds.
pub(super) enum Plain<'t> {
    /// One of these clusters.
    Forward(&'t Split, &'t Arc<Action>),
    /// No destination.
    Nowhere(RouteError),
    /// It depends on how the host is written, or on a draw.
    Depends,
}

/// Of a virtual host.
pub(super) fn of_virtual_host(host: &VirtualHost, tls: bool) -> Plain<'_> {
    if host.requires_tls() && !tls {
        return Plain::Nowhere(RouteError::Redirect(301));
    }
    match first_rule(host.rules(), tls) {
        Ok(Some(rule)) => of_action(&rule.action),
        Ok(None) => Plain::Nowhere(RouteError::NoRule),
        Err(Unknown) => Plain::Depends,
    }
}

/// Whether it holds depends on the authority as it is written.
struct Unknown;

fn first_rule(rules: &[Rule], tls: bool) -> Result<Option<&Rule>, Unknown> {
    for rule in rules {
        if fits(rule.matches(), tls)? {
            return Ok(Some(rule));
        }
    }
    Ok(None)
}

fn fits(asked: &RequestMatch, tls: bool) -> Result<bool, Unknown> {
    if !asked.path.holds("/") {
        return Ok(false);
    }
    let mut is_unknown = false;
    for condition in &asked.conditions {
        match holds(condition, tls) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(Unknown) => is_unknown = true,
        }
    }
    if is_unknown { Err(Unknown) } else { Ok(true) }
}

fn holds(condition: &Condition, tls: bool) -> Result<bool, Unknown> {
    let scheme = if tls { "https" } else { "http" };
    Ok(match condition {
        Condition::Header { name, test, invert } => {
            let value = match &**name {
                ":authority" | "host" => return Err(Unknown),
                ":method" => Some("GET"),
                ":path" => Some("/"),
                ":scheme" | "x-forwarded-proto" => Some(scheme),
                _ => None,
            };
            test.holds_for(value.map(|value| test.holds(value.as_bytes())), *invert)
        }
        Condition::Query { .. } => false,
        Condition::Claim { invert, .. } => *invert,
    })
}

fn of_action(action: &Arc<Action>) -> Plain<'_> {
    let policy: &RoutePolicy = action.policy();
    if let Some(abort) = &policy.fault_abort {
        match abort.percentage {
            FractionalPercent::NEVER => {}
            FractionalPercent::ALWAYS => {
                return Plain::Nowhere(RouteError::Fault(abort.status.as_http()));
            }
            _ => return Plain::Depends,
        }
    }
    match &**action {
        Action::Forward(forward) => Plain::Forward(&forward.split, action),
        Action::Redirect(redirection) => {
            Plain::Nowhere(RouteError::Redirect(redirection.redirect().status))
        }
        Action::Respond(response) => {
            Plain::Nowhere(RouteError::DirectResponse(response.response().status))
        }
    }
}
