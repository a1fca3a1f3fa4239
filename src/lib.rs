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
//!
//! # Where things are
//!
//! Each directory below `src` is a room; what a room may name of the others is checked by `tests/layers.rs`. One resource has one
//! file name down the pipeline: `gateway.rs` in `resource`, `resolve`, `mesh` and `compile`. A rule of the
//! [rule book](guide::rules) has one place, which cites its id, and so do the tests that prove it: `grep -rn R-H-045 src tests`.
//!
//! | room | what stands there | rules of |
//! |---|---|---|
//! | [`terms`] | what all rooms speak of: hosts, names, requests, policies; the tests of a request (`condition`), splits (`weighted`), regexes | matching, host names, policies |
//! | [`diagnostic`] | codes, places and reports | |
//! | [`resource`] | the API as written | field defaults |
//! | `parse` | from text to resources | |
//! | `resolve` | from resources to the mesh: names, delegates, services, validation; `gateway_api` lowers the Gateway API to Istio's kinds | validation, registry, Gateway API |
//! | `mesh` | typed resources and their indexes: what everyone may see | visibility, Gateways, DestinationRules |
//! | [`lint`] | what is valid and hardly meant | analysis |
//! | `compile` | one proxy's view: `scope`, listeners, claims on domains and their arbitration, clusters | virtual hosts, listeners, clusters |
//! | [`router`] | the tables, in Envoy's model, and their look-ups | virtual host selection, filter chains |
//! | `route` | the one walk, and who watches it: decide, explain, the simple door | canonicalisation, rewrites, headers |
//! | [`decision`] | what comes out, and how it is applied | redirects, replies, headers |
//! | [`live`] | following changes; [`live::Reach::Router`] lists what makes everything anew | |
//! | [`balance`] | one endpoint of a cluster | balancing |
//! | [`space`] | questions about all requests at once | |
//! | `envoy` | Envoy's configuration, written and read | |
//!
//! A new field of a match touches its test in `terms::condition`, its type in [`resource`], its reading in `resolve`, and the
//! rule book. `terms::condition` and `terms::weighted` are surface, not leaks: rules show their matches and splits, and who keeps
//! tables of his own can ask and draw with them.
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
