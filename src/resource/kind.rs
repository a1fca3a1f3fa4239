//! The kinds of resources, each in one line: [`each_kind!`] hands the table to whatever is the same for all of them. A new
//! kind is a line here and the type of its content.

use super::gateway_api::{
    BackendTlsPolicy, GatewayClass, GrpcRoute, HttpRoute, KubernetesGateway, ListenerSet,
    Namespace, ReferenceGrant, TcpRoute, TlsRoute,
};
use super::{
    ConfigMap, Deployment, DestinationRule, Document, EndpointSlice, Gateway, MeshConfig, Metadata,
    Node, PeerAuthentication, Pod, Secret, Service, ServiceEntry, Sidecar, VirtualService,
    WorkloadEntry,
};
use crate::terms::source::SourceDocument;
use std::fmt;

/// Calls a macro with the table of kinds: for each the variant and the type of its content, its name and its API group in
/// YAML, whether it has a part in the registry, whether it is in a namespace (others are the whole cluster's), and where its
/// content stands: in `spec`, or in the `whole` document.
macro_rules! each_kind {
    ($callback:ident) => {
        $callback! {
            /// Routes.
            VirtualService: "VirtualService" of "networking.istio.io", registry false, namespaced true, content spec;
            /// Policies and subsets.
            DestinationRule: "DestinationRule" of "networking.istio.io", registry false, namespaced true, content spec;
            /// Listeners at the edge.
            Gateway: "Gateway" of "networking.istio.io", registry false, namespaced true, content spec;
            /// A service outside of the platform's registry.
            ServiceEntry: "ServiceEntry" of "networking.istio.io", registry true, namespaced true, content spec;
            /// A sidecar's view.
            Sidecar: "Sidecar" of "networking.istio.io", registry false, namespaced true, content spec;
            /// A workload outside of the platform's registry.
            WorkloadEntry: "WorkloadEntry" of "networking.istio.io", registry true, namespaced true, content spec;
            /// Whether workloads take mutual TLS.
            PeerAuthentication: "PeerAuthentication" of "security.istio.io", registry false, namespaced true, content spec;
            /// A Kubernetes service.
            Service: "Service" of "", registry true, namespaced true, content spec;
            /// A Kubernetes deployment.
            Deployment: "Deployment" of "apps", registry true, namespaced true, content spec;
            /// A Kubernetes pod.
            Pod: "Pod" of "", registry true, namespaced true, content whole;
            /// A machine that pods run on.
            Node: "Node" of "", registry true, namespaced false, content whole;
            /// Endpoints of a Kubernetes service.
            EndpointSlice: "EndpointSlice" of "discovery.k8s.io", registry true, namespaced true, content whole;
            /// Whose a Gateway of the Gateway API is.
            GatewayClass: "GatewayClass" of "gateway.networking.k8s.io", registry false, namespaced false, content spec;
            /// Listeners, in the words of the Gateway API.
            KubernetesGateway: "Gateway" of "gateway.networking.k8s.io", registry false, namespaced true, content spec;
            /// Listeners that are added to a Gateway of the Gateway API.
            ListenerSet: "ListenerSet" of "gateway.networking.k8s.io", registry false, namespaced true, content spec;
            /// Rules for HTTP, in the words of the Gateway API.
            HttpRoute: "HTTPRoute" of "gateway.networking.k8s.io", registry false, namespaced true, content spec;
            /// Rules for gRPC, in the words of the Gateway API.
            GrpcRoute: "GRPCRoute" of "gateway.networking.k8s.io", registry false, namespaced true, content spec;
            /// Where TLS connections go, in the words of the Gateway API.
            TlsRoute: "TLSRoute" of "gateway.networking.k8s.io", registry false, namespaced true, content spec;
            /// Where TCP connections go, in the words of the Gateway API.
            TcpRoute: "TCPRoute" of "gateway.networking.k8s.io", registry false, namespaced true, content spec;
            /// What may be named from other namespaces.
            ReferenceGrant: "ReferenceGrant" of "gateway.networking.k8s.io", registry false, namespaced true, content spec;
            /// TLS towards backends, in the words of the Gateway API.
            BackendTlsPolicy: "BackendTLSPolicy" of "gateway.networking.k8s.io", registry false, namespaced true, content spec;
            /// The labels of a namespace.
            Namespace: "Namespace" of "", registry false, namespaced false, content whole;
            /// What a listener needs to know of a Secret: never its content.
            Secret: "Secret" of "", registry false, namespaced true, content whole;
            /// What a policy needs to know of a ConfigMap.
            ConfigMap: "ConfigMap" of "", registry false, namespaced true, content whole;
        }
    };
}
pub(crate) use each_kind;

