//! `conflicting-gateways` (MR0318; istioctl's IST0145, R-M-205).
//!
//! **What it does**: finds Gateways for the same workloads that have a server with the same port, host and bind address.
//!
//! **Why is this bad**: of servers that are not plain HTTP only one is kept: which one depends on the age of the Gateways
//! (R-M-032..R-M-035). Plain HTTP servers are merged, which is worth a note only.
//!
//! **Example**
//! ```yaml
//! metadata: {name: alpha}
//! spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 443, ...}, hosts: [shop.example.com], tls: ...}]}
//! ---
//! metadata: {name: beta}
//! spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 443, ...}, hosts: [shop.example.com], tls: ...}]}
//! ```
//! **Use instead**: one Gateway per host, to which several VirtualServices are bound.

use std::net::IpAddr;
use std::sync::Arc;

use crate::diagnostic::{Code, FieldPath, Report, Severity};
use crate::mesh::Gateway;
use crate::mesh::gateway::{Server, ServerHost};
use crate::terms::hash::{HashMap, HashSet};
use crate::terms::labels::Labels;
use crate::terms::selector_index::SelectorIndex;

use super::{Facts, finding, gateway as gateway_reference};

/// What two servers cannot both have: port, host, bind address.
type Place<'a> = (u16, &'a ServerHost, Option<IpAddr>);

/// Each Gateway is told of the first other one of a place, and how many more there are.
pub(super) fn check(facts: &Facts<'_>, report: &mut Report) {
    let gateways = &facts.mesh.gateways;
    let mut places: HashMap<Place<'_>, Users<'_>> = HashMap::default();
    for (number, gateway) in gateways.iter().enumerate() {
        for server in &gateway.servers {
            for host in &server.hosts {
                let users = places.entry(place(server, host)).or_default();
                users.add(number, gateway, server);
            }
        }
    }
    for users in places.values_mut() {
        users.compare();
    }
    for (number, gateway) in gateways.iter().enumerate() {
        let mut told: HashSet<usize> = HashSet::default();
        for (index, server) in gateway.servers.iter().enumerate() {
            for host in &server.hosts {
                let users = &places[&place(server, host)];
                let Some(rivals) = users.rivals(number, selector(gateway)) else {
                    continue;
                };
                if !told.insert(rivals.first) {
                    continue;
                }
                let other = &gateways[rivals.first];
                let severity = match rivals.are_merged {
                    true => Severity::Note,
                    false => Severity::Warning,
                };
                let others = match rivals.count {
                    1 => format!("Gateway `{}` has", other.resource),
                    count => format!("Gateway `{}` and {} more have", other.resource, count - 1),
                };
                let message = format!("{others} a server for `{host}` on port {} too", server.port);
                let field = FieldPath::from("spec").field("servers").index(index);
                let resource = gateway_reference(&gateway.resource);
                let other = gateway_reference(&other.resource);
                report.push(
                    finding(Code::CONFLICTING_GATEWAYS, resource, field, message)
                        .with_severity(severity)
                        .with_help("keep a host and port in one Gateway, and bind several VirtualServices to it")
                        .with_related(other, "has the other server", None),
                );
            }
        }
    }
}

fn place<'a>(server: &Server, host: &'a ServerHost) -> Place<'a> {
    (server.port, host, server.bind)
}

/// Whether the server is merged with others like it: plain HTTP.
fn is_merged(server: &Server) -> bool {
    server.protocol.is_http() && server.tls.as_ref().is_none_or(|tls| !tls.https_redirect)
}

/// The selector of a Gateway without one.
static EVERYTHING: Labels = Labels::EMPTY;

fn selector(gateway: &Gateway) -> &Labels {
    gateway.selector.as_ref().unwrap_or(&EVERYTHING)
}

/// The Gateways of one place, those of one selector together.
#[derive(Default)]
struct Users<'m> {
    classes: HashMap<&'m Labels, usize>,
    all: Vec<Class<'m>>,
}

/// Gateways of one selector.
struct Class<'m> {
    selector: &'m Labels,
    own: Members,
    /// With those of all selectors that select the same workloads: one has all the labels of the other.
    rivals: Members,
}

/// Gateways by their numbers in config order.
#[derive(Clone, Copy)]
struct Members {
    first: usize,
    second: Option<usize>,
    last: usize,
    count: usize,
    are_merged: bool,
}

impl Members {
    fn join(&mut self, other: Members) {
        let firsts = [
            Some(self.first),
            self.second,
            Some(other.first),
            other.second,
        ];
        let mut firsts: Vec<usize> = firsts.into_iter().flatten().collect();
        firsts.sort_unstable();
        self.first = firsts[0];
        self.second = firsts.get(1).copied();
        self.count += other.count;
        self.are_merged &= other.are_merged;
    }
}

/// The other Gateways of a place.
struct Rivals {
    first: usize,
    count: usize,
    are_merged: bool,
}

impl<'m> Users<'m> {
    fn add(&mut self, number: usize, gateway: &'m Arc<Gateway>, server: &Server) {
        let new = Members {
            first: number,
            second: None,
            last: number,
            count: 1,
            are_merged: is_merged(server),
        };
        let selector = selector(gateway);
        let Some(&class) = self.classes.get(selector) else {
            self.classes.insert(selector, self.all.len());
            self.all.push(Class {
                selector,
                own: new,
                rivals: new,
            });
            return;
        };
        let own = &mut self.all[class].own;
        // A second server of the same Gateway is none of another.
        if own.last == number {
            own.are_merged &= new.are_merged;
            return;
        }
        own.last = number;
        own.count += 1;
        own.second.get_or_insert(number);
        own.are_merged &= new.are_merged;
    }

    /// Finds the rivals of each class.
    fn compare(&mut self) {
        for class in &mut self.all {
            class.rivals = class.own;
        }
        if self.all.len() < 2 {
            return;
        }
        let selectors: Vec<&Labels> = self.all.iter().map(|class| class.selector).collect();
        let index = SelectorIndex::new(selectors.iter().copied());
        for (wide, labels) in selectors.iter().enumerate() {
            for narrow in index.selecting(labels).filter(|narrow| *narrow != wide) {
                let (of_narrow, of_wide) = (self.all[narrow].own, self.all[wide].own);
                self.all[narrow].rivals.join(of_wide);
                self.all[wide].rivals.join(of_narrow);
            }
        }
    }

    fn rivals(&self, number: usize, selector: &Labels) -> Option<Rivals> {
        let rivals = self.all[*self.classes.get(selector)?].rivals;
        let first = match rivals.first == number {
            true => rivals.second?,
            false => rivals.first,
        };
        Some(Rivals {
            first,
            count: rivals.count - 1,
            are_merged: rivals.are_merged,
        })
    }
}
