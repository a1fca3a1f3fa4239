//! Exact questions about all requests at once: what a change does to traffic.
//!
//! A router answers one request. Here the same tables and the same tests are read for all requests together: whatever rules
//! test of a request (host, path, method, headers, query, claims) falls into finitely many classes, so that first match can be
//! followed for all of them, and what is said of a class is true of each of its requests. See the [guide](crate::guide::space).

mod answer;
mod arrivals;
mod aspect;
mod changes;
mod classes;
mod comparison;
mod describe;
mod effect;
mod hosts;
mod language;
mod list;
mod set;
mod solve;
mod text;
#[cfg(test)]
mod text_tests;
mod universe;
mod witness;

use crate::router::Router;

pub use aspect::Aspect;
pub use changes::{Answer, Change, Changes, NotProved};
pub use classes::{Class, Classes, DeadRule, Goal, classes};
pub use comparison::Comparison;
pub use witness::Witness;

/// Every class of requests that two routers answer differently, each with a request that shows it.
///
/// Nothing is told of what changes no answer: rules in another order that no request can see, resources split or renamed. What
/// is told has been confirmed: both routers have been asked with the [witness](Change::witness). What could not be proved, for
/// its size, is told [as such](Changes::not_proved), and never taken for equal.
///
/// ```
/// # #[cfg(feature = "yaml")] {
/// use meshroute::{Mesh, Proxy, Resources, Router, space};
///
/// let router = |prefix: &str| {
///     let yaml = format!("
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata: {{name: shop, namespace: default}}
/// spec:
///   hosts: [shop.example.com]
///   http:
///   - {{match: [{{uri: {{prefix: {prefix}}}}}], route: [{{destination: {{host: cart}}}}]}}
///   - route: [{{destination: {{host: shop}}}}]
/// ");
///     let mesh = Mesh::resolve(Resources::from_yaml(&yaml)?)?;
///     Ok::<_, meshroute::Report>(Router::compile(&mesh, &Proxy::default()))
/// };
/// let changes = space::diff(&router("/cart")?, &router("/cart/")?);
/// let change = &changes.changes()[0];
/// assert_eq!(change.conditions, ["the path begins with `/cart`, but does not begin with `/cart/`"]);
/// assert_eq!(change.witness.target(), "/cart");
/// assert!(change.before.text.contains("cart") && change.after.text.contains("shop"));
/// # }
/// # Ok::<(), meshroute::Report>(())
/// ```
///
/// # Complexity
/// See [`Comparison::diff`].
pub fn diff(before: &Router, after: &Router) -> Changes {
    Comparison::new().diff(before, after)
}