macro_rules! define {
    ($($(#[$doc:meta])* $kind:ident: $name:literal of $group:literal, registry $registry:literal, namespaced $namespaced:literal, content $content:ident;)*) => {
        /// A resource of one of the kinds that have a part in routing.
        // A resource is moved once, into the list; a box for each would cost more than the bytes that it saves.
        #[allow(clippy::large_enum_variant)]
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Resource {
            $($(#[$doc])* $kind(Document<$kind>),)*
        }

        /// The kinds of [`Resource`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Kind] = &[$(Self::$kind),*];

            /// The name in YAML.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The API group: what stands before the version in `apiVersion`; empty for the core of Kubernetes.
            pub const fn group(self) -> &'static str {
                match self { $(Self::$kind => $group,)* }
            }

            /// Whether it has a part in the registry: services and what stands behind them.
            pub const fn is_of_registry(self) -> bool {
                match self { $(Self::$kind => $registry,)* }
            }

            /// Whether its resources are in namespaces; others are the whole cluster's, and a namespace that is said of one means
            /// nothing.
            pub const fn is_namespaced(self) -> bool {
                match self { $(Self::$kind => $namespaced,)* }
            }

            /// A resource of this kind with nothing set.
            pub(crate) fn empty(self) -> Resource {
                match self { $(Self::$kind => Resource::$kind(Document::default()),)* }
            }
        }

        impl Resource {
            /// The kind.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* }
            }

            /// The metadata.
            pub fn meta(&self) -> &Metadata {
                match self { $(Self::$kind(document) => &document.meta,)* }
            }

            /// The metadata, to be changed.
            pub fn meta_mut(&mut self) -> &mut Metadata {
                match self { $(Self::$kind(document) => &mut document.meta,)* }
            }

            /// The place in the source.
            pub fn source(&self) -> &SourceDocument {
                match self { $(Self::$kind(document) => &document.source,)* }
            }

            /// The place in the source, to be set.
            pub fn source_mut(&mut self) -> &mut SourceDocument {
                match self { $(Self::$kind(document) => &mut document.source,)* }
            }
        }

        $(
            impl From<Document<$kind>> for Resource {
                fn from(document: Document<$kind>) -> Self {
                    Self::$kind(document)
                }
            }

            impl Named for $kind {
                const KIND: &'static str = $name;
            }
        )*
    };
}

each_kind!(define);

impl Kind {
    /// Whether it has a part in the Gateway API: a kind of its own, or one that these ask for.
    pub fn is_of_gateway_api(self) -> bool {
        let asked = [Kind::Namespace, Kind::Secret, Kind::ConfigMap];
        self.is_written_for_gateway_api() || asked.contains(&self)
    }

    /// Whether it is a kind of the Gateway API.
    pub fn is_written_for_gateway_api(self) -> bool {
        self.group() == "gateway.networking.k8s.io"
    }

    /// Whether it is a kind of Kubernetes, which Istio's admission does not see.
    pub fn is_of_kubernetes(self) -> bool {
        !self.group().ends_with("istio.io")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The content of a kind of resource as diagnostics name it.
pub(crate) trait Named {
    /// As in YAML.
    const KIND: &'static str;
}

impl Named for MeshConfig {
    const KIND: &'static str = "MeshConfig";
}
