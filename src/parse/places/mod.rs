//! The places of all fields of a document, found by reading its text again: only when a diagnostic asks.

mod index;
mod json;
#[cfg(all(test, feature = "yaml"))]
mod property;
#[cfg(feature = "yaml")]
mod yaml;

use crate::terms::source::ReadPlaces;
use std::sync::Arc;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// YAML; without the feature, the JSON that it may contain.
    Yaml,
    /// JSON.
    Json,
}

impl Format {
    /// How the places of a document's fields are found.
    pub(crate) fn read_places(self) -> ReadPlaces {
        match self {
            #[cfg(feature = "yaml")]
            Self::Yaml => |document| Arc::new(yaml::index(document)),
            #[cfg(not(feature = "yaml"))]
            Self::Yaml => |document| Arc::new(json::index(document)),
            Self::Json => |document| Arc::new(json::index(document)),
        }
    }
}
