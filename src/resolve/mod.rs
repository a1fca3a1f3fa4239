//! Verb 2: raw resources in, typed and linked mesh out, every problem in a report.
//!
//! Each kind of resource has its file, with one function from a document to its noun of [`mesh`](crate::mesh): what cannot
//! be typed is pushed into a [`Sink`] and the function returns `None`. "Lenient" drops exactly that resource, as Istio's
//! admission would; "strict" fails with the whole report. Here is the order in which they are called.

use std::sync::Arc;

use crate::diagnostic::Report;
use crate::mesh::service::AliasNames;
use crate::mesh::services_by_name::ServicesByName;
use crate::mesh::{Inner, Mesh};
use crate::resource::{Document, Kind, Metadata, Named, Resource, Resources};
use crate::terms::labels::Labels;

mod annotations;
pub(crate) mod check;
mod context;
pub(crate) mod destination_rule;
mod discovery;
pub(crate) mod gateway;
pub(crate) mod gateway_api;
pub(crate) mod mesh_config;
mod metadata;
mod peer_authentication;
mod proxy_config;
mod regexes;
pub(crate) mod retries;
pub(crate) mod service;
mod service_entry_visibility;
pub(crate) mod sidecar;
mod sink;
pub(crate) mod virtual_service;

pub(crate) use context::Context;
pub(crate) use sink::Sink;

/// What resolving needs to know beside the resources.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The domain that completes short host names: `reviews` in namespace `a` is `reviews.a.svc.<domain>`. Istio knows it
    /// from its installation; `cluster.local`. With an empty one `reviews` becomes `reviews.a`.
    pub cluster_domain: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            cluster_domain: "cluster.local".to_owned(),
        }
    }
}

impl Options {
    /// The same with another cluster domain.
    #[must_use]
    pub fn with_cluster_domain(mut self, domain: impl Into<String>) -> Self {
        self.cluster_domain = domain.into();
        self
    }
}

impl Mesh {
    /// Types and links all resources; one that Istio's admission would refuse refuses them all.
    ///
    /// # Errors
    /// The report of everything that there is to say about the resources, if one of it is an error.
    pub fn resolve(resources: Resources) -> Result<Mesh, Report> {
        let (mesh, report) = Mesh::resolve_lenient(resources);
        report.into_result(mesh)
    }

    /// Types and links all resources without those that Istio's admission would refuse, and says what it has to say.
    pub fn resolve_lenient(resources: Resources) -> (Mesh, Report) {
        Mesh::resolve_with(resources, &Options::default())
    }

    /// The same as [`resolve_lenient`](Self::resolve_lenient), with options. `report.into_result(mesh)` makes it strict.
    pub fn resolve_with(resources: Resources, options: &Options) -> (Mesh, Report) {
        let mut report = resources.notes.clone();
        let mesh = Mesh::resolve_documents(
            &resources.documents,
            resources.mesh_config.as_ref(),
            options,
            None,
            &mut report,
        );
        (mesh, report)
    }

