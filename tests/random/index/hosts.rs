//! Host tables against a scan over the domains (R-H-076..R-H-080).

use meshroute::internals::{Answer, HostTable, SimpleEntry, SimpleTableBuilder, Target};
use meshroute::terms::host::without_port;
use meshroute::terms::weighted::AliasTable;
use proptest::prelude::*;

/// The rule as written: exact, then the longest suffix with at least one byte before it, then `*`.
fn naive(domains: &[(String, u32)], authority: &str) -> Option<u32> {
    let host = without_port(authority).to_ascii_lowercase();
    let exact = domains
        .iter()
        .find(|(domain, _)| !domain.starts_with('*') && *domain == host);
    let wildcard = || {
        let fits = |domain: &str| {
            domain.strip_prefix('*').is_some_and(|suffix| {
                !suffix.is_empty() && host.len() > suffix.len() && host.ends_with(suffix)
            })
        };
        let mut best: Option<&(String, u32)> = None;
        for candidate in domains.iter().filter(|(domain, _)| fits(domain)) {
            if best.is_none_or(|best| best.0.len() < candidate.0.len()) {
                best = Some(candidate);
            }
        }
        best
    };
    let any = || domains.iter().find(|(domain, _)| domain == "*");
    exact.or_else(wildcard).or_else(any).map(|found| found.1)
}

fn borrowed(domains: &[(String, u32)]) -> impl Iterator<Item = (&str, u32)> + Clone {
    domains
        .iter()
        .map(|(domain, value)| (domain.as_str(), *value))
}

/// Names from few letters, so that suffixes overlap; some longer than 64 bytes.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[ab]{1,2}(\\.[ab]{1,2}){0,7}",
        2 => "[ab.-]{1,8}",
        1 => "[ab]{60,66}\\.[ab]{1,3}(\\.[ab]{1,2}){0,2}",
    ]
}

fn domain() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => name(),
        2 => name().prop_map(|name| format!("*.{name}")),
        1 => name().prop_map(|name| format!("*{name}")),
        1 => Just("*".to_owned()),
    ]
}

fn domains() -> impl Strategy<Value = Vec<(String, u32)>> {
    prop::collection::vec(domain(), 0..40)
        .prop_map(|domains| domains.into_iter().zip(0..).collect())
}

