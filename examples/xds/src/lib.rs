//! meshroute under a control plane: an ADS client that keeps a [`meshroute::Router`].
//!
//! ```text
//! istiod --ADS--> client --Any--> types (protobuf -> JSON) --> table --EnvoyConfig--> Router::from_envoy --> watch
//!    ^                |                                          |
//!    +---- ACK, NACK with the report <---------------------------+
//! ```
//!
//! * [`types`]: resources as protobuf, and as the JSON that `meshroute::envoy` reads.
//! * [`table`]: the resources that hold, those that are wanted, and the router that they make. No network.
//! * [`client`]: the two protocols (state of the world, delta), reconnecting.

pub mod client;
pub mod table;
pub mod types;

pub use client::{Client, Event, Options, Variant};
