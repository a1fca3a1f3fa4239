//! HTTPRoute, and the filters that GRPCRoute shares.

use super::{BackendReference, ObjectRef, ParentReference};

message! {
    /// Rules for HTTP requests.
    pub struct HttpRoute as "HTTPRoute" {
        /// What it attaches to.
        "parentRefs" parent_refs: Vec<ParentReference>,
        /// The hosts that it is for; none means all that the parent has.
        "hostnames" hostnames: Vec<String>,
        /// The rules; one that matches everything if absent.
        "rules" rules: Option<Vec<HttpRouteRule>>,
    }
    not_evaluated ["useDefaultGateways" "Istio does not read it"]
}

message! {
    /// One rule of an HTTPRoute.
    pub struct HttpRouteRule as "HTTPRouteRule" {
        /// Its name.
        "name" name: Option<String>,
        /// Any of these; everything if absent.
        "matches" matches: Option<Vec<HttpRouteMatch>>,
        /// What happens to a request.
        "filters" filters: Vec<HttpRouteFilter>,
        /// Where requests go.
        "backendRefs" backend_refs: Vec<HttpBackendRef>,
        /// How long they may take.
        "timeouts" timeouts: Option<HttpRouteTimeouts>,
        /// How often they are tried again.
        "retry" retry: Option<HttpRouteRetry>,
    }
    ignored ["sessionPersistence"]
}

message! {
    /// What one match asks of a request: all of it.
    pub struct HttpRouteMatch as "HTTPRouteMatch" {
        /// Of the path; the prefix `/` if absent.
        "path" path: Option<HttpPathMatch>,
        /// Of headers.
        "headers" headers: Vec<NamedMatch>,
        /// Of query parameters.
        "queryParams" query_params: Vec<NamedMatch>,
        /// The method.
        "method" method: Option<String>,
    }
}

message! {
    /// What is asked of the path.
    pub struct HttpPathMatch as "HTTPPathMatch" {
        /// `Exact`, `PathPrefix` or `RegularExpression`; `PathPrefix` if absent.
        "type" r#type: Option<String>,
        /// The text; `/` if absent.
        "value" value: Option<String>,
    }
}

message! {
    /// What is asked of a header or a query parameter.
    pub struct NamedMatch as "HTTPHeaderMatch" {
        /// `Exact` or `RegularExpression`; `Exact` if absent.
        "type" r#type: Option<String>,
        /// The name.
        "name" name: String,
        /// The text.
        "value" value: String,
    }
}

message! {
    /// What happens to a request.
    pub struct HttpRouteFilter as "HTTPRouteFilter" {
        /// Which of the fields counts.
        "type" r#type: String,
        /// Changes of the request's headers.
        "requestHeaderModifier" request_header_modifier: Option<HeaderFilter>,
        /// Changes of the response's headers.
        "responseHeaderModifier" response_header_modifier: Option<HeaderFilter>,
        /// Who gets a copy.
        "requestMirror" request_mirror: Option<RequestMirror>,
        /// Where the client is sent.
        "requestRedirect" request_redirect: Option<RequestRedirect>,
        /// Another path or host.
        "urlRewrite" url_rewrite: Option<UrlRewrite>,
        /// Requests from other origins.
        "cors" cors: Option<CorsFilter>,
        /// A filter of the implementation.
        "extensionRef" extension_ref: Option<ObjectRef>,
        /// Who is asked for permission.
        "externalAuth" external_auth: Option<ExternalAuth>,
    }
}

message! {
    /// Who is asked for permission; Istio does not ask.
    pub struct ExternalAuth as "HTTPExternalAuthFilter" (open) {
        /// How it is asked.
        "protocol" protocol: String,
    }
    ignored ["backendRef", "grpc", "http", "forwardBody"]
}

message! {
    /// Changes of headers.
    pub struct HeaderFilter as "HTTPHeaderFilter" {
        /// Overwritten.
        "set" set: Vec<HttpHeader>,
        /// Added.
        "add" add: Vec<HttpHeader>,
        /// Removed.
        "remove" remove: Vec<String>,
    }
}

