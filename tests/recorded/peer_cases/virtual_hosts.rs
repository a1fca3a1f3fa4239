//! Assertions about whole route configurations: their virtual hosts, domains and clusters.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use meshroute::router::VirtualHost;
use meshroute::{Connection, Request, Router};
use serde_json::json;

use crate::support::case::{self, Case};
use crate::support::engine::compile;
use crate::support::{Yaml, list, text};

/// The virtual hosts of the route configuration that plain HTTP on `port` meets, at an address that nobody has or at one
/// of `binds`.
fn on_port<'r>(router: &'r Router, port: u16, binds: &[IpAddr]) -> Vec<&'r VirtualHost> {
    let anywhere = Connection::to_port(port);
    let bound = binds
        .iter()
        .map(|bind| Connection::to_port(port).address(*bind));
    for connection in std::iter::once(anywhere).chain(bound) {
        let request = Request::get("/")
            .authority("a.host.that.nobody.has.invalid")
            .connection(connection);
        if let Some(config) = router.decide(&request, 0).route_config() {
            return config.virtual_hosts().collect();
        }
    }
    vec![]
}

/// The addresses that Sidecars of the case bind egress listeners to.
fn binds(resources: &[Yaml]) -> Vec<IpAddr> {
    let listeners = resources
        .iter()
        .flat_map(|resource| list(&resource["spec"], "egress"));
    listeners
        .filter_map(|listener| text(listener, "bind").parse().ok())
        .collect()
}

/// The port in the name of a route configuration: `80`, `http.80`.
fn port_of(route_config: &str) -> u16 {
    route_config
        .rsplit('.')
        .next()
        .and_then(|port| port.parse().ok())
        .unwrap_or(0)
}

/// The clusters of a virtual host, rule by rule.
fn clusters(router: &Router, host: &VirtualHost) -> Vec<String> {
    let forwards = host
        .rules()
        .iter()
        .filter_map(|rule| rule.action().as_forward());
    let weighted = forwards.flat_map(|forward| forward.split().clusters());
    let named = weighted.filter_map(|destination| router.cluster(destination.cluster()));
    named.map(|cluster| cluster.name().to_owned()).collect()
}

/// `virtual_hosts` of a simulation case: hosts with their clusters, `null` for a host that must not be there.
pub fn asserted(router: &Router, wanted: &Yaml) -> Vec<String> {
    let hosts = on_port(router, port_of(text(wanted, "route_config")), &[]);
    let mut wrong = Vec::new();
    for entry in list(wanted, "hosts") {
        let name = text(entry, "host");
        let found = hosts
            .iter()
            .find(|host| host.domains().any(|domain| domain == name));
        let got = found.map_or(Yaml::Null, |host| json!(clusters(router, host)));
        if got != entry["clusters"] {
            wrong.push(format!("{name}: expected {}, got {got}", entry["clusters"]));
        }
    }
    wrong
}

/// All files of the form `virtual-host-cases/v1` in a folder.
pub fn run(folder: &Path) -> Vec<(String, Option<String>)> {
    let mut files = Vec::new();
    case::files(folder, &mut files).expect("the folder can be read");
    let mut out = Vec::new();
    for file in files {
        let content = std::fs::read_to_string(&file).expect("the file can be read");
        let all: Yaml = serde_yaml::from_str(&content).expect("the file is YAML");
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for written in list(&all, "cases") {
            let wrong = run_case(&all, written, &name);
            let label = format!("{name}: {}", text(written, "name"));
            out.push((label, (!wrong.is_empty()).then(|| wrong.join("; "))));
        }
    }
    out
}

