//! Istio traffic management as an embeddable library: from the YAML that people already write to a routing decision, in
//! nanoseconds and without allocating. The answer is the one that real istiod + Envoy would give.
//!
//! ```
//! # #[cfg(feature = "yaml")] {
//! use meshroute::{Mesh, Proxy, Request, Resources, Router};
//!
//! let yaml = "
//! apiVersion: networking.istio.io/v1
//! kind: VirtualService
//! metadata: {name: shop, namespace: default}
//! spec:
//!   hosts: [shop.example.com]
//!   http: [{match: [{uri: {prefix: /cart}}], route: [{destination: {host: cart}}]}]
//! ";
//! let mesh = Mesh::resolve(Resources::from_yaml(yaml)?)?;
//! let router = Router::compile(&mesh, &Proxy::default());
//! let decision = router.decide(&Request::get("http://shop.example.com/cart/7"), 42);
//! assert_eq!(decision.cluster().map(|one| one.name()), Some("outbound|80||cart.default.svc.cluster.local"));
//! # }
//! # Ok::<(), meshroute::Report>(())
//! ```
//!
//! # Four nouns, four verbs, one direction
//!
//! ```text
//! YAML text                   once per config            once per proxy           once per request
//!    |                              |                          |                         |
//!  parse --> Resources --> resolve --> Mesh --> compile --> Router --> route/decide --> Decision
//!            as written            |   linked,     |        tables,        |
//!                                  |   typed    + Proxy  immutable      + Request
//!                              Diagnostics                              + entropy
//! ```
//!
//! Each fact is decided at the earliest moment at which it is known, and never again: *resolve* settles what is true for
//! everyone (names, delegates, regexes, every error), *compile* what is true for one proxy (visibility, gateways, ports,
//! order, clusters and their policies), *decide* only what depends on the request.
//!
//! | to | use |
//! |---|---|
//! | read YAML or JSON: text, files, directories | [`Resources`], [`ResourcesBuilder`] |
//! | learn everything that is wrong with it | [`Report`], [`Mesh::resolve`], [`Mesh::resolve_lenient`] |
//! | take one proxy's view | [`Proxy`], [`Router::compile`] |
//! | route a host | [`Router::route`], [`Router::route_with`] -> [`Destination`] |
//! | decide a request or a connection | [`Router::decide`], [`Router::decide_connection`] -> [`Decision`] |
//! | carry it out | [`Decision::apply`] |
//! | know why | [`Router::explain`] |
//! | know who had no part in it, and why | [`explain::causes`] |
//! | follow a configuration that changes | [`live::LiveRouter`] |
//! | serve many proxies of one mesh | [`Compiler`] |
//! | choose one of a cluster's endpoints | [`balance`] |
//! | know what a change does to all requests | [`space::diff`], [`space::classes`] |
//! | check a repository, as the command `meshroute` does | [`check`] |
//! | test where requests go | [`suite`] |
//! | write and read an Envoy's configuration | `Router::to_envoy`, `Router::from_envoy` (feature `envoy`) |
//!
//! The [`guide`] has the semantics, the differences from Istio, a glossary, and what an answer costs.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// Here and not in Cargo.toml: what is `pub` in a test or a bench is no surface.
#![warn(unnameable_types, unreachable_pub)]

// `Debug` is declared by a macro of the words.
#[macro_use]
pub mod terms;
// The API as written is declared by the macros of its reader.
#[macro_use]
mod parse;

#[cfg(feature = "http")]
pub mod adapter;
pub mod balance;
#[cfg(feature = "yaml")]
pub mod check;
pub mod decision;
pub mod diagnostic;
#[cfg(feature = "envoy")]
pub mod envoy;
pub mod explain;
pub mod lint;
pub mod live;
pub mod resource;
pub mod router;
pub mod space;
#[cfg(feature = "yaml")]
pub mod suite;

#[allow(dead_code)] // shared with the tests outside, which the published crate has not
#[cfg(all(test, feature = "yaml"))]
mod beside;
mod compile;
mod mesh;
mod resolve;
mod route;

pub use compile::Compiler;
pub use decision::{Decision, Destination, Outcome, RouteError};
pub use diagnostic::{Diagnostic, Report, Severity};
pub use mesh::Mesh;
pub use parse::{Limits, ResourcesBuilder};
pub use resolve::Options;
pub use resource::Resources;
pub use route::{Explanation, Step, TriedRule, UnmetTest};
pub use router::Router;
pub use terms::proxy::Proxy;
pub use terms::request::{Connection, Request};

/// What the tests, benches and fuzzers of this crate ask beside its surface. No promise is kept for it.
#[doc(hidden)]
pub mod internals {
    pub use crate::mesh::gateway::ServerHost;
    pub use crate::router::host_table::{
        Answer, HostTable, SimpleEntry, SimpleTable, SimpleTableBuilder, Target,
    };
    pub use crate::router::rule_index::RuleIndex;
}

/// Chapters to read.
pub mod guide {
    #[doc = include_str!("guide/semantics.md")]
    pub mod semantics {}
    #[doc = include_str!("guide/differences.md")]
    pub mod differences {}
    #[doc = include_str!("guide/gateway_api.md")]
    pub mod gateway_api {}
    #[doc = include_str!("guide/balancing.md")]
    pub mod balancing {}
    #[cfg(feature = "envoy")]
    #[doc = include_str!("guide/envoy.md")]
    pub mod envoy {}
    #[cfg(feature = "yaml")]
    #[doc = include_str!("guide/command.md")]
    pub mod command {}
    #[doc = include_str!("guide/glossary.md")]
    pub mod glossary {}
    #[doc = include_str!("guide/performance.md")]
    pub mod performance {}
    #[doc = include_str!("guide/space.md")]
    pub mod space {}
    #[doc = include_str!("guide/rules/mod.md")]
    pub mod rules {
        #[doc = include_str!("guide/rules/balancing.md")]
        pub mod balancing {}
        #[doc = include_str!("guide/rules/gateway_api.md")]
        pub mod gateway_api {}
        #[doc = include_str!("guide/rules/http.md")]
        pub mod http {}
        #[doc = include_str!("guide/rules/model.md")]
        pub mod model {}
    }
}

#[cfg(all(doctest, feature = "yaml"))]
#[doc = include_str!("../README.md")]
struct Readme;