    /// The same for resources that stay with the caller. `known` is a mesh of the same settings, and the kinds of which
    /// resources have changed since: what it has of other kinds is taken over, for no kind asks another.
    pub(crate) fn resolve_documents<'a>(
        documents: impl IntoIterator<Item = &'a Resource>,
        mesh_config: Option<&'a Document<crate::resource::MeshConfig>>,
        options: &Options,
        known: Option<(&Mesh, &[Kind])>,
        report: &mut Report,
    ) -> Mesh {
        let mut config = mesh_config::mesh_config(mesh_config, &options.cluster_domain, report);
        let kinds = match mesh_config.filter(|config| config.spec.selects_namespaces()) {
            Some(config) => Kinds::sort(discovery::watched(documents, config, report), report),
            None => Kinds::sort(documents, report),
        };
        if let Some(document) = mesh_config {
            let entries = &kinds.registry.service_entries;
            let namespaces = &kinds.gateway_api.namespaces;
            config.service_entry_visibility =
                service_entry_visibility::resolve(document, entries, namespaces, report);
        }
        let cx = Context::new(&config, kinds.bytes);
        let is_alone = kinds.gateway_api.is_empty();
        let known = |of: &dyn Fn(Kind) -> bool| {
            let known = known.filter(|(_, changed)| !changed.iter().any(|&kind| of(kind)));
            known.map(|(mesh, _)| &*mesh.inner)
        };
        // What is made of the Gateway API stands among these, and depends on too much to be taken over.
        let known_with_made = |one: Kind| {
            let known = known(&|kind| kind == one || kind.is_of_gateway_api());
            known.filter(|_| is_alone)
        };
        let is = |one: Kind| move |kind| kind == one;

        let services = match known(&Kind::is_of_registry) {
            Some(known) => known.services.clone(),
            None => service::services(&kinds.registry, &cx, report),
        };
        let sidecars = match known(&is(Kind::Sidecar)) {
            Some(known) => known.sidecars.clone(),
            None => each(&kinds.sidecars, report, |document, sink| {
                sidecar::sidecar(document, &cx, sink)
            }),
        };
        let (destination_rules, destination_rule_index) =
            match known_with_made(Kind::DestinationRule) {
                Some(known) => (
                    known.destination_rules.clone(),
                    Arc::clone(&known.destination_rule_index),
                ),
                None => {
                    let written = &kinds.destination_rules;
                    let merged =
                        gateway_api::policies::merged(written, &kinds.gateway_api, &services, &cx);
                    let documents = &match &merged {
                        Some(merged) => merged.iter().collect(),
                        None => written.clone(),
                    };
                    let (rules, index) =
                        destination_rule::destination_rules(documents, &cx, report);
                    (rules, Arc::new(index))
                }
            };
        let made = match kinds.gateway_api.is_empty() {
            true => gateway_api::Made::default(),
            false => {
                let registry = gateway_api::Registry::new(&services);
                gateway_api::resolve(&kinds.gateway_api, &registry, &cx, report)
            }
        };
        let mut gateways = match known_with_made(Kind::Gateway) {
            Some(known) => known.gateways.clone(),
            None => each(&kinds.gateways, report, |document, sink| {
                gateway::gateway(document, &cx, sink)
            }),
        };
        let mut virtual_services = match known_with_made(Kind::VirtualService) {
            Some(known) => known.virtual_services.clone(),
            None => virtual_service::virtual_services(&kinds.virtual_services, &cx, report),
        };

        let peer_authentications = match known(&is(Kind::PeerAuthentication)) {
            Some(known) => known.peer_authentications.clone(),
            None => each(&kinds.peer_authentications, report, |document, sink| {
                peer_authentication::peer_authentication(document, sink)
            }),
        };
        let proxy_configs = match known(&Kind::is_of_registry) {
            Some(known) => Arc::clone(&known.proxy_configs),
            None => {
                let documents = &kinds.registry;
                let (pods, deployments) = (&documents.pods, &documents.deployments);
                Arc::new(proxy_config::of_workloads(pods, deployments))
            }
        };

        if !made.gateways.is_empty() {
            gateways.extend(made.gateways);
            gateways.sort_by(|a, b| gateway_key(a).cmp(&gateway_key(b)));
        }
        if !made.virtual_services.is_empty() {
            virtual_services.extend(made.virtual_services);
            virtual_services.sort_by(|a, b| a.config_key().cmp(&b.config_key()));
        }
        drop(cx);
        let inner = Inner {
            proxy_configs,
            config: Arc::new(config),
            services,
            virtual_services,
            destination_rules,
            destination_rule_index,
            gateways,
            sidecars,
            peer_authentications,
            ..Inner::default()
        };
        inner.link()
    }

    /// Types VirtualServices for this mesh: of `documents` those with hosts, where all that they delegate to is among them.
    pub(crate) fn type_virtual_services<'a>(
        &self,
        documents: impl IntoIterator<Item = &'a Resource>,
        report: &mut Report,
    ) -> Vec<Arc<crate::mesh::VirtualService>> {
        let kinds = Kinds::sort(documents, report);
        let cx = Context::new(&self.inner.config, kinds.bytes);
        virtual_service::virtual_services(&kinds.virtual_services, &cx, report)
    }

    /// The VirtualServices that istiod makes of the routes of the Gateway API among `documents`, which have all that is no route
    /// beside them: Gateways, ListenerSets, grants.
    pub(crate) fn type_routes<'a>(
        &self,
        documents: impl IntoIterator<Item = &'a Resource>,
        services: &dyn ServicesByName,
        report: &mut Report,
    ) -> Vec<Arc<crate::mesh::VirtualService>> {
        let kinds = Kinds::sort(documents, report);
        let cx = Context::new(&self.inner.config, kinds.bytes);
        gateway_api::resolve(&kinds.gateway_api, services, &cx, report).virtual_services
    }

    /// The services that these resources of the registry make, by themselves: in no particular order, and without their
    /// aliases. Each is what it is in the whole mesh if all that it is made from is there.
    pub(crate) fn make_services<'a>(
        &self,
        documents: impl IntoIterator<Item = &'a Resource>,
        report: &mut Report,
    ) -> Vec<crate::mesh::Service> {
        let kinds = Kinds::sort(documents, report);
        let cx = Context::new(&self.inner.config, kinds.bytes);
        service::made(&kinds.registry, &cx, report)
    }

    /// The ExternalName services that end at each host.
    pub(crate) fn alias_names<'s>(
        services: impl IntoIterator<Item = &'s crate::mesh::Service>,
        report: &mut Report,
    ) -> AliasNames {
        service::aliases::names(services, report)
    }

    /// Says of services with one host name which of them hides which; `documents` made them.
    pub(crate) fn report_host_conflicts<'a>(
        services: &[Arc<crate::mesh::Service>],
        documents: impl IntoIterator<Item = &'a Resource>,
        report: &mut Report,
    ) {
        let kinds = Kinds::sort(documents, &mut Report::new());
        service::conflicts::report(services, &kinds.registry, report);
    }

    /// The labels that selectors see of a workload; `None`: the resource is none.
    pub(crate) fn workload_labels(resource: &Resource) -> Option<Arc<Labels>> {
        service::workload_labels(resource)
    }

    /// Types one DestinationRule for this mesh; `None`: it is invalid.
    pub(crate) fn type_destination_rule(
        &self,
        resource: &Resource,
        report: &mut Report,
    ) -> Option<Arc<crate::mesh::DestinationRule>> {
        let Resource::DestinationRule(document) = resource else {
            return None;
        };
        if !metadata::is_admitted(resource, report) {
            return None;
        }
        destination_rule::alone(
            document,
            &Context::new(&self.inner.config, document.source.bytes()),
            report,
        )
    }

    /// Merges the rules of the namespace and host of `changed` anew: `group` is what they are now. What merging does is
    /// told with the places in `documents`.
    pub(crate) fn merge_destination_rules(
        &mut self,
        changed: &crate::mesh::DestinationRule,
        group: &[Arc<crate::mesh::DestinationRule>],
        documents: &[&Resource],
        report: &mut Report,
    ) {
        let documents: Vec<_> = documents
            .iter()
            .filter_map(|resource| match resource {
                Resource::DestinationRule(document) => Some(document),
                _ => None,
            })
            .collect();
        let inner = Arc::make_mut(&mut self.inner);
        let index = Arc::make_mut(&mut inner.destination_rule_index);
        destination_rule::rebuild(index, changed, group, &documents, &inner.config, report);
    }
}

