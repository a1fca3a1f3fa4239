//! Who has to do with an answer and who has not: the other half of [`Router::explain`].
//!
//! A router holds what takes part. What does not (a VirtualService that is bound to another gateway, not exported, hidden by a
//! closer host, shadowed by an older one, for another port; a DestinationRule that does not hold for this client; a destination
//! that no cluster is made for) is in the mesh only, and is what most people look for. [`causes`] says it as a [`Report`] of notes:
//! each names its resource and field, so that [`Resources::locate`](crate::Resources::locate) adds the lines.

mod asked;
mod destination;
mod gateway;
mod left_out;
mod virtual_services;

use crate::decision::Decision;
use crate::diagnostic::{Code, Diagnostic, FieldPath, Report, ResourceRef};
use crate::mesh::Mesh;
use crate::router::Router;
use crate::terms::name::ResourceName;
use crate::terms::proxy::Proxy;
use crate::terms::request::{Connection, Request};

use asked::Asked;
#[cfg(feature = "yaml")]
pub(crate) use asked::authority;
pub use left_out::left_out;

/// So many notes of one kind are listed; a host that thousands of VirtualServices name is explained by the first few.
const MOST_NOTES: usize = 20;

/// Why `router` answers `request` as it does, as far as the reason is outside of its tables: who names the host and takes no part,
/// and why the destination does not exist. `router` is what `mesh` is compiled to for `proxy`.
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use meshroute::{Mesh, Proxy, Request, Resources, Router, explain::causes};
///
/// let resources = Resources::from_yaml("
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata: {name: shop}
/// spec:
///   hosts: [shop.example.com]
///   gateways: [public]
///   http: [{route: [{destination: {host: shop}}]}]
/// ").unwrap();
/// let mesh = Mesh::resolve(resources.clone()).unwrap();
/// let proxy = Proxy::sidecar("default");
/// let router = Router::compile(&mesh, &proxy);
/// let report = causes(&mesh, &proxy, &router, &Request::get("http://shop.example.com/"), 0);
/// let first = resources.locate(report).into_iter().next().unwrap();
/// assert_eq!(first.code().id(), "MR0602");
/// assert_eq!(first.message(), "this VirtualService names `shop.example.com`, and is bound to `default/public`, not to `mesh`");
/// assert_eq!(first.location().unwrap().line, 7);
/// # }
/// ```
///
/// # Complexity
/// Linear in the hosts of VirtualServices, and in the rules of the virtual host that answers.
pub fn causes(
    mesh: &Mesh,
    proxy: &Proxy,
    router: &Router,
    request: &Request<'_>,
    entropy: u64,
) -> Report {
    let decision = router.decide(request, entropy);
    let host = asked::authority(request);
    of(&Asked::new(
        mesh,
        proxy,
        router,
        host,
        &request.connection,
        decision,
    ))
}

/// The same of a connection without a request.
pub fn causes_of_connection(
    mesh: &Mesh,
    proxy: &Proxy,
    router: &Router,
    connection: &Connection<'_>,
    entropy: u64,
) -> Report {
    let decision = router.decide_connection(connection, entropy);
    let host = connection.sni.unwrap_or_default().to_owned();
    of(&Asked::new(mesh, proxy, router, host, connection, decision))
}

fn of(asked: &Asked<'_>) -> Report {
    let mut report = Report::new();
    gateway::check(asked, &mut report);
    virtual_services::check(asked, &mut report);
    destination::check(asked, &mut report);
    report
}

/// Which cluster the decision draws, if it does not exist.
fn missing<'r>(decision: &Decision<'r>) -> Option<&'r crate::router::Cluster> {
    decision.cluster().filter(|cluster| !cluster.exists())
}

fn reference(kind: &'static str, name: &ResourceName) -> ResourceRef {
    ResourceRef::new(kind, &*name.namespace, &*name.name)
}

/// A note about the field at `field` of a resource.
fn note(code: Code, resource: ResourceRef, field: FieldPath, message: String) -> Diagnostic {
    Diagnostic::new(code, message)
        .with_resource(resource)
        .with_field(field)
}

/// `spec.<name>`.
fn spec(name: &'static str) -> FieldPath {
    FieldPath::from("spec").field(name)
}

/// A list for a sentence: `a`, `b` and 3 more.
fn list<T: std::fmt::Display>(all: impl IntoIterator<Item = T>) -> String {
    const MOST: usize = 6;
    let all: Vec<String> = all.into_iter().map(|item| format!("`{item}`")).collect();
    match all.len().checked_sub(MOST) {
        Some(more) if more > 0 => format!("{} and {more} more", all[..MOST].join(", ")),
        _ => all.join(", "),
    }
}
