//! Istio traffic management as an embeddable library.
#![forbid(unsafe_code)]