/// All documents by kind, each kind in config order: creation time, name, namespace (R-H-021).
#[derive(Default)]
struct Kinds<'a> {
    registry: service::Documents<'a>,
    sidecars: Vec<&'a Document<crate::resource::Sidecar>>,
    destination_rules: Vec<&'a Document<crate::resource::DestinationRule>>,
    gateways: Vec<&'a Document<crate::resource::Gateway>>,
    virtual_services: Vec<&'a Document<crate::resource::VirtualService>>,
    peer_authentications: Vec<&'a Document<crate::resource::PeerAuthentication>>,
    gateway_api: gateway_api::Documents<'a>,
    /// Of the text that they come from.
    bytes: usize,
}

/// What a resource that was never written counts as.
const UNWRITTEN_BYTES: usize = 64 << 10;

impl<'a> Kinds<'a> {
    /// Sorts the documents into kinds, without those whose metadata a cluster refuses (R-M-146).
    fn sort(documents: impl IntoIterator<Item = &'a Resource>, report: &mut Report) -> Self {
        let mut kinds = Kinds::default();
        let mut admitted: Vec<&Resource> = Vec::new();
        let mut last: Option<&Resource> = None;
        for resource in documents {
            let source = resource.source();
            if last.is_none_or(|last| !last.source().is_of_same_document(source)) {
                kinds.bytes = kinds.bytes.saturating_add(match source.bytes() {
                    0 => UNWRITTEN_BYTES,
                    bytes => bytes,
                });
            }
            last = Some(resource);
            if metadata::is_admitted(resource, report) {
                admitted.push(resource);
            }
        }
        admitted.sort_by(|a, b| config_key(a.meta()).cmp(&config_key(b.meta())));
        for resource in admitted {
            match resource {
                Resource::Service(document) => kinds.registry.services.push(document),
                Resource::Deployment(document) => kinds.registry.deployments.push(document),
                Resource::Pod(document) => kinds.registry.pods.push(document),
                Resource::EndpointSlice(document) => kinds.registry.endpoint_slices.push(document),
                Resource::ServiceEntry(document) => kinds.registry.service_entries.push(document),
                Resource::WorkloadEntry(document) => kinds.registry.workload_entries.push(document),
                Resource::Sidecar(document) => kinds.sidecars.push(document),
                Resource::DestinationRule(document) => kinds.destination_rules.push(document),
                Resource::Gateway(document) => kinds.gateways.push(document),
                Resource::VirtualService(document) => kinds.virtual_services.push(document),
                Resource::Node(document) => kinds.registry.nodes.push(document),
                Resource::PeerAuthentication(document) => kinds.peer_authentications.push(document),
                other => kinds.gateway_api.take(other),
            }
        }
        kinds
    }
}

