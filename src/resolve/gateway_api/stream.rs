//! TCPRoutes and TLSRoutes: one VirtualService for each parent and host, which nothing is merged into (R-G-046..R-G-048).

use std::sync::Arc;

use crate::diagnostic::{At, Report};
use crate::mesh;
use crate::mesh::virtual_service::{
    DestinationRef, L4Match, TcpRoute, TlsMatch, TlsRoute, WeightedRef,
};
use crate::resource::gateway_api as raw;
use crate::resource::{Document, Named};
use crate::terms::host;
use crate::terms::name::GatewayName;
use crate::terms::origin::{Author, MatchIndex, RouteList, RouteOrigin};

use super::super::{Sink, creation};
use super::World;
use super::attachment::{self, Attached, Route};
use super::backends::{Backend, Translation, Untranslatable};
use super::merge::{made_author, made_of};
use super::owner::MADE;
use super::parents::Parents;

/// What a TCPRoute becomes.
pub(super) fn tcp(
    document: &Document<raw::TcpRoute>,
    parents: &Parents,
    world: &World<'_>,
    made: &mut Vec<Arc<mesh::VirtualService>>,
    sink: &mut Sink<'_>,
) {
    let spec = &document.spec;
    let route = Route {
        kind: "TCPRoute",
        namespace: &document.meta.namespace,
        hostnames: &[],
        parents: &spec.parent_refs,
    };
    let attached = attachment::attached(&route, parents, world, sink);
    let rules = Rules::new(&route, document, &spec.rules, &attached, world, sink);
    let mut maker = Maker::new("tcp", document, world, made);
    for one in &attached {
        let Some(rules) = rules.at(one) else {
            continue;
        };
        let (gateway, hosts, port) = match one {
            Attached::Listener(listener, _) => (&listener.gateway, vec!["*".into()], None),
            Attached::Mesh(hosts, port) => (&GatewayName::Mesh, hosts.clone(), *port),
        };
        for host in hosts {
            maker.make(gateway, host, |author, service| {
                let routes = rules.iter().map(|rule| TcpRoute {
                    matches: port.map(at_port).into_iter().collect(),
                    route: rule.route.clone(),
                    origin: rule.origin(author),
                });
                service.tcp = routes.collect();
            });
        }
    }
}

/// What a TLSRoute becomes.
pub(super) fn tls(
    document: &Document<raw::TlsRoute>,
    parents: &Parents,
    world: &World<'_>,
    made: &mut Vec<Arc<mesh::VirtualService>>,
    sink: &mut Sink<'_>,
) {
    let spec = &document.spec;
    let route = Route {
        kind: "TLSRoute",
        namespace: &document.meta.namespace,
        hostnames: &spec.hostnames,
        parents: &spec.parent_refs,
    };
    let attached = attachment::attached(&route, parents, world, sink);
    let rules = Rules::new(&route, document, &spec.rules, &attached, world, sink);
    let wanted: Vec<&str> = match spec.hostnames.as_slice() {
        [] => vec!["*"],
        names => names.iter().map(String::as_str).collect(),
    };
    let mut maker = Maker::new("tls", document, world, made);
    for one in &attached {
        let Some(rules) = rules.at(one) else {
            continue;
        };
        let (gateway, hosts, names, port): (_, Vec<Arc<str>>, Vec<&str>, _) = match one {
            Attached::Listener(listener, _) => {
                let own = listener.hostname.as_deref().filter(|own| !own.is_empty());
                let names = match own {
                    Some(own) => host::intersection(&wanted, &[own]),
                    None => wanted.clone(),
                };
                let hosts = names.iter().map(|name| (*name).into()).collect();
                (&listener.gateway, hosts, names, None)
            }
            Attached::Mesh(hosts, port) => {
                let names = match wanted.as_slice() {
                    ["*"] => hosts.iter().map(|host| &**host).collect(),
                    names => names.to_vec(),
                };
                (&GatewayName::Mesh, hosts.clone(), names, *port)
            }
        };
        for host in hosts {
            let mut names = names.clone();
            if one.is_mesh() && names.len() > 1 {
                names.retain(|name| host::overlaps(name, &host));
            }
            maker.make(gateway, host, |author, service| {
                let routes = rules.iter().map(|rule| TlsRoute {
                    matches: vec![TlsMatch {
                        sni_hosts: names.iter().map(|name| (*name).into()).collect(),
                        l4: port.map(at_port).unwrap_or_default(),
                    }],
                    route: rule.route.clone(),
                    origin: rule.origin(author),
                });
                service.tls = routes.collect();
            });
        }
    }
}

fn at_port(port: u32) -> L4Match {
    L4Match {
        port: Some(port),
        index: MatchIndex::default(),
        ..L4Match::default()
    }
}

