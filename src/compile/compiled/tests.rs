//! What an update shares with the router before it, and what it leaves of what is gone.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::live::{Changes, LiveRouter, Reach};
use crate::resource::Kind;
use crate::router::{ClusterId, Router, View, VirtualHost};
use crate::{Proxy, Request, Resources};

const HOSTS: usize = 300;

fn manifest(n: usize, to: &str) -> String {
    format!(
        r#"{{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {{"name": "vs{n}", "namespace": "default"}},
  "spec": {{"gateways": ["mesh", "edge"], "hosts": ["h{n}.example.com"], "http": [{{"route": [{{"destination": {{"host": "{to}"}}}}]}}]}}}}"#
    )
}

fn live() -> LiveRouter {
    let gateway = r#"{"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "edge", "namespace": "default"},
  "spec": {"servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}}"#;
    let mut texts: Vec<String> = (0..HOSTS).map(|n| manifest(n, "before")).collect();
    texts.push(gateway.to_owned());
    let resources =
        Resources::from_json(&texts.join("\n")).unwrap_or_else(|report| panic!("{report}"));
    LiveRouter::new(resources, Proxy::default()).0
}

fn views(router: &Router) -> [&View; 2] {
    let tables = &router.tables;
    [&tables.mesh, &tables.gateway].map(|view| view.as_ref().expect("both sides"))
}

/// The addresses of all virtual hosts of a side.
fn virtual_hosts(view: &View) -> HashSet<*const VirtualHost> {
    let configs = view.route_configs();
    configs
        .flat_map(|config| config.virtual_hosts())
        .map(std::ptr::from_ref)
        .collect()
}

#[test]
fn every_virtual_host_that_a_change_does_not_touch_is_shared() {
    let mut live = live();
    let before = live.router().clone();
    let changed = Resources::from_json(&manifest(7, "after")).expect("valid");
    let update = live
        .update(Changes::new().apply_all(changed))
        .expect("valid");
    // One on each side.
    assert_eq!(update.reach, Reach::VirtualHosts(2));
    for (old, new) in views(&before).into_iter().zip(views(live.router())) {
        let (old_hosts, new_hosts) = (virtual_hosts(old), virtual_hosts(new));
        assert!(old_hosts.len() >= HOSTS);
        assert_eq!(old_hosts.difference(&new_hosts).count(), 1);
        assert_eq!(new_hosts.difference(&old_hosts).count(), 1);
        // And no listener is another one.
        let pairs = old.listeners().iter().zip(new.listeners());
        assert!(pairs.into_iter().all(|(a, b)| Arc::ptr_eq(a, b)));
    }
    let leads_to = |router: &Router, host: &str| {
        let found = router.route_with(host, "mesh", 0).expect("routed");
        found.host().to_owned()
    };
    let names = |to: &str| format!("{to}.default.svc.cluster.local");
    assert_eq!(leads_to(live.router(), "h7.example.com"), names("after"));
    assert_eq!(leads_to(live.router(), "h8.example.com"), names("before"));
    assert_eq!(leads_to(&before, "h7.example.com"), names("before"));
}

/// How many services come and go in [`services_that_come_and_go_leave_nothing`], so many at a time.
const SERVICES: usize = if cfg!(debug_assertions) {
    2_000
} else {
    100_000
};
const AT_A_TIME: usize = 100;

/// A service with a plain port, one that is detected, and one for bytes; a VirtualService that leads to it and to a host
/// that nobody has; a DestinationRule with a subset.
fn service(n: usize) -> String {
    let [a, b] = [n / 250 % 250, n % 250];
    format!(
        r#"{{"apiVersion": "v1", "kind": "Service", "metadata": {{"name": "s{n}", "namespace": "default"}}, "spec": {{"clusterIP": "10.1.{a}.{b}", "ports": [
  {{"name": "http", "port": 80}}, {{"name": "any", "port": {}}}, {{"name": "tcp", "port": {}}}]}}}}
{{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {{"name": "v{n}", "namespace": "default"}},
  "spec": {{"gateways": ["mesh", "edge"], "hosts": ["v{n}.example.com"], "http": [{{"match": [{{"uri": {{"prefix": "/a"}}}}], "route": [{{"destination": {{"host": "nobody{n}"}}}}]}},
    {{"route": [{{"destination": {{"host": "s{n}", "subset": "v1", "port": {{"number": 80}}}}}}]}}]}}}}
{{"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {{"name": "d{n}", "namespace": "default"}},
  "spec": {{"host": "s{n}", "subsets": [{{"name": "v1", "labels": {{"version": "v1"}}}}]}}}}"#,
        7000 + n % 50,
        9000 + n % 2000,
    )
}

fn gone(n: usize) -> [(Kind, String); 3] {
    [
        (Kind::VirtualService, format!("v{n}")),
        (Kind::DestinationRule, format!("d{n}")),
        (Kind::Service, format!("s{n}")),
    ]
}

fn changes(come: &[String], gone: impl IntoIterator<Item = (Kind, String)>) -> Changes {
    let come = Resources::from_json(&come.join("\n")).unwrap_or_else(|report| panic!("{report}"));
    let changes = Changes::new().apply_all(come);
    let gone = gone.into_iter();
    gone.fold(changes, |changes, (kind, name)| {
        changes.delete(kind, "default", &name)
    })
}

