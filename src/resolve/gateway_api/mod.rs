//! Resources of the Gateway API, resolved to what istiod makes of them: Gateways, VirtualServices and DestinationRules that
//! differ from written ones only in values ([`Semantics`](mesh::virtual_service::Semantics), services instead of a selector).
//!
//! [`admission`] refuses what an API server would; [`parents`] are the listeners ([`listeners`], [`listener_sets`], [`tls`])
//! and services that routes attach to ([`attachment`]); [`http`], [`grpc`] and [`stream`] make rules, which [`merge`] puts
//! together, one VirtualService for each parent and host.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::Report;
use crate::mesh;
use crate::mesh::services_by_name::ServicesByName;
use crate::resource::gateway_api as raw;
use crate::resource::{ConfigMap, Document, Named, Resource, Secret};

use super::{Context, Sink, config_key};

mod admission;
mod attachment;
mod backends;
mod classes;
mod cors;
mod filters;
mod grants;
mod grpc;
mod http;
mod http_checks;
mod listener_conflicts;
mod listener_sets;
mod listeners;
mod matches;
mod merge;
pub(super) mod namespaces;
mod owner;
mod parents;
pub(crate) mod policies;
mod registry;
mod route_policy;
mod stream;
mod tls;

use grants::Grants;
use namespaces::Namespaces;
pub(crate) use registry::Registry;

/// All documents that have to do with the Gateway API, each kind in config order.
#[derive(Default)]
pub(crate) struct Documents<'a> {
    pub(crate) classes: Vec<&'a Document<raw::GatewayClass>>,
    pub(crate) gateways: Vec<&'a Document<raw::KubernetesGateway>>,
    pub(crate) listener_sets: Vec<&'a Document<raw::ListenerSet>>,
    pub(crate) http_routes: Vec<&'a Document<raw::HttpRoute>>,
    pub(crate) grpc_routes: Vec<&'a Document<raw::GrpcRoute>>,
    pub(crate) tls_routes: Vec<&'a Document<raw::TlsRoute>>,
    pub(crate) tcp_routes: Vec<&'a Document<raw::TcpRoute>>,
    pub(crate) grants: Vec<&'a Document<raw::ReferenceGrant>>,
    pub(crate) policies: Vec<&'a Document<raw::BackendTlsPolicy>>,
    pub(crate) namespaces: Vec<&'a Document<raw::Namespace>>,
    pub(crate) secrets: Vec<&'a Document<Secret>>,
    pub(crate) config_maps: Vec<&'a Document<ConfigMap>>,
}

impl<'a> Documents<'a> {
    /// Whether nothing is made of them.
    pub(crate) fn is_empty(&self) -> bool {
        let routes = self.http_routes.len() + self.grpc_routes.len();
        let streams = self.tls_routes.len() + self.tcp_routes.len();
        self.gateways.len() + routes + streams + self.policies.len() == 0
    }

    /// Takes a resource if it is of one of these kinds.
    pub(crate) fn take(&mut self, resource: &'a Resource) {
        match resource {
            Resource::GatewayClass(document) => self.classes.push(document),
            Resource::KubernetesGateway(document) => self.gateways.push(document),
            Resource::ListenerSet(document) => self.listener_sets.push(document),
            Resource::HttpRoute(document) => self.http_routes.push(document),
            Resource::GrpcRoute(document) => self.grpc_routes.push(document),
            Resource::TlsRoute(document) => self.tls_routes.push(document),
            Resource::TcpRoute(document) => self.tcp_routes.push(document),
            Resource::ReferenceGrant(document) => self.grants.push(document),
            Resource::BackendTlsPolicy(document) => self.policies.push(document),
            Resource::Namespace(document) => self.namespaces.push(document),
            Resource::Secret(document) => self.secrets.push(document),
            Resource::ConfigMap(document) => self.config_maps.push(document),
            _ => {}
        }
    }
}

/// What istiod makes of them.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) gateways: Vec<Arc<mesh::Gateway>>,
    pub(crate) virtual_services: Vec<Arc<mesh::VirtualService>>,
}

