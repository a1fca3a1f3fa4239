//! A router that follows its configuration: resources come and go, and each time there is a new immutable [`Router`] that
//! shares with the one before what did not change.
//!
//! ```
//! # #[cfg(feature = "yaml")] {
//! use meshroute::live::{Changes, LiveRouter, Reach};
//! use meshroute::{Proxy, Resources};
//!
//! let service = |name: &str, host: &str| format!("
//! apiVersion: networking.istio.io/v1
//! kind: VirtualService
//! metadata: {{name: {name}, namespace: default}}
//! spec: {{hosts: [{host}], http: [{{route: [{{destination: {{host: cart}}}}]}}]}}
//! ");
//! let resources = Resources::from_yaml(&service("shop", "shop.example.com"))?;
//! let (mut live, report) = LiveRouter::new(resources, Proxy::default());
//! assert!(report.is_empty());
//! let before = live.router().clone();
//!
//! let added = Resources::from_yaml(&service("blog", "blog.example.com"))?;
//! let update = live.update(Changes::new().apply_all(added))?;
//! assert_eq!(update.reach, Reach::VirtualHosts(1));
//! assert!(live.router().route_with("blog.example.com", "mesh", 0).is_ok());
//! // Who has the old router keeps it.
//! assert!(before.route_with("blog.example.com", "mesh", 0).is_err());
//! # }
//! # Ok::<(), meshroute::Report>(())
//! ```

use std::collections::HashMap;
use std::fmt;

use crate::compile::{Compiled, Extent};
use crate::diagnostic::ResourceRef;
use crate::mesh::Mesh;
use crate::mesh::destination_rules_by_host::DestinationRulesByHost;
use crate::resource::{Document, Kind, MeshConfig, Resource, Resources};
use crate::router::Router;
use crate::{Diagnostic, Options, Proxy, Report, Severity};

mod documents;
mod follow;
mod key;
mod registry;
#[cfg(test)]
mod registry_tests;
mod relevance;
mod routes;
mod whole;

use documents::Documents;
use key::Key;
use registry::Registry;
use routes::Routes;

/// Resources, the mesh that they make, and the router of one proxy.
///
/// It is the one mutable thing of this crate: one thread updates it and hands out clones of [`router`](Self::router),
/// which never change.
#[derive(Clone)]
pub struct LiveRouter {
    documents: Documents,
    mesh_config: Option<Document<MeshConfig>>,
    options: Options,
    proxy: Proxy,
    mesh: Mesh,
    rules: DestinationRulesByHost,
    compiled: Compiled,
    registry: Registry,
    routes: Routes,
}

/// Resources that come, change and go, in this order.
#[derive(Clone, Default)]
pub struct Changes {
    /// The last word on each resource; `None`: it goes.
    resources: Vec<(Key, Option<Resource>)>,
    mesh_config: Option<Document<MeshConfig>>,
    /// What there is to say about the reading.
    notes: Report,
}

/// How far an update reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// So many virtual hosts were made anew, added or removed; all others are shared with the router before. None: only
    /// clusters are others, or nothing is.
    VirtualHosts(usize),
    /// So many listeners were made anew, added or removed, and virtual hosts perhaps; all others are shared with the router
    /// before.
    Listeners(usize),
    /// The router was compiled anew. That is so where
    ///
    /// * a Gateway, a Sidecar or a PeerAuthentication came, changed or went,
    /// * the settings of the mesh were given, or let the labels of namespaces decide (`discoverySelectors`, and for Namespaces and
    ///   ServiceEntries a cap on their visibility),
    /// * a resource of the Gateway API that is no route (a Gateway, a ListenerSet, a ReferenceGrant, a BackendTLSPolicy) came,
    ///   changed or went; while there are resources of the Gateway API, a Service, ServiceEntry, Namespace, Secret or ConfigMap, which
    ///   they may ask for; and while there are BackendTLSPolicies, a DestinationRule, which they are merged with,
    /// * a Pod or Deployment says, or said, what its own proxy does (`proxy.istio.io/config`),
    /// * the registry got its first service or lost its last: without any, hosts are taken as written,
    /// * the service changed that a Sidecar sends unknown traffic to (`outboundTrafficPolicy.egressProxy`),
    /// * a gateway workload's service leads to another of its ports.
    Router,
}

/// What an update did.
#[derive(Clone)]
#[non_exhaustive]
pub struct Update {
    /// How far it reached.
    pub reach: Reach,
    /// Warnings and notes about the resources that came or changed.
    pub report: Report,
}

short_debug! { Update {reach, report} }

impl fmt::Debug for LiveRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveRouter")
            .field("mesh", &self.mesh)
            .field("router", self.router())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("resources", &self.resources.len())
            .field("mesh_config", &self.mesh_config.is_some())
            .finish_non_exhaustive()
    }
}

impl Changes {
    /// No changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A resource comes, or takes the place of the one of its kind, namespace and name.
    #[must_use]
    pub fn apply(mut self, resource: impl Into<Resource>) -> Self {
        let resource = resource.into();
        self.resources.push((Key::of(&resource), Some(resource)));
        self
    }

    /// All of these come, and their mesh configuration if they have one. What was noticed while reading them is told by the
    /// update.
    #[must_use]
    pub fn apply_all(mut self, resources: Resources) -> Self {
        self.notes.append(resources.notes);
        self.mesh_config = resources.mesh_config.or(self.mesh_config);
        resources.documents.into_iter().fold(self, Self::apply)
    }

    /// A resource goes; nothing happens if it is not there.
    #[must_use]
    pub fn delete(mut self, kind: Kind, namespace: &str, name: &str) -> Self {
        self.resources.push((Key::new(kind, namespace, name), None));
        self
    }
}

