//! Verb 4: one short walk from a request to a decision.
//!
//! [`Router::decide`] walks in silence, [`Router::explain`] is the same walk with a recorder, and `Router::route` is the
//! short cut for those who only ask for a host at a gateway.

mod answer;
mod apply;
mod cookies;
mod cors;
mod explain;
mod head;
mod headers;
mod names;
mod observed;
mod path;
mod probe;
mod refusal;
mod request_hash;
mod rewrite;
mod sanitize;
mod settle;
mod simple;
mod subject;
mod timeout;
mod walk;

use crate::decision::Decision;
use crate::router::Router;
use crate::terms::request::{Connection, Request};

pub use explain::{Explanation, Step, TriedRule, UnmetTest};
use probe::{Scanning, Silent};

impl Router {
    /// What happens to `request`. Total, pure and deterministic: the same router, request and entropy give the same
    /// decision. `entropy` should be a fresh random word for each request: the split, each mirror and each fault draw from
    /// it independently.
    ///
    /// # Complexity
    /// A table lookup for the host, then one or a few in the index of the virtual host's rules, about the same for ten rules
    /// and for ten thousand. No allocation, unless thousands of names have been compared: a request with many headers or
    /// parameters, asked for as many, has them put in order once.
    ///
    /// ```
    /// # #[cfg(feature = "yaml")] {
    /// use meshroute::{Mesh, Proxy, Request, Resources, Router};
    ///
    /// let yaml = "
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: shop, namespace: default}
    /// spec:
    ///   hosts: [shop.example.com]
    ///   http:
    ///   - {match: [{headers: {x-user: {exact: jane}}}], route: [{destination: {host: shop, subset: v2}}]}
    ///   - route: [{destination: {host: shop}}]
    /// ";
    /// let mesh = Mesh::resolve(Resources::from_yaml(yaml)?)?;
    /// let router = Router::compile(&mesh, &Proxy::default());
    ///
    /// let request = Request::get("http://shop.example.com/cart").header("x-user", "jane");
    /// let decision = router.decide(&request, 42);
    /// assert_eq!(decision.position(), Some(0));
    /// assert_eq!(decision.cluster().and_then(|cluster| cluster.subset()), Some("v2"));
    /// // Without the header, the second rule.
    /// let request = Request::get("http://shop.example.com/cart");
    /// assert_eq!(router.decide(&request, 42).position(), Some(1));
    /// # }
    /// # Ok::<(), meshroute::Report>(())
    /// ```
    pub fn decide(&self, request: &Request<'_>, entropy: u64) -> Decision<'_> {
        walk::decide(&self.tables, request, entropy, &mut Silent)
    }

    /// The same decision, found by looking at one rule after the other: what the rule index is proved against.
    #[doc(hidden)]
    pub fn decide_by_scan(&self, request: &Request<'_>, entropy: u64) -> Decision<'_> {
        walk::decide(&self.tables, request, entropy, &mut Scanning)
    }

    /// What happens to a connection of which no request is known: TCP, or TLS that the proxy does not terminate. Where its
    /// filter chain routes HTTP, the outcome is [`AwaitRequest`](crate::decision::Outcome::AwaitRequest).
    ///
    /// # Complexity
    /// A look-up of the listener, and a few of its filter chain. No allocation.
    pub fn decide_connection(&self, connection: &Connection<'_>, entropy: u64) -> Decision<'_> {
        walk::decide_connection(&self.tables, connection, entropy, &mut Silent)
    }
}

/// The normal form of a path; `None`: a request for it is refused.
#[cfg(test)]
pub(crate) fn normal_form(
    path: &str,
    handling: crate::terms::path_normalization::PathHandling,
) -> Option<String> {
    path::with_normal_form(path, handling, |target| {
        Some(target.ok()?.path().to_owned())
    })
}