/// Makes the VirtualServices of one route, and counts them for their names.
struct Maker<'m> {
    infix: &'static str,
    namespace: &'m str,
    name: &'m str,
    creation: i64,
    world: &'m World<'m>,
    made: &'m mut Vec<Arc<mesh::VirtualService>>,
    count: usize,
}

impl<'m> Maker<'m> {
    fn new<T>(
        infix: &'static str,
        document: &'m Document<T>,
        world: &'m World<'m>,
        made: &'m mut Vec<Arc<mesh::VirtualService>>,
    ) -> Self {
        Maker {
            infix,
            namespace: &document.meta.namespace,
            name: &document.meta.name,
            creation: creation(&document.meta),
            world,
            made,
            count: 0,
        }
    }

    fn make(
        &mut self,
        gateway: &GatewayName,
        host: Arc<str>,
        fill: impl FnOnce(&Arc<Author>, &mut mesh::VirtualService),
    ) {
        let name = format!("{}~{}~{}~{MADE}", self.name, self.infix, self.count);
        let author = made_author(self.namespace, &name);
        let gateway = gateway.clone();
        let mut service = made_of(
            Arc::clone(&author),
            self.creation,
            host,
            gateway,
            self.world,
        );
        fill(&author, &mut service);
        self.made.push(Arc::new(service));
        self.count += 1;
    }
}

/// The rules of a route as its gateways and as the mesh have them; `None`: it has none there.
struct Rules {
    at_gateways: Option<Vec<Rule>>,
    in_mesh: Option<Vec<Rule>>,
}

/// One rule.
struct Rule {
    author: Arc<Author>,
    index: usize,
    route: Vec<WeightedRef>,
}

impl Rules {
    fn new<T: Named>(
        route: &Route<'_>,
        document: &Document<T>,
        written: &[raw::StreamRouteRule],
        attached: &[Attached<'_>],
        world: &World<'_>,
        sink: &mut Sink<'_>,
    ) -> Self {
        let name = document.meta.qualified_name();
        let author = Arc::new(Author::new(route.kind, name, &document.source));
        let translate = |needs_grants, sink: &mut Sink<'_>| {
            let translation = Translation {
                world,
                kind: route.kind,
                namespace: route.namespace,
                needs_grants,
            };
            rules(written, &author, &translation, sink).ok()
        };
        let has_mesh = attached.iter().any(Attached::is_mesh);
        let has_gateway = !has_mesh || attached.iter().any(|one| !one.is_mesh());
        let at_gateways = has_gateway.then(|| translate(true, sink)).flatten();
        let in_mesh = has_mesh.then(|| match has_gateway {
            false => translate(false, sink),
            // What there is to say has been said.
            true => translate(false, &mut Sink::of(document, &mut Report::new())),
        });
        Rules {
            at_gateways,
            in_mesh: in_mesh.flatten(),
        }
    }

    fn at(&self, attached: &Attached<'_>) -> Option<&[Rule]> {
        let rules = match attached {
            Attached::Listener(..) => &self.at_gateways,
            Attached::Mesh(..) => &self.in_mesh,
        };
        rules.as_deref().filter(|rules| !rules.is_empty())
    }
}

impl Rule {
    fn origin(&self, made: &Arc<Author>) -> Arc<RouteOrigin> {
        Arc::new(RouteOrigin {
            author: Arc::clone(&self.author),
            list: RouteList::Rules,
            index: self.index,
            root: None,
            made: Some(Arc::clone(made)),
        })
    }
}

fn rules(
    written: &[raw::StreamRouteRule],
    author: &Arc<Author>,
    translation: &Translation<'_>,
    sink: &mut Sink<'_>,
) -> Result<Vec<Rule>, Untranslatable> {
    let at = At::ROOT.field("spec");
    let at = at.field("rules");
    let mut out = Vec::with_capacity(written.len());
    for (index, rule) in written.iter().enumerate() {
        let at = at.index(index);
        let at = at.field("backendRefs");
        let mut route = Vec::with_capacity(rule.backend_refs.len());
        for (index, one) in rule.backend_refs.iter().enumerate() {
            let weight = u32::try_from(one.weight.unwrap_or(1)).unwrap_or(0);
            if weight == 0 {
                continue;
            }
            let backend = Backend::of_stream(one);
            let (destination, _) = translation.destination(backend, &at.index(index), sink)?;
            route.push(WeightedRef {
                destination,
                weight,
                headers: None,
            });
        }
        if route.is_empty() {
            route.push(nowhere());
        }
        out.push(Rule {
            author: Arc::clone(author),
            index,
            route,
        });
    }
    Ok(out)
}

/// Where connections go for which no backend has a share: to a cluster that does not exist.
fn nowhere() -> WeightedRef {
    WeightedRef {
        destination: DestinationRef {
            host: "internal.cluster.local".into(),
            subset: Some("zero-weight".into()),
            port: Some(65535),
        },
        weight: 1,
        headers: None,
    }
}
