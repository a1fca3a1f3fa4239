//! The registry: Kubernetes Services and ServiceEntries as one list of services, and who sees which.
//! Section 5 of istio-model.md.

use super::gateway_api::grants::selects;
use super::names::{Export, default_export};
use super::world::{World, namespace};
use super::{Yaml, list, number, text, texts};

/// One hostname of the registry.
#[derive(Clone, Debug)]
pub struct Service {
    pub host: String,
    /// Creation time as written.
    creation: String,
    /// Its own name; of a ServiceEntry the host as written.
    name: String,
    /// `host` is its name in lower case, but not as written.
    pub is_written_in_capitals: bool,
    pub namespace: String,
    pub ports: Vec<Port>,
    /// Virtual addresses and CIDR blocks, none for a headless service.
    pub addresses: Vec<String>,
    /// A Kubernetes Service (`true`) or a ServiceEntry.
    pub kubernetes: bool,
    pub headless: bool,
    /// R-M-130: an ExternalName service stands for this host.
    pub external_name: Option<String>,
    /// The ExternalName services that stand for this one, as far as an egress listener imports them.
    pub aliases: Vec<String>,
    pub export: Export,
    pub resolution: String,
}

/// One port of a service.
#[derive(Clone, Debug)]
pub struct Port {
    pub number: u64,
    pub name: String,
    pub protocol: Protocol,
}

/// What a port speaks, as far as listeners care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http,
    Tls,
    Tcp,
    /// TCP whose server speaks first, so that nothing may wait for the client's first bytes.
    ServerFirst(&'static str),
    Udp,
    /// Undeclared: the listener looks at the bytes.
    Sniffed,
}

impl Protocol {
    /// R-M-017: a protocol name, in any case.
    pub fn read(name: &str) -> Protocol {
        match name.to_ascii_lowercase().as_str() {
            "http" | "http2" | "http_proxy" | "grpc" | "grpc-web" => Protocol::Http,
            "https" | "tls" => Protocol::Tls,
            "tcp" | "redis" => Protocol::Tcp,
            "mongo" => Protocol::ServerFirst("mongo"),
            "mysql" => Protocol::ServerFirst("mysql"),
            "udp" => Protocol::Udp,
            _ => Protocol::Sniffed,
        }
    }

    /// HTTP rules apply to it (R-H-055).
    pub fn may_be_http(self) -> bool {
        matches!(self, Protocol::Http | Protocol::Sniffed)
    }
}

/// R-M-129: the protocol of a Kubernetes port.
fn kubernetes_protocol(port: &Yaml) -> Protocol {
    if text(port, "protocol") == "UDP" {
        return Protocol::Udp;
    }
    let said = match text(port, "appProtocol") {
        "" => text(port, "name"),
        "kubernetes.io/h2c" => "http2",
        "kubernetes.io/ws" => "http",
        "kubernetes.io/wss" => "https",
        other => other,
    };
    let word = if said.starts_with("grpc-web") {
        said
    } else {
        said.split('-').next().unwrap_or("")
    };
    match Protocol::read(if said.starts_with("grpc-web") {
        "grpc-web"
    } else {
        word
    }) {
        Protocol::Sniffed if [25, 53, 3306, 27017].contains(&number(port, "port")) => Protocol::Tcp,
        known => known,
    }
}

/// Every service of the registry, in creation order (R-M-073).
pub fn all(world: &World) -> Vec<Service> {
    let mut services = Vec::new();
    for resource in &world.resources {
        match text(resource, "kind") {
            "Service" => services.push(kubernetes_service(world, resource)),
            "ServiceEntry" => services.extend(service_entry(world, resource)),
            _ => {}
        }
    }
    // Istio goes by their own names, which is the host of a ServiceEntry.
    services.sort_by(|a, b| {
        let key = |one: &Service| {
            let (name, by_host) = (one.name.clone(), !one.kubernetes);
            (one.creation.clone(), name, one.namespace.clone(), by_host)
        };
        key(a).cmp(&key(b))
    });
    services
}

fn kubernetes_service(world: &World, resource: &Yaml) -> Service {
    let spec = &resource["spec"];
    let owner = namespace(resource);
    let exported = text(
        &resource["metadata"]["annotations"],
        "networking.istio.io/exportTo",
    );
    let export_to: Vec<String> = exported
        .split(',')
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    let cluster_ip = text(spec, "clusterIP");
    let external_name = text(spec, "externalName");
    Service {
        host: format!(
            "{}.{owner}.svc.cluster.local",
            text(&resource["metadata"], "name")
        ),
        creation: text(&resource["metadata"], "creationTimestamp").to_owned(),
        name: text(&resource["metadata"], "name").to_owned(),
        is_written_in_capitals: false,
        namespace: owner.to_owned(),
        ports: list(spec, "ports")
            .iter()
            .map(|port| Port {
                number: number(port, "port"),
                name: text(port, "name").to_owned(),
                protocol: kubernetes_protocol(port),
            })
            .collect(),
        addresses: match cluster_ip {
            "" | "None" => vec![],
            address => vec![address.to_owned()],
        },
        kubernetes: true,
        headless: cluster_ip == "None",
        aliases: vec![],
        external_name: (text(spec, "type") == "ExternalName").then(|| external_name.to_owned()),
        export: Export::read(
            &export_to,
            &default_export(&world.mesh, "defaultServiceExportTo"),
            owner,
        ),
        resolution: "STATIC".to_owned(),
    }
}

