//! Which domains a gateway tells apart: every host answers there as the one that fits it best does.
//!
//! If no name among them is the host, all patterns that fit it are suffixes of the longest one that does. So a made-up
//! host that ends like that one and is no name sees the same choice at each step of the walk, and answers for all of them.

use crate::router::host_table::{Answer, SimpleEntry};
use crate::router::{GatewayId, Listener, Tables, View, VirtualHost, place_of};
use crate::terms::hash::{HashMap, HashSet};

use super::answers::Answers;
use super::{OTHER, host_of};

/// With more gateways than this, the domains of a listener are sorted, so that each gateway looks at its own only.
const FEW: usize = 4;

/// The domains of some gateways, with what they answer.
#[derive(Default)]
pub(super) struct Domains<'t> {
    first: HashMap<&'t str, u32>,
    entries: Vec<Entry<'t>>,
}

/// A domain with an answer at some gateways.
struct Entry<'t> {
    written: SimpleEntry<'t>,
    /// One more than the place of another entry of the domain.
    next: u32,
}

impl<'t> Domains<'t> {
    /// Adds a domain at the gateway of this bit, unless it is there.
    pub(super) fn add(
        &mut self,
        domain: &'t str,
        gateway: u16,
        answer: impl FnOnce() -> Answer<'t>,
    ) {
        let first = self.first.entry(domain).or_insert(0);
        let head = *first;
        let mut at = head;
        while let Some(entry) = entry_at(&self.entries, at) {
            if entry.written.gateways & gateway != 0 {
                return;
            }
            at = entry.next;
        }
        let answer = answer();
        at = head;
        while let Some(place) = at.checked_sub(1) {
            let entry = &mut self.entries[place as usize];
            if same(&entry.written.answer, &answer) {
                entry.written.gateways |= gateway;
                return;
            }
            at = entry.next;
        }
        self.entries.push(Entry {
            written: SimpleEntry {
                domain,
                gateways: gateway,
                answer,
            },
            next: head,
        });
        *first = self.entries.len() as u32;
    }

    /// All of them, in the order in which they came.
    pub(super) fn entries(&self) -> impl ExactSizeIterator<Item = SimpleEntry<'t>> {
        self.entries.iter().map(|entry| entry.written)
    }

    /// Makes room for so many domains more.
    fn reserve(&mut self, domains: usize) {
        self.first.reserve(domains);
        self.entries.reserve(domains);
    }
}

fn entry_at<'e, 't>(entries: &'e [Entry<'t>], at: u32) -> Option<&'e Entry<'t>> {
    entries.get(at.checked_sub(1)? as usize)
}

fn same(a: &Answer<'_>, b: &Answer<'_>) -> bool {
    match (a, b) {
        (Answer::Destination(a), Answer::Destination(b)) => a == b,
        // Each split has destinations of its own.
        (Answer::Split(_, a), Answer::Split(_, b)) => a == b,
        (Answer::Elsewhere(a), Answer::Elsewhere(b)) => a == b,
        (Answer::Nowhere(a), Answer::Nowhere(b)) => a == b,
        (Answer::Walk, Answer::Walk) => true,
        _ => false,
    }
}

/// Collects the domains of gateways.
pub(super) struct Collector<'t> {
    tables: &'t Tables,
    /// The domains of all route configurations and chains of a listener, by address of that.
    sorted: Option<HashMap<*const Listener, Vec<&'t str>>>,
}

impl<'t> Collector<'t> {
    pub(super) fn new(tables: &'t Tables, gateways: usize) -> Self {
        Collector {
            tables,
            sorted: (gateways > FEW).then(HashMap::default),
        }
    }

    /// All domains of a gateway; `hosts` are those that decide where a request arrives.
    pub(super) fn collect(
        &mut self,
        gateway: GatewayId,
        hosts: &'t [String],
        answers: &mut Answers<'t>,
        out: &mut Domains<'t>,
    ) {
        let Some((_, view)) = self.tables.side_of(gateway) else {
            return;
        };
        let (_, bit) = place_of(gateway);
        match gateway {
            GatewayId::MESH => {
                let sizes = view.route_configs().map(|config| config.domains_count());
                out.reserve(sizes.sum());
                for config in view.route_configs() {
                    for domain in config.virtual_hosts().flat_map(VirtualHost::domains) {
                        out.add(domain, bit, || answers.of(gateway, &host_of(domain)));
                    }
                }
            }
            _ => self.collect_of_servers(gateway, view, hosts, answers, out),
        }
        for host in hosts {
            out.add(host, bit, || answers.of(gateway, &host_of(host)));
        }
        out.add("*", bit, || answers.of(gateway, OTHER));
    }

    /// What is behind the patterns of its servers: a host that fits a name among them fits no other domain better, and the
    /// same holds for a wildcard and what is around it.
    fn collect_of_servers(
        &mut self,
        gateway: GatewayId,
        view: &'t View,
        patterns: &'t [String],
        answers: &mut Answers<'t>,
        out: &mut Domains<'t>,
    ) {
        let arrivals = self.tables.arrivals.of_servers(gateway).iter();
        let listeners = arrivals.filter_map(|arrival| view.listener(arrival.address, arrival.port));
        let mut seen = HashSet::default();
        let listeners = listeners.filter(|listener| seen.insert(std::ptr::from_ref(*listener)));
        let (_, bit) = place_of(gateway);
        let mut add = |domain: &'t str| {
            let host = host_of(domain);
            if let Ok(arrival) = self.tables.arrivals.of(gateway, &host) {
                out.add(domain, bit, || answers.at(gateway, arrival, &host));
            }
        };
        let Some(sorted) = &mut self.sorted else {
            for listener in listeners {
                view.domains_of(listener).for_each(&mut add);
            }
            return;
        };
        for listener in listeners {
            let all = sorted
                .entry(std::ptr::from_ref(listener))
                .or_insert_with(|| {
                    let mut all: Vec<&str> = view.domains_of(listener).collect();
                    all.sort_by(|a, b| a.bytes().rev().cmp(b.bytes().rev()));
                    all
                });
            for pattern in patterns {
                if let Some(suffix) = pattern.strip_prefix('*') {
                    let start =
                        all.partition_point(|domain| domain.bytes().rev().lt(suffix.bytes().rev()));
                    let behind = all[start..].iter();
                    behind
                        .take_while(|domain| domain.ends_with(suffix))
                        .for_each(|domain| add(domain));
                }
            }
        }
    }
}
