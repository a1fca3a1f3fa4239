//! What ports of egress and ingress listeners have in common.

use crate::diagnostic::{At, Code};
use crate::resolve::Sink;
use crate::resolve::service::check_protocol;
use crate::resolve::service::workload_entry::check_port_name;
use crate::resource::ServicePort;

/// Name and protocol; a port needs no name.
pub(super) fn check_names(port: &ServicePort, at: &At<'_>, sink: &mut Sink<'_>) {
    if !port.name.is_empty() {
        check_port_name(&port.name, &at.field("name"), sink);
    }
    check_protocol(&port.protocol, &at.field("protocol"), sink);
}

/// `targetPort`, which belongs to services.
pub(super) fn check_target(port: &ServicePort, at: &At<'_>, sink: &mut Sink<'_>) {
    if port.target_port != 0 {
        sink.push(
            &at.field("targetPort"),
            Code::WITHOUT_EFFECT,
            "`targetPort` has no effect in a Sidecar",
        );
    }
}
