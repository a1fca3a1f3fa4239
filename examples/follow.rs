//! A router that follows its configuration: a rollout in three changes, a mistake that is refused, and what each costs.
//!
//! `cargo run --release --example follow`

use std::error::Error;
use std::time::Instant;

use meshroute::live::{Changes, LiveRouter};
use meshroute::{Proxy, Resources, Router};

/// The shop's VirtualService with so much of its traffic to the new version, and many others beside it.
fn shop(weight: u32) -> String {
    format!(
        "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop, namespace: default}}
spec:
  hosts: [shop.example.com]
  http:
  - route:
    - {{destination: {{host: shop-v1}}, weight: {}}}
    - {{destination: {{host: shop-v2}}, weight: {weight}}}
",
        100 - weight.min(100)
    )
}

fn others(count: usize) -> String {
    let one = |n: usize| {
        format!(
            r#"{{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{{"name":"other-{n}","namespace":"default"}},"spec":{{"hosts":["other-{n}.example.com"],"http":[{{"route":[{{"destination":{{"host":"other-{n}"}}}}]}}]}}}}"#
        )
    };
    (0..count).map(one).collect::<Vec<_>>().join("\n")
}

/// The share of a thousand requests that goes to the new version, in per cent.
fn share_of_v2(router: &Router) -> usize {
    let to_v2 = (0..1000_u64).filter(|request| {
        let found = router.route_with("shop.example.com", "mesh", *request);
        found.is_ok_and(|to| to.host().starts_with("shop-v2"))
    });
    to_v2.count().div_ceil(10)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut resources = Resources::from_json(&others(5_000))?;
    resources
        .documents
        .extend(Resources::from_yaml(&shop(0))?.documents);
    let (mut live, report) = LiveRouter::new(resources, Proxy::default());
    println!(
        "{} diagnostics, {} % to v2",
        report.len(),
        share_of_v2(live.router())
    );

    // A proxy thread holds a clone: what it decides by does not change under it.
    let held = live.router().clone();
    for weight in [10, 50, 100] {
        let changed = Resources::from_yaml(&shop(weight))?;
        let start = Instant::now();
        let update = live.update(Changes::new().apply_all(changed))?;
        let took = start.elapsed();
        let share = share_of_v2(live.router());
        println!(
            "weight {weight}: {share} % to v2, {:?} after {took:?}",
            update.reach
        );
        assert!(share.abs_diff(weight as usize) <= 4);
    }
    assert_eq!(share_of_v2(&held), 0);

    let mistake = shop(50).replace("shop-v1", "''");
    let (mistake, _) = Resources::builder()
        .yaml("shop.yaml", mistake)
        .build_lenient();
    let refused = live
        .update(Changes::new().apply_all(mistake))
        .expect_err("no host");
    println!("\nrefused, and nothing changed:\n{refused}");
    assert_eq!(share_of_v2(live.router()), 100);
    Ok(())
}
