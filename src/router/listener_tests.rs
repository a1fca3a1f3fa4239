//! Filter chains are chosen step by step (R-M-068).

use super::*;

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
    Listener {
        name: "0.0.0.0_443".into(),
        address: None,
        port: 443,
        chains,
        default_chain: Some(Box::new(chain("default", ChainMatch::default()))),
    }
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
        destinations: vec![Cidr {
            address: address.into(),
            prefix,
        }],
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
