//! What watches a walk: nothing on the hot path, a recorder for `explain`. One walk, two observers.

use super::subject::Subject;
use crate::decision::Side;
use crate::router::{FilterChain, Listener, RouteConfig, Rule, RuleList, VirtualHost};
use crate::terms::weighted::{Draw, FractionalPercent};

/// An observer of a walk. Every method does nothing unless it is overridden, so that the silent one costs nothing.
pub(super) trait Probe {
    /// It wants to see every rule that does not fit: then no index is asked. An index may only prune, so that the answer
    /// is the same.
    const SEES_EVERY_RULE: bool;

    /// This side of the proxy decides.
    fn side(&mut self, _side: Side) {}
    /// The connection arrives here.
    fn listener(&mut self, _listener: &Listener, _is_fallback: bool) {}
    /// This filter chain takes it.
    fn chain(&mut self, _chain: &FilterChain) {}
    /// The path is matched and forwarded in this form.
    fn path(&mut self, _given: &str, _normal: &str) {}
    /// Whether the walk is to go on into this virtual host: not for one who knows where it ends.
    fn goes_on(&mut self, _host: &VirtualHost) -> bool {
        true
    }
    /// The place of the first rule that fits.
    fn first(&mut self, rules: &RuleList, subject: &Subject<'_, '_>) -> Option<usize> {
        rules.first(subject)
    }
    /// This virtual host answers.
    fn virtual_host(&mut self, _config: &RouteConfig, _authority: &str, _host: &VirtualHost) {}
    /// No virtual host answers.
    fn no_virtual_host(&mut self, _config: &RouteConfig, _authority: &str) {}
    /// The virtual host sends plain text to https.
    fn https_redirect(&mut self) {}
    /// This rule does not fit.
    fn skipped(&mut self, _position: usize, _rule: &Rule, _subject: &Subject<'_, '_>) {}
    /// This rule fits.
    fn matched(&mut self, _position: usize, _rule: &Rule) {}
    /// A lot was drawn.
    fn drawn(&mut self, _draw: Draw, _chance: FractionalPercent, _hit: bool) {}
    /// A destination was drawn.
    fn split(&mut self, _cluster: &str, _weight: u32, _total: u64) {}
}

/// Sees nothing.
pub(super) struct Silent;

impl Probe for Silent {
    const SEES_EVERY_RULE: bool = false;
}

/// Sees nothing, but has every rule looked at: what the index is proved against.
pub(super) struct Scanning;

impl Probe for Scanning {
    const SEES_EVERY_RULE: bool = true;
}
