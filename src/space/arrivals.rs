//! The connections of two proxies by where they lead: for each port and address that either listens at, and one where none
//! does, by what filter chains are chosen by (R-M-068).

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::decision::Side;
use crate::router::{
    ChainFacts, Filter, FilterChain, Listener, Place, RouteConfig, TcpProxy, Transport, View,
};
use crate::terms::hash::HashMap;
use crate::terms::host;
use crate::terms::request::{Protocol, Tls};

/// A connection, as far as a filter chain is chosen by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) side: Side,
    pub(super) port: u16,
    pub(super) address: Option<IpAddr>,
    pub(super) tls: Tls,
    pub(super) server_name: Option<String>,
    pub(super) application_protocol: Option<String>,
    /// What is spoken; `None`: no HTTP.
    pub(super) protocol: Option<Protocol>,
}

/// Where a connection leads.
#[derive(Clone, Copy)]
pub(super) enum Reached<'r> {
    /// It is closed.
    Nothing,
    Http(&'r RouteConfig),
    Tcp(&'r TcpProxy),
}

/// Connections that lead to the same two places.
pub(super) struct Arrivals<'r> {
    pub(super) all: Vec<Arrival>,
    pub(super) before: Reached<'r>,
    pub(super) after: Reached<'r>,
}

/// Both places, whether over TLS, and the port where rules see it.
type Key = ([(u8, usize); 2], bool, Option<u16>);

/// Connections of one group that are named; the others are counted.
const MOST_NAMED: usize = 64;

impl<'r> Reached<'r> {
    fn of(view: Option<&'r View>, arrival: &Arrival) -> Self {
        let Some(view) = view else {
            return Reached::Nothing;
        };
        let Some(listener) = view.listener(arrival.address, arrival.port) else {
            return Reached::Nothing;
        };
        let is_tls = arrival.tls != Tls::None;
        let detected = match (is_tls, arrival.protocol) {
            (false, Some(Protocol::Http1)) => Some("http/1.1"),
            (false, Some(Protocol::Http2)) => Some("h2c"),
            _ => arrival.application_protocol.as_deref(),
        };
        let protocols: &[&str] = match &detected {
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let chain = listener.chain(&ChainFacts {
            address: arrival.address,
            server_name: arrival.server_name.as_deref(),
            transport: match is_tls {
                true => Transport::Tls,
                false => Transport::Plaintext,
            },
            application_protocols: protocols,
        });
        let Some(chain) = chain else {
            return Reached::Nothing;
        };
        match chain.filter() {
            _ if chain.terminates_tls() && !is_tls => Reached::Nothing,
            Filter::Tcp(proxy) => Reached::Tcp(proxy),
            Filter::Http(_) if is_tls && !chain.terminates_tls() => Reached::Nothing,
            Filter::Http(config) => Reached::Http(view.route_config(*config)),
        }
    }

    fn key(self) -> (u8, usize) {
        match self {
            Reached::Nothing => (0, 0),
            Reached::Http(config) => (1, std::ptr::from_ref(config).addr()),
            Reached::Tcp(proxy) => (2, std::ptr::from_ref(proxy).addr()),
        }
    }
}

/// All connections to one side of two proxies, those together that lead to the same two places.
pub(super) fn groups<'r>(side: Side, views: [Option<&'r View>; 2]) -> Vec<Arrivals<'r>> {
    let mut groups: Vec<Arrivals<'r>> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::default();
    let says_port = views
        .into_iter()
        .flatten()
        .any(|view| view.manager().appends_port);
    for place in listened(views) {
        for arrival in at(side, views, place) {
            let [before, after] = views.map(|view| Reached::of(view, &arrival));
            let key = (
                [before.key(), after.key()],
                arrival.tls != Tls::None,
                says_port.then_some(arrival.port),
            );
            match places.get(&key) {
                Some(&group) => {
                    // A connection without HTTP stands for those with it only where there are none.
                    let all = &mut groups[group].all;
                    if all.len() < MOST_NAMED {
                        all.push(arrival);
                    }
                }
                None => {
                    places.insert(key, groups.len());
                    groups.push(Arrivals {
                        all: vec![arrival],
                        before,
                        after,
                    });
                }
            }
        }
    }
    groups
}

