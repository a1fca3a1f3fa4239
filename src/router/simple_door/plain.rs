//! What a plain `GET /` finds in a virtual host, as far as that is the same for all its hosts: the walk of `route` for a
//! request without headers, query, claims or anything else.

use std::sync::Arc;

use crate::router::{Action, Rule, Split, VirtualHost};
use crate::terms::claims::Claim;
use crate::terms::condition::{Condition, Facts, RequestMatch};
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
    let request = PlainRequest { tls };
    if !request.path_fits(&asked.path) {
        return Ok(false);
    }
    let of_authority = |condition: &&Condition| matches!(condition, Condition::Header(header) if matches!(&*header.name, ":authority" | "host"));
    let mut others = asked.conditions.iter().filter(|one| !of_authority(one));
    if !others.all(|condition| request.holds(condition)) {
        return Ok(false);
    }
    match asked.conditions.iter().any(|one| of_authority(&one)) {
        true => Err(Unknown),
        false => Ok(true),
    }
}

/// `GET /` without anything else, whose authority is not looked at.
struct PlainRequest {
    tls: bool,
}

impl Facts for PlainRequest {
    fn path(&self) -> &str {
        "/"
    }

    fn for_each_value(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        visit(match name {
            ":method" => b"GET",
            ":path" => b"/",
            ":scheme" | "x-forwarded-proto" if self.tls => b"https",
            ":scheme" | "x-forwarded-proto" => b"http",
            _ => return,
        });
    }

    fn query_value(&self, _key: &str) -> Option<&[u8]> {
        None
    }

    fn claim(&self, _path: &[Box<str>]) -> Option<&Claim> {
        None
    }
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
