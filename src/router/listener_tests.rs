//! Filter chains are chosen step by step (R-M-068).

use std::sync::Arc;

use super::super::filter_chain::{ChainMatch, Transport};
use super::*;
use crate::router::View;
use crate::terms::connection_manager::ConnectionManager;
use ipnet::IpNet;
use proptest::prelude::*;

fn chain(name: &str, matches: ChainMatch) -> FilterChain {
    FilterChain {
        name: name.into(),
        matches,
        terminates_tls: false,
        filter: Filter::Http(RouteConfigId(0)),
    }
}

fn names(list: &[&str]) -> Vec<Box<str>> {
    list.iter().map(|&name| name.into()).collect()
}

fn sni(list: &[&str]) -> ChainMatch {
    ChainMatch {
        server_names: names(list),
        ..ChainMatch::default()
    }
}

fn listener(chains: Vec<FilterChain>) -> Listener {
    let default_chain = chain("default", ChainMatch::default());
    Listener::new("0.0.0.0_443", None, 443, chains, Some(default_chain))
}

fn facts<'a>(server_name: &'a str, application_protocols: &'a [&'a str]) -> ChainFacts<'a> {
    ChainFacts {
        address: Some(IpAddr::from([10, 1, 2, 3])),
        server_name: Some(server_name),
        transport: Transport::Tls,
        application_protocols,
    }
}

fn chosen<'l>(listener: &'l Listener, facts: &ChainFacts<'_>) -> &'l str {
    listener.chain(facts).map_or("none", FilterChain::name)
}

#[test]
fn r_m_068_server_names_exact_then_longest_wildcard_then_none() {
    let listener = listener(vec![
        chain("none", ChainMatch::default()),
        chain("com", sni(&["*.com"])),
        chain("example", sni(&["*.example.com", "other.org"])),
        chain("exact", sni(&["a.example.com"])),
    ]);
    assert_eq!(chosen(&listener, &facts("A.example.com", &[])), "exact");
    assert_eq!(chosen(&listener, &facts("x.b.example.com", &[])), "example");
    assert_eq!(chosen(&listener, &facts("other.org", &[])), "example");
    assert_eq!(chosen(&listener, &facts("example.com", &[])), "com");
    assert_eq!(chosen(&listener, &facts("org", &[])), "none");
    assert_eq!(chosen(&listener, &facts(".com", &[])), "none");
}

#[test]
fn r_m_068_longest_destination_comes_first_and_is_final() {
    let within = |address: [u8; 4], prefix, names| ChainMatch {
        destinations: vec![IpNet::new(std::net::IpAddr::from(address), prefix).expect("a prefix")],
        ..sni(names)
    };
    let listener = listener(vec![
        chain("wide", within([10, 0, 0, 0], 8, &["a.com"])),
        chain("narrow", within([10, 1, 2, 0], 24, &["b.com"])),
        chain("rest", sni(&["c.com"])),
    ]);
    assert_eq!(chosen(&listener, &facts("b.com", &[])), "narrow");
    // The narrow prefix is chosen before the names are looked at: no way back to the wide one.
    assert_eq!(chosen(&listener, &facts("a.com", &[])), "default");
    assert_eq!(chosen(&listener, &facts("c.com", &[])), "default");
    let nobody = ChainFacts {
        address: None,
        ..facts("c.com", &[])
    };
    assert_eq!(chosen(&listener, &nobody), "rest");
}

#[test]
fn r_m_068_transport_and_application_protocol() {
    let sniffed = ChainMatch {
        transport: Some(Transport::Plaintext),
        application_protocols: names(&["http/1.1", "h2c"]),
        ..ChainMatch::default()
    };
    let mut listener = listener(vec![
        chain("http", sniffed),
        chain("tcp", ChainMatch::default()),
    ]);
    let plain = |protocols| ChainFacts {
        transport: Transport::Plaintext,
        ..facts("", protocols)
    };
    assert_eq!(chosen(&listener, &plain(&["http/1.1"])), "http");
    // Plain text that is not HTTP: the transport protocol has decided for the first chain.
    assert_eq!(chosen(&listener, &plain(&[])), "default");
    assert_eq!(chosen(&listener, &facts("", &["h2"])), "tcp");
    listener.default_chain = None;
    assert!(listener.chain(&plain(&[])).is_none());
}

