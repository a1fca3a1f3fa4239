//! `networking.istio.io` VirtualService, as written.

use super::Labels;
use crate::terms::duration::ProtoDuration;
use std::collections::BTreeMap;

message! {
    /// Routes for a set of hosts.
    pub struct VirtualService as "VirtualService" {
        /// The hosts that the routes are for; none for a delegate.
        "hosts" hosts: Vec<String>,
        /// The gateways that use the routes, and `mesh` for all sidecars; none means `mesh`.
        "gateways" gateways: Vec<String>,
        /// Routes of HTTP traffic, first match first.
        "http" http: Vec<HttpRoute>,
        /// Routes of TLS traffic that is passed through.
        "tls" tls: Vec<TlsRoute>,
        /// Routes of TCP traffic.
        "tcp" tcp: Vec<TcpRoute>,
        /// The namespaces that see it.
        "exportTo" export_to: Vec<String>,
    }
}

message! {
    /// Where traffic goes: a host of the registry, and possibly one of its subsets and ports.
    pub struct Destination as "Destination" {
        /// The service's host.
        "host" host: String,
        /// A subset of a DestinationRule of the host.
        "subset" subset: String,
        /// The service's port.
        "port" port: Option<PortSelector>,
    }
}

message! {
    /// A port by its number.
    pub struct PortSelector as "PortSelector" {
        /// The number.
        "number" number: u32,
    }
}

message! {
    /// Conditions (any of `match`), and what happens to the requests that meet them.
    pub struct HttpRoute as "HTTPRoute" {
        /// A name for logs.
        "name" name: String,
        /// Alternatives, one of which must hold; none means always.
        "match" r#match: Vec<HttpMatchRequest>,
        /// Weighted destinations.
        "route" route: Vec<HttpRouteDestination>,
        /// Answers with a redirect instead.
        "redirect" redirect: Option<Box<HttpRedirect>>,
        /// Answers with a fixed response instead.
        "directResponse" direct_response: Option<Box<HttpDirectResponse>>,
        /// Another VirtualService that has the routes.
        "delegate" delegate: Option<Box<Delegate>>,
        /// Changes of path and authority.
        "rewrite" rewrite: Option<Box<HttpRewrite>>,
        /// The time for the whole response.
        "timeout" timeout: Option<ProtoDuration>,
        /// The retry policy.
        "retries" retries: Option<Box<HttpRetry>>,
        /// Injected faults.
        "fault" fault: Option<Box<HttpFaultInjection>>,
        /// A mirror (older form, all or `mirror_percentage` of the requests).
        "mirror" mirror: Option<Destination>,
        /// Mirrors, each with its own share.
        "mirrors" mirrors: Vec<HttpMirrorPolicy>,
        /// The share of `mirror` in percent; deprecated.
        "mirrorPercent" mirror_percent: Option<u32>,
        /// The share of `mirror` in percent.
        "mirrorPercentage" mirror_percentage: Option<Percent>,
        /// The CORS policy.
        "corsPolicy" cors_policy: Option<Box<CorsPolicy>>,
        /// Header operations for all destinations.
        "headers" headers: Option<Box<Headers>>,
    }
}

message! {
    /// The name of a delegate VirtualService.
    pub struct Delegate as "Delegate" {
        /// Its name.
        "name" name: String,
        /// Its namespace; empty means that of the root.
        "namespace" namespace: String,
    }
}

message! {
    /// Header operations on request and response.
    pub struct Headers as "Headers" {
        /// On the request.
        "request" request: Option<HeaderOperations>,
        /// On the response.
        "response" response: Option<HeaderOperations>,
    }
}

message! {
    /// Operations on a set of headers.
    pub struct HeaderOperations as "Headers.HeaderOperations" {
        /// Overwrites headers.
        "set" set: BTreeMap<String, String>,
        /// Appends values.
        "add" add: BTreeMap<String, String>,
        /// Removes headers.
        "remove" remove: Vec<String>,
    }
}

message! {
    /// Conditions (any of `match`) and destinations for TLS traffic.
    pub struct TlsRoute as "TLSRoute" {
        /// Alternatives, one of which must hold.
        "match" r#match: Vec<TlsMatchAttributes>,
        /// Weighted destinations.
        "route" route: Vec<RouteDestination>,
    }
}

message! {
    /// Conditions (any of `match`) and destinations for TCP traffic.
    pub struct TcpRoute as "TCPRoute" {
        /// Alternatives, one of which must hold; none means always.
        "match" r#match: Vec<L4MatchAttributes>,
        /// Weighted destinations.
        "route" route: Vec<RouteDestination>,
    }
}

