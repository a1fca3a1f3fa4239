//! Random configurations and requests: the crate against the executable specification, and its tables against plain scans.

mod differential;
mod index;
mod live;
mod simple_door;
mod space;

#[allow(dead_code)] // each binary uses its part
#[path = "../generate/mod.rs"]
mod generate;
#[allow(dead_code)] // each binary uses its part
#[path = "../spec/mod.rs"]
mod spec;
#[allow(dead_code)] // each binary uses its part
#[path = "../support/mod.rs"]
mod support;