/// What a random chain asks for, out of few things, so that chains often ask for the same and for more or less of it.
fn asked() -> impl Strategy<Value = ChainMatch> {
    let bits = prop_oneof![Just(0_u8), Just(8), Just(16), Just(24), Just(32)];
    let range = (0_u8..2, 0_u8..2, bits, proptest::bool::weighted(0.1)).prop_map(
        |(b, d, prefix, is_v6)| {
            let address = match is_v6 {
                false => IpAddr::from([10, b, 0, d]),
                true => IpAddr::from([0xfd00, b.into(), 0, 0, 0, 0, 0, d.into()]),
            };
            IpNet::new(address, prefix).expect("a prefix")
        },
    );
    let name = prop_oneof![
        4 => "(\\*|\\*\\.|)[abA]{1,2}(\\.[ab]{1,2}){0,2}",
        1 => Just("*".to_owned())
    ];
    let transport = prop_oneof![
        2 => Just(None),
        1 => Just(Some(Transport::Tls)),
        1 => Just(Some(Transport::Plaintext))
    ];
    let protocols = proptest::sample::subsequence(vec!["h2", "http/1.1", "istio"], 0..3);
    let list = |most| 0..most;
    (
        proptest::collection::vec(range, list(3)),
        proptest::collection::vec(name, list(4)),
        transport,
        protocols,
    )
        .prop_map(
            |(destinations, server_names, transport, protocols)| ChainMatch {
                destinations,
                server_names: server_names.into_iter().map(String::into).collect(),
                transport,
                application_protocols: names(&protocols),
            },
        )
}

proptest! {
    #[test]
    fn r_m_068_the_index_finds_what_a_scan_finds(
        asked in proptest::collection::vec(asked(), 0..30),
        hosts in proptest::collection::vec("[abB]{0,3}(\\.[ab]{1,2}){0,3}", 12),
    ) {
        let chains = (0..).zip(asked);
        let chains = chains.map(|(place, asked): (u32, _)| chain(&place.to_string(), asked));
        let scanned = Listener { index: None, ..listener(chains.collect()) };
        let indexed = Listener { index: Some(ChainIndex::of(&scanned.chains)), ..scanned.clone() };
        let addresses = [
            None,
            Some(IpAddr::from([10, 0, 0, 1])),
            Some(IpAddr::from([10, 1, 9, 1])),
            Some(IpAddr::from([10, 1, 0, 0])),
            Some(IpAddr::from([192, 168, 0, 1])),
            Some(IpAddr::from([0xfd00, 1, 0, 0, 0, 0, 0, 1])),
        ];
        for host in hosts.iter().map(|host| Some(host.as_str())).chain([None]) {
            for address in addresses {
                for transport in [Transport::Tls, Transport::Plaintext] {
                    for application_protocols in [&[][..], &["h2", "http/1.1"], &["istio"]] {
                        let facts = ChainFacts { address, server_name: host, transport, application_protocols };
                        prop_assert_eq!(chosen(&indexed, &facts), chosen(&scanned, &facts), "{:?}", facts);
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn a_connection_finds_its_address_then_every_address_then_the_fallback(
        places in proptest::collection::btree_set((1_u16..5, proptest::option::of(0_u8..4)), 0..12),
    ) {
        let address = |last: u8| IpAddr::from([10, 0, 0, last]);
        let open = |&(port, last): &(u16, Option<u8>)| {
            Arc::new(Listener::new("", last.map(address), port, Vec::new(), None))
        };
        let fallback = Arc::new(Listener::new("fallback", None, 0, Vec::new(), None));
        let view = View::new(
            places.iter().rev().map(open).collect(),
            Some(fallback),
            Vec::new(),
            ConnectionManager::default(),
        );
        for port in 0..6 {
            for last in [None, Some(0), Some(1), Some(2), Some(3), Some(9)] {
                let found = view.listener(last.map(address), port);
                let found = found.map(|found| (found.port(), found.address()));
                let own = places.get(&(port, last)).or_else(|| places.get(&(port, None)));
                let expected = own.map_or((0, None), |&(port, last)| (port, last.map(address)));
                prop_assert_eq!(found, Some(expected));
            }
        }
    }
}
