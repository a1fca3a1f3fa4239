//! Listeners and their filter chains, chosen as Envoy chooses them (R-M-068).

use std::net::IpAddr;

use super::chain_index::ChainIndex;
use super::filter_chain::{ChainFacts, Filter, FilterChain, RouteConfigId, TcpProxy};

/// The name of the filter chain of unknown traffic (Istio's).
pub(crate) const FALLTHROUGH: &str = "PassthroughFilterChain";

/// A port (and perhaps an address) that a proxy listens on.
#[derive(Clone)]
pub struct Listener {
    /// `0.0.0.0_80`, `10.0.0.4_3306`, `virtualOutbound`.
    pub(crate) name: Box<str>,
    /// `None`: every address.
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
    chains: Vec<FilterChain>,
    /// `None`: the chains are so few that all are looked at.
    index: Option<ChainIndex>,
    /// Taken when no chain matches.
    default_chain: Option<Box<FilterChain>>,
}

impl Listener {
    /// A listener at `address` (`None`: every one) and `port`; `default_chain` gets what none of the others asks for.
    ///
    /// # Complexity
    /// Linear in what the chains ask for.
    pub(crate) fn new(
        name: impl Into<Box<str>>,
        address: Option<IpAddr>,
        port: u16,
        chains: Vec<FilterChain>,
        default_chain: Option<FilterChain>,
    ) -> Self {
        Listener {
            name: name.into(),
            address,
            port,
            index: ChainIndex::new(&chains),
            chains,
            default_chain: default_chain.map(Box::new),
        }
    }

    /// Its filter chains, the default one last.
    pub fn chains(&self) -> impl Iterator<Item = &FilterChain> {
        self.chains.iter().chain(self.default_chain.as_deref())
    }

    /// Its filter chains, and the default one.
    #[cfg(feature = "envoy")]
    pub(crate) fn parts(&self) -> (&[FilterChain], Option<&FilterChain>) {
        (&self.chains, self.default_chain.as_deref())
    }

    /// The proxy of bytes of the chain at a place in [`chains`](Self::chains).
    pub(crate) fn tcp_at(&self, place: usize) -> Option<&TcpProxy> {
        let chain = self.chains.get(place).or(self.default_chain.as_deref())?;
        chain.tcp()
    }

    /// The place of the chain that has this proxy of bytes.
    pub(crate) fn place_of_tcp(&self, proxy: &TcpProxy) -> usize {
        // The chain that an element of it belongs to, by address.
        let (Some(first), size) = (self.chains.first(), size_of::<FilterChain>()) else {
            return 0;
        };
        let start = std::ptr::from_ref(first).addr();
        let place = std::ptr::from_ref(proxy).addr().checked_sub(start);
        let place = place.map_or(self.chains.len(), |bytes| bytes / size);
        let chain = self.chains.get(place).and_then(FilterChain::tcp);
        match chain.is_some_and(|own| std::ptr::eq(own, proxy)) {
            true => place,
            false => self.chains.len(),
        }
    }

    /// Heap bytes of what chains are found by.
    pub(super) fn index_memory_usage(&self) -> usize {
        self.index.as_ref().map_or(0, ChainIndex::memory_usage)
    }

    /// Envoy's name: `0.0.0.0_80`, `10.0.0.4_3306`, `virtualOutbound`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address that it listens on; `None`: every one.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens.
    pub(crate) fn place(&self) -> super::Place {
        (self.port, self.address)
    }

    /// The first route configuration among its filter chains.
    pub(crate) fn route_config(&self) -> Option<RouteConfigId> {
        self.chains().find_map(|chain| match chain.filter {
            Filter::Http(config) => Some(config),
            Filter::Tcp(_) => None,
        })
    }

    /// Whether it has one HTTP chain, and what is not HTTP goes where unknown traffic goes.
    pub(crate) fn is_plain_http(&self) -> bool {
        let is_http =
            matches!(self.chains.as_slice(), [only] if matches!(only.filter, Filter::Http(_)));
        let default = self.default_chain.as_deref();
        is_http && default.is_some_and(|chain| chain.name() == FALLTHROUGH)
    }

    /// The filter chain of a connection: by longest destination prefix, then server name (exact, longest wildcard, none),
    /// transport protocol, application protocol. What is best at one step is final: if nothing fits at a later step, only
    /// the default chain remains (R-M-068).
    ///
    /// # Complexity
    /// A few look-ups, however many chains there are. No allocation.
    pub(crate) fn chain(&self, facts: &ChainFacts<'_>) -> Option<&FilterChain> {
        let chosen = match &self.index {
            None => best(&self.chains, |chain| chain.matches.score(facts)),
            Some(index) => {
                let places = index.candidates(facts).iter();
                let chains = places.filter_map(|&place| self.chains.get(place as usize));
                best(chains, |chain| chain.matches.protocol_score(facts))
            }
        };
        chosen.or(self.default_chain.as_deref())
    }
}

/// The first chain with the greatest score, compared from left to right: what choosing step by step finds. None of a chosen
/// one is 0.
fn best<'c, const STEPS: usize>(
    chains: impl IntoIterator<Item = &'c FilterChain>,
    score: impl Fn(&FilterChain) -> [u32; STEPS],
) -> Option<&'c FilterChain> {
    let mut best: Option<([u32; STEPS], &FilterChain)> = None;
    for chain in chains {
        let score = score(chain);
        if best.is_none_or(|(other, _)| score > other) {
            best = Some((score, chain));
        }
    }
    let chosen = best.filter(|(score, _)| !score.contains(&0));
    chosen.map(|(_, chain)| chain)
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
