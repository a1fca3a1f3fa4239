//! The simple door and what it is measured against: a hash map of strings with arrays beside it, and its own parts alone.
#![allow(dead_code)]

use std::collections::HashMap;
use std::fmt::Write as _;

use meshroute::internals::{Answer, SimpleEntry, SimpleTable, SimpleTableBuilder};
use meshroute::terms::weighted::AliasTable;
use meshroute::{Mesh, Proxy, Resources, Router};

/// One host of the measured table.
pub struct Host {
    pub domain: String,
    pub gateways: u16,
    pub weights: Vec<u32>,
    pub split: AliasTable,
    pub destinations: Vec<u32>,
}

/// How many hosts share a VirtualService.
const PER_RESOURCE: usize = 100;
/// The gateway that they are all asked for at.
const GATEWAY: &str = "default/edge";

/// Hosts with one to three destinations each.
pub fn with_splits(domains: Vec<String>) -> Vec<Host> {
    let groups = domains.len().div_ceil(PER_RESOURCE).max(3);
    let weights = |count: usize| (0..count as u32).map(|at| 10 + at * 37);
    let host = |(n, domain): (usize, String)| {
        let group = n % groups;
        let count = 1 + group % 3;
        let first = 3 * group as u32;
        Host {
            domain,
            gateways: 1 | 1 << (n % 5),
            weights: weights(count).collect(),
            split: AliasTable::new(weights(count)).expect("positive weights"),
            destinations: (first..first + count as u32).collect(),
        }
    };
    domains.into_iter().enumerate().map(host).collect()
}

/// A gateway with all of them, as an embedder has it: VirtualServices read, resolved and compiled.
pub fn router(hosts: &[Host]) -> Router {
    let mut text = String::from(
        r#"{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"edge","namespace":"default"},"spec":{"servers":[{"port":{"number":80,"name":"http","protocol":"HTTP"},"hosts":["*"]}]}}"#,
    );
    let groups = hosts.len().div_ceil(PER_RESOURCE).max(3);
    for group in 0..groups.min(hosts.len()) {
        let names: Vec<String> = hosts[group..]
            .iter()
            .step_by(groups)
            .map(|host| format!("\"{}\"", host.domain))
            .collect();
        let destinations = hosts[group].destinations.iter().zip(&hosts[group].weights);
        let destinations: Vec<String> = destinations
            .map(|(number, weight)| {
                format!(
                    r#"{{"destination":{{"host":"{number}.example.com","port":{{"number":80}}}},"weight":{weight}}}"#
                )
            })
            .collect();
        let _ = write!(
            text,
            r#"{{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{{"name":"vs{group}","namespace":"default"}},"spec":{{"gateways":["edge"],"hosts":[{}],"http":[{{"route":[{}]}}]}}}}"#,
            names.join(","),
            destinations.join(",")
        );
    }
    let resources = Resources::from_json(&text).unwrap_or_else(|report| panic!("{report}"));
    let mesh = Mesh::resolve(resources).unwrap_or_else(|report| panic!("{report}"));
    Router::compile(&mesh, &Proxy::gateway("default"))
}

/// The number of the destination that a router says, looked at closely: for checks.
pub fn named(router: &Router, authority: &str, word: u64) -> u32 {
    let destination = router.route_with(authority, GATEWAY, word).ok();
    let number = destination.and_then(|found| found.host().split('.').next()?.parse().ok());
    number.unwrap_or(u32::MAX)
}

/// A number that depends on which destination a router says, without a look at the destination.
#[inline]
pub fn through(router: &Router, authority: &str, word: u64) -> u32 {
    match router.route_with(authority, GATEWAY, word) {
        Ok(destination) => destination.place() as u32,
        Err(_) => u32::MAX,
    }
}

/// The table of the simple door.
pub fn simple_table(hosts: &[Host]) -> SimpleTable {
    let wildcards = hosts
        .iter()
        .filter(|host| host.domain.starts_with('*'))
        .count();
    let mut builder = SimpleTableBuilder::new(hosts.len() - wildcards, wildcards);
    for host in hosts {
        let answer = match host.destinations[..] {
            [destination] => Answer::Destination(destination),
            _ => Answer::Split(&host.split, host.destinations[0]),
        };
        builder.push(SimpleEntry {
            domain: &host.domain,
            gateways: host.gateways,
            answer,
        });
    }
    builder.finish()
}

