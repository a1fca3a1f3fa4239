//! The Gateway API (`gateway.networking.k8s.io`), as written. Defaults of its CRDs are not filled in here: an absent field is
//! absent.

mod gateway;
mod http_route;
mod policy;
mod reference;
mod routes;

pub use gateway::*;
pub use http_route::*;
pub use policy::*;
pub use reference::*;
pub use routes::*;
