//! `envoy.config.route.v3`: route configurations.

use std::collections::BTreeMap;

use super::message::messages;
use super::{
    Any, DataSource, HeaderValueOption, Int64, Metadata, NamedConfig, RegexMatchAndSubstitute,
    RegexMatcher, RuntimeFractionalPercent, Span, StringMatcher,
};

messages! {
    /// `RouteConfiguration`: virtual hosts by domain.
    RouteConfiguration {
        /// Its name.
        name: String,
        /// Its virtual hosts.
        virtual_hosts: Vec<VirtualHost>,
        /// The port of the authority does not count.
        ignore_port_in_host_matching: bool,
        /// The largest body of a direct response.
        max_direct_response_body_size_bytes: Option<u32>,
        /// Refused where a cluster is not there.
        validate_clusters: Option<bool>,
    }

    /// `VirtualHost`: domains and the routes that answer for them.
    VirtualHost {
        /// Its name.
        name: String,
        /// Exact, `*suffix`, `prefix*` or `*`.
        domains: Vec<String>,
        /// The first one that fits answers.
        routes: Vec<Route>,
        /// Plain-text requests are sent to https.
        require_tls: Option<TlsRequirement>,
        /// Upstreams are told which attempt a request is.
        include_request_attempt_count: bool,
    }

    /// `Route`: a match and an action.
    Route {
        /// Its name.
        name: String,
        /// What it asks of a request.
        #[serde(rename = "match")]
        matches: RouteMatch,
        /// Forwards.
        route: Option<RouteAction>,
        /// Answers with a location.
        redirect: Option<RedirectAction>,
        /// Answers.
        direct_response: Option<DirectResponseAction>,
        /// Where it was written: `istio`, `config`.
        metadata: Option<Metadata>,
        /// Settings of HTTP filters, by name.
        typed_per_filter_config: BTreeMap<String, Any>,
        /// Of the request.
        request_headers_to_add: Vec<HeaderValueOption>,
        /// Of the request.
        request_headers_to_remove: Vec<String>,
        /// Of the response.
        response_headers_to_add: Vec<HeaderValueOption>,
        /// Of the response.
        response_headers_to_remove: Vec<String>,
    }

    /// `RouteMatch`: one test of the path, and others, all of which must hold.
    RouteMatch {
        /// The path begins with it.
        prefix: Option<String>,
        /// The path is it.
        path: Option<String>,
        /// The whole path matches.
        safe_regex: Option<RegexMatcher>,
        /// The path is it, or below it.
        path_separated_prefix: Option<String>,
        /// Whether the case of `prefix`, `path` and `path_separated_prefix` counts; it does where this is unset.
        case_sensitive: Option<bool>,
        /// Tests of headers.
        headers: Vec<HeaderMatcher>,
        /// Tests of query parameters.
        query_parameters: Vec<QueryParameterMatcher>,
        /// Tests of what filters found out: claims of a token.
        dynamic_metadata: Vec<MetadataMatcher>,
    }

    /// `HeaderMatcher`: one test of a header.
    HeaderMatcher {
        /// The header.
        name: String,
        /// There is one, or (`false`) there is none.
        present_match: Option<bool>,
        /// The value passes.
        string_match: Option<StringMatcher>,
        /// The test must not hold.
        invert_match: bool,
        /// A header that is not there is tested as an empty one.
        treat_missing_header_as_empty: bool,
        /// The older form of `string_match`.
        exact_match: Option<String>,
        /// The older form of `string_match`.
        prefix_match: Option<String>,
        /// The older form of `string_match`.
        safe_regex_match: Option<RegexMatcher>,
    }

    /// `QueryParameterMatcher`: one test of a query parameter.
    QueryParameterMatcher {
        /// The parameter.
        name: String,
        /// There is one.
        present_match: Option<bool>,
        /// The value passes.
        string_match: Option<StringMatcher>,
    }

    /// `envoy.type.matcher.v3.MetadataMatcher`: a test of what a filter found out.
    MetadataMatcher {
        /// The filter.
        filter: String,
        /// Keys, from the outside.
        path: Vec<PathSegment>,
        /// The test.
        value: ValueMatcher,
        /// The test must not hold.
        invert: bool,
    }

    /// `envoy.type.matcher.v3.MetadataMatcher.PathSegment`.
    PathSegment {
        /// A key.
        key: String,
    }

    /// `envoy.type.matcher.v3.ValueMatcher`: one of its tests.
    ValueMatcher {
        /// A text that passes.
        string_match: Option<StringMatcher>,
        /// A list, one of whose elements passes.
        list_match: Option<ListMatcher>,
        /// One of several tests holds.
        or_match: Option<OrMatcher>,
        /// It is there.
        present_match: Option<bool>,
    }

    /// `envoy.type.matcher.v3.ListMatcher`.
    ListMatcher {
        /// The test of an element.
        one_of: Option<Box<ValueMatcher>>,
    }

    /// `envoy.type.matcher.v3.OrMatcher`.
    OrMatcher {
        /// The tests.
        value_matchers: Vec<ValueMatcher>,
    }

    /// `RouteAction`: to which cluster, and how.
    RouteAction {
        /// The cluster.
        cluster: Option<String>,
        /// One of several clusters.
        weighted_clusters: Option<WeightedClusters>,
        /// What is answered where the cluster is not there; 503 where this is unset.
        cluster_not_found_response_code: Option<ClusterNotFoundResponseCode>,
        /// Instead of what the path begins with.
        prefix_rewrite: Option<String>,
        /// Within the path.
        regex_rewrite: Option<RegexMatchAndSubstitute>,
        /// The authority that is sent.
        host_rewrite_literal: Option<String>,
        /// The upstream is told the authority that was asked for.
        append_x_forwarded_host: bool,
        /// Of the whole request; 15 seconds where this is unset, zero: none.
        timeout: Option<Span>,
        /// The most that a gRPC client may ask for.
        max_grpc_timeout: Option<Span>,
        /// What is tried again.
        retry_policy: Option<RetryPolicy>,
        /// What consistent hashing looks at.
        hash_policy: Vec<HashPolicy>,
        /// Who gets a copy.
        request_mirror_policies: Vec<RequestMirrorPolicy>,
    }

    /// `WeightedCluster`: a split.
    WeightedClusters {
        /// The clusters.
        clusters: Vec<ClusterWeight>,
    }

    /// `WeightedCluster.ClusterWeight`: a cluster of a split.
    ClusterWeight {
        /// The cluster.
        name: String,
        /// Its share of the sum.
        weight: u32,
        /// The authority that is sent.
        host_rewrite_literal: Option<String>,
        /// Of the request.
        request_headers_to_add: Vec<HeaderValueOption>,
        /// Of the request.
        request_headers_to_remove: Vec<String>,
        /// Of the response.
        response_headers_to_add: Vec<HeaderValueOption>,
        /// Of the response.
        response_headers_to_remove: Vec<String>,
    }

    /// `RetryPolicy`.
    RetryPolicy {
        /// Conditions, joined with `,`.
        retry_on: String,
        /// Tries beyond the first one; 1 where this is unset.
        num_retries: Option<u32>,
        /// Of each try.
        per_try_timeout: Option<Span>,
        /// Status codes that are tried again.
        retriable_status_codes: Vec<u32>,
        /// How long to wait between tries.
        retry_back_off: Option<RetryBackOff>,
        /// Which endpoints are not tried again.
        retry_host_predicate: Vec<NamedConfig>,
        /// Which priorities are tried.
        retry_priority: Option<NamedConfig>,
        /// How often another endpoint is looked for.
        host_selection_retry_max_attempts: Int64,
    }

    /// `RetryPolicy.RetryBackOff`.
    RetryBackOff {
        /// The first one.
        base_interval: Span,
        /// The longest one; ten times the first where this is unset.
        max_interval: Option<Span>,
    }

    /// `RouteAction.HashPolicy`: one of its keys.
    HashPolicy {
        /// A header.
        header: Option<HashHeader>,
        /// A cookie.
        cookie: Option<HashCookie>,
        /// Of the connection.
        connection_properties: Option<ConnectionProperties>,
        /// A query parameter.
        query_parameter: Option<HashQueryParameter>,
    }

    /// `RouteAction.HashPolicy.Header`.
    HashHeader {
        /// The header.
        header_name: String,
    }

    /// `RouteAction.HashPolicy.Cookie`.
    HashCookie {
        /// Its name.
        name: String,
        /// The path of one that is made.
        path: String,
        /// How long one lives that is made; none is made where this is unset.
        ttl: Option<Span>,
        /// Further attributes of one that is made.
        attributes: Vec<CookieAttribute>,
    }

    /// `RouteAction.HashPolicy.CookieAttribute`.
    CookieAttribute {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    }

    /// `RouteAction.HashPolicy.ConnectionProperties`.
    ConnectionProperties {
        /// The client's address.
        source_ip: bool,
    }

    /// `RouteAction.HashPolicy.QueryParameter`.
    HashQueryParameter {
        /// The parameter.
        name: String,
    }

    /// `RouteAction.RequestMirrorPolicy`.
    RequestMirrorPolicy {
        /// The cluster that gets a copy.
        cluster: String,
        /// How often; always where this is unset.
        runtime_fraction: Option<RuntimeFractionalPercent>,
        /// Whether the copy is traced.
        trace_sampled: Option<bool>,
        /// The copy has the authority of the request, without `-shadow`.
        disable_shadow_host_suffix_append: bool,
    }

    /// `RedirectAction`.
    RedirectAction {
        /// The host of the location.
        host_redirect: Option<String>,
        /// Its port.
        port_redirect: u32,
        /// Its path.
        path_redirect: Option<String>,
        /// What its path begins with.
        prefix_rewrite: Option<String>,
        /// Its scheme.
        scheme_redirect: Option<String>,
        /// Its scheme is https.
        https_redirect: Option<bool>,
        /// The status; 301 where this is unset.
        response_code: Option<RedirectResponseCode>,
    }

    /// `DirectResponseAction`.
    DirectResponseAction {
        /// The status.
        status: u32,
        /// The body.
        body: Option<DataSource>,
    }
}