/// R-M-131: one service per host.
fn service_entry(world: &World, resource: &Yaml) -> Vec<Service> {
    let spec = &resource["spec"];
    let owner = namespace(resource);
    let resolution = match text(spec, "resolution") {
        "" => "NONE",
        said => said,
    };
    let service = |host: String| Service {
        creation: text(&resource["metadata"], "creationTimestamp").to_owned(),
        name: host.clone(),
        host,
        is_written_in_capitals: false,
        namespace: owner.to_owned(),
        ports: list(spec, "ports")
            .iter()
            .map(|port| Port {
                number: number(port, "number"),
                name: text(port, "name").to_owned(),
                protocol: Protocol::read(text(port, "protocol")),
            })
            .collect(),
        addresses: texts(spec, "addresses"),
        kubernetes: false,
        headless: false,
        external_name: None,
        aliases: vec![],
        export: Export::read(
            &texts(spec, "exportTo"),
            &default_export(&world.mesh, "defaultServiceExportTo"),
            owner,
        )
        .capped(&cap(world, owner), owner),
        resolution: resolution.to_owned(),
    };
    texts(spec, "hosts").into_iter().map(service).collect()
}

/// R-M-216: how far the mesh lets the ServiceEntries of a namespace be seen.
fn cap(world: &World, owner: &str) -> String {
    let said = &world.mesh["serviceEntryVisibility"];
    if said["applyToSidecars"] != Yaml::Bool(true) {
        return "PUBLIC".to_owned();
    }
    let mut labels = serde_json::json!({});
    for known in world.of_kind("Namespace") {
        if text(&known["metadata"], "name") == owner && known["metadata"]["labels"].is_object() {
            labels = known["metadata"]["labels"].clone();
        }
    }
    labels["kubernetes.io/metadata.name"] = owner.into();
    let holds = |policy: &&Yaml| {
        let mut rules = list(policy, "matchingRules").iter();
        rules.all(|rule| {
            let selector = &rule["namespaceSelector"];
            selector.is_object() && selects(selector, &labels)
        })
    };
    match list(said, "policies").iter().find(holds) {
        Some(policy) => text(policy, "visibility").to_owned(),
        None => text(said, "defaultVisibility").to_owned(),
    }
}

/// The services that `viewer` may see: its own private ones, those exported to it by name, then the public ones (R-M-073,
/// R-M-141).
pub fn visible(world: &World, viewer: &str) -> Vec<Service> {
    let mut seen = all(world);
    seen.retain(|service| service.export.reaches(viewer));
    seen.sort_by_key(|service| match service.export {
        Export::Public => 2,
        _ if service.namespace == viewer => 0,
        _ => 1,
    });
    seen
}

/// R-M-073: of the services with one hostname, the one that a client in `viewer` means: its own namespace's, else a
/// Kubernetes one, else the first.
pub fn best<'a>(services: &'a [Service], host: &str, viewer: &str) -> Option<&'a Service> {
    let same = || services.iter().filter(|service| service.host == host);
    same()
        .find(|service| service.namespace == viewer)
        .or_else(|| same().find(|service| service.kubernetes))
        .or_else(|| same().next())
}

/// The addresses of the endpoints that serve a port of a service: those of all services of its host and namespace.
pub fn endpoint_addresses(world: &World, service: &Service, port: u64) -> Vec<String> {
    let named = service.ports.iter().find(|known| known.number == port);
    let name = named.map_or("", |port| port.name.as_str());
    let mut out = Vec::new();
    for entry in world.of_kind("ServiceEntry") {
        let spec = &entry["spec"];
        let serves = list(spec, "ports")
            .iter()
            .any(|port| text(port, "name") == name);
        let is_twin =
            namespace(entry) == service.namespace && texts(spec, "hosts").contains(&service.host);
        if service.kubernetes || !is_twin || !serves {
            continue;
        }
        let endpoints = list(spec, "endpoints");
        out.extend(
            endpoints
                .iter()
                .map(|endpoint| text(endpoint, "address").to_owned()),
        );
        // R-M-131: DNS finds the host itself.
        if endpoints.is_empty() && text(spec, "resolution").starts_with("DNS") {
            out.push(service.host.clone());
        }
    }
    for slice in world.of_kind("EndpointSlice") {
        let owner = text(&slice["metadata"]["labels"], "kubernetes.io/service-name");
        let host = format!("{owner}.{}.svc.cluster.local", namespace(slice));
        let serves = list(slice, "ports")
            .iter()
            .any(|port| text(port, "name") == name);
        if service.kubernetes && host == service.host && serves {
            let endpoints = list(slice, "endpoints").iter();
            out.extend(endpoints.flat_map(|endpoint| texts(endpoint, "addresses")));
        }
    }
    out
}

/// The labels of the endpoints of a ServiceEntry's service; one without endpoints that DNS resolves has its host as one,
/// without labels (R-M-131), a wildcard has none.
pub fn endpoint_labels(world: &World, service: &Service) -> Vec<Yaml> {
    let mut out = Vec::new();
    for entry in world.of_kind("ServiceEntry") {
        let spec = &entry["spec"];
        let is_twin =
            namespace(entry) == service.namespace && texts(spec, "hosts").contains(&service.host);
        if service.kubernetes || !is_twin {
            continue;
        }
        let endpoints = list(spec, "endpoints").iter();
        out.extend(endpoints.map(|endpoint| endpoint["labels"].clone()));
        let by_name = text(spec, "resolution").starts_with("DNS");
        if by_name && list(spec, "endpoints").is_empty() && !service.host.starts_with('*') {
            out.push(Yaml::Null);
        }
    }
    out
}
