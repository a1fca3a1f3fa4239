//! Asking the engine: a case's resources as a router, a call as a request, a decision as JSON.

use meshroute::terms::claims::{Claim, Claims};
use meshroute::terms::header_list::HeaderList;
use meshroute::terms::request::{Protocol, Tls};
use meshroute::terms::route_policy::HashKey;
use meshroute::{Connection, Decision, Mesh, Options, Proxy, Request, Resources, Router};

use serde_json::json;

use super::case::{Call, Case};
use super::picks::{self, Picked};
use super::{Yaml, gateway_services, text};

/// A compiled case.
pub struct Engine {
    /// The proxy's router.
    pub router: Router,
    /// The resources that were refused, `Kind namespace/name`, each with the first reason.
    pub refused: Vec<(String, String)>,
}

/// Compiles what the case's proxy sees. `cluster_domain` completes short names.
pub fn compile(case: &Case, cluster_domain: &str) -> Engine {
    let mut builder = Resources::builder().default_namespace(case.default_namespace.as_str());
    for (name, content) in &case.resources {
        builder = builder.yaml(name, content.as_str());
    }
    let services = gateway_services::written(case);
    if !services.is_empty() {
        builder = builder.yaml("services of gateways", services);
    }
    if case.mesh.is_object() {
        builder = builder.mesh_config("mesh", case.mesh.to_string());
    }
    let (resources, mut report) = builder.build_lenient();
    let options = Options::default().with_cluster_domain(cluster_domain);
    let (mesh, more) = Mesh::resolve_with(resources, &options);
    report.append(more);
    let mut refused: Vec<(String, String)> = Vec::new();
    for error in report.errors() {
        let about = error.resource().map(|resource| resource.to_string());
        let about = about.unwrap_or_else(|| "the text".to_owned());
        if !refused.iter().any(|(known, _)| *known == about) {
            refused.push((about, error.to_string()));
        }
    }
    Engine {
        router: Router::compile(&mesh, &proxy(case)),
        refused,
    }
}

/// The proxy whose view the case asks for.
pub fn proxy(case: &Case) -> Proxy {
    let said = &case.proxy;
    let namespace = match (text(said, "config_namespace"), text(said, "namespace")) {
        ("", "") => "default",
        ("", namespace) | (namespace, _) => namespace,
    };
    let mut proxy = match text(said, "type") {
        "gateway" if said["gateway"].is_string() => Proxy::gateway_named(text(said, "gateway")),
        "gateway" => Proxy::gateway(namespace),
        _ => Proxy::sidecar(namespace),
    };
    for (key, value) in said["labels"].as_object().into_iter().flatten() {
        proxy = proxy.label(key, value.as_str().unwrap_or(""));
    }
    if let Ok(address) = text(said, "ip").parse() {
        proxy = proxy.with_address(address);
    }
    proxy = proxy.with_locality(text(said, "locality"));
    match text(said, "dns_domain") {
        "" => proxy,
        domain => proxy.with_dns_domain(domain),
    }
}

/// What a case may need beyond HTTP routing and gets here: claims are handed over as verified.
pub const MET_NEEDS: &[&str] = &["jwt-claims", "gateway-api"];

/// The fields of a request that [`ask`] acts on, or that say nothing about routing.
const KNOWN: &[&str] = &[
    "host",
    "port",
    "protocol",
    "tls",
    "sni",
    "alpn",
    "address",
    "method",
    "path",
    "headers",
    "jwt_claims",
    "raw",
    "no_host",
    "source",
    // Who sends it, and the name behind `address`.
    "from",
    "address_of",
];

/// The fields of the request that are not understood here.
pub fn unknown_fields(call: &Call) -> Vec<String> {
    let fields = call.request.as_object().into_iter().flatten();
    fields
        .map(|(name, _)| name.clone())
        .filter(|name| !KNOWN.contains(&name.as_str()))
        .collect()
}