/// Resolves each document with a sink of its own; an error drops it.
fn each<T, N>(
    documents: &[&Document<T>],
    report: &mut Report,
    mut resolve: impl FnMut(&Document<T>, &mut Sink<'_>) -> Option<N>,
) -> Vec<Arc<N>>
where
    T: Named,
{
    let mut out = Vec::with_capacity(documents.len());
    for document in documents {
        let mut sink = Sink::of(document, report);
        let noun = resolve(document, &mut sink);
        if !sink.failed() {
            out.extend(noun.map(Arc::new));
        }
    }
    out
}

/// Istio's order of resources: creation time, then name, then namespace (R-H-021). A missing time is the oldest.
fn config_key(meta: &Metadata) -> (i64, &str, &str) {
    (creation(meta), &meta.name, &meta.namespace)
}

/// The same order, of typed Gateways.
fn gateway_key(gateway: &crate::mesh::Gateway) -> (i64, &str, &str) {
    let name = &gateway.resource;
    (gateway.creation, &name.name, &name.namespace)
}

/// Seconds since the epoch; 0 where unset.
pub(crate) fn creation(meta: &Metadata) -> i64 {
    meta.creation_timestamp.unwrap_or(0)
}

/// A text that may be left out, which an empty one is.
fn not_empty<'w, T: From<&'w str>>(text: &'w str) -> Option<T> {
    (!text.is_empty()).then(|| text.into())
}
