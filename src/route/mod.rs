//! Verb 4: one short walk from a request to a decision.
//!
//! [`Router::decide`] walks in silence, [`Router::explain`] is the same walk with a recorder, and `Router::route` is the
//! short cut for those who only ask for a host at a gateway.

mod answer;
mod apply;
mod cors;
mod explain;
mod headers;
mod matching;
mod observed;
mod path;
mod probe;
mod simple;
mod subject;
mod walk;

use crate::decision::Decision;
use crate::router::Router;
use crate::terms::request::{Connection, Request};

pub use explain::Explanation;
use probe::Silent;

impl Router {
    /// What happens to `request`. Total, pure and deterministic: the same router, request and entropy give the same
    /// decision. `entropy` should be a fresh random word for each request: the split, each mirror and each fault draw from
    /// it independently.
    ///
    /// # Complexity
    /// A table lookup for the host, then linear in the rules of the virtual host up to the one that fits. No allocation.
    ///
    /// ```no_run
    /// # use meshroute::{router::Router, terms::request::Request};
    /// # fn f(router: &Router) {
    /// let request = Request::get("http://shop.example.com/cart").header("x-user", "jane");
    /// assert_eq!(router.decide(&request, 42).position(), Some(0));
    /// # }
    /// ```
    pub fn decide(&self, request: &Request<'_>, entropy: u64) -> Decision<'_> {
        walk::decide(&self.tables, request, entropy, &mut Silent)
    }

    /// What happens to a connection of which no request is known: TCP, or TLS that the proxy does not terminate. Where its
    /// filter chain routes HTTP, the outcome is [`AwaitRequest`](crate::decision::Outcome::AwaitRequest).
    ///
    /// # Complexity
    /// Linear in the filter chains of the listener. No allocation.
    pub fn decide_connection(&self, connection: &Connection<'_>, entropy: u64) -> Decision<'_> {
        walk::decide_connection(&self.tables, connection, entropy, &mut Silent)
    }
}