/// What a call asks.
pub enum Asked<'a> {
    /// A connection without a request.
    Connection(&'a Connection<'a>),
    /// A request.
    Request(&'a Request<'a>),
}

/// The engine's decision with this entropy, in FORMAT.md's words.
pub fn ask(router: &Router, call: &Call, entropy: u64) -> Yaml {
    ask_with(router, call, entropy, |_, _| None)
}

/// The same with the endpoint that the decision's cluster picks by hash.
pub fn ask_for_endpoint(router: &Router, call: &Call, entropy: u64) -> Yaml {
    ask_with(router, call, entropy, picks::pick)
}

fn ask_with(
    router: &Router,
    call: &Call,
    entropy: u64,
    pick: impl FnOnce(&Decision<'_>, &Request<'_>) -> Option<Picked>,
) -> Yaml {
    with_asked(call, |asked| match asked {
        Asked::Connection(connection) => {
            let decision = router.decide_connection(connection, entropy);
            check_kept(router, &decision);
            as_json(decision.record())
        }
        Asked::Request(request) => answer(router, request, entropy, pick),
    })
}

/// Hands what a call asks to `run`.
pub fn with_asked<R>(call: &Call, run: impl FnOnce(Asked<'_>) -> R) -> R {
    let said = &call.request;
    let claims = claims(&said["jwt_claims"]);
    let port = said["port"]
        .as_u64()
        .and_then(|port| u16::try_from(port).ok())
        .unwrap_or(80);
    let alpn: Vec<&str> = match &said["alpn"] {
        Yaml::String(text) => text.split(',').collect(),
        Yaml::Array(several) => several.iter().filter_map(Yaml::as_str).collect(),
        _ => vec![],
    };
    let mut connection = Connection::to_port(port);
    if let Ok(address) = text(said, "address").parse() {
        connection = connection.address(address);
    }
    let tls = match text(said, "tls") {
        "tls" => Tls::Tls,
        "mtls" => Tls::Mutual,
        _ => Tls::None,
    };
    if !text(said, "sni").is_empty() {
        connection = connection.sni(text(said, "sni"));
    }
    connection = connection.tls(tls);
    connection = connection.alpn(&alpn);
    if text(said, "protocol") == "tcp" {
        return run(Asked::Connection(&connection));
    }
    // The client of all recordings that name none.
    let source = match (text(said, "source"), text(said, "address").contains(':')) {
        ("", false) => "10.99.99.99",
        ("", true) => "fd00::99",
        (source, _) => source,
    };
    if let Ok(source) = source.parse() {
        connection = connection.source(source);
    }
    // As they were sent: one byte for each character, or as UTF-8.
    let bytes = |field: &str| match said["raw"] == true {
        true => text(said, field).chars().map(|c| c as u8).collect(),
        false => text(said, field).as_bytes().to_vec(),
    };
    let (host, path) = (bytes("host"), bytes("path"));
    let method = match text(said, "method") {
        "" if text(said, "protocol") == "grpc" => "POST",
        "" => "GET",
        method => method,
    };
    let mut request = Request::new(method, "/")
        .claims(&claims)
        .connection(connection);
    if said["path"].is_string() {
        request = request.target(&path);
    }
    let protocol = text(said, "protocol");
    if protocol == "http2" {
        request = request.protocol(Protocol::Http2);
    }
    // Over HTTP/2, the recorder named itself where it was to name no host.
    request = match (
        said["host"].is_string(),
        said["no_host"] == true && protocol != "http2",
    ) {
        (true, _) => request.authority(&host),
        (false, true) => request,
        (false, false) => request.authority("oracle.invalid"),
    };
    if protocol == "grpc" {
        for (name, value) in [("content-type", "application/grpc"), ("te", "trailers")] {
            if said["headers"][name].is_null() {
                request = request.header(name, value);
            }
        }
    }
    for (name, value) in said["headers"].as_object().into_iter().flatten() {
        match value {
            Yaml::Array(lines) => {
                for line in lines.iter().filter_map(Yaml::as_str) {
                    request = request.header(name, line);
                }
            }
            line => request = request.header(name, line.as_str().unwrap_or("")),
        }
    }
    run(Asked::Request(&request))
}

fn answer(
    router: &Router,
    request: &Request<'_>,
    entropy: u64,
    pick: impl FnOnce(&Decision<'_>, &Request<'_>) -> Option<Picked>,
) -> Yaml {
    let decision = router.decide(request, entropy);
    check_kept(router, &decision);
    // What the recorder's upstream answers with.
    let mut response: HeaderList = [("content-type", "application/json")].into_iter().collect();
    if let Some(cluster) = decision.cluster() {
        response.append("x-oracle-backend", cluster.name());
    }
    let mut out = as_json(decision.observed_with(request, &response));
    if !decision.hash_policy().is_empty() {
        let keys: Vec<Yaml> = decision.hash_policy().iter().map(hash_key).collect();
        out["policy"]["hash_policy"] = keys.into();
    }
    match pick(&decision, request) {
        Some(Picked::Endpoint(address)) => out["endpoint"] = address.into(),
        Some(Picked::NoHealthyUpstream) => no_healthy_upstream(&mut out),
        None => {}
    }
    out
}

/// What was recorded of a request whose cluster has nobody to send it to: its route, and the answer of the proxy.
fn no_healthy_upstream(decision: &mut Yaml) {
    decision["outcome"] = "no_healthy_upstream".into();
    decision["status"] = 503.into();
    if let Some(fields) = decision.as_object_mut() {
        for field in ["cluster", "upstream_request"] {
            fields.remove(field);
        }
    }
}

/// A part of a hash policy in Envoy's words, as it was recorded.
fn hash_key(key: &HashKey) -> Yaml {
    match key {
        HashKey::Header(name) => json!({"header": {"headerName": name}}),
        HashKey::SourceIp => json!({"connectionProperties": {"sourceIp": true}}),
        HashKey::QueryParameter(name) => json!({"queryParameter": {"name": name}}),
        HashKey::Cookie {
            name,
            path,
            ttl,
            attributes,
        } => {
            let mut cookie = json!({"name": name});
            if !path.is_empty() {
                cookie["path"] = json!(path);
            }
            if let Some(ttl) = ttl {
                cookie["ttl"] = format!("{}s", ttl.as_secs_f64()).into();
            }
            if !attributes.is_empty() {
                let pairs = attributes.iter();
                let pairs = pairs.map(|(name, value)| json!({"name": name, "value": value}));
                cookie["attributes"] = pairs.collect();
            }
            json!({"cookie": cookie})
        }
        unknown => panic!("no words for {unknown:?}"),
    }
}

fn as_json(decision: impl serde::Serialize) -> Yaml {
    serde_json::to_value(decision).unwrap_or(Yaml::Null)
}

fn claims(said: &Yaml) -> Claims {
    let pairs = said.as_object().into_iter().flatten();
    pairs.fold(Claims::new(), |claims, (name, value)| {
        claims.with(name, claim(value))
    })
}

fn claim(value: &Yaml) -> Claim {
    match value {
        Yaml::String(text) => Claim::String(text.clone()),
        Yaml::Array(elements) => Claim::List(elements.iter().map(claim).collect()),
        Yaml::Object(members) => Claim::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), claim(value)))
                .collect(),
        ),
        _ => Claim::Other,
    }
}

/// A decision that is kept is the same one.
fn check_kept(router: &Router, decision: &Decision<'_>) {
    let kept = decision.keep(router).expect("its router");
    let again = kept.decision();
    assert_eq!(again.record(), decision.record());
    let names = |decision: &Decision<'_>| -> Vec<String> {
        let mirrors = decision.mirrors();
        mirrors.map(|cluster| cluster.name().to_owned()).collect()
    };
    assert_eq!(names(&again), names(decision));
    assert_eq!(again.origin(), decision.origin());
}
