//! Which clusters something of one side of a proxy still names: the rules and filter chains of its view, and the claims that
//! wait for their turn. What nothing names, and the proxy has not by itself, need not be kept.

use crate::router::{Action, ClusterId, Filter, Rule, RuleList, Split, View};
use crate::terms::hash::HashSet;

/// The clusters that are named, and what it took to find them.
#[derive(Debug, Default)]
pub(super) struct References {
    clusters: HashSet<ClusterId>,
    /// Lists that have been walked: virtual hosts and claims share them.
    lists: HashSet<*const RuleList>,
    walked: usize,
}

impl References {
    /// What the chains and virtual hosts of a view name.
    ///
    /// # Complexity
    /// Linear in the chains and rules.
    pub(super) fn add_view(&mut self, view: &View) {
        for chain in view.chains() {
            self.walked += 1;
            match chain.filter() {
                Filter::Tcp(proxy) => self.add_split(&proxy.split),
                // All route configurations follow.
                Filter::Http(_) => {}
            }
        }
        let hosts = view.route_configs();
        let hosts = hosts.flat_map(|config| config.virtual_hosts());
        hosts.for_each(|host| self.add_list(host.rule_list()));
    }

    /// What a list of rules names.
    pub(super) fn add_list(&mut self, list: &RuleList) {
        self.walked += 1;
        if self.lists.insert(list) {
            self.add_rules(list.as_slice());
        }
    }

    /// What rules name.
    pub(super) fn add_rules(&mut self, rules: &[Rule]) {
        self.walked += rules.len();
        for rule in rules {
            match rule.action() {
                Action::Forward(forward) => {
                    self.add_split(forward.split());
                    let mirrors = forward.mirrors().iter();
                    self.clusters.extend(mirrors.map(|mirror| mirror.cluster()));
                }
                Action::Redirect(_) | Action::Respond(_) => {}
            }
        }
    }

    fn add_split(&mut self, split: &Split) {
        let clusters = split.clusters().map(|weighted| weighted.cluster());
        self.clusters.extend(clusters);
    }

    /// Whether something names this cluster.
    pub(super) fn has(&self, cluster: ClusterId) -> bool {
        self.clusters.contains(&cluster)
    }

    /// How much was looked at.
    pub(super) fn walked(&self) -> usize {
        self.walked
    }
}
