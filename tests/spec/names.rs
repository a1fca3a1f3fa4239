//! Names: hosts and their wildcards, short names, gateway references, label selectors, exportTo.
//! Section 1 of istio-model.md. Every comparison is byte-exact (R-M-004).

use super::{Yaml, texts};

/// R-M-001: a host is a wildcard iff it starts with `*`.
pub fn is_wildcard(host: &str) -> bool {
    host.starts_with('*')
}

/// R-M-002: do the two hosts overlap?
pub fn overlap(a: &str, b: &str) -> bool {
    match (is_wildcard(a), is_wildcard(b)) {
        (false, false) => a == b,
        (true, false) => b.ends_with(&a[1..]),
        (false, true) => a.ends_with(&b[1..]),
        (true, true) => a[1..].ends_with(&b[1..]) || b[1..].ends_with(&a[1..]),
    }
}

/// R-M-003: is everything that `a` names also named by `b`?
pub fn is_subset(a: &str, b: &str) -> bool {
    match (is_wildcard(a), is_wildcard(b)) {
        (true, false) => false,
        (true, true) => a.len() >= b.len() && a[1..].ends_with(&b[1..]),
        _ => overlap(a, b),
    }
}

/// R-M-005: the order "more specific first": exact before wildcard, longer before shorter, then bytes.
pub fn by_specificity(a: &str, b: &str) -> std::cmp::Ordering {
    is_wildcard(a)
        .cmp(&is_wildcard(b))
        .then(b.len().cmp(&a.len()))
        .then(a.cmp(b))
}

/// R-M-006: the narrower host of each overlapping pair, in the order of `hosts`.
pub fn intersection(hosts: &[String], others: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    for host in hosts {
        for other in others {
            let narrower = if is_subset(host, other) {
                host
            } else if is_subset(other, host) {
                other
            } else {
                continue;
            };
            if !out.contains(narrower) {
                out.push(narrower.clone());
            }
        }
    }
    out
}

/// R-M-007: the entries `namespace/host` that are open to `namespace`, without their prefix.
pub fn for_namespace(hosts: &[String], namespace: &str) -> Vec<String> {
    let open = |host: &String| match host.split_once('/') {
        Some((owner, name)) => (owner == namespace || owner == "*").then(|| name.to_owned()),
        None => Some(host.clone()),
    };
    hosts.iter().filter_map(open).collect()
}

/// R-M-008, R-H-008: a name without a dot is completed with the namespace of the resource that says it.
pub fn complete(host: &str, namespace: &str) -> String {
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    if host.is_empty() || host == "*" || is_address || host.contains('.') {
        return host.to_owned();
    }
    format!("{host}.{namespace}.svc.cluster.local")
}

/// R-M-012, R-H-009: a gateway reference in a VirtualService, in full.
pub fn complete_gateway(gateway: &str, namespace: &str) -> String {
    if gateway == "mesh" {
        return gateway.to_owned();
    }
    if let Some(name) = gateway.strip_prefix("./") {
        return format!("{namespace}/{name}");
    }
    if gateway.contains('/') {
        return gateway.to_owned();
    }
    match gateway.split_once('.') {
        Some((name, rest)) => format!("{}/{name}", rest.split('.').next().unwrap_or("")),
        None => format!("{namespace}/{gateway}"),
    }
}

/// R-M-059: every label of the selector is there, byte-equal. No selector selects everything.
pub fn selects(selector: &Yaml, labels: &Yaml) -> bool {
    let wanted = selector.as_object().into_iter().flatten();
    wanted.into_iter().all(|(key, value)| &labels[key] == value)
}

/// Who may see a resource: R-M-047, R-M-141.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Export {
    Public,
    Nobody,
    To(Vec<String>),
}

impl Export {
    /// Reads `exportTo` as written by a resource of `namespace`; an empty list means the mesh default.
    pub fn read(export_to: &[String], mesh_default: &[String], namespace: &str) -> Export {
        let said = if export_to.is_empty() {
            mesh_default
        } else {
            export_to
        };
        if said.is_empty() || said.iter().any(|e| e == "*") {
            return Export::Public;
        }
        if said.iter().any(|e| e == "~") {
            return Export::Nobody;
        }
        let own = |e: &String| {
            if e == "." {
                namespace.to_owned()
            } else {
                e.clone()
            }
        };
        Export::To(said.iter().map(own).collect())
    }

    /// R-M-216: what the mesh leaves of it, for a ServiceEntry of `namespace`.
    pub fn capped(self, cap: &str, namespace: &str) -> Export {
        match cap {
            "NONE" => Export::Nobody,
            "NAMESPACE" => match self.reaches(namespace) {
                true => Export::To(vec![namespace.to_owned()]),
                false => Export::Nobody,
            },
            _ => self,
        }
    }

    /// Is it visible from this namespace?
    pub fn reaches(&self, namespace: &str) -> bool {
        match self {
            Export::Public => true,
            Export::Nobody => false,
            Export::To(namespaces) => namespaces.iter().any(|n| n == namespace),
        }
    }
}

/// The mesh-wide default of an `exportTo`, `["*"]` if MeshConfig says nothing.
pub fn default_export(mesh: &Yaml, field: &str) -> Vec<String> {
    let said = texts(mesh, field);
    if said.is_empty() {
        vec!["*".to_owned()]
    } else {
        said
    }
}

/// R-M-011: the most specific of `hosts` that covers `needle`.
pub fn most_specific<'a>(needle: &str, hosts: &[&'a str]) -> Option<&'a str> {
    if let Some(same) = hosts.iter().find(|host| **host == needle) {
        return Some(same);
    }
    let tail = if is_wildcard(needle) {
        &needle[1..]
    } else {
        needle
    };
    let mut covering: Vec<&str> = hosts
        .iter()
        .copied()
        .filter(|host| is_wildcard(host) && tail.ends_with(&host[1..]))
        .collect();
    covering.sort_by(|a, b| by_specificity(a, b));
    covering.first().copied()
}
