//! Which domains a gate tells apart: every host answers there as the one that fits it best does.
//!
//! If no name among them is the host, all patterns that fit it are suffixes of the longest one that does. So a made-up
//! host that ends like that one and is no name sees the same choice at each step of the walk, and answers for all of them.

use crate::router::host_table::Answer;
use crate::router::{Filter, Listener, RouteConfig, Tables, View, VirtualHost};
use crate::terms::hash::HashMap;

use super::gates::{Arrival, Gate, GatewayGate};
use super::writer::{Known, Writer};

/// With more gates than this, the domains of a listener are sorted, so that each gate looks at its own only.
const FEW_GATES: usize = 4;

/// The domains of some gates, with what they answer.
#[derive(Default)]
pub(super) struct Domains<'t> {
    first: HashMap<&'t str, u32>,
    pub entries: Vec<Entry<'t>>,
}

/// A domain with an answer at some gates.
pub(super) struct Entry<'t> {
    pub domain: &'t str,
    pub gates: u16,
    pub answer: Answer<'t>,
    /// One more than the place of another entry of the domain.
    next: u32,
}

/// All texts that are in no table, so that domains can be borrowed.
pub(super) struct Texts {
    /// For each gate.
    pub names: Vec<Vec<String>>,
}

impl Texts {
    pub fn new(gates: &[Gate]) -> Self {
        let of_gate = |gate: &Gate| match gate {
            Gate::Mesh(mesh) => mesh.own.iter().map(|(name, _)| name).collect(),
            Gate::Gateway(gateway) => gateway.patterns().collect(),
        };
        Texts {
            names: gates.iter().map(of_gate).collect(),
        }
    }
}

impl<'t> Domains<'t> {
    /// Adds a domain at a gate, unless it is there.
    pub fn add(&mut self, domain: &'t str, gate: u16, answer: impl FnOnce() -> Answer<'t>) {
        let first = self.first.entry(domain).or_insert(0);
        let head = *first;
        let mut at = head;
        while let Some(entry) = entry_at(&self.entries, at) {
            if entry.gates & gate != 0 {
                return;
            }
            at = entry.next;
        }
        let answer = answer();
        at = head;
        while let Some(place) = at.checked_sub(1) {
            let entry = &mut self.entries[place as usize];
            if same(&entry.answer, &answer) {
                entry.gates |= gate;
                return;
            }
            at = entry.next;
        }
        self.entries.push(Entry {
            domain,
            gates: gate,
            answer,
            next: head,
        });
        *first = self.entries.len() as u32;
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

/// Collects the domains of gates.
pub(super) struct Collector<'t> {
    tables: &'t Tables,
    /// The domains of all route configurations and chains of a listener, by address of that.
    sorted: Option<HashMap<*const Listener, Vec<Found<'t>>>>,
}

/// A domain of a listener.
#[derive(Clone, Copy)]
struct Found<'t> {
    domain: &'t str,
    known: Option<Known<'t>>,
}

impl<'t> Collector<'t> {
    pub fn new(tables: &'t Tables, gates: usize) -> Self {
        Collector {
            tables,
            sorted: (gates > FEW_GATES).then(HashMap::default),
        }
    }

    /// All domains of a gate; `names` are those that are in no table.
    pub fn collect(
        &mut self,
        (gate, bit): (&Gate, u16),
        names: &'t [String],
        writer: &mut Writer<'t>,
        out: &mut Domains<'t>,
    ) {
        let view = gate.view(self.tables);
        match (gate, view) {
            (Gate::Mesh(_), Some(view)) => {
                let sizes = view.route_configs().map(|config| config.domains_count());
                out.reserve(sizes.sum());
                for config in view.route_configs() {
                    for domain in config.virtual_hosts().flat_map(VirtualHost::domains) {
                        out.add(domain, bit, || writer.answer(gate, &super::host_of(domain)));
                    }
                }
            }
            (Gate::Gateway(gateway), Some(view)) => {
                self.collect_gateway((gate, gateway, bit), view, writer, out);
            }
            (_, None) => {}
        }
        for name in names {
            out.add(name, bit, || writer.answer(gate, &super::host_of(name)));
        }
        out.add("*", bit, || writer.answer(gate, super::OTHER));
    }

    /// What is behind the patterns of its servers: a host that fits a name among them fits no other domain better, and the
    /// same holds for a wildcard and what is around it.
    fn collect_gateway(
        &mut self,
        (gate, gateway, bit): (&Gate, &GatewayGate, u16),
        view: &'t View,
        writer: &mut Writer<'t>,
        out: &mut Domains<'t>,
    ) {
        let servers = gateway.servers(self.tables);
        let mut listeners: Vec<&'t Listener> = Vec::new();
        for server in servers {
            let arrival = Arrival::at(server);
            let listener = view.listener(arrival.address, arrival.port);
            if let Some(listener) = listener
                && !listeners.iter().any(|other| std::ptr::eq(*other, listener))
            {
                listeners.push(listener);
            }
        }
        let mut add = |found: Found<'t>| {
            let host = super::host_of(found.domain);
            if let Ok((arrival, _)) = gate.arrival(self.tables, &host) {
                let answer = || writer.answer_of(gate, arrival, &host, found.known);
                out.add(found.domain, bit, answer);
            }
        };
        let Some(sorted) = &mut self.sorted else {
            for listener in listeners {
                domains_of(view, listener).for_each(&mut add);
            }
            return;
        };
        for listener in listeners {
            let all = sorted
                .entry(std::ptr::from_ref(listener))
                .or_insert_with(|| {
                    let mut all: Vec<Found<'t>> = domains_of(view, listener).collect();
                    all.sort_by(|a, b| a.domain.bytes().rev().cmp(b.domain.bytes().rev()));
                    all
                });
            for pattern in gateway.patterns() {
                if let Some(suffix) = pattern.strip_prefix('*') {
                    let start = all.partition_point(|found| {
                        found.domain.bytes().rev().lt(suffix.bytes().rev())
                    });
                    let behind = all[start..].iter();
                    behind
                        .take_while(|found| found.domain.ends_with(suffix))
                        .for_each(|&found| add(found));
                }
            }
        }
    }
}

/// The domains that the chains of a listener route by, and their server names.
fn domains_of<'t>(view: &'t View, listener: &'t Listener) -> impl Iterator<Item = Found<'t>> {
    let chains = || listener.chains();
    let names = chains().flat_map(|chain| &chain.matches.server_names);
    let names = names.map(|name| Found {
        domain: name,
        known: None,
    });
    let mut configs: Vec<&RouteConfig> = Vec::new();
    let mut seen = crate::terms::hash::HashSet::default();
    for chain in chains() {
        if let Filter::Http(id) = chain.filter()
            && seen.insert(*id)
        {
            configs.push(view.route_config(*id));
        }
    }
    let domains = configs.into_iter().flat_map(|config| {
        config.virtual_hosts().flat_map(move |host| {
            let known = Some(Known { config, host });
            host.domains().map(move |domain| Found { domain, known })
        })
    });
    domains.chain(names)
}