message! {
    /// Conditions on an HTTP request, all of which must hold. A null one asks nothing (R-H-005).
    pub struct HttpMatchRequest as "HTTPMatchRequest" (nullable) {
        /// A name for logs.
        "name" name: String,
        /// The path.
        "uri" uri: Option<StringMatch>,
        /// The scheme.
        "scheme" scheme: Option<StringMatch>,
        /// The method.
        "method" method: Option<StringMatch>,
        /// The authority.
        "authority" authority: Option<StringMatch>,
        /// Headers; a null or empty matcher asks for presence.
        "headers" headers: BTreeMap<String, Option<StringMatch>>,
        /// The port of the listener; 0 for any.
        "port" port: u32,
        /// Labels of the client's workload.
        "sourceLabels" source_labels: Labels,
        /// Gateways that this alternative is for.
        "gateways" gateways: Vec<String>,
        /// Query parameters.
        "queryParams" query_params: BTreeMap<String, Option<StringMatch>>,
        /// Whether `uri` is compared without regard to case.
        "ignoreUriCase" ignore_uri_case: bool,
        /// Headers that must not match.
        "withoutHeaders" without_headers: BTreeMap<String, Option<StringMatch>>,
        /// The namespace of the client's workload.
        "sourceNamespace" source_namespace: String,
        /// A prefix for statistics.
        "statPrefix" stat_prefix: String,
    }
}

message! {
    /// A destination of an HTTP route with its share.
    pub struct HttpRouteDestination as "HTTPRouteDestination" {
        /// Where.
        "destination" destination: Option<Destination>,
        /// Its share of the sum of weights.
        "weight" weight: i32,
        /// Header operations for this destination.
        "headers" headers: Option<Box<Headers>>,
    }
}

message! {
    /// A destination of a TLS or TCP route with its share.
    pub struct RouteDestination as "RouteDestination" {
        /// Where.
        "destination" destination: Option<Destination>,
        /// Its share of the sum of weights.
        "weight" weight: i32,
    }
}

message! {
    /// Conditions on a TCP connection, all of which must hold.
    pub struct L4MatchAttributes as "L4MatchAttributes" {
        /// Destination addresses or CIDRs.
        "destinationSubnets" destination_subnets: Vec<String>,
        /// The port of the listener; 0 for any.
        "port" port: u32,
        /// The client's address or CIDR.
        "sourceSubnet" source_subnet: String,
        /// Labels of the client's workload.
        "sourceLabels" source_labels: Labels,
        /// Gateways that this alternative is for.
        "gateways" gateways: Vec<String>,
        /// The namespace of the client's workload.
        "sourceNamespace" source_namespace: String,
    }
}

message! {
    /// Conditions on a TLS connection, all of which must hold.
    pub struct TlsMatchAttributes as "TLSMatchAttributes" {
        /// Server names of the handshake.
        "sniHosts" sni_hosts: Vec<String>,
        /// Destination addresses or CIDRs.
        "destinationSubnets" destination_subnets: Vec<String>,
        /// The port of the listener; 0 for any.
        "port" port: u32,
        /// Labels of the client's workload.
        "sourceLabels" source_labels: Labels,
        /// Gateways that this alternative is for.
        "gateways" gateways: Vec<String>,
        /// The namespace of the client's workload.
        "sourceNamespace" source_namespace: String,
    }
}

message! {
    /// A redirect.
    pub struct HttpRedirect as "HTTPRedirect" {
        /// The new path.
        "uri" uri: String,
        /// The replacement of the matched prefix.
        "prefixRewrite" prefix_rewrite: String,
        /// The new authority.
        "authority" authority: String,
        /// The new port.
        "port" port: Option<u32>,
        /// How the port follows from the request.
        "derivePort" derive_port: Option<RedirectPortSelection>,
        /// The new scheme.
        "scheme" scheme: String,
        /// The status code; 0 means 301.
        "redirectCode" redirect_code: u32,
    }
    oneof ["port", "derivePort"]
}

enumeration! {
    /// How a redirect's port follows from the request.
    pub enum RedirectPortSelection as "HTTPRedirect.RedirectPortSelection" {
        /// 80 for HTTP, 443 for HTTPS.
        FromProtocolDefault = 0 "FROM_PROTOCOL_DEFAULT",
        /// The port of the request.
        FromRequestPort = 1 "FROM_REQUEST_PORT",
    }
}

message! {
    /// A fixed response.
    pub struct HttpDirectResponse as "HTTPDirectResponse" {
        /// The status code.
        "status" status: u32,
        /// The body.
        "body" body: Option<HttpBody>,
    }
}

message! {
    /// A response body.
    pub struct HttpBody as "HTTPBody" {
        /// As text.
        "string" string: Option<String>,
        /// As bytes (base64 in YAML).
        "bytes" bytes: Option<super::Bytes>,
    }
    oneof ["string", "bytes"]
}