/// The places where a listener is, of each port the one at no address in particular, and one where none is.
fn listened(views: [Option<&View>; 2]) -> BTreeSet<Place> {
    let listeners = views
        .into_iter()
        .flatten()
        .flat_map(|view| view.listeners().iter());
    let mut places: BTreeSet<Place> = BTreeSet::new();
    for listener in listeners {
        places.insert(listener.place());
        places.insert((listener.port(), None));
    }
    let ports: BTreeSet<u16> = places.iter().map(|(port, _)| *port).collect();
    let free = (1..=u16::MAX).rev().find(|port| !ports.contains(port));
    places.extend(free.map(|port| (port, None)));
    places
}

/// The connections to a place that a filter chain of either proxy could tell apart.
fn at(side: Side, views: [Option<&View>; 2], place: Place) -> Vec<Arrival> {
    let (port, address) = place;
    let listener = |view: Option<&'_ View>, address| {
        view.and_then(|view| view.listener(address, port))
            .map(std::sync::Arc::as_ptr)
    };
    let here = views.map(|view| listener(view, address));
    let listeners: Vec<&Listener> = views
        .iter()
        .copied()
        .flatten()
        .filter_map(|view| view.listener(address, port))
        .map(|listener| &**listener)
        .collect();
    let chains = || listeners.iter().flat_map(|listener| listener.chains());
    let mut addresses: BTreeSet<Option<IpAddr>> = [address].into();
    if address.is_none() {
        for range in chains().flat_map(|chain| &chain.matches.destinations) {
            if range.prefix_len() > 0 {
                // Ranges lie within each other or apart: an end of one is in no smaller one, or the other end is.
                addresses.extend([range.network(), range.broadcast()].map(Some));
            }
        }
        addresses.retain(|address| {
            address.is_none() || views.map(|view| listener(view, *address)) == here
        });
    }
    let mut arrivals = Vec::new();
    for address in addresses {
        let is_eligible = |chain: &&FilterChain| {
            let destinations = &chain.matches.destinations;
            destinations.is_empty()
                || destinations.iter().any(|range| {
                    range.prefix_len() == 0
                        || address.is_some_and(|address| range.contains(&address))
                })
        };
        let eligible: Vec<&FilterChain> = chains().filter(is_eligible).collect();
        let protocols: BTreeSet<&str> = eligible
            .iter()
            .flat_map(|chain| {
                chain
                    .matches
                    .application_protocols
                    .iter()
                    .map(|name| &**name)
            })
            .collect();
        let plain = Arrival {
            side,
            port,
            address,
            tls: Tls::None,
            server_name: None,
            application_protocol: None,
            protocol: Some(Protocol::Http1),
        };
        if protocols.contains("h2c") {
            arrivals.push(Arrival {
                protocol: Some(Protocol::Http2),
                ..plain.clone()
            });
        }
        arrivals.push(Arrival {
            protocol: None,
            ..plain.clone()
        });
        arrivals.insert(arrivals.len().saturating_sub(1), plain.clone());
        let names: BTreeSet<&str> = eligible
            .iter()
            .flat_map(|chain| chain.server_names())
            .collect();
        let mut server_names: BTreeSet<Option<String>> =
            names.iter().map(|name| sample(name, &names)).collect();
        server_names.extend([None, Some("no-such-name.invalid".to_owned())]);
        for server_name in server_names {
            let offered = protocols.iter().map(|name| Some((*name).to_owned()));
            for application_protocol in [None].into_iter().chain(offered) {
                arrivals.push(Arrival {
                    tls: Tls::Tls,
                    server_name: server_name.clone(),
                    application_protocol,
                    ..plain.clone()
                });
            }
        }
    }
    arrivals
}

/// A server name that this pattern fits best among `names`.
fn sample(pattern: &str, names: &BTreeSet<&str>) -> Option<String> {
    let Some(suffix) = pattern.strip_prefix('*') else {
        return Some(pattern.to_owned());
    };
    let own = host::fit(pattern, &format!("any{suffix}"));
    let mut candidates = (0..100).map(|n| match n {
        0 => format!("any{suffix}"),
        n => format!("any{n}{suffix}"),
    });
    let fits_best = |name: &String| {
        names
            .iter()
            .all(|other| *other == pattern || host::fit(other, name) < own)
    };
    candidates.find(fits_best)
}
