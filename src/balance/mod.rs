//! From a cluster to one of its endpoints, as Envoy 1.40 chooses: pure, over an immutable pool.
//!
//! ```text
//! Cluster --> Pool (priorities, weights, rings, tables: made once for each endpoint set)
//!               |
//!             State (atomics: requests under way, outcomes, ejections, limits)  <-- Worker (one a thread: whose turn it is)
//!               |
//! entropy, hash, tried, now --> choose --> Lease --> finish(how it ended, now)
//! ```
//! No clock, no generator, no lock: time and randomness are handed in. Connections, DNS, timers and active health checks are the
//! caller's. Rules R-B-*: see the [chapter](crate::guide::balancing) and the [rule book](crate::guide::rules::balancing).
//!
//! ```
//! # #[cfg(feature = "yaml")] {
//! use std::time::Duration;
//! use meshroute::balance::{Choice, Ended, Pool, State, Worker};
//! use meshroute::{Mesh, Proxy, Request, Resources, Router};
//!
//! let yaml = "
//! apiVersion: networking.istio.io/v1
//! kind: ServiceEntry
//! metadata: {name: shop, namespace: default}
//! spec:
//!   hosts: [shop.example.com]
//!   ports: [{number: 80, name: http, protocol: HTTP}]
//!   resolution: STATIC
//!   endpoints: [{address: 10.0.0.1}, {address: 10.0.0.2}]
//! ";
//! let router = Router::compile(&Mesh::resolve(Resources::from_yaml(yaml)?)?, &Proxy::default());
//! let request = Request::get("http://shop.example.com/");
//! let decision = router.decide(&request, 42);
//! let cluster = decision.cluster().expect("it is forwarded");
//!
//! let now = Duration::from_secs(1); // the caller's clock
//! let state = State::new(Pool::new(cluster), now); // one a cluster, shared
//! let mut worker = Worker::new(7); // one a thread
//! let choice = Choice::new(42).hash(decision.request_hash(&request)).at(now);
//! let lease = state.choose(&mut worker, &choice).expect("an endpoint is healthy");
//! assert!(["10.0.0.1:80", "10.0.0.2:80"].contains(&lease.target().to_string().as_str()));
//! assert_eq!(state.active(lease.place().expect("one of the pool's")), 1);
//! lease.finish(Ended::Status(200), now);
//! # }
//! # Ok::<(), meshroute::Report>(())
//! ```

mod atomics;
mod counters;
mod edf;
mod ejection;
mod ended;
mod keys;
mod lease;
mod limits;
mod maglev;
mod members;
mod outlier;
mod pool;
mod priority;
mod ring;
mod state;
mod table;
mod target;
mod time;
mod tracked;
mod view;
mod weights;
mod worker;
mod zone;

pub use crate::terms::request_hash::{RequestHash, hash_bytes};
pub use ended::Ended;
pub use lease::Lease;
pub use limits::{Limit, Overflow, Permit};
pub use pool::Pool;
pub use state::State;
pub use target::{EndpointId, Target};
pub use tracked::Health;
pub use worker::{Choice, Worker};
