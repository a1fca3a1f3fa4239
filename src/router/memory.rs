//! What a router weighs, part by part.

use super::{Action, Cluster, ClusterTls, Filter, Router, RuleList, View, VirtualHost};
use crate::terms::hash::HashSet;

/// Heap bytes of the parts of a router. What several parts share counts once; what is shared with the mesh (matches, policies,
/// regexes, endpoints) does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryUsage {
    /// The settled answers of [`Router::route`], with the tables that say where a host is asked for.
    pub simple_door: usize,
    /// From hosts to virtual hosts, of all route configurations.
    pub host_tables: usize,
    /// Virtual hosts: names and domains.
    pub virtual_hosts: usize,
    /// Rules and their actions.
    pub rules: usize,
    /// Indexes over the rules.
    pub rule_indexes: usize,
    /// Clusters, with the table that has them by id: names, settings and places of endpoints.
    pub clusters: usize,
    /// Listeners and filter chains.
    pub listeners: usize,
}

impl MemoryUsage {
    /// The sum of all parts.
    pub fn total(&self) -> usize {
        self.simple_door
            + self.host_tables
            + self.virtual_hosts
            + self.rules
            + self.rule_indexes
            + self.clusters
            + self.listeners
    }
}

impl Router {
    /// Heap bytes, part by part.
    ///
    /// # Complexity
    /// Linear in the size of the router; allocates.
    pub fn memory_usage(&self) -> MemoryUsage {
        let mut scales = Scales {
            sum: MemoryUsage {
                simple_door: self.tables.arrivals.memory_usage() + self.tables.door.memory_usage(),
                ..MemoryUsage::default()
            },
            seen: HashSet::default(),
        };
        for view in [&self.tables.mesh, &self.tables.gateway]
            .into_iter()
            .flatten()
        {
            scales.view(view);
        }
        scales.sum.clusters = self.tables.clusters.memory_usage();
        for (_, cluster) in self.tables.clusters.iter() {
            scales.cluster(cluster);
        }
        scales.sum
    }
}

struct Scales {
    sum: MemoryUsage,
    /// Addresses of what was weighed already.
    seen: HashSet<*const ()>,
}

impl Scales {
    fn is_new<T>(&mut self, value: &T) -> bool {
        self.seen.insert(std::ptr::from_ref(value).cast())
    }

    fn view(&mut self, view: &View) {
        for listener in view.listeners() {
            self.sum.listeners += size_of_val(&**listener) + listener.name.len();
            self.sum.listeners += listener.index_memory_usage();
            for chain in listener.chains() {
                let names = chain.matches.server_names.iter().map(|name| name.len());
                self.sum.listeners += size_of_val(chain) + chain.name.len() + names.sum::<usize>();
                if let Filter::Tcp(proxy) = chain.filter() {
                    self.sum.listeners += proxy.split.memory_usage();
                }
            }
        }
        for config in view.route_configs() {
            self.sum.host_tables += config.memory_usage();
            for host in config.virtual_hosts() {
                self.virtual_host(host);
            }
        }
    }

    fn virtual_host(&mut self, host: &VirtualHost) {
        if !self.is_new(host) {
            return;
        }
        let domains = host
            .domains()
            .map(|domain| size_of::<Box<str>>() + domain.len());
        self.sum.virtual_hosts += counted(host) + host.name().len() + domains.sum::<usize>();
        let list = host.rule_list();
        if self.is_new(list) {
            self.rules(list);
        }
    }

    fn cluster(&mut self, cluster: &Cluster) {
        let (facts, endpoints) = (&*cluster.facts, &*cluster.endpoints);
        if self.is_new(facts) {
            self.sum.clusters += counted(facts) + facts.name.len();
            if let ClusterTls::Always(tls) | ClusterTls::Automatic(tls) = &facts.tls {
                let texts = [&tls.sni, &tls.crl].into_iter().flatten();
                self.sum.clusters += texts.map(|text| text.len()).sum::<usize>();
            }
            if self.is_new(&*facts.settings) {
                self.sum.clusters += counted(&*facts.settings);
            }
        }
        if self.is_new(endpoints) {
            let lists = size_of_val(&*endpoints.groups) + size_of_val(&*endpoints.members);
            self.sum.clusters += counted(endpoints) + lists + endpoints.port_name.len();
        }
    }

    fn rules(&mut self, list: &RuleList) {
        self.sum.rules += counted(list) + size_of_val(list.as_slice());
        self.sum.rule_indexes += list.index_memory_usage();
        for rule in list.as_slice() {
            if !self.is_new(rule.action()) {
                continue;
            }
            self.sum.rules += counted(rule.action());
            if let Action::Forward(forward) = rule.action() {
                self.sum.rules +=
                    size_of_val(&*forward.mirrors) + size_of_val(&*forward.hash_policy);
                self.sum.rules += forward.split.memory_usage();
            }
        }
    }
}

/// Bytes of what stands behind an `Arc`, with its two counters.
fn counted<T>(value: &T) -> usize {
    size_of_val(value) + 2 * size_of::<usize>()
}
