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
use std::sync::Arc;

use crate::diagnostic::ResourceRef;
use crate::mesh::destination_rules_by_host::DestinationRulesByHost;
use crate::mesh::virtual_service_hosts::VirtualServiceHosts;
use crate::mesh::{Mesh, Service};
use crate::resource::{Document, Kind, MeshConfig, Resource, Resources};
use crate::router::{Router, RouterIds};
use crate::{Diagnostic, Options, Proxy, Report, Severity};

mod documents;
mod follow;

use documents::{Documents, Key};

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
    hosts: VirtualServiceHosts,
    rules: DestinationRulesByHost,
    workload_services: Vec<Arc<Service>>,
    ids: RouterIds,
    router: Router,
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
    /// So many virtual hosts were made anew, added or removed; all others are shared with the router before.
    VirtualHosts(usize),
    /// The router was compiled anew; the mesh changed only where the changes are.
    Router,
    /// The mesh was resolved anew, and the router compiled.
    Mesh,
}

/// What an update did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Update {
    /// How far it reached.
    pub reach: Reach,
    /// Warnings and notes about the resources that came or changed.
    pub report: Report,
}

impl fmt::Debug for LiveRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveRouter")
            .field("mesh", &self.mesh)
            .field("router", &self.router)
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
        let mut ids = RouterIds::default();
        let live = LiveRouter {
            hosts: VirtualServiceHosts::new(&mesh.inner.virtual_services),
            rules: DestinationRulesByHost::new(&mesh.inner.destination_rules),
            workload_services: mesh.workload_services(&proxy),
            router: Router::compile_with(&mesh, &proxy, &mut ids),
            ids,
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
        &self.router
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
    /// For VirtualServices without `delegate`, `tls` and `tcp`, without wildcard hosts for sidecars, and seen without a
    /// Sidecar: in proportion to their hosts and to the VirtualServices that share one with them. The same for
    /// DestinationRules of an HTTP service, with the VirtualServices that lead to it; and for its endpoints, after the
    /// registry has been resolved again. Other VirtualServices without delegates and other DestinationRules: a compilation.
    /// All else: resolving the resources of the same sort again, and a compilation. [`Update::reach`] says which it was.
    pub fn update(&mut self, changes: Changes) -> Result<Update, Report> {
        let changes = changes.collapsed();
        let alone = changes.mesh_config.is_none()
            && changes.resources.iter().all(|(key, new)| {
                let old = self.documents.get(key);
                let mut both = new.as_ref().into_iter().chain(old);
                both.all(Mesh::stands_alone)
            });
        if alone {
            self.follow(changes)
        } else {
            self.update_all(changes)
        }
    }

    /// Any changes.
    fn update_all(&mut self, changes: Changes) -> Result<Update, Report> {
        let changed: Vec<Kind> = changes
            .resources
            .iter()
            .map(|(key, _)| key.kind())
            .collect();
        let coming = changes.resources.iter().filter(|(_, new)| new.is_some());
        let coming: Vec<Key> = coming.map(|(key, _)| key.clone()).collect();
        let mut before = Vec::with_capacity(changes.resources.len());
        for (key, new) in changes.resources {
            let old = self.documents.set(key.clone(), new);
            before.push((key, old));
        }
        let has_config = changes.mesh_config.is_some();
        let config_before = match changes.mesh_config {
            Some(new) => self.mesh_config.replace(new),
            None => None,
        };
        let known = (!has_config).then_some((&self.mesh, &changed[..]));
        let mut all = Report::new();
        let mesh = Mesh::resolve_documents(
            self.documents.iter(),
            self.mesh_config.as_ref(),
            &self.options,
            known,
            &mut all,
        );
        let mut report = changes.notes;
        for diagnostic in all {
            if is_about(&diagnostic, &coming, has_config) {
                report.push(diagnostic);
            }
        }
        if report.has_errors() {
            for (key, old) in before {
                self.documents.set(key, old);
            }
            if has_config {
                self.mesh_config = config_before;
            }
            return Err(report);
        }
        let before = std::mem::replace(&mut self.mesh, mesh);
        let inner = &self.mesh.inner;
        let has_changed = |kind: Kind| has_config || changed.contains(&kind);
        if has_changed(Kind::VirtualService) {
            self.hosts = VirtualServiceHosts::new(&inner.virtual_services);
        }
        if has_changed(Kind::DestinationRule) {
            self.rules = DestinationRulesByHost::new(&inner.destination_rules);
        }
        self.workload_services = self.mesh.workload_services(&self.proxy);
        let in_registry = !has_config && changed.iter().all(|kind| kind.is_of_registry());
        let mut ids = std::mem::take(&mut self.ids);
        let inner = &self.mesh.inner;
        let updated = match in_registry {
            true => inner
                .changed_endpoints(&before.inner)
                .and_then(|services| self.with_endpoints_of(&services, &mut ids)),
            false => None,
        };
        self.ids = ids;
        let reach = self.take_over(updated, Reach::Mesh);
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

fn is_about(diagnostic: &Diagnostic, resources: &[Key], has_config: bool) -> bool {
    let Some(about) = diagnostic.resource() else {
        return diagnostic.severity() == Severity::Error;
    };
    let is_one = |about: &ResourceRef| {
        let mut resources = resources.iter();
        resources.any(|key| key.names(&about.kind, &about.namespace, &about.name))
    };
    (has_config && about.kind == "MeshConfig")
        || is_one(about)
        || diagnostic
            .related()
            .iter()
            .any(|related| is_one(&related.resource))
}
