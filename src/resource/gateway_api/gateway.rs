//! GatewayClass, Gateway and ListenerSet: what listens, and what may attach to it.

use super::{LabelSelector, ObjectRef, ParentReference};
use crate::resource::Labels;

message! {
    /// Whose a Gateway is.
    pub struct GatewayClass as "GatewayClass" {
        /// The controller that serves its Gateways.
        "controllerName" controller_name: String,
    }
    ignored ["parametersRef", "description"]
}

message! {
    /// Listeners of one gateway workload.
    pub struct KubernetesGateway as "Gateway" {
        /// The class.
        "gatewayClassName" gateway_class_name: String,
        /// The listeners.
        "listeners" listeners: Vec<Listener>,
        /// Where it is reached; none means that it gets a Service of its own.
        "addresses" addresses: Vec<GatewayAddress>,
        /// Which ListenerSets may add listeners.
        "allowedListeners" allowed_listeners: Option<AllowedListeners>,
        /// TLS of all listeners.
        "tls" tls: Option<GatewayTls>,
    }
    ignored ["infrastructure", "defaultScope"]
}

message! {
    /// Listeners that are added to a Gateway.
    pub struct ListenerSet as "ListenerSet" {
        /// The Gateway.
        "parentRef" parent_ref: ParentReference,
        /// The listeners.
        "listeners" listeners: Vec<Listener>,
    }
}

message! {
    /// A port that is listened on.
    pub struct Listener as "Listener" {
        /// Its name.
        "name" name: String,
        /// The host that it serves; absent: all.
        "hostname" hostname: Option<String>,
        /// Its number.
        "port" port: Option<i32>,
        /// `HTTP`, `HTTPS`, `TLS` or `TCP`.
        "protocol" protocol: String,
        /// TLS.
        "tls" tls: Option<ListenerTls>,
        /// What may attach to it.
        "allowedRoutes" allowed_routes: Option<AllowedRoutes>,
    }
}

message! {
    /// TLS of a listener.
    pub struct ListenerTls as "ListenerTLSConfig" {
        /// `Terminate` or `Passthrough`; `Terminate` if absent.
        "mode" mode: Option<String>,
        /// The Secrets with certificates.
        "certificateRefs" certificate_refs: Vec<ObjectRef>,
        /// Settings of the implementation.
        "options" options: Labels,
    }
}

message! {
    /// What may attach to a listener.
    pub struct AllowedRoutes as "AllowedRoutes" {
        /// Of which namespaces.
        "namespaces" namespaces: Option<AllowedNamespaces>,
        /// Of which kinds; none means those that the protocol can serve.
        "kinds" kinds: Vec<RouteGroupKind>,
    }
}

message! {
    /// Namespaces by a word or by their labels.
    pub struct AllowedNamespaces as "RouteNamespaces" {
        /// `All`, `Selector`, `Same` or `None`.
        "from" from: Option<String>,
        /// What selects them.
        "selector" selector: Option<LabelSelector>,
    }
}

message! {
    /// A kind of route.
    pub struct RouteGroupKind as "RouteGroupKind" {
        /// Its group; `gateway.networking.k8s.io` if absent.
        "group" group: Option<String>,
        /// Its name.
        "kind" kind: String,
    }
}

message! {
    /// Which ListenerSets may add listeners.
    pub struct AllowedListeners as "AllowedListeners" {
        /// Of which namespaces; of none if absent.
        "namespaces" namespaces: Option<AllowedNamespaces>,
    }
}

message! {
    /// Where a Gateway is reached.
    pub struct GatewayAddress as "GatewaySpecAddress" {
        /// `IPAddress`, `Hostname` or another; `IPAddress` if absent.
        "type" r#type: Option<String>,
        /// The address.
        "value" value: String,
    }
}

message! {
    /// TLS of all listeners of a Gateway.
    pub struct GatewayTls as "GatewayTLSConfig" {
        /// Towards clients.
        "frontend" frontend: Option<FrontendTls>,
    }
    not_evaluated ["backend" "the certificate that the gateway shows to backends"]
}

message! {
    /// TLS towards clients.
    pub struct FrontendTls as "FrontendTLSConfig" {
        /// Where no port says otherwise.
        "default" default: Option<FrontendTlsSettings>,
        /// By port.
        "perPort" per_port: Vec<FrontendTlsPort>,
    }
}

message! {
    /// TLS towards clients of one port.
    pub struct FrontendTlsPort as "TLSPortConfig" {
        /// The port.
        "port" port: i32,
        /// Its settings.
        "tls" tls: FrontendTlsSettings,
    }
}

message! {
    /// Whether clients show certificates.
    pub struct FrontendTlsSettings as "TLSConfig" {
        /// What they are checked with.
        "validation" validation: Option<FrontendValidation>,
    }
}

message! {
    /// What the certificates of clients are checked with.
    pub struct FrontendValidation as "FrontendTLSValidation" {
        /// Objects with certificates of authorities.
        "caCertificateRefs" ca_certificate_refs: Vec<ObjectRef>,
        /// `AllowValidOnly` or `AllowInsecureFallback`; the former if absent.
        "mode" mode: Option<String>,
    }
}
