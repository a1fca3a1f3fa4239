//! GRPCRoute, TLSRoute and TCPRoute.

use super::{BackendRef, HttpBackendRef, HttpRouteFilter, NamedMatch, ParentReference};

message! {
    /// Rules for gRPC calls.
    pub struct GrpcRoute as "GRPCRoute" {
        /// What it attaches to.
        "parentRefs" parent_refs: Vec<ParentReference>,
        /// The hosts that it is for; none means all that the parent has.
        "hostnames" hostnames: Vec<String>,
        /// The rules.
        "rules" rules: Vec<GrpcRouteRule>,
    }
    not_evaluated ["useDefaultGateways" "Istio does not read it"]
}

message! {
    /// One rule of a GRPCRoute.
    pub struct GrpcRouteRule as "GRPCRouteRule" {
        /// Its name.
        "name" name: Option<String>,
        /// Any of these; everything if there is none.
        "matches" matches: Vec<GrpcRouteMatch>,
        /// What happens to a call.
        "filters" filters: Vec<HttpRouteFilter>,
        /// Where calls go.
        "backendRefs" backend_refs: Vec<HttpBackendRef>,
    }
    ignored ["sessionPersistence"]
}

message! {
    /// What one match asks of a call: all of it.
    pub struct GrpcRouteMatch as "GRPCRouteMatch" {
        /// Of the method.
        "method" method: Option<GrpcMethodMatch>,
        /// Of headers.
        "headers" headers: Vec<NamedMatch>,
    }
}

message! {
    /// What is asked of the method.
    pub struct GrpcMethodMatch as "GRPCMethodMatch" {
        /// `Exact` or `RegularExpression`; `Exact` if absent.
        "type" r#type: Option<String>,
        /// The service.
        "service" service: Option<String>,
        /// The method.
        "method" method: Option<String>,
    }
}

message! {
    /// Where TLS connections go, by the name that they ask for.
    pub struct TlsRoute as "TLSRoute" {
        /// What it attaches to.
        "parentRefs" parent_refs: Vec<ParentReference>,
        /// The names.
        "hostnames" hostnames: Vec<String>,
        /// The rules.
        "rules" rules: Vec<StreamRouteRule>,
    }
    not_evaluated ["useDefaultGateways" "Istio does not read it"]
}

message! {
    /// Where TCP connections go.
    pub struct TcpRoute as "TCPRoute" {
        /// What it attaches to.
        "parentRefs" parent_refs: Vec<ParentReference>,
        /// The rules.
        "rules" rules: Vec<StreamRouteRule>,
    }
    not_evaluated ["useDefaultGateways" "Istio does not read it"]
}

message! {
    /// One rule of a TLSRoute or a TCPRoute.
    pub struct StreamRouteRule as "TLSRouteRule" {
        /// Its name.
        "name" name: Option<String>,
        /// Where connections go.
        "backendRefs" backend_refs: Vec<BackendRef>,
    }
}
