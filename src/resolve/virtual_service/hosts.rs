//! The `hosts` of a VirtualService, as written (R-M-149, R-M-152, R-M-153).

use std::collections::HashMap;

use crate::diagnostic::{At, Code};
use crate::resolve::Sink;
use crate::resolve::check::{domain, network};
use crate::resource as raw;
use crate::terms::host;
use crate::terms::name::GatewayName;

/// Whether it is bound to gateways only; then admission lets it have hosts and matches that sidecars could not serve.
pub(super) fn is_for_gateways_only(spec: &raw::VirtualService) -> bool {
    !spec.gateways.is_empty()
        && spec
            .gateways
            .iter()
            .all(|gateway| gateway != GatewayName::MESH)
}

/// Checks each host, and that no two of them overlap.
pub(super) fn check(spec: &raw::VirtualService, at: &At<'_>, sink: &mut Sink<'_>) {
    let for_gateways = is_for_gateways_only(spec);
    let has_sni = spec
        .tls
        .iter()
        .flat_map(|rule| &rule.r#match)
        .any(|matched| !matched.sni_hosts.is_empty());
    let mut all_are_valid = true;
    for (index, host) in spec.hosts.iter().enumerate() {
        let verdict = match for_gateways {
            true => domain::gateway_bound_host(host, has_sni),
            false => domain::wildcard_domain(host),
        };
        match verdict {
            Err(_) if network::ip(host).is_ok() => {}
            Err(message) => {
                sink.push(&at.index(index), Code::INVALID_HOST, message);
                all_are_valid = false;
            }
            Ok(()) if !for_gateways && host == "*" => {
                sink.push_with_help(
                    &at.index(index),
                    Code::HOST_NOT_FOR_MESH,
                    "the host `*` cannot be bound to the mesh",
                    "name hosts, or bind it to gateways only",
                );
                all_are_valid = false;
            }
            Ok(()) => {}
        }
    }
    if all_are_valid {
        check_overlaps(&spec.hosts, at, sink);
    }
}

/// Reports each host that overlaps an earlier one, at most once. O(hosts · wildcards).
fn check_overlaps(hosts: &[String], at: &At<'_>, sink: &mut Sink<'_>) {
    let mut exact: HashMap<&str, usize> = HashMap::with_capacity(hosts.len());
    let mut wildcards: Vec<usize> = Vec::new();
    for (index, host) in hosts.iter().enumerate() {
        let overlapping = |&&other: &&usize| host::overlaps(&hosts[other], host);
        let among_wildcards = wildcards.iter().find(overlapping).copied();
        let among_exact = if host::is_wildcard(host) {
            wildcards.push(index);
            exact.values().filter(overlapping).min().copied()
        } else {
            exact.insert(host, index)
        };
        if let Some(other) = among_wildcards.or(among_exact) {
            sink.push(
                &at.index(index),
                Code::OVERLAPPING_HOSTS,
                format!("hosts `{}` and `{host}` overlap", hosts[other]),
            );
        }
    }
}