/// `VirtualHost.TlsRequirementType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum TlsRequirement {
    /// Nothing is required.
    #[default]
    None,
    /// Of requests from elsewhere.
    ExternalOnly,
    /// Of all requests.
    All,
}

/// `RouteAction.ClusterNotFoundResponseCode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ClusterNotFoundResponseCode {
    /// 503.
    #[default]
    ServiceUnavailable,
    /// 404.
    NotFound,
    /// 500.
    InternalServerError,
}

/// `RedirectAction.RedirectResponseCode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum RedirectResponseCode {
    /// 301.
    #[default]
    MovedPermanently,
    /// 302.
    Found,
    /// 303.
    SeeOther,
    /// 307.
    TemporaryRedirect,
    /// 308.
    PermanentRedirect,
}

impl RedirectResponseCode {
    /// Of a status.
    pub(crate) fn of(status: u16) -> Option<Self> {
        Some(match status {
            301 => RedirectResponseCode::MovedPermanently,
            302 => RedirectResponseCode::Found,
            303 => RedirectResponseCode::SeeOther,
            307 => RedirectResponseCode::TemporaryRedirect,
            308 => RedirectResponseCode::PermanentRedirect,
            _ => return None,
        })
    }

    /// The status.
    pub(crate) fn status(self) -> u16 {
        match self {
            RedirectResponseCode::MovedPermanently => 301,
            RedirectResponseCode::Found => 302,
            RedirectResponseCode::SeeOther => 303,
            RedirectResponseCode::TemporaryRedirect => 307,
            RedirectResponseCode::PermanentRedirect => 308,
        }
    }
}
