//! One VirtualService as a list of Envoy routes for one gateway name and port: what is left after everything that is
//! known before a request arrives has been decided. Section 3 of istio-http.md.

use serde_json::json;

use super::names::selects;
use super::services::Service;
use super::sidecar::Scope;
use super::world::{World, full_name, has_gateway_semantics};
use super::{Yaml, list, number, text, texts};

/// One Envoy route.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    pub name: String,
    /// `namespace/name`, "" if no VirtualService made it.
    pub virtual_service: String,
    /// The match entry; `null` matches everything.
    pub condition: Yaml,
    /// The http rule.
    pub rule: Yaml,
    /// R-G-052..R-G-054: prefixes are of whole segments, a missing cluster is answered 500.
    pub has_gateway_semantics: bool,
    /// Where it was made: gateway name, port as the config names it, TLS.
    pub origin: Origin,
}

/// Where a route was made: what its defaults depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// `mesh` or `namespace/name`.
    pub gateway: String,
    /// Port that a sidecar's services are seen by, 0: all; `server.port.number` of a gateway.
    pub port: u64,
    /// Listener port of a sidecar.
    pub listener: u64,
    pub tls: bool,
}

/// R-H-002, R-H-004, R-H-006: the routes of `vs`, in order, up to its first catch-all.
pub fn flatten(world: &World, vs: &Yaml, origin: &Origin) -> Vec<Route> {
    let mut routes = Vec::new();
    let route = |rule: &Yaml, condition: &Yaml| Route {
        name: route_name(rule, condition),
        virtual_service: full_name(vs),
        condition: condition.clone(),
        rule: rule.clone(),
        has_gateway_semantics: has_gateway_semantics(vs),
        origin: origin.clone(),
    };
    for rule in list(&vs["spec"], "http") {
        let matches = list(rule, "match");
        if matches.is_empty() {
            routes.push(route(rule, &Yaml::Null));
            return routes;
        }
        for condition in matches
            .iter()
            .filter(|condition| applies(world, condition, origin))
        {
            let made = route(rule, condition);
            let last = is_catch_all(&made);
            routes.push(made);
            if last {
                return routes;
            }
        }
    }
    routes
}

/// R-H-029, R-H-031, R-H-032: can the match entry ever hold for this proxy, gateway and port?
fn applies(world: &World, condition: &Yaml, origin: &Origin) -> bool {
    let port = number(condition, "port");
    if port != 0 && port != origin.port {
        return false;
    }
    let gateways = texts(condition, "gateways");
    if !gateways.is_empty() {
        return gateways.contains(&origin.gateway);
    }
    let source = text(condition, "sourceNamespace");
    selects(&condition["sourceLabels"], &world.proxy.labels)
        && (source.is_empty() || source == world.proxy.namespace)
}

/// R-H-035.
fn route_name(rule: &Yaml, condition: &Yaml) -> String {
    match text(condition, "name") {
        "" => text(rule, "name").to_owned(),
        name => format!("{}.{name}", text(rule, "name")),
    }
}

/// R-H-038: path prefix `/` or regex `.*`, and nothing else asked.
pub fn is_catch_all(route: &Route) -> bool {
    let condition = &route.condition;
    let uri = &condition["uri"];
    let any_path = if let Some(prefix) = uri["prefix"].as_str() {
        prefix == "/"
    } else if let Some(regex) = uri["regex"].as_str() {
        regex == ".*"
    } else {
        uri["exact"].is_null()
    };
    let single = ["method", "authority", "scheme"];
    let maps = ["headers", "withoutHeaders", "queryParams"];
    any_path
        && single.iter().all(|field| condition[field].is_null())
        && maps.iter().all(|field| {
            condition[field]
                .as_object()
                .is_none_or(|map| map.is_empty())
        })
}

/// R-H-062: catch-alls last, otherwise in order.
pub fn catch_alls_last(routes: Vec<Route>) -> Vec<Route> {
    let (last, mut first): (Vec<_>, Vec<_>) = routes.into_iter().partition(is_catch_all);
    first.extend(last);
    first
}

/// R-H-046: the route of a service that no VirtualService claims.
pub fn default_route(host: &str, port: u64) -> Route {
    Route {
        name: "default".to_owned(),
        virtual_service: String::new(),
        condition: Yaml::Null,
        rule: json!({"route": [{"destination": {"host": host, "port": {"number": port}}}]}),
        has_gateway_semantics: false,
        origin: Origin {
            gateway: "mesh".to_owned(),
            port,
            listener: port,
            tls: false,
        },
    }
}

/// R-H-052: the route for hosts that nobody knows.
pub fn fallback_route(port: u64, scope: &Scope) -> Route {
    let (name, rule) = match scope.mode.as_str() {
        "REGISTRY_ONLY" => ("block_all", json!({"directResponse": {"status": 502}})),
        "ALLOW_ANY_DYNAMIC_DNS" => (
            "allow_any_dynamic_dns",
            json!({"passthrough": "AllowAnyDynamicDNSCluster"}),
        ),
        _ => ("allow_any", json!({"passthrough": scope.unknown()})),
    };
    Route {
        name: name.to_owned(),
        virtual_service: String::new(),
        condition: Yaml::Null,
        rule,
        has_gateway_semantics: false,
        origin: Origin {
            gateway: "mesh".to_owned(),
            port,
            listener: port,
            tls: false,
        },
    }
}

/// R-H-107..R-H-109, R-M-137, R-M-138: the cluster that a destination means.
pub fn cluster(world: &World, scope: &Scope, route: &Route, destination: &Yaml) -> String {
    let host = text(destination, "host");
    if host.is_empty() {
        return "UnknownService".to_owned();
    }
    let origin = &route.origin;
    let owner = route.virtual_service.split('/').next().unwrap_or("");
    let known = if world.proxy.gateway {
        // R-M-046: the VirtualService's own namespace first.
        let own = scope
            .visible
            .iter()
            .find(|s| s.host == host && s.namespace == owner);
        own.or_else(|| scope.service(host))
    } else {
        // R-H-040: a sidecar looks only among the services that its egress listener imports and that expose the port.
        let exposing = |s: &&Service| {
            let exposes = s.ports.iter().any(|p| p.number == origin.port);
            s.host == host && (origin.port == 0 || exposes)
        };
        let listener = scope.egress_of(origin.listener);
        listener.and_then(|listener| listener.services.iter().find(exposing))
    };
    let sees_all = world.proxy.gateway || origin.port == 0;
    let port = match (number(&destination["port"], "number"), known) {
        (0, Some(service)) if sees_all && service.ports.len() == 1 => service.ports[0].number,
        (0, _) => origin.port,
        (said, _) => said,
    };
    let host = known
        .and_then(|service| service.external_name.as_deref())
        .unwrap_or(host);
    format!("outbound|{port}|{}|{host}", text(destination, "subset"))
}
