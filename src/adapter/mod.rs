//! The types of other crates at the doors of this one. Each file is a feature, and uses nothing but what is public.

pub mod http;
