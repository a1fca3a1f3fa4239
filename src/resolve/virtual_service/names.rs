//! References of a VirtualService to hosts and gateways, completed with its own namespace (R-H-008..R-H-010, R-M-012).

use std::sync::Arc;

use crate::diagnostic::{At, Code};
use crate::resolve::check::domain;
use crate::resolve::{Context, Sink};
use crate::terms::host;
use crate::terms::name::{GatewayName, ResourceName};

/// A host as the registry knows it: a short name becomes a fully qualified one.
pub(super) fn host(written: &str, namespace: &str, cx: &Context<'_>) -> Arc<str> {
    cx.intern(&host::resolve_short_name(
        written,
        namespace,
        &cx.config.domain,
    ))
}

/// A gateway reference. `gw` and `./gw` are of the own namespace; `gw.other` and `gw.other.svc.cluster.local` are an old form
/// of `other/gw` (R-M-012).
pub(super) fn gateway(written: &str, own: &str, cx: &Context<'_>) -> GatewayName {
    if written == GatewayName::MESH {
        return GatewayName::Mesh;
    }
    let (namespace, name) = written.split_once('/').unwrap_or_else(|| {
        let mut labels = written.split('.');
        let name = labels.next().unwrap_or(written);
        (labels.next().unwrap_or("."), name)
    });
    let namespace = if namespace == "." { own } else { namespace };
    GatewayName::Named(ResourceName {
        namespace: cx.intern(namespace),
        name: cx.intern(name),
    })
}

/// All gateways of a list; an empty list of a VirtualService means `mesh` (R-H-010), of a match it means any.
pub(super) fn gateways(written: &[String], namespace: &str, cx: &Context<'_>) -> Vec<GatewayName> {
    written
        .iter()
        .map(|name| gateway(name, namespace, cx))
        .collect()
}

/// Checks gateway references as admission does (R-M-150): it stops after the first one without a namespace, and it warns of
/// the old form only where `warn` says so (R-M-147).
pub(super) fn check_gateways(names: &[String], at: &At<'_>, warn: bool, sink: &mut Sink<'_>) {
    for (index, name) in names.iter().enumerate() {
        let at = at.index(index);
        let Some((namespace, gateway)) = name.split_once('/') else {
            if let Some((first, rest)) = name.split_once('.').filter(|_| warn) {
                let owner = rest.split('.').next().unwrap_or(rest);
                sink.push_with_help(
                    &at,
                    Code::LEGACY_GATEWAY_NAME,
                    format!("`{name}` is an old form of a gateway's name"),
                    format!("write `{owner}/{first}`"),
                );
            }
            sink.check(&at, Code::INVALID_GATEWAY_NAME, domain::fqdn(name));
            return;
        };
        if !domain::is_label(namespace) {
            sink.push_with_help(
                &at,
                Code::INVALID_GATEWAY_NAME,
                format!("`{name}` has an invalid namespace `{namespace}`"),
                "write `<namespace>/<name>`, or `<name>` for a gateway of the same namespace",
            );
        }
        if !domain::is_label(gateway) {
            sink.push(
                &at,
                Code::INVALID_GATEWAY_NAME,
                format!("`{name}` has an invalid gateway name `{gateway}`"),
            );
        }
    }
}
