//! What routes say to HTTP filters: faults and CORS.

use super::message::messages;
use super::{FractionalPercent, RuntimeFractionalPercent, Span, StringMatcher};

messages! {
    /// `envoy.extensions.filters.http.cors.v3.CorsPolicy`.
    CorsPolicy {
        /// Origins that are allowed: any of these.
        allow_origin_string_match: Vec<StringMatcher>,
        /// `access-control-allow-methods`.
        allow_methods: String,
        /// `access-control-allow-headers`.
        allow_headers: String,
        /// `access-control-expose-headers`.
        expose_headers: String,
        /// `access-control-max-age`: seconds.
        max_age: String,
        /// `access-control-allow-credentials`.
        allow_credentials: Option<bool>,
        /// How often it is enforced; always where this is unset.
        filter_enabled: Option<RuntimeFractionalPercent>,
        /// A preflight of another origin goes on to the upstream; so it does where this is unset.
        forward_not_matching_preflights: Option<bool>,
    }

    /// `envoy.extensions.filters.http.fault.v3.HTTPFault`.
    HttpFault {
        /// Waits.
        delay: Option<FaultDelay>,
        /// Answers instead.
        abort: Option<FaultAbort>,
    }

    /// `envoy.extensions.filters.common.fault.v3.FaultDelay`.
    FaultDelay {
        /// So long.
        fixed_delay: Option<Span>,
        /// So often.
        percentage: FractionalPercent,
    }

    /// `envoy.extensions.filters.http.fault.v3.FaultAbort`.
    FaultAbort {
        /// With this status.
        http_status: Option<u32>,
        /// With this gRPC status.
        grpc_status: Option<u32>,
        /// So often.
        percentage: FractionalPercent,
    }
}