fn run_case(all: &Yaml, written: &Yaml, file: &str) -> Vec<String> {
    let services = list(all, "services")
        .iter()
        .chain(list(written, "services"));
    let mut documents: Vec<String> = services
        .enumerate()
        .map(|(n, s)| entry(n, s).to_string())
        .collect();
    documents.extend(list(written, "resources").iter().map(Yaml::to_string));
    let case = Case {
        topic: String::new(),
        file: PathBuf::new(),
        id: text(written, "name").to_owned(),
        needs: vec![],
        resources: vec![(
            "resources".to_owned(),
            absolute_sockets(&documents.join("\n---\n")),
        )],
        default_namespace: "default".to_owned(),
        mesh: match written["registry_only"].as_bool() {
            Some(true) => json!({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}),
            _ => Yaml::Null,
        },
        proxy: all["proxy"].clone(),
        calls: vec![],
        expect_invalid: None,
        recorded: false,
        raw: Yaml::Null,
    };
    // Short names stay as they are where the proxy's own domain is foreign.
    let domain = if text(&all["proxy"], "dns_domain").is_empty() {
        "cluster.local"
    } else {
        ""
    };
    let engine = compile(&case, domain);
    let port = port_of(text(written, "route_config"));
    let hosts = on_port(&engine.router, port, &binds(list(written, "resources")));
    let mut wrong = Vec::new();
    for wanted in list(written, "want") {
        let name = text(wanted, "name");
        match hosts.iter().find(|host| host.name() == name) {
            Some(host) => compare(
                (&engine.router, host),
                wanted,
                written,
                file.starts_with("sidecar-outbound"),
                &mut wrong,
            ),
            None => wrong.push(format!("no virtual host `{name}`")),
        }
    }
    for host in hosts {
        if !list(written, "want")
            .iter()
            .any(|wanted| text(wanted, "name") == host.name())
        {
            wrong.push(format!("unexpected virtual host `{}`", host.name()));
        }
    }
    wrong.extend(
        engine
            .refused
            .into_iter()
            .map(|(name, why)| format!("{name} is refused: {why}")),
    );
    wrong
}

fn compare(
    (router, host): (&Router, &VirtualHost),
    wanted: &Yaml,
    written: &Yaml,
    any_order: bool,
    wrong: &mut Vec<String>,
) {
    let mut got: Vec<String> = host.domains().map(str::to_owned).collect();
    let mut domains: Vec<String> = list(wanted, "domains")
        .iter()
        .filter_map(Yaml::as_str)
        .map(str::to_owned)
        .collect();
    if any_order {
        got.sort();
        domains.sort();
    }
    if got != domains {
        wrong.push(format!(
            "{}: expected the domains {domains:?}, got {got:?}",
            host.name()
        ));
    }
    if let Some(count) = wanted["routes"].as_u64()
        && count != host.rules().len() as u64
    {
        wrong.push(format!(
            "{}: expected {count} routes, got {}",
            host.name(),
            host.rules().len()
        ));
    }
    if let Some(cluster) = wanted["first_route_cluster"].as_str()
        && clusters(router, host).first().map(String::as_str) != Some(cluster)
    {
        wrong.push(format!(
            "{}: expected {cluster}, got {:?}",
            host.name(),
            clusters(router, host)
        ));
    }
    if let Some(requires) = written["require_tls"].as_bool()
        && requires != host.requires_tls()
    {
        wrong.push(format!(
            "{}: require_tls is {}",
            host.name(),
            host.requires_tls()
        ));
    }
}

/// Sockets are bound by relative paths there, which admission would refuse; where they are is not asserted.
fn absolute_sockets(documents: &str) -> String {
    documents.replace("unix://foo", "unix:///foo")
}

/// A service of the case's own form as a ServiceEntry; the place in the list is its age.
fn entry(place: usize, service: &Yaml) -> Yaml {
    let address = text(service, "address");
    let addresses = if matches!(address, "" | "0.0.0.0") {
        json!([])
    } else {
        json!([address])
    };
    let port = |port: &Yaml| json!({"number": port["port"], "name": port["name"], "protocol": port["protocol"]});
    let ports: Vec<Yaml> = list(service, "ports").iter().map(port).collect();
    let resolution = match text(service, "resolution") {
        "Passthrough" => "NONE",
        "DNSLB" => "DNS",
        _ => "STATIC",
    };
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {
            "name": format!("service-{place}"),
            "namespace": service["namespace"],
            "creationTimestamp": format!("2020-01-01T00:00:{place:02}Z"),
        },
        "spec": {
            "hosts": [service["hostname"]],
            "addresses": addresses,
            "ports": ports,
            "resolution": resolution,
            "exportTo": service["export_to"],
        },
    })
}
