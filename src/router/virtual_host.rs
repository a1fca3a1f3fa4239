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
