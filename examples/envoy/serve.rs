//! The README's example, or a file of one's own, served by a plain Envoy.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use meshroute::{Mesh, Proxy, Resources, Router};

use crate::server::Envoy;
use crate::stub::Stub;
use crate::wire;

/// Where the first listener is; the others follow.
const FIRST_PORT: u16 = 18_080;

/// The resources of the README.
const SHOP: &str = include_str!("shop.yaml");

/// Serves until Enter is pressed; with `--test` asks once instead.
pub fn run(binary: &Path, words: &[String]) -> Result<(), Box<dyn Error>> {
    let is_test = words.iter().any(|word| word == "--test");
    let file = words.iter().find(|word| !word.starts_with("--"));
    let (name, text) = match file {
        Some(file) => (file.as_str(), std::fs::read_to_string(file)?),
        None => ("examples/envoy/shop.yaml", SHOP.to_owned()),
    };
    let resources = Resources::builder().yaml(name, text).build()?;
    let router = Router::compile(&Mesh::resolve(resources)?, &Proxy::default());
    let config = router.to_envoy();

    let stub = Stub::start()?;
    let names = config.clusters.iter().map(|cluster| cluster.name.as_str());
    let endpoints = stub.stand_for(names);
    let mut listeners = BTreeMap::new();
    // What listens on one address alone is for clients that call that address.
    let all = config.listeners.iter();
    let open = all.filter(|found| {
        found.address.socket_address.address == "0.0.0.0" && found.use_original_dst.is_none()
    });
    for (port, listener) in (FIRST_PORT..).zip(open) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        listeners.insert(listener.name.clone(), address);
    }
    let endpoints = endpoints
        .into_iter()
        .map(|(name, address)| (name, vec![address]))
        .collect();
    let (bootstrap, report) = config.bootstrap(&listeners, &endpoints);
    for said in report.iter() {
        println!("{said}");
    }
    let probe = bootstrap.static_resources.listeners.first();
    let probe = probe.ok_or("nothing listens: the resources have no plain-text listener")?;
    let address = listeners[&probe.name];
    let envoy = Envoy::run(binary, &serde_json::to_string(&bootstrap)?, address)?;
    println!("Envoy serves {name}; what is behind each cluster answers with its name:");
    for listener in &bootstrap.static_resources.listeners {
        println!("  {}: {}", listeners[&listener.name], listener.name);
    }
    let (port, host) = (address.port(), "shop.example.com");
    println!("  curl -H 'host: {host}' -H 'x-user: jane' http://127.0.0.1:{port}/cart/7");
    if is_test {
        let request = format!("GET /cart/7 HTTP/1.1\r\nhost: {host}\r\nx-user: jane\r\n\r\n");
        let answer = wire::ask(address, request.as_bytes(), false)?;
        let answer = answer.ok_or("Envoy closed the connection")?;
        print!("{} {}", answer.status, answer.body);
        let expected = "outbound|8080||cart.default.svc.cluster.local got GET /v2/cart/7 ";
        let is_right = answer.body.starts_with(expected);
        return match file.is_some() || is_right {
            true => Ok(()),
            false => Err("another answer was expected".into()),
        };
    }
    println!("Enter ends it.");
    std::io::stdin().read_line(&mut String::new())?;
    drop(envoy);
    Ok(())
}