fn ids(router: &Router) -> HashMap<String, ClusterId> {
    let all = router.clusters();
    all.map(|(id, cluster)| (format!("{} {}", cluster.name(), id.side()), id))
        .collect()
}

#[test]
fn services_that_come_and_go_leave_nothing() {
    let gateway = r#"{"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "edge", "namespace": "default"},
  "spec": {"servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}}"#;
    // A service that stays, in the middle of the others.
    let stays = SERVICES;
    let first: Vec<String> = (0..AT_A_TIME).chain([stays]).map(service).collect();
    let first = Resources::from_json(&[gateway, &first.join("\n")].join("\n"))
        .unwrap_or_else(|report| panic!("{report}"));
    let (mut live, report) = LiveRouter::new(first, Proxy::default());
    assert!(!report.has_errors(), "{report}");
    let before = live.router().clone();
    let url = format!("http://v{stays}.example.com/");
    let request = Request::get(&url);
    let held = before.decide(&request, 7);
    let of_one_that_goes = Request::get("http://v7.example.com/");
    let held_of_gone = before.decide(&of_one_that_goes, 7);
    let cluster = |n: usize| format!("outbound|80|v1|s{n}.default.svc.cluster.local");
    let stable = |all: &HashMap<String, ClusterId>| {
        let mut own: Vec<_> = all
            .iter()
            .filter(|(name, _)| name.contains(&format!("s{stays}.")))
            .map(|(name, id)| (name.clone(), *id))
            .collect();
        own.sort();
        own
    };
    let all = ids(&before);
    let own = stable(&all);
    assert_eq!(
        own.len(),
        2 * 3 * 2,
        "three ports with a subset, on both sides"
    );
    let at_first = (all.len(), before.memory_usage().total());
    let mut most = (0, 0);
    for round in 1..SERVICES / AT_A_TIME {
        let start = round * AT_A_TIME;
        let come: Vec<String> = (start..start + AT_A_TIME).map(service).collect();
        let leave = (start - AT_A_TIME..start).flat_map(gone);
        live.update(changes(&come, leave))
            .unwrap_or_else(|report| panic!("{report}"));
        let all = ids(live.router());
        assert_eq!(stable(&all), own, "round {round}");
        most.0 = most.0.max(live.router().tables.clusters.len());
        most.1 = most.1.max(live.router().memory_usage().total());
    }
    // Those that come are made before those that go are gone.
    assert!(most.0 <= 3 * at_first.0, "{most:?} of {at_first:?}");
    assert!(most.1 <= 3 * at_first.1, "{most:?} of {at_first:?}");
    // Who holds a decision keeps it.
    assert_eq!(held.cluster().map(|it| it.name()), Some(&*cluster(stays)));
    assert_eq!(
        held_of_gone.cluster().map(|it| it.name()),
        Some(&*cluster(7))
    );
    // In the end there is what there is in a router that has been nothing else.
    let last = (SERVICES - AT_A_TIME..SERVICES).flat_map(gone);
    live.update(changes(&[], last))
        .unwrap_or_else(|report| panic!("{report}"));
    let anew = Router::compile(live.mesh(), live.proxy());
    for router in [live.router(), &anew] {
        let decision = router.decide(&request, 7);
        assert_eq!(
            decision.cluster().map(|it| it.name()),
            Some(&*cluster(stays))
        );
        let decision = router.decide(&of_one_that_goes, 7);
        assert!(decision.cluster().is_none_or(|it| it.name() != cluster(7)));
    }
    let existing = |router: &Router| {
        let existing = router.clusters().filter(|(_, cluster)| cluster.exists());
        existing
            .map(|(_, cluster)| cluster.name().to_owned())
            .collect::<HashSet<String>>()
    };
    assert_eq!(existing(live.router()), existing(&anew));
}

#[test]
fn what_waits_for_its_turn_keeps_its_clusters() {
    let claim = |name: &str, to: &str| {
        format!(
            r#"{{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {{"name": "{name}", "namespace": "default"}},
  "spec": {{"hosts": ["both.example.com"], "http": [{{"route": [{{"destination": {{"host": "{to}"}}}}]}}]}}}}"#
        )
    };
    // Of one host the first VirtualService owns it: the other has rules that nothing looks at, to a cluster that nothing has.
    let texts = [claim("a", "nobody-a"), claim("b", "nobody-b"), service(0)];
    let resources =
        Resources::from_json(&texts.join("\n")).unwrap_or_else(|report| panic!("{report}"));
    let (mut live, _) = LiveRouter::new(resources, Proxy::sidecar("default"));
    let leads_to = |router: &Router| {
        let request = Request::get("http://both.example.com/");
        let decision = router.decide(&request, 0);
        decision.cluster().map(|cluster| cluster.name().to_owned())
    };
    let name = |to: &str| Some(format!("outbound|80||{to}.default.svc.cluster.local"));
    assert_eq!(leads_to(live.router()), name("nobody-a"));
    for n in 1..400 {
        live.update(changes(&[service(n)], gone(n - 1)))
            .unwrap_or_else(|report| panic!("{report}"));
    }
    assert_eq!(leads_to(live.router()), name("nobody-a"));
    let first = (Kind::VirtualService, "a".to_owned());
    live.update(changes(&[], [first]))
        .unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(leads_to(live.router()), name("nobody-b"));
}
