//! Fields of a text that no message has: which of them have nothing to do with routing, and what is said of the others.

use serde_ignored::Path;

use crate::diagnostic::FieldPath;

/// A kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Listener,
    RouteConfiguration,
    Cluster,
    ClusterLoadAssignment,
}

/// A field that was not read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unread {
    pub kind: Kind,
    /// Place of the resource among those of its kind.
    pub index: usize,
    pub field: FieldPath,
}

/// Fields that change nothing about where requests go, in alphabetical order; compared by their last name.
const NOT_ROUTING: &[&str] = &[
    "@type",
    "accessLog",
    "accessLogFlushInterval",
    "accessLogOptions",
    "alpnOverride",
    "altStatName",
    "commonHttpProtocolOptions",
    "connectionBalanceConfig",
    "customTags",
    "decorator",
    "dnsCacheConfig",
    "drainTimeout",
    "drainType",
    "emitFilterState",
    "enableReusePort",
    "filterDisabled",
    "freebind",
    "generateRequestId",
    "http2ProtocolOptions",
    "http3ProtocolOptions",
    "httpProtocolOptions",
    "initialReadBufferSize",
    "maxConnectionsToAcceptPerSocketEvent",
    "maxRequestHeadersKb",
    "perConnectionBufferLimitBytes",
    "preserveExternalRequestId",
    "proxy100Continue",
    "requestHeadersTimeout",
    "requestIdExtension",
    "requestTimeout",
    "reusePort",
    "serverHeaderTransformation",
    "serverName",
    "setCurrentClientCertDetails",
    "socketOptions",
    "statPrefix",
    "statsForAllMethods",
    "streamErrorOnInvalidHttpMessage",
    "streamIdleTimeout",
    "suppressEnvoyHeaders",
    "tcpBacklogSize",
    "tracing",
    "transparent",
    "transportSocketConnectTimeout",
    "upgradeConfigs",
];

impl Kind {
    /// By the last part of the name of its type.
    pub(super) fn of_type(name: &str) -> Option<Self> {
        Some(match name {
            "Listener" => Kind::Listener,
            "RouteConfiguration" => Kind::RouteConfiguration,
            "Cluster" => Kind::Cluster,
            "ClusterLoadAssignment" => Kind::ClusterLoadAssignment,
            _ => return None,
        })
    }

    /// By the list that it stands in.
    pub(super) fn of_list(name: &str) -> Option<Self> {
        Some(match name {
            "listeners" => Kind::Listener,
            "routes" => Kind::RouteConfiguration,
            "clusters" => Kind::Cluster,
            "endpoints" => Kind::ClusterLoadAssignment,
            _ => return None,
        })
    }

    /// The name of its type.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Listener => "Listener",
            Kind::RouteConfiguration => "RouteConfiguration",
            Kind::Cluster => "Cluster",
            Kind::ClusterLoadAssignment => "ClusterLoadAssignment",
        }
    }
}

/// Keeps a field in mind that was not read, unless it has nothing to do with routing.
pub(super) fn note(path: &Path<'_>, unread: &mut Vec<FieldPath>) {
    if let Path::Map { key, .. } = path
        && NOT_ROUTING.binary_search(&key.as_str()).is_ok()
    {
        return;
    }
    let mut field = FieldPath::root();
    push(path, &mut field);
    unread.push(field);
}

fn push(path: &Path<'_>, out: &mut FieldPath) {
    match path {
        Path::Root => {}
        Path::Seq { parent, index } => {
            push(parent, out);
            out.push_index(*index);
        }
        Path::Map { parent, key } => {
            push(parent, out);
            out.push_field(key.clone());
        }
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => push(parent, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_routing_is_in_order() {
        assert!(NOT_ROUTING.is_sorted());
    }
}
