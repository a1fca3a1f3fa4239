//! Gateways and ListenerSets as listeners, and what each comes to.

use serde_json::json;

use super::grants::open_to;
use super::{MADE, certificates, metadata, name, of_kind, or};
use crate::spec::world::namespace;
use crate::spec::{Yaml, list, number, text};

/// One listener of a Gateway or ListenerSet of a class that Istio serves.
pub(super) struct Listener {
    /// The Gateway or ListenerSet.
    pub(super) owner: Yaml,
    /// The Gateway.
    gateway: Yaml,
    pub(super) name: String,
    pub(super) port: u64,
    pub(super) protocol: String,
    /// `hostname`, "" if it has none.
    pub(super) hostname: String,
    /// R-G-010: hosts of its server.
    pub(super) hosts: Vec<String>,
    /// `tls.mode`, "" without `tls`.
    pub(super) tls_mode: String,
    /// `allowedRoutes.kinds`.
    pub(super) kinds: Vec<Yaml>,
    /// `tls` of its server.
    tls: Result<Yaml, ()>,
    /// It takes part in nothing: a conflict, a port or protocol that is not to be had, a class without configuration.
    pub(super) is_without_server: bool,
    /// R-G-016: the hosts of the Gateway's Services.
    services: Vec<String>,
    /// Istio makes the Service.
    is_managed: bool,
}

impl Listener {
    /// R-G-007: the name of its Gateway resource.
    fn made_name(&self) -> String {
        format!("{}~{MADE}~{}", name(&self.owner), self.name)
    }

    /// `namespace/name` of that.
    pub(super) fn internal_name(&self) -> String {
        format!("{}/{}", namespace(&self.owner), self.made_name())
    }

    /// It belongs to the resource of this kind and name.
    pub(super) fn is_of(&self, kind: &str, owner: &str, named: &str) -> bool {
        text(&self.owner, "kind") == kind
            && namespace(&self.owner) == owner
            && name(&self.owner) == named
    }
}

/// R-G-004: the controller of a class.
fn controller<'a>(resources: &'a [Yaml], class: &str) -> &'a str {
    let object = of_kind(resources, "GatewayClass").find(|one| name(one) == class);
    match (object, class) {
        (Some(object), _) => text(&object["spec"], "controllerName"),
        (None, "istio") => "istio.io/gateway-controller",
        (None, "istio-remote") => "istio.io/unmanaged-gateway",
        (None, "istio-waypoint") => "istio.io/mesh-controller",
        _ => "",
    }
}

/// R-G-016: hosts of Services, and whether Istio makes them.
fn services(gateway: &Yaml) -> (Vec<String>, bool) {
    let own = namespace(gateway);
    let addresses = list(&gateway["spec"], "addresses");
    let is_address = |one: &Yaml| or(one, "type", "IPAddress") == "IPAddress";
    if addresses.is_empty() || (addresses.len() == 1 && is_address(&addresses[0])) {
        let annotations = &gateway["metadata"]["annotations"];
        let service = match text(annotations, "gateway.istio.io/name-override") {
            "" => format!(
                "{}-{}",
                name(gateway),
                text(&gateway["spec"], "gatewayClassName")
            ),
            said => said.to_owned(),
        };
        return (vec![format!("{service}.{own}.svc.cluster.local")], true);
    }
    let named = addresses
        .iter()
        .filter(|one| text(one, "type") == "Hostname");
    let full = |one: &Yaml| match text(one, "value") {
        value if value.contains('.') => value.to_owned(),
        value => format!("{value}.{own}.svc.cluster.local"),
    };
    (named.map(full).collect(), false)
}

/// All listeners, in the order in which they are merged: a Gateway's own, then those of its ListenerSets (R-G-015).
pub(super) fn all(resources: &[Yaml]) -> Vec<Listener> {
    let mut out = Vec::new();
    for gateway in of_kind(resources, "Gateway") {
        let controller = controller(resources, text(&gateway["spec"], "gatewayClassName"));
        let serves = controller == "istio.io/gateway-controller";
        if !serves
            && !["istio.io/unmanaged-gateway", "istio.io/mesh-controller"].contains(&controller)
        {
            continue;
        }
        let mut own: Vec<Listener> = list(&gateway["spec"], "listeners")
            .iter()
            .map(|one| listener(resources, gateway, gateway, one, serves))
            .collect();
        // R-G-006, R-G-021
        if serves {
            let allowed = &gateway["spec"]["allowedListeners"]["namespaces"];
            let open = open_to(resources, allowed, namespace(gateway), "None");
            let mut sets: Vec<&Yaml> = of_kind(resources, "ListenerSet")
                .filter(|set| is_set_of(set, gateway))
                .filter(|set| open.iter().any(|ns| ns == "*" || ns == namespace(set)))
                .collect();
            sets.sort_by_key(|set| {
                let created = text(&set["metadata"], "creationTimestamp").to_owned();
                (created, format!("{}/{}", namespace(set), name(set)))
            });
            for set in sets {
                let of_set = list(&set["spec"], "listeners").iter();
                own.extend(of_set.map(|one| listener(resources, set, gateway, one, serves)));
            }
            settle_conflicts(&mut own);
        }
        out.extend(own);
    }
    out
}

