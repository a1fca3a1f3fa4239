//! `dropped-server` (MR0320) and `refused-listener` (MR0321).
//!
//! **What it does**: merges the Gateways of the same workloads as Istio does, and names each server that gives way, with the
//! Gateway that was there first (R-M-032, R-M-033, R-M-036); and servers that together make a listener that Envoy refuses.
//!
//! **Why is this bad**: the hosts of a dropped server are answered by nobody, or by the other Gateway. A refused listener
//! answers nothing at all, or keeps serving what it served before.
//!
//! **Example**
//! ```yaml
//! servers:
//! - {port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}
//! - {port: {number: 80, name: tls, protocol: TLS}, tls: {mode: PASSTHROUGH}, hosts: [db.example.com]}
//! ```
//! **Use instead**: one kind of traffic per port; each TLS host in one server only.

use std::sync::Arc;

use crate::diagnostic::{Code, FieldPath, Report};
use crate::mesh::Gateway;
use crate::mesh::gateway_merge::{self, Conflict, MergedGateways, MergedServer};
use crate::terms::hash::HashMap;
use crate::terms::labels::Labels;
use crate::terms::selector_index::SelectorIndex;

use super::{Facts, Work, finding, gateway as gateway_reference};

/// The selector of a Gateway without one.
static EVERYTHING: Labels = Labels::EMPTY;

pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    // What gives way among listeners of the Gateway API is told of when they are resolved.
    let gateways = facts.mesh.gateways.iter();
    let gateways: Vec<&Arc<Gateway>> = gateways.filter(|one| one.services.is_none()).collect();
    let mut classes: HashMap<&Labels, usize> = HashMap::default();
    let mut selectors: Vec<&Labels> = Vec::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (place, gateway) in gateways.iter().enumerate() {
        let selector = gateway.selector.as_ref().unwrap_or(&EVERYTHING);
        let class = *classes.entry(selector).or_insert_with(|| {
            selectors.push(selector);
            members.push(Vec::new());
            selectors.len() - 1
        });
        members[class].push(place);
    }
    let index = SelectorIndex::new(selectors.iter().copied());
    let mut work = Work::default();
    for selector in &selectors {
        // The workload that has just these labels: Gateways without a selector, or with fewer labels, are its too.
        let selected = index.selecting(selector);
        let mut selected: Vec<usize> = selected
            .flat_map(|class| &members[class])
            .copied()
            .collect();
        selected.sort_unstable();
        let servers = selected.iter().map(|&place| gateways[place].servers.len());
        if !work.spend(COST_OF_A_SERVER * servers.sum::<usize>()) {
            return report.push(Work::stopped("dropped-server"));
        }
        let selected = selected.iter().map(|&place| gateways[place]);
        let merged = gateway_merge::merge(selected, &|_, port| Some(port));
        // What the Gateways of fewer labels do among themselves was said for them.
        let concerns =
            |gateway: &Arc<Gateway>| gateway.selector.as_ref().unwrap_or(&EVERYTHING) == *selector;
        report_dropped(&merged, &concerns, report);
        report_refused(&merged, &concerns, report);
    }
}

/// Merging a server takes so many times what other lints do in a step.
const COST_OF_A_SERVER: usize = 10;

fn report_dropped(
    merged: &MergedGateways<'_>,
    concerns: &dyn Fn(&Arc<Gateway>) -> bool,
    report: &mut Report,
) {
    for dropped in &merged.dropped {
        if !concerns(dropped.gateway) && !concerns(&dropped.winner) {
            continue;
        }
        let server = &dropped.gateway.servers[dropped.index];
        let winner = &dropped.winner.resource;
        let port = server.port;
        let reason = match dropped.why {
            Conflict::Host => format!("one of its hosts has TLS settings in Gateway `{winner}`"),
            Conflict::Protocol => format!("Gateway `{winner}` opens the port for other traffic"),
            Conflict::PortName => format!("Gateway `{winner}` has a server of the same port name"),
        };
        let message = format!("the server on port {port} is dropped: {reason}");
        let field = FieldPath::from("spec")
            .field("servers")
            .index(dropped.index);
        report.push(
            finding(
                Code::DROPPED_SERVER,
                gateway_reference(&dropped.gateway.resource),
                field,
                message,
            )
            .with_help("the oldest Gateway wins; keep one kind of traffic per port and each TLS host in one server")
            .with_related(gateway_reference(winner), "was there first", None),
        );
    }
}

/// Two terminating TLS servers of one port with a server name in common make filter chains that match the same.
fn report_refused(
    merged: &MergedGateways<'_>,
    concerns: &dyn Fn(&Arc<Gateway>) -> bool,
    report: &mut Report,
) {
    let mut names: HashMap<(u16, Option<std::net::IpAddr>, String), &MergedServer> =
        HashMap::default();
    for group in &merged.groups {
        for server in &group.servers {
            let is_chain = gateway_merge::is_tls(server.server())
                && !gateway_merge::is_passthrough(server.server());
            if !is_chain {
                continue;
            }
            let matches_any = server.sni_hosts.iter().any(|host| &**host == "*");
            let own: Vec<String> = match matches_any {
                true => vec!["*".to_owned()],
                false => server
                    .sni_hosts
                    .iter()
                    .map(|host| host.to_ascii_lowercase())
                    .collect(),
            };
            for name in own {
                let key = (group.port, group.bind, name.clone());
                let Some(other) = names.insert(key, server) else {
                    continue;
                };
                if std::ptr::eq(other, server)
                    || !concerns(&server.gateway) && !concerns(&other.gateway)
                {
                    continue;
                }
                let message = format!(
                    "port {} has two filter chains for the server name `{name}`: Envoy refuses the listener",
                    group.port
                );
                let field = FieldPath::from("spec").field("servers").index(server.index);
                report.push(
                    finding(
                        Code::REFUSED_LISTENER,
                        gateway_reference(&server.gateway.resource),
                        field,
                        message,
                    )
                    .with_help("name each TLS host in one server only")
                    .with_related(
                        gateway_reference(&other.gateway.resource),
                        "has the other chain",
                        None,
                    ),
                );
            }
        }
    }
}
