//! Istio traffic management as an embeddable library.
#![forbid(unsafe_code)]

pub mod compile;
pub mod decision;
pub mod diagnostic;
pub mod mesh;
pub mod parse;
pub mod resolve;
pub mod resource;
pub mod route;
pub mod router;
pub mod terms;