/// What all resolvers of this room look at.
struct World<'a> {
    cx: &'a Context<'a>,
    registry: &'a dyn ServicesByName,
    namespaces: Namespaces<'a>,
    grants: Grants<'a>,
    secrets: HashMap<(&'a str, &'a str), &'a Secret>,
    config_maps: HashMap<(&'a str, &'a str), &'a ConfigMap>,
}

/// Resolves all of them; `registry` has the services of the mesh.
pub(crate) fn resolve(
    documents: &Documents<'_>,
    registry: &dyn ServicesByName,
    cx: &Context<'_>,
    report: &mut Report,
) -> Made {
    let admitted = Admitted::new(documents, report);
    let world = World {
        cx,
        registry,
        namespaces: Namespaces::new(&documents.namespaces),
        grants: Grants::new(&admitted.grants),
        secrets: by_name(&documents.secrets),
        config_maps: by_name(&documents.config_maps),
    };
    let mut made = Made::default();
    let parents = parents::parents(
        &documents.classes,
        &admitted.gateways,
        &admitted.listener_sets,
        &world,
        &mut made.gateways,
        report,
    );
    let mut groups = merge::Groups::default();
    for document in &admitted.http_routes {
        let mut sink = Sink::of(document, report);
        http::route(document, &parents, &world, &mut groups, &mut sink);
    }
    for document in &admitted.grpc_routes {
        let mut sink = Sink::of(document, report);
        grpc::route(document, &parents, &world, &mut groups, &mut sink);
    }
    groups.finish(&world, &mut made.virtual_services);
    for document in &admitted.tcp_routes {
        let mut sink = Sink::of(document, report);
        stream::tcp(
            document,
            &parents,
            &world,
            &mut made.virtual_services,
            &mut sink,
        );
    }
    for document in &admitted.tls_routes {
        let mut sink = Sink::of(document, report);
        stream::tls(
            document,
            &parents,
            &world,
            &mut made.virtual_services,
            &mut sink,
        );
    }
    made
}

/// The documents that an API server takes.
struct Admitted<'a> {
    gateways: Vec<&'a Document<raw::KubernetesGateway>>,
    listener_sets: Vec<&'a Document<raw::ListenerSet>>,
    http_routes: Vec<&'a Document<raw::HttpRoute>>,
    grpc_routes: Vec<&'a Document<raw::GrpcRoute>>,
    tls_routes: Vec<&'a Document<raw::TlsRoute>>,
    tcp_routes: Vec<&'a Document<raw::TcpRoute>>,
    grants: Vec<&'a Document<raw::ReferenceGrant>>,
}

impl<'a> Admitted<'a> {
    fn new(documents: &Documents<'a>, report: &mut Report) -> Self {
        Admitted {
            gateways: admitted(&documents.gateways, admission::gateway, report),
            listener_sets: admitted(&documents.listener_sets, admission::listener_set, report),
            http_routes: admitted(&documents.http_routes, http_checks::http_route, report),
            grpc_routes: admitted(&documents.grpc_routes, http_checks::grpc_route, report),
            tls_routes: admitted(&documents.tls_routes, admission::tls_route, report),
            tcp_routes: admitted(&documents.tcp_routes, admission::tcp_route, report),
            grants: admitted(&documents.grants, admission::reference_grant, report),
        }
    }
}

fn admitted<'a, T: Named>(
    documents: &[&'a Document<T>],
    check: fn(&T, &mut Sink<'_>),
    report: &mut Report,
) -> Vec<&'a Document<T>> {
    let mut out = Vec::with_capacity(documents.len());
    for &document in documents {
        let mut sink = Sink::of(document, report);
        check(&document.spec, &mut sink);
        if !sink.failed() {
            out.push(document);
        }
    }
    out
}

fn by_name<'a, T>(documents: &[&'a Document<T>]) -> HashMap<(&'a str, &'a str), &'a T> {
    let named = documents.iter().map(|document| {
        let meta = &document.meta;
        ((&*meta.namespace, &*meta.name), &document.spec)
    });
    named.collect()
}

/// In the order in which istiod merges: creation time, then namespace, then name.
fn merge_key(meta: &crate::resource::Metadata) -> (i64, &str, &str) {
    let (creation, name, namespace) = config_key(meta);
    (creation, namespace, name)
}
