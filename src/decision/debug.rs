//! What a decision prints for `{:?}`: a line for a log, whatever the size of the table that it borrows from.

use std::fmt;

use super::{Decision, Outcome};
use crate::terms::short::Short;

impl fmt::Debug for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Decision");
        out.field("outcome", &self.outcome)
            .field("side", &self.side);
        if let Some(listener) = self.listener {
            out.field("listener", &Short(listener.name()));
        }
        if let Some(host) = self.virtual_host {
            out.field("virtual_host", &Short(host.name()));
        }
        if let Some((position, rule)) = self.rule {
            out.field("rule", &position);
            if !rule.name().is_empty() {
                out.field("route_name", &Short(rule.name()));
            }
        }
        if let Some(delay) = self.delay {
            out.field("delay", &delay);
        }
        out.finish_non_exhaustive()
    }
}

impl fmt::Debug for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Forward { cluster, .. } => write!(f, "Forward({:?})", Short(cluster.name())),
            Outcome::Tcp { cluster, .. } => write!(f, "Tcp({:?})", Short(cluster.name())),
            Outcome::AwaitRequest => f.write_str("AwaitRequest"),
            Outcome::Redirect(redirection) => {
                write!(f, "Redirect({})", redirection.redirect().status)
            }
            Outcome::HttpsRedirect => f.write_str("HttpsRedirect"),
            Outcome::PathRedirect => f.write_str("PathRedirect"),
            Outcome::Respond(response) => write!(f, "Respond({})", response.response().status),
            Outcome::Abort(abort) => write!(f, "Abort({:?})", abort.status),
            Outcome::CorsPreflight(_) => f.write_str("CorsPreflight"),
            Outcome::BadRequest(why) => write!(f, "BadRequest({why:?})"),
            Outcome::NotFound(why) => write!(f, "NotFound({why:?})"),
        }
    }
}