impl LiveRouter {
    /// The router of `proxy` for `resources`, without those that Istio's admission would refuse, and what there is to say.
    /// Of several resources of one kind, namespace and name the last counts.
    ///
    /// # Complexity
    /// That of [`Mesh::resolve_lenient`] and [`Router::compile`]; the resources are kept.
    pub fn new(resources: Resources, proxy: Proxy) -> (Self, Report) {
        Self::with_options(resources, proxy, Options::default())
    }

    /// The same, with options.
    pub fn with_options(resources: Resources, proxy: Proxy, options: Options) -> (Self, Report) {
        let mut report = resources.notes;
        let documents: Documents = resources.documents.into_iter().collect();
        let mesh_config = resources.mesh_config;
        let mesh = Mesh::resolve_documents(
            documents.iter(),
            mesh_config.as_ref(),
            &options,
            None,
            &mut report,
        );
        let live = LiveRouter {
            rules: DestinationRulesByHost::new(&mesh.inner.destination_rules),
            compiled: Compiled::new(&mesh, &proxy),
            registry: Registry::new(&mesh),
            routes: Routes::new(&mesh),
            documents,
            mesh_config,
            options,
            proxy,
            mesh,
        };
        (live, report)
    }

    /// The router of now. A clone of it is cheap and stays as it is.
    pub fn router(&self) -> &Router {
        self.compiled.router()
    }

    /// The mesh of now, for [`lint`](crate::lint::lint) and for routers of other proxies.
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Whose router it is.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Takes these changes over, all or none. The router is then what [`Router::compile`] would make of all resources.
    ///
    /// # Errors
    /// Everything that there is to say about the resources that come or change, if one of them is invalid (Istio's
    /// admission would refuse it): then nothing has changed.
    ///
    /// # Complexity
    /// In proportion to what the changes touch: the virtual hosts of a VirtualService's hosts and of the services that its
    /// wildcards cover; those that lead to the host of a DestinationRule or to a service; the VirtualServices that name a
    /// delegate. A `tls` or `tcp` rule, or a service that opens a port, makes the listeners anew that it stands in. Resources
    /// of the registry: what the services that they concern are made from. A route of the Gateway API: the routes that share a
    /// parent and a host with it. A Gateway, a Sidecar or other settings: a compilation.
    /// [`Update::reach`] says how far it was.
    pub fn update(&mut self, changes: Changes) -> Result<Update, Report> {
        let changes = changes.collapsed();
        let mut report = changes.notes;
        let coming = changes.resources.iter().filter(|(_, new)| new.is_some());
        let about = About::new(
            coming.map(|(key, _)| key.clone()),
            changes.mesh_config.is_some(),
        );
        let keys: Vec<Key> = changes
            .resources
            .iter()
            .map(|(key, _)| key.clone())
            .collect();
        let mut before = Vec::with_capacity(changes.resources.len());
        for (key, new) in changes.resources {
            before.push((key.clone(), self.documents.set(key, new)));
        }
        let config_before = match changes.mesh_config {
            Some(new) => Some(self.mesh_config.replace(new)),
            None => None,
        };
        let resolved = self.resolve(&keys, &before, &about, &mut report);
        let Some(resolved) = resolved else {
            for (key, old) in before {
                self.documents.set(key, old);
            }
            if let Some(before) = config_before {
                self.mesh_config = before;
            }
            return Err(report);
        };
        let change = self.take_over(resolved, &about, &mut report);
        let reach = match self.compiled.update(&self.mesh, &self.proxy, &change) {
            Extent::Partial {
                listeners: 0,
                virtual_hosts,
            } => Reach::VirtualHosts(virtual_hosts),
            Extent::Partial { listeners, .. } => Reach::Listeners(listeners),
            Extent::Whole => Reach::Router,
        };
        Ok(Update { reach, report })
    }
}

impl Changes {
    /// The last word on each resource.
    fn collapsed(self) -> Self {
        let mut places: HashMap<Key, usize> = HashMap::new();
        let mut resources: Vec<(Key, Option<Resource>)> = Vec::with_capacity(self.resources.len());
        for (key, new) in self.resources {
            let place = *places.entry(key.clone()).or_insert(resources.len());
            match resources.get_mut(place) {
                Some(slot) => slot.1 = new,
                None => resources.push((key, new)),
            }
        }
        Changes {
            resources,
            mesh_config: self.mesh_config,
            notes: self.notes,
        }
    }
}

/// What an update has something to say about.
struct About {
    /// The resources that come or change, by name.
    resources: HashMap<Box<str>, Vec<Key>>,
    has_config: bool,
}

impl About {
    fn new(keys: impl Iterator<Item = Key>, has_config: bool) -> Self {
        let mut resources: HashMap<Box<str>, Vec<Key>> = HashMap::new();
        for key in keys {
            resources.entry(key.name().into()).or_default().push(key);
        }
        About {
            resources,
            has_config,
        }
    }

    /// Adds to `report` what of `all` is about it.
    fn pick(&self, all: Report, report: &mut Report) {
        for diagnostic in all {
            if self.is_of(&diagnostic) && !report.iter().any(|known| *known == diagnostic) {
                report.push(diagnostic);
            }
        }
    }

    fn is_of(&self, diagnostic: &Diagnostic) -> bool {
        let Some(about) = diagnostic.resource() else {
            return diagnostic.severity() == Severity::Error;
        };
        let comes = |about: &ResourceRef| {
            let named = self.resources.get(&*about.name);
            named.is_some_and(|keys| {
                let mut keys = keys.iter();
                keys.any(|key| key.names(&about.kind, &about.namespace, &about.name))
            })
        };
        (self.has_config && about.kind == "MeshConfig")
            || comes(about)
            || diagnostic
                .related()
                .iter()
                .any(|related| comes(&related.resource))
    }
}
