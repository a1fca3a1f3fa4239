//! What scopes see.
