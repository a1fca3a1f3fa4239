//! Which filter chains of a listener a connection could get, of thousands: by its destination address, then by its server
//! name. An index may only prune: among the few that are left, transport and application protocol decide as in a scan
//! (R-M-068).

use ipnet::IpNet;
use std::net::IpAddr;
use std::ops::Range;

use super::filter_chain::{ChainFacts, ChainMatch, FilterChain};
use super::host_table::HostTable;
use crate::terms::hash::HashMap;

/// The chains of a listener by what they ask of destination and server name.
#[derive(Clone, Debug)]
pub(super) struct ChainIndex {
    /// Those that ask for a destination, by network.
    networks: HashMap<IpNet, ByServerName>,
    /// Lengths of the networks' prefixes, longest first.
    prefixes: Box<[u8]>,
    /// Those that any destination fits.
    anywhere: ByServerName,
}

/// Chains that ask for the same destination.
#[derive(Clone, Debug, Default)]
struct ByServerName {
    /// From server names to places in `groups`.
    names: HostTable,
    groups: Box<[Range<u32>]>,
    /// Those that any server name fits, or none.
    unnamed: Range<u32>,
    /// Places among the chains of the listener, in its order within each group.
    places: Box<[u32]>,
}

impl ChainIndex {
    /// The index of these chains; `None`: they ask for so little that looking at all of it is as fast.
    pub(super) fn new(chains: &[FilterChain]) -> Option<Self> {
        const FEW: usize = 8;
        let asked = chains.iter().map(|chain| {
            let asked = &chain.matches;
            1 + asked.destinations.len() + asked.server_names.len()
        });
        (asked.sum::<usize>() > FEW).then(|| Self::of(chains))
    }

    pub(super) fn of(chains: &[FilterChain]) -> Self {
        let mut networks: HashMap<IpNet, Vec<u32>> = HashMap::default();
        let mut anywhere: Vec<u32> = Vec::new();
        for (place, chain) in (0..).zip(chains) {
            let destinations = &chain.matches.destinations;
            // A prefix of no bits asks for nothing.
            if destinations.is_empty() || destinations.iter().any(|range| range.prefix_len() == 0) {
                anywhere.push(place);
            }
            for range in destinations.iter().filter(|range| range.prefix_len() > 0) {
                let group = networks.entry(range.trunc()).or_default();
                if group.last() != Some(&place) {
                    group.push(place);
                }
            }
        }
        let mut prefixes: Vec<u8> = networks.keys().map(IpNet::prefix_len).collect();
        prefixes.sort_unstable_by(|a, b| b.cmp(a));
        prefixes.dedup();
        let networks = networks.into_iter();
        ChainIndex {
            networks: networks
                .map(|(network, places)| (network, ByServerName::new(chains, &places)))
                .collect(),
            prefixes: prefixes.into(),
            anywhere: ByServerName::new(chains, &anywhere),
        }
    }

    /// The places of the chains that fit destination and server name of a connection best: none but these can get it.
    ///
    /// # Complexity
    /// A look-up for each length of a destination prefix, and one in a [`HostTable`]. No allocation.
    pub(super) fn candidates(&self, facts: &ChainFacts<'_>) -> &[u32] {
        let within = |address: IpAddr| {
            let mut prefixes = self.prefixes.iter();
            prefixes.find_map(|&prefix| {
                let range = IpNet::new(address, prefix).ok()?;
                self.networks.get(&range.trunc())
            })
        };
        facts
            .address
            .and_then(within)
            .unwrap_or(&self.anywhere)
            .find(facts.server_name.unwrap_or_default())
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        let groups = self.networks.values().chain([&self.anywhere]);
        let groups = groups.map(|group| {
            size_of::<ByServerName>()
                + group.names.memory_usage()
                + size_of_val(&*group.groups)
                + size_of_val(&*group.places)
        });
        groups.sum::<usize>() + self.prefixes.len()
    }
}

impl ByServerName {
    fn new(chains: &[FilterChain], among: &[u32]) -> Self {
        let mut numbers: HashMap<String, u32> = HashMap::default();
        let mut named: Vec<(String, Vec<u32>)> = Vec::new();
        let mut places: Vec<u32> = Vec::new();
        for &place in among {
            let asked: &ChainMatch = &chains[place as usize].matches;
            let names = &asked.server_names;
            if names.is_empty() || names.iter().any(|name| &**name == "*") {
                places.push(place);
            }
            for name in names.iter().filter(|name| &***name != "*") {
                let name = name.to_ascii_lowercase();
                let number = *numbers.entry(name).or_insert_with_key(|name| {
                    named.push((name.clone(), Vec::new()));
                    named.len() as u32 - 1
                });
                let group = &mut named[number as usize].1;
                if group.last() != Some(&place) {
                    group.push(place);
                }
            }
        }
        let unnamed = 0..places.len() as u32;
        let mut groups = Vec::with_capacity(named.len());
        for (_, group) in &named {
            let start = places.len() as u32;
            places.extend(group);
            groups.push(start..places.len() as u32);
        }
        let names = named.iter().map(|(name, _)| name.as_str());
        ByServerName {
            names: HostTable::new(names.zip(0..)),
            groups: groups.into(),
            unnamed,
            places: places.into(),
        }
    }

    fn find(&self, server_name: &str) -> &[u32] {
        let number = self.names.find_host(server_name);
        let group = number.and_then(|number| self.groups.get(number as usize));
        let range = group.unwrap_or(&self.unnamed);
        let range = range.start as usize..range.end as usize;
        self.places.get(range).unwrap_or_default()
    }
}
