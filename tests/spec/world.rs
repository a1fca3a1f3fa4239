//! The input of the specification: the resources of a case in config order, the proxy, one request.

use super::{Yaml, entries, gateway_api, number, text};

/// All resources, and whose view is asked for.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub resources: Vec<Yaml>,
    pub mesh: Yaml,
    pub proxy: Proxy,
}

/// The proxy whose view is asked for.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    pub gateway: bool,
    pub namespace: String,
    pub labels: Yaml,
    /// Its own address.
    pub address: Option<std::net::IpAddr>,
}

/// One request as it arrives.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The first `Host`, or `:authority`.
    pub host: String,
    /// Every `Host`; `None`: there was none.
    pub hosts: Option<Vec<String>>,
    /// The client.
    pub source: Option<String>,
    /// The client has shown a certificate.
    pub mutual_tls: bool,
    pub port: u64,
    /// `http`, `http2`, `grpc` or `tcp`.
    pub protocol: String,
    /// TLS or plain text.
    pub tls: bool,
    pub sni: String,
    pub address: Option<std::net::IpAddr>,
    pub method: String,
    pub path: String,
    /// Header lines in order.
    pub headers: Vec<(String, String)>,
}

/// Config order: creation, then name, then namespace (R-H-021). A missing timestamp is the same instant for all, earlier than
/// any other.
fn in_config_order(resources: &mut [Yaml]) {
    resources.sort_by_key(|resource| {
        let meta = &resource["metadata"];
        let key = |field| text(meta, field).to_owned();
        (key("creationTimestamp"), key("name"), key("namespace"))
    });
}

/// R-G-038: the resource is made of a route of the Gateway API, or says that it is to be read like one.
pub fn has_gateway_semantics(resource: &Yaml) -> bool {
    let annotations = &resource["metadata"]["annotations"];
    text(annotations, "internal.istio.io/route-semantics") == "gateway"
}

impl World {
    /// Reads the YAML documents of `resources`; those without a namespace get `default_namespace`.
    pub fn read(resources: &str, default_namespace: &str, mesh: Yaml, proxy: Proxy) -> World {
        let mut all = Vec::new();
        for document in serde_yaml::Deserializer::from_str(resources) {
            let mut value: Yaml = serde::Deserialize::deserialize(document).expect("YAML");
            if value.is_null() {
                continue;
            }
            if text(&value["metadata"], "namespace").is_empty() {
                value["metadata"]["namespace"] = default_namespace.into();
            }
            all.push(value);
        }
        in_config_order(&mut all);
        let mut all = gateway_api::lowered(all);
        in_config_order(&mut all);
        World {
            resources: all,
            mesh,
            proxy,
        }
    }

    /// The resources of one kind, in config order.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Yaml> {
        self.resources
            .iter()
            .filter(move |r| text(r, "kind") == kind)
    }

    /// MeshConfig `rootNamespace`.
    pub fn root_namespace(&self) -> &str {
        match text(&self.mesh, "rootNamespace") {
            "" => "istio-system",
            named => named,
        }
    }
}

/// The namespace of a resource.
pub fn namespace(resource: &Yaml) -> &str {
    text(&resource["metadata"], "namespace")
}

/// `namespace/name` of a resource.
pub fn full_name(resource: &Yaml) -> String {
    format!(
        "{}/{}",
        namespace(resource),
        text(&resource["metadata"], "name")
    )
}

impl Call {
    /// Reads `request` of a case.
    pub fn read(request: &Yaml) -> Call {
        let mut headers = Vec::new();
        for (name, value) in entries(request, "headers") {
            match value.as_array() {
                Some(values) => {
                    let lines = values.iter().filter_map(Yaml::as_str);
                    headers.extend(lines.map(|value| (name.to_owned(), value.to_owned())));
                }
                None => headers.push((name.to_owned(), value.as_str().unwrap_or("").to_owned())),
            }
        }
        if text(request, "protocol") == "grpc" {
            let own = [("content-type", "application/grpc"), ("te", "trailers")];
            let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
            for line in own {
                if !headers.iter().any(|(name, _)| *name == line.0) {
                    headers.push(line);
                }
            }
        }
        let mut hosts: Vec<String> = match (request["host"].as_str(), request["no_host"] == true) {
            (Some(host), _) => vec![host.to_owned()],
            (None, true) => vec![],
            (None, false) => vec!["oracle.invalid".to_owned()],
        };
        let further = headers.iter().filter(|(name, _)| name == "host");
        hosts.extend(further.map(|(_, value)| value.clone()));
        headers.retain(|(name, _)| name != "host");
        let source = match (
            text(request, "source"),
            text(request, "address").contains(':'),
        ) {
            ("", false) => "10.99.99.99",
            ("", true) => "fd00::99",
            (source, _) => source,
        };
        Call {
            host: hosts.first().cloned().unwrap_or_default(),
            hosts: (!hosts.is_empty()).then_some(hosts),
            source: Some(source.to_owned()),
            mutual_tls: text(request, "tls") == "mtls",
            port: number(request, "port"),
            protocol: text(request, "protocol").to_owned(),
            tls: !matches!(text(request, "tls"), "" | "none"),
            sni: text(request, "sni").to_owned(),
            address: text(request, "address").parse().ok(),
            method: match (text(request, "method"), text(request, "protocol")) {
                ("", "grpc") => "POST".to_owned(),
                ("", _) => "GET".to_owned(),
                (method, _) => method.to_owned(),
            },
            path: text(request, "path").to_owned(),
            headers,
        }
    }
}
