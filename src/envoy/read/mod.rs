//! From Envoy's configuration to a router's tables: the same tables that `compile` makes, so that one walk answers for both.

mod clusters;
mod context;
mod filters;
mod listener;
mod manager;
mod matches;
mod route;
mod route_config;

use std::sync::Arc;

use super::EnvoyConfig;
use crate::diagnostic::Report;
use crate::router::{ClusterSide, ClusterTable, Router, Tables, View};
use clusters::Names;
use context::Context;

impl Router {
    /// A router of what an Envoy is configured with: it answers as that Envoy would. Its tables are those that
    /// [`compile`](Router::compile) makes, walked in the same way.
    ///
    /// Listeners are a sidecar's where they stand behind one that takes connections to all addresses (`useOriginalDst`), and a
    /// gateway's otherwise; inbound ones are passed over. Without any listener, the route configurations answer at the ports
    /// that they are named after, and the first one also at every other.
    ///
    /// The report has warnings about what may change what becomes of requests and is not looked at. The simple door knows
    /// no names of Gateways, as an Envoy does not: `mesh` is the only one.
    ///
    /// # Errors
    /// Where something decides what becomes of requests and is not honoured, or where an Envoy would refuse it.
    ///
    /// # Complexity
    /// Linear in the configuration.
    pub fn from_envoy(config: &EnvoyConfig) -> Result<(Router, Report), Report> {
        let mut context = Context::new(config);
        context.speak_of_unread();
        let sides = listener::sides(config);
        let mut tables = Tables {
            namespace: Arc::from(""),
            ..Tables::default()
        };
        let mut clusters = ClusterTable::default();
        for (side, listeners) in sides {
            let mut names = Names::new(side, config);
            let view = listener::view(side, &listeners, &mut context, &mut names);
            clusters.set(side, names.finish());
            set(&mut tables, side, view);
        }
        tables.clusters = clusters;
        let report = context.finish();
        match report.has_errors() {
            true => Err(report),
            false => Ok((Router::new(tables), report)),
        }
    }
}

fn set(tables: &mut Tables, side: ClusterSide, view: View) {
    match side {
        ClusterSide::Mesh => tables.mesh = Some(view),
        ClusterSide::Gateway => tables.gateway = Some(view),
    }
}
