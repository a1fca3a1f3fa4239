//! HTTP connection managers: what they route by, and what they do with a request before.

use super::context::Context;
use crate::diagnostic::At;
use crate::envoy::model::{
    EscapedSlashes as Action, ForwardClientCertDetails, HttpConnectionManager, NamedConfig,
    UnderscoresAction,
};
use crate::terms::connection_manager::{ConnectionManager, ForwardClientCert, Underscores};
use crate::terms::path_normalization::{EscapedSlashes, PathHandling};

/// HTTP filters that do nothing about where requests go, or whose part is read: the parts of their names after the last dot.
const KNOWN_FILTERS: &[&str] = &[
    "alpn",
    "cors",
    "dynamic_forward_proxy",
    "fault",
    "grpc_stats",
    "grpc_web",
    "metadata_exchange",
    "router",
    "stats",
];

/// What it does with a request before it routes it.
pub(super) fn settings(
    context: &mut Context<'_>,
    at: &At<'_>,
    manager: &HttpConnectionManager,
) -> ConnectionManager {
    let filters = at.field("httpFilters");
    for (index, filter) in manager.http_filters.iter().enumerate() {
        let kind = filter.name.rsplit('.').next().unwrap_or_default();
        if !KNOWN_FILTERS.contains(&kind) {
            context.not_looked_at(
                &filters.index(index),
                format_args!("the filter `{}`", filter.name),
            );
        }
    }
    let mut path = PathHandling::NONE;
    path.normalizes = manager.normalize_path == Some(true);
    path.merges_slashes = manager.merge_slashes;
    path.escaped_slashes = match manager.path_with_escaped_slashes_action.unwrap_or_default() {
        Action::ImplementationSpecificDefault | Action::KeepUnchanged => EscapedSlashes::Keep,
        Action::RejectRequest => EscapedSlashes::Reject,
        Action::UnescapeAndRedirect => EscapedSlashes::Redirect,
        Action::UnescapeAndForward => EscapedSlashes::Forward,
    };
    let options = manager.common_http_protocol_options.as_ref();
    let underscores = options.and_then(|options| options.headers_with_underscores_action);
    let is_router = |filter: &&NamedConfig| filter.name.rsplit('.').next() == Some("router");
    let router = manager.http_filters.iter().find(is_router);
    // The rest of what the router filter is told has nothing to do with where requests go.
    let hides = |filter: &NamedConfig| filter.typed_config.0["suppressEnvoyHeaders"] == true;
    ConnectionManager {
        path,
        underscores: match underscores.unwrap_or_default() {
            UnderscoresAction::Allow => Underscores::Allow,
            UnderscoresAction::RejectRequest => Underscores::Reject,
            UnderscoresAction::DropHeader => Underscores::Drop,
        },
        hides_itself: router.is_some_and(hides),
        appends_port: manager.append_x_forwarded_port,
        is_edge: manager.use_remote_address == Some(true),
        trusted_hops: manager.xff_num_trusted_hops,
        client_certificate: match manager.forward_client_cert_details.unwrap_or_default() {
            ForwardClientCertDetails::Sanitize => ForwardClientCert::Sanitize,
            ForwardClientCertDetails::ForwardOnly => ForwardClientCert::ForwardOnly,
            ForwardClientCertDetails::AppendForward => ForwardClientCert::AppendForward,
            ForwardClientCertDetails::SanitizeSet => ForwardClientCert::SanitizeSet,
            ForwardClientCertDetails::AlwaysForwardOnly => ForwardClientCert::AlwaysForwardOnly,
        },
        ..ConnectionManager::default()
    }
}
