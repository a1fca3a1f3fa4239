//! A side reader: what is valid and hardly means what its author meant.
//!
//! [`lint`] reads a [`Mesh`], changes nothing, and returns warnings and notes; an error only
//! for what Envoy would refuse. Each lint is one file that says
//! what it does, why that is bad, shows an example and says what to do instead. Where a lint has a twin among istioctl's
//! analyzers, its code (`IST0101`) stands there; a lint follows what Istio does with the traffic where its twin does not.
//!
//! The diagnostics name resources and fields; `Resources::locate` adds their places in the source.

use crate::diagnostic::{Code, Diagnostic, FieldPath, Report, ResourceRef};
use crate::mesh::{Inner, Mesh};
use crate::terms::hash::HashSet;
use crate::terms::name::ResourceName;
use crate::terms::origin::Author;

mod hosts_by_namespace;
mod label_sets;
mod pages;
mod references;
mod registry;
mod work;

pub mod ambiguous_port;
pub mod conflicting_gateways;
pub mod conflicting_sidecars;
pub mod credential_without_effect;
pub mod doubled_slash;
pub mod dropped_server;
pub mod hash_without_port;
pub mod host_claimed_twice;
pub mod host_not_served;
pub mod host_without_service;
pub mod ineffective_subset;
pub mod missing_listener_port;
pub mod odd_match;
pub mod rule_for_unknown_host;
pub mod section_does_not_fit;
pub mod shadowed_catch_all;
pub mod shared_credential;
pub mod skipped_tcp_port;
pub mod subset_selects_nothing;
pub mod unbound_server;
pub mod unknown_format_command;
pub mod unknown_gateway;
pub mod unknown_host;
pub mod unknown_port;
pub mod unknown_subset;
pub mod unreachable_preflight;
pub mod unsticky_split;
pub mod unused_subset;
pub mod unverified_server;

pub use pages::page;
use registry::Registry;
use work::Work;

/// What a lint looks at.
pub(crate) struct Facts<'a> {
    mesh: &'a Inner,
    registry: Registry<'a>,
}

/// A lint: pushes what it finds.
type Check = fn(&Facts<'_>, &mut Report);

/// Every lint, in the order of their codes.
const LINTS: [Check; 29] = [
    unknown_host::check,
    unknown_port::check,
    ambiguous_port::check,
    missing_listener_port::check,
    unknown_subset::check,
    ineffective_subset::check,
    unused_subset::check,
    subset_selects_nothing::check,
    unknown_gateway::check,
    host_not_served::check,
    unbound_server::check,
    host_claimed_twice::check,
    shadowed_catch_all::check,
    rule_for_unknown_host::check,
    unverified_server::check,
    credential_without_effect::check,
    hash_without_port::check,
    conflicting_gateways::check,
    conflicting_sidecars::check,
    dropped_server::check,
    unknown_format_command::check,
    shared_credential::check,
    doubled_slash::check,
    unreachable_preflight::check,
    section_does_not_fit::check,
    unsticky_split::check,
    host_without_service::check,
    skipped_tcp_port::check,
    odd_match::check,
];

/// Says what in `mesh` is valid and hardly means what its author meant.
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use meshroute::{Mesh, Resources, lint::lint};
/// let mesh = Mesh::resolve(Resources::from_yaml("
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata: {name: shop}
/// spec:
///   hosts: [shop.example.com]
///   gateways: [missing]
///   http: [{route: [{destination: {host: shop}}]}]
/// ---
/// apiVersion: networking.istio.io/v1
/// kind: Gateway
/// metadata: {name: other}
/// spec: {selector: {}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]}
/// ").unwrap()).unwrap();
/// let report = lint(&mesh);
/// assert!(report.iter().any(|found| found.message() == "there is no Gateway `default/missing`"));
/// # }
/// ```
///
/// # Complexity
/// Linear in the size of the resources. A lint for which their hosts and Gateways make too many pairs stops at a limit, and
/// says so.
pub fn lint(mesh: &Mesh) -> Report {
    let facts = Facts {
        mesh: &mesh.inner,
        registry: Registry::new(&mesh.inner),
    };
    let mut report = Report::new();
    for check in LINTS {
        check(&facts, &mut report);
    }
    // A delegate of several roots is looked at once for each.
    let mut seen = HashSet::default();
    let is_new: Vec<bool> = report
        .iter()
        .map(|diagnostic| seen.insert(diagnostic))
        .collect();
    let all = report.into_iter().zip(is_new);
    all.filter(|(_, is_new)| *is_new)
        .map(|(diagnostic, _)| diagnostic)
        .filter(|diagnostic| diagnostic.resource().is_none_or(is_written))
        .collect()
}

/// Whether someone wrote the resource: what istiod makes of the Gateway API has a name that no resource can have.
fn is_written(resource: &ResourceRef) -> bool {
    !resource.name.contains('~')
}

/// How many things a message lists.
const MOST_LISTED: usize = 8;

/// The first few of `all`, with how many more there are.
fn list<T: std::fmt::Display>(all: impl ExactSizeIterator<Item = T>) -> String {
    let more = all.len().saturating_sub(MOST_LISTED);
    let listed: Vec<String> = all.take(MOST_LISTED).map(|item| item.to_string()).collect();
    match more {
        0 => listed.join(", "),
        more => format!("{}, and {more} more", listed.join(", ")),
    }
}

/// A finding about the field at `field` of a resource.
fn finding(
    code: Code,
    resource: ResourceRef,
    field: FieldPath,
    message: impl Into<String>,
) -> Diagnostic {
    Diagnostic::new(code, message)
        .with_resource(resource)
        .with_field(field)
}

fn author(author: &Author) -> ResourceRef {
    reference(author.kind(), author.resource())
}

fn destination_rule(name: &ResourceName) -> ResourceRef {
    reference("DestinationRule", name)
}

fn gateway(name: &ResourceName) -> ResourceRef {
    reference("Gateway", name)
}

fn reference(kind: &'static str, name: &ResourceName) -> ResourceRef {
    ResourceRef::new(kind, &*name.namespace, &*name.name)
}