message! {
    /// A header.
    pub struct HttpHeader as "HTTPHeader" {
        /// Its name.
        "name" name: String,
        /// Its value.
        "value" value: String,
    }
}

message! {
    /// Who gets a copy of requests, and of how many.
    pub struct RequestMirror as "HTTPRequestMirrorFilter" {
        /// Who.
        "backendRef" backend_ref: BackendReference,
        /// Percent of the requests; all if absent.
        "percent" percent: Option<i32>,
        /// A part of the requests.
        "fraction" fraction: Option<Fraction>,
    }
}

message! {
    /// A part of the whole.
    pub struct Fraction as "Fraction" {
        /// So many.
        "numerator" numerator: i32,
        /// Of so many; of 100 if absent.
        "denominator" denominator: Option<i32>,
    }
}

message! {
    /// Where the client is sent.
    pub struct RequestRedirect as "HTTPRequestRedirectFilter" {
        /// The scheme; the request's if absent.
        "scheme" scheme: Option<String>,
        /// The host; the request's if absent.
        "hostname" hostname: Option<String>,
        /// The path; the request's if absent.
        "path" path: Option<PathModifier>,
        /// The port.
        "port" port: Option<i32>,
        /// The status; 302 if absent.
        "statusCode" status_code: Option<i32>,
    }
}

message! {
    /// Another host or path.
    pub struct UrlRewrite as "HTTPURLRewriteFilter" {
        /// The host.
        "hostname" hostname: Option<String>,
        /// The path.
        "path" path: Option<PathModifier>,
    }
}

message! {
    /// Another path.
    pub struct PathModifier as "HTTPPathModifier" {
        /// `ReplaceFullPath` or `ReplacePrefixMatch`.
        "type" r#type: String,
        /// The whole path.
        "replaceFullPath" replace_full_path: Option<String>,
        /// In the place of the prefix that was matched.
        "replacePrefixMatch" replace_prefix_match: Option<String>,
    }
}

message! {
    /// Requests from other origins.
    pub struct CorsFilter as "HTTPCORSFilter" {
        /// Origins.
        "allowOrigins" allow_origins: Vec<String>,
        /// Whether with credentials.
        "allowCredentials" allow_credentials: Option<bool>,
        /// Methods.
        "allowMethods" allow_methods: Vec<String>,
        /// Headers of the request.
        "allowHeaders" allow_headers: Vec<String>,
        /// Headers of the response.
        "exposeHeaders" expose_headers: Vec<String>,
        /// For how many seconds the answer holds; 5 if absent.
        "maxAge" max_age: Option<i32>,
    }
}

message! {
    /// An object that HTTP requests go to, with its share.
    pub struct HttpBackendRef as "HTTPBackendRef" {
        /// Its group; the core one if absent.
        "group" group: Option<String>,
        /// Its kind; `Service` if absent.
        "kind" kind: Option<String>,
        /// Its namespace; the route's own if absent.
        "namespace" namespace: Option<String>,
        /// Its name.
        "name" name: String,
        /// Its port.
        "port" port: Option<i32>,
        /// Its share; 1 if absent.
        "weight" weight: Option<i32>,
        /// What happens to requests that go there.
        "filters" filters: Vec<HttpRouteFilter>,
    }
}

message! {
    /// How long a request may take.
    pub struct HttpRouteTimeouts as "HTTPRouteTimeouts" {
        /// With all its tries.
        "request" request: Option<String>,
        /// Each try.
        "backendRequest" backend_request: Option<String>,
    }
}

message! {
    /// How often a request is tried again.
    pub struct HttpRouteRetry as "HTTPRouteRetry" {
        /// After which statuses.
        "codes" codes: Vec<i32>,
        /// How often.
        "attempts" attempts: Option<i32>,
        /// After what time.
        "backoff" backoff: Option<String>,
    }
}
