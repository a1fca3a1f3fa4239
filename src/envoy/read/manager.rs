//! HTTP connection managers: what they route by, and what they do with a request before.

use super::context::Context;
use crate::diagnostic::At;
use crate::envoy::model::{EscapedSlashes, ForwardClientCertDetails, HttpConnectionManager};
use crate::terms::connection_manager::{ConnectionManager, ForwardClientCert};
use crate::terms::path_normalization::PathNormalization;

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
    let normalizes = manager.normalize_path == Some(true);
    let escaped = manager.path_with_escaped_slashes_action.unwrap_or_default();
    let keeps = matches!(
        escaped,
        EscapedSlashes::KeepUnchanged | EscapedSlashes::ImplementationSpecificDefault
    );
    let path_normalization = match (normalizes, manager.merge_slashes, keeps) {
        (false, false, true) => PathNormalization::None,
        (true, false, true) => PathNormalization::Base,
        (true, true, true) => PathNormalization::MergeSlashes,
        (true, true, false) if escaped == EscapedSlashes::UnescapeAndForward => {
            PathNormalization::DecodeAndMergeSlashes
        }
        _ => {
            context.not_honoured(at, "this combination of `normalizePath`, `mergeSlashes` and `pathWithEscapedSlashesAction`");
            PathNormalization::Base
        }
    };
    ConnectionManager {
        path_normalization,
        is_edge: manager.use_remote_address == Some(true),
        trusted_hops: manager.xff_num_trusted_hops,
        client_certificate: match manager.forward_client_cert_details.unwrap_or_default() {
            ForwardClientCertDetails::Sanitize => ForwardClientCert::Sanitize,
            ForwardClientCertDetails::ForwardOnly => ForwardClientCert::ForwardOnly,
            ForwardClientCertDetails::AppendForward => ForwardClientCert::AppendForward,
            ForwardClientCertDetails::SanitizeSet => ForwardClientCert::SanitizeSet,
            ForwardClientCertDetails::AlwaysForwardOnly => ForwardClientCert::AlwaysForwardOnly,
        },
    }
}