/// The ListenerSet names the Gateway as its parent.
fn is_set_of(set: &Yaml, gateway: &Yaml) -> bool {
    let parent = &set["spec"]["parentRef"];
    or(parent, "group", super::GROUP) == super::GROUP
        && or(parent, "kind", "Gateway") == "Gateway"
        && text(parent, "name") == name(gateway)
        && or(parent, "namespace", namespace(set)) == namespace(gateway)
}

fn listener(
    resources: &[Yaml],
    owner: &Yaml,
    gateway: &Yaml,
    said: &Yaml,
    serves: bool,
) -> Listener {
    let protocol = text(said, "protocol");
    // R-G-022
    let port = match (number(said, "port"), protocol) {
        (0, "HTTP") => 80,
        (0, "HTTPS") => 443,
        (port, _) => port,
    };
    let hostname = text(said, "hostname");
    let host = if hostname.is_empty() { "*" } else { hostname };
    let allowed = &said["allowedRoutes"]["namespaces"];
    let mut hosts: Vec<String> = open_to(resources, allowed, namespace(owner), "Same")
        .iter()
        .map(|ns| format!("{ns}/{host}"))
        .collect();
    if hosts.is_empty() {
        hosts.push(format!("~/{host}"));
    }
    let lacks_tls = ["HTTPS", "TLS"].contains(&protocol) && !said["tls"].is_object();
    let (services, is_managed) = services(gateway);
    Listener {
        owner: owner.clone(),
        gateway: gateway.clone(),
        name: text(said, "name").to_owned(),
        port,
        protocol: protocol.to_owned(),
        hostname: hostname.to_owned(),
        hosts,
        tls_mode: match said["tls"].is_object() {
            true => or(&said["tls"], "mode", "Terminate").to_owned(),
            false => String::new(),
        },
        kinds: list(&said["allowedRoutes"], "kinds").to_vec(),
        tls: certificates::tls(resources, owner, gateway, said),
        // R-G-011, R-G-012
        is_without_server: !serves
            || port == 0
            || lacks_tls
            || services.is_empty()
            || !["HTTP", "HTTPS", "TLS", "TCP"].contains(&protocol),
        services,
        is_managed,
    }
}

/// R-G-015: the first of those that cannot stand side by side has the port.
fn settle_conflicts(listeners: &mut [Listener]) {
    let is_plain = |protocol: &str| ["TCP", "UDP"].contains(&protocol);
    let mut accepted: Vec<(u64, String, String)> = Vec::new();
    for listener in listeners {
        let known = ["HTTP", "HTTPS", "TLS", "TCP", "UDP"];
        if !known.contains(&listener.protocol.as_str()) {
            continue;
        }
        let conflicts = accepted.iter().any(|(port, protocol, hostname)| {
            *port == listener.port
                && (is_plain(protocol)
                    || is_plain(&listener.protocol)
                    || *hostname == listener.hostname)
        });
        if conflicts {
            listener.is_without_server = true;
        } else {
            accepted.push((
                listener.port,
                listener.protocol.clone(),
                listener.hostname.clone(),
            ));
        }
    }
}

/// R-G-007..R-G-009: the Gateway of a listener; none of one that is invalid (R-G-014).
pub(super) fn gateway(listener: &Listener) -> Option<Yaml> {
    let tls = listener.tls.as_ref().ok()?;
    if listener.is_without_server {
        return None;
    }
    let owner = &listener.owner;
    let mut annotations = json!({
        "internal.istio.io/gateway-semantics": "gateway",
        "internal.istio.io/gateway-service": listener.services.join(","),
        "internal.istio.io/parents":
            format!("{}/{}/{}.{}", text(owner, "kind"), name(owner), listener.name, namespace(owner)),
        "internal.istio.io/service-account-name": if listener.is_managed { "managed" } else { "" },
    });
    if text(owner, "kind") == "ListenerSet" {
        annotations["internal.istio.io/parent-namespace"] = namespace(&listener.gateway).into();
    }
    let mut server = json!({
        "port": {"number": listener.port, "name": "default", "protocol": listener.protocol},
        "hosts": listener.hosts,
    });
    if tls.is_object() {
        server["tls"] = tls.clone();
    }
    Some(json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": metadata(owner, listener.made_name(), annotations),
        "spec": {"servers": [server]},
    }))
}

/// The Services that a Gateway resource is for, as far as it says so (R-G-008): their hosts, and the namespace in which they
/// count (R-G-017).
pub fn services_of(gateway: &Yaml) -> Option<(Vec<String>, String)> {
    let annotations = &gateway["metadata"]["annotations"];
    let said = text(annotations, "internal.istio.io/gateway-service");
    if said.is_empty() {
        return None;
    }
    let hosts = said.split(',').map(str::to_owned).collect();
    let owner = match text(annotations, "internal.istio.io/parent-namespace") {
        "" => namespace(gateway),
        parent => parent,
    };
    Some((hosts, owner.to_owned()))
}

/// R-G-019: it is of a Gateway whose Service Istio makes.
pub fn is_managed(gateway: &Yaml) -> bool {
    let annotations = &gateway["metadata"]["annotations"];
    !text(annotations, "internal.istio.io/service-account-name").is_empty()
}
