//! From a cluster to one of its endpoints, as Envoy 1.40 chooses: pure, over an immutable pool.
//!
//! ```text
//! localities with their endpoints --> Pool (priorities, weights, rings and tables, made once)
//! request hash --> priority --> endpoint            (rules R-B-*: the guide's rule book)
//! ```
//! A [`Pool`] is made anew only when endpoints or their health change and is shared by `Arc`; choosing from it neither allocates
//! nor locks. Connections, DNS, timers and active health checks are the embedder's.
//!
//! ```
//! use meshroute::balance::{Algorithm, Endpoint, Locality, Pool, Settings};
//!
//! let endpoints = (1..=3).map(|n| Endpoint::new(format!("10.0.0.{n}:80")));
//! let pool = Pool::new(Settings::new(Algorithm::ring_hash()), [Locality::new("", endpoints)]);
//! let chosen = pool.choose_by_hash(0x1234_5678_9abc_def0, 0).expect("an endpoint is eligible");
//! assert_eq!(chosen.address(), "10.0.0.1:80");
//! ```

mod hash;
mod maglev;
mod pool;
mod priority;
mod ring;
mod weights;

pub use hash::{RequestHash, hash_bytes};
pub use pool::{Algorithm, Endpoint, Health, Locality, Pool, Settings};
