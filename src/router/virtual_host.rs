//! One virtual host: its domains and its rules in the order that decides.

use std::sync::Arc;

use crate::terms::condition::RequestMatch;
use crate::terms::name::ResourceName;

use super::action::Action;

/// Hosts and the ordered rules that answer for them.
#[derive(Clone, Debug)]
pub struct VirtualHost {
    /// Envoy's name: `host:port`, `allow_any`, `block_all`, ...
    pub(crate) name: Box<str>,
    /// Lower-case domains, exact or `*suffix`.
    pub(crate) domains: Box<[Box<str>]>,
    /// `httpsRedirect`: plain-text requests are sent to https before any rule is looked at (R-H-065).
    pub(crate) require_tls: bool,
    pub(crate) rules: Arc<[Rule]>,
}

/// One match and one action.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `<http name>[.<match name>]`, `default`, `allow_any`, `block_all` (R-H-035).
    pub(crate) name: Arc<str>,
    /// Where it was written; `None` for the default route of a service.
    pub(crate) virtual_service: Option<ResourceName>,
    pub(crate) matches: Arc<RequestMatch>,
    pub(crate) action: Arc<Action>,
}

impl VirtualHost {
    /// Envoy's name: `host:port`, `allow_any`, `block_all`, ...
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lower-case domains, exact or `*suffix`.
    pub fn domains(&self) -> impl ExactSizeIterator<Item = &str> {
        self.domains.iter().map(|domain| &**domain)
    }

    /// Whether plain-text requests are sent to https before any rule is looked at (R-H-065).
    pub fn requires_tls(&self) -> bool {
        self.require_tls
    }

    /// Its rules in the order that decides.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether it is what a sidecar falls back to for a host that nothing claims (R-H-052).
    pub fn is_fallback(&self) -> bool {
        matches!(&*self.name, "allow_any" | "block_all")
    }
}

impl Rule {
    /// `<http name>[.<match name>]`, `default`, `allow_any`, `block_all`; empty where nothing is named (R-H-035).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The VirtualService that wrote it; `None` for the default route of a service.
    pub fn virtual_service(&self) -> Option<&ResourceName> {
        self.virtual_service.as_ref()
    }

    /// What it asks of a request.
    pub fn matches(&self) -> &RequestMatch {
        &self.matches
    }

    /// What it does.
    pub fn action(&self) -> &Action {
        &self.action
    }
}