message! {
    /// Changes of path and authority before forwarding.
    pub struct HttpRewrite as "HTTPRewrite" {
        /// The new path, or the replacement of the matched prefix.
        "uri" uri: String,
        /// The new authority.
        "authority" authority: String,
        /// A regex rewrite of the path.
        "uriRegexRewrite" uri_regex_rewrite: Option<RegexRewrite>,
    }
}

message! {
    /// A regex and what replaces its matches.
    pub struct RegexRewrite as "RegexRewrite" {
        /// The regex (RE2).
        "match" r#match: String,
        /// The replacement, with `\1` for captures.
        "rewrite" rewrite: String,
    }
}

message! {
    /// A test of a text. With no field set it asks for presence.
    pub struct StringMatch as "StringMatch" {
        /// Equal to.
        "exact" exact: Option<String>,
        /// Begins with.
        "prefix" prefix: Option<String>,
        /// Matches, as a whole (RE2).
        "regex" regex: Option<String>,
    }
    oneof ["exact", "prefix", "regex"]
}

message! {
    /// A retry policy.
    pub struct HttpRetry as "HTTPRetry" {
        /// How many retries.
        "attempts" attempts: i32,
        /// The time for each try.
        "perTryTimeout" per_try_timeout: Option<ProtoDuration>,
        /// What is retried: conditions and status codes with commas between.
        "retryOn" retry_on: String,
        /// Whether other localities are tried.
        "retryRemoteLocalities" retry_remote_localities: Option<bool>,
        /// Whether hosts that were tried are avoided.
        "retryIgnorePreviousHosts" retry_ignore_previous_hosts: Option<bool>,
        /// The base of the backoff.
        "backoff" backoff: Option<ProtoDuration>,
    }
}

message! {
    /// A CORS policy.
    pub struct CorsPolicy as "CorsPolicy" {
        /// Exact origins; deprecated.
        "allowOrigin" allow_origin: Vec<String>,
        /// Allowed origins.
        "allowOrigins" allow_origins: Vec<StringMatch>,
        /// Allowed methods.
        "allowMethods" allow_methods: Vec<String>,
        /// Allowed request headers.
        "allowHeaders" allow_headers: Vec<String>,
        /// Response headers that a browser may read.
        "exposeHeaders" expose_headers: Vec<String>,
        /// How long a preflight's answer is valid.
        "maxAge" max_age: Option<ProtoDuration>,
        /// Whether credentials are allowed.
        "allowCredentials" allow_credentials: Option<bool>,
        /// What happens to preflights of other origins.
        "unmatchedPreflights" unmatched_preflights: UnmatchedPreflights,
    }
}

enumeration! {
    /// What happens to preflight requests of origins that are not allowed.
    pub enum UnmatchedPreflights as "CorsPolicy.UnmatchedPreflights" {
        /// Forwarded.
        Unspecified = 0 "UNSPECIFIED",
        /// Forwarded.
        Forward = 1 "FORWARD",
        /// Answered without CORS headers.
        Ignore = 2 "IGNORE",
    }
}

message! {
    /// Injected faults.
    pub struct HttpFaultInjection as "HTTPFaultInjection" {
        /// A delay.
        "delay" delay: Option<FaultDelay>,
        /// An abort.
        "abort" abort: Option<FaultAbort>,
    }
}

message! {
    /// A delay before forwarding.
    pub struct FaultDelay as "HTTPFaultInjection.Delay" {
        /// The share of requests in percent; deprecated.
        "percent" percent: i32,
        /// How long.
        "fixedDelay" fixed_delay: Option<ProtoDuration>,
        /// Not supported by Istio.
        "exponentialDelay" exponential_delay: Option<ProtoDuration>,
        /// The share of requests in percent; none means all.
        "percentage" percentage: Option<Percent>,
    }
    oneof ["fixedDelay", "exponentialDelay"]
}

message! {
    /// An answer in place of forwarding.
    pub struct FaultAbort as "HTTPFaultInjection.Abort" {
        /// The HTTP status.
        "httpStatus" http_status: Option<i32>,
        /// The gRPC status by name or number.
        "grpcStatus" grpc_status: Option<String>,
        /// Not supported by Istio.
        "http2Error" http2_error: Option<String>,
        /// The share of requests in percent; none means all.
        "percentage" percentage: Option<Percent>,
    }
    oneof ["httpStatus", "grpcStatus", "http2Error"]
}

message! {
    /// A mirror with its share.
    pub struct HttpMirrorPolicy as "HTTPMirrorPolicy" {
        /// Where copies go.
        "destination" destination: Option<Destination>,
        /// The share of requests in percent; none means all.
        "percentage" percentage: Option<Percent>,
    }
}

message! {
    /// A percentage.
    pub struct Percent as "Percent" {
        /// Between 0 and 100.
        "value" value: f64,
    }
}