fn authority() -> impl Strategy<Value = String> {
    let case = prop_oneof![Just(0), Just(1), Just(2)];
    (
        name(),
        prop_oneof![3 => Just(""), 2 => Just(":80"), 1 => Just(":x")],
        case,
    )
        .prop_map(|(name, port, case)| {
            let name = match case {
                0 => name,
                1 => name.to_ascii_uppercase(),
                _ => name.replacen('a', "A", 1),
            };
            format!("{name}{port}")
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(super::cases(400)))]

    #[test]
    fn r_h_077_exact_then_longest_suffix_then_any(domains in domains(), authorities in prop::collection::vec(authority(), 30)) {
        let table = HostTable::new(borrowed(&domains));
        for authority in &authorities {
            prop_assert_eq!(table.find(authority), naive(&domains, authority), "{}", authority);
        }
    }

    #[test]
    fn an_updated_table_equals_a_new_one(
        before in domains(),
        changes in prop::collection::vec((domain(), prop::option::of(0_u32..9)), 0..20),
        authorities in prop::collection::vec(authority(), 30),
    ) {
        let mut after = before.clone();
        for (domain, value) in &changes {
            after.retain(|(other, _)| other != domain);
            after.extend(value.map(|value| (domain.clone(), value)));
        }
        let table = HostTable::new(borrowed(&before)).update(changes.iter().map(|(domain, value)| (domain.as_str(), *value)));
        for authority in &authorities {
            prop_assert_eq!(table.find(authority), naive(&after, authority), "{}", authority);
        }
    }

    #[test]
    fn the_simple_table_is_a_host_table_per_gateway_with_its_splits(
        domains in prop::collection::vec((domain(), 1_u16..8, prop::collection::vec(1_u32..9, 1..9)), 0..30),
        authorities in prop::collection::vec(authority(), 30),
        gateway in 0_u32..3,
        words in prop::collection::vec(any::<u64>(), 30),
        changed in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let splits: Vec<AliasTable> = domains.iter().map(|(_, _, weights)| AliasTable::new(weights.iter().copied()).unwrap()).collect();
        let answer = |place: usize, turn: u32| match (place + turn as usize) % 7 {
            4 => Answer::Elsewhere(place as u32),
            5 => Answer::Nowhere(place as u32),
            6 => Answer::Walk,
            _ if domains[place].2.len() == 1 => Answer::Destination(place as u32 * 10 + turn),
            _ => Answer::Split(&splits[place], place as u32 * 10 + turn),
        };
        let entry = |place: usize, turn: u32| SimpleEntry { domain: &domains[place].0, gateways: domains[place].1, answer: answer(place, turn) };
        let mut builder = SimpleTableBuilder::new(domains.len(), domains.len());
        for place in 0..domains.len() {
            builder.push(entry(place, 0));
        }
        let table = builder.finish();
        // Some of the names get the answers of another turn.
        let mut names: Vec<&str> = Vec::new();
        for index in changed.iter().filter(|_| !domains.is_empty()) {
            let name = domains[index.index(domains.len())].0.as_str();
            if !name.starts_with('*') && !names.contains(&name) {
                names.push(name);
            }
        }
        let places = (0..domains.len()).filter(|&place| names.contains(&domains[place].0.as_str()));
        let updated = table.update(names.iter().copied(), places.map(|place| entry(place, 1)));
        let mut numbered = Vec::new();
        for (place, (domain, gateways, _)) in domains.iter().enumerate() {
            if gateways >> gateway & 1 == 1 {
                numbered.push((domain.clone(), place as u32));
            }
        }
        for (authority, &word) in authorities.iter().zip(&words) {
            let place = naive(&numbered, authority).map(|place| place as usize);
            let expected = |turn: u32| place.map(|place| match answer(place, turn) {
                Answer::Destination(number) => Target::Destination(number),
                Answer::Split(split, first) => Target::Picked(first + split.pick(word) as u32),
                Answer::Elsewhere(number) => Target::Elsewhere(number),
                Answer::Nowhere(why) => Target::Nowhere(why),
                Answer::Walk => Target::Walk,
            });
            prop_assert_eq!(table.find(authority, 1 << gateway, || word), expected(0), "{}", authority);
            let turn = u32::from(place.is_some_and(|place| names.contains(&domains[place].0.as_str())));
            prop_assert_eq!(updated.find(authority, 1 << gateway, || word), expected(turn), "{}", authority);
        }
    }
}

#[test]
fn a_large_table_finds_all_its_hosts_and_no_others() {
    let domains: Vec<(String, u32)> = (0..20_000)
        .map(|n| match n % 4 {
            0 => (format!("*.team-{n}.example.com"), n),
            _ => (format!("svc-{n}.ns-{}.svc.cluster.local", n % 97), n),
        })
        .collect();
    let table = HostTable::new(borrowed(&domains));
    assert_eq!(table.len(), domains.len());
    for (domain, value) in &domains {
        let host = domain.replacen('*', "X.y", 1);
        assert_eq!(table.find(&host), Some(*value), "{host}");
        assert_eq!(table.find(&format!("{host}:8080")), Some(*value));
        assert_eq!(table.find(&format!("{host}x")), None);
    }
    let per_host = table.memory_usage() / domains.len();
    assert!(per_host <= 100, "{per_host} bytes a host");
}

#[test]
fn one_change_among_many_hosts_shares_the_rest() {
    let domains: Vec<(String, u32)> = (0..20_000)
        .map(|n| (format!("svc-{n}.example.com"), n))
        .collect();
    let table = HostTable::new(borrowed(&domains));
    let changed = table.update([("svc-77.example.com", None), ("new.example.com", Some(7))]);
    assert_eq!(changed.find("svc-77.example.com"), None);
    assert_eq!(changed.find("new.example.com"), Some(7));
    assert_eq!(table.find("svc-77.example.com"), Some(77));
    assert_eq!(changed.len(), table.len());
    let grown = (0..30).fold(HostTable::default(), |table, batch| {
        let domains: Vec<(String, u32)> = (0..1000)
            .map(|n| (format!("{batch}.{n}.example.com"), batch * 1000 + n))
            .collect();
        table.update(borrowed(&domains).map(|(domain, value)| (domain, Some(value))))
    });
    assert_eq!(grown.len(), 30_000);
    assert_eq!(grown.find("17.503.example.com"), Some(17_503));
}
