//! What an update shares with the router before it.

use std::collections::HashSet;
use std::sync::Arc;

use crate::live::{Changes, LiveRouter, Reach};
use crate::router::{Router, View, VirtualHost};
use crate::{Proxy, Resources};

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