/// What one would write first: an ahash map from strings to numbers, and arrays by number.
pub struct MapDoor {
    exact: HashMap<Box<str>, u32, ahash::RandomState>,
    wildcards: HashMap<Box<str>, u32, ahash::RandomState>,
    gateways: Vec<u16>,
    /// Where the slots of a host begin in `slots`; they end where the next begin.
    starts: Vec<u32>,
    slots: Vec<u64>,
    destinations: Vec<u32>,
}

impl MapDoor {
    pub fn new(hosts: &[Host]) -> Self {
        let hasher = || ahash::RandomState::with_seeds(1, 2, 3, 4);
        let mut door = MapDoor {
            exact: HashMap::with_hasher(hasher()),
            wildcards: HashMap::with_hasher(hasher()),
            gateways: Vec::new(),
            starts: vec![0],
            slots: Vec::new(),
            destinations: Vec::new(),
        };
        for (number, host) in hosts.iter().enumerate() {
            match host.domain.strip_prefix('*') {
                Some(suffix) => door.wildcards.insert(suffix.into(), number as u32),
                None => door
                    .exact
                    .insert(host.domain.as_str().into(), number as u32),
            };
            door.gateways.push(host.gateways);
            // Thresholds of the cumulative shares: the smallest form that two arrays can have.
            let total: u64 = host.weights.iter().map(|&weight| u64::from(weight)).sum();
            let mut sum = 0;
            for (&weight, &destination) in host.weights.iter().zip(&host.destinations) {
                sum += u64::from(weight);
                door.slots.push(
                    ((u128::from(sum) << 64) / u128::from(total)).min(u128::from(u64::MAX)) as u64,
                );
                door.destinations.push(destination);
            }
            door.starts.push(door.slots.len() as u32);
        }
        door
    }

    #[inline]
    pub fn find(&self, authority: &str, gateway: u16, word: u64) -> u32 {
        let host = strip(authority);
        let mut buffer = [0; 256];
        let Some(host) = fold(host, &mut buffer) else {
            return u32::MAX;
        };
        let Some(number) = self.number(host) else {
            return u32::MAX;
        };
        let number = number as usize;
        if self.gateways[number] & gateway == 0 {
            return u32::MAX;
        }
        let (start, end) = (
            self.starts[number] as usize,
            self.starts[number + 1] as usize,
        );
        let slots = &self.slots[start..end];
        let picked = slots
            .iter()
            .position(|&threshold| word < threshold)
            .unwrap_or(slots.len() - 1);
        self.destinations[start + picked]
    }

    fn number(&self, host: &str) -> Option<u32> {
        if let Some(number) = self.exact.get(host) {
            return Some(*number);
        }
        // Only at dots, which is less than R-H-078 asks.
        let dots = host
            .bytes()
            .enumerate()
            .skip(1)
            .filter(|(_, byte)| *byte == b'.');
        dots.map(|(at, _)| &host[at..])
            .find_map(|suffix| self.wildcards.get(suffix))
            .copied()
    }
}

/// Cuts the port.
#[inline]
pub fn strip(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    }
}

/// Lower case on the stack.
#[inline]
pub fn fold<'b>(host: &str, buffer: &'b mut [u8; 256]) -> Option<&'b str> {
    let folded = buffer.get_mut(..host.len())?;
    folded.copy_from_slice(host.as_bytes());
    folded.make_ascii_lowercase();
    std::str::from_utf8(folded).ok()
}

/// Authorities in one piece of memory, in the order in which they are asked: reading them is streaming.
pub struct Authorities {
    text: String,
    ends: Vec<usize>,
}

impl Authorities {
    pub fn new(authorities: impl IntoIterator<Item = String>) -> Self {
        let mut all = Authorities {
            text: String::new(),
            ends: vec![0],
        };
        for authority in authorities {
            all.text.push_str(&authority);
            all.ends.push(all.text.len());
        }
        all
    }

    pub fn len(&self) -> usize {
        self.ends.len() - 1
    }

    pub fn at(&self, place: usize) -> &str {
        &self.text[self.ends[place]..self.ends[place + 1]]
    }
}
