//! The seed, routed: Services, a split by host, a split by subset, a Gateway. Prints for each of the four steps the
//! destinations and a measured distribution.
//!
//! ```text
//! cargo run --release --example quickstart
//! ```

use std::collections::BTreeMap;
use std::error::Error;

use meshroute::{Mesh, Proxy, Resources, Router};

const SERVICES: &str = include_str!("version/services.yaml");
const STEPS: [(&str, &str); 4] = [
    ("Services alone", ""),
    (
        "a VirtualService splits 10/90 over two hosts",
        include_str!("version/split-by-host.yaml"),
    ),
    (
        "a DestinationRule splits 10/90 over two subsets",
        include_str!("version/split-by-subset.yaml"),
    ),
    (
        "a Gateway binds the split to ssup2.com",
        include_str!("version/gateway.yaml"),
    ),
];
const REQUESTS: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    for (number, (title, yaml)) in (1..).zip(STEPS) {
        println!("{number}. {title}");
        let resources = Resources::from_yaml(&format!("{SERVICES}---\n{yaml}"))?;
        let mesh = Mesh::resolve(resources)?;
        let router = Router::compile(&mesh, &Proxy::default());
        show(&router, "version", "mesh")?;
        if number == 4 {
            show(&router, "ssup2.com", "version")?;
            for (host, gateway) in [("ssup2.com", "mesh"), ("other.com", "version")] {
                if let Err(why) = router.route(host, gateway) {
                    println!("   route({host:?}, {gateway:?}) -> {why}");
                }
            }
        }
        println!();
    }
    Ok(())
}

/// Routes many requests and draws where they went.
fn show(router: &Router, host: &str, gateway: &str) -> Result<(), Box<dyn Error>> {
    println!("   route({host:?}, {gateway:?})");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..REQUESTS {
        let destination = router.route(host, gateway)?;
        *counts.entry(destination.to_string()).or_default() += 1;
    }
    for (destination, count) in counts {
        let share = count as f64 / REQUESTS as f64;
        let bar = "#".repeat((share * 40.0).round() as usize);
        println!("   {bar:<40} {:6.2} %  {destination}", share * 100.0);
    }
    let destination = router.route(host, gateway)?;
    println!(
        "   one of them: host {}, port {}, subset {}, labels {}, workloads {}",
        destination.host(),
        destination.port(),
        destination.subset().unwrap_or("-"),
        destination.labels(),
        destination
            .workloads()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    );
    Ok(())
}
