//! Sidecars: what of the mesh a workload imports, typed and checked (R-M-070..R-M-074, R-M-185).
//!
//! Only the outbound side has a meaning here: `ingress` is checked and reported as having no effect on routing.

use crate::diagnostic::{At, Code};
use crate::mesh::config::OutboundTrafficPolicy;
use crate::mesh::service::Protocol;
use crate::mesh::sidecar::{EgressHost, EgressListener, EgressNamespace, EgressPort};
use crate::mesh::virtual_service::DestinationRef;
use crate::mesh::{self, Sidecar};
use crate::resource::{self as raw, Document, OutboundTrafficPolicyMode};
use crate::terms::address::Address;
use crate::terms::host::resolve_short_name;

use super::service::pair;
use super::{Context, Sink};

mod egress_checks;
mod ingress_checks;
mod port_checks;
#[cfg(all(test, feature = "yaml"))]
mod tests;

/// The Sidecar of a document. `None` after an error was pushed.
pub(crate) fn sidecar(
    document: &Document<raw::Sidecar>,
    cx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Option<mesh::Sidecar> {
    let (meta, spec) = (&document.meta, &document.spec);
    let at = At::ROOT.field("spec");
    check_selector(spec, &at, sink);
    let says_something = !spec.egress.is_empty()
        || !spec.ingress.is_empty()
        || spec.outbound_traffic_policy.is_some()
        || spec.inbound_connection_pool.is_some();
    if !says_something {
        sink.push(&at, Code::EMPTY_SIDECAR, "the Sidecar says nothing");
    }
    ingress_checks::check(spec, &at, sink);
    egress_checks::check(&meta.namespace, &spec.egress, &at, sink);
    let egress_proxy = egress_proxy(document, cx, &at, sink);
    if sink.failed() {
        return None;
    }
    let selector = spec.workload_selector.as_ref();
    let policy = spec.outbound_traffic_policy.as_ref();
    if policy.is_some_and(|policy| policy.mode == OutboundTrafficPolicyMode::AllowAnyDynamicDns) {
        let at = At::ROOT.field("spec");
        let at = at.field("outboundTrafficPolicy");
        sink.push(
            &at.field("mode"),
            Code::UNSUPPORTED_BY_ISTIO,
            "`ALLOW_ANY_DYNAMIC_DNS` holds for the whole mesh: only MeshConfig can set it",
        );
        return None;
    }
    Some(Sidecar {
        resource: meta.qualified_name(),
        workload_selector: selector.map(|selector| selector.labels.iter().map(pair).collect()),
        egress: spec.egress.iter().map(listener).collect(),
        outbound_traffic_policy: policy.map(|policy| match policy.mode {
            OutboundTrafficPolicyMode::RegistryOnly => OutboundTrafficPolicy::RegistryOnly,
            OutboundTrafficPolicyMode::AllowAny => OutboundTrafficPolicy::AllowAny,
            OutboundTrafficPolicyMode::AllowAnyDynamicDns => {
                OutboundTrafficPolicy::AllowAnyDynamicDns
            }
        }),
        egress_proxy,
    })
}

fn check_selector(spec: &raw::Sidecar, at: &At<'_>, sink: &mut Sink<'_>) {
    let Some(selector) = &spec.workload_selector else {
        return;
    };
    let at = at.field("workloadSelector");
    super::service::check_selector_labels(&selector.labels, &at.field("labels"), sink);
    if selector.labels.is_empty() {
        sink.push(
            &at,
            Code::SELECTOR_WITHOUT_LABELS,
            "a selector without labels selects every workload of the namespace",
        );
    }
}

fn listener(written: &raw::IstioEgressListener) -> EgressListener {
    EgressListener {
        port: written.port.as_ref().map(|port| EgressPort {
            number: u16::try_from(port.number).unwrap_or(0),
            protocol: Protocol::parse(&port.protocol),
            name: port.name.as_str().into(),
        }),
        bind: Address::parse(&written.bind),
        hosts: written.hosts.iter().filter_map(|text| host(text)).collect(),
    }
}

/// Splits `namespace/dnsName`; `~namespace/dnsName` takes away (R-M-071).
fn host(text: &str) -> Option<EgressHost> {
    let (namespace, host) = text.split_once('/')?;
    let (exclude, namespace) = match namespace.strip_prefix('~') {
        Some(rest) => (true, rest),
        None => (false, namespace),
    };
    Some(EgressHost {
        namespace: match namespace {
            "." => EgressNamespace::Own,
            "*" | "" => EgressNamespace::Any,
            name => EgressNamespace::Named(name.into()),
        },
        host: host.into(),
        exclude,
    })
}

/// The proxy that traffic for nobody goes through: allowed only where that traffic is (R-H-052, R-M-198).
fn egress_proxy(
    document: &Document<raw::Sidecar>,
    cx: &Context<'_>,
    at: &At<'_>,
    sink: &mut Sink<'_>,
) -> Option<DestinationRef> {
    let policy = document.spec.outbound_traffic_policy.as_ref()?;
    let proxy = policy.egress_proxy.as_ref()?;
    let at = at.field("outboundTrafficPolicy");
    let at = at.field("egressProxy");
    sink.push(&at, Code::DEPRECATED_FIELD, "`egressProxy` is deprecated");
    if policy.mode != OutboundTrafficPolicyMode::AllowAny {
        let message = "`egressProxy` needs the mode `ALLOW_ANY`";
        sink.push(&at, Code::CONFLICTING_FIELDS, message);
    }
    egress_checks::check_egress_proxy(proxy, &at, sink);
    let namespace = &document.meta.namespace;
    let host = resolve_short_name(&proxy.host, namespace, &cx.config.domain);
    Some(DestinationRef {
        host: cx.intern(&host),
        subset: crate::resolve::not_empty(&proxy.subset),
        port: proxy
            .port
            .as_ref()
            .and_then(|port| u16::try_from(port.number).ok()),
    })
}
