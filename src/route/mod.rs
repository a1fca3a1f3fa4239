//! Verb 4: one short walk from a request to a decision.
