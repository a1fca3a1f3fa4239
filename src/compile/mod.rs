//! Verb 3: one mesh, one proxy, one immutable router. Cannot fail.
