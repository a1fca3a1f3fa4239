//! Rules of routes with one parent and host, put together into one VirtualService (R-G-033, R-G-034, R-G-036..R-G-038).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::mesh;
use crate::mesh::Visibility;
use crate::mesh::virtual_service::{HttpMatch, HttpRoute, Semantics};
use crate::resource::Metadata;
use crate::terms::condition::RequestMatch;
use crate::terms::labels::Labels;
use crate::terms::name::{GatewayName, ResourceName};
use crate::terms::origin::{Author, MatchIndex, RouteOrigin};
use crate::terms::source::SourceDocument;

use super::super::creation;
use super::World;
use super::attachment::{self, Attached};
use super::matches::Order;

/// A rule with at most one match, before it has its place among others.
#[derive(Clone)]
pub(super) struct Draft {
    pub order: Order,
    pub route: HttpRoute,
}

/// A route that takes part.
#[derive(Clone)]
pub(super) struct Member {
    pub author: Arc<Author>,
    creation: i64,
}

impl Member {
    pub(super) fn new(kind: &'static str, meta: &Metadata, source: &SourceDocument) -> Self {
        Member {
            author: Arc::new(Author::new(kind, meta.qualified_name(), source)),
            creation: creation(meta),
        }
    }

    /// The oldest first, then by namespace and name.
    fn key(&self) -> (i64, &str, &str) {
        let name = self.author.resource();
        (self.creation, &name.namespace, &name.name)
    }
}

/// The rules of one route for one parent, with the only port that is meant.
type Part = (Member, Arc<[Draft]>, Option<u32>);

/// All groups: by the name of the VirtualService, without its namespace.
#[derive(Default)]
pub(super) struct Groups {
    by_name: BTreeMap<String, Group>,
}

struct Group {
    gateway: GatewayName,
    host: Arc<str>,
    parts: Vec<Part>,
}

impl Groups {
    /// A route at the listeners among `attached`: one group for each of its hosts.
    pub(super) fn add_at_gateways(
        &mut self,
        hostnames: &[String],
        attached: &[Attached<'_>],
        member: &Member,
        drafts: Arc<[Draft]>,
    ) {
        for one in attached {
            let Attached::Listener(listener, all) = one else {
                continue;
            };
            let parent = listener.internal_name();
            for host in attachment::hosts_at(hostnames, listener, all) {
                let part = (member.clone(), Arc::clone(&drafts), None);
                self.add(&listener.gateway, &parent, host.into(), part);
            }
        }
    }

    /// A route at the services among `attached`: one group for each of their hosts, for all routes of its namespace.
    pub(super) fn add_in_mesh(
        &mut self,
        attached: &[Attached<'_>],
        member: &Member,
        drafts: Arc<[Draft]>,
    ) {
        let namespace = &member.author.resource().namespace;
        for one in attached {
            let Attached::Mesh(hosts, port) = one else {
                continue;
            };
            let parent = match port {
                Some(port) => format!("{namespace}/{port}"),
                None => namespace.to_string(),
            };
            for host in hosts {
                let part = (member.clone(), Arc::clone(&drafts), *port);
                self.add(&GatewayName::Mesh, &parent, Arc::clone(host), part);
            }
        }
    }

    fn add(&mut self, gateway: &GatewayName, parent: &str, host: Arc<str>, part: Part) {
        let name = format!("{parent}/{host}").replace('/', "~");
        let group = self.by_name.entry(name).or_insert_with(|| Group {
            gateway: gateway.clone(),
            host,
            parts: Vec::new(),
        });
        group.parts.push(part);
    }

    /// The VirtualServices that they become.
    pub(super) fn finish(self, world: &World<'_>, made: &mut Vec<Arc<mesh::VirtualService>>) {
        for (name, mut group) in self.by_name {
            group
                .parts
                .sort_by(|(a, ..), (b, ..)| a.key().cmp(&b.key()));
            let Some((oldest, ..)) = group.parts.first() else {
                continue;
            };
            let author = made_author(&oldest.author.resource().namespace, &name);
            let creation = oldest.creation;
            let mut drafts: Vec<(Order, HttpRoute)> = Vec::new();
            for (_, part, port) in &group.parts {
                drafts.extend(
                    part.iter()
                        .map(|draft| placed(draft, *port, &author, world)),
                );
            }
            // Of equals, the older keeps its place.
            drafts.sort_by_key(|(order, _)| *order);
            let gateway = group.gateway;
            made.push(Arc::new(mesh::VirtualService {
                http: drafts.into_iter().map(|(_, route)| route).collect(),
                ..made_of(author, creation, group.host, gateway, world)
            }));
        }
    }
}

/// A rule in its VirtualService, asking for a port if only that is meant.
fn placed(
    draft: &Draft,
    port: Option<u32>,
    author: &Arc<Author>,
    world: &World<'_>,
) -> (Order, HttpRoute) {
    let mut order = draft.order;
    let mut route = draft.route.clone();
    route.origin = Arc::new(RouteOrigin {
        made: Some(Arc::clone(author)),
        ..(*route.origin).clone()
    });
    if port.is_some() {
        if route.matches.is_empty() {
            order = Order::PORT_ONLY;
            route.matches.push(HttpMatch {
                name: "".into(),
                port: None,
                gateways: Vec::new(),
                source_labels: Labels::default(),
                source_namespace: None,
                request: world.cx.share_match(RequestMatch::any()),
                index: MatchIndex::default(),
            });
        }
        route.matches.iter_mut().for_each(|one| one.port = port);
    }
    (order, route)
}

/// The VirtualService of this name as the author of its rules.
pub(super) fn made_author(namespace: &str, name: &str) -> Arc<Author> {
    let resource = ResourceName::new(namespace, name);
    Arc::new(Author::new(
        "VirtualService",
        resource,
        &SourceDocument::default(),
    ))
}

/// A VirtualService without rules.
pub(super) fn made_of(
    author: Arc<Author>,
    creation: i64,
    host: Arc<str>,
    gateway: GatewayName,
    world: &World<'_>,
) -> mesh::VirtualService {
    let export_to = &world.cx.config.default_virtual_service_export_to;
    let visibility = Visibility::resolve(&[], export_to, &author.resource().namespace);
    mesh::VirtualService {
        author,
        creation,
        hosts: vec![host],
        gateways: vec![gateway],
        visibility,
        semantics: Semantics::GatewayApi,
        http: Vec::new(),
        tls: Vec::new(),
        tcp: Vec::new(),
    }
}
